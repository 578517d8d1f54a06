"""The filters of the list of IP rules."""

from datetime import date

import django_filters as filters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.filters import ListFilter, SpanForm, day_filter
from portal.moments import day_bounds
from tokens.models import IPRule, IPRuleQuerySet

FIRST_V4, LAST_V4 = "0.0.0.0", "255.255.255.255"  # noqa: S104 (an address, not a socket)
V4, V6 = "4", "6"


class RuleFilterForm(SpanForm):
    span = ("added_from", "added_to")


class RuleFilter(ListFilter):
    q = filters.CharFilter(
        label=gettext_lazy("Search by name or address"), method="search", max_length=128
    )
    version = filters.ChoiceFilter(
        label=gettext_lazy("Addresses"),
        choices=((V4, "IPv4"), (V6, "IPv6")),
        empty_label=gettext_lazy("All"),
        method="of_version",
    )
    added_from = day_filter(gettext_lazy("Added from"), "since")
    added_to = day_filter(gettext_lazy("Added to"), "until")

    class Meta:
        model = IPRule
        fields = ()
        form = RuleFilterForm

    def __init__(self, request: HttpRequest, queryset: IPRuleQuerySet) -> None:
        super().__init__(request.GET, queryset, request=request)
        self.filters["version"].field.error_messages["invalid_choice"] = _(
            "“%(value)s” is not a choice."
        )

    def search(self, rules: IPRuleQuerySet, name: str, value: str) -> IPRuleQuerySet:
        return rules.search(value)

    def of_version(self, rules: IPRuleQuerySet, name: str, value: str) -> QuerySet[IPRule]:
        old = {"first__gte": FIRST_V4, "first__lte": LAST_V4}
        return rules.filter(**old) if value == V4 else rules.exclude(**old)

    def since(self, rules: IPRuleQuerySet, name: str, value: date) -> QuerySet[IPRule]:
        return rules.filter(created_at__gte=day_bounds(value)[0])

    def until(self, rules: IPRuleQuerySet, name: str, value: date) -> QuerySet[IPRule]:
        return rules.filter(created_at__lt=day_bounds(value)[1])

    def words(self, name: str, value: object) -> str:
        return f"IPv{value}" if name == "version" else super().words(name, value)

"""The filters of the lists of webhooks and of deliveries."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.filters import ListFilter, SpanForm, day_filter
from portal.moments import day_bounds
from portal.text import either
from webhooks import products
from webhooks.catalog import ObjectClass
from webhooks.models import Delivery, DeliveryQuerySet, Webhook, WebhookEvent, WebhookQuerySet

FAILING = "failing"
STATUSES = (
    (Webhook.State.ACTIVE, Webhook.State.ACTIVE.label),
    (FAILING, gettext_lazy("Active, failing")),
    (Webhook.State.PAUSED, Webhook.State.PAUSED.label),
    (Webhook.State.DISABLED, Webhook.State.DISABLED.label),
)


class ChoiceWords(ListFilter):
    """A filter whose chips name choices as its panel does."""

    def words(self, name: str, value: Any) -> str:
        choices = getattr(self.filters[name].field, "choices", None)
        if choices is None:
            return super().words(name, value)
        labels = {str(key): str(label) for key, label in choices}
        chosen = value if isinstance(value, list) else [value]
        return either([labels.get(str(each), str(each)) for each in chosen])


class WebhookFilter(ChoiceWords):
    q = filters.CharFilter(
        label=gettext_lazy("Search by label or ID"), method="search", max_length=128
    )
    status = filters.ChoiceFilter(
        label=gettext_lazy("Status"),
        choices=STATUSES,
        empty_label=gettext_lazy("Any"),
        method="of_status",
    )
    deliveries = filters.ChoiceFilter(
        label=gettext_lazy("Deliveries"),
        choices=((FAILING, gettext_lazy("Some are failing")),),
        empty_label=gettext_lazy("Any"),
        method="with_failing",
    )
    object_class = filters.MultipleChoiceFilter(
        label=gettext_lazy("Fires on"),
        choices=ObjectClass.choices,
        widget=forms.CheckboxSelectMultiple,
        # No webhook comes twice, and PostgreSQL cannot sort distinct rows by their last delivery.
        distinct=False,
    )
    product = filters.ChoiceFilter(
        label=gettext_lazy("Product"),
        empty_label=gettext_lazy("Any"),
        field_name="product_id",
    )

    class Meta:
        model = Webhook
        fields = ()

    def __init__(self, request: HttpRequest, queryset: WebhookQuerySet) -> None:
        super().__init__(request.GET, queryset, request=request)
        # A function, so that the query runs only when the filter is open or in use.
        self.filters["product"].field.choices = lambda: self.products
        for name, message in (
            ("status", _("“%(value)s” is not a status.")),
            ("deliveries", _("“%(value)s” says nothing about deliveries.")),
            ("object_class", _("“%(value)s” is not an object class.")),
            ("product", _("No webhook of this account is about that product.")),
        ):
            self.filters[name].field.error_messages["invalid_choice"] = message

    @cached_property
    def products(self) -> list[tuple[str, str]]:
        """The products that webhooks of the account are about, by name."""
        account = self.request.membership.account
        used = Webhook.objects.of_account(account.pk).exclude(product_id="").order_by()
        named = dict(used.values_list("product_id", "product_name").distinct())
        names = {
            **named,
            **{key: name for key, name in products.of(account).items() if key in named},
        }
        return sorted(((key, name or key) for key, name in names.items()), key=lambda each: each[1])

    def search(self, webhooks: WebhookQuerySet, name: str, value: str) -> WebhookQuerySet:
        return webhooks.search(value)

    def of_status(self, webhooks: WebhookQuerySet, name: str, value: str) -> QuerySet[Webhook]:
        if value == FAILING:
            active = webhooks.in_state(Webhook.State.ACTIVE)
            return active.exclude(health__failing_since=None)
        return webhooks.in_state(Webhook.State(value))

    def with_failing(self, webhooks: WebhookQuerySet, name: str, value: str) -> QuerySet[Webhook]:
        return webhooks.filter(pk__in=Delivery.objects.failing().values("webhook"))


DELIVERED, PLANNED, GIVEN_UP = "delivered", "planned", "given-up"
RESULTS = (
    (FAILING, gettext_lazy("Failing")),
    (PLANNED, gettext_lazy("Planned")),
    (DELIVERED, gettext_lazy("Delivered")),
    (GIVEN_UP, gettext_lazy("Given up")),
)


EMPTY = {
    FAILING: gettext_lazy("Nothing is failing"),
    PLANNED: gettext_lazy("Nothing is planned"),
    DELIVERED: gettext_lazy("Nothing was delivered yet"),
    GIVEN_UP: gettext_lazy("Nothing was given up"),
}


class DeliveryForm(SpanForm):
    span = ("since", "until")


class DeliveryFilter(ChoiceWords):
    q = filters.CharFilter(
        label=gettext_lazy("Search by object or ID"), method="search", max_length=64
    )
    result = filters.ChoiceFilter(
        label=gettext_lazy("Result"),
        choices=RESULTS,
        empty_label=gettext_lazy("Any"),
        method="of_result",
    )
    event = filters.ChoiceFilter(
        label=gettext_lazy("Event"),
        empty_label=gettext_lazy("Any"),
        field_name="event__action",
    )
    since = day_filter(gettext_lazy("From day"), "from_day")
    until = day_filter(gettext_lazy("To day"), "to_day")

    class Meta:
        model = Delivery
        fields = ()
        form = DeliveryForm

    def __init__(self, request: HttpRequest, queryset: DeliveryQuerySet, webhook: Webhook) -> None:
        super().__init__(request.GET, queryset, request=request)
        self.webhook = webhook
        self.filters["event"].field.choices = lambda: self.events
        for name, message in (
            ("result", _("“%(value)s” is not a result.")),
            ("event", _("There was no such event.")),
        ):
            self.filters[name].field.error_messages["invalid_choice"] = message

    @cached_property
    def events(self) -> list[tuple[str, str]]:
        """What has happened to objects of the webhook's class in the account."""
        seen = WebhookEvent.objects.filter(
            account=self.webhook.account_id, object_class=self.webhook.object_class
        )
        actions = seen.order_by("action").values_list("action", flat=True).distinct()
        return [(action, action) for action in actions]

    @property
    def no_match(self) -> str:
        """What is said where no delivery matches."""
        if {name for name, value in self.form.cleaned_data.items() if value} == {"result"}:
            return str(EMPTY[self.form.cleaned_data["result"]])
        return _("No delivery matches")

    def search(self, rows: DeliveryQuerySet, name: str, value: str) -> DeliveryQuerySet:
        return rows.search(value)

    def of_result(self, rows: DeliveryQuerySet, name: str, value: str) -> QuerySet[Delivery]:
        if value == FAILING:
            return rows.failing()
        if value == PLANNED:
            return rows.unfinished().filter(failures=0)
        done = Delivery.State.DELIVERED if value == DELIVERED else Delivery.State.FAILED
        return rows.filter(state=done)

    def from_day(self, rows: DeliveryQuerySet, name: str, value: Any) -> QuerySet[Delivery]:
        return rows.filter(created_at__gte=day_bounds(value)[0])

    def to_day(self, rows: DeliveryQuerySet, name: str, value: Any) -> QuerySet[Delivery]:
        return rows.filter(created_at__lt=day_bounds(value)[1])

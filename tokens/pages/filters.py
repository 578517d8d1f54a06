"""The filters of the token list and of the Permissions tab.

Their values come from the URL. Invalid ones give an empty list that says why.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, cast

import django_filters as filters
from django import forms
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.fields import Actor
from portal.filters import Chip, ListFilter, SpanForm, day_filter, with_values
from portal.moments import SKEW, day_bounds
from portal.text import either, fold, join
from tokens.catalog import Module
from tokens.models import Extension, State, Token, TokenQuerySet, TokenUsage
from tokens.standing import Standing

# Deleted tokens are hidden unless a status is chosen; this value chooses all statuses.
ANY = "any"
LAST_USED = (
    ("day", gettext_lazy("In the last 24 hours")),
    ("week", gettext_lazy("In the last 7 days")),
    ("month", gettext_lazy("In the last 30 days")),
    ("idle", gettext_lazy("Not for 30 days")),
    ("never", gettext_lazy("Never")),
)
SPANS = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "idle": timedelta(days=30),
}


def used_within(span: timedelta) -> Q:
    """Return the condition of tokens that were used lately, as the filter *Last used* has it."""
    now = timezone.now()
    # A use in the future does not count as recent. One pass over the narrow rows of uses is faster
    # than a look at that of each token.
    recent = TokenUsage.objects.filter(last_used_at__range=(now - span, now + SKEW))
    return Q(pk__in=recent.values("token"))


def shown_states(chosen: Sequence[str]) -> list[State]:
    """Return the states that a choice of statuses shows; without one, all but Deleted."""
    if ANY in chosen:
        return [*State]
    return [state for state in State if (state in chosen if chosen else state is not State.DELETED)]


def state_words(chosen: Sequence[str]) -> str:
    """Return the result of `shown_states()` in words: `Active or Inactive`."""
    if ANY in chosen:
        return _("any, deleted too")
    if not chosen:
        return _("not deleted")
    return either([str(state.label) for state in shown_states(chosen)])


class TokenForm(SpanForm):
    span = ("created_from", "created_to")


class TokenFilter(ListFilter):
    # No name is longer, and SQLite rejects very long patterns.
    q = filters.CharFilter(
        label=gettext_lazy("Search by label or ID"), method="search", max_length=128
    )
    external_id = filters.CharFilter(
        label=gettext_lazy("External ID contains"), method="external", max_length=128
    )
    extension = filters.MultipleChoiceFilter(
        label=gettext_lazy("Extension"), widget=forms.CheckboxSelectMultiple
    )
    status = filters.MultipleChoiceFilter(
        label=gettext_lazy("Status"),
        choices=[*State.choices, (ANY, gettext_lazy("Any"))],
        widget=forms.CheckboxSelectMultiple,
        method="in_states",
    )
    module = filters.ChoiceFilter(
        label=gettext_lazy("Granted"),
        choices=Module.choices,
        empty_label=gettext_lazy("Any module"),
        method="reaching",
    )
    created_by = filters.ChoiceFilter(
        label=gettext_lazy("Created by"), empty_label=gettext_lazy("Anyone"), method="made_by"
    )
    created_from = day_filter(gettext_lazy("Created from"), "since")
    created_to = day_filter(gettext_lazy("Created to"), "until")
    last_used = filters.ChoiceFilter(
        label=gettext_lazy("Last used"),
        choices=LAST_USED,
        empty_label=gettext_lazy("At any time"),
        method="used",
    )

    class Meta:
        model = Token
        fields = ()
        form = TokenForm

    def __init__(self, request: HttpRequest, queryset: TokenQuerySet) -> None:
        super().__init__(request.GET, queryset, request=request)
        # Functions, so that the queries run only when the filter is open or in use.
        self.filters["extension"].field.choices = lambda: self.extensions
        self.filters["created_by"].field.choices = lambda: self.creators
        for name, message in (
            ("extension", _("“%(value)s” is not an extension.")),
            ("status", _("“%(value)s” is not a status.")),
            ("module", _("“%(value)s” is not a module.")),
            ("last_used", _("“%(value)s” is not a choice.")),
            ("created_by", _("Nobody in this account has that ID.")),
        ):
            self.filters[name].field.error_messages["invalid_choice"] = message

    @cached_property
    def extensions(self) -> list[tuple[str, str]]:
        """What the account may read about: tokens may have one that is no longer offered."""
        visible = Extension.objects.visible_to(self.request.membership.account_id)
        return [(extension.pk, extension.label) for extension in visible.in_order()]

    @cached_property
    def creators(self) -> list[tuple[str, str]]:
        """The creators of tokens, by latest name: people first, then tokens of the account."""
        membership = self.request.membership
        tokens = Token.objects.visible_to(membership).exclude(created_by_id="")
        named = tokens.filter(created_by_account__in=("", membership.account_id)).values_list(
            "created_by_id", "created_by_name"
        )
        # The newest name of each comes last.
        makers = {
            id: Actor(id, name)
            for id, name, _at in named.annotate(at=Max("created_at")).order_by("at")
        }
        ordered = sorted(
            makers.values(), key=lambda maker: (maker.is_token, fold(maker.name), maker.id)
        )
        return [(maker.id, maker.label) for maker in ordered]

    # --- What the filters mean ------------------------------------------------------------------

    def search(self, tokens: TokenQuerySet, name: str, value: str) -> TokenQuerySet:
        return tokens.search(value)

    def external(self, tokens: TokenQuerySet, name: str, value: str) -> QuerySet[Token]:
        return tokens.filter(external_id_key__contains=fold(value))

    def made_by(self, tokens: TokenQuerySet, name: str, value: str) -> QuerySet[Token]:
        return tokens.filter(created_by_id=value)

    def since(self, tokens: TokenQuerySet, name: str, value: date) -> QuerySet[Token]:
        return tokens.filter(created_at__gte=day_bounds(value)[0])

    def until(self, tokens: TokenQuerySet, name: str, value: date) -> QuerySet[Token]:
        return tokens.filter(created_at__lt=day_bounds(value)[1])

    def in_states(self, tokens: TokenQuerySet, name: str, value: list[str]) -> TokenQuerySet:
        return tokens if ANY in value else tokens.in_states(shown_states(value))

    def reaching(self, tokens: TokenQuerySet, name: str, value: str) -> TokenQuerySet:
        return tokens.reaching(value)

    def used(self, tokens: TokenQuerySet, name: str, value: str) -> QuerySet[Token]:
        if value == "never":
            return tokens.filter(usage__last_used_at=None)
        lately = used_within(SPANS[value])
        return tokens.filter(Q(usage__last_used_at=None) | ~lately if value == "idle" else lately)

    # --- What the page shows of them ------------------------------------------------------------

    @property
    def matching(self) -> QuerySet[Token]:
        """The tokens that match; the deleted ones only if a status is chosen."""
        tokens = cast("TokenQuerySet", super().matching)
        return tokens if self.form.cleaned_data.get("status") else tokens.live()

    @property
    def only_deleted(self) -> bool:
        """Whether the list shows deleted tokens and no others."""
        chosen = self.form.cleaned_data.get("status") if self.is_valid() else None
        return bool(chosen == [State.DELETED])

    @property
    def chips(self) -> list[Chip]:
        if not self.is_valid():
            return []
        # The status filter is always in use: without a choice, it hides deleted tokens.
        return [
            self.chip(name, value)
            for name, value in self.form.cleaned_data.items()
            if value or name == "status"
        ]

    def chip(self, name: str, value: Any) -> Chip:
        chip = super().chip(name, value)
        return chip if value else chip._replace(url=self.all_statuses_url)

    def words(self, name: str, value: Any) -> str:
        if name == "status":
            return state_words(value)
        if isinstance(value, list):
            choices = dict(self.filters[name].field.choices)
            return either([str(choices[each]) for each in value])
        if name in {"module", "created_by", "last_used"}:
            return str(dict(self.filters[name].field.choices)[value])
        return super().words(name, value)

    @property
    def all_statuses_url(self) -> str:
        return with_values(self.data, status=ANY)

    @property
    def no_match_text(self) -> str:
        """The sentence that says what was searched for, so that people see why nothing matches."""
        chosen = self.form.cleaned_data["status"]
        parts = [
            _("“%(text)s” in its label or ID") % {"text": value}
            if name == "q"
            else _("the status %(words)s") % {"words": state_words(value)}
            if name == "status"
            else f"{self.filters[name].label}: {self.words(name, value)}"
            for name, value in self.form.cleaned_data.items()
            if value and not (name == "status" and ANY in value)
        ]
        # The total includes deleted tokens only if the search does.
        tokens = self.queryset if State.DELETED in shown_states(chosen) else self.queryset.live()
        count = tokens.count()
        none = ngettext(
            "The one token of the account does not have %(what)s.",
            "None of your %(n)s tokens has %(what)s.",
            count,
        )
        return (
            none % {"n": f"{count:,}", "what": join(parts)}
            if parts
            else _("Every token of the account is deleted.")
        )


class ModuleFilter(forms.Form):
    """The filter of the Permissions tab. A plain form, since its rows are not a queryset."""

    q = forms.CharField(label=gettext_lazy("Find a module"), required=False, max_length=64)

    def __init__(self, data: QueryDict, *, standing: Standing) -> None:
        super().__init__(data)
        marks = standing.module_marks
        self.statuses = {"": _("Any"), "enabled": marks[True][1], "disabled": marks[False][1]}
        self.fields["status"] = forms.ChoiceField(
            label=_("Status"), required=False, choices=[*self.statuses.items()]
        )

"""The filters of the trail."""

from datetime import date
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from activity.actions import Action, Group, in_groups
from activity.models import Event, EventQuerySet
from portal import text
from portal.addresses import Span, read_span
from portal.distinct import newest
from portal.filters import ListFilter, SpanForm, day_filter
from portal.moments import day_bounds

# Stands for the portal itself among the choices of *Who*.
PORTAL = "portal"


class AddressesField(forms.CharField):
    """A form field for an address, a network, or two addresses with a dash between."""

    def clean(self, value: Any) -> Span | None:
        text = super().clean(value)
        return read_span(text) if text else None


class AddressesFilter(filters.Filter):
    field_class = AddressesField


class EventForm(SpanForm):
    span = ("since", "until")


class EventFilter(ListFilter):
    q = filters.CharFilter(
        label=gettext_lazy("Search by token or person"), method="search", max_length=128
    )
    actor = filters.ChoiceFilter(
        label=gettext_lazy("Who"), empty_label=gettext_lazy("Anyone"), method="done_by"
    )
    subject = filters.CharFilter(
        label=gettext_lazy("ID of the token or object"), method="done_to", max_length=64
    )
    address = AddressesFilter(
        label=gettext_lazy("Address"),
        method="sent_from",
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": "203.0.113.0/26", "spellcheck": "false"}),
    )
    what = filters.MultipleChoiceFilter(
        label=gettext_lazy("What"),
        choices=Group.choices,
        widget=forms.CheckboxSelectMultiple,
        method="in_groups",
    )
    action = filters.ChoiceFilter(
        label=gettext_lazy("Action"),
        choices=Action.choices,
        empty_label=gettext_lazy("Any"),
        field_name="action",
    )
    since = day_filter(gettext_lazy("From day"), "from_day")
    until = day_filter(gettext_lazy("To day"), "to_day")
    entry = filters.CharFilter(label=gettext_lazy("Entry"), method="numbered", max_length=15)

    class Meta:
        model = Event
        fields = ()
        form = EventForm

    def __init__(self, request: HttpRequest, queryset: EventQuerySet) -> None:
        super().__init__(request.GET, queryset, request=request)
        # A function, so that the queries run only when the filter is open or in use.
        self.filters["actor"].field.choices = lambda: self.actors
        for name in ("what", "action"):
            self.filters[name].field.error_messages["invalid_choice"] = _(
                "“%(value)s” is not a choice."
            )
        self.filters["actor"].field.error_messages["invalid_choice"] = _(
            "Nobody with that ID did anything here."
        )

    @cached_property
    def actors(self) -> list[tuple[str, str]]:
        """Everybody who acted in the trail, by their latest name, and the portal itself."""
        last = newest(Event, "actor_id", "number", account=self.request.membership.account_id)
        named = (
            self.queryset.filter(number__in=last.values())
            .exclude(actor_id="")
            .values_list("actor_id", "actor_name")
        )
        people = sorted(named, key=lambda actor: text.fold(actor[1]))
        return [
            *((id, name if id.startswith("UR-") else f"{name} ({id})") for id, name in people),
            (PORTAL, _("The portal")),
        ]

    # --- What the filters mean ------------------------------------------------------------------

    def search(self, events: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return events.search(value)

    def done_by(self, events: EventQuerySet, name: str, value: str) -> QuerySet[Event]:
        return events.filter(actor_id="" if value == PORTAL else value)

    def done_to(self, events: EventQuerySet, name: str, value: str) -> QuerySet[Event]:
        return events.filter(subject_id=value.strip())

    def sent_from(self, events: EventQuerySet, name: str, value: Span) -> EventQuerySet:
        return events.sent_from(value)

    def in_groups(self, events: EventQuerySet, name: str, value: list[str]) -> QuerySet[Event]:
        return events.filter(action__in=in_groups(value)) if value else events

    def from_day(self, events: EventQuerySet, name: str, value: date) -> QuerySet[Event]:
        return events.filter(at__gte=day_bounds(value)[0])

    def to_day(self, events: EventQuerySet, name: str, value: date) -> QuerySet[Event]:
        return events.filter(at__lt=day_bounds(value)[1])

    def numbered(self, events: EventQuerySet, name: str, value: str) -> QuerySet[Event]:
        return (
            events.filter(number=int(value))
            if value.isascii() and value.isdigit()
            else events.none()
        )

    # --- What the page shows of them ------------------------------------------------------------

    def words(self, name: str, value: Any) -> str:
        if isinstance(value, list):
            return text.either([str(Group(each).label) for each in value])
        if name == "actor":
            return dict(self.actors)[value]
        if name == "action":
            return str(Action(value).label)
        return super().words(name, value)

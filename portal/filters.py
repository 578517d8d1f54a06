"""What the filters of lists share: day fields, chips, and URLs with and without a filter."""

import re
from datetime import date
from typing import Any, ClassVar, NamedTuple

import django_filters as filters
from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from portal import text

# The format of date pickers.
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# As browsers send a day, and as people without a date picker type it.
DAYS = ("%Y-%m-%d", "%d/%m/%Y")


class Chip(NamedTuple):
    """An applied filter: its name, its value in words, and the URL of the list without it."""

    name: str
    value: str
    url: str


class Segment(NamedTuple):
    """One of a few links above a list, in place of opening its filter panel."""

    label: str
    url: str
    current: bool


class DayInput(forms.DateInput):
    """The browser's date picker, or a text field for an invalid day, which a picker would drop."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        shown = context["widget"]["value"]
        context["widget"]["type"] = "date" if not shown or ISO_DAY.fullmatch(shown) else "text"
        return context


def day_filter(label: Any, method: str) -> filters.DateFilter:
    return filters.DateFilter(label=label, method=method, widget=DayInput(), input_formats=DAYS)


class ListFilter(filters.FilterSet):
    """The filters of a list, which come from the query string of the page alone."""

    @property
    def matching(self) -> QuerySet[Any]:
        """The rows that match; none if the filter is invalid (`qs` would return all of them)."""
        matching: QuerySet[Any] = self.qs if self.is_valid() else self.queryset.none()
        return matching

    @property
    def chips(self) -> list[Chip]:
        cleaned = self.form.cleaned_data if self.is_valid() else {}
        return [self.chip(name, value) for name, value in cleaned.items() if value]

    def chip(self, name: str, value: Any) -> Chip:
        label = _("Search") if name == "q" else str(self.filters[name].label)
        return Chip(label, self.words(name, value), without(self.data, name))

    def words(self, name: str, value: Any) -> str:
        """Return the value of a filter in words."""
        return text.day(value) if isinstance(value, date) else str(value)

    def segments(self, name: str, *values: str) -> list[Segment]:
        """Return links for a choice: all, and some of its values in the words of the panel."""
        chosen = self.data.get(name, "")
        every = Segment(_("All"), without(self.data, name), current=not chosen)
        return [
            every,
            *(
                Segment(
                    self.words(name, value),
                    with_values(self.data, **{name: value}),
                    current=chosen == value,
                )
                for value in values
            ),
        ]

    @property
    def clear_url(self) -> str:
        return without(self.data, *self.filters)

    def template_context(self) -> dict[str, Any]:
        """Return what the templates around a list need: its filter panel and its chips."""
        return {
            "filter_form": self.form,
            "filters_open": "filter" in self.data or not self.is_valid(),
            "open_url": with_values(self.data, filter="open"),
            "close_url": without(self.data, "filter"),
            "applied": bool(self.chips),
            "chips": self.chips,
            "clear_url": self.clear_url,
        }


class SpanForm(forms.Form):
    """The fields of a filter with a first and a last day, in this order."""

    span: ClassVar[tuple[str, str]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.span:
            self.fields[name].error_messages["invalid"] = _("Enter a day as dd/mm/yyyy.")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = (cleaned.get(name) for name in self.span)
        if isinstance(first, date) and isinstance(last, date) and first > last:
            label = self.fields[self.span[0]].label
            self.add_error(
                self.span[1], _("Choose a day that is not before “%(first)s”.") % {"first": label}
            )
        return cleaned


def without(query: QueryDict, *names: str) -> str:
    """Return the query string of a list without some parameters, at page 1."""
    query = query.copy()
    for name in (*names, "page"):
        query.pop(name, None)
    return f"?{query.urlencode()}"


def with_values(query: QueryDict, **values: str) -> str:
    """Return the query string of a list with some parameters set, at page 1."""
    query = query.copy()
    query.pop("page", None)
    for name, value in values.items():
        query[name] = value
    return f"?{query.urlencode()}"

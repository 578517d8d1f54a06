"""What a query string may ask of a collection, and how far it may go.

The whole query string is one RQL query (`and(eq(status,active),like(name,*cloud*))&ordering(-created)&limit=10`), read by
django-rql, the library of the original. What it lets through unchecked is refused here: a query may be wrong, never slow.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from dj_rql.constants import DjangoLookups
from dj_rql.filter_cls import RQLFilterClass
from dj_rql.transformer import RQLLimitOffsetTransformer, RQLSelectTransformer
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Field, QuerySet
from django.utils.translation import gettext as _
from lark.exceptions import LarkError
from py_rql.exceptions import RQLFilterError

# Written down for people on the page API and in the OpenAPI document.
MAX_LENGTH = 8000
MAX_DEPTH = 20
MAX_TERMS = 300
MAX_JOINED = 80
MAX_LIKES = 20
MAX_STARS = 4

VALUE = re.compile(r""""[^"]*"|'[^']*'|[^,()&|;=]+""")


class BadQuery(Exception):
    """The query cannot be answered; the message says why, in words for the caller."""


class Asked(NamedTuple):
    """A query that was understood: the rows it leaves, the page as it was written, and the names of `select()`."""

    rows: "QuerySet[Any]"
    limit: str | None
    offset: str | None
    select: tuple[str, ...]


class Filter(NamedTuple):
    """A name that can be filtered by: the column behind it, its field, and whether it may match a row many times."""

    column: str
    field: "Field[Any, Any]"
    many: bool


class Filters(RQLFilterClass):
    """django-rql, but for three things.

    Moments always have a zone: without one, UTC is meant. Of a set of values capitals make no difference: the original's
    description writes some of its own with them (`Vendor`, `OA`). And a `like` with stars inside takes no more than linear time.
    """

    @staticmethod
    def _convert_datetime_value(value: str) -> datetime:
        moment: datetime = RQLFilterClass._convert_datetime_value(value)
        # In UTC, so that a moment beyond the ends of time is refused on every database.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)

    @classmethod
    def _get_searching_typed_value(cls, django_lookup: str, str_value: str) -> Any:
        value, star = cls._reflect_like_value(str_value)
        if django_lookup not in {DjangoLookups.REGEX, DjangoLookups.I_REGEX} or "**" in value:
            return super()._get_searching_typed_value(django_lookup, str_value)
        first, *middle, last = (re.escape(part.replace(star, "*")) for part in value.split("*"))
        if connection.vendor != "sqlite":
            return f"^{first}{''.join(f'.*?{part}' for part in middle)}.*{last}$"
        # There expressions run in Python. What was found is never given back, so that the time grows with the length and no faster;
        # and a star stands for line ends too, as it does elsewhere.
        return rf"(?s:^{first}{''.join(f'(?>.*?{part})' for part in middle)}.*{last}\Z)"

    @classmethod
    def _get_choices_field_db_value(cls, value: str, choices: Any, filter_type: str, use_repr: bool) -> Any:  # noqa: FBT001 (django-rql's)
        known = {str(choice).lower(): choice for choice, _label in choices}
        if value.lower() not in known:
            raise ValueError
        return known[value.lower()]


def build(model: type[Any], filters: Mapping[str, Filter], ordering: Iterable[str], search: Iterable[str]) -> Filters:
    """The filters of a collection, made once: `ordering` and `search` name some of them.

    A dotted name can also be written with two underscores (`owner__id`), as in the oldest collections of the original.
    """
    spelled = {spelling: (name, at) for name, at in filters.items() for spelling in (name, name.replace(".", "__"))}
    declared = [
        {
            "filter": spelling,
            "dynamic": True,
            "source": at.column,
            "field": at.field,
            "distinct": at.many,
            "ordering": name in ordering,
            "search": spelling in search,
        }
        for spelling, (name, at) in spelled.items()
    ]
    made: Filters = type("CollectionFilters", (Filters,), {"MODEL": model, "FILTERS": declared})(model._default_manager.none())
    return made


def apply(filters: Filters, rows: "QuerySet[Any]", query: str) -> Asked:
    """Narrow and order the rows as the query says. Raises BadQuery."""
    check(query)
    try:
        tree, narrowed = type(filters)(rows, instance=filters).apply_filters(query)
        if tree is None:
            return Asked(narrowed, None, None, ())
        select = RQLSelectTransformer().transform(tree)
        try:
            limit, offset = RQLLimitOffsetTransformer().transform(tree)
        except LarkError:
            raise BadQuery(bad_page()) from None
    except RQLFilterError as problem:
        raise BadQuery(explain(problem)) from None
    except RecursionError:
        raise BadQuery(too_complex()) from None
    except LarkError:
        raise BadQuery(_("Bad filter query.")) from None
    except (ValidationError, ValueError, OverflowError, TypeError):
        # TypeError is django-rql's answer to a tuple where a value belongs.
        raise BadQuery(bad_value()) from None
    return Asked(narrowed, limit, offset, select)


def check(query: str) -> None:
    """Refuse what would be slow or would break a parser. Raises BadQuery."""
    if "\0" in query:
        raise BadQuery(_("The query must not contain NUL characters."))
    depth = deepest = 0
    for char in query:
        depth += (char == "(") - (char == ")")
        deepest = max(deepest, depth)
    if (
        len(query) > MAX_LENGTH
        or deepest > MAX_DEPTH
        or sum(map(query.count, ",&|;")) >= MAX_TERMS
        # Joined by signs, terms nest as deep in the parser as there are of them.
        or sum(map(query.count, "&|;")) >= MAX_JOINED
        or query.count("like(") > MAX_LIKES
        or any(value.count("*") > MAX_STARS for value in VALUE.findall(query))
    ):
        raise BadQuery(too_complex())


def too_complex() -> str:
    return _(
        "The query is too complex: at most %(length)s characters, %(terms)s terms or values, %(joined)s terms joined by signs, "
        "%(depth)s levels of brackets, %(likes)s like() or ilike(), and %(stars)s stars in a value."
    ) % {"length": MAX_LENGTH, "terms": MAX_TERMS, "joined": MAX_JOINED, "depth": MAX_DEPTH, "likes": MAX_LIKES, "stars": MAX_STARS}


def bad_page() -> str:
    return _("Limit and offset are set incorrectly.")


def bad_value() -> str:
    return _("A value in the query cannot be used.")


def explain(problem: RQLFilterError) -> str:
    details = problem.details or {}
    if "filter" in details:
        return _("%(filter)s: %(lookup)s cannot be used with the value %(value)s.") % details
    return str(details.get("error", problem))

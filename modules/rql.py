"""What a query string may ask of a collection, and how far it may go.

The whole query string is one RQL query (`and(eq(status,active),like(name,*cloud*))&ordering(-created)&limit=10`), read by
django-rql, the library of the original. What it lets through unchecked is refused here: a query may be wrong, never slow.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from dj_rql.filter_cls import RQLFilterClass
from dj_rql.transformer import RQLLimitOffsetTransformer, RQLSelectTransformer, RQLToDjangoORMTransformer
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Field, Q, QuerySet
from django.utils.translation import gettext as _
from lark.exceptions import LarkError, VisitError
from py_rql.exceptions import RQLFilterError
from py_rql.parser import RQLParser

import modules.lookups  # noqa: F401 (registers `matches`, which Filters uses)


class BadQuery(Exception):
    """The query cannot be answered; the message says why, in words for the caller."""


# Written down for people on the page API and in the OpenAPI document.
MAX_LENGTH = 8000
MAX_DEPTH = 80
MAX_COST = 300
# What a term costs: about the time that the databases spend on it for each row.
COST = 1
LIKE_COST = 5
STAR_COST = 1
ORDER_COST = 5
# So many times as much for what has to be looked up in other rows.
LOOKED_UP = 10

# What the libraries raise for a query that cannot be answered. TypeError is django-rql's answer to a tuple where a value
# belongs.
MISTAKES = (BadQuery, LarkError, RQLFilterError, RecursionError, AssertionError, ValidationError, ValueError, OverflowError, TypeError)

# A level of brackets, or a term joined with `&`, is so many levels of the parser's tree.
TREE_LEVELS = 3


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
    # Whether other rows have to be looked up for each row: they are counted, or there are many.
    looked_up: bool


class Filters(RQLFilterClass):
    """django-rql, but for four things.

    Every term is paid for out of one budget. Moments always have a zone: without one, UTC is meant. Of a set of values
    capitals make no difference: the original's description writes some of its own with them (`Vendor`, `OA`). And a `like`
    is the database's own, which takes no more than linear time.
    """

    # Names whose terms cost more.
    LOOKED_UP: frozenset[str] = frozenset()

    def __init__(self, rows: "QuerySet[Any]", instance: "Filters | None" = None) -> None:
        super().__init__(rows, instance)
        self.left = MAX_COST

    def pay(self, name: str, cost: int) -> None:
        """Take the cost of a term out of the budget. Raises BadQuery."""
        self.left -= cost * (LOOKED_UP if name in self.LOOKED_UP else 1)
        if self.left < 0:
            raise BadQuery(too_complex())

    def build_q_for_filter(self, data: Any) -> Q:
        """Turn one comparison into SQL. `in()` comes here with each of its values, a search with each of its columns."""
        is_like = self._is_searching_lookup(data.operator)
        self.pay(data.filter_name, LIKE_COST + STAR_COST * data.str_value.count("*") if is_like else COST)
        term: Q = super().build_q_for_filter(data)
        return term

    def apply_tree(self, tree: Any) -> "QuerySet[Any]":
        """`apply_filters` for a query that is parsed already: the library would keep the last thousand, however large."""
        transformer = RQLToDjangoORMTransformer(self)
        rows: QuerySet[Any] = transformer.transform(tree)
        for name in (name for names in transformer.ordering_filters for name in names):
            self.pay(name.lstrip("-"), ORDER_COST)
        rows = self._apply_ordering(rows, transformer.ordering_filters)
        return rows.distinct() if self._is_distinct else rows

    @staticmethod
    def _convert_datetime_value(value: str) -> datetime:
        moment: datetime = RQLFilterClass._convert_datetime_value(value)
        # In UTC, so that a moment beyond the ends of time is refused on every database.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)

    @classmethod
    def _get_searching_django_lookup(cls, filter_lookup: str, str_value: str) -> str:
        value, _star = cls._reflect_like_value(str_value)
        return ("i" if filter_lookup == "ilike" else "") + ("matches" if "*" in value else "exact")

    @classmethod
    def _get_searching_typed_value(cls, django_lookup: str, str_value: str) -> str:
        value, star = cls._reflect_like_value(str_value)
        if "**" in value:
            raise ValueError
        parts = [part.replace(star, "*") for part in value.split("*")]
        return "%".join(map(connection.ops.prep_for_like_query, parts)) if len(parts) > 1 else parts[0]

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
    names = {"MODEL": model, "FILTERS": declared, "LOOKED_UP": frozenset(spelling for spelling, (_name, at) in spelled.items() if at.looked_up)}
    made: Filters = type("CollectionFilters", (Filters,), names)(model._default_manager.none())
    return made


def apply(filters: Filters, rows: "QuerySet[Any]", query: str) -> Asked:
    """Narrow and order the rows as the query says. Raises BadQuery."""
    if not query:
        return Asked(rows, None, None, ())
    try:
        tree = parse(query)
        narrowed = type(filters)(rows, instance=filters).apply_tree(tree)
        select = RQLSelectTransformer().transform(tree)
        return Asked(narrowed, *page(tree), select)
    except VisitError as problem:
        # So the parser's library wraps what is raised while it walks the tree.
        if not isinstance(problem.orig_exc, MISTAKES):
            raise
        raise explained(problem.orig_exc) from None
    except MISTAKES as problem:
        raise explained(problem) from None


def parse(query: str) -> Any:
    """The query as a tree. Raises BadQuery, LarkError."""
    if "\0" in query:
        raise BadQuery(_("The query must not contain NUL characters."))
    if len(query) > MAX_LENGTH:
        raise BadQuery(too_complex())
    tree = RQLParser.parse(query)
    # All that walks the tree calls itself at every level.
    if depth(tree) > TREE_LEVELS * (MAX_DEPTH + 2):
        raise BadQuery(too_complex())
    return tree


def depth(tree: Any) -> int:
    """How many levels a tree has."""
    deepest, left = 0, [(tree, 1)]
    while left:
        node, level = left.pop()
        deepest = max(deepest, level)
        left += [(child, level + 1) for child in getattr(node, "children", ())]
    return deepest


def page(tree: Any) -> tuple[str | None, str | None]:
    """Limit and offset, as they were written. Raises BadQuery."""
    try:
        limit, offset = RQLLimitOffsetTransformer().transform(tree)
    except LarkError:
        raise BadQuery(bad_page()) from None
    return limit, offset


def explained(problem: BaseException) -> BadQuery:
    """What went wrong, in words for the caller."""
    if isinstance(problem, BadQuery):
        return problem
    if isinstance(problem, RecursionError):
        return BadQuery(too_complex())
    if isinstance(problem, RQLFilterError):
        details = problem.details or {}
        if "filter" in details:
            return BadQuery(_("%(filter)s: %(lookup)s cannot be used with the value %(value)s.") % details)
        return BadQuery(str(details.get("error", problem)))
    if isinstance(problem, (LarkError, AssertionError)):
        return BadQuery(_("Bad filter query."))
    return BadQuery(bad_value())


def too_complex() -> str:
    return (
        _(
            "The query is too complex. It has at most %(length)s characters and %(depth)s levels, and its terms cost at most %(cost)s: "
            "a comparison or a value of in() and out() costs %(one)s; like() and ilike() cost %(like)s and %(star)s for each star, a search "
            "as much for each field that it looks into; a name of ordering() costs %(order)s; all of it %(times)s times as much for counts and lists."
        )
        % costs()
    )


def costs() -> dict[str, int]:
    """The limits of a query, by name."""
    return {
        "length": MAX_LENGTH,
        "depth": MAX_DEPTH,
        "cost": MAX_COST,
        "one": COST,
        "like": LIKE_COST,
        "star": STAR_COST,
        "order": ORDER_COST,
        "times": LOOKED_UP,
    }


def bad_page() -> str:
    return _("Limit and offset are set incorrectly.")


def bad_value() -> str:
    return _("A value in the query cannot be used.")

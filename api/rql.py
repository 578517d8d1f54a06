"""RQL queries: what a query string may ask of a resource, and how much a query may cost.

The whole query string is one RQL query, such as
`and(eq(status,active),like(name,*cloud*))&ordering(-created)&limit=10`. It is read by django-rql,
the library that Connect uses. Checks that the library lacks are made here, so that no query is
slow.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from dj_rql._dataclasses import FilterArgs
from dj_rql.filter_cls import RQLFilterClass
from dj_rql.transformer import (
    RQLLimitOffsetTransformer,
    RQLSelectTransformer,
    RQLToDjangoORMTransformer,
)
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, Exists, Field, Q, QuerySet, Value
from django.utils.translation import gettext as _
from lark.exceptions import LarkError, VisitError
from py_rql.constants import (
    RESERVED_FILTER_NAMES,
    RQL_SEARCH_PARAM,
    ComparisonOperators,
    FilterLookups,
)
from py_rql.exceptions import RQLFilterError

from portal.plans import escaped
from portal.rql import PARSER


class BadQuery(Exception):
    """A query that cannot be answered; the message tells the caller why."""


# The API Reference page and the OpenAPI document tell people these limits.
MAX_LENGTH = 8000
MAX_DEPTH = 80
MAX_COST = 300
# Characters of an unknown name that are repeated in the answer.
MAX_NAME = 64
# The cost of a term: roughly proportional to the time that a database spends on it per row.
COST = 1
LIKE_COST = 5
STAR_COST = 1
ORDER_COST = 5
# The factor for terms that look up other rows for each row.
LOOKED_UP = 10

# What the libraries raise for a query that cannot be answered. django-rql raises TypeError for
# a tuple in place of a value.
MISTAKES = (
    BadQuery,
    LarkError,
    RQLFilterError,
    RecursionError,
    AssertionError,
    ValidationError,
    ValueError,
    OverflowError,
    TypeError,
)

# Levels of the parser's tree per level of parentheses, and per term joined with `&`.
TREE_LEVELS = 3


class Asked(NamedTuple):
    """A query applied to a queryset.

    `limit` and `offset` are as they were written, `select` has the names in `select()`, and
    `ignored` the names that are not filters.
    """

    queryset: "QuerySet[Any]"
    limit: str | None
    offset: str | None
    select: tuple[str, ...]
    ignored: tuple[str, ...]


class Filter(NamedTuple):
    """What a name in a query stands for: a column, or a value that all records share."""

    column: str
    field: "Field[Any, Any]"
    # For a name inside a list: the rows of the list, one of which has to match. They refer to the
    # record by `OuterRef`.
    among: "QuerySet[Any] | None" = None
    # The value, if it is the same in every record.
    constant: Any = None
    # Whether other rows have to be looked up for each row.
    looked_up: bool = False
    # Whether Connect has no value where the records here have one, so that null() finds all.
    nothing_there: bool = False

    def matches(self, lookup: str, value: Any) -> Q:
        """Return the condition for a lookup with a value."""
        if lookup == "isnull" and self.nothing_there:
            return Q(pk__isnull=False)
        if self.constant is not None:
            compare: Any = self.field.get_lookup(lookup)
            return Q(compare(Value(self.constant, self.field), value))
        if self.among is None:
            return self.compared(lookup, value)
        if lookup == "isnull":
            return ~Q(Exists(self.among))
        return Q(Exists(self.among.filter(self.compared(lookup, value))))

    def compared(self, lookup: str, value: Any) -> Q:
        """Return a comparison of the column; dates and times count to the second, as shown."""
        if isinstance(self.field, DateTimeField) and lookup in {"exact", "gt", "lte"}:
            begun = value.replace(microsecond=0)
            ended = begun + timedelta(seconds=1)
            return {
                "exact": Q((f"{self.column}__gte", begun), (f"{self.column}__lt", ended)),
                "gt": Q((f"{self.column}__gte", ended)),
                "lte": Q((f"{self.column}__lt", ended)),
            }[lookup]
        return Q((f"{self.column}__{lookup}", value))


class Filters(RQLFilterClass):
    """The filter class of django-rql with four changes.

    - Every term is charged to one budget.
    - Dates and times always have a time zone; UTC is assumed if a query gives none.
    - Choices ignore case: Connect's own description capitalises some of them (`Vendor`, `OA`).
    - `like` is the database's own, which takes linear time at most.
    """

    # The filter of each name, in either spelling.
    AT: Mapping[str, Filter] = {}

    def __init__(self, queryset: "QuerySet[Any]", instance: "Filters | None" = None) -> None:
        super().__init__(queryset, instance)
        self.left = MAX_COST
        # Names in the query that are not filters, in order of appearance.
        self.ignored: dict[str, None] = {}

    def pay(self, name: str, cost: int) -> None:
        """Charge a term to the budget. Raises BadQuery when the budget is exceeded."""
        self.left -= cost * (LOOKED_UP if name in self.AT and self.AT[name].looked_up else 1)
        if self.left < 0:
            raise BadQuery(too_complex())

    def build_q_for_filter(self, data: Any) -> Q:
        """Return the condition for one comparison.

        It is called for each value of an `in()`, and for each column of a search.
        """
        if data.filter_name not in self.AT and (
            data.filter_name not in RESERVED_FILTER_NAMES or self.searches_nothing(data.filter_name)
        ):
            self.ignored[data.filter_name] = None
        if not isinstance(data.str_value, str):
            raise TypeError  # A tuple in place of a value.
        is_like = self._is_searching_lookup(data.operator)
        self.pay(
            data.filter_name, LIKE_COST + STAR_COST * data.str_value.count("*") if is_like else COST
        )
        term: Q = super().build_q_for_filter(data)
        return term

    def searches_nothing(self, name: str) -> bool:
        return name == RQL_SEARCH_PARAM and not self.search_filters

    def search(self, text: str) -> Q:
        """Return the condition for a search, whatever characters the text has."""
        # The library strips the quotes.
        return self.build_q_for_filter(
            FilterArgs(RQL_SEARCH_PARAM, ComparisonOperators.EQ, f'"{text}"')
        )

    def apply_tree(self, tree: Any) -> "QuerySet[Any]":
        """Narrow and order the rows as a parsed query says.

        This replaces `apply_filters`, which would cache the last thousand queries of any size.
        """
        transformer = RQLToDjangoORMTransformer(self)
        narrowed: QuerySet[Any] = transformer.transform(tree)
        for name in (name for names in transformer.ordering_filters for name in names):
            self.pay(name.lstrip("-"), ORDER_COST)
        ordered: QuerySet[Any] = self._apply_ordering(narrowed, transformer.ordering_filters)
        return ordered

    def _build_django_q(
        self, filter_item: Any, django_lookup: str, filter_lookup: str, typed_value: Any
    ) -> Q:
        found = self.AT[filter_item["orm_route"]].matches(django_lookup, typed_value)
        return ~found if filter_lookup == FilterLookups.NE else found

    def _get_filter_ordering_name(self, filter_item: Any, filter_name: str) -> str:
        return self.AT[filter_name].column

    @staticmethod
    def _convert_datetime_value(value: str) -> datetime:
        moment: datetime = RQLFilterClass._convert_datetime_value(value)
        # In UTC, so that a date outside of the calendar is refused on every database.
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
        return "%".join(map(escaped, parts)) if len(parts) > 1 else parts[0]

    @classmethod
    def _get_choices_field_db_value(
        cls,
        value: str,
        choices: Any,
        filter_type: str,
        use_repr: bool,  # noqa: FBT001
    ) -> Any:
        known = {str(choice).lower(): choice for choice, _label in choices}
        if value.lower() not in known:
            raise ValueError
        return known[value.lower()]


def build(
    model: type[Any], filters: Mapping[str, Filter], ordering: Iterable[str], search: Iterable[str]
) -> Filters:
    """Return the filters of a resource, made once; `ordering` and `search` name some of them.

    A dotted name can also be written with two underscores (`owner__id`), as in the oldest
    resources of Connect.
    """
    spelled = {spelling: name for name in filters for spelling in (name, name.replace(".", "__"))}
    declared = [
        {
            "filter": spelling,
            "dynamic": True,
            "source": spelling,
            "field": filters[name].field,
            "ordering": name in ordering,
            "search": spelling in search,
        }
        for spelling, name in spelled.items()
    ]
    names = {
        "MODEL": model,
        "FILTERS": declared,
        "AT": {spelling: filters[name] for spelling, name in spelled.items()},
    }
    made: Filters = type("ResourceFilters", (Filters,), names)(model._default_manager.none())
    return made


def apply(
    filters: Filters, queryset: "QuerySet[Any]", query: str, searches: Iterable[str] = ()
) -> Asked:
    """Narrow and order the rows as the query and the searches ask. Raises BadQuery."""
    try:
        narrowed = type(filters)(queryset, instance=filters)
        for text in map(checked, searches):
            narrowed.queryset = narrowed.queryset.filter(narrowed.search(text))
        if not query:
            return Asked(narrowed.queryset, None, None, (), tuple(narrowed.ignored))
        tree = parse(checked(query))
        found = narrowed.apply_tree(tree)
        return Asked(
            found, *page(tree), RQLSelectTransformer().transform(tree), tuple(narrowed.ignored)
        )
    except VisitError as problem:
        # lark wraps what is raised while it walks the tree.
        if not isinstance(problem.orig_exc, MISTAKES):
            raise
        raise explained(problem.orig_exc) from None
    except MISTAKES as problem:
        raise explained(problem) from None


def checked(text: str) -> str:
    """Return the text. Raises BadQuery if it is too long or has NUL, which no database takes."""
    if "\0" in text:
        raise BadQuery(_("The query must not contain NUL characters."))
    if len(text) > MAX_LENGTH:
        raise BadQuery(too_complex())
    return text


def parse(query: str) -> Any:
    """Return the query as a tree. Raises BadQuery, LarkError."""
    tree = PARSER.parse(query)
    # Everything that walks the tree is recursive.
    if depth(tree) > TREE_LEVELS * (MAX_DEPTH + 2):
        raise BadQuery(too_complex())
    return tree


def depth(tree: Any) -> int:
    """Return the number of levels of a tree."""
    deepest, left = 0, [(tree, 1)]
    while left:
        node, level = left.pop()
        deepest = max(deepest, level)
        left += [(child, level + 1) for child in getattr(node, "children", ())]
    return deepest


def page(tree: Any) -> tuple[str | None, str | None]:
    """Return limit and offset as they were written. Raises BadQuery."""
    try:
        limit, offset = RQLLimitOffsetTransformer().transform(tree)
    except LarkError:
        raise BadQuery(bad_page()) from None
    return limit, offset


def explained(problem: BaseException) -> BadQuery:
    """Return the exception as a BadQuery with a message for the caller."""
    if isinstance(problem, BadQuery):
        return problem
    if isinstance(problem, RecursionError):
        return BadQuery(too_complex())
    if isinstance(problem, RQLFilterError):
        details = problem.details or {}
        if "filter" in details:
            return BadQuery(
                _("%(filter)s: %(lookup)s cannot be used with the value %(value)s.") % details
            )
        return BadQuery(str(details.get("error", problem)))
    if isinstance(problem, (LarkError, AssertionError)):
        return BadQuery(
            _(
                "Bad filter query. Quote a value that has anything but letters, digits, spaces "
                "and -_.:+@*, "
                'and write & in it as %26: name="Ruiz %26 Sons".'
            )
        )
    return BadQuery(bad_value())


def too_complex() -> str:
    return (
        _(
            "The query is too complex. It may have at most %(length)s characters and %(depth)s "
            "levels, "
            "and its terms may cost at most %(cost)s: a comparison, or a value of in() and out(), "
            "costs "
            "%(one)s; like() and ilike() cost %(like)s, plus %(star)s for each asterisk; a search "
            "costs "
            "as much for each field it looks in; a name in ordering() costs %(order)s. Terms about "
            "counts and lists cost %(times)s times as much."
        )
        % costs()
    )


def costs() -> dict[str, int]:
    """Return the limits of a query and the costs of its terms, by name."""
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


def too_slow() -> str:
    return _("The query took too long. Narrow it, or have it search and count less.")


def bad_page() -> str:
    return _("Limit and offset are set incorrectly.")


def bad_value() -> str:
    return _("A value in the query cannot be used.")

"""Queries as SQL: compiled once by Django, kept, and run again with other values in their places.

What Django's ORM does not document is used here and nowhere else, so that an upgrade of Django has
one file to look at.
"""

import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

from cachetools import LRUCache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Field, QuerySet, Subquery
from django.db.models.lookups import Contains, IContains, PatternLookup

# Bytes of compiled queries that are kept, and of one that is worth keeping: what programs ask over and over is short.
KEPT_BYTES = 8 * 2**20
KEPT_PLAN_BYTES = 112 * 2**10
# What a plan takes beside its texts: for itself, with all that builds records of its rows, and for
# each column and value.
PLAN_BYTES, COLUMN_BYTES, VALUE_BYTES = 14_000, 700, 100
# The converters of a column that is a query of its own hold that query, as Django built it.
SUBQUERY_BYTES = 10_000


class Plan(NamedTuple):
    """A query, compiled: everything but the page and what stands for the placeholders is settled."""

    page: str
    page_params: tuple[Any, ...]
    total: str
    total_params: tuple[Any, ...]
    converters: tuple[tuple[int, list[Any], Any], ...]
    columns: int

    @property
    def size(self) -> int:
        """Bytes of memory, nearly, and rather too many than too few."""
        values = (*self.page_params, *self.total_params)
        subqueries = sum(isinstance(expression, Subquery) for _index, _converters, expression in self.converters)
        parts = PLAN_BYTES + COLUMN_BYTES * self.columns + VALUE_BYTES * len(values) + SUBQUERY_BYTES * subqueries
        return parts + sum(map(sys.getsizeof, (self.page, self.total, *values)))

    def rows(self, place: Mapping[str, str], limit: int, offset: int) -> list[Any]:
        """At most `limit` rows from `offset` on; `place` says what stands for the placeholders."""
        if not self.page:
            return []
        # Two numbers, written out: a page of unknown length PostgreSQL would plan anew each time.
        rows = fetch(f"{self.page} LIMIT {limit:d} OFFSET {offset:d}", fill(self.page_params, place))
        return [self.convert(row) for row in rows] if self.converters else rows

    def convert(self, row: tuple[Any, ...]) -> list[Any]:
        """What Django does to the cells of a row: SQLite keeps moments as texts, JSON comes as text from either database."""
        cells = list(row)
        for index, converters, expression in self.converters:
            for converter in converters:
                cells[index] = converter(cells[index], expression, connection)
        return cells

    def count_rows(self, place: Mapping[str, str]) -> int:
        """How many rows there are in all."""
        return int(fetch(self.total, fill(self.total_params, place))[0][0]) if self.total else 0


class KeptPlans(LRUCache):
    """Plans, or what holds one: those used last, as many as fit into the bytes. Safe between threads.

    An entry has a `plan`, and a `size` that counts all that is kept because of it, its key as well.
    """

    def __init__(self) -> None:
        super().__init__(KEPT_BYTES, getsizeof=lambda entry: entry.size)
        self.lock = Lock()

    def find(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the entry of the key, made unless it is kept.

        Programs ask the same over and over, and building a query costs Django more than running it.
        """
        with self.lock:
            entry = self.get(key)
        if entry is None:
            entry = make()
            # A plan without SQL matches nothing; programs do not ask for that over and over.
            if entry.plan.page and entry.size <= KEPT_PLAN_BYTES:
                with self.lock:
                    self[key] = entry
        return entry


def compile_rows(rows: "QuerySet[Any]", columns: Sequence[Any]) -> Plan:
    """Let Django write the SQL of a query. Raise ValueError, OverflowError or ValidationError for values that fit no column."""
    try:
        page, page_params, converters = sql(rows.order_by(*stable(rows)).values_list(*columns))
        count, count_params, _unused = sql(rows.order_by().values_list("pk"))
    except EmptyResultSet:
        # Django sees that nothing can match, such as a number that is larger than the column.
        return Plan("", (), "", (), (), 0)
    total = f"SELECT COUNT(*) FROM ({count}) AS matches"  # noqa: S608 (Django's own SQL; values are parameters)
    return Plan(page, page_params, total, count_params, converters, len(columns))


def sql(rows: "QuerySet[Any]") -> tuple[str, tuple[Any, ...], tuple[tuple[int, list[Any], Any], ...]]:
    """A query as SQL with its parameters, and what to do with which cell of a row. Raises EmptyResultSet."""
    compiler = rows.query.get_compiler(connection=connection)
    text, params = compiler.as_sql()
    converters = compiler.get_converters([column[0] for column in compiler.select[: compiler.col_count]])
    return text, tuple(params), tuple((index, functions, expression) for index, (functions, expression) in converters.items())


def stable(rows: "QuerySet[Any]") -> tuple[Any, ...]:
    """The order of the rows, ending with the id, so that pages do not move between equals."""
    order: tuple[Any, ...] = tuple(rows.query.order_by or rows.query.get_meta().ordering or ())
    return order if {"id", "-id", "pk", "-pk"} & set(order) else (*order, "pk")


def fill(params: tuple[Any, ...], place: Mapping[str, str]) -> list[Any]:
    return [place.get(param, param) if isinstance(param, str) else param for param in params]


def fetch(text: str, params: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return list(cursor.fetchall())


def annotation(rows: "QuerySet[Any]", name: str) -> Any:
    """The expression behind a column that a query adds to those of its model, or None."""
    return rows.query.annotations.get(name)


# --- `like` with stars ------------------------------------------------------------------------------


class Pattern(PatternLookup):
    """A value that is a pattern of SQL's LIKE already, its own signs escaped.

    No expression that runs in Python, and linear in the text.
    """

    def process_rhs(self, compiler: Any, connection: Any) -> Any:
        # What PatternLookup would do to the value is done: see escaped().
        return super(PatternLookup, self).process_rhs(compiler, connection)


class Matches(Pattern, Contains):
    pass


class IMatches(Pattern, IContains):
    pass


Field.register_lookup(Matches, "matches")
Field.register_lookup(IMatches, "imatches")


def escaped(text: str) -> str:
    """The text as a part of a pattern for `matches` and `imatches`."""
    return str(connection.ops.prep_for_like_query(text))

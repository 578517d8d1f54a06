"""Queries as SQL: compiled once by Django, cached, and run again with other values.

Undocumented parts of Django's ORM are used only in this module, so that an upgrade of Django has
one file to check.
"""

import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any, NamedTuple

from cachetools import LRUCache
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, QuerySet, Value
from django.db.models.expressions import Col
from django.db.models.fields.json import KeyTransform
from django.db.models.lookups import Contains, IContains, PatternLookup

# Bytes of compiled queries that are kept, and the most for a single one: the queries that programs
# repeat are short.
KEPT_BYTES = 8 * 2**20
KEPT_PLAN_BYTES = 112 * 2**10
# Bytes that a plan takes besides its texts: for itself, including what builds records from its
# rows, and for each column and value.
PLAN_BYTES, COLUMN_BYTES, VALUE_BYTES = 16_000, 700, 100


class Plan(NamedTuple):
    """A compiled query. Only the limits of the page and the values of placeholders are open."""

    page: str
    page_params: tuple[Any, ...]
    total: str
    total_params: tuple[Any, ...]
    converters: tuple[tuple[int, list[Any], Any], ...]
    columns: int

    @property
    def size(self) -> int:
        """An estimate of its memory in bytes, rather too high than too low."""
        values = (*self.page_params, *self.total_params)
        parts = PLAN_BYTES + COLUMN_BYTES * self.columns + VALUE_BYTES * len(values)
        return parts + sum(map(sys.getsizeof, (self.page, self.total, *values)))

    def fetch_rows(self, place: Mapping[str, str], limit: int, offset: int) -> list[Any]:
        """Return at most `limit` rows from `offset` on; `place` maps placeholders to values."""
        if not self.page:
            return []
        # Literal numbers: with LIMIT as a parameter, PostgreSQL would plan the query each time.
        rows = fetch(
            f"{self.page} LIMIT {limit:d} OFFSET {offset:d}", fill(self.page_params, place)
        )
        return [self.convert(row) for row in rows] if self.converters else rows

    def convert(self, row: tuple[Any, ...]) -> list[Any]:
        """Apply Django's converters to the cells of a row.

        SQLite stores moments as text, and JSON comes as text from either database.
        """
        cells = list(row)
        for index, converters, expression in self.converters:
            for converter in converters:
                cells[index] = converter(cells[index], expression, connection)
        return cells

    def count_rows(self, place: Mapping[str, str]) -> int:
        """Return how many rows there are in all."""
        return int(fetch(self.total, fill(self.total_params, place))[0][0]) if self.total else 0


class KeptPlans(LRUCache):
    """A thread-safe LRU cache of plans, or of objects that hold one, limited to KEPT_BYTES.

    An entry has a `plan`, and a `size` in bytes that includes everything kept with it and its key.
    """

    def __init__(self) -> None:
        super().__init__(KEPT_BYTES, getsizeof=lambda entry: entry.size)
        self.lock = Lock()

    def find(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the entry for a key, calling `make` if it is not cached.

        Programs repeat the same queries, and building one costs Django more than running it.
        """
        with self.lock:
            entry = self.get(key)
        if entry is None:
            entry = make()
            # A plan without SQL matches nothing; programs do not repeat such queries.
            if entry.plan.page and entry.size <= KEPT_PLAN_BYTES:
                with self.lock:
                    self[key] = entry
        return entry


def compile_plan(queryset: "QuerySet[Any]", columns: Sequence[Any]) -> Plan:
    """Return the plan of a query, with SQL written by Django.

    Raise ValueError, OverflowError or ValidationError for a value that does not fit its column.
    """
    try:
        page, page_params, converters = sql(
            queryset.order_by(*stable(queryset)).values_list(*columns)
        )
        count, count_params, _unused = sql(queryset.order_by().values_list("pk"))
    except EmptyResultSet:
        # Django knows that nothing can match, as with a number too large for the column.
        return Plan("", (), "", (), (), 0)
    # Django's own SQL; values are parameters.
    total = f"SELECT COUNT(*) FROM ({count}) AS matches"  # noqa: S608
    return Plan(page, page_params, total, count_params, converters, len(columns))


def sql(
    queryset: "QuerySet[Any]",
) -> tuple[str, tuple[Any, ...], tuple[tuple[int, list[Any], Any], ...]]:
    """Return a query as SQL, its parameters, and the converters of cells by index.

    Raise EmptyResultSet if nothing can match.
    """
    compiler = queryset.query.get_compiler(connection=connection)
    text, params = compiler.as_sql()
    converters = compiler.get_converters(
        [column[0] for column in compiler.select[: compiler.col_count]]
    )
    return (
        text,
        tuple(params),
        tuple(
            (
                index,
                [QUICKER.get(convert.__name__, convert) for convert in functions],
                small(expression),
            )
            for index, (functions, expression) in converters.items()
        ),
    )


def small(expression: Any) -> Any:
    """Return what converters need of an expression: its type.

    The expression of a subquery would keep all models and conditions that it was built from.
    """
    if isinstance(expression, Col | KeyTransform):
        return expression
    return Value(None, output_field=expression.output_field)


def moment_of_sqlite(value: Any, expression: Any, connection: Any) -> datetime | None:
    """Return a stored moment, which is in UTC, much faster than Django's converter."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment else None


# Converters of Django's backends that take a noticeable part of a call, by their names.
QUICKER = {"convert_datetimefield_value": moment_of_sqlite}


def stable(queryset: "QuerySet[Any]") -> tuple[Any, ...]:
    """Return the order of the rows, ending with the id so that equal rows keep their place."""
    order: tuple[Any, ...] = tuple(
        queryset.query.order_by or queryset.query.get_meta().ordering or ()
    )
    return order if {"id", "-id", "pk", "-pk"} & set(order) else (*order, "pk")


def fill(params: tuple[Any, ...], place: Mapping[str, str]) -> list[Any]:
    return [place.get(param, param) if isinstance(param, str) else param for param in params]


def fetch(text: str, params: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
    """Run a query and return all of its rows."""
    # Looked up once: Django's `connection` does it anew for each attribute, for over 1 µs.
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "postgresql" and not database.queries_logged:
        return run(kept_cursor(database), text, params)
    with database.cursor() as cursor:
        return run(cursor, text, params)


def run(cursor: CursorWrapper, text: str, params: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
    cursor.execute(text, params)
    # Django's own `fetchall` makes a new function for each call, only to do the same.
    with cursor.db.wrap_database_errors:
        return list(cursor.cursor.fetchall())


def kept_cursor(database: BaseDatabaseWrapper) -> CursorWrapper:
    """Return the cursor that a connection keeps for queries whose rows are all read at once.

    With psycopg, a new cursor costs about 30 µs, a tenth of what the gate takes: it looks up for
    each column how to read it.
    """
    # As Django does for each cursor.
    database.close_if_health_check_failed()
    database.ensure_connection()
    cursor = getattr(database, "kept_cursor", None)
    if cursor is None or cursor.connection is not database.connection:
        cursor = database.cursor()
        database.kept_cursor = cursor  # type: ignore[attr-defined]
    return cursor


def annotation(queryset: "QuerySet[Any]", name: str) -> Any:
    """Return the expression of an annotation of a query, or None."""
    return queryset.query.annotations.get(name)


# --- `like` with stars --------------------------------------------------------------------------


class Pattern(PatternLookup):
    """A lookup whose value is already a LIKE pattern, with literal `%` and `_` escaped.

    Unlike a regular expression on SQLite, it does not run in Python and is linear in the text.
    """

    def process_rhs(self, compiler: Any, connection: Any) -> Any:
        # Skip PatternLookup, which would escape the value again: see escaped().
        return super(PatternLookup, self).process_rhs(compiler, connection)


class Matches(Pattern, Contains):
    pass


class IMatches(Pattern, IContains):
    pass


Field.register_lookup(Matches, "matches")
Field.register_lookup(IMatches, "imatches")


def escaped(text: str) -> str:
    """Return a literal text as part of a pattern for `matches` and `imatches`."""
    return str(connection.ops.prep_for_like_query(text))

"""Queries of the API as SQL: compiled once by Django, kept, and run for one account after the other."""

import sys
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from cachetools import LRUCache
from django.core.exceptions import EmptyResultSet, ValidationError
from django.db import connection
from django.db.models import QuerySet, Subquery
from django.utils.translation import gettext as _

from api import query_text, rql
from api.shapes import Builder, prune
from tokens.gate import Caller

if TYPE_CHECKING:
    from api.resource import Resource

# What stands for the caller's account, the record above and the record itself in a compiled query. No value of a query
# can be taken for one of them: NUL is refused there.
ACCOUNT, PARENT, ITSELF = "{}-\0account", "\0parent", "\0itself"

# Bytes of compiled queries that are kept, and of one that is worth keeping: what programs ask over and over is short.
KEPT_BYTES = 8 * 2**20
KEPT_PLAN_BYTES = 112 * 2**10
# What a plan takes beside its texts: for itself, with all that builds the records, and for each column and value.
PLAN_BYTES, COLUMN_BYTES, VALUE_BYTES = 14_000, 700, 100
# The converters of a column that is a query of its own hold that query, as Django built it.
SUBQUERY_BYTES = 10_000

# How many names are told that were asked for and are no filters.
MAX_IGNORED = 10


class Plan(NamedTuple):
    """A query, compiled: everything but the caller and the page is settled. Building it costs more than running it."""

    query: str | None
    page: str
    page_params: tuple[Any, ...]
    total: str
    total_params: tuple[Any, ...]
    converters: tuple[tuple[int, list[Any], Any], ...]
    build: Callable[[tuple[Any, ...]], dict[str, Any] | None]
    columns: int
    limit: str | None
    offset: str | None
    ignored: str

    @property
    def size(self) -> int:
        """Bytes of memory, nearly, and rather too many than too few: all that the cache holds because of this plan, its key as well."""
        values = (*self.page_params, *self.total_params)
        texts = (self.query, self.page, self.total, self.limit, self.offset, self.ignored, *values)
        subqueries = sum(isinstance(expression, Subquery) for _index, _converters, expression in self.converters)
        parts = PLAN_BYTES + COLUMN_BYTES * self.columns + VALUE_BYTES * len(values) + SUBQUERY_BYTES * subqueries
        return parts + sum(map(sys.getsizeof, texts))

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


PLANS: "LRUCache[tuple[Resource, str, str | None], Plan]" = LRUCache(KEPT_BYTES, getsizeof=lambda plan: plan.size)
PLANS_LOCK = Lock()


def compiled(resource: "Resource", side: str, query: str | None) -> Plan:
    """The plan for a query of the accounts of one side (`VA` or `PA`); for None, that of a single record. Raises rql.BadQuery.

    Programs ask the same over and over, and building a query costs Django more than running it. So plans are kept.
    """
    key = (resource, side, query)
    with PLANS_LOCK:
        plan = PLANS.get(key)
    if plan is None:
        plan = compile_query(resource, side, query)
        # A plan without SQL matches nothing; programs do not ask for that over and over.
        if plan.page and plan.size <= KEPT_PLAN_BYTES:
            with PLANS_LOCK:
                PLANS[key] = plan
    return plan


def compile_query(resource: "Resource", side: str, query: str | None) -> Plan:
    """Let Django write the SQL for a query. Raises rql.BadQuery."""
    rows = resource.visible(ACCOUNT.format(side), PARENT)
    read = query_text.read(query or "")
    asked = rql.apply(resource.filters, rows, read.rql, read.searches)
    # Any letter can be part of a name, but not of a header.
    ignored = ", ".join(quote(name[: rql.MAX_NAME]) for name in asked.ignored[:MAX_IGNORED])
    rows = asked.rows.filter(pk=ITSELF) if query is None else asked.rows
    builder = Builder(prune(resource.fields, hidden(resource, asked.select)))
    try:
        page, page_params, converters = sql(rows.order_by(*stable(rows)).values_list(*builder.columns))
        count, count_params, _unused = sql(rows.order_by().values_list("pk"))
    except EmptyResultSet:
        # Django sees that nothing can match, such as a number that is larger than the column.
        return Plan(query, "", (), "", (), (), builder.build, 0, asked.limit, asked.offset, ignored)
    except (ValueError, OverflowError, ValidationError):
        raise rql.BadQuery(rql.bad_value()) from None
    return Plan(
        query,
        page,
        page_params,
        f"SELECT COUNT(*) FROM ({count}) AS matches",  # noqa: S608 (Django's own SQL; values are parameters)
        count_params,
        converters,
        builder.build,
        len(builder.columns),
        asked.limit,
        asked.offset,
        ignored,
    )


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


def hidden(resource: "Resource", select: tuple[str, ...]) -> set[str]:
    """The names that `select(-x)` leaves out. To leave out what is not there anyway is no mistake. Raises rql.BadQuery."""
    for name in select:
        if not name.startswith("-") and not any(known == name or known.startswith(f"{name}.") for known in resource.columns):
            raise rql.BadQuery(_("Bad select: there is no field %(name)s.") % {"name": name})
    return {name[1:] for name in select if name.startswith("-")} - {"id"}


def side(caller: Caller) -> str:
    return caller.account_id[:2]


def placed(caller: Caller, parent: str | None) -> dict[str, str]:
    """What stands for the placeholders of a plan."""
    place = {ACCOUNT.format(side(caller)): caller.account_id}
    if parent:
        place[PARENT] = parent
    return place


def fill(params: tuple[Any, ...], place: Mapping[str, str]) -> list[Any]:
    return [place.get(param, param) if isinstance(param, str) else param for param in params]


def fetch(text: str, params: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return list(cursor.fetchall())

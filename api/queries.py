"""Queries of resources: what a query string asks for, compiled for all accounts of a side and kept."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from api import query_text, rql
from api.shapes import Builder, prune
from portal.plans import KeptPlans, Plan, compile_rows
from tokens.gate import Caller

if TYPE_CHECKING:
    from api.resource import Resource

# What stands for the caller's account, the record above and the record itself in a compiled query.
# No value of a query can be taken for one of them: NUL is refused there.
ACCOUNT, PARENT, ITSELF = "\0account", "\0parent", "\0itself"

# How many names are told that were asked for and are no filters.
MAX_IGNORED = 10


class Query(NamedTuple):
    """A query that was understood and compiled: everything but the caller and the page is settled."""

    text: str | None
    plan: Plan
    build: Callable[[tuple[Any, ...]], dict[str, Any] | None]
    limit: str | None
    offset: str | None
    ignored: str

    @property
    def size(self) -> int:
        """Bytes of memory, nearly: all that is kept because of this query, its key as well."""
        return self.plan.size + sum(map(sys.getsizeof, (self.text, self.limit, self.offset, self.ignored)))


KEPT = KeptPlans()


def compiled(resource: "Resource", side: str, text: str | None) -> Query:
    """The query of the accounts of one side; for None, that of a single record. Raises rql.BadQuery."""
    query: Query = KEPT.find((resource, side, text), lambda: compile_query(resource, side, text))
    return query


def compile_query(resource: "Resource", side: str, text: str | None) -> Query:
    """Read the text of a query and let Django write its SQL. Raises rql.BadQuery."""
    rows = resource.visible(anybody(side), PARENT)
    read = query_text.read(text or "")
    asked = rql.apply(resource.filters, rows, read.rql, read.searches)
    # Any letter can be part of a name, but not of a header.
    ignored = ", ".join(quote(name[: rql.MAX_NAME]) for name in asked.ignored[:MAX_IGNORED])
    rows = asked.rows.filter(pk=ITSELF) if text is None else asked.rows
    builder = Builder(prune(resource.fields, hidden(resource, asked.select)))
    try:
        plan = compile_rows(rows, builder.columns)
    except (ValueError, OverflowError, ValidationError):
        raise rql.BadQuery(rql.bad_value()) from None
    return Query(text, plan, builder.build, asked.limit, asked.offset, ignored)


def hidden(resource: "Resource", select: tuple[str, ...]) -> set[str]:
    """The names that `select(-x)` leaves out. To leave out what is not there anyway is no mistake. Raises rql.BadQuery."""
    for name in select:
        if not name.startswith("-") and not any(known == name or known.startswith(f"{name}.") for known in resource.columns):
            raise rql.BadQuery(_("Bad select: there is no field %(name)s.") % {"name": name})
    return {name[1:] for name in select if name.startswith("-")} - {"id"}


def anybody(side: str) -> Caller:
    """Return what stands for every caller of a side while a query is compiled."""
    return Caller(ITSELF, ACCOUNT, side)


def placed(caller: Caller, parent: str | None) -> dict[str, str]:
    """What stands for the placeholders of a plan."""
    place = {ACCOUNT: caller.account_id}
    if parent:
        place[PARENT] = parent
    return place

"""Queries of resources: query strings, compiled for all accounts of a side and kept."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from api import query_text, rql
from api.shapes import Builder, prune
from portal.plans import KeptPlans, Plan, compile_plan
from tokens.gate import Caller

if TYPE_CHECKING:
    from api.resource import Resource

# Placeholders in a compiled query: the caller's token and account, the parent record and the record
# itself. No value in a query can be mistaken for one of them, since NUL is refused.
TOKEN, ACCOUNT, PARENT, ITSELF = "\0token", "\0account", "\0parent", "\0itself"

# How many of the ignored names the answer lists.
MAX_IGNORED = 10


class Query(NamedTuple):
    """A compiled query: only the caller and the page are still open."""

    text: str | None
    plan: Plan
    build: Callable[[tuple[Any, ...]], dict[str, Any] | None]
    limit: str | None
    offset: str | None
    ignored: str

    @property
    def size(self) -> int:
        """Return the memory that keeping the query and its key takes, in bytes (an estimate)."""
        return self.plan.size + sum(
            map(sys.getsizeof, (self.text, self.limit, self.offset, self.ignored))
        )


KEPT = KeptPlans()


def compiled(resource: "Resource", side: str, text: str | None) -> Query:
    """Return the query of the accounts of one side, compiled or kept. Raises rql.BadQuery.

    With None as the text, that is the query of a single record.
    """
    query: Query = KEPT.find((resource, side, text), lambda: compile_query(resource, side, text))
    return query


def compile_query(resource: "Resource", side: str, text: str | None) -> Query:
    """Parse the text of a query and compile it to SQL. Raises rql.BadQuery."""
    queryset = resource.visible(anybody(side), PARENT)
    read = query_text.read(text or "")
    asked = rql.apply(resource.filters, queryset, read.rql, read.searches)
    # A name can have any character, a header cannot.
    ignored = ", ".join(quote(name[: rql.MAX_NAME]) for name in asked.ignored[:MAX_IGNORED])
    queryset = asked.queryset.filter(resource.called(ITSELF)) if text is None else asked.queryset
    builder = Builder(prune(resource.fields, hidden(resource, asked.select)))
    try:
        plan = compile_plan(queryset, builder.columns)
    except (ValueError, OverflowError, ValidationError):
        raise rql.BadQuery(rql.bad_value()) from None
    return Query(text, plan, builder.build, asked.limit, asked.offset, ignored)


def hidden(resource: "Resource", select: tuple[str, ...]) -> set[str]:
    """Return the names that `select(-x)` leaves out. Raises rql.BadQuery.

    Leaving out a name that does not exist is not an error.
    """
    for name in select:
        if not name.startswith("-") and not any(
            known == name or known.startswith(f"{name}.") for known in resource.columns
        ):
            raise rql.BadQuery(_("Bad select: there is no field %(name)s.") % {"name": name})
    return {name[1:] for name in select if name.startswith("-")} - {"id"}


def anybody(side: str) -> Caller:
    """Return a placeholder for every caller of a side, used while a query is compiled."""
    return Caller(TOKEN, ACCOUNT, side)


def placed(caller: Caller, parent: str | None) -> dict[str, str]:
    """Return the values of a plan's placeholders."""
    place = {TOKEN: caller.id, ACCOUNT: caller.account_id}
    if parent:
        place[PARENT] = parent
    return place

"""The JSON of `/public/v1/agreements`, declared once for all peers.

The comparison refuses to run if the portal's JSON differs. Each peer gets the cheapest form that
its documentation offers: nested objects are built by one plain function each instead of a
serializer of their own, and moments are written by `isoformat` instead of the library's field.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Column(NamedTuple):
    """A column of the model: its path in ORM notation, and its type."""

    path: str
    type: type = str


class Constant(NamedTuple):
    """A value that is the same in every record."""

    value: Any


def reference(name: str) -> dict[str, Column]:
    return {"id": Column(f"{name}_id"), "name": Column(f"{name}__name")}


ID, TITLE, LINK = Column("id"), Column("title"), Column("link")
CREATED, UPDATED = Column("created_at", datetime), Column("updated_at", datetime)
ACTIVE, VERSION, CONTRACTS = (
    Column("active", bool),
    Column("version", int),
    Column("contracts", int),
)

AGREEMENT: dict[str, Any] = {
    "id": ID,
    "type": Column("type"),
    "title": TITLE,
    "name": TITLE,
    "description": Column("description"),
    "created": CREATED,
    "updated": UPDATED,
    "owner": reference("owner"),
    "stats": {"contracts": CONTRACTS, "versions": VERSION},
    "document_type": Constant("external"),
    "link": LINK,
    "active": ACTIVE,
    "auto_accept": Column("auto_accept", bool),
    "marketplace": reference("marketplace"),
    "version": {
        "version": VERSION,
        "active": ACTIVE,
        "link": LINK,
        "version_created": UPDATED,
        "version_contracts": CONTRACTS,
    },
    "events": {"created": {"at": CREATED}, "updated": {"at": UPDATED}},
}
RELATIONS = ("owner", "marketplace")


def columns(shape: Mapping[str, Any]) -> list[Column]:
    """Return the columns of a shape, each once."""
    found: dict[Column, None] = {}
    for value in shape.values():
        if isinstance(value, Mapping):
            found |= dict.fromkeys(columns(value))
        elif isinstance(value, Column):
            found[value] = None
    return list(found)


def from_rows(shape: Mapping[str, Any]) -> Callable[[tuple[Any, ...]], dict[str, Any]]:
    """Return a function from a row of `values_list(*columns(shape))` to its JSON.

    It is written as one would write it by hand.
    """
    order = columns(shape)
    return compiled("row", shape, lambda column: f"row[{order.index(column)}]")


def from_objects(shape: Mapping[str, Any]) -> Callable[[Any], dict[str, Any]]:
    """Return such a function for instances of the model."""
    return compiled("row", shape, lambda column: f"row.{column.path.replace('__', '.')}")


def compiled(
    argument: str, shape: Mapping[str, Any], read: Callable[[Column], str]
) -> Callable[[Any], dict[str, Any]]:
    source = f"lambda {argument}: {literal(shape, read)}"
    function: Callable[[Any], dict[str, Any]] = eval(source)  # noqa: S307 (of our own declaration)
    return function


def literal(value: Any, read: Callable[[Column], str]) -> str:
    """Return the source text of a value.

    It is a dict display, so that no peer is slowed by generated code.
    """
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{name!r}: {literal(part, read)}" for name, part in value.items())
            + "}"
        )
    if isinstance(value, Constant):
        return repr(value.value)
    return read(value) + (".isoformat(timespec='seconds')" if value.type is datetime else "")

"""The machinery of every collection: one declaration says what a record looks like, this page does the rest.

Conventions of the API that CloudBlue's clients rely on: bare arrays, `Content-Range` on every list, `limit` (100 unless
said, never more than 1000) and `offset`, moments as `2024-01-31T10:20:30+00:00`, empty values left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _

from portal import api
from portal.http import whole
from tokens.permissions import ApiRequest

DEFAULT_LIMIT = 100
LIMIT = 1000
READ = ("GET", "HEAD")


@dataclass(frozen=True)
class Column:
    """A column whose stored value needs a change on the way out."""

    name: str
    change: Callable[[Any], Any]


# A record's shape: JSON name -> column of the model (a string), Column, nested shape, or a constant (any other value).
Shape = Mapping[str, Any]


class Collection:
    """A collection of the API: which rows an account sees, and how each is shown.

    Rows go `values_list` -> dict -> JSON: building model instances would cost five times as much.
    """

    def __init__(self, rows: Callable[[str], QuerySet[Any]], shape: Shape) -> None:
        """`rows` gives the rows visible to an account id, in a stable order."""
        self.rows = rows
        self.columns: list[str] = []
        self.build = self.compile(shape)

    def compile(self, shape: Shape) -> Callable[[tuple[Any, ...]], dict[str, Any]]:
        """Turn a shape into a function from a row to its JSON; columns are collected on the way, each once."""
        parts = [(name, self.part(value)) for name, value in shape.items()]

        def build(row: tuple[Any, ...]) -> dict[str, Any]:
            built = ((name, part(row)) for name, part in parts)
            return {name: value for name, value in built if value is not None and value != {}}

        return build

    def part(self, value: Any) -> Callable[[tuple[Any, ...]], Any]:
        if isinstance(value, Mapping):
            return self.compile(value)
        if isinstance(value, Column):
            stored = self.part(value.name)
            return lambda row: value.change(stored(row))
        if isinstance(value, str):
            if value not in self.columns:
                self.columns.append(value)
            index = self.columns.index(value)
            return lambda row: row[index]
        return lambda row: value


def constant(value: str) -> Column:
    """A text that is the same in every record (a bare string in a shape names a column)."""
    return Column("pk", lambda pk: value)


def reference(field: str) -> Shape:
    """The usual short form of a related record: its id and name."""
    return {"id": f"{field}_id", "name": f"{field}__name"}


def listing(request: ApiRequest, collection: Collection) -> HttpResponse:
    """A page of the collection, as the token's account sees it."""
    if request.method not in READ:
        return method_not_allowed()
    limit, offset = window(request)
    rows = collection.rows(request.token.account_id)
    total = rows.count()
    page = list(rows.values_list(*collection.columns)[offset : offset + limit]) if limit and offset < total else []
    response = api.json_response([collection.build(row) for row in page])
    response["Content-Range"] = f"items {offset}-{offset + max(len(page) - 1, 0)}/{total}"
    return response


def detail(request: ApiRequest, collection: Collection, pk: str) -> HttpResponse:
    """One record of the collection; another account's record does not exist."""
    if request.method not in READ:
        return method_not_allowed()
    row = collection.rows(request.token.account_id).filter(pk=pk).values_list(*collection.columns).first()
    if row is None:
        return api.error(404, "NFND_000", _("Object `%(id)s` not found.") % {"id": pk})
    return api.json_response(collection.build(row))


def window(request: ApiRequest) -> tuple[int, int]:
    """`limit` and `offset` of the query string. What is no number falls back to the default, as in the real product."""
    terms = dict(term.partition("=")[::2] for term in unquote(request.META["QUERY_STRING"]).split("&"))
    limit = min(whole(terms.get("limit"), DEFAULT_LIMIT), LIMIT)
    return limit, whole(terms.get("offset"), 0) if limit else 0


def method_not_allowed() -> HttpResponse:
    response = api.error(405, "SYS_405", _("The method is not allowed here."))
    response["Allow"] = ", ".join(READ)
    return response

"""`/public/v1/openapi.json`: the API in OpenAPI 3.1, derived from the resource declarations.

Nothing is declared a second time, and the API Reference page shows the same operations. The texts
are in English only, as in the declarations.
"""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Field
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from api import bodies, rql, schemas
from api.answers import DEFAULT_LIMIT, IGNORED, LIMIT
from api.resource import ID, Resource, Write
from portal import VERSION
from portal.api import endpoint
from tokens import keys
from tokens.catalog import Module

Described = dict[str, Any]


class Operation(NamedTuple):
    """A method at an address below `/public/v1`, described."""

    method: str
    path: str
    about: Described


class Operator(NamedTuple):
    """An operator of RQL, with an example and its meaning."""

    name: str
    example: str
    meaning: str


class Refusal(NamedTuple):
    """An answer that is an error, with an example of its body."""

    name: str
    about: str
    code: str
    errors: tuple[str, ...]


# In the order in which they are explained.
OPERATORS = (
    Operator("eq", "eq(type,program)", "is equal to this; short form: type=program"),
    Operator("ne", "ne(type,program)", "is not equal to this"),
    Operator("gt", "gt(created,2026-01-31T10:20:30+00:00)", "is greater or later"),
    Operator("ge", "ge(created,2026-01-31)", "is greater or later, or equal"),
    Operator("lt", "lt(created,2026-01-31)", "is less or earlier"),
    Operator("le", "le(created,2026-01-31)", "is less or earlier, or equal"),
    Operator("in", "in(type,(program,service))", "is one of these"),
    Operator("out", "out(type,(program,service))", "is none of these"),
    Operator("like", "like(title,*Cloud*)", "matches; an asterisk stands for any characters"),
    Operator("ilike", "ilike(title,cloud*)", "matches, ignoring case"),
    Operator("null", "eq(marketplace.id,null())", "is absent; with ne, is present"),
    Operator(
        "and",
        "and(eq(type,program),eq(active,true))",
        "all of these are true; short form: join them with &",
    ),
    Operator("or", "or(eq(type,program),eq(active,true))", "any of these is true"),
    Operator("not", "not(eq(type,program))", "the comparison is not true"),
    Operator(
        "ordering",
        "ordering(-updated,created)",
        "sorts the list by these; a minus reverses the order",
    ),
    Operator("select", "select(-description,-events)", "leaves these out of the answer"),
)

ANSWERS = {200: "OK.", 201: "Created. The answer is the new record.", 204: "Deleted."}
REFUSALS = {
    400: Refusal(
        "BadRequest",
        "The query or the body is not valid, or the record is in the wrong state. Nothing was "
        "changed.",
        "VAL_001",
        ("name: This field is required.",),
    ),
    401: Refusal(
        "Unauthorized",
        "The key is missing or wrong, or its token is disabled, expired or deleted, or its "
        "account is switched off.",
        "AUTH_001",
        ("API request is unauthorized.", "The key is not valid."),
    ),
    403: Refusal(
        "Forbidden",
        "The token was not granted the module, or its account may not do this.",
        "AUTH_003",
        ("The token SU-431-800-699 may not reach the module Agreements.",),
    ),
    404: Refusal(
        "NotFound",
        "There is no such record, or it belongs to another account.",
        "NFND_000",
        ("Object `AGP-884-348-731` not found.",),
    ),
    413: Refusal(
        "TooLarge",
        f"The body is larger than {bodies.MAX_BODY // 1024} KB.",
        "VAL_003",
        (f"The body is larger than {bodies.MAX_BODY // 1024} KB.",),
    ),
    415: Refusal(
        "NotJson",
        "The body is not JSON, or the header Content-Type does not say so.",
        "VAL_002",
        ("The body must be JSON, with the header Content-Type: application/json.",),
    ),
    429: Refusal(
        "TooMany",
        "The token, or all tokens of its account together, tried to make too many changes in a "
        "minute; "
        "failed attempts count too. Nothing was changed; the header Retry-After says how many "
        "seconds to wait.",
        "SYS_429",
        ("The token tried to make too many changes in a minute. Try again in 12 seconds.",),
    ),
}
ERROR = {
    "type": "object",
    "description": "Why a request was refused.",
    "properties": {
        "error_code": {"type": "string", "description": "A code for programs."},
        "errors": {
            "type": "array",
            "description": (
                "Messages for people, as `name: reason` where a name in the body is to blame."
            ),
            "items": {"type": "string"},
            "minItems": 1,
        },
    },
    "required": ["error_code", "errors"],
}

HEADERS = {
    "Content-Range": {
        "description": (
            "The positions of the first and last record, counted from 0, and the total number of "
            "records."
        ),
        "required": True,
        "schema": {
            "type": "string",
            "pattern": r"^items \d+-\d+/\d+$",
            "examples": ["items 0-9/72"],
        },
    },
    IGNORED: {
        "description": (
            "Names in the query that are not filters and were ignored, at most ten; absent if "
            "there are none."
        ),
        "schema": {"type": "string", "examples": ["nope, owner.nope"]},
    },
    "WWW-Authenticate": {
        "description": "The scheme that the header Authorization starts with.",
        "required": True,
        "schema": {"type": "string", "const": keys.SCHEME},
    },
}

PARAMETERS = {
    "id": {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "The id of the record.",
        "schema": {"type": "string", "pattern": f"^{ID}$"},
    },
    "parent_id": {
        "name": "parent_id",
        "in": "path",
        "required": True,
        "description": "The id of the parent record.",
        "schema": {"type": "string", "pattern": f"^{ID}$"},
    },
    "limit": {
        "name": "limit",
        "in": "query",
        "description": (
            f"How many records to return at most, up to {LIMIT}. With 0, the list is empty, and "
            "the header Content-Range still gives the total."
        ),
        "schema": {"type": "integer", "minimum": 0, "maximum": LIMIT, "default": DEFAULT_LIMIT},
    },
    "offset": {
        "name": "offset",
        "in": "query",
        "description": "How many records to skip.",
        "schema": {"type": "integer", "minimum": 0, "default": 0},
    },
    "search": {
        "name": "search",
        "in": "query",
        "description": "Text that one of the searched fields must contain, ignoring case.",
        "schema": {"type": "string"},
    },
}

KEYS = """\
Send the key of a token as the header `Authorization: ApiKey SU-431-800-699:<40 hex digits>`; the
word `ApiKey` is part of the key. It gives access to the modules that the token was granted. In this
document, each module is a tag."""


# --- The address ----------------------------------------------------------------------------------


@login_not_required
@require_safe
@cache_control(public=True, max_age=300)
def show(request: HttpRequest, resources: tuple[Resource, ...]) -> HttpResponse:
    """Show the document. It is public, because the official client fetches it without a key."""
    return HttpResponse(text(resources, endpoint(request)), content_type="application/json")


@lru_cache(maxsize=8)
def text(resources: tuple[Resource, ...], base: str) -> bytes:
    """Return the document for an API at `base`, as JSON in ASCII.

    The official client decodes it in chunks, and would fail at a character that is cut in two.
    """
    return json.dumps(document(resources, base), ensure_ascii=True).encode()


# --- The document ---------------------------------------------------------------------------------


def document(resources: tuple[Resource, ...], base: str) -> Described:
    """Return the document: every operation of the resources, and the parts that they share."""
    paths: dict[str, Described] = {}
    for resource in resources:
        for method, path, about in operations(resource):
            # The official client's help shows the summary of the path.
            paths.setdefault(
                path, {"summary": resource.about if method == "GET" else about["summary"]}
            )[method.lower()] = about
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.BRAND} API",
            "version": VERSION,
            "description": introduction(),
        },
        "servers": [{"url": base}],
        "security": [{"ApiKey": []}],
        "tags": [
            {"name": name, "description": covers}
            for name, covers in dict.fromkeys(tag(resource.module) for resource in resources)
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "ApiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": KEYS,
                }
            },
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "responses": {refusal.name: refused(refusal) for refusal in REFUSALS.values()},
            "schemas": {
                "Error": ERROR,
                **{schema_name(resource): schemas.record(resource) for resource in resources},
            },
        },
    }


def introduction() -> str:
    """Return what all calls have in common, as Markdown."""
    operators = "\n".join(
        f"| {operator.name} | `{operator.example}` | {operator.meaning} |" for operator in OPERATORS
    )
    return f"""\
The API that the tokens of {settings.BRAND} give access to.

## Keys

{KEYS}

## Lists

A list is a JSON array in a stable order. `limit` (default {DEFAULT_LIMIT}, at most {LIMIT}) and
`offset` page through it. The header `Content-Range: items 0-9/72` gives the positions of the
records and their total number.

The whole query string is one RQL query: terms joined with `&`. Names inside objects are written
with dots or with two underscores (`owner.id`, `owner__id`). Every value that a record shows is a
filter. Other names are ignored and listed in the header `{IGNORED}`. Quote a value that has
anything but letters, digits, spaces and `-_.:+@*`, with single or double quotes:
`in(name,("Ruiz & Sons","O'Hara"))`, in a URL `%22Ruiz%20%26%20Sons%22`.

In `name=value` and `search=text`, a plus is a space, as in forms, except in the UTC offset of a
date and time; percent-encoded values need no quotes: `name=Ruiz+%26+Sons`. Inside parentheses, a
plus is a plus.

| operator | example | meaning |
| --- | --- | --- |
{operators}

{limits()}

## Records

Dates and times are written `2026-05-18T04:28:00+00:00`; without a time zone, UTC is assumed. Empty
values are left out, never null. A body is a JSON object of at most {bodies.MAX_BODY // 1024} KB
with `Content-Type: application/json`; names that are not described are ignored.

## Errors

An error is `{{"error_code": "VAL_001", "errors": ["…"]}}`. A method that an address does not
support is answered with 405. Addresses work with and without a trailing slash.
"""


def limits() -> str:
    """Return the limits of a query, as one paragraph."""
    return (
        "A query may have at most {length} characters and {depth} levels; parentheses, and terms "
        "joined\n"
        "with `&`, add levels. Its terms may cost at most {cost}: a comparison, and each value of "
        "`in` and\n"
        "`out`, costs {one}; `like` and `ilike` cost {like}, plus {star} for each asterisk; a "
        "`search` costs\n"
        "as much for each field it looks in; each name in `ordering` costs {order}. Values that "
        "are counted\n"
        "or looked up in other records cost {times} times as much. A query that takes longer than\n"
        "{seconds} seconds is refused as well."
    ).format(**rql.costs(), seconds=settings.STATEMENT_SECONDS)


def tag(module: Module | None) -> tuple[str, str]:
    """Return the name of a module and what it covers."""
    return (
        (str(module.label), str(module.covers))
        if module
        else ("Any Token", "Open to every valid token, whatever its grants")
    )


def schema_name(resource: Resource) -> str:
    return ".".join(words(resource))


def words(resource: Resource) -> list[str]:
    """Return the parts of the path without the parent's id: `products`, `items`."""
    return [word for word in resource.path.split("/") if word != "<parent>"]


# --- Operations -----------------------------------------------------------------------------------


def operations(resource: Resource) -> Iterator[Operation]:
    """Yield what can be done with a resource, in the order in which it is explained."""
    everything = "/" + resource.path.replace("<parent>", "{parent_id}")
    one = f"{everything}/{{id}}"
    writes, name = resource.writes, " ".join(words(resource))

    yield Operation("GET", everything, listing(resource, f"List {name}"))
    if write := writes.get("POST"):
        yield Operation("POST", everything, writing(resource, write, "create_one", 201))
    if write := writes.get("DELETE") if not resource.detail else None:
        yield Operation(
            "DELETE", everything, writing(resource, write, "delete_some", 204, many=True)
        )
    if not resource.detail:
        return
    yield Operation("GET", one, reading(resource, f"Read one of the {name}"))
    if write := writes.get("PUT"):
        yield Operation("PUT", one, writing(resource, write, "update_one", 200, "id"))
    if write := writes.get("DELETE"):
        yield Operation("DELETE", one, writing(resource, write, "delete_one", 204, "id"))
    for action, write in resource.actions.items():
        yield Operation(
            "POST", f"{one}/{action}", writing(resource, write, f"{action}_one", 200, "id")
        )


def listing(resource: Resource, summary: str) -> Described:
    lines = [resource.about]
    # In RQL these are functions, which OpenAPI cannot describe as parameters.
    if resource.ordering:
        lines.append(
            f"Sort with `ordering(name)`, or `ordering(-name)` in reverse, by "
            f"{code(resource.ordering)}."
        )
    if resource.search:
        lines.append(f"`search` looks in {code(resource.search)}.")
    lines.append("`select(-name)` leaves a field or an object out, but never the id.")
    named = ["limit", "offset", *(["search"] if resource.search else [])]
    filters = [
        {
            "name": name,
            "in": "query",
            "description": filter_text(resource, name),
            "schema": schemas.typed(filter_field(resource, name)),
        }
        for name in resource.filter_names
    ]
    answer = {
        **answered(200, {"type": "array", "items": reference(resource)}),
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in ("Content-Range", IGNORED)
        },
    }
    return {
        **common(resource, "list_all", summary, *named),
        "description": "\n\n".join(lines),
        "parameters": [*parameters(resource, *named), *filters],
        "responses": {"200": answer, **refusals(resource)},
    }


def reading(resource: Resource, summary: str) -> Described:
    return {
        **common(resource, "retrieve_one", summary, "id"),
        "responses": {"200": answered(200, reference(resource)), **refusals(resource, 404)},
    }


def writing(
    resource: Resource, write: Write, verb: str, status: int, *named: str, many: bool = False
) -> Described:
    """Return the description of a write. With `many`, the body may be a list of objects too."""
    summary, _stop, rest_of_it = write.about.partition(". ")
    about = common(resource, verb, summary.removesuffix("."), *named)
    if rest_of_it:
        about["description"] = rest_of_it
    if write.fields:
        body = schemas.body(write)
        if many:
            body = {"oneOf": [body, {"type": "array", "items": body, "minItems": 1}]}
        about["requestBody"] = {"required": many or bool(write.required), "content": content(body)}
    more = ((404,) if named else ()) + ((413, 415) if status != 204 or many else ()) + (429,)
    answer = None if status == 204 else reference(resource)
    if answer and write.answers:
        answer = {"allOf": [answer, {"type": "object", "properties": dict(write.answers)}]}
    return {
        **about,
        "responses": {str(status): answered(status, answer), **refusals(resource, *more)},
    }


def common(resource: Resource, verb: str, summary: str, *named: str) -> Described:
    """Return what every operation has: id, tags, summary and parameters.

    The official client tells lists and records from actions by the last word but one of the id.
    """
    about = {
        "operationId": "_".join((*words(resource), verb)),
        "tags": [tag(resource.module)[0]],
        "summary": summary,
    }
    listed = parameters(resource, *named)
    return {**about, "parameters": listed} if listed else about


def parameters(resource: Resource, *named: str) -> list[Described]:
    return [
        {"$ref": f"#/components/parameters/{name}"}
        for name in ((*(("parent_id",) if resource.parent else ()), *named))
    ]


def filter_field(resource: Resource, name: str) -> "Field[Any, Any]":
    field: Field[Any, Any] = resource.filters.filters[name]["field"]
    return field


def lookups(resource: Resource, name: str) -> list[str]:
    """Return the operators that a filter supports."""
    known = resource.filters.filters[name]["lookups"]
    return [operator.name for operator in OPERATORS if operator.name in known]


def filter_text(resource: Resource, name: str) -> str:
    """Return the description of a filter, worded as in Connect's own document."""
    lines = [f"Filter for: {name}", f"**lookups:** {', '.join(lookups(resource, name))}"]
    lines += [
        f"**{what}:** true"
        for what, names in (("ordering", resource.ordering), ("search", resource.search))
        if name in names
    ]
    return "\n\n".join(lines)


def code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# --- Answers --------------------------------------------------------------------------------------


def reference(resource: Resource) -> Described:
    return {"$ref": f"#/components/schemas/{schema_name(resource)}"}


def content(schema: Described) -> Described:
    return {"application/json": {"schema": schema}}


def answered(status: int, schema: Described | None) -> Described:
    return {"description": ANSWERS[status], **({"content": content(schema)} if schema else {})}


def refusals(resource: Resource, *more: int) -> Described:
    """Return the refusals that every operation may answer with, and those in `more`."""
    statuses = sorted({400, 401, 403, *more, *((404,) if resource.parent else ())})
    return {
        str(status): {"$ref": f"#/components/responses/{REFUSALS[status].name}"}
        for status in statuses
    }


def refused(refusal: Refusal) -> Described:
    headers = (
        {"WWW-Authenticate": {"$ref": "#/components/headers/WWW-Authenticate"}}
        if refusal is REFUSALS[401]
        else {}
    )
    return {
        "description": refusal.about,
        **({"headers": headers} if headers else {}),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": {"error_code": refusal.code, "errors": list(refusal.errors)},
            }
        },
    }

"""The conventions of the API in words: operators, errors, headers, parameters, limits.

Everything that is not about a single resource, for the OpenAPI document and the API Reference page.
The texts are in English only, as in the declarations of resources.
"""

from typing import NamedTuple

from django.conf import settings

from api import bodies, rql
from api.answers import DEFAULT_LIMIT, IGNORED, LIMIT
from api.resource import ID
from tokens import keys


class Operator(NamedTuple):
    """An operator of RQL, with an example and its meaning."""

    name: str
    example: str
    meaning: str


class ErrorAnswer(NamedTuple):
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

ANSWERS = {
    200: "OK.",
    201: "Created. The answer is the new record.",
    204: "Done. The answer has no body.",
}
ERROR_ANSWERS = {
    400: ErrorAnswer(
        "BadRequest",
        "The query or the body is not valid, or the record is in the wrong state. Nothing was "
        "changed.",
        "VAL_001",
        ("name: This field is required.",),
    ),
    401: ErrorAnswer(
        "Unauthorized",
        "The key is missing or wrong, or its token is disabled, expired or deleted, or its "
        "account is switched off.",
        "AUTH_001",
        ("API request is unauthorized.", "The key is not valid."),
    ),
    403: ErrorAnswer(
        "Forbidden",
        "The token was not granted the module, or its account may not do this.",
        "AUTH_003",
        ("The token SU-431-800-699 may not reach the module Agreements.",),
    ),
    404: ErrorAnswer(
        "NotFound",
        "There is no such record, or it belongs to another account.",
        "NFND_000",
        ("Object `AGP-884-348-731` not found.",),
    ),
    413: ErrorAnswer(
        "TooLarge",
        f"The body is larger than {bodies.MAX_BODY // 1024} KB.",
        "VAL_003",
        (f"The body is larger than {bodies.MAX_BODY // 1024} KB.",),
    ),
    415: ErrorAnswer(
        "NotJson",
        "The body is not JSON, or the header Content-Type does not say so.",
        "VAL_002",
        ("The body must be JSON, with the header Content-Type: application/json.",),
    ),
    429: ErrorAnswer(
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
filter, and lists can be sorted by all but the values in lists. Other names are ignored and listed
in the header `{IGNORED}`. Quote a value that has anything but letters, digits, spaces and
`-_.:+@*`, with single or double quotes:
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

"""`/public/v1/openapi.json`: the API in OpenAPI 3.1, derived from the resource declarations.

Nothing is declared a second time, and the API Reference page shows the same operations. What is not
about a single resource is in `api.conventions`.
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

from api import schemas
from api.answers import IGNORED
from api.conventions import (
    ANSWERS,
    ERROR,
    ERROR_ANSWERS,
    HEADERS,
    KEYS,
    OPERATORS,
    PARAMETERS,
    ErrorAnswer,
    introduction,
)
from api.resource import Resource, Write
from portal import VERSION
from portal.api import endpoint
from tokens.catalog import Module

Described = dict[str, Any]


class Operation(NamedTuple):
    """A method at an address below `/public/v1`, described."""

    method: str
    path: str
    about: Described


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
            "responses": {answer.name: error_answer(answer) for answer in ERROR_ANSWERS.values()},
            "schemas": {
                "Error": ERROR,
                **{schema_name(resource): schemas.record(resource) for resource in resources},
            },
        },
    }


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
        yield Operation("POST", everything, creating(resource, write))
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
            write.method,
            f"{one}/{action}",
            writing(resource, write, f"{action}_one", write.status, "id"),
        )


def listing(resource: Resource, summary: str) -> Described:
    lines = [resource.about]
    # In RQL these are functions, which OpenAPI cannot describe as parameters.
    lines.append(
        "Sort with `ordering(name)`, or `ordering(-name)` in reverse, by any filter but those of "
        "values in lists."
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
        "responses": {"200": answer, **error_answers(resource)},
    }


def reading(resource: Resource, summary: str) -> Described:
    return {
        **common(resource, "retrieve_one", summary, "id"),
        "responses": {"200": answered(200, reference(resource)), **error_answers(resource, 404)},
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
    more = (
        ((404,) if named else ())
        + ((413, 415) if status != 204 or many or write in resource.actions.values() else ())
        + (429,)
    )
    answer = None if status == 204 else reference(resource)
    if answer and write.answers:
        answer = {"allOf": [answer, {"type": "object", "properties": dict(write.answers)}]}
    return {
        **about,
        "responses": {str(status): answered(status, answer), **error_answers(resource, *more)},
    }


def creating(resource: Resource, write: Write) -> Described:
    """Return the description of creating a record, and of what a POST may do instead."""
    about = writing(resource, write, "create_one", 201)
    for name, other in resource.instead.items():
        about["description"] = "\n\n".join(
            (about.get("description", ""), f"With `{name}` in the body: {other.about}")
        )
        sent = about["requestBody"]["content"]["application/json"]
        sent["schema"] = {"oneOf": [sent["schema"], schemas.body(other)]}
        answer = {"type": "object", "properties": dict(other.answers)}
        about["responses"] = {
            "200": answered(200, answer),
            **about["responses"],
            **error_answers(resource, 404),
        }
    return about


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


def error_answers(resource: Resource, *more: int) -> Described:
    """Return the errors that every operation may answer with, and those in `more`."""
    statuses = sorted({400, 401, 403, *more, *((404,) if resource.parent else ())})
    return {
        str(status): {"$ref": f"#/components/responses/{ERROR_ANSWERS[status].name}"}
        for status in statuses
    }


def error_answer(answer: ErrorAnswer) -> Described:
    headers = (
        {"WWW-Authenticate": {"$ref": "#/components/headers/WWW-Authenticate"}}
        if answer is ERROR_ANSWERS[401]
        else {}
    )
    return {
        "description": answer.about,
        **({"headers": headers} if headers else {}),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": {"error_code": answer.code, "errors": list(answer.errors)},
            }
        },
    }

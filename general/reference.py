"""The page API Reference, made from the declarations of the resources that answer requests."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from api import bodies, conventions, openapi, rql, schemas
from api.answers import DEFAULT_LIMIT, LIMIT
from api.examples import example
from api.resource import Resource
from modules.urls import RESOURCES
from portal.api import endpoint
from tokens import first_call

LIMITS = {
    "default": DEFAULT_LIMIT,
    "limit": LIMIT,
    **rql.costs(),
    "seconds": settings.STATEMENT_SECONDS,
    "body": bodies.MAX_BODY // 1024,
}


class Named(NamedTuple):
    """A field of a record, a filter or a name in a body, with its type."""

    name: SafeString
    kind: str
    required: bool = False
    lookups: str = ""
    orders: bool = False
    searched: bool = False


class Call(NamedTuple):
    """A method at an address and the body it reads."""

    method: str
    path: str
    summary: str
    description: str
    body: list[Named]


class Entry(NamedTuple):
    """A resource on the page.

    `answer` is an example of a list in JSON, `shell` a query for curl, `python` and `order` the
    same query for the official client, and `words` the text that Find searches.
    """

    anchor: str
    path: str
    about: str
    calls: list[Call]
    fields: list[Named]
    filters: list[Named]
    answer: str
    words: str
    shell: str
    python: str
    order: str


class Chapter(NamedTuple):
    """A module on the page."""

    anchor: str
    label: str
    covers: str
    entries: list[Entry]


@require_safe
@for_members
def reference(request: PersonRequest) -> HttpResponse:
    """Show how to call the API, and all its resources."""
    return render(
        request,
        "general/reference.html",
        {
            "endpoint": endpoint(request),
            "chapters": chapters(),
            "operators": conventions.OPERATORS,
            "error_answers": conventions.ERROR_ANSWERS,
            "limits": LIMITS,
        },
    )


@lru_cache(maxsize=1)
def chapters() -> list[Chapter]:
    """Return the content of the page, which changes only with the code."""
    found: dict[str, Chapter] = {}
    for resource in RESOURCES:
        label, covers = openapi.tag(resource.module)
        found.setdefault(
            label, Chapter(f"module-{slugify(label)}", label, covers, [])
        ).entries.append(entry(resource))
    return list(found.values())


def entry(resource: Resource) -> Entry:
    calls = list(described(resource))
    record = schemas.record(resource)
    names = [name.name for name in schemas.flat(record)]
    return Entry(
        "-".join(openapi.words(resource)),
        calls[0].path,
        resource.about,
        calls,
        [Named(breakable(name.name), kind(name.schema)) for name in schemas.flat(record)],
        list(filters(resource)),
        json.dumps([record["examples"][0]], indent=2, ensure_ascii=False, default=str),
        " ".join(
            (
                *(call.path for call in calls),
                *(call.summary for call in calls),
                resource.about,
                *names,
            )
        ).casefold(),
        *examples(resource),
    )


def described(resource: Resource) -> Iterator[Call]:
    for method, path, about in openapi.operations(resource):
        body = (
            about.get("requestBody", {})
            .get("content", {})
            .get("application/json", {})
            .get("schema", {})
        )
        names = schemas.flat(body.get("oneOf", [body])[0]) if body else ()
        # The page describes lists in a section of its own.
        more = "" if method == "GET" else about.get("description", "")
        yield Call(
            method,
            path,
            about["summary"],
            more,
            [Named(breakable(name.name), kind(name.schema), name.required) for name in names],
        )


def filters(resource: Resource) -> Iterator[Named]:
    for name in resource.filter_names:
        yield Named(
            breakable(name),
            kind(schemas.typed(openapi.filter_field(resource, name))),
            lookups=", ".join(openapi.lookups(resource, name)),
            orders=name in resource.ordering,
            searched=name in resource.search,
        )


def kind(schema: dict[str, Any]) -> str:
    """Return the type in a schema, in a few words."""
    if "enum" in schema and isinstance(schema["enum"][0], int) and "description" in schema:
        return str(schema["description"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value is not None)
    if "items" in schema:
        return f"list of {kind(schema['items'])}"
    if schema.get("const") and not isinstance(schema["const"], list | dict):
        return str(schema["const"])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join((schema.get("format") or types[0], *types[1:]))


def breakable(name: str) -> SafeString:
    """Return a dotted name that can break across lines after each dot."""
    return format_html_join(SafeString(".<wbr>"), "{}", ((part,) for part in name.split(".")))


def examples(resource: Resource) -> tuple[str, str, str]:
    """Return a query of the list for curl, the same for the official client, and its order."""
    fields = {name: openapi.filter_field(resource, name) for name in resource.filter_names}
    chosen = next((name for name, field in fields.items() if field.choices), "id")
    value = example(fields[chosen])
    # By the time of creation, if possible, and not by that of something in the record.
    moments = (name for name in resource.ordering if name.endswith(("created", "created.at")))
    order = min(moments, key=lambda name: name.count("."), default=resource.ordering[0])
    path = f"/{resource.path}".replace("<parent>", parent_id(resource))
    return (
        f"{path}?{chosen}={value}&ordering(-{order})&limit=10",
        f'{client(resource)}.filter({chosen.replace(".", "__")}="{value}")',
        f'.order_by("-{order}")',
    )


def client(resource: Resource) -> str:
    """Return the resource as the official client names it: `client("tier").accounts`."""
    if resource.parent:
        last = resource.path.rpartition("/")[2]
        return f'{client(resource.parent)}["{parent_id(resource)}"].collection("{last}")'
    return first_call.client(resource.path)


def parent_id(resource: Resource) -> str:
    return str(example(resource.parent.model._meta.pk)) if resource.parent else ""

"""Answers of resources: pages of lists, records, and the outcome of writes and actions."""

import re
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, transaction
from django.http import HttpResponse
from django.utils.translation import gettext as _

from api import bodies, rql
from api.bodies import ApiError
from api.queries import ITSELF, compiled, placed
from portal import api, store
from portal.http import whole
from tokens.gate import ApiRequest, Caller
from webhooks import outbox

if TYPE_CHECKING:
    from api.resource import Resource, Write

DEFAULT_LIMIT = 100
LIMIT = 1000

# Clients put limit and offset last. With these cut off, all pages of a query share one plan.
PAGE = re.compile(
    r"(?:(?P<query>.*)&)?limit=(?P<limit>\d{1,15})&offset=(?P<offset>\d{1,15})", re.DOTALL
)

# The header that lists the names in a query that are not filters.
IGNORED = "X-Ignored-Filters"

READ = ("GET", "HEAD")


def answer_list(
    resource: "Resource", request: ApiRequest, parent: str | None = None
) -> HttpResponse:
    """Answer at the resource's own address: list, create, or delete several records."""
    methods = resource.methods()
    if request.method not in methods:
        return method_not_allowed(methods)
    if request.method == "POST":
        return create(resource, request, parent)
    if request.method == "DELETE":
        return delete_listed(resource, request, parent)
    return list_records(resource, request, parent)


def answer_record(
    resource: "Resource", request: ApiRequest, pk: str, parent: str | None = None
) -> HttpResponse:
    """Answer at the address of a record: show, update or delete it."""
    methods = resource.record_methods()
    if request.method not in methods:
        return method_not_allowed(methods)
    if request.method == "PUT":
        return change(resource, request, resource.writes["PUT"], pk, parent)
    if request.method == "DELETE":
        return delete(resource, request, pk, parent)
    return show(resource, request.token, pk, parent)


def answer_action(
    resource: "Resource", name: str, request: ApiRequest, pk: str, parent: str | None = None
) -> HttpResponse:
    action = resource.actions[name]
    if request.method != action.method:
        return method_not_allowed((action.method,))
    return change(resource, request, action, pk, parent)


def list_records(resource: "Resource", request: ApiRequest, parent: str | None) -> HttpResponse:
    """Return a page of the resource as the caller sees it."""
    text = request.META["QUERY_STRING"]
    page = PAGE.fullmatch(text)
    caller = request.token
    place = placed(caller, parent)
    try:
        query = compiled(resource, caller.side, page["query"] or "" if page else text)
        if page and (query.limit is not None or query.offset is not None):
            raise rql.BadQuery(rql.bad_page())
        limit = min(whole(page["limit"] if page else query.limit, DEFAULT_LIMIT), LIMIT)
        offset = whole(page["offset"] if page else query.offset, 0) if limit else 0
        rows = query.plan.fetch_rows(place, limit, offset) if limit else []
        # Only a full page needs a count: the total follows from any other.
        total = (
            offset + len(rows)
            if len(rows) < limit and (rows or not offset)
            else query.plan.count_rows(place)
        )
    except rql.BadQuery as problem:
        return api.error(400, "VAL_001", str(problem))
    except OperationalError as problem:
        if store.took_too_long(problem):
            return api.error(400, "VAL_001", rql.too_slow())
        raise
    if resource.parent and parent and not total and one(resource.parent, caller, parent) is None:
        return not_found(parent)
    response = api.json_response([query.build(row) for row in rows])
    response.headers["Content-Range"] = f"items {offset}-{offset + max(len(rows) - 1, 0)}/{total}"
    if resource.noted and rows:
        resource.noted(caller)
    if query.ignored:
        response.headers[IGNORED] = query.ignored
    return response


def show(
    resource: "Resource", caller: Caller, pk: str, parent: str | None = None, status: int = 200
) -> HttpResponse:
    """Return one record, or 404 if the caller's account has no such record."""
    record = one(resource, caller, pk, parent)
    if record is None:
        return not_found(pk)
    if resource.noted:
        resource.noted(caller)
    return api.json_response(record, status)


def one(
    resource: "Resource", caller: Caller, pk: str, parent: str | None = None
) -> dict[str, Any] | None:
    """Return the record as its JSON, or None if the account has no such record."""
    query = compiled(resource, caller.side, None)
    rows = query.plan.fetch_rows({**placed(caller, parent), ITSELF: pk}, 1, 0)
    return query.build(rows[0]) if rows else None


def create(resource: "Resource", request: ApiRequest, parent: str | None) -> HttpResponse:
    try:
        body = bodies.read(request)
        other = next((write for name, write in resource.instead.items() if name in body), None)
        write = other or resource.writes["POST"]
        values = bodies.clean(body, write.fields, write.required)
        with outbox.whole_change():
            made = write.run(request.token, *((parent,) if parent else ()), values)
    except ApiError as problem:
        return problem.response
    if isinstance(made, HttpResponse):
        return made
    return (
        api.json_response(made, 200 if other else 201)
        if isinstance(made, dict)
        else show(resource, request.token, made, parent, 201)
    )


def change(
    resource: "Resource", request: ApiRequest, write: "Write", pk: str, parent: str | None
) -> HttpResponse:
    """Run an update or an action in one transaction.

    The answer is the record, with whatever else the write returns.
    """
    try:
        values = bodies.clean(bodies.read(request), write.fields, write.required)
        with outbox.whole_change():
            more = write.run(request.token, locked(resource, request.token, pk, parent), values)
    except ApiError as problem:
        return problem.response
    if write.status == 204:
        return gone()
    if isinstance(more, dict):
        return api.json_response({**(one(resource, request.token, pk, parent) or {}), **more})
    return show(resource, request.token, pk, parent)


def delete(resource: "Resource", request: ApiRequest, pk: str, parent: str | None) -> HttpResponse:
    try:
        with transaction.atomic():
            resource.writes["DELETE"].run(
                request.token, locked(resource, request.token, pk, parent)
            )
    except ApiError as problem:
        return problem.response
    return gone()


def delete_listed(resource: "Resource", request: ApiRequest, parent: str | None) -> HttpResponse:
    write = resource.writes["DELETE"]
    try:
        listed = bodies.read_many(request)
        with transaction.atomic():
            write.run(
                request.token,
                parent,
                [bodies.clean(body, write.fields, write.required) for body in listed],
            )
    except ApiError as problem:
        return problem.response
    return gone()


def locked(resource: "Resource", caller: Caller, pk: str, parent: str | None) -> Any:
    """Return the record, locked until the write is over. Raises ApiError if there is none.

    The lock does not block writes of other rows that refer to the record.
    """
    record = (
        resource.visible(caller, parent)
        .select_for_update(of=("self",), no_key=True)
        .filter(resource.called(pk))
        .first()
    )
    if record is None:
        raise ApiError(no_such(pk), code="NFND_000", status=404)
    return record


# --- Errors ---------------------------------------------------------------------------------------


def no_such(pk: str) -> str:
    return _("Object `%(id)s` not found.") % {"id": pk}


def not_found(pk: str) -> HttpResponse:
    return api.error(404, "NFND_000", no_such(pk))


def gone() -> HttpResponse:
    """Return the answer to a deletion, or to an action that has no other: 204 without a body."""
    return HttpResponse(status=204, headers={"Content-Type": "application/json"})


def method_not_allowed(allowed: tuple[str, ...]) -> HttpResponse:
    response = api.error(405, "SYS_405", _("The method is not allowed here."))
    response["Allow"] = ", ".join(sorted(allowed))
    return response

"""No value that a program sends in a body is a server error."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from api import schemas
from api.resource import Resource, Write
from modules.urls import RESOURCES
from tests.modules.test_every_collection import parent_of

pytestmark = pytest.mark.django_db

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 2**63, 1e308, "", "\u202ex", "x" * 5000, "\u0661"),
    *("9999-12-31T23:59:59+00:00", "2024-02-30T25:61:61+99:99", {}, {"id": [], "name": {}}, []),
    [None, 1, [], {}, {"id": None}, {"id": {}, "quantity": 10**30, "value": {"a": [1]}}],
)


class Case(NamedTuple):
    """A write at an address."""

    method: str
    path: str
    write: Write


def cases(client: Client, resource: Resource, key: str) -> Iterator[Case]:
    """Yield all writes of a resource, those of a record at the first one that the key sees."""
    path = f"/public/v1/{resource.path}".replace("<parent>", parent_of(resource, key))
    here = {**resource.writes, **resource.instead}
    for name, write in here.items():
        if name != "PUT":
            yield Case("DELETE" if name == "DELETE" else "POST", path, write)
    for row in client.get(f"{path}?limit=1", headers={"authorization": key}).json():
        if "PUT" in resource.writes:
            yield Case("PUT", f"{path}/{row['id']}", resource.writes["PUT"])
        for name, write in resource.actions.items():
            yield Case(write.method, f"{path}/{row['id']}/{name}", write)


def put(body: Any, name: str, value: Any) -> Any:
    """Return a copy of the body with the value under the dotted name."""
    first, _dot, rest = name.partition(".")
    inside = body if isinstance(body, dict) else {}
    return {**inside, first: put(inside.get(first), rest, value) if rest else value}


WRITTEN = [
    each
    for each in RESOURCES
    if any(write.fields for write in (*each.writes.values(), *each.actions.values()))
]


@pytest.mark.parametrize("resource", WRITTEN, ids=str)
def test_no_value_of_a_body_is_a_server_error(
    demo: dict[str, str], client: Client, settings: Settings, resource: Resource
) -> None:
    settings.WRITES_PER_TOKEN = settings.WRITES_PER_ACCOUNT = 10**6
    for key in demo.values():
        for case in cases(client, resource, key):
            body = schemas.sample(schemas.body(case.write))
            names = {*case.write.fields, *(name.split(".")[0] for name in case.write.fields)}
            for sent in (put(body, name, value) for name in sorted(names) for value in VALUES):
                with transaction.atomic():
                    response = client.generic(
                        case.method,
                        case.path,
                        json.dumps(sent),
                        "application/json",
                        headers={"authorization": key},
                    )
                    transaction.set_rollback(True)
                assert response.status_code < 500, (case, sent)

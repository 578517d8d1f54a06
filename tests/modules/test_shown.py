"""Queries can ask for exactly what a record shows."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from api.resource import Resource
from api.shapes import Computed, Constant, Rows, leaves
from modules.models import Agreement
from modules.urls import RESOURCES
from tests.modules.test_every_collection import parent_of

pytestmark = pytest.mark.django_db

# A secret, which is stored sealed: the database cannot compare it.
UNFILTERED = {"jwt_secret"}


MOMENT = re.compile(r"\d{4}-\d\d-\d\dT.*")


def at(record: Any, names: Sequence[str]) -> list[Any]:
    """Return the scalars at a dotted name, also in each member of a list on the way."""
    if isinstance(record, list):
        return [value for member in record for value in at(member, names)]
    if not names:
        return [] if isinstance(record, dict) or record is None else [record]
    return (
        at(record[names[0]], names[1:]) if isinstance(record, dict) and names[0] in record else []
    )


def shown(resource: Resource, record: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Return what the record shows, by the name of the filter."""
    for name, value in leaves(resource.fields):
        if isinstance(value, Rows):
            listed: Any = at_raw(record, name.split(".")) or []
            parts = {name: listed}
            if value.by:
                parts = {name: [*listed.values()]}
                parts |= {f"{name}.{key}": part for key, part in listed.items()}
            for inside, part in parts.items():
                for member, _column in leaves(value.shape):
                    yield f"{inside}.{member}", at(part, member.split("."))
        elif not (isinstance(value, Constant) and isinstance(value.value, list | dict)):
            yield name, at(record, name.split("."))


def at_raw(record: dict[str, Any], names: Sequence[str]) -> Any:
    for name in names:
        record = record.get(name, {})
    return record


def written(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return f"'{value}'" if '"' in value else f'"{value}"'


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_a_filter_finds_the_records_that_show_the_value_and_no_other(
    demo: dict[str, str], client: Client, resource: Resource
) -> None:
    """On either side a filter reveals only what the records show, and every scalar is a filter."""
    for key in demo.values():
        headers = {"authorization": key}
        path = f"/public/v1/{resource.path}".replace("<parent>", parent_of(resource, key))
        records = client.get(f"{path}?limit=1000", headers=headers).json()
        found: dict[str, Any] = {}
        for record in records:
            for name, values in shown(resource, record):
                for value in values:
                    if value != "" and not isinstance(value, dict):
                        found.setdefault(name, {}).setdefault(value, set()).add(record["id"])
        for name, by_value in found.items():
            assert name in resource.filter_names or name in UNFILTERED, name
            if name in UNFILTERED:
                continue
            # The rarest value is the most telling.
            value = min(by_value, key=lambda each: len(by_value[each]))
            response = client.get(
                f"{path}?eq({name},{quote(written(value))})&limit=1000", headers=headers
            )
            assert response.status_code == 200, (name, value, response.content)
            assert {row["id"] for row in response.json()} == by_value[value], (name, value)


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_a_filter_under_another_name_looks_at_a_column_that_is_shown(resource: Resource) -> None:
    """Checked on the declaration: a filter looks at a column that a field shows."""
    filters = resource.filters.AT
    own = {(filters[name].column, filters[name].among is None) for name, _ in every_name(resource)}
    for name in resource.filter_names:
        assert (filters[name].column, filters[name].among is None) in own, name


def every_name(resource: Resource) -> Iterator[tuple[str, Any]]:
    for name, value in leaves(resource.fields):
        if isinstance(value, Rows):
            yield from ((f"{name}.{member}", column) for member, column in leaves(value.shape))
        elif name in resource.filters.AT:
            yield name, value


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_what_is_computed_has_no_names_inside(resource: Resource) -> None:
    """It cannot be filtered, and neither could what is inside."""
    for name, value in leaves(resource.fields):
        assert not (isinstance(value, Computed) and value.schema.get("properties")), name


def test_what_a_record_does_not_show_cannot_be_declared() -> None:
    for wrong in (
        {"also": {"secret": "account.peppers"}},
        {"search": ("account.name",)},
    ):
        with pytest.raises((KeyError, ValueError)):
            Resource(
                "x",
                None,
                lambda caller: Agreement.objects.all(),
                fields={"id": "id", "title": "title"},
                about="",
                **wrong,
            )


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_whatever_is_shown_outside_of_lists_can_be_ordered_by(
    demo: dict[str, str], client: Client, resource: Resource
) -> None:
    own = {name for name, _ in leaves(resource.fields)} & {*resource.filter_names}
    assert {"id"} <= own <= {*resource.ordering}
    for key in demo.values():
        headers = {"authorization": key}
        path = f"/public/v1/{resource.path}".replace("<parent>", parent_of(resource, key))
        for name in sorted(own):
            listed = client.get(f"{path}?limit=1000&ordering({name})", headers=headers)
            rows = listed.json()
            assert listed.status_code == 200, name
            values = [value for row in rows for value in at(row, name.split("."))]
            # Texts are in the order of the database's language.
            if all(isinstance(each, int) or MOMENT.fullmatch(str(each)) for each in values):
                assert values == sorted(values), name

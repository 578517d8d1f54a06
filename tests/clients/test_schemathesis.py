"""Schemathesis sends every operation of the OpenAPI document valid and invalid requests.

They go to a live server.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.conf import settings as django
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import one_of
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import openapi
from modules.urls import RESOURCES
from tests.clients.conftest import Api, Row, portal

EXAMPLES = 15
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


described = schemathesis.openapi.from_dict(
    json.loads(openapi.text(RESOURCES, "http://127.0.0.1/public/v1"))
)
described.config.phases.coverage.enabled = False


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Serve a portal that nothing else reads, as its data will be overwritten."""
    home = tmp_path_factory.mktemp("schemathesis")
    # The document that is tried was made in this process, and names its address.
    with portal(home, PORTAL_URL=django.PORTAL_URL) as api:
        yield api


Existing = Callable[[Case], dict[str, Any]]


@pytest.fixture(scope="module")
def existing(own: Api) -> Existing:
    """Replace three of four generated ids with those of records.

    Its own token is left alone, or it would lock itself out.
    """
    me = own.distributor.split()[1].split(":")[0]
    records: dict[str, list[Row]] = {}
    for resource in RESOURCES:
        path = resource.path.replace("<parent>", "{parent_id}")
        above = own.rows(resource.parent.path)[:20] if resource.parent else [{"id": None}]
        records[f"/{path}"] = [
            {"parent_id": parent["id"], "id": row["id"]}
            for parent in above
            for row in own.rows(path.replace("{parent_id}", str(parent["id"])))
            if me not in {row["id"], parent["id"]}
        ]

    # The lists that are always empty exist below products too.
    products = [{"parent_id": row["id"]} for row in own.rows("products")]

    def existing(case: Case) -> dict[str, Any]:
        draw = crc32(repr(case.path_parameters).encode())
        known = records[case.path.partition("/{id}")[0]] or products
        return {
            name: known[draw % len(known)][name] if draw % 4 else value
            for name, value in case.path_parameters.items()
        }

    return existing


# Not Schemathesis's own parametrize(): with pytest 9.2 all its items share one id, and pytest-xdist
# runs only one of them.
@pytest.mark.parametrize(
    "operation",
    [found.ok() for found in described.get_all_operations()],  # type: ignore[union-attr]
    ids=lambda operation: str(operation.label),
)
def test_an_operation_answers_as_described(
    operation: APIOperation[Any, Any, Any, Any], own: Api, existing: Existing
) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(one_of([operation.as_strategy(mode) for mode in GenerationMode]))
    def answers(case: Case) -> None:
        if case.path_parameters:
            case.path_parameters = existing(case)
        response = case.call_and_validate(
            base_url=own.endpoint, checks=CHECKS, headers={"Authorization": own.distributor}
        )
        # The invalid requests include a call without a key.
        assert case.meta
        assert response.status_code != 401 or case.meta.generation.mode is GenerationMode.NEGATIVE

    answers()


def test_the_document_that_is_served_is_the_one_that_was_tried(own: Api) -> None:
    served = json.loads(own.get("/public/v1/openapi.json").text)
    assert served["paths"] == described.raw_schema["paths"]

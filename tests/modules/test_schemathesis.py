"""Schemathesis reads the OpenAPI document and sends every operation what it allows and what it forbids.

The calls go through the whole portal, from its WSGI application on, with the demo's data; all is rolled back at the end.
"""

from zlib import crc32

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import Account
from modules.urls import COLLECTIONS
from portal.wsgi import application
from tests.factories import TokenFactory, header
from tokens.catalog import Module

COMPANY = "PA-063-101"
EXAMPLES = 15
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

api = schemathesis.openapi.from_wsgi("/public/v1/openapi.json", application)
api.config.phases.coverage.enabled = False


@pytest.fixture(scope="module")
def key(django_db_setup, django_db_blocker):
    """The key of a distributor's token that may reach everything."""
    # At the end of a request Django closes a connection that is in a transaction.
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("demo", verbosity=0)
        yield header(TokenFactory(account=Account.objects.get(pk=COMPANY), name="Schemathesis", modules=(Module.ALL,)))
        transaction.set_rollback(True)
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.fixture(scope="module")
def records(key, django_db_blocker):
    """The parameters of the records that the token sees, by the address of their list."""
    with django_db_blocker.unblock():
        return {"/" + each.path.replace("<parent>", "{parent_id}"): list(parameters(each)) for each in COLLECTIONS}


def parameters(collection):
    for parent in collection.parent.visible(COMPANY, None) if collection.parent else [None]:
        for record in collection.visible(COMPANY, parent and parent.pk):
            yield {"parent_id": parent and parent.pk, "id": record.pk}


def existing(case, records):
    """Three of four generated ids exchanged for those of a record."""
    draw = crc32(repr(case.path_parameters).encode())
    known = records[case.path.partition("/{id}")[0]]
    return {name: known[draw % len(known)][name] if draw % 4 else value for name, value in case.path_parameters.items()}


@pytest.mark.django_db
@api.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_an_operation_answers_as_described(case, key, records):
    if case.path_parameters:
        case.path_parameters = existing(case, records)
    case.call_and_validate(checks=CHECKS, headers={"Authorization": key})

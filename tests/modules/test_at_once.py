"""Concurrent writes: nobody waits forever, and nothing is lost."""

import json
from threading import Barrier, Thread
from time import sleep
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from modules.models import Customer
from tests.factories import AccountFactory, CustomerFactory, TokenFactory, header
from tokens.catalog import Module
from tokens.models import Token

ROUNDS = 15
TRIES = 5


def at_once(*calls: tuple[str, str, dict[str, Any]]) -> list[int]:
    """Return the statuses of callers that start together; each makes its calls one after another.

    A call that the database could not serve in time did nothing and says when to come back, so the
    callers do.
    """
    begin, statuses = Barrier(len(calls)), []

    def run(path: str, key: str, body: dict[str, Any]) -> None:
        client = Client(raise_request_exception=False)
        begin.wait()
        for _ in range(ROUNDS):
            for _ in range(TRIES):
                response = client.put(
                    f"/public/v1/{path}",
                    json.dumps(body),
                    content_type="application/json",
                    headers={"authorization": key},
                )
                if response.status_code != 503:
                    break
                sleep(float(response["Retry-After"]))
            statuses.append(response.status_code)
        connections.close_all()

    threads = [Thread(target=run, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


@pytest.mark.django_db(transaction=True)
def test_two_tokens_that_change_each_other_do_not_wait_for_ever() -> None:
    account = AccountFactory()
    one, two = (TokenFactory(account=account, modules=(Module.ALL,)) for _ in range(2))
    calls = [
        (f"auth/tokens/{target.pk}", header(caller), {"description": caller.name})
        for caller, target in ((one, two), (two, one))
    ]
    assert set(at_once(*calls)) == {200}
    assert set(Token.objects.values_list("description", flat=True)) == {one.name, two.name}


@pytest.mark.django_db(transaction=True)
def test_two_customers_that_get_the_same_reseller_do_not_wait_for_ever() -> None:
    account = AccountFactory()
    key = header(TokenFactory(account=account, modules=(Module.ALL,)))
    top = CustomerFactory(provider=account, type="reseller")
    below = [CustomerFactory(provider=account) for _ in range(2)]
    calls: list[tuple[str, str, dict[str, Any]]] = [
        (f"tier/accounts/{customer.pk}", key, {"parent": {"id": top.pk}}) for customer in below
    ]
    calls.append((f"tier/accounts/{top.pk}", key, {"name": "Top"}))
    assert set(at_once(*calls)) == {200}
    # Every change counted: none was based on an outdated copy of the row.
    assert sorted(Customer.objects.values_list("version", flat=True)) == [ROUNDS + 1] * 3


@pytest.mark.django_db(transaction=True)
def test_two_resellers_that_each_want_to_stand_below_the_other_make_no_circle() -> None:
    account = AccountFactory()
    key = header(TokenFactory(account=account, modules=(Module.ALL,)))
    one, two = (CustomerFactory(provider=account, type="reseller") for _ in range(2))
    calls = [
        (f"tier/accounts/{each.pk}", key, {"parent": {"id": other.pk}})
        for each, other in ((one, two), (two, one))
    ]
    statuses = at_once(*calls)
    assert set(statuses) == {200, 400}
    assert Customer.objects.exclude(parent=None).count() == 1

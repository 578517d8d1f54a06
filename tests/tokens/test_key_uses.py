"""Calls are counted for the key and the program that made them."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from portal.store import STOP, Stop
from tests.conftest import Call
from tests.factories import AccountFactory, TokenFactory, header
from tests.tokens.test_rotation import renewed
from tokens import uses
from tokens.models import (
    KeyUse,
    Token,
)


def programs(token: Token) -> dict[tuple[int, str], tuple[int, int, int]]:
    return {
        (use.key.version, use.agent): (use.calls, use.rehearsed, use.refused)
        for use in KeyUse.objects.filter(key__token=token).select_related("key")
    }


def write_all() -> None:
    """Write the calls that a process has counted, as if a minute had passed."""
    for key_id, each in [*uses.calls.items()]:
        for tally in each.programs.values():
            tally.written = None
        with transaction.atomic():
            uses.write(uses.take(key_id))


def test_calls_are_counted_for_the_key_and_the_program(call: Call, token: Token) -> None:
    old, new = renewed(token)
    for key, agent, count in ((old, "nightly/1.4", 3), (old, "erp/3", 1), (new, "erp/3", 2)):
        for _ in range(count):
            call("agreements", key, HTTP_USER_AGENT=agent)
    # The first call of each shows at once, the others within the minute.
    assert programs(token) == {
        (1, "nightly/1.4"): (1, 0, 0),
        (1, "erp/3"): (1, 0, 0),
        (2, "erp/3"): (1, 0, 0),
    }
    write_all()
    assert programs(token) == {
        (1, "nightly/1.4"): (3, 0, 0),
        (1, "erp/3"): (1, 0, 0),
        (2, "erp/3"): (2, 0, 0),
    }
    use = KeyUse.objects.get(agent="nightly/1.4")
    assert (use.address, use.modules) == ("127.0.0.1", ["MD-9001"])


def test_the_calls_of_a_key_before_it_was_replaced_are_counted_apart(
    call: Call, token: Token, account: Account
) -> None:
    other = TokenFactory(account=account)
    for key in (header(token), header(token), header(other)):
        call("agreements", key)
    write_all()
    old, _new = renewed(token)
    call("agreements", old)
    write_all()
    use, others = (KeyUse.objects.get(key__token=each) for each in (token, other))
    assert (use.calls, use.calls_since) == (3, 1)
    assert others.calls_since == 1


def test_refused_calls_of_an_old_key_are_counted_apart(call: Call, token: Token) -> None:
    old, _new = renewed(token)
    token.rehearse(by=None)
    call("agreements", old, HTTP_USER_AGENT="nightly/1.4")
    token.retire(by=None)
    call("agreements", old, HTTP_USER_AGENT="nightly/1.4")
    write_all()
    assert programs(token) == {(1, "nightly/1.4"): (0, 1, 1)}


def test_a_program_costs_one_write_a_minute(
    call: Call, token: Token, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = header(token)
    call("contracts", key)
    call("agreements", key)
    with django_assert_num_queries(2):
        call("agreements", key)


def test_the_programs_of_a_key_are_bounded_in_the_table_and_in_memory(
    call: Call, token: Token
) -> None:
    key = header(token)
    for number in range(3 * uses.MOST):
        call("agreements", key, HTTP_USER_AGENT=f"changing/{number}")
    write_all()
    assert KeyUse.objects.count() <= uses.MOST + 1
    assert sum(use.calls for use in KeyUse.objects.all()) == 3 * uses.MOST
    assert all(len(each.programs) <= uses.MOST + 1 for each in uses.calls.values())


def test_a_key_that_is_no_longer_called_is_written_with_the_next_call_of_another(
    call: Call, account: Account
) -> None:
    idle, busy = TokenFactory.create_batch(2, account=account)
    call("agreements", idle)
    call("agreements", idle)
    assert KeyUse.objects.get().calls == 1
    uses.calls[idle.keys.get().pk].last -= uses.EVERY
    call("agreements", busy)
    assert KeyUse.objects.get(key__token=idle).calls == 2
    assert KeyUse.objects.get(key__token=busy).calls == 1


def test_a_key_in_the_name_of_a_program_is_not_stored(call: Call, token: Token) -> None:
    key = header(token)
    call("agreements", key, HTTP_USER_AGENT=f"curl {key}")
    assert key[-40:] not in KeyUse.objects.get().agent


@pytest.mark.django_db(transaction=True)
def test_counting_waits_for_nobody_and_loses_nothing(client: Client) -> None:
    """While SQLite's only writer writes, a call is answered, and counted with the next one."""
    token = TokenFactory(account=AccountFactory())
    key, writing, done = header(token), threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_account SET name = name WHERE id = 'PA-000-000'")
            writing.set()
            done.wait(60)
        connection.close()

    def call() -> int:
        return client.get("/public/v1/agreements", headers={"authorization": key}).status_code

    writer = threading.Thread(target=write)
    writer.start()
    writing.wait(60)
    try:
        assert call() == 200
        assert not done.is_set()
    finally:
        done.set()
        writer.join()
    assert call() == 200
    write_all()
    assert KeyUse.objects.get().calls == 2


@pytest.mark.django_db(transaction=True)
def test_a_client_that_hangs_up_takes_no_count_with_it(client: Client) -> None:
    token = TokenFactory(account=AccountFactory())
    key, stop = header(token), Stop()

    def hang_up(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "tokens_keyuse" in sql:
            stop.now()
        return execute(sql, *rest)

    def call(**environ: Any) -> int:
        path = "/public/v1/agreements"
        return client.get(path, headers={"authorization": key}, **environ).status_code

    with connection.execute_wrapper(hang_up):
        assert call(**{STOP: stop}) == 200
    assert not KeyUse.objects.exists()
    if connection.vendor == "sqlite":
        patience = connection.settings_dict["OPTIONS"]["timeout"] * 1000
        for name, value in (("synchronous", 2), ("busy_timeout", patience)):
            assert connection.connection.execute(f"PRAGMA {name}").fetchone() == (value,)
    assert call() == 200
    assert KeyUse.objects.get().calls == 2

"""Every statement of a request has a time limit, and a busy database gives a 503.

The 503 means that nothing was changed.
"""

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test import Client
from pytest_django import Settings

from accounts.models import Account, User
from portal import store
from tests.conftest import Person
from tests.factories import TokenFactory, header
from tokens.catalog import Module
from tokens.models import Token

# A million steps of a recursion: seconds on any machine, and no index can shorten it.
ENDLESS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000)
SELECT COUNT(*) FROM n
"""


@pytest.fixture
def short(settings: Settings) -> None:
    settings.STATEMENT_SECONDS = 1


@contextmanager
def another_writer() -> Iterator[None]:
    """Hold what a writer needs: SQLite's only lock, or the rows of accounts and tokens."""
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                list(Account.objects.select_for_update())
                list(Token.objects.select_for_update())
                list(User.objects.select_for_update())
                holds.set()
                done.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(10)
    try:
        yield
    finally:
        done.set()
        thread.join()


def count_without_end() -> None:
    with connection.cursor() as cursor:
        cursor.execute(ENDLESS)
        cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_a_statement_without_end_is_stopped(short: None) -> None:
    with pytest.raises(store.TookTooLong), store.time_limit():
        count_without_end()


# Steps of a trial run that measures how fast this machine is at this moment.
STEPS_FOR_A_TRIAL = 300_000


def count_for(seconds: float) -> str:
    """Return a statement that keeps the database busy for about that many seconds."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(ENDLESS.replace("100000000", str(STEPS_FOR_A_TRIAL)))
        cursor.fetchall()
        rows = int(STEPS_FOR_A_TRIAL * seconds / (time.monotonic() - began))
    return ENDLESS.replace("100000000", str(rows))


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.fetchall()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "around", [nullcontext, transaction.atomic], ids=["alone", "in a transaction"]
)
def test_the_statements_of_a_block_share_their_time(
    settings: Settings, around: Callable[[], AbstractContextManager[None]]
) -> None:
    settings.STATEMENT_SECONDS = 2
    statement = count_for(0.5)
    begun = []

    def run_many() -> None:
        with store.time_limit(), around():
            # As many as it takes, if the machine was slower when it was measured.
            for _ in range(1000):
                begun.append(time.monotonic())
                run(statement)

    # Each of them would be allowed alone.
    with pytest.raises(store.TookTooLong):
        run_many()
    assert len(begun) > 1
    # The last one got the time that was left.
    assert time.monotonic() - begun[0] < 2 * settings.STATEMENT_SECONDS
    # The next block has its full time.
    with store.time_limit():
        run(count_for(0.5))


@pytest.mark.django_db(transaction=True)
def test_what_happens_between_statements_takes_none_of_their_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STATEMENT_SECONDS = 1
    now = time.monotonic()
    monkeypatch.setattr(store, "time", SimpleNamespace(monotonic=lambda: now))
    # Long enough for SQLite to look at the clock.
    statement = ENDLESS.replace("100000000", "10000")
    with store.time_limit():
        for _ in range(6):
            run(statement)
            now += 10
        run(statement)


@pytest.mark.django_db(transaction=True)
def test_a_request_whose_time_is_used_up_can_still_roll_back_and_note_something(
    short: None, account: Account
) -> None:
    with store.time_limit():
        with transaction.atomic():
            Account.objects.update(name="Not yet")
            with pytest.raises(OperationalError), transaction.atomic():
                count_without_end()
            Account.objects.update(name="Noted")
        account.refresh_from_db()
    assert account.name == "Noted"


@pytest.mark.django_db(transaction=True)
def test_quick_statements_set_the_limit_of_a_connection_once() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Only PostgreSQL is told.")
    with store.time_limit():
        User.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '7s'")
        for _ in range(5):
            with store.time_limit():
                User.objects.exists()
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("7s",)
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_limit_inside_another_one_leaves_the_outer_one_in_force(short: None) -> None:
    with store.time_limit():
        with store.time_limit():
            User.objects.exists()
        # The inner block would have raised TookTooLong; here Django's own error says the same.
        with pytest.raises(OperationalError):
            count_without_end()


@pytest.mark.django_db(transaction=True)
def test_another_thread_can_stop_the_statements_of_a_block() -> None:
    stop = store.Stop()
    threading.Timer(0.3, stop.now).start()
    began = time.monotonic()
    with pytest.raises(store.TookTooLong), store.time_limit(stop):
        count_without_end()
    assert time.monotonic() - began < settings.STATEMENT_SECONDS
    # Whoever has the connection next is not stopped, however late another stop is.
    with store.time_limit(store.Stop()):
        stop.now()
        assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_statement_begins_after_the_stop() -> None:
    stop = store.Stop()

    def write_and_go_on() -> None:
        with transaction.atomic(), store.time_limit(stop):
            Account.objects.create(name="Undone")
            stop.now()
            User.objects.exists()

    with pytest.raises(store.TookTooLong):
        write_and_go_on()
    assert not Account.objects.filter(name="Undone").exists()


@pytest.mark.django_db
def test_the_limit_holds_inside_of_a_transaction(short: None) -> None:
    with pytest.raises(store.TookTooLong), transaction.atomic(), store.time_limit():
        count_without_end()


@pytest.mark.django_db(transaction=True)
def test_a_page_that_cannot_write_says_busy_and_changes_nothing(
    short_wait: None, michael: Person, token: Token
) -> None:
    michael.client.raise_request_exception = False
    with another_writer():
        response = michael.client.post(f"/integrations/tokens/{token.pk}/disable/")
    assert response.status_code == 503
    assert response["Retry-After"] == "2"
    assert b"Nothing was changed" in response.content
    token.refresh_from_db()
    assert token.status == Token.Status.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_a_call_that_cannot_write_says_busy_and_changes_nothing(
    short_wait: None, client: Client, account: Account
) -> None:
    key = header(TokenFactory(account=account, modules=(Module.ALL,)))
    client.raise_request_exception = False
    body = {"name": "Another", "extension": {"id": "EXT-000"}}
    with another_writer():
        answer = client.post(
            "/public/v1/auth/tokens", body, "application/json", headers={"authorization": key}
        )
    assert answer.status_code == 503
    assert answer["Retry-After"] == "2"
    assert answer.json()["error_code"] == "SYS_503"
    assert not Token.objects.filter(name="Another").exists()


def test_collected_garbage_never_waits_for_the_connection_of_another_thread(
    transactional_db: None,
) -> None:
    """Else a writer that collects waits for the very connection that waits for it to commit."""
    if connection.vendor != "sqlite":
        pytest.skip("A connection to PostgreSQL is not locked while it waits.")
    refused, waiting = threading.Event(), threading.Event()
    outcome: list[str] = []

    def be_refused_and_then_wait() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout = 0")
                with pytest.raises(OperationalError), transaction.atomic():
                    pass
                refused.set()
                cursor.execute("PRAGMA busy_timeout = 8000")
            waiting.set()
            with transaction.atomic():
                outcome.append("wrote")
        except OperationalError as problem:
            outcome.append(str(problem))
        finally:
            connection.close()

    gc.disable()
    thread = threading.Thread(target=be_refused_and_then_wait)
    try:
        with transaction.atomic():
            thread.start()
            assert refused.wait(10)
            assert waiting.wait(10)
            time.sleep(0.5)  # so that BEGIN is being waited for
            gc.collect()
    finally:
        gc.enable()
        thread.join()
    assert outcome == ["wrote"]


@pytest.mark.django_db(transaction=True)
def test_a_call_that_reads_is_answered_while_somebody_writes(
    short_wait: None, client: Client, account: Account
) -> None:
    key = header(TokenFactory(account=account, modules=(Module.AGREEMENTS,)))
    with another_writer():
        answer = client.get("/public/v1/agreements", headers={"authorization": key})
    assert answer.status_code == 200


@pytest.fixture
def short_wait(settings: Settings, transactional_db: None) -> Iterator[None]:
    """Let a writer wait for only a second, on a connection made with that limit."""
    settings.STATEMENT_SECONDS = 1
    connection.close()
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["timeout"], before = (
            1,
            connection.settings_dict["OPTIONS"]["timeout"],
        )
    yield
    connection.close()
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["timeout"] = before


def test_a_mistake_in_a_statement_is_not_called_busy(db: None) -> None:
    with pytest.raises(DatabaseError) as raised, transaction.atomic():
        User.objects.extra(tables=["nothing_of_the_kind"]).exists()
    assert not store.is_busy(raised.value)

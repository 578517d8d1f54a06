"""A database that is away, takes nothing more or does not answer, while a worker delivers."""

import ctypes
import os
import resource
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from tests.webhooks.engine.conftest import deliver, happen, seen
from tests.webhooks.engine.receiver import Receiver, Reply, speaking
from tests.webhooks.engine.test_running import all_delivered, until, url_of_database, working
from webhooks.models import Attempt, Delivery, DeliveryWorker, Webhook

pytestmark = pytest.mark.django_db(transaction=True)

# Longer than a connection to SQLite waits for a lock.
SECONDS = 7


@contextmanager
def away() -> Iterator[None]:
    """Let nobody write for some seconds, and end the worker's connections again and again."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            time.sleep(SECONDS)
            other.rollback()
        return
    own = connection.cursor().connection.info.backend_pid
    with psycopg.connect(url_of_database(), autocommit=True) as other:
        yield
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid NOT IN (%s, pg_backend_pid())",
                [own],
            )
            time.sleep(0.05)


def test_a_database_that_is_away_loses_nothing_and_ends_no_worker(
    webhook: Webhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(after=0.05)
    deliveries = happen(webhook, 60)
    with working() as process:
        until(lambda: len(receiver.calls) > 10)
        with away():
            pass
        until(all_delivered)
        assert process.poll() is None
        assert DeliveryWorker.is_running()
    assert set(receiver.ids) == {each.pk for each in deliveries}
    # What it had sent it wrote down later, rather than sending it again.
    assert len(receiver.ids) <= 60 + 8
    assert Attempt.objects.filter(outcome="ok").count() == 60


# --- A database that takes nothing ----------------------------------------------------------------


class Watched:
    """A worker and the lines of its log."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.said: list[str] = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        assert self.process.stderr
        with self.process.stderr as lines:
            for line in lines:
                self.said.append(line.decode())

    def says(self, words: str) -> None:
        """Wait until it says something."""
        until(lambda: any(words in line for line in self.said), 15)


@contextmanager
def watched(*program: str, **options: Any) -> Iterator[Watched]:
    options |= {"stderr": subprocess.PIPE, "preexec_fn": bow_to_modes}
    with working(*program, **options) as process:
        yield Watched(process)


def bow_to_modes() -> None:
    """Let the modes of files hold for a process of root as well."""
    drop, override = 24, 1
    ctypes.CDLL(None).prctl(drop, override, 0, 0, 0)


@contextmanager
def read_only(worker: Watched) -> Iterator[None]:
    """Let the database only be read, as after an operator's mistake or on a standby server."""
    if connection.vendor == "sqlite":
        name = connection.settings_dict["NAME"]
        try:
            # Whoever has opened the file goes on writing, until its connection is lost.
            with closing(sqlite3.connect(name)) as other:
                other.execute("BEGIN IMMEDIATE")
                os.chmod(name, 0o444)
                worker.says("database is locked")
                other.rollback()
            yield
        finally:
            os.chmod(name, 0o644)
        return
    with server() as other:
        name = connection.settings_dict["NAME"]
        try:
            other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            cut_off(other)
            yield
        finally:
            other.execute("SET default_transaction_read_only = off")
            other.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            cut_off(other)


@contextmanager
def full(worker: Watched) -> Iterator[None]:
    """Let the worker write nothing more to the disk."""
    if connection.vendor == "sqlite":
        pid = worker.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        return
    with server() as other:
        other.execute(
            """
            CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100';
            END $$;
            CREATE TRIGGER no_space BEFORE UPDATE ON webhooks_delivery EXECUTE FUNCTION no_space()
            """
        )
        try:
            yield
        finally:
            other.execute("DROP FUNCTION no_space CASCADE")


@contextmanager
def server() -> Iterator["psycopg.Connection"]:
    with psycopg.connect(url_of_database(), autocommit=True) as other:
        yield other


def cut_off(other: "psycopg.Connection") -> None:
    """End all connections to the database but this one and the test's own."""
    own = connection.cursor().connection.info.backend_pid
    other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid NOT IN (%s, pg_backend_pid())",
        [own],
    )


REFUSALS = {
    "sqlite": ("attempt to write a readonly database", "disk I/O error"),
    "postgresql": ("cannot execute", "No space left on device"),
}


@pytest.mark.parametrize(("fault", "number"), [(read_only, 0), (full, 1)])
def test_a_database_that_takes_nothing_ends_no_worker_and_repeats_no_call(
    webhook: Webhook,
    receiver: Receiver,
    fault: Callable[[Watched], AbstractContextManager[None]],
    number: int,
) -> None:
    receiver.reply = Reply(after=1)
    deliveries = happen(webhook, 30)
    with watched() as worker:
        until(lambda: receiver.calls)
        with fault(worker):
            worker.says(f"The database refused the worker: {REFUSALS[connection.vendor][number]}")
            until(lambda: not receiver.busy)
            sent = len(receiver.calls)
            # Nothing is begun that could not be written down.
            time.sleep(2.5)
            assert len(receiver.calls) == sent
            assert Delivery.objects.filter(state="delivered").count() < 30
            assert worker.process.poll() is None
        receiver.reply = Reply()
        until(all_delivered)
        assert not any("Traceback" in line for line in worker.said)
    assert sorted(receiver.ids) == sorted(each.pk for each in deliveries)
    assert Attempt.objects.filter(outcome="ok").count() == 30


# --- A database that does not answer --------------------------------------------------------------


class Hole:
    """A way to the database on which everything can vanish."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.is_open = threading.Event()
        self.is_open.set()
        self.links: list[socket.socket] = []

    def carry(self, near: socket.socket) -> None:
        """Connect somebody to the database."""
        with socket.create_connection(self.target) as far:
            self.links += [near, far]
            back = threading.Thread(target=self.pour, args=(far, near), daemon=True)
            back.start()
            self.pour(near, far)
            back.join()

    def pour(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError), ExitStack() as ended:
            for each in (source, sink):
                ended.callback(end_of, each)
            while data := source.recv(65536):
                self.is_open.wait()
                sink.sendall(data)

    def cut(self) -> None:
        for each in self.links:
            end_of(each)


def end_of(link: socket.socket) -> None:
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)


@contextmanager
def hole() -> Iterator[tuple[Hole, str]]:
    """Return a way to the database of the test, and its URL."""
    url = urlsplit(url_of_database())
    made = Hole((url.hostname or "", url.port or 5432))
    with speaking(made.carry) as address:
        yield made, url._replace(netloc=f"{url.username}@{urlsplit(address).netloc}").geturl()
        made.is_open.set()
        made.cut()


@pytest.mark.parametrize("is_cut", [False, True], ids=["resumes", "is cut"])
def test_a_database_that_does_not_answer_ends_no_worker(
    webhook: Webhook, receiver: Receiver, is_cut: bool
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("No network leads to a file.")
    receiver.reply = Reply(after=0.1)
    deliveries = happen(webhook, 60)
    with hole() as (way, url), watched(database=url) as worker:
        until(lambda: len(receiver.calls) > 10)
        way.is_open.clear()
        until(lambda: not receiver.busy)
        sent = len(receiver.calls)
        time.sleep(2)
        past = timezone.now() - timedelta(seconds=40)
        DeliveryWorker.objects.update(seen_at=past)
        assert not DeliveryWorker.is_running()
        assert len(receiver.calls) == sent
        assert worker.process.poll() is None
        if is_cut:
            way.cut()
        way.is_open.set()
        until(all_delivered)
        until(DeliveryWorker.is_running)
        assert worker.process.poll() is None
        if is_cut:
            worker.says("The database refused the worker")
    assert set(receiver.ids) == {each.pk for each in deliveries}
    # What it had sent it wrote down later, rather than sending it again.
    assert len(receiver.ids) <= 60 + 8
    assert Attempt.objects.filter(outcome="ok").count() == 60


# --- What it refuses ------------------------------------------------------------------------------


@pytest.fixture
def no_storm() -> Iterator[None]:
    """Have the database refuse one answer."""
    # SQLite adds no checks to a table.
    refuse, forget = {
        "sqlite": (
            """
            CREATE TRIGGER no_storm BEFORE INSERT ON webhooks_attempt WHEN NEW.answer = 'storm'
            BEGIN SELECT RAISE(ABORT, 'no storm'); END
            """,
            "DROP TRIGGER no_storm",
        ),
        "postgresql": (
            "ALTER TABLE webhooks_attempt ADD CONSTRAINT no_storm CHECK (answer <> 'storm')",
            "ALTER TABLE webhooks_attempt DROP CONSTRAINT no_storm",
        ),
    }[connection.vendor]
    connection.cursor().execute(refuse)
    yield
    connection.cursor().execute(forget)


def test_an_answer_that_cannot_be_stored_is_left_out_and_the_event_not_sent_again(
    webhook: Webhook, receiver: Receiver, no_storm: None, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.reply = Reply(200, body=b"storm")
    first, second = happen(webhook, 2)
    deliver()
    assert sorted(receiver.ids) == sorted([first.pk, second.pk])
    for delivery in (first, second):
        assert seen(delivery).state == Delivery.State.DELIVERED
        attempt = Attempt.objects.get(delivery=delivery)
        assert (attempt.outcome, attempt.code, attempt.answer) == ("ok", 200, "")
        assert "could not be stored" in attempt.note
        assert f"What came of {delivery.pk} cannot be stored." in caplog.messages

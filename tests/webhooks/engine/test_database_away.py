"""A database that is away for seconds, while a worker delivers."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from django.db import connection

from tests.webhooks.engine.conftest import happen
from tests.webhooks.engine.receiver import Receiver, Reply
from tests.webhooks.engine.test_running import all_delivered, until, url_of_database, working
from webhooks.models import Attempt, DeliveryWorker, Webhook

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

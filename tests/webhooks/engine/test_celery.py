"""Celery's workers deliver too. The broker only nudges them; it may lose everything."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from portal.environment import read_broker
from tests import brokers
from tests.brokers import BROKERS
from tests.server import ROOT, clean, free_port
from tests.webhooks.engine.conftest import happen
from tests.webhooks.engine.receiver import Receiver, Reply
from tests.webhooks.engine.test_running import all_delivered, until, url_of_database
from webhooks import nudges
from webhooks.models import Delivery, DeliveryWorker, Webhook

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    with brokers.broker(request.param) as url:
        yield url


@contextmanager
def celery(broker: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run Celery's worker with beat on the database of the test, as docs/operations.md says."""
    names = ("SECRET_KEY", "TOKEN_PEPPERS", "TOKEN_SEALING_KEYS", "PYTHONPATH")
    given = {name: os.environ[name] for name in names if name in os.environ}
    env = {**clean(), **given, "DEMO": "on", "ENV_FILE": os.devnull, "BROKER_URL": broker}
    arguments = "-A webhooks.broker worker --beat -c 2 --without-gossip --without-mingle"
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", *arguments.split()],
        cwd=ROOT,
        env={**env, "DATABASE_URL": url_of_database()},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill Celery with all its processes at once."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_killed_worker_loses_nothing(webhook: Webhook, receiver: Receiver, broker: str) -> None:
    receiver.reply = Reply(after=0.02)
    deliveries = happen(webhook, 60)
    with celery(broker) as process:
        until(lambda: len(receiver.calls) > 10)
        end(process)
    left = Delivery.objects.filter(state="pending", claimed_by__gt="")
    left.update(due_at=deliveries[0].created_at)
    with celery(broker) as process:
        until(all_delivered)
        # What it says of itself on the pages.
        assert DeliveryWorker.is_running()
        # Asked to end, it ends.
        process.terminate()
        assert process.wait(timeout=60) == 0
    assert set(receiver.ids) == {each.pk for each in deliveries}
    assert len(receiver.ids) <= 60 + 16
    assert receiver.most_busy <= 8


def test_a_broker_that_was_away_and_forgot_everything_loses_nothing(
    webhook: Webhook, receiver: Receiver
) -> None:
    port = free_port()
    with celery(f"redis://127.0.0.1:{port}/0"):
        with brokers.redis(port):
            happen(webhook)
            until(all_delivered)
        happen(webhook, 5)
        with brokers.redis(port):
            until(all_delivered, 20)
    assert len(receiver.calls) == 6


def test_a_change_nudges_the_workers(webhook: Webhook, settings: Settings) -> None:
    from webhooks.broker import app

    with brokers.redis() as url:
        settings.BROKER_URL = app.conf.broker_url = url
        with app.connection_for_write() as connection:
            queue = connection.SimpleQueue("webhooks")
            happen(webhook)
            assert queue.get(timeout=20).headers["task"] == "webhooks.drain"
            queue.close()


def test_a_broker_that_is_away_neither_delays_nor_fails_a_change(
    webhook: Webhook, settings: Settings
) -> None:
    settings.BROKER_URL = "redis://127.0.0.1:1/0"
    assert happen(webhook)
    assert nudges.sender
    assert nudges.sender.daemon


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://host/", "redis://", "kafka://host"])
def test_a_broker_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("BROKER_URL", url)
    with pytest.raises(ImproperlyConfigured, match="BROKER_URL must look like"):
        read_broker()

"""Celery's workers deliver too. The broker only nudges them; it may lose everything."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from portal.environment import read_broker
from tests.server import ROOT, clean
from tests.webhooks.engine.conftest import happen
from tests.webhooks.engine.receiver import Receiver, Reply
from tests.webhooks.engine.test_running import all_delivered, until, url_of_database
from webhooks import nudges
from webhooks.models import Delivery, DeliveryWorker, Webhook

pytest.importorskip("celery")
pytestmark = pytest.mark.django_db(transaction=True)

BROKERS = {
    6379: "redis://127.0.0.1:6379/9",
    5672: "amqp://guest:guest@127.0.0.1:5672//",
}


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=BROKERS, ids=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> str:
    if not answers(request.param):
        pytest.skip(f"No broker on port {request.param}.")
    return BROKERS[request.param]


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
    webhook: Webhook, receiver: Receiver, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    @contextmanager
    def redis() -> Iterator[None]:
        options = f"--port {port} --bind 127.0.0.1 --save  --appendonly no".split(" ")
        server = subprocess.Popen(["redis-server", *options], cwd=tmp_path)
        try:
            until(lambda: answers(port))
            yield
        finally:
            server.kill()
            server.wait()

    with celery(f"redis://127.0.0.1:{port}/0"):
        with redis():
            happen(webhook)
            until(all_delivered)
        happen(webhook, 5)
        with redis():
            until(all_delivered, 20)
    assert len(receiver.calls) == 6


@pytest.mark.skipif(not answers(6379), reason="No broker on port 6379.")
def test_a_change_nudges_the_workers(webhook: Webhook, settings: Settings) -> None:
    from webhooks.broker import app

    settings.BROKER_URL = app.conf.broker_url = BROKERS[6379]
    with app.connection_for_write() as connection:
        queue = connection.SimpleQueue("webhooks")
        queue.clear()
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

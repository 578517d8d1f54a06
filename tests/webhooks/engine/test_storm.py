"""The storm: events for many endpoints, two of them dead and one slow, while everything is killed.

`make storm` runs it with 5,000 events and more kills. Events are made by calls of the API; whatever
the portal has confirmed must arrive, however often its server and its workers end in between.
"""

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account
from tests import brokers
from tests.brokers import BROKERS
from tests.factories import TokenFactory, header
from tests.server import ROOT, clean, collect_static_files, free_port
from tests.webhooks.engine.conftest import MakeWebhook
from tests.webhooks.engine.receiver import Receiver, Reply, receiving
from tests.webhooks.engine.test_celery import celery, end
from tests.webhooks.engine.test_running import until, url_of_database, working
from tokens.catalog import Module
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = int(os.environ.get("STORM", "120"))
ENDPOINTS, CLIENTS = 20, 4
KILLS = max(1, EVENTS // 400)
SLOW = 1.0 if EVENTS > 1000 else 0.1
SECONDS = 900 if EVENTS > 1000 else 120


class Storm:
    """Clients that make events through the API, and go on when the server is gone."""

    def __init__(self, webhooks: list[str], key: str) -> None:
        self.webhooks, self.key = webhooks, key
        self.port = free_port()
        self.lock = threading.Lock()
        self.begun = 0
        # How many events of each webhook the portal has confirmed.
        self.confirmed: Counter[str] = Counter()

    @contextmanager
    def raging(self) -> Iterator[None]:
        clients = [threading.Thread(target=self.make, daemon=True) for _ in range(CLIENTS)]
        for each in clients:
            each.start()
        yield
        for each in clients:
            each.join(SECONDS)

    def make(self) -> None:
        while True:
            with self.lock:
                if self.begun >= EVENTS:
                    return
                self.begun += 1
                webhook = self.webhooks[self.begun % len(self.webhooks)]
            while not self.trigger(webhook):
                time.sleep(0.1)
            with self.lock:
                self.confirmed[webhook] += 1

    def trigger(self, webhook: str) -> bool:
        path = f"/public/v1/notifications/webhooks/{webhook}/trigger"
        headers = {"Authorization": self.key, "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            connection.request("POST", path, b"{}", headers)
            with connection.getresponse() as answer:
                answer.read()
            # While the database is locked, it asks to come back.
            assert answer.status in {200, 204, 503}, answer.status
            return answer.status != 503
        return False


@contextmanager
def serving(port: int, *, deliver: bool) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the portal on the database of the test, with a worker beside it or without one."""
    names = ("SECRET_KEY", "TOKEN_PEPPERS", "TOKEN_SEALING_KEYS")
    limits = dict.fromkeys(("WRITES_PER_TOKEN", "WRITES_PER_ACCOUNT"), "1000000")
    env = {**clean(), **limits, **{name: os.environ[name] for name in names}, "DEMO": "on"}
    env |= {"ENV_FILE": os.devnull, "DATABASE_URL": url_of_database(), "PORT": str(port)}
    env |= {"WORKERS": "1", "DELIVER": "on" if deliver else "off"}
    collect_static_files(env)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"], cwd=ROOT, env=env, start_new_session=True
    )
    try:
        yield process
    finally:
        end(process)


@contextmanager
def engine(url: str, port: int) -> Iterator[None]:
    """Run the server and the workers; kill all of them at the end."""
    with ExitStack() as running:
        running.enter_context(serving(port, deliver=not url))
        running.enter_context(celery(url) if url else working())
        yield


@pytest.fixture(params=["loop", *BROKERS])
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of the broker, or nothing for our own loop."""
    if request.param == "loop":
        yield ""
        return
    if request.param == "rabbitmq" and EVENTS < 1000:
        pytest.skip("The short storm does without the second broker.")
    with brokers.broker(request.param) as url:
        yield url


def test_nothing_is_lost_in_a_storm(
    account: Account, make_webhook: MakeWebhook, receiver: Receiver, broker: str
) -> None:
    with receiving() as slow, socket.create_server(("127.0.0.1", 0), backlog=0) as stuck:
        slow.reply = Reply(after=SLOW)
        dead = [f"http://127.0.0.1:{stuck.getsockname()[1]}/", "http://127.0.0.1:9/"]
        urls = [*dead, slow.url, *[receiver.url] * (ENDPOINTS - 3)]
        webhooks = [make_webhook(url).pk for url in urls]
        token = TokenFactory(account=account, modules=(Module.INTEGRATIONS,))
        storm = Storm(webhooks, header(token))
        began = time.monotonic()
        with storm.raging():
            for number in range(1, KILLS + 1):
                with engine(broker, storm.port):
                    share = EVENTS * number // (KILLS + 1)
                    until(lambda share=share: storm.confirmed.total() >= share, SECONDS)  # type: ignore[misc]
                lease_ends()
            with engine(broker, storm.port):
                until(lambda: storm.confirmed.total() == EVENTS, SECONDS)
                until(lambda: not unfinished(webhooks[2:]), SECONDS)
        told(storm, webhooks[2:], receiver.ids + slow.ids, time.monotonic() - began)


def lease_ends() -> None:
    """Let a minute pass for what the killed workers had claimed."""
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.exclude(claimed_by="").update(due_at=past)


def unfinished(webhooks: list[str]) -> int:
    return Delivery.objects.filter(webhook__in=webhooks).exclude(state="delivered").count()


def told(storm: Storm, living: list[str], arrived: list[str], seconds: float) -> None:
    """Check that everything arrived, and print how often."""
    rows = Delivery.objects.filter(webhook__in=living)
    for webhook in living:
        assert rows.filter(webhook=webhook).count() >= storm.confirmed[webhook]
    wanted = set(rows.values_list("pk", flat=True))
    assert set(arrived) == wanted
    repeats = len(arrived) - len(wanted)
    # Of each kill, what was in flight or not yet written down.
    assert repeats <= KILLS * (len(living) * 8 + 64)
    print(  # noqa: T201
        f"\n{EVENTS:,} events, {KILLS} kills of everything in {seconds:.0f} s: {len(wanted):,} "
        f"deliveries to {len(living)} living endpoints, 0 lost, {repeats:,} repeated"
    )

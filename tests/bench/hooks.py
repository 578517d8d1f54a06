"""How fast webhooks are delivered, by each engine."""

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from accounts.models import Account
from tests.bench.server import HOST, ROOT, cpu_of, family
from webhooks.catalog import ObjectClass
from webhooks.models import Delivery, DeliveryWorker, Webhook, WebhookEvent
from webhooks.outbox import queue

ENDPOINTS, ACCOUNTS = 20, 4
# Deliveries that wait when an engine begins.
BACKLOG = 4000
# Those of the engine with a task for each, which takes far longer.
NAIVE_BACKLOG = 1000
# Seconds of each run with a steady rate, and deliveries a second when next to nothing happens.
STEADY, IDLE_RATE = 5, 10
# The rate for comparing how neighbours of dead and slow endpoints fare, and how often both cases
# take turns: the slowest hundredth of a run is few deliveries, so one pause of the machine decides.
NEIGHBOUR_RATE, TURNS = 100, 5
REDIS = "redis://127.0.0.1:6379/8"
OPTIONS = ["--without-gossip", "--without-mingle"]


class Engine(NamedTuple):
    name: str
    command: list[str]
    needs_broker: bool = False
    # Whether it has a task for each delivery, rather than looking at the rows.
    is_naive: bool = False


CELERY = ["-m", "celery", "-A"]
ENGINES = (
    Engine("manage.py deliver", ["manage.py", "deliver"]),
    Engine(
        "Celery, drain",
        [*CELERY, "webhooks.broker", "worker", "--beat", "-c", "2", *OPTIONS],
        needs_broker=True,
    ),
    Engine(
        "Celery, task each",
        [*CELERY, "tests.bench.naive", "worker", "-c", "4", *OPTIONS],
        is_naive=True,
    ),
)


class Process:
    """An engine that runs, with all its processes."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    def cpu(self) -> float:
        return sum(map(cpu_of, family(self.process.pid)))

    def memory(self) -> float:
        """Return the resident memory of all processes, in MB; what they share counts each time."""
        return sum(map(memory_of, family(self.process.pid)))


def memory_of(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


@contextmanager
def process(arguments: list[str], **more: str) -> Iterator["subprocess.Popen[bytes]"]:
    started = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **more},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()


class Bench:
    """Endpoints and the webhooks that call them."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.webhooks: list[Webhook] = []
        self.is_naive = False

    def make(self, dead: str = "") -> None:
        """Make the webhooks anew, 20 of 4 companies; with a dead address, two are bad."""
        for each in Webhook.objects.all():
            each.remove(by=None)
        WebhookEvent.objects.all().delete()
        urls = [f"http://{HOST}:{self.port}/{number}" for number in range(ENDPOINTS)]
        if dead:
            urls[0], urls[7] = dead, f"http://{HOST}:{self.port}/slow"
        companies = [
            Account.objects.get_or_create(id=f"VA-900-90{number}", name=f"Company {number}")[0]
            for number in range(ACCOUNTS)
        ]
        self.webhooks = [
            Webhook.create(
                account=companies[number % ACCOUNTS],
                by=None,
                label=f"Endpoint {number}",
                object_class=ObjectClass.TOKEN,
                external_url=url,
            )
            for number, url in enumerate(urls)
        ]

    def happen(self, number: int) -> str:
        """Make one event with its delivery, as a change does; return its id."""
        webhook = self.webhooks[number % ENDPOINTS]
        event = WebhookEvent.objects.create(
            account_id=webhook.account_id,
            object_class=webhook.object_class,
            action="edited",
            object_id=f"SU-{number}",
        )
        key = str(queue(event, [webhook])[0].pk)
        if self.is_naive:
            # Only this benchmark of all needs Celery.
            from tests.bench.naive import deliver

            transaction.on_commit(lambda: deliver.delay(key))
        return key

    def arrived(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://{HOST}:{self.port}/arrived", timeout=20) as answer:
            found: dict[str, float] = json.load(answer)
        return found


@contextmanager
def running(engine: Engine) -> Iterator[Process]:
    """Run an engine and yield once it delivers."""
    with process(engine.command) as started:
        end = time.monotonic() + 60
        while not DeliveryWorker.objects.exists() and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(2)
        yield Process(started)
    DeliveryWorker.objects.all().delete()


# --- What is measured -----------------------------------------------------------------------------


class Drained(NamedTuple):
    rate: float
    cpu: float
    memory: float


def drain(bench: Bench, engine: Engine) -> Drained:
    """Let a backlog be delivered."""
    count = NAIVE_BACKLOG if engine.is_naive else BACKLOG
    bench.make()
    Webhook.objects.update(active=False)
    with running(engine) as process:
        bench.arrived()
        before, began = process.cpu(), time.time()
        with transaction.atomic():
            keys = [bench.happen(number) for number in range(count)]
        if not engine.is_naive:
            before, began = process.cpu(), time.time()
        Webhook.objects.update(active=True)
        wait(lambda: not Delivery.objects.unfinished().exists(), 300)
        memory, used = process.memory(), process.cpu() - before
        times = bench.arrived()
    assert set(times) == set(keys), f"{len(set(keys) - set(times))} did not arrive"
    return Drained(count / (max(times.values()) - began), used / count * 1000, memory)


def steady(
    bench: Bench, engine: Engine, rate: float, *, but: tuple[int, ...] = ()
) -> tuple[float, float]:
    """Make events at a rate; return the median and the 99th percentile of ms until they arrive.

    Endpoints that are left out get events too.
    """
    committed: dict[str, float] = {}
    bench.arrived()
    began = time.monotonic()
    count = round(rate * STEADY)
    for number in range(count):
        time.sleep(max(began + number / rate - time.monotonic(), 0))
        with transaction.atomic():
            key = bench.happen(number)
        if number % ENDPOINTS not in but:
            committed[key] = time.time()
    times: dict[str, float] = {}

    def complete() -> bool:
        times.update(bench.arrived())
        return set(committed) <= set(times)

    wait(complete, 300)
    delays = [max(times[key] - at, 0) * 1000 for key, at in committed.items()]
    return statistics.median(delays), statistics.quantiles(delays, n=100)[98]


def wait(check: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            sys.exit("What was sent did not arrive in time.")
        time.sleep(0.1)


def measure() -> None:
    call_command("migrate", verbosity=0)
    with ExitStack() as stack:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        stack.enter_context(process(["-m", "tests.bench.receiver", str(port)]))
        # Nothing accepts these connections, and nothing refuses them.
        stuck = stack.enter_context(socket.create_server((HOST, 0), backlog=0))
        time.sleep(1)
        bench, dead = Bench(port), f"http://{HOST}:{stuck.getsockname()[1]}/"
        print(f"\nWebhooks to {ENDPOINTS} endpoints that answer in 5 ms, {connection.vendor}")
        print(f"  {'':20}{'a second':>9}{'CPU ms':>8}{'MB':>6}", end="")
        print(
            f"{'idle: ms, p99':>16}{'half load: ms, p99':>22}"
            f"{'healthy: p99':>14}{'with bad: p99':>15}   load"
        )
        for engine in ENGINES:
            os.environ["BROKER_URL"] = REDIS if engine.needs_broker else ""
            settings.BROKER_URL = os.environ["BROKER_URL"]
            print(f"  {engine.name:20}{told(bench, engine, dead)}")


def told(bench: Bench, engine: Engine, dead: str) -> str:
    bench.is_naive = engine.is_naive
    drained = drain(bench, engine)
    bench.make()
    half = min(drained.rate / 2, 250)
    with running(engine):
        idle, loaded = steady(bench, engine, IDLE_RATE), steady(bench, engine, half)
        healthy, bad = neighbours(bench, engine, min(NEIGHBOUR_RATE, half), dead)
    return (
        f"{drained.rate:9,.0f}{drained.cpu:8.2f}{drained.memory:6.0f}"
        f"{idle[0]:9,.0f},{idle[1]:6,.0f}{half:8,.0f}/s:{loaded[0]:5,.0f},{loaded[1]:5,.0f}"
        f"{healthy:14,.0f}{bad:15,.0f}   {os.getloadavg()[0]:.1f}"
    )


def neighbours(bench: Bench, engine: Engine, rate: float, dead: str) -> tuple[float, float]:
    """Return the medians of the 99th percentiles of 18 endpoints: two more healthy, or not."""
    found: dict[str, list[float]] = {"": [], dead: []}
    turns = 1 if engine.is_naive else TURNS
    for _ in range(turns):
        for case, delays in found.items():
            bench.make(case)
            delays.append(steady(bench, engine, rate, but=(0, 7))[1])
    healthy, bad = map(statistics.median, found.values())
    return healthy, bad

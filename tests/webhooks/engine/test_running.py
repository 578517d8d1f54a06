"""Workers as processes: beside the server, several at once, and killed in the middle."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.server import ROOT, clean, database, environment, served
from tests.webhooks.engine.conftest import MakeWebhook, happen, seen
from tests.webhooks.engine.receiver import Receiver, Reply
from webhooks.models import Attempt, Delivery, Webhook

pytestmark = pytest.mark.django_db(transaction=True)

# Only a test that fails takes so long; a busy machine may need most of it.
SECONDS = 180


def until(check: Callable[[], Any], seconds: float = SECONDS) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.05)
    pytest.fail("It did not happen in time.")


def url_of_database() -> str:
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    given = psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    return f"postgres://{given['user']}@{given['host']}:{given.get('port', 5432)}/{name}"


@contextmanager
def working(
    *program: str, before: Sequence[str] = (), database: str = "", **options: Any
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker on the database of the test."""
    secrets = {
        name: os.environ[name] for name in ("SECRET_KEY", "TOKEN_PEPPERS", "TOKEN_SEALING_KEYS")
    }
    env = {**clean(), **secrets, "DEMO": "on", "ENV_FILE": os.devnull}
    process = subprocess.Popen(
        [*before, sys.executable, *(program or ("manage.py", "deliver"))],
        cwd=ROOT,
        env={**env, "DATABASE_URL": database or url_of_database()},
        **options,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def all_delivered() -> bool:
    return not Delivery.objects.exclude(state="delivered").exists()


def test_a_killed_worker_loses_nothing(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(after=0.05)
    deliveries = happen(webhook, 60)
    with working() as process:
        until(lambda: len(receiver.calls) > 10)
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = Delivery.objects.filter(state="pending", claimed_by__gt="")
    assert left.exists()
    left.update(due_at=left[0].created_at)
    with working():
        until(all_delivered)
    assert set(receiver.ids) == {each.pk for each in deliveries}
    # At most what was in flight, or not yet written down, arrives twice.
    assert len(receiver.ids) <= 60 + 16
    assert Attempt.objects.filter(outcome="worker_lost").exists()


def test_two_workers_send_nothing_twice_and_keep_to_the_slots(
    webhook: Webhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(after=0.01)
    deliveries = happen(webhook, 100)
    with working(), working():
        until(all_delivered)
    assert sorted(receiver.ids) == sorted(each.pk for each in deliveries)
    assert receiver.most_busy <= 8


def test_a_worker_that_is_asked_to_end_finishes_its_calls(
    webhook: Webhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(after=0.5)
    happen(webhook, 20)
    with working() as process:
        until(lambda: receiver.calls)
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert len(receiver.calls) == 8
    assert Delivery.objects.filter(state="delivered").count() == 8
    assert not Delivery.objects.exclude(claimed_by="").exists()


def test_a_worker_loads_neither_pages_nor_the_admin_nor_the_api() -> None:
    # They would be a fifth of its memory.
    with working("-X", "importtime", "manage.py", "deliver", "--once", stderr=PIPE) as process:
        loaded = process.communicate()[1].decode()
    assert process.returncode == 0
    assert "webhooks.worker" in loaded
    for name in ("portal.urls", "webhooks.pages", "webhooks.admin", "fido2", "api.openapi"):
        assert name not in loaded, name


def test_an_endpoint_that_hangs_delays_no_other(
    make_webhook: MakeWebhook, receiver: Receiver
) -> None:
    # Nothing accepts these connections, and nothing refuses them.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as dead:
        stuck = make_webhook(f"http://127.0.0.1:{dead.getsockname()[1]}/")
        happen(stuck, 50)
        good = happen(make_webhook(receiver.url), 50)
        with working():
            began = time.monotonic()
            until(lambda: all(seen(each).state == "delivered" for each in good[-1:]))
            assert time.monotonic() - began < 15
            until(lambda: len(receiver.calls) == 50, 5)
            assert Delivery.objects.exclude(claimed_by="").count() <= 8


def test_the_server_runs_one_beside_it_and_starts_it_again(tmp_path: Path) -> None:
    with database(tmp_path) as url, served(environment(url, WORKERS="1"), tmp_path):
        (first,) = until(lambda: workers(tmp_path))
        os.kill(first, signal.SIGKILL)
        until(lambda: len(workers(tmp_path)) == 2)
        again = workers(tmp_path)[1]
    until(lambda: not is_running(again))


def test_the_one_beside_the_server_ends_when_the_server_is_killed(tmp_path: Path) -> None:
    with database(tmp_path) as url, served(environment(url, WORKERS="1"), tmp_path):
        (worker,) = until(lambda: workers(tmp_path))
        keeper = parent_of(worker)
        server = parent_of(keeper)
        left = set(children_of(server)) - {keeper}
        os.kill(server, signal.SIGKILL)
        until(lambda: not is_running(worker) and not is_running(keeper))
        # The processes that serve pages do not notice.
        for pid in left:
            os.kill(pid, signal.SIGKILL)


def test_the_one_beside_the_server_ends_when_its_keeper_is_killed(tmp_path: Path) -> None:
    with database(tmp_path) as url, served(environment(url, WORKERS="1"), tmp_path):
        (worker,) = until(lambda: workers(tmp_path))
        os.kill(parent_of(worker), signal.SIGKILL)
        until(lambda: not is_running(worker))


def test_the_server_starts_no_process_from_a_thread(tmp_path: Path) -> None:
    # A worker forked at that moment inherits the thread's pipes, and the thread waits for it.
    with database(tmp_path) as url, served(environment(url, WORKERS="1"), tmp_path):
        (worker,) = until(lambda: workers(tmp_path))
        keeper = parent_of(worker)
        assert len(children_of(parent_of(keeper))) == 2
        assert [each.name for each in Path(f"/proc/{keeper}/task").iterdir()] == [str(keeper)]


def workers(home: Path) -> list[int]:
    """Return the process ids of the workers that a server has started, in order."""
    lines = (home / "server.log").read_text().splitlines()
    names = [line.rpartition(" as ")[2] for line in lines if "Delivering webhooks as" in line]
    return [int(name.split(":")[1]) for name in names]


def parent_of(pid: int) -> int:
    return int(stat_of(pid)[1])


def children_of(pid: int) -> list[int]:
    others = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]
    return [each for each in others if is_running(each) and parent_of(each) == pid]


def is_running(pid: int) -> bool:
    """Tell whether a process is there and has not ended."""
    return stat_of(pid)[0] != "Z"


def stat_of(pid: int) -> list[str]:
    """Return the state of a process, the id of its parent and more; of one that is gone, a Z."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["Z", "0"]

"""Revocation seen from other processes: two workers of the real server on one database."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from tests.factories import TokenFactory, header
from tests.server import collect_static_files
from tokens.catalog import Module

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server() -> Iterator[str]:
    """Run `manage.py serve` with two workers on the test database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    database = connection.settings_dict
    url = (
        f"sqlite:///{database['NAME']}"
        if connection.vendor == "sqlite"
        else f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )
    rings = {
        name: ",".join(f"{number}:{value.hex()}" for number, value in ring.items())
        for name, ring in (
            ("TOKEN_PEPPERS", settings.TOKEN_PEPPERS),
            ("TOKEN_SEALING_KEYS", settings.TOKEN_SEALING_KEYS),
        )
    }
    environment = (
        os.environ
        | rings
        | {
            "DATABASE_URL": url,
            "SECRET_KEY": settings.SECRET_KEY,
            "DEMO": "on",
            "PORT": str(port),
            "WORKERS": "2",
        }
    )
    environment["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    collect_static_files(environment)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
                break
            except OSError:
                assert process.poll() is None, "the server ended"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/public/v1"
    finally:
        process.terminate()
        process.wait(timeout=20)


def status(url: str, key: str) -> int:
    """Return the status of a call on its own connection, so that any worker may answer."""
    request = urllib.request.Request(url, headers={"Authorization": key, "Connection": "close"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            answered: int = response.status
            return answered
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def statuses(url: str, key: str) -> set[int]:
    return {status(url, key) for _ in range(12)}


def test_every_worker_sees_a_change_at_the_very_next_call(server: str) -> None:
    token = TokenFactory(modules=(Module.AGREEMENTS,))
    key, url = header(token), f"{server}/agreements"
    assert statuses(url, key) == {200}
    token.disable(by=None)
    assert statuses(url, key) == {401}
    token.enable(by=None)
    assert statuses(url, key) == {200}
    token.grant({Module.PRODUCTS}, by=None)
    assert statuses(url, key) == {403}
    token.grant({Module.ALL}, by=None)
    assert statuses(url, key) == {200}
    token.account.is_active = False
    token.account.save()
    assert statuses(url, key) == {401}
    token.account.is_active = True
    token.account.save()
    token.remove(by=None)
    assert statuses(url, key) == {401}

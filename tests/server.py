"""A portal as it is served: a process, a database and a port of its own.

For tests that know URLs and words and never a model.
"""

import fcntl
import http.client
import os
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 180
STOP_SECONDS = 20


class Answer(NamedTuple):
    status: int
    headers: Any
    text: str


class Reply(NamedTuple):
    """An answer down to its bytes."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @classmethod
    def read(cls, response: http.client.HTTPResponse) -> Self:
        return cls(response.status, response.headers, response.read())


class Server:
    """A running portal and its environment."""

    def __init__(self, url: str, env: dict[str, str]) -> None:
        self.url = url
        self.env = env

    def get(self, path: str, key: str | None = None) -> Answer:
        """Send a GET as a program does; the key is the whole Authorization header."""
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": key} if key else {}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return Answer(response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read().decode())

    def manage(self, *arguments: str) -> str:
        return manage(self.env, *arguments)


def manage(env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def database(home: Path) -> Iterator[str]:
    """Return the URL of an empty database.

    It is on the server of DATABASE_URL if the tests run on PostgreSQL.
    """
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield f"sqlite:///{home / 'portal.sqlite3'}"
        return
    name = f"test_served_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def clean() -> dict[str, str]:
    """Return the environment variables without those of the developer that would matter.

    Those by which `make coverage` measures child processes stay.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG"} or name.startswith("COVERAGE_")
    }


def environment(database: str, **more: str) -> dict[str, str]:
    """Return the environment of a portal for tests, with a free port."""
    return {
        **clean(),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        **dict.fromkeys(("WRITES_PER_PERSON", "WRITES_PER_TOKEN", "WRITES_PER_ACCOUNT"), "1000000"),
        "ENV_FILE": os.devnull,
        "DEMO": "on",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "TOKEN_PEPPERS": f"1:{secrets.token_hex(32)}",
        "TOKEN_SEALING_KEYS": f"1:{secrets.token_hex(32)}",
        "DATABASE_URL": database,
        "PORT": str(free_port()),
        "WORKERS": "2",
        **more,
    }


@contextmanager
def served(env: dict[str, str], home: Path, *demo: str) -> Iterator[str]:
    """Load the demo data and serve the portal; yield its URL.

    Its output is in the folder.
    """
    collect_static_files(env)
    manage(env, "migrate", "--no-input", "--verbosity", "0")
    manage(env, "demo", *demo)
    url = f"http://127.0.0.1:{env['PORT']}"
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_healthy(process, url, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def collect_static_files(env: dict[str, str]) -> None:
    """Collect the static files once per test run.

    Collecting replaces files that the server of another worker may be reading.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"process {os.getpid()}")
    (ROOT / "var").mkdir(mode=0o700, exist_ok=True)
    with (ROOT / "var" / "static.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if lock.read() != run:
            manage(env, "collectstatic", "--no-input", "--verbosity", "0")
            lock.truncate(0)
            lock.write(run)


def installation(home: Path) -> Path:
    """Copy the portal's sources to a new folder: an installation with its own `var`."""
    for source in (
        "accounts",
        "activity",
        "api",
        "demo",
        "extensions",
        "general",
        "modules",
        "portal",
        "static",
        "templates",
        "tokens",
        "webhooks",
    ):
        shutil.copytree(ROOT / source, home / source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", home)
    return home


@contextmanager
def running(home: Path, *command: str, host: str = "127.0.0.1", **more: str) -> Iterator[int]:
    """Run a server of the installation; yield its port.

    Its output is in `server.log`.
    """
    port = free_port()
    log = home / "server.log"
    env = {**clean(), "PORT": str(port), "WORKERS": "1", **more}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=home, env=env, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            wait_until_healthy(process, f"http://{host}:{port}", log)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=20)


def refused(home: Path, *command: str, **more: str) -> str:
    """Return the error message of a command that fails, which is never a traceback."""
    env = {**clean(), **more}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_healthy(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    for _ in range(START_SECONDS * 10):
        with suppress(OSError), urllib.request.urlopen(f"{url}/healthz", timeout=5) as response:
            if response.status == 200:
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
            break
    pytest.fail(f"The portal did not start:\n{log.read_text()}")

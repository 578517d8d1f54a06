"""The portal as people meet it: a real server with the demo data, and Chromium.

Black box: these tests know addresses, words and keys on the keyboard, never a model. Each worker has a server and a
database of its own.
"""

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, StorageState, WebError, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "a-password-of-the-browser-tests"
PEOPLE = {
    "michael": "michael@mightymicks.example",
    "adrian": "adrian@mightymicks.example",  # may only look
    "robert": "robert@frontstreet.example",
    "paulie": "paulie@frontstreet.example",  # may only look
    "tony": "tony@gazzo.example",  # belongs to two accounts
    "portal": "admin@portal.example",  # belongs to no account
}
START_SECONDS = 60
STOP_SECONDS = 20
TIMEOUT_MS = 10_000

expect.set_options(timeout=TIMEOUT_MS)


# --- The server -----------------------------------------------------------------------------------


class Answer(NamedTuple):
    status: int
    headers: Any
    text: str


class Portal:
    """A running portal and what stands beside it: its environment, its mail."""

    def __init__(self, url: str, env: dict[str, str], mail: Path) -> None:
        self.url = url
        self.env = env
        self.mail = mail

    def get(self, path: str, key: str | None = None) -> Answer:
        """GET as a program does it, with the key as the whole value of the Authorization header."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": key} if key else {})
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return Answer(response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, refusal.headers, refusal.read().decode())

    def manage(self, *arguments: str) -> str:
        return manage(self.env, *arguments)

    def forget_confirmations(self) -> None:
        """Let every session look as if its password was given long ago: the server's clock cannot be moved."""
        self.manage(
            "shell",
            "--no-imports",
            "-c",
            "from importlib import import_module\n"
            "from django.conf import settings\n"
            "from django.contrib.sessions.models import Session\n"
            "for row in Session.objects.all():\n"
            "    session = import_module(settings.SESSION_ENGINE).SessionStore(row.pk)\n"
            "    session['confirmed_at'] = 0\n"
            "    session.save()\n",
        )


def manage(env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


def collect_static_files(env: dict[str, str], shared: Path) -> None:
    """Once for all workers: collecting replaces files that another worker's server may be reading."""
    with (shared / "static.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if not lock.read():
            manage(env, "collectstatic", "--no-input", "--verbosity", "0")
            lock.write("collected")


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


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Portal]:
    """A portal of this worker's own, freshly made, on a free port."""
    home = tmp_path_factory.mktemp("portal")
    base = tmp_path_factory.getbasetemp()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {
        # Nothing but these: settings that happen to be in a developer's environment play no part.
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "ENV_FILE": os.devnull,
        "DEMO": "on",
        "DEMO_PASSWORD": PASSWORD,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "TOKEN_PEPPERS": f"1:{secrets.token_hex(32)}",
        "TOKEN_SEALING_KEYS": f"1:{secrets.token_hex(32)}",
        "DATABASE_URL": f"sqlite:///{home / 'portal.sqlite3'}",
        "EMAIL_URL": f"filemail:///{home / 'mail'}",
        "PORT": str(port),
        "WORKERS": "2",
    }
    # Under xdist every worker has a folder of its own below one that all share.
    collect_static_files(env, base if worker_id == "master" else base.parent)
    manage(env, "migrate", "--no-input", "--verbosity", "0")
    manage(env, "demo")
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until_healthy(process, url, log)
            yield Portal(url, env, home / "mail")
        finally:
            process.terminate()
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


# --- The browser ----------------------------------------------------------------------------------


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.fail("These tests need Chromium. Install it, or run the other tests: make test-quick")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all files of this folder that a worker runs.

    It ends with them, not with the session: Playwright's event loop would stay the running one of the thread, and Django
    refuses database work beside a running loop.
    """
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield browser
        browser.close()


def sign_in(page: Page, person: str, password: str = PASSWORD) -> None:
    """Fill in the form of the sign-in page, which must be open, and send it."""
    page.get_by_label("E-mail").fill(PEOPLE[person])
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign In").click()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, portal: Portal) -> Callable[[str], StorageState]:
    """The cookies of a person who has signed in. Signing in once per person saves seconds in every file."""
    states: dict[str, StorageState] = {}

    def state_of(person: str) -> StorageState:
        if person not in states:
            context = browser.new_context(base_url=portal.url)
            page = context.new_page()
            page.goto("/sign-in/")
            sign_in(page, person)
            page.wait_for_url("**/integrations/**")
            states[person] = context.storage_state()
            context.close()
        return states[person]

    return state_of


class Visit(Protocol):
    """Opens the portal in a browser context of its own, signed in as `person` or not at all, and gives the page.

    `refused` are the HTTP statuses that the test causes on purpose: the line about them, the browser's own or htmx's, is no
    complaint.
    The other options are those of a Playwright context.
    """

    def __call__(self, person: str | None = None, *, refused: tuple[int, ...] = (), **options: Any) -> Page: ...


@pytest.fixture
def visit(browser: Browser, portal: Portal, signed_in: Callable[[str], StorageState]) -> Iterator[Visit]:
    """See Visit. At the end of the test no page may have logged an error or thrown one; a breach of the CSP is such an error."""
    contexts = []
    complaints: list[str] = []

    def visit(person: str | None = None, *, refused: tuple[int, ...] = (), **options: Any) -> Page:
        lines = ("Failed to load resource: the server responded with a status of {} ", "Response Status Error Code {} from ")
        allowed = tuple(line.format(status) for status in refused for line in lines)

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error" and not message.text.startswith(allowed):
                complaints.append(f"{message.page.url if message.page else ''}: {message.text}")

        def on_error(error: WebError) -> None:
            complaints.append(f"{error.page.url if error.page else ''}: {error.error}")

        if person:
            options["storage_state"] = signed_in(person)
        context = browser.new_context(base_url=portal.url, **options)
        context.set_default_timeout(TIMEOUT_MS)
        context.on("console", on_console)
        context.on("weberror", on_error)
        contexts.append(context)
        return context.new_page()

    yield visit
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)

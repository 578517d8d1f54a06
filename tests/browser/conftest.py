"""The portal as people meet it: a real server with the demo data, and Chromium.

These are black-box tests: they know URLs, words and keys on the keyboard, never a model. Each
worker has a server and a database of its own.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    StorageState,
    WebError,
    expect,
    sync_playwright,
)

from tests.server import Server, environment, served

PASSWORD = "a-password-of-the-browser-tests"
PEOPLE = {
    "michael": "michael@mightymicks.example",
    "adrian": "adrian@mightymicks.example",  # may look, not manage
    "robert": "robert@frontstreet.example",
    "paulie": "paulie@frontstreet.example",  # may look, not manage
    "tony": "tony@gazzo.example",  # belongs to two accounts
    "mary": "mary@bayside.example",  # whose account has IP rules
    "duke": "duke@southpaw.example",
    "portal": "admin@portal.example",  # belongs to no account
}
TIMEOUT_MS = 10_000

expect.set_options(timeout=TIMEOUT_MS)


# --- The server -----------------------------------------------------------------------------------


class Portal(Server):
    """A running portal with its outgoing mail."""

    def __init__(self, url: str, env: dict[str, str], mail: Path) -> None:
        super().__init__(url, env)
        self.mail = mail
        self.forgotten = 0

    def leave_alone(self, page: Page, seconds: int) -> None:
        """Make the session of a page look idle for that many seconds.

        The server's clock cannot be moved.
        """
        cookie = next(cookie for cookie in page.context.cookies() if cookie["name"] == "session")
        self.manage(
            "shell",
            "--no-imports",
            "-c",
            "import time\n"
            "from importlib import import_module\n"
            "from django.conf import settings\n"
            f"session = import_module(settings.SESSION_ENGINE).SessionStore({cookie['value']!r})\n"
            f"session['seen_at'] = int(time.time()) - {seconds}\n"
            "session.save()\n",
        )

    def forget_confirmations(self) -> None:
        """Make every session look as if its password was given long ago.

        The server's clock cannot be moved.
        """
        self.forgotten += 1
        self.manage(
            "shell",
            "--no-imports",
            "-c",
            "from importlib import import_module\n"
            "from django.conf import settings\n"
            "from accounts.models import Session\n"
            "for row in Session.objects.all():\n"
            "    session = import_module(settings.SESSION_ENGINE).SessionStore(row.pk)\n"
            "    session['confirmed_at'] = 0\n"
            "    session.save()\n",
        )


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Serve a fresh portal on a free port, for this worker only."""
    home = tmp_path_factory.mktemp("portal")
    env = environment(
        f"sqlite:///{home / 'portal.sqlite3'}",
        DEMO_PASSWORD=PASSWORD,
        EMAIL_URL=f"filemail:///{home / 'mail'}",
    )
    with served(env, home) as url:
        yield Portal(url, env, home / "mail")


@pytest.fixture(scope="module", autouse=True)
def nothing_is_remembered(portal: Portal) -> None:
    """Forget the layouts and filters of lists that other files chose; they share the server."""
    portal.manage(
        "shell",
        "--no-imports",
        "-c",
        "from accounts.models import User\nUser.objects.update(preferences={})\n",
    )


# --- The browser ----------------------------------------------------------------------------------


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.fail("These tests need Chromium. Install it, or run the other tests: make test-quick")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start one browser for all files of this folder that a worker runs.

    It ends with them, not with the session: Playwright's event loop would remain the running one of
    the thread, and Django refuses to use the database while a loop is running.
    """
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield browser
        browser.close()


def sign_in(page: Page, person: str, password: str = PASSWORD) -> None:
    """Fill in the form of the open sign-in page and send it."""
    page.get_by_label("E-mail").fill(PEOPLE[person])
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign In", exact=True).click()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, portal: Portal) -> Callable[[str], StorageState]:
    """Return the cookies of a person who has just signed in.

    Signing in once per person saves seconds in every file.
    """
    states: dict[tuple[str, int, int], StorageState] = {}

    def state_of(person: str) -> StorageState:
        # A password counts as just given for five minutes: tests about other things are never asked
        # for it.
        key = (person, portal.forgotten, int(time.monotonic() // 200))
        if key not in states:
            context = browser.new_context(base_url=portal.url)
            page = context.new_page()
            page.goto("/sign-in/")
            sign_in(page, person)
            # Who runs the portal is led into the admin, everybody else to Integrations.
            page.wait_for_url(lambda url: "/sign-in/" not in url)
            states[key] = context.storage_state()
            context.close()
        return states[key]

    return state_of


class Visit(Protocol):
    """Opens the portal in a browser context of its own and returns the page.

    It is signed in as `person`, if given. `refused` are the HTTP statuses that the test causes on
    purpose: the lines that the browser or htmx logs about them are allowed. A string allows the
    lines that start with it. The other options are those of a Playwright context.
    """

    def __call__(
        self, person: str | None = None, *, refused: tuple[int | str, ...] = (), **options: Any
    ) -> Page: ...


@pytest.fixture
def visit(
    browser: Browser, portal: Portal, signed_in: Callable[[str], StorageState]
) -> Iterator[Visit]:
    """Return a Visit.

    When the test ends, no page may have logged or thrown an error; a CSP violation is such an
    error.
    """
    contexts = []
    complaints: list[str] = []

    def visit(
        person: str | None = None, *, refused: tuple[int | str, ...] = (), **options: Any
    ) -> Page:
        lines = (
            "Failed to load resource: the server responded with a status of {} ",
            "Response Status Error Code {} from ",
        )
        allowed = tuple(
            line.format(status)
            for status in refused
            for line in (lines if isinstance(status, int) else ("{}",))
        )

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error" and not message.text.startswith(allowed):
                complaints.append(f"{message.page.url if message.page else ''}: {message.text}")

        def on_error(error: WebError) -> None:
            complaints.append(f"{error.page.url if error.page else ''}: {error.error}")

        if person:
            options["storage_state"] = signed_in(person)
        context = browser.new_context(**{"base_url": portal.url, **options})
        context.set_default_timeout(TIMEOUT_MS)
        context.on("console", on_console)
        context.on("weberror", on_error)
        contexts.append(context)
        return context.new_page()

    yield visit
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)

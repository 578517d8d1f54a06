"""The people of the tests: an administrator and a member of one account, a stranger of another."""

import copy
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from django.conf import settings
from django.contrib import admin
from django.core.management.color import no_style
from django.db import connection, connections, transaction
from django.db.models import F
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Membership, User
from activity.models import Chain, Event
from modules import webhooks
from portal.logs import AtMost, OnceEach
from tests.factories import AccountFactory, MembershipFactory, TokenFactory, header
from tokens import uses
from tokens.models import Extension, ExtensionVersion, Token

if TYPE_CHECKING:
    # What Django's test client returns has a name in the stubs alone.
    from django.test.client import _MonkeyPatchedWSGIResponse

    Response = _MonkeyPatchedWSGIResponse
else:
    from django.http import HttpResponse

    Response = HttpResponse

# Tests are parametrized by the pages of the admin, before anything loads the URLs.
admin.autodiscover()

# The ids that several tests have.
SHARED_IDS: set[str] = set()

# The rows that migrations leave in an empty database.
SEEDED: dict[type[Extension | ExtensionVersion], list[Any]] = {}


@dataclass
class Person:
    """Somebody who is signed in."""

    user: User
    account: Account
    client: Client
    membership: Membership


class Call(Protocol):
    """A call of the API, by a token or with the text of a header."""

    def __call__(
        self, path: str, key: Token | str | None = None, method: str = "get", **kwargs: Any
    ) -> Response: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    counts = Counter(item.nodeid for item in items)
    SHARED_IDS.update(name for name, count in counts.items() if count > 1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail tests that share an id, of which pytest-xdist runs the first only."""
    if item.nodeid in SHARED_IDS:
        pytest.fail("Several tests have this id.")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Lift what would get in the way of emptying the tables.

    A request leaves its time limits on the connection to PostgreSQL, and the trail refuses to be
    emptied, so tests with transactions of their own forget it first.
    """
    server = connection.connection
    if hasattr(server, "statement_seconds") and not connection.in_atomic_block:
        server.execute("RESET statement_timeout")
        server.execute("RESET lock_timeout")
        del server.statement_seconds
    # A test that was skipped was never set up, and may not use the database.
    if has_transactions(item) and getattr(item, "funcargs", None):
        forget_trail()


def forget_trail() -> None:
    """Empty the trail, whose tables refuse to be flushed before."""
    Chain.objects.update(forgotten=F("number"))
    Event.objects.all().delete()


@receiver(post_migrate)
def keep_what_migrations_seeded(using: str, **kwargs: Any) -> None:
    """Remember the seeded rows after the migrations, and put them back when they are gone.

    A test with transactions of its own empties the tables.
    """
    for model in (Extension, ExtensionVersion):
        rows = model._default_manager.using(using)
        if model not in SEEDED:
            SEEDED[model] = [*rows.all()]
        rows.bulk_create(SEEDED[model], ignore_conflicts=True)
    # PostgreSQL has to be told which ids are taken.
    with connections[using].cursor() as cursor:
        for sql in connections[using].ops.sequence_reset_sql(no_style(), [*SEEDED]):
            cursor.execute(sql)


def has_transactions(item: pytest.Item) -> bool:
    """Tell whether the test commits, so that its rows have to be deleted one by one."""
    mark = item.get_closest_marker("django_db")
    return bool(mark and mark.kwargs.get("transaction")) or "transactional_db" in getattr(
        item, "fixturenames", ()
    )


def person(**kwargs: Any) -> Person:
    """Return somebody who is signed in."""
    membership = MembershipFactory(**kwargs)
    client = Client()
    client.force_login(membership.user, backend="accounts.backends.EmailBackend")
    return Person(
        user=membership.user,
        account=membership.account,
        client=confirmed(client),
        membership=membership,
    )


def confirmed(client: Client, seconds_ago: float = 0) -> Client:
    """Set how long ago a person gave the password, by default just now; return their client."""
    session = client.session
    session["confirmed_at"] = int(time.time() - seconds_ago)
    session.save()
    return client


@pytest.fixture
def staff(db: None) -> Client:
    """Return the client of the portal's administrator, who gave the password just now."""
    client = Client()
    client.force_login(
        User.objects.create_superuser("admin@portal.example", name="Admin"),
        backend="accounts.backends.EmailBackend",
    )
    return confirmed(client)


@contextmanager
def undone(*clients: Client) -> Iterator[None]:
    """Undo what is done inside: all rows, and the cookies of people."""
    cookies = [copy.deepcopy(client.cookies) for client in clients]
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    for client, kept in zip(clients, cookies, strict=True):
        client.cookies = kept


def stale(client: Client) -> Client:
    """Return the client of a person who gave the password too long ago."""
    return confirmed(client, 3600)


def just_made(client: Client, token: Token) -> Client:
    """Return the client of the session that has just created the token."""
    session = client.session
    session["created"] = {token.pk: token.created_at.timestamp()}
    session.save()
    return client


class Clock:
    """The time by the clock of the process, which stands still until it is moved."""

    def __init__(self) -> None:
        self.now: datetime = timezone.now()

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock, for what holds at the very moment when something ends."""
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


@pytest.fixture(autouse=True)
def no_calls_are_remembered() -> None:
    """Forget the calls that a process counts: the ids of keys begin again with every test."""
    uses.calls.clear()
    webhooks.recorded.clear()


@pytest.fixture(autouse=True)
def no_lines_are_counted() -> None:
    """Forget how many lines were logged this minute, of which a log takes only so many."""
    configured: dict[str, Any] = settings.LOGGING
    loggers = [logging.getLogger(), *map(logging.getLogger, configured["loggers"])]
    for each in [*loggers, *(handler for logger in loggers for handler in logger.handlers)]:
        for limit in each.filters:
            if isinstance(limit, AtMost):
                limit.seen = 0
            elif isinstance(limit, OnceEach):
                limit.counts.clear()


@pytest.fixture(autouse=True)
def nobodys_time_zone() -> None:
    """Forget the time zone of the person whose request this thread handled last."""
    timezone.deactivate()


@pytest.fixture
def account(db: None) -> Account:
    return AccountFactory(name="Mighty Mick's LLC")


@pytest.fixture
def michael(account: Account) -> Person:
    """Return an administrator of the account."""
    return person(
        account=account, user__name="Michael Goldmill", user__email="michael@mightymicks.example"
    )


@pytest.fixture
def adrian(account: Account) -> Person:
    """Return a member of the account, who may look but not manage."""
    return person(account=account, role=Membership.Role.MEMBER, user__name="Adrian Pennino")


@pytest.fixture
def stranger(db: None) -> Person:
    """Return an administrator of another account."""
    return person(account__name="Front Street Inc", account__side="vendor")


@pytest.fixture
def token(account: Account, michael: Person) -> Token:
    return TokenFactory(account=account, name="ERP Agreements Sync", by=michael.user)


@pytest.fixture
def call(client: Client) -> Call:
    """Return a function to call the API: `call("agreements", token)`, or with a raw header."""

    def do(
        path: str, key: Token | str | None = None, method: str = "get", **kwargs: Any
    ) -> Response:
        if key is not None and not isinstance(key, str):
            key = header(key)
        headers = {} if key is None else {"authorization": key}
        response: Response = getattr(client, method)(
            f"/public/v1/{path}", headers=headers, **kwargs
        )
        return response

    return do

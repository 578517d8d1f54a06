"""Measures what the README says about speed: `make bench`. Not a test: the figures depend on the machine.

In process, without a network: the WSGI application is called directly, the targets in turn, and the medians compared. It
works in a database of its own, which it drops again: a SQLite file, or with DATABASE_URL a test database on PostgreSQL.
"""

import logging
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.contrib.auth.decorators import login_not_required
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from django.urls import path
from django.utils import timezone

from accounts.models import Account, Membership, User
from modules.agreements import AGREEMENTS
from modules.rest import listing
from modules.urls import urlpatterns
from portal.fields import fold, new_id
from tokens.catalog import Extension, Module
from tokens.models import Permission, Token, TokenKey, TokenUsage
from tokens.permissions import Caller

ROUNDS, CALLS = 12, 100
TOKENS = 100_000


def ungated(request: Any) -> Any:
    """The same view without the gate."""
    request.token = Caller("SU-000-000-000", ACCOUNT)
    return listing(request, AGREEMENTS)


ACCOUNT = "PA-063-101"


def call(application: Callable[..., Any], address: str, **headers: str) -> int:
    """One request; gives the status."""
    target, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": target,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        **headers,
    }
    seen: list[int] = []
    response = application(environ, lambda status, headers: seen.append(int(status.split()[0])))
    b"".join(response)
    response.close()
    return seen[0]


def compare(targets: dict[str, Callable[[], int]], expected: dict[str, int]) -> dict[str, float]:
    """Median microseconds of each target over rounds in which all take turns."""
    times: dict[str, list[float]] = {name: [] for name in targets}
    for _ in range(ROUNDS):
        for name, target in targets.items():
            for _ in range(CALLS):
                start = time.perf_counter()
                status = target()
                times[name].append((time.perf_counter() - start) * 1e6)
                assert status == expected[name], (name, status)
    return {name: statistics.median(values[CALLS:]) for name, values in times.items()}


def gate(application: Callable[..., Any]) -> None:
    token = Token.issue(account=Account.objects.get(pk=ACCOUNT), modules=(Module.AGREEMENTS,), by=None, name="Bench", extension=Extension.CUSTOM)
    TokenUsage.objects.filter(token=token).update(last_used_at=timezone.now())
    key = TokenKey.objects.get(token=token).open()
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    listed = "/public/v1/agreements?limit=10"
    targets = {
        "without the gate": lambda: call(application, "/public/bench?limit=10"),
        "with the gate": lambda: call(application, listed, HTTP_AUTHORIZATION=key),
        "refused: no module": lambda: call(application, "/public/v1/contracts", HTTP_AUTHORIZATION=key),
        "refused: wrong secret": lambda: call(application, listed, HTTP_AUTHORIZATION=wrong),
        "refused: malformed": lambda: call(application, listed, HTTP_AUTHORIZATION="Bearer x"),
    }
    medians = compare(targets, dict(zip(targets, (200, 200, 403, 401, 401), strict=True)))
    print("\nAPI, 10 agreements a page, median µs in process")
    for name, value in medians.items():
        print(f"  {name:24}{value:9,.0f}")
    print(f"  {'the gate itself':24}{medians['with the gate'] - medians['without the gate']:9,.0f}")


def many_tokens(user: User) -> None:
    """100,000 tokens in one account, as the product would have made them but for their keys."""
    now, used = timezone.now(), set()
    extensions = Extension.values
    rows = []
    while len(rows) < TOKENS:
        id = new_id("SU", 3, 3, 3)
        if id not in used:
            used.add(id)
            number = len(rows)
            status = Token.Status.INACTIVE if number % 10 == 0 else Token.Status.ACTIVE
            created = now - timezone.timedelta(minutes=number)
            name = f"Integration {number}"
            rows.append(
                Token(
                    id=id,
                    account_id=ACCOUNT,
                    name=name,
                    name_key=fold(name),
                    external_id=f"erp-{number}",
                    extension=extensions[number % 4],
                    status=status,
                    created_at=created,
                    updated_at=created,
                    created_by=user,
                )
            )
    for start in range(0, TOKENS, 5000):
        part = rows[start : start + 5000]
        Token.objects.bulk_create(part)
        TokenUsage.objects.bulk_create(TokenUsage(token=token, last_used_at=now if i % 3 else None) for i, token in enumerate(part))
        Permission.objects.bulk_create(Permission(token=token, module=Module.AGREEMENTS) for token in part)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def token_list(application: Callable[..., Any], user: User) -> None:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = user.pk, "accounts.backends.EmailBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["signed_in_at"] = session["seen_at"] = int(time.time())
    session.create()
    pages = {
        "first page": "",
        "page 1,000": "?page=1000",
        "page 5,000": "?page=5000",
        "100 rows": "?per_page=100",
        "sorted by name": "?sort=label",
        "sorted by status": "?sort=status",
        "sorted by last used": "?sort=-last_used",
        "one extension": f"?extension={Extension.ZAPIER}",
        "inactive": "?status=inactive",
        "search, common": "?q=integration",
        "search, rare": "?q=integration 99999",
        "search, absent": "?q=nothing",
        "column of modules": "?columns=label,modules,status",
    }
    print(f"\nToken list, {TOKENS:,} tokens in one account, ms in process")
    for name, query in pages.items():
        times = []
        for _ in range(15):
            start = time.perf_counter()
            address = f"/integrations/tokens/{query.replace(' ', '%20')}"
            status = call(application, address, HTTP_COOKIE=f"session={session.session_key}")
            times.append((time.perf_counter() - start) * 1e3)
            assert status == 200, (name, status)
        print(f"  {name:24}{statistics.median(times):9,.1f}")


def main() -> None:
    logging.disable(logging.ERROR)  # the refusals are meant
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        account = Account.objects.create(pk=ACCOUNT, name="Mighty Mick's LLC", role=Account.Role.DISTRIBUTOR)
        user = User.objects.create_user("bench@portal.example", None, name="Bench")
        Membership.objects.create(user=user, account=account, role=Membership.Role.ADMINISTRATOR)
        from django.core.management import call_command

        call_command("demo", verbosity=0, stdout=open(os.devnull, "w"))
        urlpatterns.insert(0, path("bench", login_not_required(ungated)))
        application = WSGIHandler()
        database = f"{connection.vendor} {'.'.join(map(str, connection.get_database_version()))}"
        print(f"Python {platform.python_version()}, Django {django.get_version()}, {database}, {os.cpu_count()} cores")
        gate(application)
        many_tokens(user)
        token_list(application, user)
    finally:
        teardown_databases(databases, verbosity=0)


if __name__ == "__main__":
    main()

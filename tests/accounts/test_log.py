"""What the log says about passwords.

It names the person, the account and the address, never what was typed, and its size is bounded.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from portal.logs import AtMost
from tests.conftest import Person, Response
from tests.factories import PASSWORD, MembershipFactory

LOGGER = "accounts.backends"


def sign_in(email: str, password: str = PASSWORD, **extra: Any) -> Response:
    return Client().post("/sign-in/", {"username": email, "password": password}, **extra)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """Return what the backend logged, as text."""
    with caplog.at_level(logging.INFO, logger=LOGGER):
        yield lambda: [record.getMessage() for record in caplog.records if record.name == LOGGER]


def test_a_sign_in_names_person_account_address_and_form(
    michael: Person, lines: Callable[[], list[str]]
) -> None:
    sign_in(michael.user.email, REMOTE_ADDR="192.0.2.7")
    assert lines() == [
        f"Right password: {michael.user.pk} of {michael.account.pk}, from 192.0.2.7, at "
        f"accounts:sign_in."
    ]


def test_a_wrong_or_refused_password_names_them_too(
    michael: Person, lines: Callable[[], list[str]]
) -> None:
    for _ in range(6):
        sign_in(michael.user.email, "wrong", REMOTE_ADDR="192.0.2.7")
    who = f"{michael.user.pk} of {michael.account.pk}, from 192.0.2.7, at accounts:sign_in."
    assert lines() == [f"Wrong password: {who}"] * 5 + [
        f"Refused to check a password: {who} (LimitReached)"
    ]


def test_every_account_of_the_person_is_named(
    michael: Person, stranger: Person, lines: Callable[[], list[str]]
) -> None:
    MembershipFactory(user=michael.user, account=stranger.account)
    sign_in(michael.user.email, "wrong")
    assert " of " + ", ".join(sorted((michael.account.pk, stranger.account.pk))) in lines()[0]


def test_the_form_for_a_new_password_is_named(
    michael: Person, lines: Callable[[], list[str]]
) -> None:
    michael.client.post(
        "/account/password/", {"old_password": "wrong", "new_password1": "x", "new_password2": "x"}
    )
    assert f"Wrong password: {michael.user.pk} of {michael.account.pk}" in lines()[0]
    assert "at accounts:password_change" in lines()[0]


def test_what_was_typed_as_a_name_is_not_written_down(
    db: None, lines: Callable[[], list[str]]
) -> None:
    sign_in("my secret password")
    assert lines() == ["Wrong password: an unknown name, from 127.0.0.1, at accounts:sign_in."]


def test_known_and_unknown_names_cost_the_same_queries(
    michael: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for email in (michael.user.email, "nobody@mightymicks.example"):
        with CaptureQueriesContext(connection) as queries:
            sign_in(email, "wrong")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def record(level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("x", level, "", 0, "line %d", (1,), None)


def test_an_attack_cannot_flood_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("portal.logs.time.monotonic", lambda: now)
    limit = AtMost(3)
    assert [limit.filter(record()) for _ in range(10)] == [True] * 3 + [False] * 7
    # A successful sign-in in the middle of an attack is what people look for afterwards.
    assert limit.filter(record(logging.INFO))
    assert limit.filter(record(logging.ERROR))
    now = 60.0
    first = record()
    assert limit.filter(first)
    assert first.getMessage() == "line 1 (7 lines like this were left out before.)"
    assert limit.filter(second := record())
    assert second.getMessage() == "line 1"


@pytest.mark.parametrize("name", [LOGGER, "django.request"])
def test_the_loggers_that_a_stranger_can_fill_have_a_limit(name: str) -> None:
    assert any(isinstance(limit, AtMost) for limit in logging.getLogger(name).filters)

"""Guesses that arrive at the same moment get no more tries than others."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts import limits
from accounts.models import Counter, User
from tests.accounts.test_guessing import address, sign_in
from tests.conftest import Person


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Call `act(number)` in that many threads at the same moment; return the results."""
    barrier, answers = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        try:
            barrier.wait(30)
            answers[number] = act(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect every password that was checked."""
    passwords: list[str] = []
    original = User.check_password

    def check(user: User, raw: str) -> bool:
        passwords.append(raw)
        return original(user, raw)

    monkeypatch.setattr(User, "check_password", check)
    return passwords


@pytest.mark.django_db(transaction=True)
def test_of_thirty_guesses_at_once_no_more_are_checked_than_are_allowed(
    michael: Person, checked: list[str]
) -> None:
    answers = at_once(
        30, lambda number: sign_in(Client(), michael.user.email, f"guess {number}").status_code
    )
    assert len(checked) <= 5
    assert set(answers) <= {200, 429, 503}
    assert answers.count(200) <= 4


@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_from_thirty_addresses_stop_at_the_limit_of_the_name(
    michael: Person, checked: list[str], settings: Settings
) -> None:
    settings.SIGN_IN_TRIES_PER_NAME = 7
    at_once(
        30,
        lambda number: (
            sign_in(
                Client(), michael.user.email, f"guess {number}", REMOTE_ADDR=address(number)
            ).status_code
        ),
    )
    assert len(checked) <= 7


@pytest.mark.django_db(transaction=True)
def test_a_counter_never_counts_beyond_its_limit(db: None) -> None:
    """Even without the check before hashing, which lets only a few attempts through at a time."""
    limit = limits.Limit("test", 5, timedelta(minutes=15), "")

    def take(number: int) -> bool:
        try:
            limits.take([limit])
        except limits.LimitReached:
            return False
        return True

    assert at_once(30, take).count(True) == 5
    assert Counter.objects.get(key="test").used == 5


@pytest.mark.django_db(transaction=True)
def test_limits_are_taken_all_or_none(db: None) -> None:
    wide, narrow = (
        limits.Limit(name, tries, timedelta(minutes=15), "")
        for name, tries in (("wide", 100), ("narrow", 1))
    )
    limits.take([wide, narrow])
    with pytest.raises(limits.LimitReached):
        limits.take([wide, narrow])
    assert Counter.objects.get(key="wide").used == 1

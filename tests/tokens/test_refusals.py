"""Refused calls that come in a burst: when they are recorded, and when again."""

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from activity.actions import Action
from portal import background
from tests.conftest import Clock
from tests.factories import deleted
from tokens import refusals
from tokens.models import Token


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Return the jobs that wait for the end of a response."""
    jobs: list[Callable[[], object]] = []
    monkeypatch.setattr(background, "later", jobs.append)
    refusals.counts.clear()
    return jobs


def told(token: Token) -> int:
    return token.events.filter(action=Action.CALLS_REFUSED).count()


def test_twenty_refused_calls_within_an_hour_are_a_burst(
    later: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def count(calls: int) -> int:
        for _ in range(calls):
            refusals.count("SU-1")
        return len(later)

    assert count(19) == 0
    now[0] += 3600
    assert count(19) == 0
    now[0] += 3599
    assert [count(1), count(30)] == [1, 1]
    now[0] += 1
    assert [count(19), count(1)] == [1, 2]


def test_the_tokens_refused_last_are_remembered(later: list[Callable[[], object]]) -> None:
    assert refusals.TOKENS == 10_000
    for token_id in ("SU-1", "SU-2", "SU-1"):
        refusals.count(token_id)
    assert [*refusals.counts] == ["SU-2", "SU-1"]


def test_a_burst_is_recorded_once_an_hour_for_each_token(
    token: Token, made: Token, clock: Clock
) -> None:
    assert [refusals.note(token.pk), refusals.note(token.pk), refusals.note(made.pk)] == [
        *(True, False, True)
    ]
    clock.move(hours=1, seconds=1)
    assert refusals.note(token.pk)
    assert (told(token), told(made)) == (2, 1)
    assert token.events[0].changes == {"calls": [None, 20]}


def test_a_burst_of_a_deleted_token_is_not_recorded(token: Token) -> None:
    deleted(token)
    assert not refusals.note(token.pk)
    assert told(token) == 0


def test_a_burst_that_cannot_be_recorded_is_logged(
    token: Token, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*args: Any) -> None:
        raise OperationalError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(refusals, "record", full)
        with caplog.at_level(logging.WARNING, "tokens.refusals"):
            assert not refusals.note(token.pk)
    assert [record.getMessage() for record in caplog.records] == [
        f"Refused calls of {token.pk} could not be recorded: The disk is full."
    ]
    # What was not recorded does not count as recorded.
    assert refusals.note(token.pk)

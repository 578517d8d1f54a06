"""How long a session lasts: to the minute from the person's last action, up to a maximum."""

import time

import pytest
from django.test import Client

from tests.conftest import Person

LIST = "/integrations/tokens/"
ASK = "/account/session/"
IDLE = 30 * 60
HOURS = 12 * 3600


def put(client: Client, **values: object) -> None:
    session = client.session
    session.update(values)
    session.save()


def now() -> int:
    return int(time.time())


def test_a_session_is_told_how_long_it_lasts(michael: Person) -> None:
    michael.client.get(LIST)
    left = michael.client.get(ASK).json()
    assert IDLE <= left["idle"] <= IDLE + 60
    assert HOURS - 60 <= left["absolute"] <= HOURS


@pytest.mark.parametrize(
    ("ago", "lives"),
    [(IDLE - 30, True), (IDLE + 30, True), (IDLE + 60, False), (IDLE + 3600, False)],
)
def test_nobody_is_cut_off_early_and_nobody_stays_a_minute_too_long(
    michael: Person, ago: int, lives: bool
) -> None:
    """The time of the last request is kept to the minute, so it may be a minute too early."""
    put(michael.client, seen_at=now() - ago)
    assert (michael.client.get(LIST).status_code == 200) == lives


def test_asking_is_a_sign_of_life(michael: Person) -> None:
    michael.client.get(LIST)
    put(michael.client, seen_at=now() - 25 * 60)
    assert michael.client.get(ASK).json()["idle"] >= IDLE
    assert now() - michael.client.session["seen_at"] < 10


@pytest.mark.parametrize("path", [ASK, LIST])
def test_background_requests_are_no_sign_of_life(michael: Person, path: str) -> None:
    michael.client.get(LIST)
    seen = now() - 25 * 60
    put(michael.client, seen_at=seen)
    answer = michael.client.get(path, headers={"x-background": "1"})
    assert answer.status_code == 200
    assert michael.client.session["seen_at"] == seen


def test_nothing_puts_off_the_end_of_a_session_that_is_old_enough(michael: Person) -> None:
    michael.client.get(LIST)
    put(michael.client, signed_in_at=now() - HOURS + 100)
    assert michael.client.post(ASK).status_code == 302
    assert michael.client.get(ASK).json()["absolute"] <= 100
    page = michael.client.get(LIST).text
    assert "Your session ends within 2 minutes." in page
    put(michael.client, signed_in_at=now() - HOURS - 1)
    assert michael.client.get(ASK).status_code == 302


@pytest.mark.parametrize("name", ["seen_at", "signed_in_at"])
def test_a_moment_ahead_of_the_clock_does_not_keep_a_session_alive(
    michael: Person, name: str
) -> None:
    michael.client.get(LIST)
    put(michael.client, **{name: now() + 10**6})
    assert michael.client.get(LIST).status_code == 200
    assert abs(michael.client.session[name] - now()) < 10


def test_staying_signed_in_without_scripts_leads_back(michael: Person) -> None:
    answer = michael.client.post(ASK, {"next": LIST})
    assert answer["Location"] == LIST
    assert "You stay signed in." in michael.client.get(LIST).text
    assert michael.client.post(ASK, {"next": "https://evil.example/"})["Location"] == "/"


def test_whoever_asks_after_the_end_is_told_by_a_redirect(client: Client, db: None) -> None:
    assert client.get(ASK).status_code == 302

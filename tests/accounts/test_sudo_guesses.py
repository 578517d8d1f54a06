"""Wrong passwords in the question are limited, and end the session."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.signals import user_login_failed
from django.db import connection
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts import sudo
from accounts.models import Counter, digest
from tests.accounts.test_sudo import QUESTION
from tests.conftest import Person, Response, stale
from tests.factories import PASSWORD
from tokens.models import Token


def guess(client: Client, token: Token, typed: str = "wrong") -> Response:
    return client.post(f"/integrations/tokens/{token.pk}/reveal/", {"sudo_password": typed})


def signed_in(client: Client) -> bool:
    return client.get("/integrations/").status_code == 200


def test_the_fifth_wrong_password_ends_the_session_whatever_sign_in_allows(
    michael: Person, token: Token, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES = settings.SIGN_IN_TRIES_PER_NAME = 100
    stale(michael.client)
    for _ in range(4):
        assert "The password is not right." in guess(michael.client, token).text
    assert signed_in(michael.client)
    response = guess(michael.client, token)
    assert response["Location"].startswith("/sign-in/")
    assert not signed_in(michael.client)
    assert "Your session ended." in michael.client.get("/sign-in/").text


def test_htmx_is_led_to_the_sign_in_page_as_a_whole(
    michael: Person, token: Token, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES = settings.SIGN_IN_TRIES_PER_NAME = 100
    stale(michael.client)
    for _ in range(4):
        guess(michael.client, token)
    response = michael.client.post(
        f"/integrations/tokens/{token.pk}/reveal/",
        {"sudo_password": "wrong"},
        headers={"HX-Request": "true"},
    )
    assert response["HX-Redirect"].startswith("/sign-in/")


def test_a_right_password_gives_five_new_tries(
    michael: Person, token: Token, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES = settings.SIGN_IN_TRIES_PER_NAME = 100
    for _ in range(3):
        stale(michael.client)
        for _ in range(4):
            guess(michael.client, token)
        assert QUESTION not in guess(michael.client, token, PASSWORD).text
    assert signed_in(michael.client)


def test_the_guesses_of_one_session_do_not_end_another(
    michael: Person, token: Token, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES = settings.SIGN_IN_TRIES_PER_NAME = 100
    thief = Client()
    thief.force_login(michael.user, backend="accounts.backends.EmailBackend")
    for _ in range(5):
        guess(thief, token)
    assert not signed_in(thief)
    assert signed_in(michael.client)


def test_the_old_password_on_the_password_page_counts_with_them(
    michael: Person, token: Token, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES = settings.SIGN_IN_TRIES_PER_NAME = 100
    stale(michael.client)
    for _ in range(3):
        guess(michael.client, token)
    for _ in range(2):
        michael.client.post(
            "/account/password/",
            {"old_password": "wrong", "new_password1": "x", "new_password2": "x"},
        )
    assert not signed_in(michael.client)


def test_wrong_passwords_at_sign_in_and_in_the_question_count_together(
    michael: Person, token: Token
) -> None:
    for _ in range(3):
        Client().post(
            "/sign-in/", {"username": f" {michael.user.email.upper()}", "password": "wrong"}
        )
    stale(michael.client)
    guess(michael.client, token)
    assert guess(michael.client, token).status_code == 429
    assert (
        Client()
        .post("/sign-in/", {"username": michael.user.email, "password": PASSWORD})
        .status_code
        == 429
    )


@pytest.mark.django_db(transaction=True)
def test_of_thirty_guesses_at_once_no_more_than_five_are_checked(
    michael: Person, token: Token, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES = settings.SIGN_IN_TRIES_PER_NAME = (
        settings.SIGN_IN_TRIES_PER_ADDRESS
    ) = 1000
    stale(michael.client)
    cookie = michael.client.cookies[settings.SESSION_COOKIE_NAME].value
    together = Barrier(5)
    checked = []

    def note(**kwargs: Any) -> None:
        checked.append(kwargs["credentials"]["username"])

    def one(_: int) -> int:
        client = Client(raise_request_exception=False)
        client.cookies[settings.SESSION_COOKIE_NAME] = cookie
        together.wait()
        try:
            return guess(client, token).status_code
        finally:
            connection.close()

    user_login_failed.connect(note)
    with ThreadPoolExecutor(5) as threads:
        list(threads.map(one, range(30)))
    # There are fewer if the server was too busy to check one and asked the client to come back.
    assert 0 < len(checked) <= 5
    assert not signed_in(michael.client)


def test_a_guess_beyond_the_fifth_ends_the_session_without_being_checked(michael: Person) -> None:
    """The right password does not help: whoever guesses at once has had five tries already."""
    request = RequestFactory().post("/")
    request.user, request.session = michael.user, michael.client.session
    key = f"sudo:{digest(request.session.session_key or '')}"
    for _ in range(5):
        Counter.objects.take(key, 5, timedelta(hours=1))
    with pytest.raises(sudo.SessionOver):
        sudo.check_password(request, PASSWORD)
    Counter.objects.filter(key=key).update(used=4)
    assert sudo.check_password(request, PASSWORD) == PASSWORD
    assert not Counter.objects.filter(key=key).exists()

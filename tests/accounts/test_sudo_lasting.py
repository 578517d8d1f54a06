"""How long, for whom and for what a password counts as given."""

import re
import time

import pytest
from django.test import Client

from activity.actions import Action
from tests.accounts.test_sudo import QUESTION, answer
from tests.conftest import Person, Response, confirmed, person, stale
from tests.factories import CUSTOM, PASSWORD, MembershipFactory, secret
from tokens.catalog import Module
from tokens.models import Token


@pytest.mark.parametrize(
    ("seconds", "asks"),
    [
        (0, False),
        (299, False),
        (300, True),
        (301, True),
        (3600, True),
        (-60, True),
        (-(10**9), True),
    ],
)
def test_a_password_counts_for_five_minutes_and_a_moment_ahead_of_the_clock_does_not(
    michael: Person, token: Token, monkeypatch: pytest.MonkeyPatch, seconds: int, asks: bool
) -> None:
    now = int(time.time())
    monkeypatch.setattr(time, "time", lambda: now)
    response = confirmed(michael.client, seconds).post(f"/integrations/tokens/{token.pk}/reveal/")
    assert (QUESTION in response.text) is asks


def test_signing_in_counts_as_giving_the_password(michael: Person, token: Token) -> None:
    client = Client()
    client.post("/sign-in/", {"username": michael.user.email, "password": PASSWORD})
    assert QUESTION not in client.post(f"/integrations/tokens/{token.pk}/reveal/").text


# --- Whose confirmation it is ---------------------------------------------------------------------


def test_the_answer_holds_for_the_account_it_was_asked_for(michael: Person, token: Token) -> None:
    other = MembershipFactory(user=michael.user)
    token.disable(by=None)
    path = f"/integrations/tokens/{token.pk}/enable/"
    michael.client.post("/account/switch/", {"account": michael.account.pk})
    question = stale(michael.client).post(path)
    michael.client.post("/account/switch/", {"account": other.account.pk})
    response = answer(michael.client, path, question)
    assert response.status_code == 302
    assert other.account.name in michael.client.get(response["Location"], follow=True).text
    token.refresh_from_db()
    assert token.status == "inactive"


def test_a_question_of_another_session_needs_that_sessions_mark(
    michael: Person, token: Token
) -> None:
    token.disable(by=None)
    client = Client(enforce_csrf_checks=True)
    client.force_login(michael.user, backend="accounts.backends.EmailBackend")
    client.post(
        f"/integrations/tokens/{token.pk}/enable/",
        {"sudo_password": PASSWORD, "csrfmiddlewaretoken": "x" * 64},
    )
    token.refresh_from_db()
    assert token.status == "inactive"
    assert not client.session.get("confirmed_at")


def test_one_password_serves_two_tabs_and_a_second_press_changes_nothing_more(
    michael: Person, token: Token
) -> None:
    token.disable(by=None)
    path = f"/integrations/tokens/{token.pk}/enable/"
    first, second = stale(michael.client).post(path), michael.client.post(path)
    answer(michael.client, path, first)
    assert answer(michael.client, path, second, password="no matter").status_code == 302
    assert token.events.filter(action=Action.TOKEN_ENABLED).count() == 1


def test_a_huge_pending_body_is_refused_and_does_nothing(michael: Person, token: Token) -> None:
    token.disable(by=None)
    path = f"/integrations/tokens/{token.pk}/enable/"
    assert stale(michael.client).post(path, {"x": "y" * 300_000}).status_code == 413
    many = {f"field{n}": "x" for n in range(199)}
    question = michael.client.post(path, many)
    assert answer(michael.client, path, question).status_code == 413
    token.refresh_from_db()
    assert token.status == "inactive"


# --- The creator's grace --------------------------------------------------------------------------


def create(client: Client) -> Token:
    run = client.post("/integrations/tokens/new/", {"name": "Mine", "expires_on": ""})["Location"]
    client.post(run, {"extension": CUSTOM})
    client.post(run.replace("extension", "permissions"), {"modules": [Module.AGREEMENTS]})
    return Token.objects.get(name="Mine")


def reveal(client: Client, token: Token, page: str = "summary") -> Response:
    return client.post(f"/integrations/tokens/{token.pk}/reveal/", {"page": page})


def test_the_session_that_created_a_token_views_its_key_on_summary_without_being_asked(
    michael: Person,
) -> None:
    token = create(michael.client)
    stale(michael.client)
    assert secret(token) in re.sub(r"<[^>]*>", "", reveal(michael.client, token).text)
    assert QUESTION in reveal(michael.client, token, page="detail").text


def test_another_session_of_the_creator_is_asked_on_summary(michael: Person) -> None:
    token = create(michael.client)
    elsewhere = Client()
    elsewhere.force_login(michael.user, backend="accounts.backends.EmailBackend")
    assert QUESTION in reveal(elsewhere, token).text


@pytest.mark.parametrize("seconds", [601, -60])
def test_the_grace_is_short_and_does_not_lie_ahead(michael: Person, seconds: int) -> None:
    token = create(michael.client)
    session = stale(michael.client).session
    session["created"] = {token.pk: time.time() - seconds}
    session.save()
    assert QUESTION in reveal(michael.client, token).text


def test_the_grace_is_for_that_token_only(michael: Person, token: Token) -> None:
    create(michael.client)
    stale(michael.client)
    assert QUESTION in reveal(michael.client, token).text


def test_a_colleague_is_not_led_to_the_summary_of_a_run_that_is_not_his(michael: Person) -> None:
    create(michael.client)
    draft_id = Token.objects.get(name="Mine").draft_id
    address = f"/integrations/tokens/new/{draft_id}/general/"
    assert michael.client.get(address).status_code == 302
    assert person(account=michael.account).client.get(address).status_code == 404

"""Disable, enable and delete work, return to the page they came from, and say what happened."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from activity.actions import Action
from portal.fields import Actor
from tests.conftest import Call, Person, Response
from tests.factories import TokenFactory, header
from tokens.models import Token, TokenUsage

PAGE = "/integrations/tokens/?page=2&sort=label"


def act(client: Client, token: Token, verb: str, **data: Any) -> Response:
    return client.post(
        f"/integrations/tokens/{token.pk}/{verb}/", {"next": PAGE, **data}, follow=True
    )


def test_disable_returns_to_the_same_page_with_a_way_back(michael: Person, token: Token) -> None:
    response = act(michael.client, token, "disable")
    assert response.redirect_chain == [(PAGE, 302)]
    assert f"{token.name} is disabled." in response.text
    assert f"/integrations/tokens/{token.pk}/enable/" in response.text
    token.refresh_from_db()
    assert (token.status, token.status_changed_by) == ("inactive", Actor.of(michael.user))


def test_enable_makes_the_key_work_again(michael: Person, token: Token, call: Call) -> None:
    token.disable(by=michael.user)
    response = act(michael.client, token, "enable")
    assert "Its key works again." in response.text
    assert call("agreements", token).status_code == 200


def test_enabling_an_expired_token_says_that_it_is_expired(michael: Person, token: Token) -> None:
    token.disable(by=michael.user)
    Token.objects.update(expires_at=timezone.now())
    text = act(michael.client, token, "enable").text
    assert "Calls with the key get the answer 401, because the token is expired." in text
    assert "works again" not in text


def test_disabling_an_expired_token_does_not_claim_to_stop_anything(
    michael: Person, token: Token
) -> None:
    Token.objects.update(expires_at=timezone.now())
    text = act(michael.client, token, "disable").text
    assert "Calls with the key get the answer 401, because the token is expired." in text
    assert "Its next API call" not in text


@pytest.mark.parametrize(
    ("verb", "words"), [("disable", "is already inactive"), ("enable", "is already active")]
)
def test_a_repeated_action_changes_nothing_and_says_so(
    michael: Person, token: Token, verb: str, words: str
) -> None:
    if verb == "disable":
        token.disable(by=None)
    events = token.events.count()
    assert words in act(michael.client, token, verb).text
    assert token.events.count() == events


def test_an_expiring_token_is_called_active(michael: Person, token: Token) -> None:
    Token.objects.update(expires_at=timezone.now() + timedelta(days=3))
    assert "is already active" in act(michael.client, token, "enable").text


def test_delete_asks_first_and_names_the_token_and_its_last_use(
    michael: Person, token: Token
) -> None:
    response = michael.client.get(f"/integrations/tokens/{token.pk}/delete/?next={PAGE}")
    assert f"Delete {token.name}" in response.text
    assert "Never called: safe to delete." in response.text
    assert Token.objects.get(pk=token.pk).status == "active"


def test_delete_warns_when_the_token_is_in_use(michael: Person, token: Token) -> None:
    TokenUsage.objects.update(last_used_at=timezone.now())
    assert (
        "The token is in use" in michael.client.get(f"/integrations/tokens/{token.pk}/delete/").text
    )


def test_delete_stops_the_key_at_once_and_offers_to_undo_it(
    michael: Person, token: Token, call: Call
) -> None:
    key = header(token)
    response = act(michael.client, token, "delete")
    assert response.redirect_chain == [(PAGE, 302)]
    assert f"{token.name} is deleted." in response.text
    assert f"/integrations/tokens/{token.pk}/restore/" in response.text
    token.refresh_from_db()
    assert token.status == "deleted"
    assert call("accounts", key).status_code == 401
    assert token.permissions.count() == 1


@pytest.mark.parametrize("verb", ["enable", "disable", "delete"])
def test_a_deleted_token_stays_deleted(michael: Person, token: Token, verb: str) -> None:
    token.remove(by=michael.user)
    act(michael.client, token, verb)
    token.refresh_from_db()
    assert token.status == "deleted"
    assert token.events.filter(action=Action.TOKEN_DELETED).count() == 1


@pytest.mark.parametrize("verb", ["enable", "disable", "delete"])
def test_the_token_of_another_account_does_not_exist(michael: Person, verb: str) -> None:
    other = TokenFactory()
    assert act(michael.client, other, verb).status_code == 404
    other.refresh_from_db()
    assert other.status == "active"


@pytest.mark.parametrize("verb", ["enable", "disable", "delete"])
def test_a_looker_may_not(adrian: Person, token: Token, verb: str) -> None:
    response = act(adrian.client, token, verb)
    assert response.status_code == 403
    assert "read-only" in response.text
    token.refresh_from_db()
    assert token.status == "active"


@pytest.mark.parametrize("verb", ["enable", "disable", "delete"])
def test_nobody_is_led_to_the_sign_in(client: Client, token: Token, verb: str) -> None:
    response = client.post(f"/integrations/tokens/{token.pk}/{verb}/")
    assert response["Location"].startswith("/sign-in/")
    token.refresh_from_db()
    assert token.status == "active"


@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_looking_at_an_action_does_nothing(michael: Person, token: Token, verb: str) -> None:
    before = Token.objects.values().get()
    assert (
        michael.client.get(f"/integrations/tokens/{token.pk}/{verb}/")["Location"]
        == f"/integrations/tokens/{token.pk}/"
    )
    assert Token.objects.values().get() == before


def test_every_change_is_recorded_with_the_person(michael: Person, token: Token) -> None:
    for verb in ("disable", "enable", "delete"):
        act(michael.client, token, verb)
    recorded = [(event.action, event.actor) for event in token.events.order_by("number")]
    actions = (
        Action.TOKEN_CREATED,
        Action.TOKEN_DISABLED,
        Action.TOKEN_ENABLED,
        Action.TOKEN_DELETED,
    )
    assert recorded == [(action, Actor.of(michael.user)) for action in actions]


def test_every_verb_of_keys_is_recorded_with_the_person_and_the_keys(
    michael: Person, token: Token
) -> None:
    by, day = michael.user, timedelta(days=1)
    soon, later = timezone.now() + day, timezone.now() + 2 * day
    first = header(token)[-4:]
    second = token.renew(by=by, until=soon).last_four
    token.extend(by=by, until=later)
    token.rehearse(by=by)
    rehearsed_until = token.live_keys[-1].rehearsed_until
    token.end_rehearsal(by=by)
    token.retire(by=by)
    third = token.renew(by=by, until=soon).last_four
    token.cancel_renewal(by=by)
    fourth = token.rotate(by=by).last_four

    def keys(*four: str | None) -> list[str | None]:
        return [f"ends in {digits}" if digits else None for digits in four]

    def moments(*two: datetime | None) -> list[str | None]:
        return [moment.isoformat() if moment else None for moment in two]

    events = [*token.events.order_by("number")][1:]
    assert {event.actor for event in events} == {Actor.of(by)}
    assert [(event.action, event.changes) for event in events] == [
        (
            Action.KEY_RENEWED,
            {"key": keys(first, second), "old_key_ends_at": moments(None, soon)},
        ),
        (Action.OLD_KEY_EXTENDED, {"old_key_ends_at": moments(soon, later)}),
        (Action.REHEARSAL_STARTED, {"rehearsal_ends_at": moments(None, rehearsed_until)}),
        (Action.REHEARSAL_ENDED, {"rehearsal_ends_at": moments(rehearsed_until, None)}),
        (Action.OLD_KEY_RETIRED, {"key": keys(first, None)}),
        (
            Action.KEY_RENEWED,
            {"key": keys(second, third), "old_key_ends_at": moments(None, soon)},
        ),
        (Action.RENEWAL_CANCELLED, {"key": keys(third, second)}),
        (Action.KEY_ROTATED, {"key": keys(second, fourth)}),
    ]
    assert {key.made_by for key in token.keys.exclude(version=1)} == {Actor.of(by)}

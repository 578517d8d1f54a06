"""`/auth/tokens`: tokens are changed, renewed, rotated and deleted by programs."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from activity.actions import Action
from portal.fields import Actor
from tests.conftest import Call, Person
from tests.factories import TokenFactory, deleted, header
from tests.modules.conftest import Manage
from tests.modules.test_tokens_api import CUSTOM, refused
from tokens.catalog import Module
from tokens.models import Token


def test_a_change_is_made_by_the_token_and_shown_as_such(
    manage: Manage, boss: Token, token: Token, michael: Person
) -> None:
    body = manage(
        boss, "put", f"/{token.pk}", {"name": "Renamed", "external_id": None, "description": "New."}
    ).json()
    assert (body["name"], body["external_id"], body["description"]) == ("Renamed", "", "New.")
    assert body["events"]["updated"]["by"] == {"id": boss.pk, "name": "Boss"}
    event = token.events[0]
    assert (event.actor, event.action) == (Actor(boss.pk, "Boss"), Action.TOKEN_CHANGED)
    assert "Boss" in michael.client.get(f"/integrations/tokens/{token.pk}/").content.decode()


def test_deactivate_and_activate_hold_at_the_very_next_call(
    manage: Manage, call: Call, boss: Token, token: Token
) -> None:
    key = header(token)
    for _ in range(2):  # repeating it is not an error
        assert manage(boss, "post", f"/{token.pk}/deactivate").json()["status"] == "inactive"
    assert call("agreements", key).status_code == 401
    for _ in range(2):
        assert manage(boss, "post", f"/{token.pk}/activate").json()["status"] == "active"
    assert call("agreements", key).status_code == 200
    assert Token.objects.get(pk=token.pk).status_changed_by == Actor.of(boss)


def test_a_token_may_end_itself(manage: Manage, clerk: Token) -> None:
    key = header(clerk)
    assert manage(key, "delete", f"/{clerk.pk}").status_code == 204
    refused(manage(key, "get", ""), 401, "AUTH_001")


def test_a_deleted_token_stays_as_it_was(
    manage: Manage, call: Call, boss: Token, token: Token
) -> None:
    key = header(token)
    assert manage(boss, "delete", f"/{token.pk}").status_code == 204
    assert call("agreements", key).status_code == 401
    assert manage(boss, "get", f"/{token.pk}").json()["status"] == "deleted"
    for method, path, body in (
        ("put", "", {"name": "Back"}),
        ("delete", "", None),
        ("post", "/activate", None),
        ("post", "/deactivate", None),
        ("post", "/rotate", None),
        ("post", "/renew", None),
        ("post", "/permissions", {"id": "MD-9002"}),
        ("delete", "/permissions", {"id": "MD-9001"}),
    ):
        refused(manage(boss, method, f"/{token.pk}{path}", body), 400, "TKN_001", "deleted")
    assert Token.objects.get(pk=token.pk).name == "ERP Agreements Sync"
    assert Token.objects.get(pk=token.pk).status_changed_by == Actor.of(boss)
    # Its name can be used again once it can no longer be restored.
    again = CUSTOM | {"name": "ERP Agreements Sync"}
    taken = manage(boss, "post", "", again)
    assert (taken.status_code, "can be restored until" in taken.text) == (400, True)
    deleted(token, days=7)
    assert manage(boss, "post", "", again).status_code == 201


def key_of(token: Token, secret: str) -> str:
    return f"ApiKey {token.pk}:{secret}"


def test_rotate_answers_with_the_new_secret_and_stops_the_old_key(
    manage: Manage, call: Call, boss: Token, token: Token
) -> None:
    old = header(token)
    response = manage(boss, "post", f"/{token.pk}/rotate")
    assert response.status_code == 200
    body = response.json()
    assert (body["id"], body["status"]) == (token.pk, "active")
    assert "renewed_token" not in body
    refused(call("agreements", old), 401, "AUTH_006", "retired")
    assert call("agreements", key_of(token, body["token"])).status_code == 200
    assert body["events"]["updated"]["by"]["id"] == boss.pk


def test_renew_answers_with_the_new_secret_and_both_expiration_dates(
    manage: Manage, call: Call, boss: Token, token: Token
) -> None:
    old, expires = header(token), "2099-01-31T10:20:30+00:00"
    body = manage(boss, "post", f"/{token.pk}/renew", {"expiration_date": expires}).json()
    assert (body["status"], body["renewed_expiration_date"]) == ("revitalised", expires)
    ends = datetime.fromisoformat(body["expiration_date"])
    assert abs(ends - timezone.now() - timedelta(days=30)) < timedelta(minutes=5)
    assert "token" not in body
    for key in (old, key_of(token, body["renewed_token"])):
        assert call("agreements", key).status_code == 200
    # No other answer has the secret.
    assert "renewed_token" not in manage(boss, "get", f"/{token.pk}").json()


def test_the_present_key_works_until_its_expiration_date_when_it_is_renewed(
    manage: Manage, boss: Token, account: Account
) -> None:
    ends = (timezone.now() + timedelta(days=3)).replace(microsecond=0)
    token = TokenFactory(account=account, expires_at=ends)
    body = manage(boss, "post", f"/{token.pk}/renew", {"expiration_date": None}).json()
    assert datetime.fromisoformat(body["expiration_date"]) == ends
    assert "renewed_expiration_date" not in body
    assert Token.objects.get(pk=token.pk).expires_at is None


def test_a_token_with_two_keys_is_not_renewed_again(
    manage: Manage, boss: Token, token: Token
) -> None:
    assert manage(boss, "post", f"/{token.pk}/renew").status_code == 200
    refused(manage(boss, "post", f"/{token.pk}/renew"), 400, "TKN_005", "two keys already")
    assert manage(boss, "post", f"/{token.pk}/rotate").status_code == 200
    assert manage(boss, "post", f"/{token.pk}/renew").status_code == 200


def test_an_expired_token_is_rotated_but_not_renewed(
    manage: Manage, call: Call, boss: Token, token: Token
) -> None:
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(days=1))
    later = {"expiration_date": "2099-01-31T10:20:30+00:00"}
    refused(manage(boss, "post", f"/{token.pk}/renew", later), 400, "TKN_006", "expired")
    body = manage(boss, "post", f"/{token.pk}/rotate", later).json()
    assert call("agreements", key_of(token, body["token"])).status_code == 200


@pytest.mark.parametrize("action", ["renew", "rotate"])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"expiration_date": "2020-01-31T10:20:30+00:00"}, "Must be in the future."),
        ({"expiration_date": "soon"}, "Must be a date and time"),
        ({"expiration_date": 7}, "Must be a string."),
    ],
)
def test_a_bad_expiration_date_makes_no_key(
    manage: Manage, boss: Token, token: Token, action: str, body: dict[str, Any], text: str
) -> None:
    refused(manage(boss, "post", f"/{token.pk}/{action}", body), 400, "VAL_001", text)
    assert token.keys.count() == 1


@pytest.mark.parametrize("action", ["renew", "rotate"])
def test_a_new_key_gives_no_more_access_than_the_caller_has(
    manage: Manage, clerk: Token, boss: Token, action: str
) -> None:
    refused(manage(clerk, "post", f"/{boss.pk}/{action}"), 403, "TKN_004", "does not have itself")
    assert boss.keys.count() == 1


@pytest.mark.parametrize("action", ["renew", "rotate"])
def test_a_token_cannot_live_longer_by_a_new_key_of_its_own(
    manage: Manage, clerk: Token, action: str
) -> None:
    Token.objects.filter(pk=clerk.pk).update(expires_at=timezone.now() + timedelta(days=3))
    for later in ("2099-01-31T10:20:30+00:00", None):
        response = manage(clerk, "post", f"/{clerk.pk}/{action}", {"expiration_date": later})
        refused(response, 403, "TKN_004", "expires later or never")
    assert clerk.keys.count() == 1
    assert manage(clerk, "post", f"/{clerk.pk}/{action}").status_code == 200


@pytest.mark.parametrize("action", ["renew", "rotate"])
def test_a_token_of_another_account_gets_no_key(
    manage: Manage, boss: Token, stranger: Person, action: str
) -> None:
    theirs = TokenFactory(account=stranger.account)
    assert manage(boss, "post", f"/{theirs.pk}/{action}").status_code == 404
    assert theirs.keys.count() == 1


def test_modules_and_extensions_are_those_of_the_catalog(call: Call, boss: Token) -> None:
    assert {row["id"]: row["name"] for row in call("modules", boss).json()} == {
        module.value: str(module.label) for module in Module
    }
    extensions = {row["id"]: row for row in call("extensions", boss).json()}
    assert set(extensions) == {"EXT-000", "EXT-310-442", "EXT-386-120", "EXT-651-883"}
    assert extensions["EXT-000"]["name"] == "custom"
    assert extensions["EXT-000"]["description"] == "Custom Integration"
    assert call("modules/MD-0000", boss).json() == {"id": "MD-0000", "name": "All"}

"""`/auth/tokens`: a program manages the tokens of its account.

It can never grant more than it has itself.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account
from portal.fields import Actor
from tests.conftest import Call, Person, Response
from tests.factories import ZAPIER, TokenFactory, modules_of, secret
from tests.modules.conftest import Manage
from tokens.catalog import Module
from tokens.models import Token

CUSTOM = {"name": "Made by a program", "extension": {"id": "EXT-000"}}


def refused(response: Response, status: int, code: str, *texts: str) -> None:
    assert response.status_code == status, response.content
    assert response.json()["error_code"] == code
    for text in texts:
        assert text in " ".join(response.json()["errors"])


def grants(token: Token) -> set[str]:
    return set(Token.objects.get(pk=token.pk).grants)


# --- Reading --------------------------------------------------------------------------------------


def test_a_token_is_shown_with_everything_but_its_key(
    manage: Manage, boss: Token, michael: Person
) -> None:
    expires = timezone.now() + timedelta(days=3)
    shown = TokenFactory(
        account=boss.account,
        name="Reader",
        external_id="7",
        description="Reads.",
        by=michael.user,
        expires_at=expires,
        modules=(Module.PRODUCTS,),
    )
    body = manage(boss, "get", f"/{shown.pk}").json()
    by = {"id": michael.user.pk, "name": "Michael Goldmill"}
    at = body["events"]["created"]["at"]
    assert body == {
        "id": shown.pk,
        "name": "Reader",
        "description": "Reads.",
        "external_id": "7",
        "owner": {"id": boss.account_id, "name": boss.account.name},
        "status": "expiring",
        "extension": {"id": "EXT-000", "name": "custom", "revision": 1},
        "events": {
            "created": {"at": at, "by": by},
            "updated": {"at": body["events"]["updated"]["at"], "by": by},
        },
        "permissions": [
            {
                "id": "MD-9008",
                "object": {"id": "MD-9008"},
                "events": {
                    "granted": {"at": body["permissions"][0]["events"]["granted"]["at"], "by": by}
                },
            }
        ],
        "expiration_date": expires.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
    }
    # A moment has the same format inside and outside of lists.
    assert len(body["permissions"][0]["events"]["granted"]["at"]) == len(
        "2024-01-31T10:20:30+00:00"
    )
    assert body["permissions"][0]["events"]["granted"]["at"].endswith("+00:00")


def test_every_state_can_be_filtered(manage: Manage, boss: Token, account: Account) -> None:
    now = timezone.now()
    tokens = {
        "active": TokenFactory(account=account, expires_at=now + timedelta(days=300)),
        "expiring": TokenFactory(account=account, expires_at=now + timedelta(days=3)),
        "expired": TokenFactory(account=account, expires_at=now - timedelta(days=3)),
        "inactive": TokenFactory(account=account, expires_at=now - timedelta(days=3)),
        "deleted": TokenFactory(account=account),
    }
    tokens["inactive"].disable(by=None)
    tokens["deleted"].remove(by=None)
    for state, token in tokens.items():
        token.refresh_from_db()
        assert token.state == state
        found = {row["id"] for row in manage(boss, "get", f"?status={state}").json()}
        assert found - {boss.pk} == {token.pk}
        assert manage(boss, "get", f"/{token.pk}").json()["status"] == state


def test_no_secret_is_in_any_answer_but_that_of_create(
    manage: Manage, boss: Token, clerk: Token
) -> None:
    for path in ("", f"/{clerk.pk}", f"/{clerk.pk}/permissions"):
        text = manage(boss, "get", path).content.decode()
        assert secret(clerk) not in text
        assert '"token"' not in text
    for path, body in ((f"/{clerk.pk}/activate", None), (f"/{clerk.pk}/deactivate", None)):
        assert secret(clerk) not in manage(boss, "post", path, body).content.decode()
    assert (
        secret(clerk) not in manage(boss, "put", f"/{clerk.pk}", {"name": "Other"}).content.decode()
    )


def test_another_accounts_tokens_do_not_exist(
    manage: Manage, boss: Token, stranger: Person
) -> None:
    theirs = TokenFactory(account=stranger.account)
    assert theirs.pk not in {row["id"] for row in manage(boss, "get", "").json()}
    for method, path, body in (
        ("get", "", None),
        ("put", "", {"name": "Mine"}),
        ("delete", "", None),
        ("post", "/activate", None),
        ("post", "/deactivate", None),
        ("get", "/permissions", None),
        ("post", "/permissions", {"id": "MD-9001"}),
        ("delete", "/permissions", {"id": "MD-9001"}),
    ):
        refused(manage(boss, method, f"/{theirs.pk}{path}", body), 404, "NFND_000", theirs.pk)
    theirs.refresh_from_db()
    assert (theirs.status, theirs.version) == ("active", 1)


def test_a_token_without_the_module_is_refused_everywhere(
    manage: Manage, token: Token, boss: Token
) -> None:
    for method, path in (
        ("get", ""),
        ("post", ""),
        ("get", f"/{boss.pk}"),
        ("post", f"/{boss.pk}/deactivate"),
        ("get", f"/{boss.pk}/permissions"),
    ):
        refused(manage(token, method, path), 403, "AUTH_003", "Integrations")


# --- Creating -------------------------------------------------------------------------------------


def test_the_key_of_a_made_token_is_in_the_answer_and_works_at_once(
    manage: Manage, call: Call, boss: Token, account: Account
) -> None:
    response = manage(boss, "post", "", CUSTOM | {"external_id": "7", "description": "For orders."})
    assert response.status_code == 201
    made = response.json()
    assert (made["name"], made["external_id"], made["description"], made["status"]) == (
        "Made by a program",
        "7",
        "For orders.",
        "active",
    )
    assert made["owner"]["id"] == account.pk
    assert made["permissions"] == []
    key = f"ApiKey {made['id']}:{made['token']}"
    assert call("accounts", key).json()[0]["id"] == account.pk
    assert call("agreements", key).status_code == 403
    assert "token" not in manage(boss, "get", f"/{made['id']}").json()


def test_the_portal_shows_a_made_token_at_once_with_the_maker(
    manage: Manage, boss: Token, michael: Person
) -> None:
    made = manage(boss, "post", "", CUSTOM).json()
    token = Token.objects.get(pk=made["id"])
    assert token.created_by == Actor.of(boss)
    page = michael.client.get(f"/integrations/tokens/{token.pk}/").content.decode()
    assert "Boss" in page
    assert f'href="/integrations/tokens/{boss.pk}/"' in page
    assert "Made by a program" in michael.client.get("/integrations/tokens/").content.decode()
    assert made["token"] not in page


def test_a_body_cannot_set_what_is_not_its_to_set(
    manage: Manage, boss: Token, account: Account
) -> None:
    body = CUSTOM | {
        "id": "SU-111-111-111",
        "status": "inactive",
        "permissions": [{"id": "MD-0000"}],
        "token": "f" * 40,
        "version": 9,
        "modules": ["MD-0000"],
    }
    made = manage(boss, "post", "", body).json()
    assert made["id"] != "SU-111-111-111"
    assert (made["status"], made["permissions"]) == ("active", [])
    assert made["token"] != "f" * 40
    manage(
        boss,
        "put",
        f"/{made['id']}",
        {
            "status": "deleted",
            "expiration_date": "2030-01-01T00:00:00Z",
            "extension": {"id": "EXT-651-883"},
            "owner": None,
        },
    )
    token = Token.objects.get(pk=made["id"])
    assert (token.status, token.expires_at, token.extension_id, token.account_id) == (
        "active",
        None,
        "EXT-000",
        account.pk,
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"extension": {"id": "EXT-000"}}, "name: This field is required."),
        ({"name": "x"}, "extension.id: This field is required."),
        (CUSTOM | {"name": ""}, "name: "),
        (CUSTOM | {"name": "x" * 129}, "at most 128"),
        (CUSTOM | {"description": "x" * 256}, "at most 255"),
        (CUSTOM | {"external_id": "x" * 129}, "at most 128"),
        (CUSTOM | {"extension": {"id": "EXT-111-111"}}, "extension.id: "),
        (CUSTOM | {"extension": {"id": None}}, "extension.id: "),
        (CUSTOM | {"extension": "EXT-000"}, "extension: Must be an object."),
        (CUSTOM | {"owner": {"id": "PA-000-000"}}, "owner.id: "),
        (CUSTOM | {"expiration_date": "tomorrow"}, "expiration_date: "),
        (
            CUSTOM | {"expiration_date": "2020-01-01T00:00:00+00:00"},
            "expiration_date: Must be in the future.",
        ),
        (CUSTOM | {"expiration_date": "9999-12-31T23:59:59-14:00"}, "expiration_date: "),
        (CUSTOM | {"expiration_date": 7}, "expiration_date: Must be a string."),
    ],
)
def test_a_mistake_is_named_and_no_token_is_made(
    manage: Manage, boss: Token, body: dict[str, Any], text: str
) -> None:
    refused(manage(boss, "post", "", body), 400, "VAL_001", text)
    assert Token.objects.count() == 1


def test_a_name_that_is_taken_is_told(manage: Manage, boss: Token) -> None:
    refused(
        manage(boss, "post", "", CUSTOM | {"name": "BOSS"}),
        400,
        "VAL_001",
        "name: A token with the name",
    )
    other = manage(boss, "post", "", CUSTOM).json()["id"]
    refused(
        manage(boss, "put", f"/{other}", {"name": "boss"}),
        400,
        "VAL_001",
        "name: A token with the name",
    )


def test_the_cap_of_an_extension_holds(manage: Manage, boss: Token, settings: Settings) -> None:
    settings.TOKENS_PER_EXTENSION = 2
    assert manage(boss, "post", "", CUSTOM).status_code == 201
    refused(manage(boss, "post", "", CUSTOM | {"name": "Third"}), 400, "VAL_001", "extension.id: ")


def test_an_expiration_date_is_kept_and_shown(manage: Manage, boss: Token) -> None:
    made = manage(
        boss, "post", "", CUSTOM | {"expiration_date": "2099-01-01T02:00:00+02:00"}
    ).json()
    assert made["expiration_date"] == "2099-01-01T00:00:00+00:00"


# --- Never more than its own access ---------------------------------------------------------------


def test_a_token_grants_what_it_has_and_nothing_else(
    manage: Manage, call: Call, clerk: Token
) -> None:
    made = manage(clerk, "post", "", CUSTOM).json()
    key = f"ApiKey {made['id']}:{made['token']}"
    path = f"/{made['id']}/permissions"
    response = manage(clerk, "post", path, {"id": "MD-9001"})
    assert response.status_code == 201
    assert response.json() == {"id": "MD-9001", "object": {"id": "MD-9001"}}
    assert call("agreements", key).status_code == 200
    for module in (Module.CONTRACTS, Module.ALL, Module.HELPDESK):
        refused(
            manage(clerk, "post", path, {"object": {"id": module.value}}),
            403,
            "TKN_004",
            str(module.label),
        )
    assert grants(Token.objects.get(pk=made["id"])) == {Module.AGREEMENTS}


def test_a_token_cannot_grant_itself_more(manage: Manage, clerk: Token) -> None:
    for module in (Module.CONTRACTS, Module.ALL):
        refused(
            manage(clerk, "post", f"/{clerk.pk}/permissions", {"id": module.value}), 403, "TKN_004"
        )
    assert grants(clerk) == {Module.INTEGRATIONS, Module.AGREEMENTS}


def test_a_token_cannot_make_one_whose_extension_brings_more(manage: Manage, clerk: Token) -> None:
    refused(
        manage(clerk, "post", "", {"name": "Zap", "extension": {"id": ZAPIER}}),
        403,
        "TKN_004",
        "Helpdesk",
    )
    assert Token.objects.count() == 1


def test_a_token_cannot_wake_one_that_may_do_more(
    manage: Manage, clerk: Token, boss: Token
) -> None:
    boss.disable(by=None)
    refused(manage(clerk, "post", f"/{boss.pk}/activate"), 403, "TKN_004")
    assert Token.objects.get(pk=boss.pk).status == "inactive"


def test_taking_away_all_leaves_nothing(manage: Manage, boss: Token, account: Account) -> None:
    """All is a grant of its own, and nothing remains without it: revoking never adds access."""
    other = TokenFactory(account=account, modules=(Module.ALL,))
    assert manage(boss, "delete", f"/{other.pk}/permissions", {"id": "MD-0000"}).status_code == 204
    assert grants(other) == set()


def test_a_token_that_ends_hands_nothing_to_one_that_lives_on(
    manage: Manage, account: Account
) -> None:
    ends = timezone.now() + timedelta(days=1)
    mortal = TokenFactory(account=account, name="Mortal", modules=(Module.ALL,), expires_at=ends)
    made = manage(mortal, "post", "", CUSTOM).json()
    assert made["expiration_date"] == ends.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    later = (ends + timedelta(days=1)).isoformat()
    refused(
        manage(mortal, "post", "", CUSTOM | {"name": "Later", "expiration_date": later}),
        403,
        "TKN_004",
    )
    immortal = TokenFactory(account=account, modules=())
    refused(
        manage(mortal, "post", f"/{immortal.pk}/permissions", {"id": "MD-9001"}), 403, "TKN_004"
    )
    immortal.disable(by=None)
    refused(manage(mortal, "post", f"/{immortal.pk}/activate"), 403, "TKN_004")
    assert Token.objects.get(pk=immortal.pk).status == "inactive"
    assert grants(immortal) == set()
    assert not Token.objects.filter(name="Later").exists()


def test_all_may_hand_out_everything(manage: Manage, boss: Token) -> None:
    made = manage(boss, "post", "", {"name": "Zap", "extension": {"id": ZAPIER}}).json()
    assert {grant["id"] for grant in made["permissions"]} == set(modules_of(ZAPIER))
    custom = manage(boss, "post", "", CUSTOM).json()
    assert (
        manage(boss, "post", f"/{custom['id']}/permissions", {"id": "MD-0000"}).status_code == 201
    )


def test_a_token_that_gave_its_own_module_away_is_refused_from_the_next_call_on(
    manage: Manage, clerk: Token
) -> None:
    assert manage(clerk, "delete", f"/{clerk.pk}/permissions", {"id": "MD-0007"}).status_code == 204
    refused(manage(clerk, "get", ""), 403, "AUTH_003")


# --- Permissions ----------------------------------------------------------------------------------


def test_permissions_are_a_list_of_their_own(manage: Manage, boss: Token, clerk: Token) -> None:
    response = manage(boss, "get", f"/{clerk.pk}/permissions")
    assert [grant["id"] for grant in response.json()] == ["MD-0007", "MD-9001"]
    assert response["Content-Range"] == "items 0-1/2"
    assert [
        grant["object"]["id"]
        for grant in manage(boss, "get", f"/{clerk.pk}/permissions?id=MD-9001").json()
    ] == ["MD-9001"]


def test_an_empty_list_of_permissions_is_no_missing_token(
    manage: Manage, boss: Token, account: Account
) -> None:
    bare = TokenFactory(account=account, modules=())
    response = manage(boss, "get", f"/{bare.pk}/permissions")
    assert (response.json(), response["Content-Range"]) == ([], "items 0-0/0")
    assert manage(boss, "get", "/SU-999-999-999/permissions").status_code == 404


def test_granting_and_taking_away_twice_is_no_mistake(
    manage: Manage, boss: Token, token: Token
) -> None:
    path = f"/{token.pk}/permissions"
    for _ in range(2):
        assert manage(boss, "post", path, {"id": "MD-9002"}).status_code == 201
    assert grants(token) == {Module.AGREEMENTS, Module.CONTRACTS}
    for _ in range(2):
        assert (
            manage(
                boss, "delete", path, [{"id": "MD-9001"}, {"object": {"id": "MD-9002"}}]
            ).status_code
            == 204
        )
    assert grants(token) == set()


def test_from_all_no_single_module_can_be_taken(
    manage: Manage, boss: Token, account: Account
) -> None:
    other = TokenFactory(account=account, modules=(Module.ALL,))
    refused(
        manage(boss, "delete", f"/{other.pk}/permissions", {"id": "MD-9001"}), 400, "TKN_003", "All"
    )
    assert grants(other) == {Module.ALL}


def test_a_long_list_costs_no_more_queries_than_a_short_one(
    manage: Manage, boss: Token, token: Token
) -> None:
    def queries(body: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert manage(boss, "delete", f"/{token.pk}/permissions", body).status_code == 204
        return len(captured)

    manage(boss, "get", "")
    assert queries([{"id": "MD-9002"}] * 3000) == queries([{"id": "MD-9002"}])


def test_taking_away_is_all_or_nothing(manage: Manage, boss: Token, token: Token) -> None:
    refused(
        manage(boss, "delete", f"/{token.pk}/permissions", [{"id": "MD-9001"}, {"id": "MD-1234"}]),
        400,
        "VAL_001",
        "id: ",
    )
    assert grants(token) == {Module.AGREEMENTS}


@pytest.mark.parametrize(
    "body", [{}, {"id": "MD-1234"}, {"id": None}, {"id": 7}, {"object": "MD-9001"}]
)
@pytest.mark.parametrize("method", ["post", "delete"])
def test_a_module_that_is_none_is_400(
    manage: Manage, boss: Token, token: Token, method: str, body: dict[str, Any]
) -> None:
    refused(manage(boss, method, f"/{token.pk}/permissions", body), 400, "VAL_001")
    assert grants(token) == {Module.AGREEMENTS}


def test_the_modules_of_an_extension_with_a_fixed_set_stay(
    manage: Manage, boss: Token, account: Account
) -> None:
    zap = TokenFactory(account=account, extension_id=ZAPIER, modules=modules_of(ZAPIER))
    for method in ("post", "delete"):
        refused(
            manage(boss, method, f"/{zap.pk}/permissions", {"id": "MD-0023"}),
            400,
            "TKN_002",
            "Zapier",
        )
    assert grants(zap) == set(modules_of(ZAPIER))

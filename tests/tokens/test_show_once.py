"""A token whose key is shown only once keeps no copy of it, from the beginning or later."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from activity.actions import Action
from tests.conftest import Call, Person, Response, stale
from tests.factories import CUSTOM, PASSWORD, TokenFactory, header
from tokens import keys
from tokens.catalog import Module
from tokens.models import Policy, Token, TokenDraft, TokenKey

LIST = "/integrations/tokens/"
NEW = f"{LIST}new/"


def create(client: Client, **data: Any) -> Response:
    """Go through the wizard with the box ticked; return the answer to Create."""
    run = client.post(NEW, {"name": "Once", "expires": "never", "show_once": "on"})["Location"]
    run = run.removesuffix("extension/")
    client.post(f"{run}extension/", {"extension": CUSTOM})
    return client.post(f"{run}permissions/", {"modules": [Module.AGREEMENTS], **data})


def key_in(response: Response) -> str:
    key: str = response.context["field"].key
    return key


def test_summary_shows_the_key_and_no_copy_is_kept(michael: Person, call: Call) -> None:
    response = create(michael.client)
    key = key_in(response)
    assert key.partition(":")[2] in response.text
    assert "The key is shown only this once." in response.text
    assert "no-store" in response["Cache-Control"]
    assert TokenKey.objects.get().sealed is None
    assert call("agreements", key).status_code == 200


def test_it_cannot_be_seen_again(michael: Person) -> None:
    secret = key_in(create(michael.client)).partition(":")[2]
    token = Token.objects.get()
    page = f"{LIST}{token.pk}/"
    for path in ("", "summary/", "edit/", "activity/"):
        assert secret not in michael.client.get(f"{page}{path}", follow=True).text
    for verb in ("reveal", "copy"):
        response = michael.client.post(f"{page}{verb}/", {"page": "summary"}, follow=True)
        assert secret not in response.text
    assert "No copy of this key is kept" in michael.client.get(page).text


def test_pressing_create_again_makes_no_second_token_and_shows_no_key(michael: Person) -> None:
    first = create(michael.client)
    secret = key_in(first).partition(":")[2]
    run = str(Token.objects.get().draft_id)
    again = michael.client.post(f"{NEW}{run}/permissions/", {"modules": [Module.AGREEMENTS]})
    assert again.status_code == 302
    assert secret not in michael.client.get(again["Location"]).text
    assert Token.objects.count() == 1


def test_the_trail_says_who_saw_it(michael: Person) -> None:
    create(michael.client)
    viewed, created = Token.objects.get().events
    assert (viewed.action, created.action) == (Action.KEY_VIEWED, Action.TOKEN_CREATED)
    assert created.changes["show_once"] == [None, True]


def test_the_password_is_asked_for_before(michael: Person) -> None:
    client = stale(michael.client)
    assert "To create" in create(client).text
    assert not Token.objects.exists()
    run = TokenDraft.objects.get()
    data = {"modules": [Module.AGREEMENTS], "sudo_password": PASSWORD}
    assert key_in(client.post(f"{NEW}{run.pk}/permissions/", data))


def test_without_it_a_copy_is_kept_as_ever(michael: Person, token: Token) -> None:
    assert not token.show_once
    assert TokenKey.objects.get().sealed is not None


def edit(client: Client, token: Token, **data: Any) -> Response:
    data = {"version": token.version, "name": token.name, "modules": [*token.grants], **data}
    return client.post(f"{LIST}{token.pk}/edit/", data, follow=True)


def test_edit_destroys_the_copy_and_calls_go_on(michael: Person, token: Token, call: Call) -> None:
    key = header(token)
    assert "1 change" in edit(michael.client, token, show_once="on").text
    assert TokenKey.objects.get().sealed is None
    assert call("agreements", key).status_code == 200
    assert token.events[0].changes == {"show_once": [False, True]}


def test_there_is_no_way_back(michael: Person, token: Token) -> None:
    edit(michael.client, token, show_once="on")
    token.refresh_from_db()
    assert "Nothing was changed." in edit(michael.client, token).text
    assert token.edit(by=None, version=None, modules=None, show_once=False) == 0
    assert Token.objects.get().show_once


def test_later_keys_keep_no_copy_either(token: Token) -> None:
    token.edit(by=None, version=None, modules=None, show_once=True)
    token.refresh_from_db()
    assert TokenKey.put(token, keys.mint(token.pk), version=2).sealed is None


def test_destroy_the_copy_asks_first_and_then_does_it(
    michael: Person, token: Token, call: Call
) -> None:
    key, page = header(token), f"{LIST}{token.pk}/key/destroy/"
    assert page in michael.client.get(f"{LIST}{token.pk}/").text
    assert "Destroy the copy of the key?" in michael.client.get(page).text
    assert TokenKey.objects.get().sealed is not None
    text = michael.client.post(page, follow=True).text
    assert f"The copy of the key of {token.name} is destroyed." in text
    assert TokenKey.objects.get().sealed is None
    assert call("agreements", key).status_code == 200
    assert page not in michael.client.get(f"{LIST}{token.pk}/").text
    assert "No copy of a key of this token is kept." in michael.client.post(page, follow=True).text


@pytest.mark.parametrize("method", ["get", "post"])
def test_only_administrators_of_the_account_destroy_it(
    client: Client, adrian: Person, stranger: Person, token: Token, method: str
) -> None:
    page = f"{LIST}{token.pk}/key/destroy/"
    assert getattr(adrian.client, method)(page).status_code == 403
    assert getattr(stranger.client, method)(page).status_code == 404
    assert getattr(client, method)(page)["Location"].startswith("/sign-in/")
    assert TokenKey.objects.get().sealed is not None


def test_the_api_makes_tokens_with_a_copy_and_answers_with_the_secret_as_before(
    account: Account, call: Call
) -> None:
    boss = TokenFactory(account=account, modules=(Module.ALL,))
    body = {"name": "Made", "extension": {"id": CUSTOM}}
    made = call("auth/tokens", boss, "post", data=body, content_type="application/json").json()
    assert len(made["token"]) == 40
    assert TokenKey.objects.get(token=made["id"]).sealed is not None


def test_a_policy_of_the_account_shows_all_new_keys_once(michael: Person, token: Token) -> None:
    Policy.objects.create(account=michael.account, show_once=True)
    made = TokenFactory(account=michael.account)
    assert made.show_once
    assert made.keys.get().sealed is None
    token = Token.objects.get(pk=token.pk)
    token.rotate(by=michael.user)
    assert token.keys.get(retires_at=None).sealed is None

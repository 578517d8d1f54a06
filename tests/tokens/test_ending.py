"""A deleted token is refused at once, can be restored for seven days, and is a tombstone then."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account
from activity.actions import Action
from portal import background
from portal.fields import Actor
from tests.conftest import Call, Person, Response, stale
from tests.factories import CUSTOM, PASSWORD, ZAPIER, TokenFactory, deleted, header, modules_of
from tokens.catalog import Module
from tokens.models import RESTORABLE, NameTaken, Token, TokenKey

LIST = "/integrations/tokens/"


def restore(client: Client, token: Token, **data: Any) -> Response:
    return client.post(f"{LIST}{token.pk}/restore/", {"next": LIST, **data}, follow=True)


def purge() -> str:
    out = StringIO()
    call_command("purge", stdout=out)
    return out.getvalue().strip()


def test_restore_brings_back_the_key_and_the_grants(
    michael: Person, account: Account, call: Call
) -> None:
    TokenFactory()
    token = TokenFactory(account=account, modules=(Module.AGREEMENTS, Module.USAGE))
    key = header(token)
    token.remove(by=michael.user)
    assert call("agreements", key).status_code == 401
    text = restore(michael.client, token).text
    assert f"{token.name} is restored and active again." in text
    token = Token.objects.get(pk=token.pk)
    assert (token.status, token.grants) == ("active", {Module.AGREEMENTS, Module.USAGE})
    assert call("agreements", key).status_code == 200
    assert call("devops/services", key).status_code == 403
    event = token.events[0]
    assert (event.action, event.actor) == (Action.TOKEN_RESTORED, Actor.of(michael.user))


def test_a_token_that_was_disabled_is_restored_disabled(
    michael: Person, token: Token, call: Call
) -> None:
    key = header(token)
    token.disable(by=None)
    token.remove(by=None)
    assert "It is inactive until you enable it." in restore(michael.client, token).text
    assert call("accounts", key).status_code == 401
    token.refresh_from_db()
    assert token.enable(by=None)
    assert call("accounts", key).status_code == 200


def test_a_token_that_expired_meanwhile_is_restored_as_expired(
    michael: Person, token: Token
) -> None:
    token.remove(by=None)
    Token.objects.update(expires_at=timezone.now())
    text = restore(michael.client, token).text
    assert "Calls with the key get the answer 401, because the token is expired." in text
    assert "active again" not in text


def test_restoring_asks_for_the_password(michael: Person, token: Token) -> None:
    token.remove(by=None)
    client = stale(michael.client)
    response = restore(client, token)
    assert "To restore" in response.text
    assert Token.objects.get(pk=token.pk).is_deleted
    assert "active again" in restore(client, token, sudo_password=PASSWORD).text


def test_only_administrators_of_the_account_restore(
    client: Client, adrian: Person, stranger: Person, token: Token
) -> None:
    token.remove(by=None)
    assert restore(adrian.client, token).status_code == 403
    assert restore(stranger.client, token).status_code == 404
    assert restore(client, token).redirect_chain[0][0].startswith("/sign-in/")
    assert Token.objects.get(pk=token.pk).is_deleted


def test_a_token_that_is_not_deleted_is_not_restored(michael: Person, token: Token) -> None:
    assert "Nothing was changed." in restore(michael.client, token).text
    assert not token.restore(by=None)
    assert token.events.filter(action=Action.TOKEN_RESTORED).count() == 0


def test_after_seven_days_it_cannot_be_restored_although_nothing_has_purged_it(
    michael: Person, token: Token
) -> None:
    deleted(token, days=RESTORABLE.days)
    assert "It can no longer be restored." in restore(michael.client, token).text
    assert not token.restore(by=None)
    assert Token.objects.get(pk=token.pk).is_deleted


def test_restoring_is_refused_if_the_account_has_too_many_tokens(
    michael: Person, account: Account, settings: Settings
) -> None:
    token = deleted(TokenFactory(account=account))
    settings.TOKENS_PER_EXTENSION = 1
    TokenFactory(account=account)
    assert "and may not have more" in restore(michael.client, token).text
    assert Token.objects.get(pk=token.pk).is_deleted


def test_a_token_for_an_extension_with_fixed_modules_is_restored_with_them(
    michael: Person, account: Account
) -> None:
    modules = modules_of(ZAPIER)
    token = deleted(TokenFactory(account=account, extension_id=ZAPIER, modules=modules))
    restore(michael.client, token)
    assert Token.objects.get(pk=token.pk).grants == set(modules)


# --- The name -------------------------------------------------------------------------------------


def test_the_name_stays_reserved_as_long_as_it_can_be_restored(
    account: Account, token: Token
) -> None:
    deleted(token, days=6.9)
    with pytest.raises(NameTaken, match="can be restored until"):
        TokenFactory(account=account, name=token.name.upper())
    assert token.restore(by=None)


def test_the_wizard_says_that_a_deleted_token_has_the_name(michael: Person, token: Token) -> None:
    token.remove(by=None)
    text = michael.client.post(f"{LIST}new/", {"name": token.name, "expires_on": ""}).text
    assert "restore that token" in text


def test_the_name_is_free_after_that_even_if_no_purge_was_run(
    michael: Person, account: Account, token: Token
) -> None:
    deleted(token, days=RESTORABLE.days)
    other = TokenFactory(account=account, name=token.name)
    assert Token.objects.get(pk=token.pk).purged_at is not None
    third = TokenFactory(account=account)
    deleted(other, days=RESTORABLE.days)
    third.edit(by=None, version=None, modules=None, name=token.name)
    assert Token.objects.get(pk=third.pk).name == token.name


# --- Purging --------------------------------------------------------------------------------------


def test_purge_destroys_the_copies_of_the_keys_and_leaves_a_tombstone(
    token: Token, call: Call
) -> None:
    key = header(token)
    deleted(token, days=RESTORABLE.days)
    assert purge() == "Purged tokens: 1"
    assert [key.sealed for key in TokenKey.objects.all()] == [None]
    token.refresh_from_db()
    assert token.is_deleted
    assert token.purged_at is not None
    refused = call("accounts", key)
    assert (refused.status_code, "is deleted" in refused.text) == (401, True)
    assert token.events[0].action == Action.TOKEN_PURGED
    assert token.events[0].actor is None


def test_purge_can_be_repeated(token: Token) -> None:
    deleted(token, days=RESTORABLE.days)
    assert [purge(), purge()] == ["Purged tokens: 1", "Purged tokens: 0"]
    assert token.events.filter(action=Action.TOKEN_PURGED).count() == 1


def test_purge_spares_what_is_alive_or_can_be_restored(account: Account, token: Token) -> None:
    for days in (0, 3, 6.9):
        deleted(TokenFactory(account=account), days)
    token.disable(by=None)
    Token.objects.filter(pk=token.pk).update(status_changed_at=timezone.now() - timedelta(days=99))
    assert purge() == "Purged tokens: 0"
    assert not TokenKey.objects.filter(sealed=None).exists()


def test_the_server_purges_by_itself(token: Token) -> None:
    deleted(token, days=RESTORABLE.days)
    for each in background.rounds:
        each.job()
    assert Token.objects.get().purged_at is not None


# --- What the pages say ---------------------------------------------------------------------------


def test_the_list_of_deleted_tokens_says_until_when_each_can_be_restored(
    michael: Person, account: Account
) -> None:
    recent = deleted(TokenFactory(account=account, name="Recent"), days=2.5)
    gone = deleted(TokenFactory(account=account, name="Gone"), days=9)
    gone.purge()
    response = michael.client.get(f"{LIST}?status=deleted")
    table = response.context["table"]
    shown = [column.name for column in table.columns]
    assert shown == ["label", "extension", "status", "restorable", "actions"]
    assert [row.record.name for row in response.context["page"].object_list] == ["Recent", "Gone"]
    assert "5 days left" in response.text
    assert "key destroyed on" in response.text
    assert f"{LIST}{recent.pk}/restore/" in response.text
    assert f"{LIST}{gone.pk}/restore/" not in response.text


def test_columns_chosen_for_the_other_lists_are_not_those_of_deleted_tokens(
    michael: Person, token: Token
) -> None:
    michael.user.remember("tokens", columns=["label", "modules"], sort="label", per_page=20)
    token.remove(by=None)
    table = michael.client.get(f"{LIST}?status=deleted").context["table"]
    assert [column.name for column in table.columns][-2:] == ["restorable", "actions"]
    assert table.page.paginator.per_page == 20
    table = michael.client.get(f"{LIST}?status=deleted&columns=label,modules").context["table"]
    assert [column.name for column in table.columns] == ["label", "modules", "actions"]


@pytest.mark.parametrize("sort", ["restorable", "-restorable"])
def test_deleted_tokens_are_sorted_by_when_they_end(
    michael: Person, account: Account, sort: str
) -> None:
    for name, days in (("B", 1), ("A", 3), ("C", 2)):
        deleted(TokenFactory(account=account, name=name), days)
    response = michael.client.get(f"{LIST}?status=deleted&sort={sort}")
    names = [row.record.name for row in response.context["page"].object_list]
    assert names == (["A", "C", "B"] if sort == "restorable" else ["B", "C", "A"])


def test_the_page_of_a_deleted_token_says_how_long_and_offers_to_restore_it(
    michael: Person, adrian: Person, token: Token
) -> None:
    token.remove(by=None)
    page = f"{LIST}{token.pk}/"
    text = michael.client.get(page).text
    assert "It can be restored until" in text
    assert f"{page}restore/" in text
    assert f"{page}restore/" not in adrian.client.get(page).text
    deleted(token, days=8)
    Token.objects.update(status_changed_at=timezone.now() - timedelta(days=8))
    token.purge()
    text = michael.client.get(page).text
    assert "Its key was destroyed on" in text
    assert f"{page}restore/" not in text


def test_the_key_of_a_deleted_token_cannot_be_viewed_before_it_is_purged(
    michael: Person, token: Token
) -> None:
    token.remove(by=None)
    assert TokenKey.objects.get().sealed is not None
    response = michael.client.post(f"{LIST}{token.pk}/reveal/", follow=True)
    assert "The key of a deleted token cannot be viewed." in response.text
    assert token.events.filter(action=Action.KEY_VIEWED).count() == 0


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (None, "Never called: safe to delete."),
        (timedelta(days=94), "No call in 94 days: safe to delete."),
        (timedelta(minutes=11), "The token is in use"),
    ],
)
def test_delete_says_what_it_would_stop(
    michael: Person, token: Token, used: timedelta | None, words: str
) -> None:
    from tokens.models import TokenUsage

    TokenUsage.objects.update(last_used_at=used and timezone.now() - used)
    text = michael.client.get(f"{LIST}{token.pk}/delete/").text
    assert words in text
    assert "an administrator can restore it" in text
    assert ("Disable Instead" in text) == ("in use" in words)


# --- The API --------------------------------------------------------------------------------------


def test_the_api_deletes_as_the_official_one_does(
    account: Account, token: Token, call: Call
) -> None:
    boss = TokenFactory(account=account, modules=(Module.ALL,))
    assert call(f"auth/tokens/{token.pk}", boss, "delete").status_code == 204
    assert call(f"auth/tokens/{token.pk}", boss).json()["status"] == "deleted"
    refused = call(
        f"auth/tokens/{token.pk}/activate", boss, "post", content_type="application/json"
    )
    assert refused.status_code == 400
    body = {"name": token.name, "extension": {"id": CUSTOM}}
    taken = call("auth/tokens", boss, "post", data=body, content_type="application/json")
    assert (taken.status_code, "can be restored until" in taken.text) == (400, True)

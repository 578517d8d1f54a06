"""Editing a token: the wizard's forms on one page, and two people at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from activity.actions import Action
from portal.fields import Actor, OwnedActorField
from tests.conftest import Call, Person, Response, stale
from tests.factories import CUSTOM, ZAPIER, TokenFactory, header, modules_of
from tests.matching import matched
from tests.tokens.test_policies import impose
from tokens.catalog import AccessChange, Module
from tokens.models import Token, TokenUsage


def url(token: Token) -> str:
    return f"/integrations/tokens/{token.pk}/edit/"


def save(client: Client, token: Token, **fields: Any) -> Response:
    data = {
        "name": token.name,
        "external_id": "",
        "description": "",
        "expires_on": "",
        "modules": [Module.AGREEMENTS],
        "version": token.version,
    }
    return client.post(url(token), {**data, **fields}, follow=True)


def test_it_changes_fields_and_modules_and_counts_the_changes(
    michael: Person, token: Token
) -> None:
    response = save(
        michael.client,
        token,
        name="Renamed",
        external_id="crm-1",
        modules=[Module.CUSTOMERS, Module.HELPDESK],
    )
    assert "Renamed is saved: 5 changes." in response.text
    token.refresh_from_db()
    assert (token.name, token.external_id, token.version, token.updated_by) == (
        "Renamed",
        "crm-1",
        2,
        Actor.of(michael.user),
    )
    assert token.grants == {Module.CUSTOMERS, Module.HELPDESK}


def test_the_change_holds_at_the_next_call(michael: Person, token: Token, call: Call) -> None:
    key = header(token)
    save(michael.client, token, modules=[Module.CUSTOMERS])
    assert call("agreements", key).status_code == 403
    assert call("tier/accounts", key).status_code == 200


def test_a_kept_grant_keeps_its_date_and_giver(michael: Person, token: Token) -> None:
    granted = timezone.now() - timedelta(days=100)
    token.permissions.update(granted_at=granted, **OwnedActorField.columns("granted_by", None))
    save(michael.client, token, modules=[Module.AGREEMENTS, Module.HELPDESK])
    assert token.permissions.get(module=Module.AGREEMENTS).granted_at == granted
    assert token.permissions.get(module=Module.HELPDESK).granted_by == Actor.of(michael.user)


def test_renaming_leaves_the_grants_alone(michael: Person, token: Token) -> None:
    save(michael.client, token, name="Renamed")
    assert Token.objects.get().grants == {Module.AGREEMENTS}


def test_saving_without_a_change_says_so_and_writes_nothing(michael: Person, token: Token) -> None:
    before = Token.objects.values().get()
    assert "Nothing was changed." in save(michael.client, token).text
    assert Token.objects.values().get() == before


def test_what_changed_is_recorded(michael: Person, token: Token) -> None:
    save(michael.client, token, name="Renamed", modules=[Module.HELPDESK])
    event = token.events.get(action=Action.TOKEN_CHANGED)
    assert event.actor == Actor.of(michael.user)
    assert event.changes == {
        "name": ["ERP Agreements Sync", "Renamed"],
        "modules": [["Agreements"], ["Helpdesk"]],
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "Enter a name for the token."),
        ({"name": "TAKEN"}, "A token with the name"),
        ({"description": "d" * 256}, "Shorten the description by 1 character."),
        ({"modules": []}, "Choose at least one module."),
        ({"modules": ["MD-6666"]}, "is not a module"),
        ({"expires_on": "2020-01-01"}, "Choose a day in the future."),
    ],
)
def test_a_mistake_is_explained_and_nothing_is_lost(
    michael: Person, token: Token, account: Account, fields: dict[str, Any], words: str
) -> None:
    TokenFactory(account=account, name="Taken")
    before = Token.objects.values().get(pk=token.pk)
    response = save(michael.client, token, **{"external_id": "typed", **fields})
    assert response.status_code == 200
    assert words in response.text
    assert 'value="typed"' in response.text
    assert Token.objects.values().get(pk=token.pk) == before


def test_the_own_name_may_change_its_case(michael: Person, token: Token) -> None:
    save(michael.client, token, name=token.name.upper())
    assert Token.objects.get().name == "ERP AGREEMENTS SYNC"


def test_the_extension_cannot_change(michael: Person, token: Token) -> None:
    save(michael.client, token, name="Renamed", extension=ZAPIER)
    assert Token.objects.get().extension_id == CUSTOM


def test_the_modules_of_a_fixed_extension_cannot_change(michael: Person, account: Account) -> None:
    token = TokenFactory(account=account, extension_id=ZAPIER, modules=modules_of(ZAPIER))
    save(michael.client, token, name="Renamed", modules=[Module.ALL])
    token = Token.objects.get()
    assert (token.name, token.grants) == ("Renamed", set(modules_of(ZAPIER)))


def test_nothing_else_can_be_written(michael: Person, token: Token, stranger: Person) -> None:
    save(
        michael.client,
        token,
        name="Renamed",
        status="deleted",
        account=stranger.account.pk,
        id="SU-111-111-111",
        created_by=stranger.user.pk,
    )
    fresh = Token.objects.get()
    assert (fresh.pk, fresh.status, fresh.account, fresh.created_by) == (
        token.pk,
        "active",
        token.account,
        token.created_by,
    )


def test_a_day_that_is_not_touched_keeps_its_moment_even_in_the_past(
    michael: Person, token: Token
) -> None:
    moment = timezone.now() - timedelta(days=3)
    Token.objects.update(expires_at=moment)
    save(michael.client, token, name="Renamed", expires_on=timezone.localdate(moment).isoformat())
    assert Token.objects.get().expires_at == moment


def test_two_people_at_once_the_second_is_told_and_sees_both_versions(
    michael: Person, token: Token
) -> None:
    token.edit(by=None, version=1, modules={Module.HELPDESK}, name="Their name")
    response = save(michael.client, token, name="My name", description="Mine")
    assert response.status_code == 200
    assert "The change was not saved." in response.text
    for part in ("Their name", "My name", "Helpdesk", "Agreements"):
        assert part in response.text
    fresh = Token.objects.get()
    assert (fresh.name, fresh.grants) == ("Their name", {Module.HELPDESK})
    assert response.context["token_version"] == 2
    save(michael.client, token, name="My name", version=2)
    assert Token.objects.get().name == "My name"


@pytest.mark.parametrize(
    "version", ["", "0", "-1", "1e3", "99999999999999999999", "²", "9" * 5_000]
)
def test_a_version_that_is_none_counts_as_changed(
    michael: Person, token: Token, version: str
) -> None:
    assert (
        "The change was not saved."
        in save(michael.client, token, name="Renamed", version=version).text
    )
    assert Token.objects.get().name == token.name


def test_the_second_is_told_even_if_what_they_sent_is_no_longer_valid(
    michael: Person, token: Token
) -> None:
    """A colleague has extended the expired token; the old day alone would be an error now."""
    old = timezone.now() - timedelta(days=3)
    Token.objects.update(expires_at=old)
    token.edit(
        by=michael.user, version=1, modules=None, expires_at=timezone.now() + timedelta(days=90)
    )
    response = save(
        michael.client, token, name="Mine", expires_on=timezone.localdate(old).isoformat()
    )
    assert "The change was not saved." in response.text
    assert timezone.localdate(old).isoformat() in response.text


def test_a_change_by_an_unknown_actor_reads_as_somebody_s(
    michael: Person, account: Account
) -> None:
    token = TokenFactory(account=account)
    token.edit(by=None, version=1, modules=None, name="Changed from the shell")
    assert "Somebody changed this token" in save(michael.client, token, name="Mine").text


def test_a_token_can_be_edited_more_than_a_thousand_times(michael: Person, token: Token) -> None:
    Token.objects.update(version=1_000)
    page = michael.client.get(url(token)).text
    assert 'name="version" value="1000"' in page
    save(michael.client, token, name="Renamed", version=1_000)
    assert Token.objects.get().name == "Renamed"


def test_a_token_deleted_between_check_and_save_is_told(token: Token) -> None:
    from tokens.models import Deleted

    token.remove(by=None)
    with pytest.raises(Deleted):
        token.edit(by=None, version=1, modules=None, name="Renamed")


def test_a_token_deleted_meanwhile_cannot_be_saved(michael: Person, token: Token) -> None:
    token.remove(by=None)
    assert "A deleted token cannot be changed." in save(michael.client, token, name="Renamed").text
    assert Token.objects.get().name == token.name


def test_select_all_without_scripts_changes_nothing_yet(michael: Person, token: Token) -> None:
    response = save(michael.client, token, select="all")
    assert len(response.context["permissions_form"].chosen) == len(Module.single())
    assert Token.objects.get().grants == {Module.AGREEMENTS}


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_ladder(
    michael: Person, adrian: Person, client: Client, token: Token, method: str
) -> None:
    assert getattr(adrian.client, method)(url(token)).status_code == 403
    assert getattr(michael.client, method)(url(TokenFactory())).status_code == 404
    assert getattr(client, method)(url(token)).status_code == 302
    assert michael.client.put(url(token)).status_code == 405


# --- What a change gains and loses ----------------------------------------------------------------


def every() -> list[str]:
    return [module.value for module in Module.single()]


@pytest.mark.parametrize(
    ("before", "after", "gained", "lost"),
    [
        ([Module.AGREEMENTS], [Module.USAGE], ["Usage"], ["Agreements"]),
        (
            [Module.ALL],
            [Module.USAGE],
            [],
            [
                *(str(each.label) for each in Module.single() if each != Module.USAGE),
                "modules added in the future",
            ],
        ),
        (
            [Module.USAGE],
            [Module.ALL],
            [
                *(str(each.label) for each in Module.single() if each != Module.USAGE),
                "modules added in the future",
            ],
            [],
        ),
        ([Module.ALL], every(), [], ["modules added in the future"]),
        (every(), [Module.ALL], ["modules added in the future"], []),
        ([Module.ALL], [Module.ALL], [], []),
        ([Module.USAGE], [Module.USAGE], [], []),
        ([], [Module.USAGE], ["Usage"], []),
    ],
)
def test_a_change_is_told_as_what_the_token_reaches_in_effect(
    before: list[Any], after: list[Any], gained: list[str], lost: list[str]
) -> None:
    change = AccessChange.between(before, after)
    assert (change.gained, change.lost) == (gained, lost)


def test_narrowing_all_is_a_loss_and_no_gain(michael: Person, account: Account) -> None:
    token = TokenFactory(account=account, name="Wide", modules=(Module.ALL,))
    text = save(
        michael.client, token, modules=[Module.AGREEMENTS, Module.CUSTOMERS, Module.USAGE]
    ).text
    assert "Wide is saved: 14 changes." in text
    assert "It lost Account, Contracts, DevOps, Integrations and 10 more." in text
    assert "It gained" not in text


def test_widening_is_a_gain(michael: Person, token: Token) -> None:
    text = save(michael.client, token, modules=[Module.AGREEMENTS, Module.PRICING]).text
    assert "is saved: 1 change." in text
    assert "It gained Pricing." in text
    assert "It lost" not in text


@pytest.fixture
def used(token: Token) -> Token:
    TokenUsage.objects.filter(token=token).update(last_used_at=timezone.now() - timedelta(days=29))
    return token


def test_a_token_in_use_loses_nothing_before_the_person_has_read_it(
    michael: Person, used: Token
) -> None:
    response = save(michael.client, used, modules=[Module.USAGE], name="Renamed")
    assert "Nothing is saved yet." in response.text
    assert "Calls to them would get the answer 403." in response.text
    assert 'value="Renamed"' in response.text
    assert Token.objects.get().grants == {Module.AGREEMENTS}
    loss = matched(r'name="loss" value="([^"]*)"', response.text)[1]
    assert loss == "Agreements"
    save(michael.client, used, modules=[Module.USAGE], name="Renamed", loss=loss)
    assert Token.objects.get().grants == {Module.USAGE}


def test_a_browser_without_scripts_is_asked_too(michael: Person, used: Token) -> None:
    data = {"name": used.name, "modules": [Module.USAGE], "version": used.version}
    navigates = {"sec-fetch-mode": "navigate"}
    asked = michael.client.post(url(used), data, headers=navigates)
    loss = matched(r'name="loss" value="([^"]*)"', asked.text)[1]
    assert loss == "Agreements"
    saved = michael.client.post(url(used), {**data, "loss": loss}, headers=navigates)
    assert saved["Location"] == f"/integrations/tokens/{used.pk}/"
    assert Token.objects.get().grants == {Module.USAGE}


def test_what_was_read_is_not_more_than_what_is_lost(michael: Person, account: Account) -> None:
    token = TokenFactory(account=account, modules=(Module.AGREEMENTS, Module.PRICING, Module.USAGE))
    TokenUsage.objects.update(last_used_at=timezone.now())
    response = save(michael.client, token, modules=[Module.USAGE], loss="Agreements")
    assert 'name="loss" value="Agreements|Pricing"' in response.text
    assert len(Token.objects.get().grants) == 3


@pytest.mark.parametrize("case", ["long ago", "disabled", "gain only"])
def test_a_loss_that_stops_nobody_is_saved_at_once(michael: Person, used: Token, case: str) -> None:
    if case == "long ago":
        TokenUsage.objects.update(last_used_at=timezone.now() - timedelta(days=31))
    if case == "disabled":
        used.disable(by=None)
    modules = [Module.AGREEMENTS, Module.USAGE] if case == "gain only" else [Module.USAGE]
    assert "is saved" in save(michael.client, used, modules=modules).text


# --- Limit of calls -------------------------------------------------------------------------------


def test_a_token_gets_a_limit_of_calls_of_its_own_and_loses_it_again(
    michael: Person, token: Token, call: Call
) -> None:
    page = save(michael.client, token, rate="600", burst="90").text
    token.refresh_from_db()
    assert (token.rate, token.burst) == (600, 90)
    assert "at most 600 times a minute, 90 at once" in page
    assert token.events.get(action=Action.TOKEN_CHANGED).changes["rate"] == [None, 600]
    assert "RateLimit" in call("agreements", token)
    save(michael.client, token, rate="", burst="")
    token.refresh_from_db()
    assert (token.rate, token.burst) == (None, None)


def test_how_many_calls_may_come_at_once_has_a_usual_value(michael: Person, token: Token) -> None:
    save(michael.client, token, rate="601")
    token.refresh_from_db()
    assert (token.rate, token.burst) == (601, 101)


@pytest.mark.parametrize(
    ("rate", "burst", "sentence"),
    [
        ("0", "1", "enter a number of calls from 1 to 100,000."),
        ("100001", "1", "enter a number of calls from 1 to 100,000."),
        ("1.5", "", "enter a number of calls from 1 to 100,000."),
        ("9", "-1", "enter a number of calls from 1 to 100,000."),
        ("", "5", "enter how many calls a minute there may be."),
    ],
)
def test_a_wrong_limit_of_calls_is_refused_with_a_sentence(
    michael: Person, token: Token, rate: str, burst: str, sentence: str
) -> None:
    assert sentence in save(michael.client, token, rate=rate, burst=burst).text
    token.refresh_from_db()
    assert (token.rate, token.burst) == (None, None)


def test_more_calls_ask_for_the_password_and_fewer_do_not(michael: Person, token: Token) -> None:
    Token.objects.update(rate=60, burst=10)
    token.refresh_from_db()
    stale(michael.client)
    for more in ({"rate": "61", "burst": "10"}, {"rate": "60", "burst": "11"}, {}):
        save(michael.client, token, **more)
        assert Token.objects.values_list("rate", "burst").get() == (60, 10)
    save(michael.client, token, rate="59", burst="9")
    assert Token.objects.values_list("rate", "burst").get() == (59, 9)


def test_details_and_edit_say_the_limit_of_the_account(
    michael: Person, token: Token, account: Account
) -> None:
    impose(account, rate=1200, burst=200)
    page = michael.client.get(f"/integrations/tokens/{token.pk}/").text
    assert "at most 1,200 times a minute, 200 at once, by a policy of the account" in page
    assert (
        "the limit of the account: 1,200 a minute, 200 at once"
        in michael.client.get(url(token)).text
    )

"""An old key stops with its token, and by policies, and everything that tells its end says so."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Account
from tests.conftest import Call, Person
from tests.factories import TokenFactory, header
from tests.tokens.test_policies import age, impose
from tests.tokens.test_rotation import fresh, old_key, page, press, renewed
from tests.tokens.test_rotation_pages import cockpit
from tokens.catalog import Module
from tokens.models import BadEnd, Token
from tokens.standing import Standing
from tokens.stops import Foresight

DAY = timedelta(days=1)


@pytest.fixture
def boss(account: Account) -> Token:
    return TokenFactory(account=account, modules=(Module.INTEGRATIONS, Module.AGREEMENTS))


def expire(token: Token, ends: datetime) -> None:
    token.edit(by=None, version=None, modules=None, expires_at=ends)


def test_an_earlier_end_of_the_token_is_one_of_its_old_key(
    call: Call, boss: Token, token: Token
) -> None:
    old, _new = renewed(token, 20 * DAY)
    ends = (timezone.now() + 2 * DAY).replace(microsecond=0)
    expire(token, ends)
    said = call(f"auth/tokens/{token.pk}", boss).json()
    assert said["expiration_date"] == said["renewed_expiration_date"] == ends.isoformat()
    assert call("agreements", old)["Sunset"] == f"{ends:%a, %d %b %Y %H:%M:%S} GMT"
    assert cockpit(token).ends_at == ends


def test_an_earlier_end_that_a_new_key_brings_is_one_of_the_old_key(token: Token) -> None:
    ends = timezone.now() + DAY
    token.renew(by=None, until=timezone.now() + 9 * DAY, expires_at=ends)
    assert old_key(token).retires_at == ends


def test_an_old_key_is_not_extended_beyond_the_end_of_its_token(
    michael: Person, token: Token
) -> None:
    ends = timezone.now() + 2 * DAY
    expire(token, ends)
    renewed(fresh(token), DAY)
    with pytest.raises(BadEnd, match="at the latest"):
        token.extend(by=None, until=ends + timedelta(minutes=1))
    later = f"{ends + DAY:%Y-%m-%dT%H:%M}"
    assert "at the latest" in press(michael.client, token, "extend", until=later).text
    token.extend(by=None, until=ends)
    assert not cockpit(token).offers_extend


def test_an_old_key_lives_no_longer_than_a_policy_allows(account: Account, token: Token) -> None:
    impose(account, most_days=30)
    age(token, 20)
    renewed(fresh(token), 25 * DAY)
    left = (old_key(token).retires_at or timezone.now()) - timezone.now()
    assert timedelta(days=9.9) < left <= 10 * DAY


def test_the_cockpit_says_that_a_later_policy_stops_the_old_key(
    call: Call, michael: Person, account: Account, token: Token
) -> None:
    old, new = renewed(token)
    token.keys.filter(version=1).update(created_at=timezone.now() - 40 * DAY)
    impose(account, most_days=41)
    assert call("agreements", old).status_code == 200
    assert cockpit(token).end_note == "by a policy of the account"
    impose(account, most_days=30)
    assert call("agreements", old).json()["error_code"] == "AUTH_008"
    assert call("agreements", new).status_code == 200
    shown = page(michael.client, token).text
    assert "The old key has stopped" in shown
    assert "Two Keys Are Live" not in shown


def test_a_key_that_has_ended_cannot_live_on_and_the_dialog_does_not_offer_it(
    michael: Person, token: Token
) -> None:
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() - DAY)
    with pytest.raises(BadEnd, match="has ended already"):
        fresh(token).renew(by=None, until=timezone.now() + DAY)
    text = page(michael.client, token, "key/new/").text
    assert 'value="rotate"' in text
    assert 'value="renew"' not in text
    assert "What happens to the present key" in text
    sent = {"what": "renew", "hours": "24", "version": "1"}
    assert "has ended already" in press(michael.client, token, "new", **sent).text


def test_a_cancelled_key_does_not_hide_that_the_present_one_is_too_old(
    call: Call, account: Account, token: Token
) -> None:
    """Neither from the page of the token nor from the preview of policies."""
    age(token, 40)
    old, _new = renewed(token)
    token.cancel_renewal(by=None)
    wanted = impose(account, most_days=30).values
    assert call("agreements", old).json()["error_code"] == "AUTH_008"
    assert "older than a policy of the account allows" in Standing(fresh(token)).headline
    impose(account)
    begins = timezone.now() + DAY
    assert [stop.at for stop in Foresight(account, wanted, begins).stops] == [begins]


@pytest.mark.parametrize("verb", ["rotate", "renew"])
def test_a_new_key_brings_no_end_that_a_policy_does_not_allow(
    call: Call, account: Account, boss: Token, token: Token, verb: str
) -> None:
    impose(account, most_days=30)
    response = call(
        f"auth/tokens/{token.pk}/{verb}",
        boss,
        "post",
        data={"expiration_date": (timezone.now() + 60 * DAY).isoformat()},
        content_type="application/json",
    )
    assert response.status_code == 400
    assert "expiration_date: A policy of the account" in response.json()["errors"][0]
    assert token.keys.count() == 1


def test_the_api_says_nothing_of_an_old_key_of_a_deleted_token(
    call: Call, boss: Token, token: Token
) -> None:
    renewed(token)
    token.remove(by=None)
    said = call(f"auth/tokens/{token.pk}", boss).json()
    assert not {"expiration_date", "renewed_expiration_date"} & set(said)
    assert call("agreements", header(boss)).status_code == 200


def test_refusals_of_an_old_key_tell_its_end_as_well(call: Call, token: Token) -> None:
    old, _new = renewed(token)
    Token.objects.update(rate=1, burst=1)
    statuses = []
    for path in ("contracts", "agreements", "agreements"):
        response = call(path, old)
        statuses.append(response.status_code)
        assert {"Deprecation", "Sunset", "Link"} <= set(response.headers)
    assert statuses == [403, 200, 429]

"""Handles: what a person pastes, and the maker of an extension exchanges for the key behind it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import Account
from activity.actions import Action
from tests.conftest import Call, Clock, Person, Response
from tests.factories import ZAPIER, TokenFactory, handle_of, header
from tokens import handles, keys
from tokens.catalog import Module
from tokens.models import Extension, Policy, Token, TokenKey

NOW = timezone.now

Exchange = Callable[..., Response]


def actions(token: Token) -> list[str]:
    return [*token.events.order_by("number").values_list("action", flat=True)]


# --- The exchange ---------------------------------------------------------------------------------


def test_the_maker_gets_a_key_that_calls(exchange: Exchange, zap: Token, call: Call) -> None:
    response = exchange(handle_of(zap))
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == {"id", "token"}
    assert answer["id"] == zap.pk
    assert keys.parse(key := f"ApiKey {answer['id']}:{answer['token']}")
    assert call("agreements", key).status_code == 200
    assert call("accounts", key).json()[0]["id"] == zap.account_id
    assert "no-store" in response["Cache-Control"]


def test_the_handle_may_come_with_the_address_that_people_paste(
    exchange: Exchange, zap: Token
) -> None:
    handle = handle_of(zap)
    assert exchange(f"{handle}@http://testserver/public/v1").status_code == 200
    assert exchange(f" {handle} ").status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://testserver",
        "http://testserver/public/v1/",
        "http://testserver/public/v1@http://testserver/public/v1",
        "https://testserver/public/v1",
        "https://portal.example/public/v1",
        "http://testserver.portal.example/public/v1",
    ],
)
def test_a_handle_for_another_address_is_unknown(
    exchange: Exchange, zap: Token, address: str
) -> None:
    response = exchange(f"{handle_of(zap)}@{address}")
    assert response.status_code == 404
    assert response.content == exchange("f" * 40).content
    assert zap.events.count() == 1


def test_every_exchange_gives_the_same_key_and_makes_none(exchange: Exchange, zap: Token) -> None:
    handle = handle_of(zap)
    assert len({exchange(handle).json()["token"] for _ in range(5)}) == 1
    assert TokenKey.objects.filter(token=zap).count() == 1


def test_the_key_behind_a_handle_is_not_kept(zap: Token, exchange: Exchange) -> None:
    secret = exchange(handle := handle_of(zap)).json()["token"]
    stored = TokenKey.objects.get(token=zap)
    assert stored.sealed is not None
    assert stored.handle
    assert stored.salt
    assert stored.open() == handle
    kept = b"".join(bytes(each) for each in (stored.handle, stored.salt, stored.digest))
    for text in (secret, handle):
        assert text.encode() not in kept
        assert bytes.fromhex(text) not in kept
    assert secret[:32] not in handle


def test_a_handle_alone_opens_nothing(zap: Token, exchange: Exchange, call: Call) -> None:
    handle = handle_of(zap)
    assert exchange(handle, None).status_code == 401
    for key in (f"ApiKey {zap.pk}:{handle}", f"ApiKey {handle}", handle, f"Bearer {handle}"):
        assert call("agreements", key).status_code == 401
        assert exchange(handle, key).status_code == 401


def test_a_key_is_no_handle(zap: Token, exchange: Exchange, partner: Token) -> None:
    secret = exchange(handle_of(zap)).json()["token"]
    for text in (secret, header(partner), header(partner).partition(":")[2]):
        assert exchange(text).status_code == 404


def test_an_exchange_is_in_the_activity_of_the_token(
    exchange: Exchange, zap: Token, partner: Token
) -> None:
    exchange(handle_of(zap), HTTP_USER_AGENT="Zapier/1.0")
    event = zap.events[0]
    assert event.action == Action.HANDLE_EXCHANGED
    assert (event.actor_id, event.actor_name) == (partner.pk, "Bayside Cloud")
    assert (event.account, event.address) == (zap.account_id, "127.0.0.1")
    assert event.agent == "Zapier/1.0"


def test_no_key_is_given_if_the_exchange_cannot_be_recorded(
    exchange: Exchange, zap: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise IntegrityError("The trail is full.")

    handle = handle_of(zap)
    monkeypatch.setattr("tokens.handles.record", full)
    with pytest.raises(IntegrityError):
        exchange(handle)


def test_the_show_once_rules_hold_and_the_exchange_works_all_the_same(
    account: Account, maker: Account, exchange: Exchange
) -> None:
    Policy.objects.create(account=account, show_once=True)
    token, key = Token.issue(
        account=account,
        modules=[Module.AGREEMENTS],
        by=None,
        name="Once",
        extension=Extension.objects.get(pk=ZAPIER),
    )
    assert TokenKey.objects.get(token=token).sealed is None
    assert key.shown == key.handle
    assert exchange(key.handle).json()["token"] == key.secret


def test_the_exchange_outlives_a_new_pepper(
    exchange: Exchange, zap: Token, call: Call, settings: Any
) -> None:
    handle = handle_of(zap)
    settings.TOKEN_PEPPERS = {**settings.TOKEN_PEPPERS, 7: b"7" * 32}
    secret = exchange(handle).json()["token"]
    assert call("agreements", f"ApiKey {zap.pk}:{secret}").status_code == 200
    # The calls have moved both digests to the new pepper, so the old one can go.
    settings.TOKEN_PEPPERS = {7: b"7" * 32}
    assert exchange(handle).json()["token"] == secret


def test_the_sealed_copy_of_a_handle_moves_to_a_new_sealing_key(zap: Token, settings: Any) -> None:
    handle = handle_of(zap)
    settings.TOKEN_SEALING_KEYS = {**settings.TOKEN_SEALING_KEYS, 9: b"9" * 32}
    stored = TokenKey.objects.get(token=zap)
    assert stored.reseal()
    assert stored.works_with("TOKEN_PEPPERS")
    settings.TOKEN_SEALING_KEYS = {9: b"9" * 32}
    assert handle_of(zap) == handle


# --- What closes it, always with the same answer --------------------------------------------------


def replace(token: Token) -> None:
    token.rotate(by=None)


def renew(token: Token) -> None:
    token.renew(by=None, until=NOW() + timedelta(days=1))


REPLACED = "The handle was replaced."
NOT_THE_MAKER = "Bayside Cloud is not the maker of Zapier."
UNCHECKABLE = "has no handle that this portal can check."

# What is done, and the end of the reason that the account of the token reads; "" for none.
CLOSED: dict[str, tuple[Callable[[Token], Any], str]] = {
    "disabled": (lambda token: token.disable(by=None), "is disabled."),
    "deleted": (lambda token: token.remove(by=None), "is deleted."),
    "expired": (
        lambda token: Token.objects.filter(pk=token.pk).update(
            expires_at=NOW() - timedelta(seconds=1)
        ),
        "is expired.",
    ),
    "account": (
        lambda token: Account.objects.filter(pk=token.account_id).update(is_active=False),
        "belongs to an account that is switched off.",
    ),
    "rotated": (replace, REPLACED),
    "renewed": (renew, REPLACED),
    "draft": (
        lambda token: Extension.objects.filter(pk=ZAPIER).update(status="draft"),
        "Zapier is no longer in the catalog.",
    ),
    "no maker": (
        lambda token: Extension.objects.filter(pk=ZAPIER).update(owner=None),
        NOT_THE_MAKER,
    ),
    "other maker": (
        lambda token: Extension.objects.filter(pk=ZAPIER).update(owner=token.account),
        NOT_THE_MAKER,
    ),
    "no key": (lambda token: token.keys.all().delete(), ""),
    "old": (
        lambda token: (
            Policy.objects.create(account=token.account, most_days=1),
            token.keys.update(created_at=NOW() - timedelta(days=2)),
        ),
        "has a handle that is older than a policy of the account allows.",
    ),
    "pepper lost": (lambda token: token.keys.update(pepper=99), UNCHECKABLE),
    "digest altered": (lambda token: token.keys.update(digest=b"0" * 32), UNCHECKABLE),
}


@pytest.mark.parametrize("name", CLOSED)
def test_what_closes_the_exchange_is_answered_like_an_unknown_handle(
    exchange: Exchange, zap: Token, name: str
) -> None:
    handle = handle_of(zap)
    assert exchange(handle).status_code == 200
    close, reason = CLOSED[name]
    close(zap)
    response = exchange(handle)
    unknown = exchange("0" * 40)
    assert (response.status_code, response.content) == (404, unknown.content)
    assert "There is no such handle for you." in response.text
    ours, theirs = ({**each.headers, "X-Request-ID": ""} for each in (response, unknown))
    assert ours == theirs
    told = zap.events.filter(action=Action.HANDLE_REFUSED)
    assert [event.changes["reason"][1][-len(reason) :] for event in told] == (
        [reason] if reason else []
    )


def test_another_account_gets_the_answer_for_an_unknown_handle_and_is_recorded_once(
    exchange: Exchange, zap: Token, stranger: Person
) -> None:
    other = TokenFactory(account=stranger.account, modules=(Module.ALL,))
    own = TokenFactory(account=zap.account, modules=(Module.ALL,))
    for asker in (other, other, own):
        response = exchange(handle_of(zap), asker)
        assert response.status_code == 404
        assert response.content == exchange("f" * 40, asker).content
    refused = zap.events.filter(action=Action.HANDLE_REFUSED)
    assert [event.changes["reason"][1] for event in refused] == [
        "Mighty Mick's LLC is not the maker of Zapier.",
        "Front Street Inc is not the maker of Zapier.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "H-1",
        "@https://portal.example/public/v1",
        "ä" * 40,
        "\u0661" * 40,
        "g" * 40,
        "A" * 40,
        "0" * 39,
        "0" * 41,
        f"{'0' * 40}@\u202e",
        f"{'0' * 40}@ https://portal.example",
        f"{'0' * 40}\n@https://portal.example",
        "0" * 400,
        "ApiKey SU-000-000-000:" + "0" * 40,
        "' OR 1=1 --",
        "\x00" * 40,
        *("0" * 401, "0" * 60_000),
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_a_malformed_handle_is_refused_with_a_sentence(exchange: Exchange, text: str) -> None:
    response = exchange(text)
    assert response.status_code in {400, 404}
    assert response.json()["errors"][0].startswith("handle: ")


@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["0" * 40], {"handle": "0" * 40}])
def test_a_handle_that_is_no_text_is_refused_with_a_sentence(
    exchange: Exchange, value: Any
) -> None:
    response = exchange(value)
    assert response.status_code == 400
    assert response.json()["errors"][0].startswith("handle: ")


def test_a_body_of_a_megabyte_is_refused(exchange: Exchange) -> None:
    assert exchange("0" * 1_000_000).status_code == 413


def test_a_body_with_a_handle_makes_no_token(call: Call, partner: Token) -> None:
    body = {"handle": "0" * 40, "name": "Mine", "extension": {"id": "EXT-000"}}
    response = call(
        "auth/tokens", partner, "post", data=json.dumps(body), content_type="application/json"
    )
    assert response.status_code == 404
    assert Token.objects.count() == 1


def test_the_maker_needs_a_token_in_force_with_the_module(
    exchange: Exchange, zap: Token, maker: Account, partner: Token
) -> None:
    handle = handle_of(zap)
    narrow = TokenFactory(account=maker, name="Narrow", modules=(Module.HELPDESK,))
    assert exchange(handle, narrow).status_code == 403
    partner.disable(by=None)
    assert exchange(handle).status_code == 401
    partner.enable(by=None)
    Account.objects.filter(pk=maker.pk).update(is_active=False)
    assert exchange(handle).status_code == 401
    assert Action.HANDLE_EXCHANGED not in actions(zap)


def test_a_handle_that_was_replaced_in_between_gives_no_key(zap: Token, partner: Token) -> None:
    assert handles.give(zap.pk, "0" * 40, partner) is None


def test_a_refusal_is_recorded_again_after_ten_minutes_and_for_each_asker(
    zap: Token, stranger: Person, clock: Clock
) -> None:
    handle = handle_of(zap)
    one, other = (TokenFactory(account=stranger.account) for _ in range(2))
    began = clock.now

    def told(asker: Token, ahead: timedelta) -> int:
        clock.now = began + ahead
        with pytest.raises(handles.NotExchanged):
            handles.exchange(handle, by=asker)
        return zap.events.filter(action=Action.HANDLE_REFUSED).count()

    tick, later = timedelta(microseconds=1), timedelta(minutes=10)
    assert [told(one, timedelta(0)), told(other, timedelta(0))] == [1, 2]
    assert [told(one, later - tick), told(one, later)] == [2, 3]


def test_the_latest_five_exchanges_are_told_newest_first(
    zap: Token, partner: Token, stranger: Person
) -> None:
    for _ in range(5):
        handles.exchange(handle_of(zap), by=partner)
    zap.disable(by=None)
    asker = TokenFactory(account=stranger.account)
    with pytest.raises(handles.NotExchanged):
        handles.exchange(handle_of(zap), by=asker)
    told = [(each.who, each.reason) for each in handles.latest(zap)]
    refused = ("Front Street Inc", "Front Street Inc is not the maker of Zapier.")
    assert told == [refused, *[("Bayside Cloud", "")] * 4]
    assert handles.latest(partner) == []


# --- Limits ---------------------------------------------------------------------------------------


def test_a_token_may_exchange_120_handles_in_a_minute_and_a_network_60(
    rf: RequestFactory, partner: Token
) -> None:
    token, network = handles.tries(partner.pk, rf.get("/", REMOTE_ADDR="192.0.2.7"))
    assert (token.tries, token.wait) == (120, timedelta(minutes=1))
    assert (network.tries, network.wait) == (60, timedelta(minutes=1))
    assert token.key != network.key
    assert handles.tries(partner.pk, None) == [token]


def test_one_token_may_exchange_so_often_in_a_minute(
    exchange: Exchange, zap: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handles, "PER_TOKEN", 3)
    handle = handle_of(zap)
    assert [exchange(each).status_code for each in (handle, "0" * 40, handle)] == [200, 404, 200]
    response = exchange(handle)
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 60
    assert "too many handles" in response.json()["errors"][0]
    assert actions(zap).count(Action.HANDLE_EXCHANGED) == 2


def test_one_network_may_exchange_so_often_in_a_minute(
    exchange: Exchange, zap: Token, maker: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handles, "PER_NETWORK", 2)
    other = TokenFactory(account=maker, name="Other", modules=(Module.ALL,))
    handle = handle_of(zap)
    assert [exchange(handle, other).status_code for _ in range(2)] == [200, 200]
    assert exchange(handle).status_code == 429
    assert exchange(handle, REMOTE_ADDR="192.0.2.7").status_code == 200

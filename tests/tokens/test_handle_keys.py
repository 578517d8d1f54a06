"""The keys behind handles: what becomes of them with a new handle, at once, and in the API."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from tests.conftest import Call
from tests.factories import ZAPIER, TokenFactory, handle_of, header
from tests.tokens.test_handles import NOW, Exchange
from tokens import keys
from tokens.catalog import Module
from tokens.models import Extension, Token, TokenKey

# --- A new handle ---------------------------------------------------------------------------------


def test_rotating_stops_the_handle_and_its_key(exchange: Exchange, zap: Token, call: Call) -> None:
    handle = handle_of(zap)
    old = f"ApiKey {zap.pk}:{exchange(handle).json()['token']}"
    new = zap.rotate(by=None)
    assert new.shown == new.handle != handle
    assert exchange(handle).status_code == 404
    assert call("agreements", old).status_code == 401
    answer = exchange(new.handle).json()
    assert call("agreements", f"ApiKey {zap.pk}:{answer['token']}").status_code == 200
    assert zap.events.filter(action=Action.KEY_ROTATED)[0].changes["handle"][1] == (
        f"ends in {new.handle[-4:]}"
    )


def test_renewing_stops_the_handle_and_lets_its_key_live_on(
    exchange: Exchange, zap: Token, call: Call
) -> None:
    handle = handle_of(zap)
    old = f"ApiKey {zap.pk}:{exchange(handle).json()['token']}"
    new = zap.renew(by=None, until=NOW() + timedelta(days=1))
    assert exchange(handle).status_code == 404
    assert call("agreements", old).status_code == 200
    assert exchange(new.handle).status_code == 200
    zap.cancel_renewal(by=None)
    assert exchange(new.handle).status_code == 404
    assert exchange(handle).json()["token"] == old.partition(":")[2]


def test_a_token_keeps_its_key_until_the_next_one_if_its_extension_changes(
    account: Account, maker: Account, call: Call
) -> None:
    Extension.objects.filter(pk=ZAPIER).update(uses_handle=False)
    token = TokenFactory(account=account, name="Early", extension_id=ZAPIER)
    key = header(token)
    Extension.objects.filter(pk=ZAPIER).update(uses_handle=True)
    assert call("agreements", key).status_code == 200
    token = Token.objects.get(pk=token.pk)
    assert not token.uses_handle
    assert token.rotate(by=None).handle
    assert Token.objects.get(pk=token.pk).uses_handle
    Extension.objects.filter(pk=ZAPIER).update(uses_handle=False)
    token = Token.objects.get(pk=token.pk)
    assert not token.renew(by=None, until=NOW() + timedelta(days=1)).handle
    assert not Token.objects.get(pk=token.pk).uses_handle


def test_the_database_keeps_a_handle_once_and_with_its_salt(zap: Token) -> None:
    stored = TokenKey.objects.get(token=zap)
    for columns in ({"handle": None}, {"salt": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            TokenKey.objects.filter(pk=stored.pk).update(**columns)
    other = TokenFactory(account=zap.account, name="Other", extension_id=ZAPIER)
    with pytest.raises(IntegrityError), transaction.atomic():
        TokenKey.objects.filter(token=other).update(handle=stored.handle)


# --- At once --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_exchanges_at_once_give_one_key_and_are_all_recorded(zap: Token, partner: Token) -> None:
    handle, key = handle_of(zap), header(partner)

    def once(_number: int) -> tuple[int, str]:
        try:
            response = Client(raise_request_exception=False).post(
                "/public/v1/auth/tokens",
                json.dumps({"handle": handle}),
                content_type="application/json",
                headers={"authorization": key},
            )
            return response.status_code, response.json().get("token", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = [*pool.map(once, range(12))]
    given = [secret for status, secret in answers if status == 200]
    assert {status for status, _ in answers} <= {200, 503}
    assert len(given) >= 6
    assert len({*given}) == 1
    assert Event.objects.filter(action=Action.HANDLE_EXCHANGED).count() == len(given)


# --- The API of tokens ----------------------------------------------------------------------------


def test_the_api_hands_out_the_handle_of_a_new_token_and_never_its_key(
    call: Call, account: Account, maker: Account, exchange: Exchange
) -> None:
    boss = TokenFactory(account=account, modules=(Module.ALL,))
    Extension.objects.filter(pk=ZAPIER).update(side="any")

    def post(path: str, body: Any) -> Any:
        response = call(path, boss, "post", data=json.dumps(body), content_type="application/json")
        assert response.status_code in {200, 201}, response.json()
        return response.json()

    made = post("auth/tokens", {"name": "New", "extension": {"id": ZAPIER}})
    rotated = post(f"auth/tokens/{made['id']}/rotate", {})
    renewed = post(f"auth/tokens/{made['id']}/renew", {})
    for answer in (made, rotated, renewed):
        assert keys.handle_in(answer["handle"])
        assert not {"token", "renewed_token"} & answer.keys()
    statuses = [exchange(each["handle"]).status_code for each in (made, rotated, renewed)]
    assert statuses == [404, 404, 200]
    assert "handle" not in call(f"auth/tokens/{made['id']}", boss).json()

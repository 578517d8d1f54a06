"""What the gate notes and tells about a call, to the moment, and how keys and secrets are told."""

import hmac
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as portal_settings
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account
from tests.conftest import Call, Clock, Person
from tests.factories import AccountFactory, TokenFactory, deleted, header
from tests.tokens.test_ip_rules import call_from, rule
from tests.tokens.test_policies import DAY, impose
from tests.tokens.test_rotation import fresh, old_key, renewed
from tokens import gate, keys, rates, vault
from tokens.catalog import Module
from tokens.keys import Key
from tokens.models import Bucket, KeyUse, RingSecret, Token, TokenKey, TokenUsage

TICK = timedelta(microseconds=1)


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["address", "policy", "module", "rate", "writes"])
def test_an_old_key_is_told_when_it_ends_whatever_it_is_refused_for(
    client: Client, account: Account, settings: Settings, why: str
) -> None:
    token = TokenFactory(account=account, modules=(Module.INTEGRATIONS,))
    old, _new = renewed(token)
    if why == "address":
        rule(account)
    elif why == "policy":
        impose(account, rules_required=True)
    elif why == "rate":
        Token.objects.update(rate=1, burst=1)
    settings.WRITES_PER_TOKEN = 1 if why == "writes" else 1_000
    path = "agreements" if why == "module" else "modules/MD-0007/settings"
    method = client.put if why == "writes" else client.get
    url, headers = f"/public/v1/{path}", {"authorization": old}
    answers = [method(url, headers=headers, content_type="application/json") for _ in range(2)]
    assert answers[1].status_code == (429 if why in {"rate", "writes"} else 403)
    for answer in answers:
        assert "Sunset" in answer
        assert "Deprecation" in answer
        page = "http://testserver/integrations/api/#old-keys"
        assert answer["Link"] == ", ".join(
            f'<{page}>; rel="{relation}"; type="text/html"'
            for relation in ("deprecation", "sunset")
        )
        assert answer["Cache-Control"] == "no-store"
        assert answer["Vary"].startswith("Authorization")


@pytest.mark.parametrize(("ahead", "wait"), [(-60, 360), (299, 1), (300, 1), (900, 1)])
def test_a_rehearsed_key_is_told_to_try_again_when_the_rehearsal_ends_and_a_second_at_least(
    call: Call, token: Token, monkeypatch: pytest.MonkeyPatch, ahead: int, wait: int
) -> None:
    """The rehearsal lasts by the clock of the database, which another one may be ahead of."""
    old, _new = renewed(token)
    token.rehearse(by=None)
    until = old_key(token).rehearsed_until
    assert until
    now = int(until.timestamp()) - 300 + ahead
    monkeypatch.setattr(time, "time", lambda: now)
    assert call("agreements", old)["Retry-After"] == str(wait)


def test_the_log_of_a_refusal_names_the_token_whose_key_was_guessed(
    client: Client, token: Token, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.WRONG_KEYS_PER_ADDRESS = 1
    # A network of its own, since a line is written once a minute for each.
    for status in (401, 429):
        wrong = keys.mint(token.pk).header
        answer = client.get(
            "/public/v1/agreements", headers={"authorization": wrong}, REMOTE_ADDR="192.0.2.177"
        )
        assert answer.status_code == status
    told = [record.getMessage() for record in caplog.records if record.name == "tokens.refusals"]
    assert [f"token {token.pk}" in line for line in told] == [True, True]


def test_calls_from_an_unknown_address_are_counted_without_one(
    client: Client, token: Token
) -> None:
    assert call_from(client, token, "", user_agent="erp/1").status_code == 200
    assert KeyUse.objects.get().address == ""


# --- Notes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ago", "noted"),
    [
        (None, True),
        (timedelta(seconds=60), True),
        (timedelta(seconds=60) - TICK, False),
        (timedelta(0), False),
        (timedelta(seconds=-60), False),
        (timedelta(seconds=-60) - TICK, True),
    ],
)
def test_a_use_is_noted_once_a_minute_and_again_if_it_lies_ahead(
    token: Token, clock: Clock, ago: timedelta | None, noted: bool
) -> None:
    other = TokenFactory(account=token.account)
    last = None if ago is None else clock.now - ago
    TokenUsage.objects.update(last_used_at=last)
    clock.move()
    gate.stamp(token.pk)
    stored = dict(TokenUsage.objects.values_list("token", "last_used_at"))
    assert stored == {token.pk: clock.now if noted else last, other.pk: last}


def test_a_digest_is_not_renewed_once_the_key_was_replaced(
    token: Token, settings: Settings
) -> None:
    text = header(token)
    request = RequestFactory().get("/", headers={"authorization": text})
    before = TokenKey.objects.values_list("digest", "pepper").get()
    settings.TOKEN_PEPPERS = {**settings.TOKEN_PEPPERS, 2: b"2" * 32}
    row: Any = type("Row", (), {"key_id": token.keys.get().pk, "digest": b"of another key"})
    gate.renew_digest(request, row)
    assert TokenKey.objects.values_list("digest", "pepper").get() == before
    row.digest = bytes(before[0])
    gate.renew_digest(request, row)
    assert TokenKey.objects.get().pepper == 2


def test_time_that_passes_after_a_refusal_does_not_let_the_call_in(token: Token) -> None:
    rate = rates.Rate(60, 2)
    assert [rates.take("some", rate).is_allowed for _ in range(3)] == [True, True, False]

    def forget(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if sql.startswith("SELECT"):
            Bucket.objects.all().delete()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(forget):
        taken = rates.take("some", rate)
    assert (taken.is_allowed, taken.left, taken.wait) == (False, 0, 1)


# --- Keys -----------------------------------------------------------------------------------------


def test_a_key_hides_its_secret_where_it_is_printed() -> None:
    key = keys.mint("SU-160-984-311")
    assert repr(key) == "Key(token_id='SU-160-984-311', secret='••••')"
    assert key.secret not in f"{key}"


def test_a_digest_is_made_of_the_token_s_id_and_the_secret(settings: Settings) -> None:
    settings.TOKEN_PEPPERS = {3: b"3" * 32, 12: b"12" * 16}
    key = Key("SU-160-984-311", "a" * 40)
    text = b"SU-160-984-311:" + b"a" * 40
    for pepper, number in ((None, 12), (3, 3), (12, 12)):
        secret = portal_settings.TOKEN_PEPPERS[number]
        assert keys.digest(key, pepper) == (hmac.digest(secret, text, "sha256"), number)


def test_a_private_address_cannot_be_guessed_and_is_kept_as_a_digest() -> None:
    one, other = keys.random_address(), keys.random_address()
    assert one != other
    assert re.fullmatch(r"[0-9a-f]{40}", one)
    assert keys.address_digest("abc").hex() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_nobody_has_a_digest_of_its_own() -> None:
    assert keys.matches_nobody(keys.mint("SU-160-984-311")) is False


# --- Rings ----------------------------------------------------------------------------------------


def ring(kind: str, number: int = 1) -> RingSecret:
    return RingSecret(ring=kind, number=number)


@pytest.mark.parametrize("kind", ["TOKEN_PEPPERS", "TOKEN_SEALING_KEYS"])
def test_a_secret_is_needed_by_keys_that_still_work_to_the_moment(
    token: Token, clock: Clock, kind: str
) -> None:
    other = TokenFactory(account=AccountFactory())
    third = TokenFactory(account=other.account)
    deleted(third, days=8).purge()
    third.keys.update(sealed=other.keys.get().sealed)
    token.keys.update(retires_at=clock.now + TICK)
    needing = ring(kind).stored_keys().values_list("token", flat=True)
    assert {*needing} == {token.pk, other.pk}
    assert ring(kind).count_needed() == 2
    token.keys.update(retires_at=clock.now)
    assert {*ring(kind).stored_keys().values_list("token", flat=True)} == {other.pk}
    assert ring(kind).count_needed() == 1
    assert not ring(kind, 2).stored_keys().exists()


def test_a_secret_is_the_right_one_by_its_fingerprint_or_by_the_newest_keys_it_opens(
    settings: Settings, db: None
) -> None:
    for kind in RingSecret.Ring:
        assert ring(kind).is_configured() is True
        assert ring(kind, 7).is_configured() is False
        row = ring(kind)
        row.fingerprint = keys.fingerprint(getattr(settings, kind)[1])
        assert row.is_configured() is True
        row.fingerprint = keys.fingerprint(b"another")
        assert row.is_configured() is False


@pytest.mark.parametrize(("newer", "right"), [(4, True), (5, False)])
def test_of_keys_without_a_fingerprint_the_newest_five_are_tried(
    token: Token, settings: Settings, newer: int, right: bool
) -> None:
    made = TokenFactory.create_batch(newer, account=token.account)
    rightly = settings.TOKEN_SEALING_KEYS
    settings.TOKEN_SEALING_KEYS = {1: b"1" * 32}
    for each in made:
        each.keys.update(sealed=vault.seal("0" * 40, each.account_id, each.pk, 1))
    settings.TOKEN_SEALING_KEYS = rightly
    RingSecret.objects.update(fingerprint=None)
    assert ring("TOKEN_SEALING_KEYS").is_configured() is right


def test_keys_that_are_shown_once_do_not_speak_for_a_pepper(
    token: Token, settings: Settings
) -> None:
    TokenFactory.create_batch(6, account=token.account, show_once=True)
    assert ring("TOKEN_PEPPERS").is_configured() is True
    settings.TOKEN_PEPPERS = {1: b"1" * 32}
    assert ring("TOKEN_PEPPERS").is_configured() is False
    token.keys.update(sealed=None)
    # Nothing speaks against it.
    assert ring("TOKEN_PEPPERS").is_configured() is True


def test_each_secret_that_is_configured_or_was_used_is_listed_in_order(
    token: Token, settings: Settings
) -> None:
    token.keys.update(pepper=4)
    other = TokenFactory(account=token.account)
    other.keys.update(sealed=b"\x06" + b"x" * 40)
    settings.TOKEN_PEPPERS = {**settings.TOKEN_PEPPERS, 3: b"3" * 32}
    listed = RingSecret.all_needed()
    assert [(row.ring, row.number) for row in listed] == [
        *(("TOKEN_PEPPERS", number) for number in (1, 3, 4)),
        *(("TOKEN_SEALING_KEYS", number) for number in (1, 6)),
    ]
    assert [row.is_current for row in listed] == [False, True, False, True, False]
    assert [row.configured is None for row in listed] == [False, False, True, False, True]
    assert str(listed[0]) == "TOKEN_PEPPERS 1"
    assert listed[0].pk == RingSecret.objects.get(ring="TOKEN_PEPPERS").pk


def test_a_key_works_with_the_ring_that_opens_or_checks_it(
    token: Token, settings: Settings
) -> None:
    key = token.keys.get()
    assert [key.works_with(kind) for kind in RingSecret.Ring] == [True, True]
    settings.TOKEN_PEPPERS = {1: b"1" * 32}
    assert [key.works_with(kind) for kind in RingSecret.Ring] == [False, True]
    settings.TOKEN_SEALING_KEYS = {1: b"1" * 32}
    assert [key.works_with(kind) for kind in RingSecret.Ring] == [None, False]
    assert (key.can_be_checked, key.can_be_opened, str(key)) == (True, True, f"{token.pk} (1)")
    assert not TokenKey(pepper=7).can_be_checked
    assert not TokenKey().can_be_opened
    assert not TokenKey(sealed=b"\x07").can_be_opened


def test_nothing_of_a_key_changes_when_its_copy_is_sealed_anew(
    token: Token, settings: Settings, michael: Person
) -> None:
    text, other = header(token), TokenFactory(account=token.account)
    theirs = bytes(other.keys.get().sealed or b"")
    settings.TOKEN_SEALING_KEYS = {**settings.TOKEN_SEALING_KEYS, 2: b"2" * 32}
    assert token.keys.get().reseal() is True
    assert header(fresh(token)) == text
    assert bytes(token.keys.get().sealed or b"")[0] == 2
    assert bytes(other.keys.get().sealed or b"") == theirs
    assert token.key_end(token.keys.get()) is None
    assert timezone.now() - token.created_at < DAY

"""What the gate, the keys and the vault rely on; each test fails if its line is removed."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Account, User
from portal.addresses import read_span
from tests.conftest import Call, Person
from tests.factories import AccountFactory, TokenFactory, header
from tokens import keys, vault
from tokens.catalog import Module
from tokens.models import Grant, IPRule, Token, TokenKey, TokenUsage

# Seconds that a connection waits for a lock in the test of waiting.
PATIENCE = 20

KEY = keys.Key("SU-160-984-311", "f45bee7e79b10ff6eff67902ccb4f3d4c0ffee00")
# Sealed once, under the ring of the test that opens it.
SEALED = (
    "0149577811560cd74fe1403e3127c5117b32b95ef903ab03f3fb68e241a1e2c2680d0711cecf6b79"
    "de8ce4fe62f5314d0cdc4101c16d1fde6593c5fcbb61bf1e982c6eb0f6"
)
JUNK = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "MD-0000",
    [],
    [1, [], {}],
    {},
    {"columns": 7, "sort": [], "per_page": {}, "id": []},
    {"columns": [[], {}, 1]},
]


def test_a_use_is_noted_for_its_own_token_only(call: Call, token: Token, account: Account) -> None:
    other = TokenFactory(account=account)
    call("agreements", token)
    assert TokenUsage.objects.get(token=token).last_used_at
    assert TokenUsage.objects.get(token=other).last_used_at is None


def test_the_digest_depends_on_the_pepper_of_its_number(settings: Settings) -> None:
    settings.TOKEN_PEPPERS = {1: b"a" * 32, 2: b"b" * 32}
    one, two = keys.digest(KEY, 1), keys.digest(KEY, 2)
    assert one.value != two.value
    assert keys.digest(KEY) == two
    assert keys.matches(KEY, one.value, 1)
    assert not keys.matches(KEY, one.value, 2)
    settings.TOKEN_PEPPERS = {1: b"c" * 32}
    assert keys.digest(KEY, 1).value != one.value


def test_the_gate_asks_the_token_s_own_account(call: Call, token: Token) -> None:
    other = TokenFactory(account=AccountFactory())
    Account.objects.filter(pk=token.account_id).update(is_active=False)
    assert call("agreements", token).status_code == 401
    assert call("agreements", other).status_code == 200


def test_a_key_opens_for_its_own_token_only(call: Call, account: Account) -> None:
    tokens = [TokenFactory(account=account) for _ in range(4)]
    for token in tokens:
        for other in tokens:
            mixed = f"ApiKey {other.pk}:{header(token).split(':')[1]}"
            assert call("agreements", mixed).status_code == (200 if token is other else 401)


def test_all_that_the_gate_decides_by_is_the_token_s_own(call: Call, account: Account) -> None:
    """Each of five tokens in turn is the only valid one, so its neighbours in the table are not."""
    tokens = [TokenFactory(account=account) for _ in range(5)]
    sent = {token.pk: header(token) for token in tokens}
    for right in tokens:
        disabled, expired, narrow, elsewhere = (token.pk for token in tokens if token is not right)
        every = Token.objects.all()
        every.update(status="active", expires_at=None, account=account)
        Grant.objects.update(module=Module.AGREEMENTS)
        every.filter(pk=disabled).update(status="inactive")
        every.filter(pk=expired).update(expires_at=timezone.now() - timedelta(days=1))
        Grant.objects.filter(token=narrow).update(module=Module.USAGE)
        every.filter(pk=elsewhere).update(account=AccountFactory(is_active=False))
        answers = {token.pk: call("agreements", sent[token.pk]).status_code for token in tokens}
        assert answers == {right.pk: 200, disabled: 401, expired: 401, narrow: 403, elsewhere: 401}


def test_either_of_two_keys_opens_the_gate(call: Call, token: Token) -> None:
    second = keys.mint(token.pk)
    TokenKey.put(token, second, version=2)
    first = TokenKey.objects.get(token=token, version=1).open()
    assert call("agreements", first).status_code == 200
    assert call("agreements", second.header).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(-2, 401), (60, 200)])
def test_a_key_opens_the_gate_until_it_retires(
    call: Call, token: Token, seconds: int, status: int
) -> None:
    second = keys.mint(token.pk)
    TokenKey.put(token, second, version=2)
    first = TokenKey.objects.get(token=token, version=1).open()
    token.keys.filter(version=1).update(retires_at=timezone.now() + timedelta(seconds=seconds))
    response = call("agreements", first)
    assert response.status_code == status
    if status == 401:
        assert response.json()["errors"][-1] == f"This key of the token {token.pk} is retired."
    assert call("agreements", second.header).status_code == 200


def test_only_its_holder_learns_that_a_key_is_retired(call: Call, token: Token) -> None:
    token.keys.update(retires_at=timezone.now() - timedelta(seconds=2))
    assert "retired" not in call("agreements", f"{header(TokenFactory())[:22]}{'0' * 40}").text
    assert "retired" not in call("agreements", f"ApiKey {token.pk}:{'0' * 40}").text


def test_the_checksum_covers_the_id() -> None:
    key = keys.mint("SU-160-984-311")
    assert not key.looks_mistyped
    assert keys.Key("SU-160-984-312", key.secret).looks_mistyped


def test_a_copy_sealed_by_an_earlier_version_still_opens(settings: Settings) -> None:
    settings.TOKEN_SEALING_KEYS = {1: bytes(range(32)), 2: b"n" * 32}
    sealed = bytes.fromhex(SEALED)
    assert vault.unseal(sealed, "PA-063-101", "SU-160-984-311", 1) == KEY.secret
    for bound in (
        ("PA-063-102", "SU-160-984-311", 1),
        ("PA-063-101", "SU-160-984-312", 1),
        ("PA-063-101", "SU-160-984-311", 2),
    ):
        with pytest.raises(vault.SealBroken):
            vault.unseal(sealed, *bound)


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "ApiKey",
        "ApiKey SU-160-984-311:short",
        "Bearer x",
        f"ApiKey SU-160-984-311:{'G' * 40}",
        f" {KEY.header}",
    ],
)
def test_a_malformed_header_costs_no_query(
    client: Client, db: None, django_assert_num_queries: DjangoAssertNumQueries, sent: str
) -> None:
    with django_assert_num_queries(0):
        assert (
            client.get("/public/v1/agreements", headers={"authorization": sent}).status_code == 401
        )


def test_an_unknown_id_costs_the_compare_of_a_wrong_secret(
    call: Call, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in the standard library, below everything that the gate does."""
    import hmac

    others = TokenFactory.create_batch(3, account=token.account)
    compared: list[int | str] = []
    compare, digest = hmac.compare_digest, hmac.digest

    def note_compare(*sides: Any) -> bool:
        compared.append(len(sides[1]))
        return compare(*sides)

    def note_digest(*parts: Any) -> bytes:
        compared.append("digest")
        return digest(*parts)

    monkeypatch.setattr(hmac, "compare_digest", note_compare)
    monkeypatch.setattr(hmac, "digest", note_digest)
    costs = []
    for token_id in (token.pk, *(other.pk for other in others), "SU-000-000-001"):
        compared.clear()
        call("agreements", keys.mint(token_id).header)
        costs.append([*compared])
    assert costs == [["digest", 32]] * 5


def test_a_stamp_restores_the_patience_of_the_connection(call: Call, token: Token) -> None:
    if connection.vendor != "sqlite":
        return

    call("agreements", token)
    assert TokenUsage.objects.get(token=token).last_used_at
    with connection.cursor() as cursor:
        # Not compared with the earlier value, which a call of this process may have changed before.
        milliseconds = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
    assert milliseconds == connection.settings_dict["OPTIONS"]["timeout"] * 1000 > 0


@pytest.mark.django_db(transaction=True)
def test_notes_of_a_use_do_not_wait_for_the_disk_and_later_writes_do(
    call: Call, token: Token
) -> None:
    sqlite = connection.vendor == "sqlite"
    name = "PRAGMA synchronous" if sqlite else "SHOW synchronous_commit"
    seen = []

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(("UPDATE", "INSERT")):
            seen.append(connection.connection.execute(name).fetchone()[0])
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        call("agreements", token)
        Token.objects.filter(pk=token.pk).update(description="Noted")
    note, full = (1, 2) if sqlite else ("off", "on")
    assert seen == [note, note, full]
    assert TokenUsage.objects.get(token=token).last_used_at


@pytest.mark.parametrize("junk", JUNK, ids=str)
def test_stored_choices_of_any_kind_break_no_page(
    michael: Person, token: Token, junk: object
) -> None:
    for preferences in (junk, {"tokens": junk, "permissions": junk, "account": junk}):
        User.objects.filter(pk=michael.user.pk).update(
            preferences=preferences if preferences is not None else {}, time_zone=str(junk)[:64]
        )
        for page in ("", f"{token.pk}/", f"{token.pk}/permissions/"):
            assert michael.client.get(f"/integrations/tokens/{page}").status_code == 200
        assert (
            michael.client.post("/integrations/tokens/layout/", {"per_page": "20"}).status_code
            == 302
        )
        assert User.objects.get(pk=michael.user.pk).choices("tokens")["per_page"] == 20


@pytest.mark.parametrize("junk", JUNK, ids=str)
@pytest.mark.parametrize("name", ["account", "confirmed_at", "seen_at", "signed_in_at", "created"])
def test_a_session_s_choices_of_any_kind_break_no_page(
    michael: Person, token: Token, name: str, junk: object
) -> None:
    session = michael.client.session
    session[name] = junk
    session.save()
    for page in ("", f"{token.pk}/", f"{token.pk}/summary/"):
        assert michael.client.get(f"/integrations/tokens/{page}").status_code in {200, 302}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "status"), [("agreements", 200), ("contracts", 403), ("wrong key", 401)]
)
def test_what_is_noted_of_a_call_waits_for_nobody(
    client: Client, settings: Settings, path: str, status: int
) -> None:
    """The call is answered although another transaction holds what the notes need meanwhile.

    They are the use of the token and of the key, its new digest, a refused address, a wrong key.
    """
    token = TokenFactory(modules=(Module.AGREEMENTS,))
    key = header(token)
    if path == "wrong key":
        path, key = "agreements", keys.mint(token.pk).header
    if path == "contracts":
        IPRule.add(token.account, None, [("Head office", read_span("192.0.2.0/24"))], by=None)
    settings.TOKEN_PEPPERS = {**settings.TOKEN_PEPPERS, 200: b"n" * 32}
    # If one waited, it would wait longer than the lock is held.
    settings.STATEMENT_SECONDS = PATIENCE
    connection.close()
    if connection.vendor == "sqlite":
        before = connection.settings_dict["OPTIONS"]["timeout"]
        connection.settings_dict["OPTIONS"]["timeout"] = PATIENCE
    holds, answered, let_go = threading.Event(), threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                TokenUsage.objects.filter(token=token).update(last_used_at=None)
                TokenKey.objects.filter(token=token).update(replaced_at=None)
                holds.set()
                answered.wait(PATIENCE / 2)
                let_go.set()
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert holds.wait(PATIENCE)
        response = client.get(f"/public/v1/{path}", headers={"authorization": key})
        still_held = not let_go.is_set()
    finally:
        answered.set()
        thread.join()
        connection.close()
        if connection.vendor == "sqlite":
            connection.settings_dict["OPTIONS"]["timeout"] = before
    assert response.status_code == status
    assert still_held

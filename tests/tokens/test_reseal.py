"""Keys move to the newest secrets of the rings, while calls go on."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core import checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import DjangoAssertNumQueries, Settings

from tests.conftest import Call
from tests.factories import TokenFactory, deleted, header
from tokens.management.commands import reseal as command
from tokens.models import Token, TokenKey


def run(name: str) -> str:
    out = StringIO()
    call_command(name, stdout=out, stderr=out)
    return out.getvalue()


# Sets a ring to the secrets with these numbers.
Change = Callable[..., None]


@pytest.fixture
def ring(settings: Settings) -> Change:
    """Return a function that sets a ring to the secrets with the given numbers."""

    def change(name: str, *numbers: int) -> None:
        setattr(settings, name, {number: bytes([number]) * 32 for number in numbers})

    return change


@pytest.fixture
def sealed_with_1(ring: Change, db: None) -> list[Token]:
    """Make five keys sealed with number 1; the newest is 2."""
    ring("TOKEN_SEALING_KEYS", 1)
    tokens = [TokenFactory() for _ in range(5)]
    ring("TOKEN_SEALING_KEYS", 1, 2)
    return tokens


def copy_of(key: TokenKey) -> bytes:
    assert key.sealed
    return bytes(key.sealed)


def numbers() -> list[int]:
    return sorted(copy_of(key)[0] for key in TokenKey.objects.all())


def test_reseal_moves_every_copy_and_they_open_as_before(
    sealed_with_1: list[Token], ring: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "BATCH", 2)
    before = [header(token) for token in sealed_with_1]
    assert "Sealed with number 2: 5" in run("reseal")
    assert numbers() == [2] * 5
    ring("TOKEN_SEALING_KEYS", 2)
    assert [header(Token.objects.get(pk=token.pk)) for token in sealed_with_1] == before


def test_it_can_be_interrupted_and_repeated(
    sealed_with_1: list[Token], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "BATCH", 2)
    moved: list[int] = []
    original = TokenKey.reseal

    def stop_at_the_fifth(key: TokenKey) -> bool:
        if len(moved) == 4:
            raise KeyboardInterrupt
        moved.append(key.pk)
        return original(key)

    with monkeypatch.context() as patch:
        patch.setattr(TokenKey, "reseal", stop_at_the_fifth)
        with pytest.raises(KeyboardInterrupt):
            run("reseal")
    assert numbers() == [1, 2, 2, 2, 2]
    assert "Sealed with number 2: 1" in run("reseal")
    assert "Sealed with number 2: 0" in run("reseal")


def test_a_copy_that_does_not_open_is_left_and_counted(sealed_with_1: list[Token]) -> None:
    key = TokenKey.objects.earliest("pk")
    broken = copy_of(key)[:-1] + b"x"
    TokenKey.objects.filter(pk=key.pk).update(sealed=broken)
    out = run("reseal")
    assert "Sealed with number 2: 4" in out
    assert "Could not be opened, and were left as they are: 1" in out
    assert copy_of(TokenKey.objects.get(pk=key.pk)) == broken


def test_keys_that_are_shown_once_and_purged_ones_have_nothing_to_move(
    sealed_with_1: list[Token],
) -> None:
    sealed_with_1[0].edit(by=None, version=None, modules=None, show_once=True)
    deleted(sealed_with_1[1], days=8).purge()
    deleted(sealed_with_1[2])
    assert "Sealed with number 2: 3" in run("reseal")


def test_a_copy_that_was_destroyed_meanwhile_stays_destroyed(sealed_with_1: list[Token]) -> None:
    key = TokenKey.objects.select_related("token").earliest("pk")
    TokenKey.objects.filter(pk=key.pk).update(sealed=None)
    assert not key.reseal()
    assert TokenKey.objects.get(pk=key.pk).sealed is None


def test_reseal_refuses_another_secret_under_the_newest_number(
    sealed_with_1: list[Token], settings: Settings
) -> None:
    settings.TOKEN_SEALING_KEYS = {1: b"\x63" * 32}
    with pytest.raises(CommandError, match="is not the one that keys were stored under"):
        run("reseal")


# --- Digests --------------------------------------------------------------------------------------


def test_a_digest_moves_to_the_newest_pepper_with_the_next_good_call(
    ring: Change, db: None, call: Call
) -> None:
    ring("TOKEN_PEPPERS", 1)
    token, other = TokenFactory(), TokenFactory()
    ring("TOKEN_PEPPERS", 1, 2)
    key, others = header(token), header(other)
    assert call("agreements", key[:-1] + ("0" if key[-1] != "0" else "1")).status_code == 401
    assert {stored.pepper for stored in TokenKey.objects.all()} == {1}
    assert call("agreements", key).status_code == 200
    assert TokenKey.objects.get(token=token).pepper == 2
    assert TokenKey.objects.get(token=other).pepper == 1
    ring("TOKEN_PEPPERS", 2)
    assert call("agreements", key).status_code == 200
    assert call("agreements", others).status_code == 401


def test_a_refused_call_moves_nothing(ring: Change, db: None, call: Call) -> None:
    ring("TOKEN_PEPPERS", 1)
    token = TokenFactory()
    ring("TOKEN_PEPPERS", 1, 2)
    key = header(token)
    token.disable(by=None)
    assert call("agreements", key).status_code == 401
    assert TokenKey.objects.get().pepper == 1


def test_each_of_two_keys_moves_by_its_own(ring: Change, db: None, call: Call) -> None:
    from tokens import keys

    ring("TOKEN_PEPPERS", 1)
    token = TokenFactory()
    second = keys.mint(token.pk)
    TokenKey.put(token, second, version=2)
    ring("TOKEN_PEPPERS", 1, 2)
    assert call("agreements", second.header).status_code == 200
    assert [key.pepper for key in TokenKey.objects.order_by("version")] == [1, 2]


def test_a_digest_that_cannot_be_renewed_does_not_fail_the_call(
    ring: Change, db: None, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    ring("TOKEN_PEPPERS", 1)
    key = header(TokenFactory())
    ring("TOKEN_PEPPERS", 1, 2)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE tokens_ringsecret")
    assert call("agreements", key).status_code == 200
    assert "could not be renewed" in caplog.text


def test_the_next_calls_write_no_digest(
    ring: Change, db: None, call: Call, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ring("TOKEN_PEPPERS", 1)
    key = header(TokenFactory())
    ring("TOKEN_PEPPERS", 1, 2)
    call("agreements", key)
    before = bytes(TokenKey.objects.get().digest)
    call("agreements", key)
    assert bytes(TokenKey.objects.get().digest) == before


# --- What is still needed -------------------------------------------------------------------------


def test_rings_says_which_numbers_are_needed(ring: Change, db: None, call: Call) -> None:
    ring("TOKEN_PEPPERS", 1)
    ring("TOKEN_SEALING_KEYS", 1)
    tokens = [TokenFactory() for _ in range(3)]
    ring("TOKEN_PEPPERS", 1, 2)
    ring("TOKEN_SEALING_KEYS", 1, 2)
    call("agreements", tokens[0])
    deleted(tokens[1], days=8).purge()
    lines = [" ".join(line.split()) for line in run("rings").splitlines()]
    assert lines == [
        "TOKEN_PEPPERS",
        "1 1 key needed: each key moves on at its next call",
        "2 1 key current",
        "TOKEN_SEALING_KEYS",
        "1 2 keys needed: run manage.py reseal",
        "2 0 keys current",
    ]
    call("agreements", tokens[2])
    run("reseal")
    lines = [" ".join(line.split()) for line in run("rings").splitlines()]
    assert lines[1::3] == ["1 0 keys can be removed from the settings"] * 2


def test_rings_names_a_number_that_is_missing(ring: Change, db: None) -> None:
    TokenFactory()
    TokenKey.objects.update(pepper=9)
    assert "9 1 key missing in the settings" in " ".join(run("rings").split())


def test_the_check_warns_of_keys_stored_under_a_number_that_nobody_noted(
    ring: Change, db: None, settings: Settings
) -> None:
    settings.ACCEPT_LOST_KEYS = True
    TokenFactory()
    TokenKey.objects.update(pepper=9, sealed=b"\x09" + b"0" * 60)
    found = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    assert [message.id for message in found] == ["tokens.W002", "tokens.W002"]
    assert all("under number 9: 1 key of this database cannot be" in each.msg for each in found)

"""The text of a key, and its two stored forms."""

import re
import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from tests.factories import TokenFactory
from tokens import keys, vault
from tokens.models import TokenKey

ARTICLE = "ApiKey SU-160-984-311:f45bee7e79b10ff6eff67902ccb4f3d46724ceb8"


def test_the_key_of_the_article_is_read() -> None:
    key = keys.Key("SU-160-984-311", "f45bee7e79b10ff6eff67902ccb4f3d46724ceb8")
    assert keys.parse(ARTICLE) == key


def test_a_key_is_read_back_as_it_was_made() -> None:
    key = keys.mint("SU-160-984-311")
    assert re.fullmatch(r"ApiKey SU-160-984-311:[0-9a-f]{40}", key.header)
    assert keys.parse(key.header) == key
    assert not key.looks_mistyped


def test_two_keys_are_never_the_same() -> None:
    assert len({keys.mint("SU-160-984-311").secret for _ in range(100)}) == 100


@pytest.mark.parametrize("scheme", ["apikey", "APIKEY", "ApiKey"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    assert keys.parse(ARTICLE.replace("ApiKey", scheme))


@pytest.mark.parametrize(
    "header",
    [
        "",
        ARTICLE + "\n",
        ARTICLE + " ",
        " " + ARTICLE,
        ARTICLE.replace(" ", "  "),
        ARTICLE.replace(" ", "\t"),
        ARTICLE.replace(" ", "\u00a0"),
        ARTICLE.replace("ApiKey", "Bearer"),
        ARTICLE.replace("ApiKey ", ""),
        ARTICLE[:-1],
        ARTICLE + "0",
        ARTICLE[:-1] + "F",
        ARTICLE.replace("160", "١٦٠"),
        ARTICLE.replace("SU", "su"),
        ARTICLE.replace(":", " :"),
        ARTICLE[:-1] + "\x00",
        "x" * 100_000,
    ],
)
def test_anything_else_is_not_a_key(header: str) -> None:
    assert keys.parse(header) is None


@given(st.text(max_size=200))
def test_a_text_is_a_key_only_if_it_is_exactly_one(text: str) -> None:
    key = keys.parse(text)
    assert (key is None) == (
        re.fullmatch(r"(?i:apikey) SU-\d{3}-\d{3}-\d{3}:[0-9a-f]{40}", text, re.ASCII) is None
    )


@given(st.integers(0, 39), st.sampled_from("0123456789abcdef"))
def test_a_changed_digit_looks_mistyped(index: int, digit: str) -> None:
    key = keys.mint("SU-160-984-311")
    secret = key.secret[:index] + digit + key.secret[index + 1 :]
    assert keys.Key(key.token_id, secret).looks_mistyped == (secret != key.secret)


def test_a_digest_matches_its_key_only() -> None:
    key, other = keys.mint("SU-160-984-311"), keys.mint("SU-160-984-311")
    digest = keys.digest(key)
    assert keys.matches(key, *digest)
    assert not keys.matches(other, *digest)
    assert not keys.matches(keys.Key("SU-000-000-000", key.secret), *digest)
    assert not keys.matches_nobody(key)


def test_what_an_earlier_version_stored_is_that_of_this_one(settings: Settings) -> None:
    key, secret = keys.parse(ARTICLE), bytes(range(32))
    assert key
    settings.TOKEN_PEPPERS = {1: secret}
    assert [
        keys.digest(key).value.hex(),
        keys.fingerprint(secret).hex(),
        keys.address_digest("f45bee7e").hex(),
        keys.checksum(key.token_id, key.secret[:32]),
    ] == [
        "27245ef5fda630b46cecf624a835241104995cf5631253e0cd403a4c3fb60fde",
        "b6966a2b2aa0d5a07c13e6c775e5f497dee37984837eb6a087319e44ac887fb3",
        "a25c38b846b4aa57618db646eed573f533ed756a3c55ee07ca22c6d3ee661d99",
        "17b4fae3",
    ]


def test_a_new_pepper_makes_new_digests_and_old_ones_go_on_matching(settings: Settings) -> None:
    key = keys.mint("SU-160-984-311")
    old = keys.digest(key)
    settings.TOKEN_PEPPERS = {**settings.TOKEN_PEPPERS, 2: b"2" * 32}
    assert keys.digest(key).pepper == 2
    assert keys.matches(key, *old)


def test_a_pepper_that_was_taken_away_matches_nothing(settings: Settings) -> None:
    key = keys.mint("SU-160-984-311")
    old = keys.digest(key)
    settings.TOKEN_PEPPERS = {2: b"2" * 32}
    assert not keys.matches(key, *old)


def test_a_ring_tells_which_copies_it_can_open(settings: Settings) -> None:
    sealed = vault.seal("secret", "PA-1", "SU-1", 1)
    assert vault.can_open(sealed)
    assert not vault.can_open(b"")
    ring = settings.TOKEN_SEALING_KEYS
    settings.TOKEN_SEALING_KEYS = {max(ring) + 1: b"n" * 32}
    assert not vault.can_open(sealed)


def test_a_sealed_text_opens_where_it_was_sealed() -> None:
    assert vault.unseal(vault.seal("secret", "PA-1", "SU-1", 1), "PA-1", "SU-1", 1) == "secret"


@pytest.mark.parametrize("place", [("PA-2", "SU-1", 1), ("PA-1", "SU-2", 1), ("PA-1", "SU-1", 2)])
def test_a_sealed_text_that_was_moved_does_not_open(place: tuple[str, str, int]) -> None:
    with pytest.raises(vault.SealBroken):
        vault.unseal(vault.seal("secret", "PA-1", "SU-1", 1), *place)


@pytest.mark.parametrize(
    "change",
    [
        lambda sealed: b"",
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[:20],
        lambda sealed: b"\xff" + sealed[1:],
    ],
)
def test_a_sealed_text_that_was_changed_does_not_open(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(vault.SealBroken):
        vault.unseal(change(vault.seal("secret", "PA-1")), "PA-1")


def test_two_seals_of_one_text_differ() -> None:
    assert vault.seal("secret", "PA-1") != vault.seal("secret", "PA-1")


def test_a_new_sealing_key_seals_anew_and_old_copies_go_on_opening(settings: Settings) -> None:
    old = vault.seal("secret", "PA-1")
    settings.TOKEN_SEALING_KEYS = {**settings.TOKEN_SEALING_KEYS, 2: b"2" * 32}
    assert vault.seal("secret", "PA-1")[0] == 2
    assert vault.unseal(old, "PA-1") == "secret"


def test_the_database_holds_no_part_of_the_secret_in_clear(db: None) -> None:
    stored = TokenKey.objects.get(token=TokenFactory())
    secret = stored.open().split(":")[1]
    assert set(secret) <= set(string.hexdigits)
    assert stored.sealed
    for column in (bytes(stored.digest), bytes(stored.sealed)):
        assert secret.encode() not in column
        assert bytes.fromhex(secret) not in column
    assert len(stored.digest) == 32


def test_copies_swapped_between_two_rows_do_not_open(db: None) -> None:
    one, two = (
        TokenKey.objects.get(token=TokenFactory()),
        TokenKey.objects.get(token=TokenFactory()),
    )
    one.sealed = two.sealed
    one.save()
    with pytest.raises(vault.SealBroken):
        TokenKey.objects.get(pk=one.pk).open()

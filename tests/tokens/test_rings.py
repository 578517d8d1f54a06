"""A database whose keys the configured rings cannot check or open is refused.

The message says how many keys are affected and what to restore.
"""

import pytest
from django.core import checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from portal import readiness
from tests.factories import TokenFactory, deleted, header
from tokens.models import RingSecret, Token, TokenKey

RINGS = ["TOKEN_PEPPERS", "TOKEN_SEALING_KEYS"]
LOSS = {
    "TOKEN_PEPPERS": "2 keys of this database cannot be checked, so every call with one of them "
    "is refused",
    "TOKEN_SEALING_KEYS": "2 keys of this database cannot be viewed",
}


def found() -> list[checks.CheckMessage]:
    return checks.run_checks(tags=[checks.Tags.database], databases=["default"])


@pytest.fixture
def two_keys(db: None) -> None:
    """Make two keys that the rings can check and open, and one of a purged token.

    That one is ignored.
    """
    TokenFactory(), TokenFactory()
    deleted(TokenFactory(), days=7).purge()


@pytest.fixture(params=["noted", "not noted"])
def known(request: pytest.FixtureRequest, two_keys: None) -> None:
    """Make keys of this version, or of one that did not note the secrets they were stored under."""
    if request.param == "not noted":
        RingSecret.objects.update(fingerprint=None)


def test_rings_that_made_the_keys_are_accepted(known: None) -> None:
    assert found() == []
    assert readiness.database_problems() == []


def test_an_empty_database_goes_with_any_rings(db: None, settings: Settings) -> None:
    settings.TOKEN_PEPPERS = {7: bytes(32)}
    assert found() == []


@pytest.mark.parametrize("ring", RINGS)
def test_another_secret_under_the_same_number_is_refused(
    known: None, settings: Settings, ring: str
) -> None:
    setattr(settings, ring, {1: b"\x01" * 32})
    (message,) = [message for message in found() if message.msg.startswith(ring)]
    assert message.level == checks.ERROR
    assert message.msg == f"{ring} no longer holds the secret it had under number 1: {LOSS[ring]}."
    assert f"Restore {ring} from your copy" in str(message.hint)
    assert message.msg in readiness.problems()[0]


@pytest.mark.parametrize("ring", RINGS)
def test_a_number_that_is_gone_is_refused(known: None, settings: Settings, ring: str) -> None:
    setattr(settings, ring, {2: b"\x02" * 32})
    (message,) = found()
    assert (message.level, message.id) == (checks.ERROR, "tokens.E002")
    assert message.msg == f"{ring} no longer has a secret under number 1: {LOSS[ring]}."
    assert "ACCEPT_LOST_KEYS=on" in str(message.hint)


@pytest.mark.parametrize("ring", RINGS)
def test_what_is_lost_for_good_can_be_accepted_but_never_another_secret_under_its_number(
    known: None, settings: Settings, ring: str
) -> None:
    settings.ACCEPT_LOST_KEYS = True
    setattr(settings, ring, {2: b"\x02" * 32})
    (message,) = found()
    assert message.level == checks.WARNING
    assert readiness.database_problems() == []
    setattr(settings, ring, {1: b"\x01" * 32})
    assert len(readiness.database_problems()) == 1


def test_both_rings_lost_are_both_told(two_keys: None, settings: Settings) -> None:
    settings.TOKEN_PEPPERS, settings.TOKEN_SEALING_KEYS = {1: b"\x01" * 32}, {1: b"\x02" * 32}
    assert [message.msg.split()[0] for message in found()] == RINGS


def test_a_ring_that_grew_is_accepted_and_its_new_secret_is_noted(
    known: None, settings: Settings
) -> None:
    settings.TOKEN_PEPPERS = {**settings.TOKEN_PEPPERS, 2: b"\x02" * 32}
    TokenFactory()
    assert found() == []
    settings.TOKEN_PEPPERS = {**settings.TOKEN_PEPPERS, 2: b"\x03" * 32}
    (message,) = found()
    assert "under number 2" in message.msg
    assert "1 key of this database" in message.msg


def test_keys_without_a_sealed_copy_are_known_too(two_keys: None, settings: Settings) -> None:
    TokenKey.objects.update(sealed=None)
    settings.TOKEN_PEPPERS = {1: b"\x01" * 32}
    assert len(found()) == 1


def test_no_key_is_stored_beside_those_of_another_secret(known: None, settings: Settings) -> None:
    settings.TOKEN_PEPPERS = {1: b"\x01" * 32}
    count = Token.objects.count()
    with pytest.raises(RingSecret.Foreign):
        TokenFactory()
    assert Token.objects.count() == count


def test_a_secret_that_no_key_needs_any_more_may_be_replaced(db: None, settings: Settings) -> None:
    deleted(TokenFactory(), days=7).purge()
    settings.TOKEN_PEPPERS = {1: b"\x01" * 32}
    assert found() == []
    token = TokenFactory()
    assert found() == []
    assert header(token)


def test_the_first_new_key_notes_the_secrets_of_an_older_version(two_keys: None) -> None:
    RingSecret.objects.update(fingerprint=None)
    TokenFactory()
    assert not RingSecret.objects.filter(fingerprint=None).exists()


def test_the_check_of_the_database_says_so(two_keys: None, settings: Settings) -> None:
    settings.TOKEN_PEPPERS = {1: b"\x01" * 32}
    with pytest.raises(SystemCheckError, match="2 keys of this database cannot be checked"):
        call_command("check", tags=["database"], databases=["default"])
    call_command("check", tags=["database"])

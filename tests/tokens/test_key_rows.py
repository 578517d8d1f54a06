"""What each verb does to the rows of keys: to which of them, to the moment, and what is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from activity.actions import Action
from portal.fields import Actor
from tests.conftest import Clock, Person
from tests.factories import TokenFactory, header
from tests.tokens.test_policies import impose
from tests.tokens.test_rotation import DAY, fresh, old_key, page, renewed
from tokens import vault
from tokens.models import LONGEST_OVERLAP, BadEnd, KeyUse, Replaced, Token, TokenKey

TICK = timedelta(microseconds=1)

VERBS: dict[str, Callable[[Token], object]] = {
    "rotate": lambda token: token.rotate(by=None),
    "extend": lambda token: token.extend(by=None, until=timezone.now() + 3 * DAY),
    "retire": lambda token: token.retire(by=None),
    "cancel_renewal": lambda token: token.cancel_renewal(by=None),
    "rehearse": lambda token: token.rehearse(by=None),
    "end_rehearsal": lambda token: token.end_rehearsal(by=None),
}


@pytest.fixture(params=VERBS)
def verb(request: pytest.FixtureRequest) -> Callable[[Token], object]:
    return VERBS[request.param]


def rows(**of: Any) -> list[dict[str, Any]]:
    return list(map(dict, TokenKey.objects.filter(**of).order_by("pk").values()))


def told(token: Token, action: Action) -> Any:
    return token.events.filter(action=action)[0].changes


# --- Which keys -----------------------------------------------------------------------------------


def test_a_verb_leaves_retired_keys_and_other_tokens_alone(
    token: Token, verb: Callable[[Token], object]
) -> None:
    other = TokenFactory(account=token.account)
    renewed(other)
    token.rotate(by=None)
    token.keys.filter(version=1).update(retires_at=timezone.now() - DAY, sealed=b"kept")
    renewed(token)
    if verb is VERBS["end_rehearsal"]:
        token.rehearse(by=None)
    theirs, retired = rows(token=other), rows(token=token, version=1)
    updated_at = Token.objects.get(pk=other.pk).updated_at
    before = rows(token=token)
    verb(token)
    assert rows(token=other) == theirs
    assert rows(token=token, version=1) == retired
    assert Token.objects.get(pk=other.pk).updated_at == updated_at
    assert rows(token=token) != before


def test_a_verb_shows_in_a_token_that_was_fetched_with_its_keys(
    token: Token, verb: Callable[[Token], object]
) -> None:
    renewed(token)
    if verb is VERBS["end_rehearsal"]:
        token.rehearse(by=None)
    seen = fresh(token)
    assert len(seen.live_keys) == 2
    verb(seen)

    def moments(of: Token) -> list[tuple[Any, ...]]:
        return [(key.version, key.retires_at, key.rehearsed_until) for key in of.live_keys]

    assert moments(seen) == moments(fresh(token))


def test_renewing_shows_in_a_token_that_was_fetched_with_its_keys(token: Token) -> None:
    seen = fresh(token)
    renewed(seen)
    assert [key.version for key in seen.live_keys] == [2, 1]


def test_retiring_destroys_the_copy_of_the_old_key_only(token: Token) -> None:
    _old, new = renewed(token)
    token.rehearse(by=None)
    token.retire(by=None)
    retired = token.keys.get(version=1)
    assert (retired.sealed, retired.rehearsed_until, retired.is_retired) == (None, None, True)
    assert header(fresh(token)) == new


def test_rotating_destroys_the_copies_of_all_keys_but_the_new_one(token: Token) -> None:
    renewed(token)
    token.rehearse(by=None)
    token.rotate(by=None)
    gone = token.keys.filter(version__lt=3)
    assert [(key.sealed, key.rehearsed_until, key.is_retired) for key in gone] == [
        (None, None, True)
    ] * 2
    assert token.keys.get(version=3).can_be_opened


def test_of_the_retired_keys_the_last_five_are_kept_so_that_their_callers_learn_why(
    token: Token,
) -> None:
    for _ in range(8):
        token.rotate(by=None)
    assert [key.version for key in token.keys.order_by("version")] == [4, 5, 6, 7, 8, 9]


def test_a_cancelled_renewal_leaves_the_old_key_as_if_there_had_been_none(token: Token) -> None:
    (before,) = rows(token=token)
    renewed(token)
    token.rehearse(by=None)
    token.cancel_renewal(by=None)
    assert rows(token=token, version=1) == [before]
    new = token.keys.get(version=2)
    assert (new.sealed, new.is_retired) == (None, True)


def test_a_renewal_sets_the_calls_before_it_apart_for_the_present_key_only(token: Token) -> None:
    now = timezone.now()
    token.rotate(by=None)
    for key in token.keys.all():
        KeyUse.objects.create(
            key=key, address="", agent="", first_at=now, last_at=now, calls=7, earlier_calls=2
        )
    renewed(token)
    assert dict(KeyUse.objects.values_list("key__version", "earlier_calls")) == {1: 2, 2: 7}


def test_a_new_key_says_who_made_it_and_changed_the_token(token: Token, michael: Person) -> None:
    token.rotate(by=michael.user)
    made = token.keys.get(version=2)
    assert made.made_by == Actor.of(michael.user)
    token.refresh_from_db()
    assert token.updated_by == Actor.of(michael.user)


def test_an_earlier_end_of_the_token_ends_the_old_key_with_it_and_a_later_one_does_not(
    token: Token, clock: Clock
) -> None:
    renewed(token)
    ends = old_key(token).retires_at
    assert ends
    for until, stops in ((ends + DAY, ends), (ends - DAY, ends - DAY)):
        token.edit(by=None, version=None, modules=None, expires_at=until)
        assert old_key(fresh(token)).retires_at == stops
    assert token.keys.get(version=2).retires_at is None


def test_an_end_that_is_set_with_a_renewal_ends_the_old_key_too(token: Token, clock: Clock) -> None:
    ends = clock.now + DAY
    token.renew(by=None, until=ends + DAY, expires_at=ends)
    assert old_key(token).retires_at == ends


def test_two_keys_are_found_whatever_their_order(token: Token) -> None:
    old, new = renewed(token)
    assert [key.open() for key in fresh(token).usable_keys] == [new, old]
    assert fresh(token).key_version == 2
    token.keys.all().delete()
    assert fresh(token).key_version == 0


# --- To the moment --------------------------------------------------------------------------------


def test_a_key_is_retired_and_a_rehearsal_is_over_at_their_moment(clock: Clock) -> None:
    key = TokenKey(retires_at=clock.now + TICK, rehearsed_until=clock.now + TICK)
    assert (key.is_retired, key.is_old, key.is_rehearsed) == (False, True, True)
    clock.move(microseconds=1)
    assert (key.is_retired, key.is_old, key.is_rehearsed) == (True, False, False)
    assert (TokenKey().is_retired, TokenKey().is_old, TokenKey().is_rehearsed) == (False,) * 3


@pytest.mark.parametrize(
    ("span", "problem"),
    [
        (TICK, None),
        (LONGEST_OVERLAP, None),
        (LONGEST_OVERLAP + TICK, "at most 30 days"),
    ],
)
def test_the_old_key_lives_on_from_now_to_thirty_days_to_the_moment(
    token: Token, clock: Clock, span: timedelta, problem: str | None
) -> None:
    clock.move(minutes=1)
    if problem:
        with pytest.raises(BadEnd, match=problem):
            token.renew(by=None, until=clock.now + span)
        return
    token.renew(by=None, until=clock.now + span)
    assert old_key(token).retires_at == clock.now + span


def test_a_key_that_ends_this_very_moment_cannot_live_on(token: Token, clock: Clock) -> None:
    Token.objects.update(expires_at=clock.now)
    with pytest.raises(BadEnd, match="has ended already"):
        token.renew(by=None, until=clock.now + DAY)


def test_where_no_key_lives_any_more_the_moment_is_still_to_come(
    token: Token, clock: Clock
) -> None:
    token.keys.update(retires_at=clock.now)
    with pytest.raises(BadEnd, match="in the future"):
        token.renew(by=None, until=clock.now)
    token.renew(by=None, until=clock.now + TICK)
    assert [key.version for key in token.live_keys] == [2]


def test_an_old_key_is_extended_to_the_end_of_the_token_and_no_further(
    token: Token, clock: Clock
) -> None:
    renewed(token)
    ends = clock.now + 5 * DAY
    Token.objects.update(expires_at=ends)
    present = old_key(token).retires_at
    assert present
    with pytest.raises(BadEnd, match="later end than the present one"):
        token.extend(by=None, until=present)
    with pytest.raises(BadEnd, match="at the latest"):
        token.extend(by=None, until=ends + TICK)
    token.extend(by=None, until=ends)
    assert old_key(token).retires_at == ends


def test_thirty_days_count_from_the_renewal_however_often_the_old_key_is_extended(
    token: Token, clock: Clock
) -> None:
    began = clock.now
    renewed(token)
    clock.move(days=1)
    with pytest.raises(BadEnd, match="at most 30 days"):
        token.extend(by=None, until=began + LONGEST_OVERLAP + TICK)
    token.extend(by=None, until=began + LONGEST_OVERLAP)
    assert old_key(token).retires_at == began + LONGEST_OVERLAP


def test_an_old_key_of_before_renewals_were_noted_is_extended_for_thirty_days_from_now(
    token: Token, clock: Clock
) -> None:
    renewed(token)
    token.keys.update(replaced_at=None)
    with pytest.raises(BadEnd, match="at most 30 days"):
        token.extend(by=None, until=clock.now + LONGEST_OVERLAP + TICK)
    token.extend(by=None, until=clock.now + LONGEST_OVERLAP)
    assert old_key(token).retires_at == clock.now + LONGEST_OVERLAP


def test_a_rehearsal_lasts_five_minutes_and_a_second_press_does_not_prolong_it(
    token: Token, clock: Clock
) -> None:
    renewed(token)
    token.rehearse(by=None)
    until = clock.now + timedelta(minutes=5)
    clock.move(minutes=1)
    token.rehearse(by=None)
    assert old_key(token).rehearsed_until == until
    clock.now = until
    token.rehearse(by=None)
    assert old_key(token).rehearsed_until == until + timedelta(minutes=5)


def test_a_new_key_may_set_an_end_that_policies_allow_and_no_later_one(
    token: Token, clock: Clock
) -> None:
    impose(token.account, most_days=30)
    too_late = clock.now + 32 * DAY
    with pytest.raises(ValidationError, match="A policy of the account"):
        token.rotate(by=None, expires_at=too_late)
    with pytest.raises(ValidationError, match="A policy of the account"):
        token.renew(by=None, until=clock.now + DAY, expires_at=too_late)
    assert token.keys.count() == 1
    fresh(token).rotate(by=None, expires_at=clock.now + 30 * DAY)
    token.refresh_from_db()
    assert token.expires_at == clock.now + 30 * DAY


@pytest.mark.parametrize("verb", ["rotate", "renew"])
def test_a_new_key_is_made_only_for_the_key_that_was_seen(token: Token, verb: str) -> None:
    words: dict[str, Any] = {"until": timezone.now() + DAY} if verb == "renew" else {}
    with pytest.raises(Replaced, match="Another new key"):
        getattr(token, verb)(by=None, version=2, **words)
    getattr(token, verb)(by=None, version=1, **words)
    assert token.key_version == 2


# --- What is told ---------------------------------------------------------------------------------


def test_the_trail_tells_when_the_old_key_ends_and_when_that_changes(token: Token) -> None:
    old, new = (text[-4:] for text in renewed(token))
    first = old_key(token).retires_at
    assert first
    iso = [moment.isoformat() for moment in (first, first + DAY)]
    assert [str(value) for value in told(token, Action.KEY_RENEWED)["old_key_ends_at"]] == [
        "None",
        iso[0],
    ]
    token.extend(by=None, until=first + DAY)
    assert told(token, Action.OLD_KEY_EXTENDED) == {"old_key_ends_at": iso}
    token.rehearse(by=None)
    until = old_key(token).rehearsed_until
    assert until
    assert told(token, Action.REHEARSAL_STARTED) == {"rehearsal_ends_at": [None, until.isoformat()]}
    token.end_rehearsal(by=None)
    assert told(token, Action.REHEARSAL_ENDED) == {"rehearsal_ends_at": [until.isoformat(), None]}
    token.retire(by=None)
    assert told(token, Action.OLD_KEY_RETIRED) == {"key": [f"ends in {old}", None]}
    third = token.renew(by=None, until=timezone.now() + DAY)
    assert told(token, Action.KEY_RENEWED)["key"] == [
        f"ends in {new}",
        f"ends in {third.last_four}",
    ]
    token.cancel_renewal(by=None)
    assert told(token, Action.RENEWAL_CANCELLED) == {
        "key": [f"ends in {third.last_four}", f"ends in {new}"]
    }


def test_a_key_whose_digits_are_not_known_is_told_as_such(token: Token) -> None:
    token.keys.update(last_four="")
    new = token.rotate(by=None)
    assert told(token, Action.KEY_ROTATED) == {
        "key": ["ending unknown", f"ends in {new.last_four}"]
    }


@pytest.mark.parametrize("copied", [False, True])
def test_each_of_two_keys_is_handed_out_by_its_number_and_that_is_recorded(
    token: Token, michael: Person, copied: bool
) -> None:
    old, new = renewed(token)
    action = Action.KEY_COPIED if copied else Action.KEY_VIEWED
    for version, key in ((None, new), (2, new), (1, old)):
        assert token.reveal(by=michael.user, copied=copied, version=version) == key
    assert token.events.filter(action=action, actor_id=michael.user.pk).count() == 3


@pytest.mark.parametrize("version", [1, 3])
def test_a_key_that_cannot_be_shown_is_recorded_as_that_and_nothing_else(
    token: Token, michael: Person, version: int
) -> None:
    renewed(token)
    token.keys.filter(version=1).update(sealed=None)
    with pytest.raises(vault.SealBroken):
        token.reveal(by=michael.user, copied=False, version=version)
    (event, *_earlier) = token.events
    assert (event.action, event.actor_id) == (Action.KEY_UNREADABLE, michael.user.pk)
    assert not token.events.filter(action=Action.KEY_VIEWED).exists()


def test_a_key_whose_pepper_is_gone_is_not_handed_out(
    token: Token, michael: Person, settings: Settings
) -> None:
    old, _new = renewed(token)
    token.keys.filter(version=2).update(pepper=9)
    assert token.reveal(by=michael.user, copied=False) == old
    assert page(michael.client, token).status_code == 200


def test_whoever_changes_a_copy_while_it_is_sealed_anew_wins(token: Token) -> None:
    key = token.keys.get()
    assert key.reseal()
    # The object still has the copy from before.
    assert not key.reseal()
    token.keys.update(sealed=None)
    assert not key.reseal()
    assert token.keys.get().sealed is None
    assert token.keys.get().reseal() is False

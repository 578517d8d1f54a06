"""What policies mean for a token: each rule to the moment."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Account
from activity.models import Event
from portal import text
from tests.conftest import Clock
from tests.factories import AccountFactory, TokenFactory
from tests.tokens.test_policies import DAY, NONE, add_rule, impose, plan
from tests.tokens.test_rotation import fresh, renewed
from tokens.models import NextPolicy, Policy, Token, TokenUsage, TooManyTokens
from tokens.models.policy import IdleNotice, is_stricter, loosest, strictly, usual_burst

TICK = timedelta(microseconds=1)


def made(token: Token, at: datetime, *, key_at: datetime | None = None) -> Token:
    """Make the token, and its keys, at a moment."""
    Token.objects.filter(pk=token.pk).update(created_at=at)
    token.keys.update(created_at=key_at or at)
    return fresh(token)


def used(token: Token, at: datetime | None) -> Token:
    TokenUsage.objects.filter(token=token).update(last_used_at=at)
    return fresh(token)


def put(token: Token, **columns: Any) -> Token:
    Token.objects.filter(pk=token.pk).update(**columns)
    return fresh(token)


# --- Which policies are in force ------------------------------------------------------------------


def test_next_policies_take_the_place_of_the_present_ones_at_their_moment(
    account: Account, clock: Clock
) -> None:
    begins = clock.now + DAY
    plan(account, begins, most_days=60)
    NextPolicy.objects.update(starts_at=begins)
    for now, most, ahead in ((begins - TICK, None, begins), (begins, 60, None)):
        clock.now = now
        account = Account.objects.get(pk=account.pk)
        assert Policy.of(account).most_days == most
        planned, starts_at = Policy.planned(account)
        assert (planned.most_days, starts_at) == (60, ahead)


def test_an_account_without_policies_has_none_that_are_saved(account: Account) -> None:
    policy = Policy.of(account)
    assert policy.is_empty
    assert Policy.planned(account)[1] is None
    assert Policy.stored(account).following is None
    assert Policy.stored(account).account_id == account.pk
    assert not Policy.objects.exists()


@pytest.mark.parametrize("name", [*NONE])
def test_an_account_has_policies_once_it_has_any_but_a_time_of_warning(name: str) -> None:
    values = {name: True if NONE[name] is False else 3}
    assert Policy(**values).is_empty is (name == "warn_days")


STRICTER = [
    ("most_days", 3, None, True),
    ("most_days", 3, 4, True),
    ("most_days", 3, 3, False),
    ("most_days", 4, 3, False),
    ("most_days", None, 3, False),
    ("most_days", None, None, False),
    ("show_once", True, False, True),
    ("show_once", True, True, False),
    ("show_once", False, True, False),
    ("show_once", False, False, False),
]


@pytest.mark.parametrize(("name", "one", "other", "stricter"), STRICTER)
def test_a_smaller_number_and_a_flag_are_stricter_and_the_looser_one_is_kept(
    name: str, one: Any, other: Any, stricter: bool
) -> None:
    assert is_stricter(name, one, other) is stricter
    ones, others = ({**NONE, name: value, "warn_days": 7} for value in (one, other))
    assert strictly(ones, others) is stricter
    assert loosest(ones, {**others, "warn_days": 8}) == {
        **NONE,
        name: other if stricter else one,
        "warn_days": 7,
    }


def test_details_take_nothing_away() -> None:
    details = {"proposed_days": 1, "warn_days": 1}
    assert not strictly({**NONE, **details}, NONE)


@pytest.mark.parametrize(("rate", "burst"), [(1, 1), (6, 1), (7, 2), (60, 10), (600, 100)])
def test_the_usual_burst_is_the_calls_of_ten_seconds(rate: int, burst: int) -> None:
    assert usual_burst(rate) == burst


@pytest.mark.parametrize("name", ["proposed_days", "warn_days"])
def test_a_detail_is_changed_at_once_to_a_smaller_number_too(
    account: Account, clock: Clock, name: str
) -> None:
    impose(account, idle_days=90, **{name: 9})
    for value in (7, 8):
        wanted = {**NONE, "idle_days": 90, name: value}
        assert Policy.change(account, wanted, starts_at=clock.now + DAY, by=None)
        assert getattr(Policy.objects.get(account=account), name) == value


def test_a_change_binds_the_policies_of_its_account_only(account: Account, clock: Clock) -> None:
    other = AccountFactory()
    impose(other, most_days=5, two_step=True)
    Account.objects.filter(pk=other.pk).update(requires_two_step=True)
    assert Policy.change(account, {**NONE, "warn_days": 9}, starts_at=clock.now, by=None)
    assert not Policy.objects.filter(account=account).exists()
    row = {**NONE, "most_days": 9, "two_step": True}
    assert Policy.change(account, row, starts_at=clock.now + DAY, by=None)
    Policy.put(account.pk, row)
    theirs = Policy.objects.get(account=other)
    assert (theirs.most_days, theirs.two_step) == (5, True)
    assert Account.objects.get(pk=account.pk).requires_two_step
    Policy.put(account.pk, NONE)
    assert not Account.objects.get(pk=account.pk).requires_two_step
    assert Account.objects.get(pk=other.pk).requires_two_step


def test_a_plan_is_told_with_the_day_on_which_it_begins_and_a_move_of_it_too(
    account: Account, clock: Clock
) -> None:
    wanted = {**NONE, "most_days": 60}
    first, second = clock.now + DAY, clock.now + 2 * DAY
    assert Policy.change(account, wanted, starts_at=first, by=None)
    assert Policy.change(account, wanted, starts_at=second, by=None)
    assert NextPolicy.objects.get().starts_at == second
    told = [event.changes for event in Event.objects.order_by("-number")[:2]]
    assert told == [
        {"starts_at": [first.isoformat(), second.isoformat()]},
        {"most_days": [None, 60], "starts_at": [None, first.isoformat()]},
    ]
    event = Event.objects.order_by("-number")[0]
    assert (event.subject_kind, event.subject_id) == ("policy", account.pk)


# --- The end of a key -----------------------------------------------------------------------------


def test_a_key_ends_days_after_it_was_made_by_the_newest_that_lives(
    token: Token, clock: Clock
) -> None:
    impose(token.account, most_days=30)
    began = clock.now
    token = made(token, began - 9 * DAY, key_at=began - 8 * DAY)
    assert (token.made_at, token.aged_at) == (began - 8 * DAY, began + 22 * DAY)
    renewed(token)
    token.keys.filter(version=2).update(created_at=began - 5 * DAY)
    assert fresh(token).made_at == began - 5 * DAY
    token.cancel_renewal(by=None)
    assert fresh(token).made_at == began - 8 * DAY
    token.keys.update(retires_at=began)
    assert fresh(token).made_at == began - 5 * DAY
    token.keys.all().delete()
    assert fresh(token).made_at == began - 9 * DAY


def test_a_key_ends_with_its_token_or_by_the_policy_whichever_is_first(
    token: Token, clock: Clock
) -> None:
    token = made(token, clock.now)
    key = token.keys.get()
    assert (token.key_end(key), token.policy_end, token.aged_at) == (None, None, None)
    token = put(token, expires_at=clock.now + 5 * DAY)
    assert (token.key_end(key), token.policy_end) == (clock.now + 5 * DAY, None)
    impose(token.account, most_days=5)
    assert fresh(token).policy_end is None
    impose(token.account, most_days=4)
    token = fresh(token)
    assert token.key_end(key) == token.policy_end == token.aged_at == clock.now + 4 * DAY
    token = put(token, expires_at=None)
    assert token.key_end(key) == token.policy_end == clock.now + 4 * DAY


def test_an_end_may_be_on_the_last_day_and_not_on_the_next(account: Account) -> None:
    policy = Policy(most_days=30)
    at = timezone.now().replace(hour=12, minute=0)
    policy.check_end(None, at)
    Policy().check_end(at + 999 * DAY, at)
    policy.check_end((at + 30 * DAY).replace(hour=23, minute=59), at)
    with pytest.raises(ValidationError, match="stops a key after 30 days") as refused:
        policy.check_end((at + 31 * DAY).replace(hour=0, minute=1), at)
    assert text.day(at + 30 * DAY) in str(refused.value)
    assert {*refused.value.message_dict} == {"expires_at"}


# --- Idle -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", ["made", "key", "status", "use"])
def test_a_token_is_idle_days_after_its_last_sign_of_life(
    token: Token, clock: Clock, sign: str
) -> None:
    impose(token.account, idle_days=30)
    long_ago, last = clock.now - 20 * DAY, clock.now - 10 * DAY
    token = made(
        token,
        last if sign == "made" else long_ago,
        key_at=last if sign == "key" else long_ago,
    )
    put(token, status_changed_at=last if sign == "status" else None)
    token = used(token, last if sign == "use" else None)
    assert token.idles_at == last + 30 * DAY
    clock.now = last + 30 * DAY - TICK
    assert not token.is_idle
    clock.move(microseconds=1)
    assert token.is_idle
    assert not put(token, status="inactive").is_idle


@pytest.mark.parametrize(
    ("present", "following", "idles"),
    [(None, None, None), (30, None, 30), (None, 5, 7), (30, 5, 7), (4, 3, 4), (None, 9, 9)],
)
def test_planned_policies_idle_a_token_from_their_day_on(
    token: Token, clock: Clock, present: int | None, following: int | None, idles: int | None
) -> None:
    impose(token.account, idle_days=present)
    if following:
        plan(token.account, clock.now + 7 * DAY, idle_days=following)
        Policy.objects.update(idle_days=present)
    token = made(token, clock.now)
    assert token.idles_at == (None if idles is None else clock.now + idles * DAY)


def test_a_warning_is_claimed_once_for_each_moment(token: Token, clock: Clock) -> None:
    other = TokenFactory(account=token.account)
    impose(token.account, idle_days=30)
    assert [IdleNotice.claim(fresh(token)) for _ in range(2)] == [True, False]
    assert IdleNotice.claim(fresh(other))
    kept = IdleNotice.objects.get(token=other).idles_at
    used(token, clock.now + DAY)
    assert [IdleNotice.claim(fresh(token)) for _ in range(2)] == [True, False]
    assert IdleNotice.objects.get(token=token).idles_at == clock.now + 31 * DAY
    assert IdleNotice.objects.get(token=other).idles_at == kept


# --- Rules, numbers and rates ---------------------------------------------------------------------


def test_a_token_lacks_the_rules_that_are_required_unless_the_account_or_it_has_some(
    token: Token, account: Account
) -> None:
    other = TokenFactory(account=account)

    def lacks() -> set[bool]:
        return {Token.objects.get(pk=token.pk).lacks_rules, fresh(token).lacks_rules}

    assert lacks() == {False}
    impose(account, rules_required=True)
    assert lacks() == {True}
    add_rule(account, "Its own", "203.0.113.0/26", other)
    assert lacks() == {True}
    mine = add_rule(account, "Mine", "203.0.113.0/26", token)
    assert lacks() == {False}
    mine.remove(by=None)
    add_rule(account, "All", "203.0.113.0/26")
    assert lacks() == {False}


@pytest.mark.parametrize(("live", "allowed"), [(0, True), (1, True), (2, False), (3, False)])
def test_one_more_token_is_made_while_there_are_fewer_than_the_policy_allows(
    live: int, allowed: bool
) -> None:
    Policy().check_count(live)
    if allowed:
        Policy(most_tokens=2).check_count(live)
    else:
        with pytest.raises(TooManyTokens, match=f"has {live} tokens, .* no more than 2"):
            Policy(most_tokens=2).check_count(live)


@pytest.mark.parametrize(
    ("own", "policy", "allowed"),
    [
        ((None, None), (None, None), None),
        ((9, 3), (None, None), (9, 3)),
        ((None, None), (7, 2), (7, 2)),
        ((9, 3), (7, 2), (9, 3)),
    ],
)
def test_the_rate_of_a_token_counts_before_that_of_the_policy(
    account: Account, own: Any, policy: Any, allowed: Any
) -> None:
    impose(account, rate=policy[0], burst=policy[1])
    token = Token(account=account, rate=own[0], burst=own[1])
    assert token.allowed_rate == allowed


@pytest.mark.parametrize(
    ("own", "wanted", "widens"),
    [
        ((None, None), (7, 2), False),
        ((9, 3), (9, 3), False),
        ((9, 3), (8, 3), False),
        ((9, 3), (10, 3), True),
        ((9, 3), (9, 4), True),
        ((9, 3), (8, 4), True),
        ((9, 3), (None, None), True),
    ],
)
def test_a_rate_widens_if_any_of_its_numbers_grows(
    account: Account, own: Any, wanted: Any, widens: bool
) -> None:
    token = Token(account=account, rate=own[0], burst=own[1])
    assert token.widens_rate(*wanted) is widens


def test_without_its_own_rate_that_of_the_policy_counts(account: Account) -> None:
    impose(account, rate=9, burst=3)
    assert not Token(account=account, rate=9, burst=3).widens_rate(None, None)
    assert Token(account=account, rate=8, burst=3).widens_rate(None, None)
    assert not Token(account=account, rate=10, burst=3).widens_rate(None, None)


def test_policies_are_called_as_their_account(account: Account) -> None:
    assert str(plan(account, timezone.now(), most_days=5)) == str(account)

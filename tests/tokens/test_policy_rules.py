"""What policies mean for a token, and what a change of them stops: each rule to the moment."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Account
from activity.models import Event
from portal import moments, text
from tests.conftest import Clock
from tests.factories import AccountFactory, TokenFactory
from tests.tokens.test_policies import DAY, NONE, add_rule, impose, plan
from tests.tokens.test_rotation import fresh, renewed
from tokens.models import NextPolicy, Policy, Token, TokenKey, TokenUsage, TooManyTokens
from tokens.models.policy import IdleNotice, is_stricter, loosest, strictly, usual_burst
from tokens.stops import AHEAD, LOOKED_AT, NAMED, Foresight

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


# --- What a change stops --------------------------------------------------------------------------


def foresee(account: Account, starts_at: datetime, **values: Any) -> Foresight:
    account = Account.objects.get(pk=account.pk)
    return Foresight(account, {**NONE, **values}, starts_at)


def test_a_stricter_policy_stops_a_token_from_its_day_on_for_thirty_days_ahead(
    token: Token, account: Account, clock: Clock
) -> None:
    begins = clock.now + 7 * DAY
    token = made(token, clock.now)
    for days, at in ((1, begins), (7, begins), (8, begins + DAY), (37, begins + AHEAD), (38, None)):
        seen = foresee(account, begins, most_days=days)
        assert seen.until == begins + AHEAD
        assert [stop.at for stop in seen.stops] == [at] * (at is not None)
        assert seen.first_day == (at == begins)
        assert seen.afterwards == (at not in {None, begins})


def test_a_looser_policy_stops_nothing_new_and_applies_at_once(
    token: Token, account: Account, clock: Clock
) -> None:
    impose(account, most_days=10)
    made(token, clock.now - 9 * DAY)
    seen = foresee(account, clock.now + 7 * DAY, most_days=40)
    assert (seen.starts_at, seen.until, seen.stops) == (None, clock.now + AHEAD, [])
    assert seen.summary == f"1 of 1 token is not affected before {text.day(seen.until)}." or (
        seen.summary == f"No token stops before {text.day(seen.until)}."
    )
    seen = foresee(account, clock.now + 7 * DAY, most_days=39)
    assert [stop.at for stop in seen.stops] == [clock.now + AHEAD]


def test_what_has_stopped_already_or_ends_by_itself_is_not_stopped_by_a_change(
    token: Token, account: Account, clock: Clock
) -> None:
    begins = clock.now + 7 * DAY
    impose(account, most_days=10)
    made(token, clock.now - 10 * DAY)
    assert foresee(account, begins, most_days=5).stops == []
    made(token, clock.now - 10 * DAY + TICK)
    (stop,) = foresee(account, begins, most_days=5).stops
    # The present policy goes on until then.
    assert stop.at == clock.now + TICK
    Policy.objects.all().delete()
    made(token, clock.now)
    for ends, stops in ((begins, 0), (begins + TICK, 1), (begins - TICK, 0)):
        put(token, expires_at=ends)
        assert len(foresee(account, begins, most_days=5).stops) == stops
    put(token, expires_at=None, status="inactive")
    seen = foresee(account, begins, most_days=5)
    assert (seen.lives, seen.stops) == ([], [])


def test_each_reason_for_which_a_token_stops_is_named(
    token: Token, account: Account, clock: Clock
) -> None:
    begins = clock.now + 7 * DAY
    token = used(made(token, clock.now - 40 * DAY), clock.now - 35 * DAY)
    made_on, used_on = text.day(clock.now - 40 * DAY), text.day(clock.now - 35 * DAY)
    aged = f"key made {made_on}: 40 days old"
    idle = f"no call since {used_on}"
    for values, reasons in (
        ({"most_days": 30}, aged),
        ({"idle_days": 30}, idle),
        ({"rules_required": True}, "no IP rules"),
        (
            {"most_days": 30, "idle_days": 30, "rules_required": True},
            f"{idle}; {aged}; no IP rules",
        ),
        # Idle only later than old, and old only later than idle.
        ({"most_days": 47, "idle_days": 43}, aged),
        ({"most_days": 48, "idle_days": 42}, idle),
        ({"most_days": 47, "idle_days": 42}, f"{idle}; {aged}"),
    ):
        (stop,) = foresee(account, begins, **values).stops
        assert (stop.at, stop.reasons) == (begins, reasons)
    used(token, None)
    (stop,) = foresee(account, begins, idle_days=30).stops
    assert (stop.reasons, stop.used) == ("never called", "")
    add_rule(account, "Mine", "203.0.113.0/26", token)
    assert foresee(account, begins, rules_required=True).stops == []


@pytest.mark.parametrize("sign", ["made", "key", "retired key", "status", "use"])
def test_every_sign_of_life_counts_for_what_will_be_idle(
    token: Token, account: Account, clock: Clock, sign: str
) -> None:
    long_ago, last = clock.now - 20 * DAY, clock.now - DAY
    made(token, last if sign == "made" else long_ago, key_at=long_ago)
    if sign == "retired key":
        renewed(token)
        token.cancel_renewal(by=None)
    token.keys.filter(version=2 if sign == "retired key" else 1).update(
        created_at=last if "key" in sign else long_ago
    )
    put(token, status_changed_at=last if sign == "status" else None)
    used(token, last if sign == "use" else None)
    (stop,) = foresee(account, clock.now, idle_days=30).stops
    assert stop.at == last + 30 * DAY


def test_the_newest_key_that_lives_decides_when_a_token_stops_for_its_age(
    token: Token, account: Account, clock: Clock
) -> None:
    made(token, clock.now - 20 * DAY)
    renewed(token)
    token.keys.filter(version=2).update(created_at=clock.now - 10 * DAY)
    assert [life.made for life in foresee(account, clock.now).lives] == [clock.now - 10 * DAY]
    # A retired key counts no more.
    TokenKey.objects.filter(version=2).update(retires_at=clock.now)
    assert [life.made for life in foresee(account, clock.now).lives] == [clock.now - 20 * DAY]
    TokenKey.objects.update(retires_at=clock.now)
    put(token, created_at=clock.now - 30 * DAY)
    assert [life.made for life in foresee(account, clock.now).lives] == [clock.now - 30 * DAY]


def test_the_first_to_stop_come_first_then_those_in_use_then_by_name(
    account: Account, clock: Clock
) -> None:
    begins = clock.now + 7 * DAY
    other = TokenFactory(account=AccountFactory(), name="Elsewhere")
    made(other, clock.now - 90 * DAY)
    for name, days, use in (
        ("D", 10, None),
        ("C", 40, None),
        ("B", 40, None),
        ("Z", 40, clock.now - DAY),
        ("A", 0, None),
    ):
        used(made(TokenFactory(account=account, name=name), clock.now - days * DAY), use)
    seen = foresee(account, begins, most_days=30)
    assert [stop.name for stop in seen.stops] == ["Z", "B", "C", "D", "A"]
    assert [stop.name for stop in seen.in_use] == ["Z"]
    assert (seen.first_day, seen.afterwards, seen.more) == (3, 2, 0)
    assert seen.stops[0].used == f"Last used: {text.ago(clock.now - DAY)}."
    assert seen.warning == "1 of the 5 is in use."
    assert seen.advice == (f"Give new keys to {text.isolate('Z')} before {text.day(begins)}.")
    assert seen.summary == f"0 of 5 tokens are not affected before {text.day(seen.until)}."
    assert foresee(account, begins, most_days=99).warning == ""


def test_the_first_ten_that_stop_are_named_and_the_rest_are_counted(
    account: Account, clock: Clock
) -> None:
    for number in range(NAMED + 2):
        made(TokenFactory(account=account, name=f"Token {number:02}"), clock.now - 90 * DAY)
    seen = foresee(account, clock.now + DAY, most_days=30)
    assert [stop.name for stop in seen.named] == [f"Token {number:02}" for number in range(10)]
    assert (seen.more, LOOKED_AT) == (2, 10_000)


def test_the_advice_names_three_tokens_in_use(account: Account, clock: Clock) -> None:
    for name in "ABCDE":
        used(made(TokenFactory(account=account, name=name), clock.now - 90 * DAY), clock.now)
    seen = foresee(account, clock.now + DAY, most_days=30)
    names = text.join_some([text.isolate(name) for name in "ABCDE"], 3)
    assert seen.advice == f"Give new keys to {names} before {text.day(clock.now + DAY)}."
    assert "2" in names
    assert seen.warning == "5 of the 5 are in use."


def test_policies_are_called_as_their_account(account: Account) -> None:
    assert str(plan(account, timezone.now(), most_days=5)) == str(account)


def test_a_token_without_rules_has_stopped_long_ago(account: Account) -> None:
    life = foresee_life(account)
    assert life.ends(Policy(rules_required=True)) == (None, None, moments.FIRST)
    assert life._replace(has_rules=True).ends(Policy(rules_required=True))[2] is None
    assert life.ends(Policy()) == (None, None, None)


def foresee_life(account: Account) -> Any:
    TokenFactory(account=account)
    (life,) = foresee(account, timezone.now()).lives
    return life

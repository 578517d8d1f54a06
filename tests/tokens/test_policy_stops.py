"""What a change of policies stops, and when: each rule to the moment."""

from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from portal import moments, text
from tests.conftest import Clock
from tests.factories import AccountFactory, TokenFactory
from tests.tokens.test_policies import DAY, NONE, add_rule, impose
from tests.tokens.test_policy_rules import TICK, made, put, used
from tests.tokens.test_rotation import renewed
from tokens.models import Policy, Token, TokenKey
from tokens.stops import AHEAD, LOOKED_AT, NAMED, Foresight


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


def test_a_token_without_rules_has_stopped_long_ago(account: Account) -> None:
    life = foresee_life(account)
    assert life.ends(Policy(rules_required=True)) == (None, None, moments.FIRST)
    assert life._replace(has_rules=True).ends(Policy(rules_required=True))[2] is None
    assert life.ends(Policy()) == (None, None, None)


def foresee_life(account: Account) -> Any:
    TokenFactory(account=account)
    (life,) = foresee(account, timezone.now()).lives
    return life


def test_whoever_has_a_handle_reads_of_a_handle(account: Account, zap: Token, clock: Clock) -> None:
    begins = clock.now + DAY
    used(made(zap, clock.now - 90 * DAY), clock.now)
    seen = foresee(account, begins, most_days=30)
    day = text.day(clock.now - 90 * DAY)
    assert [stop.reasons for stop in seen.stops] == [f"handle made {day}: 90 days old"]
    assert seen.advice == f"Give new handles to {text.isolate(zap.name)} before {text.day(begins)}."
    key = used(made(TokenFactory(account=account, name="A"), clock.now - 90 * DAY), clock.now)
    seen = foresee(account, begins, most_days=30)
    assert seen.stops[0].reasons == f"key made {day}: 90 days old"
    names = text.join_some([text.isolate(each.name) for each in (key, zap)], 3)
    assert seen.advice == f"Give new keys and handles to {names} before {text.day(begins)}."

"""When deliveries are tried again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from webhooks import schedule

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_ten_tries_are_spread_over_three_days() -> None:
    steps = [int(step.total_seconds()) for step in schedule.STEPS]
    assert steps == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert schedule.TRIES == 10
    assert sum(steps) / 3600 == 75.58472222222223


@given(st.integers(1, 9))
def test_a_try_is_never_early_and_little_late(failures: int) -> None:
    due = schedule.next_try(failures, NOW)
    assert due
    step = schedule.STEPS[failures - 1]
    late = due - NOW - step
    assert timedelta(0) <= late <= max(timedelta(seconds=2), min(step / 10, timedelta(minutes=15)))


def test_tries_that_failed_together_are_spread() -> None:
    assert len({schedule.next_try(2, NOW) for _ in range(100)}) > 90


def test_after_the_last_one_there_is_none() -> None:
    assert schedule.next_try(10, NOW) is None
    assert schedule.next_try(11, NOW, NOW + timedelta(hours=1)) is None


def test_an_endpoint_can_ask_for_later_but_not_for_earlier() -> None:
    later = NOW + timedelta(hours=20)
    assert schedule.next_try(1, NOW, later) == later
    due = schedule.next_try(3, NOW, NOW + timedelta(seconds=1))
    assert due
    assert due >= NOW + timedelta(minutes=30)


def test_an_endpoint_is_left_alone_longer_each_time_but_never_over_five_minutes() -> None:
    holds = [schedule.hold(times).total_seconds() for times in range(1, 12)]
    assert holds == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300]

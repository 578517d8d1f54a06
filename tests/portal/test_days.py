"""A day holds all its moments in any time zone, also where clocks change."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

import pytest

from accounts.models import User
from portal import moments
from tests.conftest import Person
from tests.factories import TokenFactory
from tests.portal.test_moments import LIST, NEW
from tokens.models import Token, TokenDraft


def changes(zone: tzinfo) -> Iterator[datetime]:
    """Yield each clock change of a zone from 1970 to 2099, as the first moment after it."""
    step = timedelta(days=6)
    at, until = datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)
    before = at.astimezone(zone).utcoffset()
    while at < until:
        after = (at + step).astimezone(zone).utcoffset()
        if after != before:
            low, high = at, at + step
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                low, high = (
                    (middle, high)
                    if middle.astimezone(zone).utcoffset() == before
                    else (low, middle)
                )
            yield high.replace(microsecond=0)
        at, before = at + step, after


# Zones that share their rules with these would only cost time.
CHANGING = sorted(
    name
    for name in zoneinfo.available_timezones()
    if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/", "Canada/"))
)


@pytest.mark.parametrize("part", range(8))
def test_a_day_holds_each_of_its_moments_where_clocks_change(part: int) -> None:
    """Checked around each change: the moment and both ends of its bounds are in the same day."""
    wrong = []
    for name in CHANGING[part::8]:
        zone = moments.zone(name)
        for change in changes(zone):
            for moment in (
                change - timedelta(seconds=1),
                change,
                change - timedelta(hours=12),
                change + timedelta(hours=1),
            ):
                day = moment.astimezone(zone).date()
                start, end = moments.day_bounds(day, zone)
                shown = [at.astimezone(zone).date() for at in (start, end - timedelta(seconds=1))]
                before = (start - timedelta(seconds=1)).astimezone(zone).date()
                after = end.astimezone(zone).date()
                if not (
                    start <= moment < end and shown == [day, day] and before != day and after != day
                ):
                    wrong.append((name, change, moment, day))
    assert not wrong[:5]


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        ("UTC", "2026-11-25", "2026-11-25T00:00", "2026-11-26T00:00"),
        # Set back at midnight: the last hour comes twice.
        ("Africa/Cairo", "2026-10-29", "2026-10-28T21:00", "2026-10-29T22:00"),
        ("Asia/Beirut", "2026-10-24", "2026-10-23T21:00", "2026-10-24T22:00"),
        ("America/Santiago", "2026-04-04", "2026-04-04T03:00", "2026-04-05T04:00"),
        # Set forward at midnight: the day begins at one.
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00", "2026-04-24T21:00"),
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00", "2026-03-29T21:00"),
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00", "2026-09-07T03:00"),
        ("America/Asuncion", "2024-10-06", "2024-10-06T04:00", "2024-10-07T03:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", "2018-11-05T02:00"),
        # Midnight comes twice, both times on the same day.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00"),
        # Set back an hour at one minute past midnight: part of the day before comes again.
        ("America/St_Johns", "2006-10-28", "2006-10-28T02:30", "2006-10-29T03:30"),
        ("America/St_Johns", "2006-10-29", "2006-10-29T02:30", "2006-10-30T03:30"),
        # A day that the zone skipped.
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", "2011-12-30T10:00"),
    ],
)
def test_the_bounds_of_a_day(zone: str, day: str, start: str, end: str) -> None:
    found = moments.day_bounds(date.fromisoformat(day), zoneinfo.ZoneInfo(zone))
    assert [f"{at:%Y-%m-%dT%H:%M}" for at in found] == [start, end]


@pytest.mark.parametrize(
    ("zone", "day", "inside", "outside"),
    [
        (
            "Africa/Cairo",
            "2026-10-29",
            ["2026-10-29T20:30Z", "2026-10-29T21:30Z", "2026-10-28T21:00Z"],
            ["2026-10-29T22:00Z", "2026-10-28T20:59Z"],
        ),
        (
            "Africa/Cairo",
            "2026-04-24",
            ["2026-04-23T22:00Z", "2026-04-24T20:59Z"],
            ["2026-04-23T21:59Z", "2026-04-24T21:00Z"],
        ),
        ("America/Santiago", "2026-04-04", ["2026-04-05T03:30Z"], ["2026-04-05T04:00Z"]),
    ],
)
def test_the_filter_finds_the_whole_day(
    michael: Person, zone: str, day: str, inside: list[str], outside: list[str]
) -> None:
    User.objects.filter(pk=michael.user.pk).update(time_zone=zone)
    for moment in (*inside, *outside):
        token = TokenFactory(account=michael.account, name=f"Of {moment}")
        Token.objects.filter(pk=token.pk).update(created_at=moment)
    found = michael.client.get(f"{LIST}?created_from={day}&created_to={day}").text
    assert [moment for moment in (*inside, *outside) if f"Of {moment}" in found] == inside


def test_a_token_ends_with_the_last_second_of_the_day_where_that_comes_twice(
    michael: Person,
) -> None:
    User.objects.filter(pk=michael.user.pk).update(time_zone="Africa/Cairo")
    michael.client.post(NEW, {"name": "Long evening", "expires_on": "2027-10-28"})
    assert TokenDraft.objects.get().expires_at == datetime(2027, 10, 28, 21, 59, 59, tzinfo=UTC)

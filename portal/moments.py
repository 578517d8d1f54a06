"""Moments, days and time zones: what may be stored, and arithmetic that never overflows."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

# The range of moments that may be stored. Databases and time zones have different limits beyond it.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2099, 12, 31)
FIRST = datetime.combine(FIRST_DAY, time.min, UTC)
LAST = datetime.combine(LAST_DAY, time.max, UTC)
# How far the clock of another process may be ahead of ours.
SKEW = timedelta(minutes=1)


def check(value: datetime) -> None:
    """Raise ValidationError unless the moment may be stored. One without a zone is taken as UTC."""
    moment = value if timezone.is_aware(value) else value.replace(tzinfo=UTC)
    if not FIRST <= moment <= LAST:
        raise ValidationError(_("Must be in the years 1970 to 2099."), code="moment")


def within(value: datetime | None, span: timedelta) -> bool:
    """Tell whether the moment lies within the last `span`.

    One ahead of the clock by more than SKEW does not, or it could stay recent forever.
    """
    return value is not None and -SKEW <= timezone.now() - value < span


def later(value: datetime, span: timedelta) -> datetime:
    """Return the moment some time after another, at most the last one of the calendar."""
    try:
        return value + span
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


class Zone(zoneinfo.ZoneInfo):
    """A time zone that never overflows: the first and last hours of the calendar stay in UTC."""

    def fromutc(self, dt: datetime) -> datetime:
        try:
            return super().fromutc(dt)
        except OverflowError:
            return dt


def zone(name: Any) -> tzinfo:
    """Return the time zone of a stored name; UTC for one that is no longer known."""
    try:
        return Zone(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        return UTC


def local(value: datetime, where: tzinfo | None = None) -> datetime:
    """Return the moment in a zone, by default the person's; unchanged if that would overflow."""
    try:
        return timezone.localtime(value, where)
    except OverflowError:
        return value


def day_bounds(day: date, where: tzinfo | None = None) -> tuple[datetime, datetime]:
    """Return the first moment of a day and the first one after it, in UTC.

    The day is one of the zone, by default the person's. Midnight may not exist, or occur twice,
    where clocks change at midnight. At the ends of the calendar, the bounds are clamped.
    """
    where = where or timezone.get_current_timezone()
    return midnight(day, where), day_end(day, where)


def midnight(day: date, where: tzinfo, fold: int = 0) -> datetime:
    """Return when a day begins in a zone: the first midnight or, with `fold=1`, the second one."""
    try:
        return datetime.combine(day, time(fold=fold), where).astimezone(UTC)
    except OverflowError:
        return (
            datetime.min.replace(tzinfo=UTC) if day.year == 1 else datetime.max.replace(tzinfo=UTC)
        )


def day_end(day: date, where: tzinfo) -> datetime:
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    tomorrow = day + timedelta(days=1)
    first, second = midnight(tomorrow, where), midnight(tomorrow, where, fold=1)
    # If clocks are set back across midnight, the old day returns and ends the second time.
    returns = second > first and (second - timedelta.resolution).astimezone(where).date() == day
    return second if returns else first

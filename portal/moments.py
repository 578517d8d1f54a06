"""Moments, days and time zones: what may be stored, and arithmetic that no stored value breaks."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

# The years that moments may lie in. Beyond them databases and time zones end at different places.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2099, 12, 31)
FIRST = datetime.combine(FIRST_DAY, time.min, UTC)
LAST = datetime.combine(LAST_DAY, time.max, UTC)
# How far ahead of ours the clock of another process may be.
SKEW = timedelta(minutes=1)


def check(value: datetime) -> None:
    """Raise ValidationError unless the moment may be stored. Without a zone, UTC is meant."""
    moment = value if timezone.is_aware(value) else value.replace(tzinfo=UTC)
    if not FIRST <= moment <= LAST:
        raise ValidationError(_("Must be in the years 1970 to 2099."), code="moment")


def within(value: datetime | None, span: timedelta) -> bool:
    """Whether the moment lies in the last `span`. One ahead of the clock does not: nothing may stay recent for ever."""
    return value is not None and -SKEW <= timezone.now() - value < span


class Zone(zoneinfo.ZoneInfo):
    """A time zone that never leads out of the calendar: its last hours, and its first, stay in UTC."""

    def fromutc(self, dt: datetime) -> datetime:
        try:
            return super().fromutc(dt)
        except OverflowError:
            return dt


def zone(name: Any) -> tzinfo:
    """The time zone of a stored name; UTC for one that is no longer known."""
    try:
        return Zone(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        return UTC


def local(value: datetime, where: tzinfo | None = None) -> datetime:
    """The moment in a zone, by default the person's. At the ends of the calendar it stays as it is."""
    try:
        return timezone.localtime(value, where)
    except OverflowError:
        return value


def day_bounds(day: date, where: tzinfo | None = None) -> tuple[datetime, datetime]:
    """The first moment of a day in a zone, by default the person's, and the first one after it, in UTC.

    Midnight may not exist, or come twice, where clocks change at it. The ends of the calendar stand for themselves.
    """
    where = where or timezone.get_current_timezone()
    return midnight(day, where), day_end(day, where)


def midnight(day: date, where: tzinfo, fold: int = 0) -> datetime:
    """When the clocks of a zone show the beginning of a day, the first time or (`fold=1`) the second."""
    try:
        return datetime.combine(day, time(fold=fold), where).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if day.year == 1 else datetime.max.replace(tzinfo=UTC)


def day_end(day: date, where: tzinfo) -> datetime:
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    tomorrow = day + timedelta(days=1)
    first, second = midnight(tomorrow, where), midnight(tomorrow, where, fold=1)
    # Clocks set back across midnight show the old day once more, and it ends with that.
    returns = second > first and (second - timedelta.resolution).astimezone(where).date() == day
    return second if returns else first

"""Helpers that make the records of the demo the same in every run, and add the missing ones."""

import random
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db.models import Model

from accounts.models import User
from demo.companies import People

Row = TypeVar("Row", bound=Model)


def add(rows: Iterable[Row]) -> list[Row]:
    """Add the rows that are missing; return all of them as given."""
    rows = list(rows)
    if rows:
        type(rows[0])._default_manager.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    return rows


def stored(rows: Sequence[Row]) -> list[Row]:
    """Return the rows as they are stored, in the same order."""
    if not rows:
        return []
    found = type(rows[0])._default_manager.in_bulk([row.pk for row in rows])
    return [found[row.pk] for row in rows if row.pk in found]


def keep(rows: Iterable[Row]) -> list[Row]:
    """Add the rows that are missing; return all of them as they are stored."""
    return stored(add(rows))


def seeded(of: str) -> random.Random:
    return random.Random(of)  # noqa: S311 (sample data, the same every time)


def sample_id(draw: random.Random, prefix: str, *groups: int) -> str:
    return "-".join((prefix, *(f"{draw.randrange(10**digits):0{digits}}" for digits in groups)))


def sample_uid(draw: random.Random) -> str:
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def day(year: int, month: int, date: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(year, month, date, hour, minute, tzinfo=UTC)


def spread(number: int, first: datetime, step: timedelta) -> datetime:
    return first + number * step


def somebody(draw: random.Random, people: People, account: str) -> User | None:
    """Return one of the people of a company, or None if it has none."""
    return draw.choice(people[account]) if people.get(account) else None

"""Who calls with which key: counted in memory, and written at most once a minute.

A program (an address and a User-Agent) is written at its first call, so that pages show it at once,
and then once a minute with all calls since. A process that ends loses what it has not written.
"""

import time
from collections import OrderedDict
from enum import Enum
from threading import Lock
from typing import NamedTuple

from django.utils import timezone

from tokens.models import KeyUse

# Programs of a key that are told apart; the calls of all others are counted together.
MOST = 20
# Seconds between two writes of the same program by a process.
EVERY = 60
# Keys that a process remembers; beyond that it forgets those that were called longest ago.
KEYS = 10_000
# Keys that are no longer called, whose last calls are written along with those of another key.
IDLE = 2


class Outcome(Enum):
    """What became of a call; the value is the column that counts it."""

    ANSWERED = "calls"
    REHEARSED = "rehearsed"
    REFUSED = "refused"


class Program(NamedTuple):
    """Where calls come from, as far as the portal can tell."""

    address: str
    agent: str


# The calls of all programs beyond MOST.
OTHERS = Program("", "")


class Tally:
    """The calls of a program with a key that are not written yet."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.modules: set[str] = set()
        self.last_at = timezone.now()
        # When its calls were last written, in seconds of the monotonic clock; None for never.
        self.written: float | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether it was written within the last minute."""
        return self.written is not None and time.monotonic() - self.written < EVERY

    @property
    def is_due(self) -> bool:
        return bool(self.counts) and not self.is_fresh

    def count(self, outcome: Outcome, module: str | None) -> None:
        self.counts[outcome.value] = self.counts.get(outcome.value, 0) + 1
        if module:
            self.modules.add(module)
        self.last_at = timezone.now()

    def add(self, counts: dict[str, int], modules: set[str]) -> None:
        for column, calls in counts.items():
            self.counts[column] = self.counts.get(column, 0) + calls
        self.modules |= modules


class Calls:
    """The programs that call with a key, and when one did last."""

    def __init__(self) -> None:
        self.programs: dict[Program, Tally] = {}
        self.last = time.monotonic()

    def tally(self, program: Program) -> Tally:
        """Return the tally of a program, or that of all others."""
        known = self.programs.get(program)
        if known:
            return known
        if len(self.programs) >= MOST:
            self.forget_idle()
        if len(self.programs) >= MOST:
            program = OTHERS
        return self.programs.setdefault(program, Tally())

    def forget_idle(self) -> None:
        """Make room for other programs."""
        for program, tally in [*self.programs.items()]:
            if not tally.counts and not tally.is_fresh:
                del self.programs[program]


# What was taken to be written, by key.
Taken = dict[int, dict[Program, Tally]]

lock = Lock()
# The key that was called last is at the end.
calls: OrderedDict[int, Calls] = OrderedDict()


def count(key_id: int, program: Program, module: str | None, outcome: Outcome) -> bool:
    """Count a call. Tell whether it is time to write the calls of its program."""
    with lock:
        mine = calls.get(key_id)
        if mine is None:
            mine = calls[key_id] = Calls()
            if len(calls) > KEYS:
                calls.popitem(last=False)
        mine.last = time.monotonic()
        calls.move_to_end(key_id)
        tally = mine.tally(program)
        tally.count(outcome, module)
        return tally.is_due


def take(key_id: int) -> Taken:
    """Return what is due of a key, and what keys that are no longer called have left to write."""
    taken: Taken = {}
    with lock:
        programs = calls[key_id].programs if key_id in calls else {}
        taken[key_id] = {program: tally for program, tally in programs.items() if tally.is_due}
        for program in taken[key_id]:
            programs[program] = Tally()
            programs[program].written = time.monotonic()
        for _ in range(IDLE):
            first = next(iter(calls), key_id)
            if first == key_id or time.monotonic() - calls[first].last < EVERY:
                break
            left = calls.pop(first).programs
            taken[first] = {program: tally for program, tally in left.items() if tally.counts}
    return taken


def put_back(taken: Taken) -> None:
    """Count what could not be written again, so that it is written with the next call."""
    with lock:
        for key_id, programs in taken.items():
            mine = calls.setdefault(key_id, Calls())
            for program, tally in programs.items():
                tally.written = None
                if newer := mine.programs.get(program):
                    tally.add(newer.counts, newer.modules)
                mine.programs[program] = tally


def write(taken: Taken) -> None:
    """Add the calls to the rows of their keys. Call it in a transaction."""
    for key_id, programs in taken.items():
        if programs:
            write_key(key_id, programs)


def write_key(key_id: int, programs: dict[Program, Tally]) -> None:
    # PostgreSQL skips rows that another process is writing; adding them again then fails.
    rows = KeyUse.objects.select_for_update(skip_locked=True).filter(key=key_id)
    known = {Program(row.address, row.agent): row for row in rows}
    for program, tally in programs.items():
        row = known.get(program)
        if row is None:
            if len(known) >= MOST and program != OTHERS:
                oldest = min(known, key=lambda each: known[each].last_at)
                known.pop(oldest).delete()
            row = KeyUse(key_id=key_id, first_at=tally.last_at, **program._asdict())
            known[program] = row
        for column, number in tally.counts.items():
            setattr(row, column, getattr(row, column) + number)
        row.modules = sorted({*row.modules, *tally.modules})
        row.last_at = tally.last_at
        row.save()

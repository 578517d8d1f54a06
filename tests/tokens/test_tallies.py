"""The calls that a process has counted and not written yet."""

import time

import pytest
from django.db import transaction

from tests.conftest import Clock
from tests.factories import TokenFactory
from tests.tokens.test_key_uses import write_all
from tokens import uses
from tokens.models import KeyUse, Token
from tokens.uses import EVERY, MOST, OTHERS, Outcome, Program

ERP, CURL = Program("192.0.2.1", "erp/1"), Program("192.0.2.1", "curl/8")


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Stop the monotonic clock; its only member is the time."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def count(key: int, program: Program = ERP, module: str | None = None) -> bool:
    return uses.count(key, program, module, Outcome.ANSWERED)


def write(taken: uses.Taken) -> None:
    with transaction.atomic():
        uses.write(taken)


def counts(taken: uses.Taken) -> dict[int, dict[Program, dict[str, int]]]:
    return {
        key: {program: tally.counts for program, tally in programs.items()}
        for key, programs in taken.items()
    }


def test_a_program_is_due_at_once_and_then_every_minute(steady: list[float]) -> None:
    assert count(1)
    assert counts(uses.take(1)) == {1: {ERP: {"calls": 1}}}
    steady[0] += EVERY - 0.001
    assert not count(1)
    assert uses.take(1) == {1: {}}
    steady[0] += 0.001
    assert count(1)
    assert counts(uses.take(1)) == {1: {ERP: {"calls": 2}}}
    steady[0] += EVERY
    # Without a call there is nothing to write.
    assert uses.take(1) == {1: {}}


def test_each_outcome_and_module_is_counted(steady: list[float]) -> None:
    for outcome, module in (
        (Outcome.ANSWERED, "MD-1"),
        (Outcome.REFUSED, None),
        (Outcome.REFUSED, "MD-2"),
        (Outcome.REHEARSED, "MD-1"),
    ):
        uses.count(1, ERP, module, outcome)
    tally = uses.take(1)[1][ERP]
    assert tally.counts == {"calls": 1, "refused": 2, "rehearsed": 1}
    assert tally.modules == {"MD-1", "MD-2"}


def test_a_key_that_nobody_called_has_nothing_to_write(steady: list[float]) -> None:
    assert uses.take(1) == {1: {}}
    assert not uses.calls


def test_what_two_idle_keys_have_left_is_written_along(steady: list[float]) -> None:
    for key in (1, 2, 3):
        count(key)
        count(key, CURL)
        uses.take(key)
        count(key)
    steady[0] += EVERY - 0.001
    count(4)
    assert {*uses.take(4)} == {4}
    steady[0] += 0.001
    left = {ERP: {"calls": 1}}
    assert counts(uses.take(4)) == {4: {}, 1: left, 2: left}
    assert [*uses.calls] == [3, 4]
    assert counts(uses.take(4)) == {4: {}, 3: left}
    assert counts(uses.take(4)) == {4: {}}


def test_a_key_that_is_called_again_is_not_idle(steady: list[float]) -> None:
    count(1)
    count(2)
    steady[0] += EVERY
    count(1)
    assert [*uses.calls] == [2, 1]
    assert {*uses.take(1)} == {1, 2}
    steady[0] += EVERY
    assert {*uses.take(1)} == {1}
    assert [*uses.calls] == [1]


def test_what_could_not_be_written_is_counted_again_with_what_came_since(
    steady: list[float], clock: Clock
) -> None:
    uses.count(1, ERP, "MD-1", Outcome.ANSWERED)
    uses.count(1, CURL, None, Outcome.ANSWERED)
    taken = uses.take(1)
    uses.count(1, ERP, "MD-2", Outcome.ANSWERED)
    uses.count(1, ERP, None, Outcome.REFUSED)
    uses.put_back(taken)
    assert count(1, CURL)
    again = uses.take(1)
    assert counts(again) == {1: {ERP: {"calls": 2, "refused": 1}, CURL: {"calls": 2}}}
    assert again[1][ERP].modules == {"MD-1", "MD-2"}
    uses.calls.clear()
    uses.put_back(again)
    assert counts(uses.take(1)) == counts(again)


def test_so_many_keys_are_remembered_and_the_one_called_longest_ago_is_forgotten(
    steady: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert uses.KEYS == 10_000
    monkeypatch.setattr(uses, "KEYS", 2)
    count(1)
    count(2)
    assert [*uses.calls] == [1, 2]
    count(1)
    count(3)
    assert [*uses.calls] == [1, 3]


def test_twenty_programs_are_told_apart_and_those_that_rest_make_room(
    steady: list[float],
) -> None:
    programs = [Program("192.0.2.1", f"erp/{number}") for number in range(MOST + 2)]
    for program in programs:
        count(1, program)
    assert [*uses.calls[1].programs] == [*programs[:MOST], OTHERS]
    assert uses.calls[1].programs[OTHERS].counts == {"calls": 2}
    uses.take(1)
    # Written within the minute, they stay.
    count(1, Program("192.0.2.1", "new"))
    assert uses.calls[1].programs[OTHERS].counts == {"calls": 1}
    count(1, programs[0])
    steady[0] += EVERY
    count(1, Program("192.0.2.1", "new"))
    assert {*uses.calls[1].programs} == {programs[0], Program("192.0.2.1", "new"), OTHERS}


def test_calls_are_added_to_the_row_of_their_key_and_program(
    token: Token, clock: Clock, steady: list[float]
) -> None:
    key, other = token.keys.get(), TokenFactory().keys.get()
    began = clock.now
    uses.count(other.pk, ERP, None, Outcome.ANSWERED)
    uses.count(key.pk, ERP, "MD-2", Outcome.ANSWERED)
    write(uses.take(key.pk))
    clock.move(minutes=1)
    uses.count(key.pk, ERP, "MD-1", Outcome.REFUSED)
    clock.move(minutes=1)
    uses.count(key.pk, ERP, "MD-2", Outcome.ANSWERED)
    uses.count(key.pk, CURL, None, Outcome.ANSWERED)
    write_all()
    use, curl = KeyUse.objects.filter(key=key).order_by("-agent")
    assert (use.calls, use.refused, use.rehearsed) == (2, 1, 0)
    assert (use.address, use.agent, use.modules) == (*ERP, ["MD-1", "MD-2"])
    assert (use.first_at, use.last_at) == (began, clock.now)
    assert (curl.calls, curl.modules, curl.first_at) == (1, [], clock.now)
    assert KeyUse.objects.get(key=other).calls == 1


def test_of_more_programs_than_a_key_keeps_the_one_called_longest_ago_goes(
    token: Token, clock: Clock, steady: list[float]
) -> None:
    key = token.keys.get()
    order = [3, 0, 1, 2, *range(4, MOST)]
    for number in order:
        clock.move(seconds=1)
        uses.count(key.pk, Program("192.0.2.1", f"erp/{number}"), None, Outcome.ANSWERED)
        write(uses.take(key.pk))
    uses.calls.clear()
    assert KeyUse.objects.count() == MOST
    for program in (OTHERS, Program("192.0.2.1", "new"), Program("192.0.2.1", "newer")):
        clock.move(seconds=1)
        uses.count(key.pk, program, None, Outcome.ANSWERED)
        write(uses.take(key.pk))
    agents = {*KeyUse.objects.values_list("agent", flat=True)}
    gone = {f"erp/{number}" for number in range(MOST)} - agents
    assert gone == {"erp/3", "erp/0"}
    assert {"", "new", "newer"} <= agents
    assert KeyUse.objects.get(agent="").calls == 1

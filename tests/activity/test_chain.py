"""Any change made behind the portal's back is found and named."""

from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import QuerySet
from django.utils import timezone

from activity import chain
from activity.actions import Action
from activity.models import Chain, Event, seal
from activity.recording import record
from tests.activity.conftest import Trail, intruder, start_over
from tests.conftest import Person

pytestmark = pytest.mark.django_db


def verify() -> str:
    out = StringIO()
    call_command("verify_activity", stdout=out)
    return out.getvalue().strip()


def copy(original: int, **values: Any) -> None:
    event = Event.objects.get(number=original)
    event.pk = None
    for name, value in values.items():
        setattr(event, name, value)
    event.save(force_insert=True)


def test_a_trail_as_it_was_written_is_whole(trail: Trail) -> None:
    assert verify() == "The trails of 1 accounts are whole."
    ends = Chain.objects.get(pk=trail.account)
    assert (ends.number, ends.broken, ends.checked_at is not None) == (5, None, True)


COLUMNS = [
    "at",
    "actor_id",
    "actor_name",
    "action",
    "subject_kind",
    "subject_id",
    "subject_name",
    "changes",
    "address",
    "agent",
    "request_id",
    "confirmed_at",
    "confirmed_by",
]


@pytest.mark.parametrize("column", COLUMNS)
def test_an_entry_that_was_edited_is_named(trail: Trail, column: str) -> None:
    new = {
        "at": timezone.now() - timedelta(days=3),
        "confirmed_at": timezone.now(),
        "changes": {"name": ["a", "b"]},
    }.get(column, "forged")
    with intruder():
        trail.events.filter(number=3).update(**{column: new})
    with pytest.raises(CommandError, match=f"{trail.account}, entry 3: It was changed"):
        verify()
    assert Chain.objects.get(pk=trail.account).broken == 3


@pytest.mark.parametrize("number", [1, 2, 4])
def test_an_entry_that_was_removed_is_named(trail: Trail, number: int) -> None:
    with intruder():
        trail.events.filter(number=number).delete()
    with pytest.raises(CommandError, match=f"entry {number}: It is missing"):
        verify()


def test_entries_removed_at_the_end_are_named(trail: Trail) -> None:
    with intruder():
        trail.events.filter(number__gte=4).delete()
    with pytest.raises(CommandError, match="entry 4: It is missing, with all that followed"):
        verify()


def test_entries_that_changed_places_are_named(trail: Trail) -> None:
    with intruder():
        for old, new in ((2, 99), (3, 2), (99, 3)):
            trail.events.filter(number=old).update(number=new)
    with pytest.raises(CommandError, match="entry 2: It was changed, moved"):
        verify()


def test_an_entry_inserted_at_the_end_is_named_even_if_it_fits(trail: Trail) -> None:
    last = trail.events.latest("number")
    copy(5, number=6)
    with pytest.raises(CommandError, match="entry 6: "):
        verify()
    with intruder():
        forged = Event.objects.get(number=6)

        Event.objects.filter(pk=forged.pk).update(hash=seal(vars(forged), last.hash))
    with pytest.raises(CommandError, match="entry 6: It was inserted at the end"):
        verify()


def test_an_entry_inserted_between_is_named(trail: Trail) -> None:
    with intruder():
        for number in (5, 4, 3):
            trail.events.filter(number=number).update(number=number + 1)
    copy(2, number=3)
    with pytest.raises(CommandError, match="entry 3: "):
        verify()


def test_an_entry_of_an_account_without_a_chain_is_named(trail: Trail) -> None:
    copy(1, account="VA-999-999")
    with pytest.raises(CommandError, match="VA-999-999, entry 1: "):
        verify()


def test_a_trail_whose_last_entry_was_written_anew_is_named(trail: Trail) -> None:

    with intruder():
        forged = trail.events.latest("number")
        forged.actor_name = "Nobody"
        trail.events.filter(number=5).update(
            actor_name="Nobody", hash=seal(vars(forged), trail.events[3].hash)
        )
    with pytest.raises(CommandError, match="entry 5: It is not the one that was written last"):
        verify()


def test_one_account_can_be_checked_alone(trail: Trail) -> None:
    copy(1, account="VA-999-999")
    call_command("verify_activity", account=trail.account, stdout=StringIO())


# --- Forgetting -----------------------------------------------------------------------------------


def forget(before: date) -> str:
    out = StringIO()
    call_command("forget_activity", before=before, stdout=out)
    return out.getvalue()


@pytest.fixture
def old_trail(michael: Person, monkeypatch: pytest.MonkeyPatch) -> QuerySet[Event]:
    """Record six entries, one on each of the last six days."""
    start_over()
    now = timezone.now()
    for days in range(6, 0, -1):
        monkeypatch.setattr(timezone, "now", lambda days=days: now - timedelta(days=days))
        record(michael.user, Action.SIGNED_IN, michael.user, account=michael.account.pk)
    monkeypatch.undo()
    return Event.objects.filter(account=michael.account.pk).order_by("number")


def test_what_is_older_goes_and_the_rest_can_still_be_proved(
    old_trail: QuerySet[Event], michael: Person
) -> None:
    day = (timezone.now() - timedelta(days=3)).date()
    forget(day)
    assert [event.number for event in old_trail] == [4, 5, 6, 7]
    last = old_trail.latest("number")
    assert (last.action, last.actor, last.changes["entries"]) == (
        Action.TRAIL_FORGOTTEN,
        None,
        [3, 0],
    )
    assert "whole" in verify()
    assert record(michael.user, Action.SIGNED_IN, account=michael.account.pk).number == 8
    with intruder():
        old_trail.filter(number=4).update(actor_name="Nobody")
    with pytest.raises(CommandError, match="entry 4: It was changed"):
        verify()


def test_after_everything_is_forgotten_the_trail_goes_on(
    old_trail: QuerySet[Event], michael: Person
) -> None:
    forget((timezone.now() + timedelta(days=1)).date())
    assert [event.number for event in old_trail] == [7]
    assert "whole" in verify()


def test_a_forgotten_entry_that_is_there_again_is_named(old_trail: QuerySet[Event]) -> None:
    forget((timezone.now() - timedelta(days=3)).date())
    copy(4, number=2)
    with pytest.raises(CommandError, match="entry 3: It should be gone"):
        verify()


def test_nothing_to_forget_leaves_no_entry(old_trail: QuerySet[Event]) -> None:
    forget((timezone.now() - timedelta(days=30)).date())
    assert old_trail.count() == 6


def test_what_stands_after_a_younger_entry_stays(
    old_trail: QuerySet[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was wrong once must not leave a gap in the trail."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now - timedelta(days=30))
    record(None, Action.SIGNED_IN, account=old_trail[0].account)
    monkeypatch.undo()
    forget((now - timedelta(days=4)).date())
    assert [event.number for event in old_trail] == [3, 4, 5, 6, 7, 8]
    assert "whole" in verify()


def test_a_trail_that_is_not_whole_is_not_shortened(old_trail: QuerySet[Event]) -> None:
    with intruder():
        old_trail.filter(number=2).update(actor_name="Nobody")
    with pytest.raises(CommandError, match="cannot be shortened"):
        forget((timezone.now() - timedelta(days=1)).date())
    assert old_trail.count() == 6


def test_long_trails_tell_their_progress(
    old_trail: QuerySet[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    from activity.management.commands import forget_activity, verify_activity

    monkeypatch.setattr(verify_activity, "TELL", 4)
    monkeypatch.setattr(forget_activity, "BATCH", 2)
    monkeypatch.setattr(chain, "BATCH", 2)
    account = old_trail[0].account
    assert verify().splitlines()[0] == f"{account}: 4 entries checked …"
    assert f"{account}: 4 entries deleted …" in forget(timezone.now().date()).splitlines()


def test_what_is_forgotten_while_a_trail_is_checked_is_no_fault(
    old_trail: QuerySet[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "BATCH", 2)
    account = old_trail[0].account
    left = iter([(timezone.now() - timedelta(days=2)).date()])

    def meanwhile(checked: int) -> None:
        for day in left:
            forget(day)

    assert chain.verify(account, meanwhile) is None
    ends = Chain.objects.get(pk=account)
    assert (ends.forgotten, ends.broken) == (4, None)


def test_what_was_forgotten_before_an_interruption_is_recorded(
    old_trail: QuerySet[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    from activity.management.commands import forget_activity, verify_activity

    class Interrupted(StringIO):
        def write(self, text: str) -> int:
            if "4 entries deleted" in text:
                raise KeyboardInterrupt
            return super().write(text)

    monkeypatch.setattr(verify_activity, "TELL", 4)
    monkeypatch.setattr(forget_activity, "BATCH", 2)
    with pytest.raises(KeyboardInterrupt):
        call_command("forget_activity", before=timezone.now().date(), stdout=Interrupted())
    last = old_trail.latest("number")
    assert (last.action, last.changes["entries"]) == (Action.TRAIL_FORGOTTEN, [4, 0])
    assert "whole" in verify()


def test_many_are_forgotten_in_several_steps(
    old_trail: QuerySet[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    from activity.management.commands import forget_activity

    monkeypatch.setattr(forget_activity, "BATCH", 2)
    monkeypatch.setattr(chain, "BATCH", 2)
    forget((timezone.now() - timedelta(days=1)).date())
    assert [event.number for event in old_trail] == [6, 7]
    assert "whole" in verify()

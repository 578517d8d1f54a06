"""The database refuses to change or delete entries, whoever asks."""

from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from activity.models import Chain, Event
from tests.activity.conftest import Trail

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE activity_event SET actor_name = 'Nobody' WHERE number = 2",
        "UPDATE activity_event SET actor_name = actor_name",
        "DELETE FROM activity_event WHERE number = 1",
        "DELETE FROM activity_event WHERE number = 5",
        "DELETE FROM activity_event",
    ],
)
def test_the_database_refuses_changes_and_deletions(trail: Trail, statement: str) -> None:
    before = list(trail.events.values())
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert list(trail.events.values()) == before


@pytest.mark.parametrize(
    "stray",
    [
        lambda: Event.objects.all().delete(),
        lambda: Event.objects.update(action=""),
        lambda: Event.objects.all()[0].delete(),
    ],
)
def test_stray_code_is_refused(trail: Trail, stray: Callable[[], object]) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        stray()
    assert trail.events.count() == 5


def test_an_entry_cannot_be_saved_a_second_time(trail: Trail) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        trail.events[0].save()


def test_without_its_chain_an_entry_stays(trail: Trail) -> None:
    Chain.objects.all().delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.all().delete()


def test_entries_that_the_chain_has_passed_may_go_and_no_others(trail: Trail) -> None:
    Chain.objects.filter(pk=trail.account).update(forgotten=2)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        trail.events.filter(number__lte=3).delete()
    assert trail.events.filter(number__lte=2).delete()[0] == 2


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no TRUNCATE")
def test_truncate_is_refused_while_there_is_an_entry(trail: Trail) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE activity_event")
    assert trail.events.count() == 5


@pytest.mark.django_db(transaction=True)
def test_flush_is_refused_while_there_is_an_entry(trail: Trail) -> None:
    with pytest.raises(Exception, match="couldn't be flushed"):
        call_command("flush", interactive=False, verbosity=0)
    assert trail.events.count() == 5

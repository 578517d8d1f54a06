"""A sample trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from django.db import connection
from django.db.models import F, QuerySet

from activity.actions import Action
from activity.models import Chain, Event, Subject
from activity.recording import record
from activity.triggers import REMOVED, STATEMENTS
from tests.conftest import Person


@contextmanager
def intruder() -> Iterator[None]:
    """Somebody with all rights in the database."""
    with connection.cursor() as cursor:
        for statement in REMOVED[connection.vendor]:
            cursor.execute(statement)
        yield
        for statement in STATEMENTS[connection.vendor]:
            cursor.execute(statement)


class Trail(NamedTuple):
    """The trail of an account."""

    account: str
    events: QuerySet[Event]


ERP = Subject("token", "SU-160-984-311", "ERP Agreements Sync")


def start_over() -> None:
    """Empty all trails: the sign-ins of the cast are in them already."""
    Chain.objects.update(forgotten=F("number"))
    Event.objects.all().delete()
    Chain.objects.all().delete()


@pytest.fixture
def trail(michael: Person) -> Trail:
    """Record five entries for Mighty Mick's, numbered 1 to 5."""
    account = michael.account.pk
    start_over()
    record(michael.user, Action.TOKEN_CREATED, ERP, account=account)
    record(
        michael.user,
        Action.TOKEN_CHANGED,
        ERP,
        {"name": ["ERP", ERP.name], "modules": [["MD-0001"], ["MD-0001", "MD-0002"]]},
        account=account,
    )
    record(michael.user, Action.KEY_VIEWED, ERP, account=account)
    record(
        None,
        Action.TOKEN_DISABLED,
        Subject("token", "SU-222-337-557", "Helpdesk Mirror"),
        account=account,
    )
    record(michael.user, Action.SIGNED_IN, michael.user, account=account)
    return Trail(account=account, events=Event.objects.filter(account=account).order_by("number"))

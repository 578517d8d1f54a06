"""A sample trail."""

from types import SimpleNamespace

import pytest

from activity.actions import Action
from activity.models import Event, Subject
from activity.recording import record

ERP = Subject("token", "SU-160-984-311", "ERP Agreements Sync")


@pytest.fixture
def trail(michael) -> SimpleNamespace:
    """Record five entries for Mighty Mick's, numbered 1 to 5."""
    account = michael.account.pk
    record(michael.user, Action.TOKEN_CREATED, ERP, account=account)
    record(michael.user, Action.TOKEN_CHANGED, ERP, {"name": ["ERP", ERP.name], "modules": [["MD-0001"], ["MD-0001", "MD-0002"]]}, account=account)
    record(michael.user, Action.KEY_VIEWED, ERP, account=account)
    record(None, Action.TOKEN_DISABLED, Subject("token", "SU-222-337-557", "Helpdesk Mirror"), account=account)
    record(michael.user, Action.SIGNED_IN, michael.user, account=account)
    return SimpleNamespace(account=account, events=Event.objects.filter(account=account).order_by("number"))

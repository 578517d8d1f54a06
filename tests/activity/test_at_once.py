"""Many people act in one account at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from activity import chain
from activity.actions import Action
from activity.models import Event
from activity.recording import record


@pytest.mark.django_db(transaction=True)
def test_entries_written_at_the_same_moment_follow_each_other() -> None:
    def write(writer: int) -> None:
        try:
            for _ in range(10):
                record(
                    None,
                    Action.TOKEN_CHANGED,
                    account="VA-000-001",
                    changes={"writer": [None, writer]},
                )
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert list(Event.objects.order_by("number").values_list("number", flat=True)) == list(
        range(1, 81)
    )
    assert chain.verify("VA-000-001") is None

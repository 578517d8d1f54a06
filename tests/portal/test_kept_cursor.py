"""Queries whose rows are all read at once share a cursor of their connection."""

import pytest
from django.db import Error, connection, transaction

from portal.plans import fetch

QUERY = "SELECT %s"


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_gets_a_cursor_of_its_own() -> None:
    assert fetch(QUERY, ["1"]) == [("1",)]
    connection.close()
    assert fetch(QUERY, ["2"]) == [("2",)]


@pytest.mark.django_db(transaction=True)
def test_a_failed_query_does_not_spoil_the_next_one() -> None:
    with pytest.raises(Error), transaction.atomic():
        fetch("SELECT nothing FROM nowhere", [])
    assert fetch(QUERY, ["1"]) == [("1",)]


@pytest.mark.django_db
def test_rows_that_were_returned_stay_when_another_query_runs() -> None:
    rows = fetch(QUERY, ["1"])
    assert fetch(QUERY, ["2"]) == [("2",)]
    assert rows == [("1",)]

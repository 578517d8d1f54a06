"""Long lists stay fast: what is counted for one record never reads all records of the account.

Without statistics, SQLite prefers the index of an account to that of a foreign key, so a count of
an agreement's contracts would read every contract of the account, for each row.
"""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from api.resource import Resource
from modules.urls import RESOURCES
from tests.modules.test_every_collection import parent_of

pytestmark = pytest.mark.django_db

# A search by an index in the order of a side's list, or a scan of a table. "rows" and "counted" are
# subqueries.
ALL_OF_THE_ACCOUNT = re.compile(r"INDEX [a-z]+_of_(vendor|provider) |SCAN (?!rows\b|counted\b)")


def steps(sql: str) -> list[tuple[str, bool]]:
    """Return the steps of SQLite's plan, and whether each is repeated for every row."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        correlated: set[int] = set()
        found = []
        for number, parent, _unused, text in cursor.fetchall():
            if parent in correlated or text.startswith("CORRELATED"):
                correlated.add(number)
            found.append((text, number in correlated))
    return found


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_no_subquery_of_a_list_reads_all_records_of_the_account(
    demo: dict[str, str], client: Client, resource: Resource
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps statistics.")
    for key in demo.values():
        path = f"/public/v1/{resource.path}".replace("<parent>", parent_of(resource, key))
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{path}?limit=2", headers={"authorization": key})
        slow = [
            text
            for query in queries
            if query["sql"].startswith("SELECT")
            for text, is_correlated in steps(query["sql"])
            if is_correlated and ALL_OF_THE_ACCOUNT.search(text)
        ]
        assert not slow

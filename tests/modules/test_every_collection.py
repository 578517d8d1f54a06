"""Claims that hold for every collection, on the data of the demo."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modules.models import Product
from modules.urls import COLLECTIONS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("collection", [each for each in COLLECTIONS if each.detail and not each.parent], ids=str)
def test_a_record_is_the_same_in_the_list_and_by_its_id(demo, client, collection):
    for key in demo.values():
        for record in client.get(f"/public/v1/{collection.path}?limit=3", headers={"authorization": key}).json():
            assert client.get(f"/public/v1/{collection.path}/{record['id']}", headers={"authorization": key}).json() == record


@pytest.mark.parametrize("collection", COLLECTIONS, ids=str)
def test_a_list_costs_three_queries_and_a_record_two_however_many_there_are(demo, client, collection):
    """The gate, the page, and the total if the page is full; what is nested comes along."""
    for key in demo.values():
        headers = {"authorization": key}
        path = f"/public/v1/{collection.path}".replace("<parent>", parent_of(collection, key))
        client.get(path, headers=headers)  # Notes the use of the token, which is one more.
        for query, most in (("", 3), ("?limit=2", 3), ("?limit=2&offset=1", 3), ("?limit=1000", 3), ("?limit=0", 3), ("?search=o&limit=1", 3)):
            with CaptureQueriesContext(connection) as queries:
                response = client.get(path + query, headers=headers)
            assert response.status_code == 200
            assert len(queries) <= most, query
        rows = client.get(path, headers=headers).json()
        if collection.detail and rows:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(f"{path}/{rows[0]['id']}", headers=headers).json() == rows[0]
            assert len(queries) == 2


def parent_of(collection, key):
    """A product with items, or the token itself."""
    if collection.path.startswith("products/"):
        return Product.objects.filter(items__isnull=False, vendor="VA-044-420", status="published").first().pk
    return key.split(" ")[1].split(":")[0]


@pytest.mark.parametrize("collection", [each for each in COLLECTIONS if not each.parent], ids=str)
def test_nobody_reads_a_record_of_others(demo, client, collection):
    """What one company sees and the other does not in the list, it cannot reach by its id either."""
    seen = {
        account: {row["id"] for row in client.get(f"/public/v1/{collection.path}?limit=1000", headers={"authorization": key}).json()}
        for account, key in demo.items()
    }
    for account, key in demo.items():
        others = set().union(*seen.values()) - seen[account]
        for id in sorted(others)[:3]:
            assert client.get(f"/public/v1/{collection.path}/{id}", headers={"authorization": key}).status_code == 404

"""What the API shows, held against the facts of CloudBlue's own description of it (version 37.0), kept in `official.json`.

Where the two differ on purpose, the difference is written down here, and a difference that is no more fails as well.
"""

import json
import re
from pathlib import Path

import pytest

from modules.urls import RESOURCES
from tokens.models import Token

OFFICIAL = json.loads((Path(__file__).parent / "official.json").read_text())
DESCRIBED = [resource for resource in RESOURCES if resource.path in OFFICIAL]

pytestmark = pytest.mark.django_db

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
FORMATS = {
    "date-time": MOMENT,
    "datetime": MOMENT,
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "email": re.compile(r"[^@ ]+@[^@ ]+\.[^@ ]+"),
    "uri": re.compile(r"https?://\S+"),
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list}

# Shown besides what is described: the samples of CloudBlue's documentation have them, and its programs read them.
MORE = {
    "contracts": {"marketplace", "marketplace.id", "marketplace.name"},
    # Described as an object without more.
    "auth/tokens": {
        f"events.{name}" for event in ("created", "updated") for name in (event, f"{event}.at", f"{event}.by", f"{event}.by.id", f"{event}.by.name")
    },
    # Described as objects without more, of which a text says what they hold.
    "pricing/lists": {"attributes[].id", "attributes[].name", "attributes[].description"},
    "listings": {"contract.marketplace", "contract.marketplace.id", "contract.marketplace.name"},
    # The description knows of an item no more than id and quantity, and has the parameters as a list of lists.
    "assets": {
        *(f"items[].{name}" for name in ("display_name", "global_id", "item_type", "mpn", "period", "type")),
        *(f"params[].{name}" for name in ("description", "id", "name", "title", "type", "value", "value_error")),
        "tiers.customer.id",
        "tiers.tier1.id",
    },
    "requests": {"asset.tiers.customer.id", "asset.tiers.tier1.id", "contract", "contract.id", "contract.name", "contract.type"},
    "tier/configs": {"account.id", "params[].name"},
}
# Required there and absent here: what there is none of. CloudBlue's command line crashes on null.
LESS = {
    "tier/accounts": {"parent"},
    "listings": {"alt_pricelist_1", "alt_pricelist_2", "offer", "pricelist"},
}
# Of another type, or another value, than described.
OTHER = {
    # Described as objects; the samples have lists and a yes or no.
    "partners": {"languages", "public", "websites"},
    # A request shows the statuses that subscriptions have: two of them are not in this place of the description.
    "requests": {"asset.status"},
}
# Filters of fields that the records here have.
NO_FILTER = {
    # A service with two products would come twice.
    "devops/services": {"product.id (ordering)", "product.name (ordering)"},
    # Statuses are texts here, and of texts none is greater.
    "products": {"status (look-ups)"},
}


@pytest.fixture
def records(demo, client):
    """All that both sides see of a resource."""

    def do(resource):
        paths = [resource.path]
        if "<parent>" in resource.path:
            paths = [resource.path.replace("<parent>", token) for token in Token.objects.values_list("pk", flat=True)[:20]]
        return [
            record
            for key in demo.values()
            for path in paths
            for record in client.get(f"/public/v1/{path}?limit=1000", headers={"authorization": key}).json()
            if isinstance(record, dict)
        ]

    return do


def walk(value, prefix=""):
    """The dotted names of a record with their values; `[]` stands for the members of a list."""
    for name, inside in value.items():
        yield prefix + name, inside
        if isinstance(inside, dict):
            yield from walk(inside, f"{prefix}{name}.")
        elif isinstance(inside, list):
            for member in inside:
                if isinstance(member, dict):
                    yield from walk(member, f"{prefix}{name}[].")


def fits(value, fact):
    """Whether the value is of the type, the form and the set that are described."""
    expected = TYPES.get(fact.get("type"), object)
    # Numbers with an enum are typed as texts there (`priority`, `rating`), with the numbers as values.
    if "enum" in fact and value in fact["enum"]:
        return True
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        return False
    if "enum" in fact:
        return False
    if isinstance(value, str):
        pattern = FORMATS.get(fact.get("format"))
        return len(value) <= fact.get("maxLength", 10**9) and (value == "" or pattern is None or bool(pattern.fullmatch(value)))
    return True


@pytest.mark.parametrize("resource", DESCRIBED, ids=str)
def test_records_are_as_described(records, resource):
    facts = OFFICIAL[resource.path]["fields"]
    shown = records(resource)
    assert shown
    more, other = set(), set()
    for record in shown:
        for name, value in walk(record):
            if name not in facts:
                more.add(name)
            elif not fits(value, facts[name]):
                other.add(name)
    assert more == MORE.get(resource.path, set())
    assert other == OTHER.get(resource.path, set())


@pytest.mark.parametrize("resource", DESCRIBED, ids=str)
def test_what_is_required_is_there(records, resource):
    facts = OFFICIAL[resource.path]["fields"]
    required = {name for name, fact in facts.items() if fact.get("required")}
    missing = set()
    for record in records(resource):
        names = {name for name, _ in walk(record)}
        for name in required - names:
            # What is required of an object that is not there is not missing.
            above = name.rpartition(".")[0].removesuffix("[]")
            if not above or (above in names and not name.startswith(f"{above}[]")):
                missing.add(name)
    assert missing == LESS.get(resource.path, set())


@pytest.mark.parametrize("resource", DESCRIBED, ids=str)
def test_filters_orderings_and_search_are_as_described_for_every_field_there_is(resource):
    facts = OFFICIAL[resource.path]["filters"]
    absent = set()
    for name, fact in facts.items():
        if not fact["lookups"]:
            continue  # A name for select() only, which every field is here.
        if name not in resource.filters.filters:
            # Only names of fields that the records have count.
            if name.replace("__", ".") in resource.columns:
                absent.add(name)
            continue
        if fact.get("ordering") and name not in resource.filters.ordering_filters:
            absent.add(f"{name} (ordering)")
        if fact.get("search") and "__" not in name and name not in resource.filters.search_filters:
            absent.add(f"{name} (search)")
        lookups = {str(look_up) for look_up in resource.filters.filters[name]["lookups"]}
        if not {look_up for look_up in fact["lookups"] if look_up != "null"} <= lookups:
            absent.add(f"{name} (look-ups)")
    assert absent == NO_FILTER.get(resource.path, set())

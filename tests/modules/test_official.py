"""The API compared with the facts of CloudBlue's own description (version 37.0).

The facts are in `official.json`; those of conversations, which the description lacks, are what
CloudBlue's programs read and filter by. Deliberate differences are listed here, and a listed
difference that no longer exists fails as well.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from api.resource import Resource
from modules.models import Conversation
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
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}

# Shown in addition to the description: the samples of CloudBlue's documentation have these, and its
# programs read them.
MORE = {
    "contracts": {"marketplace", "marketplace.id", "marketplace.name"},
    # Described as an object without properties.
    "auth/tokens": {
        f"events.{name}"
        for event in ("created", "updated")
        for name in (event, f"{event}.at", f"{event}.by", f"{event}.by.id", f"{event}.by.name")
    },
    # Described as objects without properties; a text says what they contain.
    "pricing/lists": {"attributes[].id", "attributes[].name", "attributes[].description"},
    "listings": {"contract.marketplace", "contract.marketplace.id", "contract.marketplace.name"},
    # The description has only id and quantity of an item, and the parameters as a list of lists.
    "assets": {
        *(
            f"items[].{name}"
            for name in ("display_name", "global_id", "item_type", "mpn", "period", "type")
        ),
        *(
            f"params[].{name}"
            for name in ("description", "id", "name", "title", "type", "value", "value_error")
        ),
        "tiers.customer.id",
        "tiers.tier1.id",
    },
    "requests": {
        # What Zapier's app calls it; the description has the status and no date.
        "planned_date",
        "asset.tiers.customer.id",
        "asset.tiers.tier1.id",
        "contract",
        "contract.id",
        "contract.name",
        "contract.type",
    },
    "tier/configs": {"account.id", "params[].name"},
    "tier/config-requests": {
        "configuration.account.id",
        "configuration.params[].name",
        "tiers.tier1.id",
        # Described as a string.
        *(
            f"params[].{name}"
            for name in ("description", "id", "name", "title", "type", "value", "value_error")
        ),
    },
    "listing-requests": {f"listing.contract.marketplace{part}" for part in ("", ".id", ".name")},
    "subscriptions/assets": {"params[].title"},
    # What companies keep there is theirs.
    "subscriptions/requests": {
        "asset.params[].title",
        *(
            f"attributes.{side}{part}"
            for side in ("vendor", "provider")
            for part in ("", ".invoice")
        ),
    },
    # Described as objects without properties: their names are chosen by whoever makes the webhook.
    "notifications/webhooks": {
        *("data.queue", "headers.X-Source"),
        *("condition", "keep_order", "rate_per_minute"),
    },
}
# Required there and absent here, because there is no value. CloudBlue's command line crashes on
# null.
LESS = {
    "tier/accounts": {"parent"},
    "listings": {"alt_pricelist_1", "alt_pricelist_2", "offer", "pricelist"},
    "listing-requests": {
        f"listing.{name}" for name in ("alt_pricelist_1", "alt_pricelist_2", "offer")
    },
    "subscriptions/assets": {"pending_request", "template"},
    "tier/config-requests": {"assignee", "parent_configuration", "sli", "template"},
}
# Of another type than described, or with another value.
OTHER = {
    # Described as objects; the samples have lists and a boolean.
    "partners": {"languages", "public", "websites"},
    # A request shows the statuses of subscriptions, two of which are not described here. Its own
    # statuses from scheduled on are described only for its filter.
    "requests": {"asset.status", "status"},
    # The portal has classes of its own, for cases and tokens.
    "notifications/webhooks": {"object_class"},
    # Described as a list; the samples of CloudBlue's programs have an object.
    "subscriptions/requests": {"attributes"},
    # Described as a string; they send and read a list.
    "tier/config-requests": {"params"},
}
# Described filters on fields that our records have.
NO_FILTER = {
    # A service with two products would appear twice.
    "devops/services": {"product.id (ordering)", "product.name (ordering)"},
    # Statuses are strings here, which have no greater or less.
    "products": {"status (look-ups)"},
}


@pytest.fixture
def records(demo: dict[str, str], client: Client) -> Callable[[Resource], list[dict[str, Any]]]:
    """Return a function to all records of a resource that either side sees."""

    def do(resource: Resource) -> list[dict[str, Any]]:
        paths = [resource.path]
        if "<parent>" in resource.path:
            model: Any = Conversation if resource.path.startswith("conv") else Token
            parents = model.objects.values_list("pk", flat=True)[:20]
            paths = [resource.path.replace("<parent>", parent) for parent in parents]
        return [
            record
            for key in demo.values()
            for path in paths
            for record in client.get(
                f"/public/v1/{path}?limit=1000", headers={"authorization": key}
            ).json()
            if isinstance(record, dict)
        ]

    return do


def walk(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted names of a record with their values; `[]` means the members of a list."""
    for name, inside in value.items():
        yield prefix + name, inside
        if isinstance(inside, dict):
            yield from walk(inside, f"{prefix}{name}.")
        elif isinstance(inside, list):
            for member in inside:
                if isinstance(member, dict):
                    yield from walk(member, f"{prefix}{name}[].")


def fits(value: Any, fact: dict[str, Any]) -> bool:
    """Tell whether the value has the type, the format and one of the values described."""
    if value is None and fact.get("nullable"):
        return True
    expected = TYPES.get(fact.get("type", ""), object)
    # Numbers with an enum (`priority`, `rating`) are typed as strings there, with numbers as
    # values.
    if "enum" in fact and value in fact["enum"]:
        return True
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        return False
    if "enum" in fact:
        return False
    if isinstance(value, str):
        pattern = FORMATS.get(fact.get("format", ""))
        return len(value) <= fact.get("maxLength", 10**9) and (
            value == "" or pattern is None or bool(pattern.fullmatch(value))
        )
    return True


@pytest.mark.parametrize("resource", DESCRIBED, ids=str)
def test_records_are_as_described(
    records: Callable[[Resource], list[dict[str, Any]]], resource: Resource
) -> None:
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
def test_what_is_required_is_there(
    records: Callable[[Resource], list[dict[str, Any]]], resource: Resource
) -> None:
    facts = OFFICIAL[resource.path]["fields"]
    required = {name for name, fact in facts.items() if fact.get("required")}
    missing = set()
    for record in records(resource):
        names = {name for name, _ in walk(record)}
        for name in required - names:
            # A required property of an absent object is not missing.
            above = name.rpartition(".")[0].removesuffix("[]")
            if not above or (above in names and not name.startswith(f"{above}[]")):
                missing.add(name)
    assert missing == LESS.get(resource.path, set())


@pytest.mark.parametrize("resource", DESCRIBED, ids=str)
def test_filters_orderings_and_search_are_as_described_for_every_field_there_is(
    resource: Resource,
) -> None:
    facts = OFFICIAL[resource.path]["filters"]
    absent = set()
    for name, fact in facts.items():
        if not fact["lookups"]:
            continue  # a name for select() only, as which every field works here
        if name not in resource.filters.filters:
            # Only names of fields that our records have count.
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

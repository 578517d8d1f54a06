"""What Zaps write about customers, configurations, listings, billing and orders, and to partners.

The other calls of the app stand in test_zapier.
"""

from typing import Any
from urllib.parse import quote

import pytest

from tests.clients.conftest import DISTRIBUTOR, VENDOR, Api
from tests.clients.test_zapier import call, rows

# The statuses of requests that are not done yet.
OPEN = {"draft", "tiers_setup", "pending", "inquiring", "reviewing", "deploying"}


def sent(api: Api, key: str, path: str, body: Any = None, method: str = "POST") -> Any:
    """Send a call that works, and return the answer."""
    status, told, _ = call(api, key, method, path, {} if body is None else body)
    assert status in {200, 201, 204}, told
    return told


def shared(api: Api) -> list[Any]:
    """Return the subscriptions that the vendor and the distributor of the tests both see."""
    theirs = {row["id"] for row in rows(api, api.vendor, "assets?limit=1000")}
    mine = rows(api, api.distributor, "assets?eq(status,active)&limit=1000")
    found = [row for row in mine if row["id"] in theirs]
    assert found
    return found


def test_a_zap_lists_the_people_of_its_account_and_the_lists_of_a_product(api: Api) -> None:
    for key, account in ((api.vendor, VENDOR), (api.distributor, DISTRIBUTOR)):
        people = rows(api, key, f"accounts/{account}/users?limit=30&offset=0")
        assert all({"id", "name", "email"} <= row.keys() for row in people)
        assert people
    product = rows(api, api.vendor, "products?limit=1")[0]["id"]
    for name in ("templates", "parameters"):
        rows(api, api.vendor, f"products/{product}/{name}?limit=100&offset=0")


def test_a_zap_asks_to_change_a_customer_and_another_accepts_or_ignores(api: Api) -> None:
    customer = shared(api)[0]["tiers"]["customer"]["id"]
    for verb, status in (("accept", "accepted"), ("ignore", "ignored")):
        account = {"id": customer, "contact_info": {"city": f"Porto {verb}"}}
        body = {"type": "update", "account": account}
        made = sent(api, api.distributor, "tier/account-requests", body)
        path = f"tier/account-requests/{made['id']}"
        reason = {"reason": "Not used."} if verb == "ignore" else {}
        assert sent(api, api.vendor, f"{path}/{verb}", reason)["status"] == status


def test_a_zap_configures_a_tier(api: Api) -> None:
    theirs = {row["id"] for row in rows(api, api.vendor, "tier/configs?limit=1000")}
    every = rows(api, api.distributor, "tier/config-requests?limit=1000")
    busy = {row["configuration"]["id"] for row in every if row["status"] in OPEN}
    active = rows(api, api.distributor, "tier/configs?eq(status,active)&limit=1000")
    free = [row["id"] for row in active if row["id"] in theirs - busy]
    assert free
    for verb, status in (("approve", "approved"), ("fail", "failed")):
        body = {"type": "update", "configuration": {"id": free[0]}, "params": []}
        made = sent(api, api.vendor, "tier/config-requests", body)
        path = f"tier/config-requests/{made['id']}"
        assert sent(api, api.vendor, path, {"notes": "By a Zap."}, "PUT")["notes"] == "By a Zap."
        sent(api, api.vendor, f"{path}/inquire")
        sent(api, api.vendor, f"{path}/pend")
        sent(api, api.vendor, f"{path}/{verb}", {"reason": "No."} if verb == "fail" else {})
        (found,) = rows(api, api.vendor, f"tier/config-requests?eq(id,{made['id']})")
        assert found["status"] == status


def test_a_zap_moves_a_listing(api: Api) -> None:
    every = rows(api, api.vendor, "listing-requests?limit=1000")
    busy = {row["listing"]["id"] for row in every if row["state"] in OPEN}
    listed = rows(api, api.vendor, "listings?eq(status,listed)&limit=1000")
    theirs = {row["id"] for row in rows(api, api.distributor, "listings?limit=1000")}
    free = [row["id"] for row in listed if row["id"] in theirs - busy]
    assert free
    body = {"type": "remove", "listing_id": free[0]}
    made = sent(api, api.vendor, "listing-requests", body)
    path = f"listing-requests/{made['id']}"
    for key, verb in ((api.vendor, "submit"), (api.distributor, "deploy")):
        sent(api, key, f"{path}/{verb}")
    assert sent(api, api.distributor, f"{path}/complete")["state"] == "completed"


def test_a_zap_bills(api: Api) -> None:
    asset = shared(api)[0]
    body = {
        "type": "vendor",
        "asset": {"id": asset["id"]},
        "items": [{"id": asset["items"][0]["global_id"], "quantity": 2}],
        "period": {
            "from": "2026-01-01T00:00:00.000Z",
            "to": "2026-02-01T00:00:00.000Z",
            "delta": 1,
            "uom": "monthly",
        },
    }
    made = sent(api, api.vendor, "subscriptions/requests", body)
    assert made["id"].startswith("BRV-")
    assert made["items"][0]["quantity"] == 2


def test_a_zap_orders_and_another_changes_and_fails_it(api: Api) -> None:
    asset = shared(api)[0]
    body = {
        "type": "purchase",
        "asset": {
            "external_id": "zap-1",
            "connection": {"id": asset["connection"]["id"]},
            "items": [{"id": asset["items"][0]["global_id"], "quantity": 1}],
            "tiers": {"customer": {"id": asset["tiers"]["customer"]["id"]}},
        },
    }
    made = sent(api, api.distributor, "requests", body)
    path = f"requests/{made['id']}"
    assert sent(api, api.vendor, path, {"note": "By a Zap."}, "PUT")["note"] == "By a Zap."
    assert sent(api, api.vendor, f"{path}/fail", {"reason": "No stock."})["status"] == "failed"


@pytest.mark.parametrize("path", ["requests", "tier/config-requests", "listing-requests"])
def test_a_zap_writes_about_a_request_and_reads_what_was_written(api: Api, path: str) -> None:
    pk = rows(api, api.vendor, f"{path}?limit=1")[0]["id"]
    talk = rows(api, api.vendor, f"conversations?instance_id={pk}")[0]["id"]
    made = sent(api, api.vendor, f"conversations/{talk}/messages", {"text": "From a Zap."})
    assert (made["conversation"], made["text"], made["type"]) == (talk, "From a Zap.", "message")
    status, found, _ = call(api, api.vendor, "GET", f"conversations/{talk}")
    assert (status, found["instance_id"]) == (200, pk)
    assert found["messages"][-1] == made


def test_a_zap_looks_for_conversations(api: Api) -> None:
    page = "limit=100&offset=0&ordering(-created)"
    newest = rows(api, api.vendor, f"conversations?{page}")
    moments = [row["created"] for row in newest]
    assert moments == sorted(moments, reverse=True)
    first, second = newest[:2]
    about = f"in(instance_id,({first['instance_id']},{second['instance_id']}))"
    assert rows(api, api.vendor, f"conversations?{about}&{page}") == [first, second]
    until = quote("2015-01-31T10:20:30.123Z")
    assert rows(api, api.vendor, f"conversations?le(created,{until})&{page}") == []


def test_a_zap_comments_on_a_case_by_the_id_of_the_case(api: Api) -> None:
    case = rows(api, api.vendor, "helpdesk/cases?eq(state,pending)&limit=10")[0]["id"]
    path = f"conversations/{case}/messages"
    made = sent(api, api.vendor, path, {"text": "Seen by a Zap."})
    query = f"search={quote('by a Zap')}&ge(created,{quote(made['created'])})&limit=100&offset=0"
    assert rows(api, api.vendor, f"{path}?{query}") == [made]


def test_a_zap_schedules_a_request_and_others_revoke_it_and_confirm(api: Api) -> None:
    """The app reads `planned_date` and `reason`; its SDK sends both as `data`."""
    theirs = {row["id"] for row in rows(api, api.vendor, "requests?eq(status,pending)&limit=1000")}
    mine = rows(api, api.distributor, "requests?eq(status,pending)&limit=1000")
    path = f"requests/{next(row['id'] for row in mine if row['id'] in theirs)}"
    for key, verb, body, status in (
        (api.vendor, "schedule", {"data": "2031-08-04T20:10:59.000Z"}, "scheduled"),
        (api.distributor, "revoke", {"data": "No longer needed."}, "revoking"),
        (api.vendor, "confirm", None, "revoked"),
    ):
        told = sent(api, key, f"{path}/{verb}", body)
        assert told["status"] == status
    assert (told["planned_date"], told["reason"]) == (
        "2031-08-04T20:10:59+00:00",
        "No longer needed.",
    )

"""The calls of CloudBlue's connector for MuleSoft, replayed: addresses, bodies and what it reads.

The connector is a Java library of Mule, so its calls stand here as facts. It encodes the query as a
whole, as a form encodes one value, and sends a question mark even without one.
"""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest

from tests.clients.conftest import VENDOR, Api
from tests.clients.test_zapier import value
from tests.server import ROOT
from tests.webhooks.engine.receiver import receiving

# What its operation List Resources sends of a page.
PAGE = "limit=1&offset=0"
# What it lists and gets, and the fields of its metadata that a flow maps.
READ = {
    "requests": "type status created updated asset.id asset.product.id asset.connection.id "
    "asset.items asset.params asset.tiers.customer.contact_info.contact.email contract.id "
    "marketplace.id reason note",
    "assets": "status external_id external_uid product.id product.name connection.id items params "
    "tiers.customer.id tiers.tier1.id",
    "subscriptions/requests": "type period.from period.to asset.id asset.product.id",
    "subscriptions/assets": "status external_id product.id connection.id items params",
    "tier/accounts": "name type external_id external_uid tax_id version owner.id hub.id "
    "contact_info.country contact_info.contact.phone_number.phone_number events.created.at",
    "tier/account-requests": "type status account.id product.id vendor.id provider.id "
    "events.created.at",
    "tier/configs": "name status tier_level account.id product.id connection.id contract.id "
    "marketplace.id params events.created.at",
    "tier/config-requests": "type status configuration.id configuration.account.id params "
    "environment tiers events.created.at",
    "products": "name status icon owner.id short_description detailed_description latest "
    "published_at visibility stats capabilities category.id configurations "
    "customer_ui_settings events.created.at",
    "usage/files": "name description status period.from period.to currency schema product.id "
    "contract.id marketplace.id vendor.id provider.id stats external_id environment "
    "events.created.at",
    "helpdesk/cases": "subject description priority state type issuer.account.id "
    "receiver.account.id events.created.at",
}
OF_PRODUCTS = ("templates", "parameters", "actions", "configurations")
# What has no records here, by the words that the table of docs/api.md has for it.
ABSENT = {
    "tier/accounts/{customer}/versions": "/tier/accounts/{id}/versions",
    "tier/accounts/{customer}/versions/1": "/tier/accounts/{id}/versions",
    "products/{product}/actions/festive-zebus": "/products/{id}/actions/{id}",
    "usage/records": "/usage/records",
    "usage/chunks": "/usage/chunks",
    "usage/reconciliations": "/usage/reconciliations",
    "usage/aggregates": "/usage/aggregates",
    "assets/{asset}/usage/aggregates": "/assets/{id}/usage/aggregates",
}
# What a webhook has of the connector unless it is told otherwise, with every write.
DEFAULTS = {"type": "event", "http_method": "POST", "data": {}, "headers": {}}


def call(
    api: Api, key: str, method: str, path: str, body: Any = None, query: str = ""
) -> tuple[int, Any]:
    """Send a call as the connector does; return the status and the JSON of the answer."""
    headers = {"Accept": "application/json", "Authorization": key}
    if body is not None:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(
        f"{api.endpoint}/{path}?{urllib.parse.quote_plus(query, safe='*')}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={**headers, "User-Agent": "Mulesoft Extension"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read().decode() or "null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read().decode())


def listed(api: Api, key: str, path: str, query: str = PAGE) -> list[Any]:
    status, found = call(api, key, "GET", path, query=query)
    assert status == 200, found
    assert isinstance(found, list)
    return found


def done(api: Api, key: str, path: str, body: Any = None, method: str = "POST") -> Any:
    """Do what must work, and return the answer."""
    status, told = call(api, key, method, path, body)
    assert status in {200, 201, 204}, told
    return told


# --- Reads ----------------------------------------------------------------------------------------


def test_the_connection_is_tested_by_the_accounts(api: Api) -> None:
    assert call(api, api.vendor, "GET", "accounts")[0] == 200
    wrong = "ApiKey SU-000-000-000:68743kjhdgsf876r54hnf489vndf9384nvoi7r98s"
    assert call(api, wrong, "GET", "accounts")[0] == 401


@pytest.mark.parametrize(("path", "fields"), READ.items(), ids=READ)
def test_a_resource_is_listed_and_got_with_what_flows_map(api: Api, path: str, fields: str) -> None:
    assert len(listed(api, api.distributor, path)) == 1
    # Records that other tests add to the portal they share come first, and have less.
    created = "created" if path == "requests" else "events.created.at"
    found = listed(api, api.distributor, path, f"ordering({created})&{PAGE}")
    status, got = call(api, api.distributor, "GET", f"{path}/{found[0]['id']}")
    assert (status, got["id"]) == (200, found[0]["id"])
    for name in fields.split():
        assert value(got, name) is not None, name


def test_the_items_of_a_product_are_listed_and_got(api: Api) -> None:
    product = listed(api, api.vendor, "products")[0]["id"]
    found = listed(api, api.vendor, f"products/{product}/items")[0]
    status, item = call(api, api.vendor, "GET", f"products/{product}/items/{found['id']}")
    assert status == 200
    wanted = {"local_id", "mpn", "name", "display_name", "description", "type", "period", "status"}
    assert wanted <= item.keys()
    for name in OF_PRODUCTS:
        assert listed(api, api.vendor, f"products/{product}/{name}") == []


@pytest.mark.parametrize(
    "query",
    [
        "eq(type,purchase)",
        "ne(asset.id,null())",
        "in(type,(purchase,change))",
        "out(type,(cancel,suspend))",
        "in(type,purchase)",
        "out(type,cancel)",
        "not(eq(type,cancel))",
        "(eq(type,purchase)|eq(type,change))",
        "(eq(type,purchase)&ge(created,2015-01-31T10:20:30.000Z))",
        "ge(created,2015-01-31T10:20:30+01:00)",
        "like(asset.id,AS-*)",
        "ilike(asset.id,as-*)",
    ],
)
def test_each_filter_of_the_connector_narrows_and_orders(api: Api, query: str) -> None:
    every = listed(api, api.vendor, "requests", "limit=1000&offset=0")
    found = listed(api, api.vendor, "requests", f"{query}&ordering(-created,id)&limit=5&offset=0")
    assert len(found) == 5
    assert {row["id"] for row in found} <= {row["id"] for row in every}
    assert [row["created"] for row in found] == sorted((r["created"] for r in found), reverse=True)
    if query.startswith("eq"):
        assert {row["type"] for row in found} == {"purchase"}


@pytest.mark.parametrize(
    "query", ["eq(name,{name})", "like(name,*{part}*)", "in(name,({name},Nobody at All))"]
)
def test_a_filter_may_have_blanks(api: Api, query: str) -> None:
    every = listed(api, api.vendor, "tier/accounts", "limit=1000&offset=0")
    name = next(row["name"] for row in every if " " in row["name"])
    asked = query.format(name=name, part=name[2:-2])
    found = listed(api, api.vendor, "tier/accounts", f"{asked}&limit=100&offset=0")
    assert name in {row["name"] for row in found}
    assert len(found) < len(every)


def test_what_is_not_there_is_an_error_that_the_connector_tells(api: Api) -> None:
    status, told = call(api, api.vendor, "GET", "assets/AS-000-000-000")
    assert (status, told["error_code"]) == (404, "NFND_000")
    assert told["errors"]


@pytest.mark.parametrize(("path", "told"), ABSENT.items(), ids=ABSENT)
def test_reads_without_records_are_listed_with_the_reason(api: Api, path: str, told: str) -> None:
    address = path.format(
        customer=listed(api, api.vendor, "tier/accounts")[0]["id"],
        product=listed(api, api.vendor, "products")[0]["id"],
        asset=listed(api, api.vendor, "assets")[0]["id"],
    )
    assert call(api, api.vendor, "GET", address)[0] == 404
    table = chapter(ROOT / "docs" / "api.md", "### What other programs ask for and is not there")
    assert f"`{told}`" in table
    link = "docs/api.md#what-other-programs-ask-for-and-is-not-there"
    assert link in (ROOT / "README.md").read_text()


def chapter(file: Path, title: str) -> str:
    """Return the chapter of a document below a title."""
    return file.read_text().partition(f"{title}\n")[2].partition("\n## ")[0]


# --- Webhooks -------------------------------------------------------------------------------------


def own(api: Api, key: str, new: dict[str, Any]) -> Any:
    """Return the webhook that the connector takes for its own when it starts, or None.

    Like it, fail if any webhook of the account lacks one of the fields that it compares.
    """
    wanted = tuple(new[name] for name in ("product_id", "external_url", "jwt_secret"))
    for row in listed(api, key, "notifications/webhooks", ""):
        assert all(isinstance(each, str) for each in (*row["data"].values(), row["product"]["id"]))
        same = (row["product"]["id"], row["external_url"], row["jwt_secret"])
        if (*same, row["object_class"], row["type"]) == (*wanted, new["object_class"], new["type"]):
            return row
    return None


def source(api: Api, url: str, **other: Any) -> dict[str, Any]:
    """Return the webhook that a listener of a flow creates."""
    pending = listed(api, api.vendor, "requests", "eq(status,pending)&limit=100&offset=0")
    address = f"{url}webhook/orders/fulfillment_request"
    return {
        **DEFAULTS,
        "label": "Webhook for Mule Extension Source",
        "description": f"Webhook for Mule Extension Source {address}",
        "product_id": pending[-1]["asset"]["product"]["id"],
        "active": True,
        "external_url": address,
        "jwt_secret": f"Test-token-key-for-webhook-based-authentication-{uuid4()}",
        "object_class": "fulfillment_request",
        **other,
    }


def test_a_listener_finds_its_webhook_again_and_stops_and_starts_it(api: Api) -> None:
    new = source(api, "https://mule.example.com/")
    assert own(api, api.vendor, new) is None
    made = done(api, api.vendor, "notifications/webhooks", new)
    # It keeps what people changed meanwhile, apart from what the connector sends along.
    path = f"notifications/webhooks/{made['id']}"
    done(api, api.vendor, path, {"label": "Orders", "headers": {"X-Flow": "1"}}, method="PUT")
    for active in (False, True):
        change = {**DEFAULTS, "id": made["id"], "active": active}
        told = done(api, api.vendor, path, change, method="PUT")
        assert (told["active"], told["label"], told["headers"]) == (active, "Orders", {})
        found = own(api, api.vendor, new)
        assert found["id"] == made["id"]
        assert found["active"] is active
    assert call(api, api.vendor, "DELETE", path)[0] == 204


@pytest.mark.parametrize("key", ["vendor", "distributor"])
def test_a_listener_starts_whatever_other_webhooks_the_account_has(api: Api, key: str) -> None:
    """The demo has webhooks without a product."""
    mine = getattr(api, key)
    others = listed(api, mine, "notifications/webhooks", "")
    assert {"token", "helpdesk_case"} & {row["object_class"] for row in others}
    assert own(api, mine, source(api, "https://mule.example.com/")) is None


@pytest.mark.parametrize(
    ("type", "object_class"),
    [
        ("validator", "fulfillment_request"),
        ("inquiring_validator", "fulfillment_request"),
        ("change_validator", "fulfillment_request"),
        ("draft_tcr_t1_val", "tier_config_request"),
        ("draft_tcr_t2_val", "tier_config_request"),
        ("tcr_setup_t1_inq_val", "tier_config_request"),
        ("tcr_setup_t2_inq_val", "tier_config_request"),
    ],
)
def test_a_listener_for_validations_has_its_webhook(api: Api, type: str, object_class: str) -> None:
    new = source(api, "https://mule.example.com/", type=type, object_class=object_class)
    made = done(api, api.vendor, "notifications/webhooks", new)
    assert own(api, api.vendor, new)["id"] == made["id"]
    assert call(api, api.vendor, "DELETE", f"notifications/webhooks/{made['id']}")[0] == 204


def test_a_listener_is_called_and_the_flow_reads_the_requests(api: Api) -> None:
    with receiving() as mule:
        new = source(api, mule.url)
        made = done(api, api.vendor, "notifications/webhooks", new)
        product = f"eq(asset.product.id,{new['product_id']})"
        query = f"({product}&eq(status,pending))&limit=2&offset=0"
        asked = listed(api, api.vendor, "requests", query)[0]["id"]
        template = {"request_id": asked, "template_id": "TL-1"}
        assert done(api, api.vendor, f"requests/{asked}/inquire", template)["status"] == "inquiring"
        deadline = time.monotonic() + 60
        while not mule.calls and time.monotonic() < deadline:
            time.sleep(0.1)
        got = mule.calls[0]
        # It takes the token from the header Authentication, and checks signature and expiration.
        scheme, token = got.headers["authentication"].split(" ")
        assert scheme == "Bearer"
        claims = jwt.decode(token, new["jwt_secret"], algorithms=["HS256"])
        event = json.loads(got.body)
        assert claims["webhook_id"] == event["webhook_id"] == made["id"]
        assert event["webhook_name"] == new["label"]
        assert event["object_class"] == "fulfillment_request"
        assert event["product_id"] == new["product_id"]
        assert event["account_id"] == VENDOR
        assert event["api_url"] == api.endpoint
        assert event["processing_timeout"] == 600
        assert event["triggered_at"]
        query = query.replace("pending", "inquiring")
        assert asked in {row["id"] for row in listed(api, api.vendor, "requests", query)}
        assert call(api, api.vendor, "DELETE", f"notifications/webhooks/{made['id']}")[0] == 204
    # An action without a payload has no body, one with the id alone sends that.
    assert done(api, api.vendor, f"requests/{asked}/pend", {"request_id": asked})["id"] == asked


# --- Actions --------------------------------------------------------------------------------------


def test_a_flow_assigns_answers_and_approves_a_request(api: Api) -> None:
    asked = listed(api, api.vendor, "requests", "eq(status,pending)&limit=100&offset=0")[-1]["id"]
    path = f"requests/{asked}"
    person = {"request_id": asked, "email": "robert@frontstreet.example", "force": True}
    assert done(api, api.vendor, f"{path}/assign", person)["assignee"]
    assert "assignee" not in done(api, api.vendor, f"{path}/unassign")
    params: dict[str, Any] = {"params": []}
    assert done(api, api.vendor, path, {"asset": params}, method="PUT")["id"] == asked
    told = {"request_id": asked, "template_id": "TL-1", "effective_date": "2026-01-01T00:00:00Z"}
    assert done(api, api.vendor, f"{path}/approve", told)["status"] == "approved"


def test_a_flow_answers_a_request_of_a_tier_configuration(api: Api) -> None:
    query = "eq(status,pending)&limit=100&offset=0"
    asked = listed(api, api.vendor, "tier/config-requests", query)[0]["id"]
    path = f"tier/config-requests/{asked}"
    for verb in ("inquire", "pend"):
        assert done(api, api.vendor, f"{path}/{verb}") is None
    told = {"tier_config_request_id": asked, "template": {"id": "TL-1"}}
    done(api, api.vendor, f"{path}/approve", told)
    assert done(api, api.vendor, path, method="GET")["status"] == "approved"


def test_a_flow_creates_and_changes_a_customer(api: Api) -> None:
    contact = {
        "first_name": "Jana",
        "last_name": "Bayer",
        "email": "jana.bayer@grimes.example",
        "phone_number": {
            "phone": "665 558 902",
            "area_code": "",
            "country_code": "+48",
            "extension": "",
            "phone_number": "665558902",
            "isValid": True,
        },
    }
    body = {
        "type": "customer",
        "name": "Grimes - Bayer",
        "external_id": "29665",
        "external_uid": str(uuid4()),
        "contact_info": {
            "address_line1": "Claud Street",
            "address_line2": "Koch Gardens",
            "city": "Jelenia Góra ",
            "state": "Dolnoslaskie",
            "postal_code": "58-500",
            "country": "PL",
            "contact": contact,
        },
        "tax_id": "X3LA66V4XY",
    }
    made = done(api, api.distributor, "tier/accounts", body)
    path = f"tier/accounts/{made['id']}"
    name = {"name": "Test TA Account for MuleSoft Extension (DO NOT DELETE)"}
    assert done(api, api.distributor, path, name, method="PUT")["name"] == name["name"]


def test_a_flow_opens_and_closes_a_case(api: Api) -> None:
    body = {
        "subject": "Test",
        "description": "Mulesoft operation test",
        "priority": 0,
        "type": "business",
        "receiver": {"account": {"id": VENDOR}},
    }
    case = done(api, api.distributor, "helpdesk/cases", body)["id"]
    for key, verb in (
        (api.vendor, "inquire"),
        (api.distributor, "pend"),
        (api.vendor, "resolve"),
        (api.distributor, "close"),
    ):
        told = {"case_id": case}
        assert done(api, key, f"helpdesk/cases/{case}/{verb}", told)["id"] == case

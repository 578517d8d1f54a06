"""Programs make the requests between companies and move them on; webhooks are told."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Account
from modules.models import (
    Asset,
    BillingRequest,
    Connection,
    FulfillmentRequest,
    Listing,
    ListingRequest,
    TierAccountRequest,
    TierConfig,
    TierConfigRequest,
)
from tests.conftest import Response
from tests.factories import TokenFactory
from tests.modules.conftest import Send
from tests.modules.test_writes import NEW, refused
from tests.webhooks.conftest import make
from tokens.catalog import Module
from tokens.models import Token
from webhooks.catalog import ObjectClass
from webhooks.models import Delivery, WebhookEvent

VENDOR, DISTRIBUTOR = "VA-044-420", "PA-063-101"
Do = Callable[..., Response]


@pytest.fixture(autouse=True)
def demo_records(db: None) -> None:
    call_command("demo", verbosity=0)


def everything(pk: str) -> Token:
    return TokenFactory(account=Account.objects.get(pk=pk), name="ERP", modules=(Module.ALL,))


@pytest.fixture
def vendor(send: Send) -> Do:
    token = everything(VENDOR)
    return lambda method, path, body=None: send(method, path, body, token)


@pytest.fixture
def buyer(send: Send) -> Do:
    token = everything(DISTRIBUTOR)
    return lambda method, path, body=None: send(method, path, body, token)


def between(model: Any, **fields: Any) -> Any:
    """Return a record of the demo between the two companies."""
    found = model.objects.filter(vendor=VENDOR, provider=DISTRIBUTOR, **fields).first()
    assert found is not None
    return found


def heard(object_class: ObjectClass, product_id: str, *companies: str) -> Callable[[], list[str]]:
    """Listen with a webhook of each company; return a function to what was queued for them."""
    hooks = {
        pk: make(
            Account.objects.get(pk=pk),
            label=f"{object_class} {pk}",
            object_class=object_class,
            product_id=product_id,
        )
        for pk in companies
    }
    WebhookEvent.objects.all().delete()

    def told() -> list[str]:
        rows = Delivery.objects.filter(webhook__in=hooks.values()).order_by("event_id")
        return [f"{each.webhook.account_id[:2]} {each.event.action}" for each in rows]

    return told


# --- Listing requests -----------------------------------------------------------------------------


@pytest.fixture
def listed(db: None) -> Listing:
    found = between(Listing, status="listed")
    assert isinstance(found, Listing)
    found.requests.all().delete()
    return found


def test_a_listing_is_ended_step_by_step(vendor: Do, buyer: Do, listed: Listing) -> None:
    told = heard(ObjectClass.LISTING_REQUEST, listed.product_id, VENDOR, DISTRIBUTOR)
    response = vendor("post", "listing-requests", {"type": "remove", "listing_id": listed.pk})
    assert response.status_code == 201, response.content
    made = response.json()
    assert made["id"].startswith(f"LSTR-{listed.pk[4:]}-")
    assert (made["state"], made["listing"]["id"]) == ("draft", listed.pk)
    path = f"listing-requests/{made['id']}"
    for who, action, state in (
        (vendor, "submit", "reviewing"),
        (buyer, "refine", "draft"),
        (vendor, "submit", "reviewing"),
        (buyer, "deploy", "deploying"),
        (buyer, "complete", "completed"),
    ):
        assert who("post", f"{path}/{action}").json()["state"] == state
    listed.refresh_from_db()
    assert listed.status == "unlisted"
    states = ["created", "reviewing", "draft", "reviewing", "deploying", "completed"]
    assert told() == [f"{side} {state}" for state in states for side in ("PA", "VA")]
    # And it can be listed again, by product and contract.
    body = {"type": "new", "product_id": listed.product_id, "contract_id": listed.contract_id}
    again = vendor("post", "listing-requests", body).json()
    assert again["listing"]["id"] == listed.pk
    assert again["id"] != made["id"]


def test_each_side_does_only_its_part_of_a_listing_request(
    vendor: Do, buyer: Do, listed: Listing
) -> None:
    body = {"type": "remove", "listing_id": listed.pk}
    refused(buyer("post", "listing-requests", body), status=403, code="AUTH_009")
    path = f"listing-requests/{vendor('post', 'listing-requests', body).json()['id']}"
    refused(vendor("post", "listing-requests", body), code="LST_002")
    refused(buyer("post", f"{path}/submit"), status=403, code="AUTH_009")
    for action in ("refine", "deploy", "complete", "assign"):
        refused(vendor("post", f"{path}/{action}"), status=403, code="AUTH_009")
    refused(buyer("post", f"{path}/complete"), "draft", "completed", code="LST_003")
    vendor("post", f"{path}/submit")
    refused(vendor("post", f"{path}/cancel"), status=403, code="AUTH_009")
    # The vendor sees that the distributor took it, but not with which of its tokens.
    assert buyer("post", f"{path}/assign").json()["assignee"]["name"] == "ERP"
    assert vendor("get", path).json()["assignee"]["id"] == DISTRIBUTOR
    assert "assignee" not in buyer("post", f"{path}/unassign").json()
    assert buyer("post", f"{path}/cancel").json()["state"] == "canceled"
    refused(buyer("post", f"{path}/assign"), code="LST_003")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "type: This field is required."),
        ({"type": "sell"}, "type: "),
        ({"type": "remove"}, "product_id: This field is required."),
        ({"type": "remove", "listing_id": "LST-000-000-000"}, "listing_id: "),
        ({"type": "new", "product_id": "PRD-000-000-000", "contract_id": "x"}, "product_id: "),
        ({"type": "remove", "listing_id": 7}, "listing_id: Must be a string."),
    ],
)
def test_a_wrong_listing_request_is_not_made(vendor: Do, body: dict[str, Any], text: str) -> None:
    before = ListingRequest.objects.count()
    refused(vendor("post", "listing-requests", body), text)
    assert ListingRequest.objects.count() == before


def test_a_listed_product_is_not_listed_twice(vendor: Do, listed: Listing) -> None:
    body = {"type": "new", "product_id": listed.product_id, "contract_id": listed.contract_id}
    refused(vendor("post", "listing-requests", body), code="LST_001")


# --- Tier configurations --------------------------------------------------------------------------


@pytest.fixture
def config(db: None) -> TierConfig:
    found = between(TierConfig, status="active")
    assert isinstance(found, TierConfig)
    return found


def update_of(config: TierConfig, value: str = "P-1") -> dict[str, Any]:
    return {
        "configuration": {"id": config.pk},
        "params": [{"id": "partner_number", "value": value}],
    }


def test_an_approved_request_changes_its_configuration(
    vendor: Do, buyer: Do, config: TierConfig
) -> None:
    told = heard(ObjectClass.TIER_CONFIG_REQUEST, config.product_id, VENDOR, DISTRIBUTOR)
    response = buyer("post", "tier/config-requests", update_of(config))
    assert response.status_code == 201, response.content
    made = response.json()
    assert (made["type"], made["status"], made["params"][0]["value"]) == (
        "update",
        "pending",
        "P-1",
    )
    assert made["configuration"]["params"][0]["value"] != "P-1"
    path = f"tier/config-requests/{made['id']}"
    for who, action in ((vendor, "inquire"), (buyer, "pend")):
        response = who("post", f"{path}/{action}")
        assert (response.status_code, response.content) == (204, b"")
    error = {"params": [{"id": "partner_number", "value_error": "Too short."}], "notes": "See."}
    assert vendor("put", path, error).json()["params"][0]["value_error"] == "Too short."
    done = vendor("post", f"{path}/approve", {"template": {"id": "TL-000-000-000"}})
    assert done.json()["configuration"]["params"][0]["value"] == "P-1"
    refused(vendor("post", f"{path}/fail", {"reason": "No."}), "approved", code="TCR_003")
    refused(buyer("put", path, {"notes": "Late."}), "approved", code="TCR_003")
    actions = ["created", "inquiring", "pending", "updated", "approved"]
    assert told() == [f"{side} {action}" for action in actions for side in ("PA", "VA")]


def test_each_side_does_only_its_part_of_a_configuration(
    vendor: Do, buyer: Do, config: TierConfig
) -> None:
    made = buyer("post", "tier/config-requests", update_of(config)).json()
    path = f"tier/config-requests/{made['id']}"
    for action in ("approve", "fail", "inquire", "assign", "unassign"):
        refused(buyer("post", f"{path}/{action}"), status=403, code="AUTH_009")
    refused(buyer("post", "tier/config-requests", update_of(config)), code="TCR_002")
    refused(buyer("post", f"{path}/pend"), code="TCR_003")
    refused(vendor("post", f"{path}/assign", {"id": "UR-000-000-000"}), "no such person")
    refused(vendor("post", f"{path}/assign"), "id or email")
    assert vendor("post", f"{path}/fail", {"reason": "Unknown."}).status_code == 204
    assert buyer("get", path).json()["reason"] == "Unknown."


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"configuration": {}}, "configuration.id: This field is required."),
        ({"configuration": {"id": "TC-000-000-000"}}, "configuration.id: "),
        ({"params": {}}, "params: Must be a list of objects."),
        ({"params": ["x"]}, "params: Must be a list of objects."),
        ({"params": [{"id": "nothing"}]}, "params[0].id: "),
        ({"params": [{"id": ["x"]}]}, "params[0].id: "),
        ({"params": [{"id": "partner_number", "value": 7}]}, "params[0].value: "),
        ({"params": [{"id": "partner_number", "value": "x" * 2049}]}, "params[0].value: "),
        ({"notes": "x" * 2001}, "notes: "),
        ({"type": "other"}, "type: "),
    ],
)
def test_a_wrong_request_for_a_configuration_is_not_made(
    buyer: Do, config: TierConfig, change: dict[str, Any], text: str
) -> None:
    before = TierConfigRequest.objects.count()
    refused(buyer("post", "tier/config-requests", {**update_of(config), **change}), text)
    assert TierConfigRequest.objects.count() == before


def test_a_configuration_that_is_set_up_is_not_set_up_again(buyer: Do, config: TierConfig) -> None:
    refused(
        buyer("post", "tier/config-requests", {**update_of(config), "type": "setup"}),
        code="TCR_001",
    )


def test_a_purchase_goes_on_once_the_reseller_is_set_up(send: Send) -> None:
    waiting = FulfillmentRequest.objects.filter(status="tiers_setup").first()
    assert waiting is not None
    setup = TierConfigRequest.objects.filter(
        status="pending",
        configuration__customer=waiting.asset.reseller_id,
        configuration__product=waiting.asset.product_id,
    ).get()
    owner = everything(setup.vendor_id)
    response = send("post", f"tier/config-requests/{setup.pk}/approve", None, owner)
    assert response.status_code == 200
    waiting.refresh_from_db()
    assert waiting.status == "pending"


@pytest.mark.parametrize("sent", [[], None])
def test_no_parameters_change_none(vendor: Do, config: TierConfig, sent: list[Any] | None) -> None:
    made = vendor("post", "tier/config-requests", {**update_of(config), "params": sent})
    assert made.status_code == 201, made.content
    assert made.json()["params"] == made.json()["configuration"]["params"]
    path = f"tier/config-requests/{made.json()['id']}"
    assert vendor("put", path, {"params": sent}).status_code == 200


# --- Customers ------------------------------------------------------------------------------------


@pytest.fixture
def bought(db: None) -> Asset:
    found = between(Asset, status="active")
    assert isinstance(found, Asset)
    FulfillmentRequest.objects.filter(asset=found).exclude(status="approved").delete()
    return found


def test_a_vendor_accepts_changed_data_of_a_customer(vendor: Do, buyer: Do, bought: Asset) -> None:
    told = heard(ObjectClass.TIER_ACCOUNT_REQUEST, bought.product_id, VENDOR, DISTRIBUTOR)
    version = bought.customer.version
    for number, (action, status) in enumerate((("accept", "accepted"), ("ignore", "ignored")), 1):
        account = {"external_uid": bought.customer.external_uid, "contact_info": {"city": "Porto"}}
        response = buyer("post", "tier/account-requests", {"type": "update", "account": account})
        assert response.status_code == 201, response.content
        path = f"tier/account-requests/{response.json()['id']}"
        pending = vendor("get", path).json()
        assert pending["account"]["version"] == version + number
        assert pending["account"]["contact_info"]["city"] == "Porto"
        body = {"reason": "Not used."} if action == "ignore" else None
        refused(buyer("post", f"{path}/{action}", body), status=403, code="AUTH_009")
        assert vendor("post", f"{path}/{action}", body).json()["status"] == status
        refused(vendor("post", f"{path}/accept"), status, code="TAR_002")
    assert {"VA created", "VA accepted", "PA ignored"} <= set(told())


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ({}, "account.id: This field is required."),
        ({"id": "TA-0000-0000-0000"}, "account.id: Your account has no such customer."),
        ({"external_uid": "nobody"}, "account.external_uid: "),
        ({"id": "TA-0000-0000-0000", "name": ""}, "account.name: "),
    ],
)
def test_a_wrong_request_about_a_customer_changes_nothing(
    buyer: Do, sent: dict[str, Any], text: str
) -> None:
    before = TierAccountRequest.objects.count()
    refused(buyer("post", "tier/account-requests", {"type": "update", "account": sent}), text)
    assert TierAccountRequest.objects.count() == before


# --- Billing --------------------------------------------------------------------------------------


def bill(asset: Asset) -> dict[str, Any]:
    return {
        "asset_id": asset.pk,
        "items": [{"id": asset.items.all()[0].item_id, "quantity": 3}],
        "period_from": "2026-01-01T00:00:00+00:00",
        "period_to": "2026-02-01T00:00:00+00:00",
        "period_delta": 1,
        "period_uom": "monthly",
    }


def test_a_vendor_bills_and_a_distributor_bills_unseen(
    vendor: Do, buyer: Do, bought: Asset
) -> None:
    told = heard(ObjectClass.BILLING_REQUEST, bought.product_id, VENDOR, DISTRIBUTOR)
    response = vendor("post", "subscriptions/requests", bill(bought))
    assert response.status_code == 201, response.content
    theirs = response.json()
    assert theirs["id"].startswith("BRV-")
    assert theirs["items"][0]["quantity"] == 3
    path = f"subscriptions/requests/{theirs['id']}"
    answer = buyer("put", f"{path}/attributes", {"provider": {"order": "1"}})
    assert answer.json()["attributes"] == {"vendor": {}, "provider": {"order": "1"}}
    refused(
        buyer("put", f"{path}/attributes", {"vendor": {"order": "2"}}),
        status=403,
        code="AUTH_009",
    )
    # As the official connectors send it.
    body = {
        "asset": {"external_uid": bought.external_uid},
        "type": "provider",
        "items": bill(bought)["items"],
        "attributes": {"provider": {"CC": "AA"}},
        "period": {
            "from": "2026-01-01T00:00:00.000Z",
            "to": "2027-01-01T00:00:00.000Z",
            "delta": 1,
            "uom": "yearly",
        },
    }
    own = buyer("post", "subscriptions/requests", body).json()
    assert own["id"].startswith("BRP-")
    assert vendor("get", f"subscriptions/requests/{own['id']}").status_code == 404
    assert told() == ["PA created", "VA created", "PA updated", "VA updated", "PA created"]
    kept = f"subscriptions/requests/{own['id']}/attributes"
    assert buyer("put", kept, {"provider": {}}).json()["attributes"]["provider"] == {}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"asset_id": "AS-0000-0000-0000"}, "asset_id: "),
        ({"asset_id": None}, "asset_id: "),
        ({"items": []}, "items: "),
        ({"items": [{"id": "nothing"}]}, "items[0].id: "),
        ({"type": "provider"}, "type: "),
        ({"period_to": "2025-01-01T00:00:00+00:00"}, "period_to: "),
        ({"period_from": "9999-01-01T00:00:00+00:00"}, "period_from: "),
        ({"period_delta": "1"}, "period_delta: Must be a number."),
        ({"period_delta": -1}, "period_delta: "),
        ({"period_uom": "weekly"}, "period_uom: "),
        ({"attributes": []}, "attributes: Must be an object."),
    ],
)
def test_a_wrong_billing_request_is_not_made(
    vendor: Do, bought: Asset, change: dict[str, Any], text: str
) -> None:
    before = BillingRequest.objects.count()
    refused(vendor("post", "subscriptions/requests", {**bill(bought), **change}), text)
    assert BillingRequest.objects.count() == before


# --- Orders ---------------------------------------------------------------------------------------


@pytest.fixture
def order(db: None) -> dict[str, Any]:
    """Return the body of a purchase by a new customer."""
    asset = between(Asset, status="active", connection__type="production")
    return {
        "type": "purchase",
        "asset": {
            "external_id": "order-1",
            "connection": {"id": asset.connection_id},
            "items": [{"id": asset.product.items.all()[0].pk, "quantity": 5}],
            "params": [{"id": "domain", "value": "ruiz.example"}],
            "tiers": {"customer": {key: NEW[key] for key in ("name", "contact_info")}},
        },
    }


def test_an_order_is_placed_and_fulfilled(vendor: Do, buyer: Do, order: dict[str, Any]) -> None:
    product = Connection.objects.get(pk=order["asset"]["connection"]["id"]).product_id
    told = heard(ObjectClass.FULFILLMENT_REQUEST, product, VENDOR, DISTRIBUTOR)
    response = buyer("post", "requests", order)
    assert response.status_code == 201, response.content
    made = response.json()
    assert (made["status"], made["asset"]["status"]) == ("pending", "processing")
    (item,) = made["asset"]["items"]
    assert (item["quantity"], item["old_quantity"]) == ("5", "0")
    path = f"requests/{made['id']}"
    assert vendor("put", path, {"note": "Soon."}).json()["note"] == "Soon."
    done = vendor("post", f"{path}/approve", {"activation_tile": "Welcome"}).json()
    assert (done["asset"]["status"], done["activation_key"]) == ("active", "Welcome")
    asset = made["asset"]["id"]
    assert vendor("get", f"subscriptions/assets/{asset}").json()["items"][0]["quantity"] == 5
    # And changed.
    change = {
        "type": "change",
        "asset": {"id": asset, "items": [{"id": item["global_id"], "quantity": 8}]},
    }
    pending = buyer("post", "requests", change).json()
    assert pending["asset"]["items"][0]["old_quantity"] == "5"
    refused(buyer("post", "requests", change), code="REQ_002")
    vendor("post", f"requests/{pending['id']}/approve")
    assert vendor("get", f"assets/{asset}").json()["items"][0]["quantity"] == 8
    # And ended.
    for kind, status in (("suspend", "suspended"), ("resume", "active"), ("cancel", "terminated")):
        asked = buyer("post", "requests", {"type": kind, "asset": {"id": asset}}).json()
        done = vendor("post", f"requests/{asked['id']}/approve").json()
        assert done["asset"]["status"] == status
    refused(buyer("post", "requests", {"type": "resume", "asset": {"id": asset}}), code="REQ_001")
    assert told()[:6] == [
        f"{side} {action}" for action in ("created", "updated", "approved") for side in ("PA", "VA")
    ]


def test_a_draft_waits_until_it_is_sent(vendor: Do, buyer: Do, order: dict[str, Any]) -> None:
    draft = buyer("post", "requests", {**order, "status": "draft"}).json()
    assert (draft["status"], draft["asset"]["status"]) == ("draft", "draft")
    path = f"requests/{draft['id']}"
    refused(vendor("post", f"{path}/approve"), code="REQ_003")
    refused(vendor("post", f"{path}/pend"), code="REQ_003")
    refused(vendor("post", f"{path}/purchase"), status=403, code="AUTH_009")
    sent = buyer("post", f"{path}/purchase").json()
    assert (sent["status"], sent["asset"]["status"]) == ("pending", "processing")
    done = vendor("post", f"{path}/fail", {"reason": "No stock."}).json()
    assert done["asset"]["status"] == "terminated"


def test_only_the_distributor_orders(vendor: Do, order: dict[str, Any]) -> None:
    refused(vendor("post", "requests", order), status=403, code="AUTH_009")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"connection": {"id": "CT-0000-0000-0000"}}, "asset.connection.id: "),
        ({"items": []}, "asset.items: "),
        ({"items": [{"id": "nothing", "quantity": 1}]}, "asset.items[0].id: "),
        ({"items": [{"quantity": 1}]}, "asset.items[0].id: "),
        ({"tiers": {}}, "asset.tiers.customer: "),
        ({"tiers": {"customer": {"name": "Ruiz"}}}, "asset.tiers.customer.contact_info.city: "),
        ({"tiers": {"customer": {"id": "TA-0000-0000-0000"}}}, "asset.tiers.customer.id: "),
        ({"params": [{"value": "x"}]}, "asset.params[0].id: "),
        ({"params": [{"id": "x", "value": "y"}] * 51}, "asset.params: "),
        ({"external_id": "x" * 101}, "asset.external_id: "),
    ],
)
def test_a_wrong_order_leaves_nothing(
    buyer: Do, order: dict[str, Any], change: dict[str, Any], text: str
) -> None:
    before = Asset.objects.count(), FulfillmentRequest.objects.count()
    body = {**order, "asset": {**order["asset"], **change}}
    refused(buyer("post", "requests", body), text)
    assert (Asset.objects.count(), FulfillmentRequest.objects.count()) == before


@pytest.mark.parametrize("quantity", [-1, 1.5, "x", None, True, 10**30, 1e300, [1]])
def test_an_order_of_an_odd_quantity_is_refused(
    buyer: Do, order: dict[str, Any], quantity: Any
) -> None:
    order["asset"]["items"][0]["quantity"] = quantity
    refused(buyer("post", "requests", order), "asset.items[0].quantity: ")

"""Conditions of webhooks are asked once all of a change is written, not in the midst of it."""

from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Account
from modules.models import Asset, TierConfigRequest
from tests.factories import TokenFactory
from tests.modules.conftest import Send
from tests.modules.test_request_writes import DISTRIBUTOR, VENDOR, between
from tests.modules.test_writes import NEW
from tests.webhooks.conftest import make
from tokens.catalog import Module
from tokens.models import Token
from webhooks.catalog import ObjectClass
from webhooks.models import Delivery, Webhook


@pytest.fixture(autouse=True)
def demo_records(db: None) -> None:
    call_command("demo", verbosity=0)


def program(account: str) -> Token:
    owner = Account.objects.get(pk=account)
    return TokenFactory(account=owner, name="ERP", modules=(Module.ALL,))


def listen(condition: str, object_class: ObjectClass = ObjectClass.FULFILLMENT_REQUEST) -> Webhook:
    owner = Account.objects.get(pk=VENDOR)
    return make(owner, label=condition, object_class=object_class, condition=condition)


def told(webhook: Webhook) -> list[tuple[str, str]]:
    rows = Delivery.objects.filter(webhook=webhook).order_by("event_id")
    return [(each.event.action, each.event.object_id) for each in rows]


def test_an_order_is_known_with_its_items_and_then_with_its_subscription(send: Send) -> None:
    asset = between(Asset, status="active", connection__type="production")
    item = asset.product.items.all()[0]
    body: dict[str, Any] = {
        "type": "purchase",
        "asset": {
            "external_id": "order-1",
            "connection": {"id": asset.connection_id},
            "items": [{"id": item.pk, "quantity": 5}],
            "params": [{"id": "domain", "value": "ruiz.example"}],
            "tiers": {"customer": {key: NEW[key] for key in ("name", "contact_info")}},
        },
    }
    wants = f"and(eq(asset.items.global_id,{item.pk}),eq(asset.items.quantity,5),eq(action,{{}}))"
    ordered, other = listen(wants.format("created")), listen("eq(asset.items.quantity,6)")
    running = listen("eq(asset.status,active)")
    response = send("post", "requests", body, program(DISTRIBUTOR))
    assert response.status_code == 201, response.content
    made = response.json()["id"]
    assert told(ordered) == [("created", made)]
    assert told(running) == told(other) == []
    response = send("post", f"requests/{made}/approve", None, program(VENDOR))
    assert response.status_code == 200, response.content
    assert told(running) == [("approved", made)]


def test_an_approved_configuration_is_known_as_active(send: Send) -> None:
    request = between(TierConfigRequest, status="pending", type="setup")
    done = listen("eq(configuration.status,active)", ObjectClass.TIER_CONFIG_REQUEST)
    response = send("post", f"tier/config-requests/{request.pk}/approve", None, program(VENDOR))
    assert response.status_code == 200, response.content
    assert ("approved", request.pk) in told(done)

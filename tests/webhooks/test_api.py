"""`/notifications/webhooks`: what programs read and write."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from tests.conftest import Call, Person
from tests.factories import ContractFactory, ProductFactory, TokenFactory
from tests.webhooks.conftest import SECRET, Hooks, make
from tokens.catalog import Module
from tokens.models import Token
from webhooks.catalog import Type
from webhooks.models import Delivery, Webhook, WebhookSecret

# As the connector for Zapier sends it.
ZAP = {
    "label": "[Zap-184] New order",
    "object_class": "fulfillment_request",
    "external_url": "https://hooks.zapier.example/hooks/standard/184/",
    "jwt_secret": SECRET,
    "active": True,
    "description": "",
    "http_method": "POST",
    "data": {},
    "headers": {"Content-Type": "application/json"},
}
OURS = {**ZAP, "object_class": "token", "label": "Token Watch"}


@pytest.fixture
def product(account: Account) -> Any:
    """Return a product that the account may sell."""
    product = ProductFactory()
    ContractFactory(vendor=product.vendor, provider=account)
    return product


def test_a_webhook_is_made_and_shown_as_connect_shows_it(hooks: Hooks, product: Any) -> None:
    response = hooks("post", body={**ZAP, "product_id": product.pk})
    assert response.status_code == 201, response.content
    body = response.json()
    assert body["id"].startswith("WH-")
    assert {name: body[name] for name in ZAP if name != "description"} == {
        name: value for name, value in ZAP.items() if name != "description"
    }
    assert body["product"] == {"id": product.pk, "name": product.name}
    assert body["type"] == "event"
    assert body["api_url"].endswith("/public/v1")
    assert body["stats"] == {
        "events": 0,
        "triggers": 0,
        "success_triggers": 0,
        "failure_triggers": 0,
        "failure_since_last_success": 0,
    }
    assert hooks("get", f"/{body['id']}").json() == body
    assert hooks("get").json() == [body]


def test_a_connector_finds_its_webhook_by_the_secret(hooks: Hooks) -> None:
    hooks("post", body=OURS)
    [found] = hooks("get").json()
    assert found["jwt_secret"] == SECRET
    assert hooks("get")["Cache-Control"] == "no-store"


def test_the_secret_is_stored_sealed_only(hooks: Hooks, account: Account) -> None:
    hooks("post", body=OURS)
    webhook = Webhook.objects.get()
    for row in (webhook, *WebhookSecret.objects.all(), *Event.objects.all()):
        stored = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
        assert SECRET not in repr(stored)
        assert SECRET.encode() not in b"".join(
            bytes(value) for value in stored.values() if isinstance(value, bytes | memoryview)
        )


def test_reading_the_secrets_is_recorded_once_a_day(hooks: Hooks, boss: Token) -> None:
    make(boss.account)
    for _ in range(3):
        hooks("get")
    [event] = Event.objects.filter(action=Action.WEBHOOK_SECRET_SEEN)
    assert event.actor_id == boss.pk


def test_a_list_without_webhooks_records_nothing(hooks: Hooks) -> None:
    assert hooks("get").json() == []
    assert not Event.objects.filter(action=Action.WEBHOOK_SECRET_SEEN).exists()


def test_data_may_have_numbers_of_any_size(hooks: Hooks, webhook: Webhook) -> None:
    """PostgreSQL returns 1e20 as an integer, of more bits than most programs write as JSON."""
    assert hooks("put", f"/{webhook.pk}", {"data": {"large": 1e20}}).status_code == 200
    (shown,) = hooks("get").json()
    assert shown["data"] == {"large": 10**20}
    assert hooks("put", f"/{webhook.pk}", {"label": "ERP"}).status_code == 200


def test_an_update_keeps_what_the_body_lacks(hooks: Hooks, account: Account) -> None:
    webhook = make(account, headers={"X-Source": "connect"})
    # As the connector for MuleSoft does it, with the id in the body.
    response = hooks("put", f"/{webhook.pk}", {"id": webhook.pk, "active": False})
    assert response.status_code == 200, response.content
    webhook.refresh_from_db()
    assert not webhook.active
    assert webhook.headers == {"X-Source": "connect"}
    assert response.json()["label"] == "Token Watch"
    assert response.json()["jwt_secret"] == SECRET


def test_an_update_can_replace_the_secret(hooks: Hooks, account: Account) -> None:
    webhook = make(account)
    assert (
        hooks("put", f"/{webhook.pk}", {"jwt_secret": "another"}).json()["jwt_secret"] == "another"
    )
    assert WebhookSecret.objects.filter(webhook=webhook, kind="jwt").count() == 1


def test_a_deleted_webhook_is_gone(hooks: Hooks, account: Account) -> None:
    webhook = make(account)
    assert hooks("delete", f"/{webhook.pk}").status_code == 204
    assert hooks("get", f"/{webhook.pk}").status_code == 404
    assert Event.objects.filter(action=Action.WEBHOOK_DELETED, subject_id=webhook.pk).exists()


def test_a_trigger_queues_a_test_event(hooks: Hooks, account: Account) -> None:
    webhook = make(account)
    assert hooks("post", f"/{webhook.pk}/trigger").status_code == 200
    assert Delivery.objects.get(webhook=webhook).event.is_test


def test_a_validator_is_kept_but_cannot_be_triggered(hooks: Hooks, product: Any) -> None:
    body = {**ZAP, "product_id": product.pk, "type": Type.DRAFT_TCR_T1_VAL}
    made = hooks("post", body=body).json()
    assert made["type"] == "draft_tcr_t1_val"
    response = hooks("post", f"/{made['id']}/trigger")
    assert response.status_code == 400
    assert "never calls it" in response.json()["errors"][0]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"label": ""}, "label"),
        ({"external_url": "chat.example"}, "external_url"),
        ({"external_url": "ftp://chat.example/"}, "external_url"),
        ({"external_url": "https://user:word@chat.example/"}, "external_url"),
        ({"external_url": "https://chat.example/#part"}, "external_url"),
        ({"external_url": "https://chat.example:99999/"}, "external_url"),
        ({"http_method": "PUT"}, "http_method"),
        ({"object_class": "invoice"}, "object_class"),
        ({"jwt_secret": ""}, "jwt_secret"),
        ({"jwt_secret": "with blanks in it"}, "jwt_secret"),
        ({"headers": {"Host": "chat.example"}}, "headers"),
        ({"headers": {"webhook-id": "1"}}, "headers"),
        ({"headers": {"X-Source": "one\r\nX-Two: 2"}}, "headers"),
        ({"headers": {"X Source": "one"}}, "headers"),
        ({"headers": {"X-Source": 7}}, "headers"),
        ({"headers": {"X-Source": "one", "x-source": "two"}}, "headers"),
        ({"headers": {f"X-{n}": "" for n in range(21)}}, "headers"),
        ({"headers": ["X-Source"]}, "headers"),
        ({"data": "text"}, "data"),
        ({"data": {"long": "x" * 9000}}, "data"),
        ({"object_class": "usage_file"}, "product_id"),
        ({"object_class": "usage_file", "product_id": "PRD-000-000-000"}, "product_id"),
    ],
)
def test_a_mistake_is_named_by_its_field(hooks: Hooks, change: dict[str, Any], field: str) -> None:
    response = hooks("post", body={**OURS, **change})
    assert response.status_code == 400
    assert field in response.json()["errors"][0]
    assert not Webhook.objects.exists()


def test_the_product_must_be_visible_to_the_account(hooks: Hooks) -> None:
    response = hooks("post", body={**ZAP, "product_id": ProductFactory().pk})
    assert response.status_code == 400
    assert "product_id" in response.json()["errors"][0]


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_another_accounts_webhook_is_not_found(hooks: Hooks, stranger: Person, method: str) -> None:
    webhook = make(stranger.account)
    assert hooks(method, f"/{webhook.pk}").status_code == 404
    assert hooks("post", f"/{webhook.pk}/trigger").status_code == 404
    assert hooks("get").json() == []


def test_it_needs_the_module_integrations(call: Call, account: Account) -> None:
    reader = TokenFactory(account=account, name="Reader", modules=(Module.PRODUCTS,))
    assert call("notifications/webhooks", reader).status_code == 403


def test_lists_can_be_filtered_by_what_connect_offers(hooks: Hooks, account: Account) -> None:
    webhook = make(account)
    make(account, label="Other", active=False)
    for query in ("label=Token Watch", "ilike(label,*watch)", "active=true", f"id={webhook.pk}"):
        found = hooks("get", f"?{query}").json()
        assert [each["id"] for each in found] == [webhook.pk], query


def test_the_model_refuses_what_the_api_refuses(account: Account) -> None:
    with pytest.raises(ValidationError):
        make(account, headers={"Cookie": "a=b"})

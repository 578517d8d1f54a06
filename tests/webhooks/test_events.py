"""Which changes become deliveries, and for whom."""

from operator import attrgetter
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Model
from django.forms import SplitDateTimeField
from django.test import Client

from accounts.models import Account, User
from modules.changes import TOLD
from modules.models import FulfillmentRequest, UsageFile
from tests.conftest import Call, Person, confirmed
from tests.factories import TokenFactory
from tests.webhooks.conftest import make
from tokens.catalog import Module
from tokens.models import Token
from webhooks import outbox
from webhooks.catalog import ObjectClass
from webhooks.models import Delivery, Webhook, WebhookEvent

JSON = "application/json"


def actions() -> list[str]:
    return list(WebhookEvent.objects.order_by("pk").values_list("action", flat=True))


def test_every_verb_of_a_token_is_an_event(token: Token, webhook: Webhook) -> None:
    token.disable(by=None)
    token.enable(by=None)
    token.rotate(by=None)
    token.remove(by=None)
    assert actions() == ["disabled", "enabled", "rotated", "deleted"]
    assert Delivery.objects.filter(webhook=webhook, event__object_id=token.pk).count() == 4


def test_a_change_that_is_rolled_back_leaves_nothing(token: Token, webhook: Webhook) -> None:
    with transaction.atomic():
        token.disable(by=None)
        transaction.set_rollback(True)
    assert not WebhookEvent.objects.exists()
    assert not Delivery.objects.exists()


def test_what_is_left_of_a_change_is_told(token: Token, webhook: Webhook) -> None:
    with outbox.whole_change():
        with transaction.atomic():
            token.disable(by=None)
            transaction.set_rollback(True)
        token.refresh_from_db()
        token.rotate(by=None)
        assert not Delivery.objects.exists()
    assert [each.event.action for each in Delivery.objects.all()] == ["rotated"]


def test_a_whole_change_that_fails_leaves_nothing(token: Token, webhook: Webhook) -> None:
    def fail() -> None:
        with outbox.whole_change():
            token.disable(by=None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not WebhookEvent.objects.exists()
    # And the next one is told as ever.
    token.rotate(by=None)
    assert [each.event.action for each in Delivery.objects.all()] == ["rotated"]


def test_no_event_is_kept_that_nobody_listens_to(account: Account, token: Token) -> None:
    token.disable(by=None)
    assert not WebhookEvent.objects.exists()


def test_a_disabled_webhook_keeps_its_events(token: Token, webhook: Webhook) -> None:
    webhook.disable(by=None)
    token.disable(by=None)
    assert Delivery.objects.unfinished().filter(webhook=webhook).count() == 1


def test_another_account_hears_nothing(stranger: Person, token: Token) -> None:
    make(stranger.account)
    token.disable(by=None)
    assert not Delivery.objects.exists()


def test_validators_are_never_told(account: Account, token: Token) -> None:
    make(account, type="validator")
    token.disable(by=None)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("model", TOLD, ids=lambda model: model.__name__)
def test_every_kind_of_business_record_tells_its_companies_of_a_change(
    db: None, model: type[Model]
) -> None:
    call_command("demo", verbosity=0)
    record: Any = model._default_manager.first()
    kind, state, product = TOLD[model]
    hooks = [
        make(Account.objects.get(pk=party), object_class=kind, label=f"{kind}")
        for party in sorted(record.parties)
    ]
    WebhookEvent.objects.all().delete()
    record.save()
    events = [*WebhookEvent.objects.order_by("account_id")]
    assert [each.account_id for each in events] == sorted(record.parties)
    for event in events:
        assert (event.object_class, event.action, event.object_id) == (kind, "updated", record.pk)
        assert event.object_status == (str(getattr(record, state)) if state else "")
        assert event.product_id == str(attrgetter(product)(record) or "")
    told = Delivery.objects.filter(webhook__in=[hook.pk for hook in hooks])
    assert {each.event_id for each in told} == {event.pk for event in events}


def test_every_object_class_has_events() -> None:
    assert {kind for kind, _state, _product in TOLD.values()} | {ObjectClass.TOKEN} == set(
        ObjectClass
    )


@pytest.fixture
def pending(db: None) -> FulfillmentRequest:
    call_command("demo", verbosity=0)
    WebhookEvent.objects.all().delete()
    found = FulfillmentRequest.objects.filter(status="pending").first()
    assert isinstance(found, FulfillmentRequest)
    return found


def listener(request: FulfillmentRequest, account: Account, **fields: Any) -> Webhook:
    return make(
        account,
        label="Orders",
        object_class=ObjectClass.FULFILLMENT_REQUEST,
        **{"product_id": request.asset.product_id, **fields},
    )


def test_an_approved_request_is_told_to_both_companies(
    call: Call, pending: FulfillmentRequest
) -> None:
    both = [listener(pending, each) for each in (pending.vendor, pending.provider)]
    seller = TokenFactory(account=pending.vendor, name="Seller", modules=(Module.SUBSCRIPTIONS,))
    response = call(f"requests/{pending.pk}/approve", seller, "post", content_type=JSON)
    assert response.status_code == 200, response.content
    assert response.json()["status"] == "approved"
    told = Delivery.objects.filter(event__object_id=pending.pk)
    assert {each.webhook_id for each in told} == {each.pk for each in both}
    event = WebhookEvent.objects.get(account=pending.vendor, object_id=pending.pk)
    assert (event.action, event.object_id, event.object_status) == (
        "approved",
        pending.pk,
        "approved",
    )


def test_an_event_says_who_made_the_change_as_the_account_may_know(
    call: Call, pending: FulfillmentRequest
) -> None:
    seller = TokenFactory(account=pending.vendor, name="Seller", modules=(Module.SUBSCRIPTIONS,))
    told = listener(pending, pending.vendor)
    listener(pending, pending.vendor, condition=f"ne(actor_id,{seller.pk})")
    other = listener(pending, pending.provider, condition=f"eq(actor_id,{pending.vendor_id})")
    call(f"requests/{pending.pk}/approve", seller, "post", content_type=JSON)
    events = WebhookEvent.objects.filter(object_id=pending.pk)
    actors = dict(events.values_list("account", "actor_name"))
    assert actors == {pending.vendor_id: "Seller", pending.provider_id: pending.vendor.name}
    told_to = Delivery.objects.filter(event__in=events).values_list("webhook", flat=True)
    assert {*told_to} == {told.pk, other.pk}


def test_a_change_in_the_admin_is_made_by_its_person(db: None) -> None:
    call_command("demo", verbosity=0)
    person = User.objects.get(email="admin@portal.example")
    client = Client()
    client.force_login(person, backend="accounts.backends.EmailBackend")
    confirmed(client)
    file = UsageFile.objects.all()[0]
    make(file.vendor, object_class=ObjectClass.USAGE_FILE)
    page = f"/admin/modules/usagefile/{file.pk}/change/"
    form = client.get(page).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in data.items() if value is not None}
    for name, field in form.fields.items():
        if isinstance(field, SplitDateTimeField) and field.required:
            data |= {f"{name}_0": "2026-01-31", f"{name}_1": "10:20"}
    response = client.post(page, data)
    assert response.status_code == 302, response.context["errors"]
    events = WebhookEvent.objects.filter(object_id=file.pk)
    assert [*events.values_list("actor_id", flat=True)] == [person.pk]


def test_only_the_vendor_approves(call: Call, pending: FulfillmentRequest) -> None:
    buyer = TokenFactory(account=pending.provider, name="Buyer", modules=(Module.SUBSCRIPTIONS,))
    assert (
        call(f"requests/{pending.pk}/approve", buyer, "post", content_type=JSON).status_code == 403
    )
    pending.refresh_from_db()
    assert pending.status == "pending"


def test_a_request_cannot_be_approved_twice(call: Call, pending: FulfillmentRequest) -> None:
    seller = TokenFactory(account=pending.vendor, name="Seller", modules=(Module.SUBSCRIPTIONS,))
    call(f"requests/{pending.pk}/approve", seller, "post", content_type=JSON)
    response = call(f"requests/{pending.pk}/approve", seller, "post", content_type=JSON)
    assert response.status_code == 400
    assert "cannot become approved" in response.json()["errors"][0]


def test_a_failed_request_needs_a_reason(call: Call, pending: FulfillmentRequest) -> None:
    seller = TokenFactory(account=pending.vendor, name="Seller", modules=(Module.SUBSCRIPTIONS,))
    assert call(f"requests/{pending.pk}/fail", seller, "post", content_type=JSON).status_code == 400
    body = {"reason": "No such customer."}
    response = call(
        f"requests/{pending.pk}/fail", seller, "post", data=body, content_type="application/json"
    )
    assert (response.json()["status"], response.json()["reason"]) == ("failed", "No such customer.")


def test_a_webhook_hears_of_its_own_product_only(pending: FulfillmentRequest) -> None:
    listener(pending, pending.vendor, product_id="PRD-000-000-000")
    pending.move(FulfillmentRequest.Status.INQUIRING)
    assert not Delivery.objects.exists()

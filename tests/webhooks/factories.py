"""Webhooks, and deliveries in each state."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account
from webhooks.catalog import ObjectClass
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent
from webhooks.outcomes import Outcome

# Refused without a look at the network. It was stored while the operator allowed its network.
URL = "https://10.20.30.40/hooks/orders"


def make_webhook(account: Account, label: str = "Orders to ERP", **kwargs: Any) -> Webhook:
    values = {"object_class": ObjectClass.FULFILLMENT_REQUEST, "by": None, **kwargs}
    public = URL.replace("10.20.30.40", "erp.example")
    webhook = Webhook.create(account=account, label=label, **{"external_url": public, **values})
    if webhook.external_url == public:
        webhook.external_url = URL
        webhook.save(update_fields=["external_url"])
    return webhook


def make_delivery(webhook: Webhook, object_id: str = "PR-1", **kwargs: Any) -> Delivery:
    """Return a delivery, by default one that was not tried yet."""
    if kwargs.get("failures"):
        kwargs = {"failing_since": timezone.now(), **kwargs}
    event = WebhookEvent.objects.create(
        account_id=webhook.account_id,
        object_class=webhook.object_class,
        action="approved",
        object_id=object_id,
    )
    return Delivery.objects.create(webhook=webhook, event=event, object_id=object_id, **kwargs)


def tried(delivery: Delivery, outcome: Outcome, code: int | None = None) -> Attempt:
    """Add a try to a delivery, whose result becomes its last."""
    delivery.tries += 1
    delivery.last_outcome, delivery.last_code = outcome, code
    delivery.save()
    return Attempt.objects.create(
        delivery=delivery,
        number=delivery.tries,
        outcome=outcome,
        code=code,
        duration=142,
        timings={"dns": 3, "connect": 5, "first_byte": 120, "total": 142},
        address="203.0.113.24",
        request_headers={"webhook-id": delivery.pk, "Authorization": "Bearer eyJ…"},
        request_body='{"webhook_id": "WH-1"}',
        answer_headers="Content-Type: text/html",
        answer="<h1>Deploy in progress</h1>",
    )


def delivered(webhook: Webhook, object_id: str = "PR-2") -> Delivery:
    delivery = make_delivery(
        webhook, object_id, state=Delivery.State.DELIVERED, done_at=timezone.now()
    )
    tried(delivery, Outcome.OK, 200)
    return delivery


def failing(webhook: Webhook, object_id: str = "PR-3") -> Delivery:
    due = timezone.now() + timedelta(minutes=17, seconds=30)
    delivery = make_delivery(
        webhook, object_id, failures=1, due_at=due, failing_since=timezone.now()
    )
    tried(delivery, Outcome.SERVER_ERROR, 503)
    return delivery


def given_up(webhook: Webhook, object_id: str = "PR-4") -> Delivery:
    now = timezone.now()
    over = {"state": Delivery.State.FAILED, "done_at": now, "failing_since": now, "failures": 10}
    delivery = make_delivery(webhook, object_id, **over)
    tried(delivery, Outcome.TOTAL_TIMEOUT)
    return delivery

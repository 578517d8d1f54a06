"""Deliveries of the demo, in every state, and a webhook that was disabled because of its endpoint.

None of them is ever sent: their webhooks are disabled.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account
from demo.companies import MICK
from webhooks import schedule
from webhooks.catalog import ObjectClass
from webhooks.models import Attempt, Delivery, Replay, Webhook, WebhookEvent, WebhookHealth
from webhooks.outcomes import Outcome

SECOND = timedelta(seconds=1)
# For how long the webhooks have existed.
CREATED = timedelta(days=45)
ORDERS, BILLING, TIERS = "WH-833-608-476", "WH-274-091-330", "WH-107-335-862"
# Deliveries of the first two: id, object, what happened, minutes ago, state, outcome and code of
# the last try, tries.
DONE, LOST, WAITS = Delivery.State.DELIVERED, Delivery.State.FAILED, Delivery.State.PENDING
OK, NONE = Outcome.OK, Outcome.NO_ADDRESS
SENT = {
    ORDERS: (
        ("WHD-0004-8213-0001", "PR-2439-5446-0871-001", "approved", 2, DONE, OK, 200, 1),
        ("WHD-0004-8212-0001", "PR-2439-5446-0868-001", "created", 46, DONE, OK, 200, 1),
        ("WHD-0004-8207-0001", "PR-2439-5446-0862-002", "inquiring", 138, DONE, OK, 204, 3),
        ("WHD-0004-8206-0001", "PR-2439-5446-0811-001", "created", 9000, LOST, NONE, None, 10),
    ),
    BILLING: (("WHD-0004-8209-0001", "UF-2026-11-9876-5432", "uploaded", 95, DONE, OK, 202, 1),),
}


def load(accounts: Mapping[str, Account]) -> None:
    """Add what is missing."""
    for id, samples in SENT.items():
        webhook = Webhook.objects.get(pk=id)
        if not Delivery.objects.of_webhook(webhook).exists():
            for sample in samples:
                add(webhook, *sample)
            sum_up(webhook)
    for number in ("0004-8207-0001", "0004-8209-0001"):
        send_again(f"WHR-{number}", f"WHD-{number}")
    if Webhook.objects.filter(pk=TIERS).exists():
        return
    tiers = Webhook.create(
        id=TIERS,
        account=accounts[MICK],
        by=None,
        label="Tier Sync, Old",
        object_class=ObjectClass.TIER_CONFIG_REQUEST,
        external_url="https://old.mightymicks.example/tiers",
        headers={"X-Source": "connect"},
        data={"queue": "tiers"},
        created_at=timezone.now() - CREATED,
    )
    error = Outcome.SERVER_ERROR
    for sample in (
        ("WHD-0004-7488-0001", "TCR-101-000-001", "approved", 12_000, DONE, OK, 200, 1),
        ("WHD-0004-7497-0001", "TCR-101-000-001", "edited", 9500, LOST, error, 503, 10),
        ("WHD-0004-7501-0001", "TCR-101-000-002", "created", 400, WAITS, error, 503, 5),
        ("WHD-0004-7502-0001", "TCR-101-000-002", "edited", 120, LOST, Outcome.GONE, 410, 1),
    ):
        add(tiers, *sample)
    waiting = event(tiers, "TCR-101-000-003", "created", timezone.now() - timedelta(minutes=90))
    Delivery.objects.create(
        id="WHD-0004-7503-0001", webhook=tiers, event=waiting, object_id=waiting.object_id
    )
    sum_up(tiers)
    tiers.disable(by=None, reason=Webhook.Disabled.GONE)


def send_again(id: str, delivery_id: str) -> None:
    """Let a delivery have been sent again, by somebody who looked for what had failed."""
    delivery = Delivery.objects.filter(pk=delivery_id, replay=None).first()
    if delivery and delivery.done_at:
        begun = {"created_at": delivery.done_at, "total": 1, "webhook_id": delivery.webhook_id}
        delivery.replay, _is_new = Replay.objects.get_or_create(id=id, defaults=begun)
        delivery.save()


def sum_up(webhook: Webhook) -> None:
    """Note in the health of a webhook what its deliveries and their tries came to."""
    tries = Attempt.objects.filter(delivery__webhook=webhook).order_by("at")
    good = tries.filter(outcome__in=[each for each in Outcome if each.is_delivered])
    bad = tries.exclude(pk__in=good)
    noted: dict[str, Any] = {
        "events": Delivery.objects.of_webhook(webhook).count(),
        "triggers": tries.count(),
        "successes": good.count(),
        "failures": bad.count(),
    }
    if success := good.last():
        noted |= {
            "last_success_at": success.at,
            "last_success_code": success.code,
            "last_success_ms": success.duration,
        }
    if failure := bad.last():
        noted |= {
            "last_failure_at": failure.at,
            "last_failure_code": failure.code,
            "last_failure_ms": failure.duration,
            "last_failure_outcome": failure.outcome,
        }
    WebhookHealth.objects.filter(webhook=webhook).update(**noted)


def event(webhook: Webhook, object_id: str, action: str, at: datetime) -> WebhookEvent:
    return WebhookEvent.objects.create(
        account_id=webhook.account_id,
        object_class=webhook.object_class,
        action=action,
        object_id=object_id,
        at=at,
    )


def after(number: int) -> timedelta:
    """Return how long after the first try another one was made."""
    return sum(schedule.STEPS[: number - 1], timedelta())


def add(
    webhook: Webhook,
    id: str,
    object_id: str,
    action: str,
    minutes: int,
    state: str,
    outcome: Outcome,
    code: int | None,
    tries: int,
) -> None:
    """Add a delivery that was tried: all tries but the last met an error of the server."""
    at = timezone.now() - timedelta(minutes=minutes)
    failures = tries - (state == DONE)
    waits = {"due_at": timezone.now() + timedelta(hours=4)}
    delivery = Delivery.objects.create(
        id=id,
        webhook=webhook,
        event=event(webhook, object_id, action, at),
        object_id=object_id,
        created_at=at,
        state=state,
        **(waits if state == WAITS else {"due_at": at, "done_at": at + after(tries) + SECOND}),
        tries=tries,
        failures=failures,
        failing_since=at + SECOND if failures else None,
        last_outcome=outcome,
        last_code=code,
    )
    for number in range(1, tries + 1):
        is_last = number == tries
        came: dict[str, Any] = {"outcome": outcome, "code": code}
        Attempt.objects.create(
            delivery=delivery,
            number=number,
            at=at + after(number),
            duration=140 + number,
            **(came if is_last else {"outcome": Outcome.SERVER_ERROR, "code": 503}),
            request_headers={
                "Authorization": "Bearer …",
                "Content-Type": "application/json",
                "webhook-id": id,
                **webhook.headers,
            },
            request_body=json.dumps({"webhook_id": webhook.pk, "data": webhook.data}),
            answer_headers="Content-Type: text/plain" if code or not is_last else "",
            answer="" if is_last else "Deploy in progress",
        )

"""Webhooks of the account, with endpoints on loopback."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from django.db import connection

from accounts.models import Account
from tests.webhooks.engine.receiver import Receiver, receiving
from webhooks.catalog import ObjectClass
from webhooks.models import Delivery, Webhook, WebhookEvent
from webhooks.outbox import queue
from webhooks.worker import Worker


class MakeWebhook(Protocol):
    def __call__(self, url: str = "", **fields: Any) -> Webhook: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def make_webhook(account: Account) -> MakeWebhook:
    """Return a function that makes webhooks about tokens."""

    def make(url: str = "", **fields: Any) -> Webhook:
        fields = {"label": "ERP", "object_class": ObjectClass.TOKEN, "account": account, **fields}
        url = url or "http://127.0.0.1:9/hook"
        return Webhook.create(external_url=url, by=None, **fields)

    return make


@pytest.fixture
def webhook(make_webhook: MakeWebhook, receiver: Receiver) -> Webhook:
    return make_webhook(receiver.url)


def happen(webhook: Webhook, times: int = 1, **fields: Any) -> list[Delivery]:
    """Let something happen that the webhook is told of; return the deliveries."""
    fields = {"action": "created", "object_id": "SU-160-984-311", **fields}
    return [
        queue(
            WebhookEvent.objects.create(
                account_id=webhook.account_id, object_class=webhook.object_class, **fields
            ),
            [webhook],
        )[0]
        for _ in range(times)
    ]


def deliver() -> None:
    """Deliver all that is due now."""
    Worker().run_until_idle()


def seen(delivery: Delivery) -> Delivery:
    """Return the row as it is now."""
    return Delivery.objects.select_related("webhook__health", "event").get(pk=delivery.pk)


def steps(work: Callable[[], object]) -> int:
    """Return how many steps SQLite makes for something."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.connection.set_progress_handler(step, 1)
    work()
    connection.connection.set_progress_handler(None, 1)
    return count

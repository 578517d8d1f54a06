"""What one would write first: a Celery task for each delivery, called once the change is committed.

    python -m celery -A tests.bench.naive worker

It makes the same call as the portal and keeps the same rows. It has no lease, no fairness and no
room per endpoint, and what is committed before the broker took the task is lost.
"""

import os

import django
from celery import Celery
from django.apps import apps
from django.db import transaction
from django.db.models import F
from django.utils import timezone

if not apps.ready:
    django.setup()

# These need the loaded models.
from celery.signals import worker_ready

from webhooks import send
from webhooks.models import Attempt, Delivery, DeliveryWorker, WebhookHealth, WebhookSecret
from webhooks.schedule import TRIES
from webhooks.signing import Secrets, make_call

app = Celery("naive", broker=os.environ.get("NAIVE_BROKER", "redis://127.0.0.1:6379/9"))
app.conf.update(task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=1)


def attempt(key: str) -> None:
    """Send a delivery, and write down what came of it."""
    delivery = Delivery.objects.select_related("event", "webhook__health").get(pk=key)
    webhook, now = delivery.webhook, timezone.now()
    secrets = Secrets.of(WebhookSecret.objects.filter(webhook=webhook), webhook.account_id)
    call = make_call(delivery, webhook, webhook.health, secrets, now)
    result = send.make(call, send.TOTAL_SECONDS)
    good = result.outcome.is_delivered
    with transaction.atomic():
        Attempt.objects.create(
            delivery=delivery,
            number=delivery.tries + 1,
            at=now,
            duration=result.duration,
            outcome=result.outcome,
            code=result.code,
            request_url=call.url,
            request_headers=call.shown_headers(),
            request_body=call.body.decode(),
            answer=result.answer,
        )
        Delivery.objects.filter(pk=key).update(
            state=Delivery.State.DELIVERED if good else Delivery.State.PENDING,
            tries=F("tries") + 1,
            failures=F("failures") + int(not good),
            last_outcome=result.outcome,
        )
        counted = "successes" if good else "failures"
        WebhookHealth.objects.filter(pk=webhook.pk).update(**{counted: F(counted) + 1})
    if not good and delivery.tries < TRIES:
        deliver.apply_async((key,), countdown=5)


deliver = app.task(name="naive.deliver")(attempt)


def begin(**kwargs: object) -> None:
    DeliveryWorker.beat("naive")


worker_ready.connect(begin)

"""What is forgotten when: deliveries by their end, events once they have none any more."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.webhooks.engine.conftest import deliver, happen, seen
from tests.webhooks.engine.receiver import Receiver
from tests.webhooks.engine.test_meanwhile import together
from tests.webhooks.factories import delivered, given_up
from webhooks import retention
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent, WebhookHealth

State = Delivery.State


def aged(delivery: Delivery, days: float, **fields: Any) -> Delivery:
    """Let a delivery and its event have happened, and ended, so long ago."""
    past = timezone.now() - timedelta(days=days)
    end = "due_at" if delivery.is_pending else "done_at"
    Delivery.objects.filter(pk=delivery.pk).update(**{"created_at": past, end: past, **fields})
    WebhookEvent.objects.filter(pk=delivery.event_id).update(at=past)
    return delivery


def forgotten() -> set[str]:
    """Return the deliveries that are forgotten by and by."""
    before = set(Delivery.objects.values_list("pk", flat=True))
    while retention.forget():
        pass
    return before - set(Delivery.objects.values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("make", "kept", "gone"), [(delivered, 29.9, 30.1), (given_up, 59.9, 60.1)]
)
def test_delivered_ones_go_after_30_days_and_those_given_up_after_60(
    webhook: Webhook, make: Any, kept: float, gone: float
) -> None:
    stays, goes = (aged(make(webhook), days) for days in (kept, gone))
    assert forgotten() == {goes.pk}
    assert [each.delivery_id for each in Attempt.objects.all()] == [stays.pk]
    assert [each.pk for each in WebhookEvent.objects.all()] == [stays.event_id]


@pytest.mark.parametrize("verb", ["pause", "disable"])
def test_what_waits_too_long_is_forgotten(webhook: Webhook, verb: str) -> None:
    getattr(webhook, verb)(by=None)
    stays, goes = happen(webhook, 2)
    aged(stays, 29.9)
    aged(goes, 30.1)
    assert forgotten() == {goes.pk}


def test_an_old_delivery_that_is_sent_again_is_kept_until_it_arrived(
    webhook: Webhook, receiver: Receiver
) -> None:
    old = aged(given_up(webhook), 45)
    Delivery.objects.filter(pk=old.pk).redeliver()
    assert forgotten() == set()
    deliver()
    assert seen(old).state == State.DELIVERED
    assert forgotten() == set()
    assert WebhookEvent.objects.exists()


def test_an_event_goes_with_its_last_delivery(webhook: Webhook, make_webhook: Any) -> None:
    """Also one that no webhook wanted."""
    arrived = aged(delivered(webhook), 40)
    failed = aged(given_up(make_webhook()), 40, event=arrived.event_id)
    lone = WebhookEvent.objects.create(
        account_id=webhook.account_id,
        object_class="token",
        action="edited",
        at=timezone.now() - timedelta(days=61),
    )
    assert forgotten() == {arrived.pk}
    assert not WebhookEvent.objects.filter(pk=lone.pk).exists()
    assert seen(failed).event_id == arrived.event_id
    for each in (arrived, failed):
        aged(each, 61)
    assert forgotten() == {failed.pk}
    assert not WebhookEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_sent_again_while_the_old_is_forgotten_is_kept(webhook: Webhook) -> None:
    """Told that it is sent again, nobody expects it to be gone."""
    for _ in range(5):
        old = [aged(delivered(webhook), 31).pk for _ in range(4)]
        rows = Delivery.objects.filter(pk__in=old)
        sent: list[int] = []
        together(retention.forget, lambda: sent.append(rows.redeliver()))  # noqa: B023
        assert rows.count() == sent[0]
        rows.delete()


def test_many_go_in_batches_and_the_counters_stay(
    webhook: Webhook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    rows = happen(webhook, 8)
    deliver()
    for row in rows:
        aged(seen(row), 31)
    counts = [retention.forget() for _ in range(4)]
    # Three deliveries at a time, and the events of those.
    assert counts == [6, 6, 4, 0]
    assert not Delivery.objects.exists()
    assert WebhookHealth.objects.get().successes == 8


def test_the_page_says_how_long_they_are_kept(michael: Person, webhook: Webhook) -> None:
    delivered(webhook)
    page = michael.client.get(f"/integrations/webhooks/{webhook.pk}/deliveries/").text
    assert retention.rule() in page
    assert "30 days after they have arrived, and for 60 days after they were given up" in page

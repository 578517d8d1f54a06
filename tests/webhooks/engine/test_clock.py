"""Workers that sleep past their lease, and clocks that are set while a worker delivers."""

import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.webhooks.engine.conftest import MakeWebhook, happen, seen
from tests.webhooks.engine.receiver import Receiver, Reply
from tests.webhooks.engine.test_database_away import watched
from tests.webhooks.engine.test_running import all_delivered, until, working
from webhooks.models import Attempt, Delivery, DeliveryWorker, Webhook, WebhookHealth

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
# `manage.py deliver` whose clock is set when it gets a signal: SIGUSR1 back, SIGUSR2 ahead.
SET_CLOCK = """
import os, signal
from datetime import timedelta
from django.core.management import execute_from_command_line
from django.utils import timezone
real = timezone.now
def set_clock(hours):
    timezone.now = lambda: real() + timedelta(hours=hours)
signal.signal(signal.SIGUSR1, lambda *_: set_clock(-1))
signal.signal(signal.SIGUSR2, lambda *_: set_clock(1))
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
execute_from_command_line(["manage.py", "deliver"])
"""


def lease_ends() -> None:
    """Let a minute pass for what is being sent."""
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.exclude(claimed_by="").update(due_at=past)


def test_a_worker_that_sleeps_past_its_lease_overwrites_nothing(
    webhook: Webhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(500, after=1)
    (delivery,) = happen(webhook)
    with watched() as sleeper:
        until(lambda: receiver.calls)
        sleeper.process.send_signal(signal.SIGSTOP)
        # Its answer has arrived, but it has not seen that.
        until(lambda: not receiver.busy)
        receiver.reply = Reply()
        lease_ends()
        with working():
            until(all_delivered)
        before = seen(delivery)
        sleeper.process.send_signal(signal.SIGCONT)
        # It goes on: what happens now, it delivers.
        (later,) = happen(webhook)
        until(all_delivered)
        assert sleeper.process.poll() is None
        # Its result is refused, rather than failing on what is there already.
        assert not any("could not" in line for line in sleeper.said)
    assert receiver.ids == [delivery.pk, delivery.pk, later.pk]
    after = seen(delivery)
    for name in ("state", "tries", "failures", "last_outcome", "last_code", "done_at"):
        assert getattr(after, name) == getattr(before, name), name
    assert (after.state, after.tries, after.failures) == (Delivery.State.DELIVERED, 2, 0)
    tries = Attempt.objects.filter(delivery=delivery)
    assert [each.outcome for each in tries] == ["worker_lost", "ok"]
    health = WebhookHealth.objects.get()
    assert (health.triggers, health.failures, health.fails_in_row) == (2, 0, 0)


def test_a_clock_that_is_set_back_delays_nothing_and_repeats_nothing(
    make_webhook: MakeWebhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(after=2)
    slow, paced = make_webhook(receiver.url), make_webhook(receiver.url, rate_per_minute=600)
    # More than it sends at once, and one that had to wait.
    deliveries = [*happen(slow, 12), *happen(paced, 2)]
    with watched("-c", SET_CLOCK) as worker:
        until(lambda: len(receiver.calls) >= 8)
        WebhookHealth.objects.filter(pk=slow.pk).update(hold_until=timezone.now())
        # Somebody else's, who is gone: seen an hour later than it is now.
        DeliveryWorker.objects.create(name="gone", seen_at=timezone.now())
        worker.process.send_signal(signal.SIGUSR1)
        until(all_delivered, 30)
        until(lambda: not DeliveryWorker.objects.filter(name="gone").exists(), 15)
        worker.says("The clock was set back by 3600 seconds.")
    assert sorted(receiver.ids) == sorted(each.pk for each in deliveries)
    assert receiver.most_busy <= 16
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"ok"}


def test_a_clock_that_is_set_ahead_repeats_nothing(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(after=3)
    deliveries = happen(webhook, 8)
    with watched("-c", SET_CLOCK) as worker:
        until(lambda: len(receiver.calls) == 8)
        worker.process.send_signal(signal.SIGUSR2)
        until(all_delivered)
        worker.says("The clock was set ahead by 3600 seconds.")
    assert sorted(receiver.ids) == sorted(each.pk for each in deliveries)
    assert Attempt.objects.count() == 8


def test_a_failure_while_the_clock_is_set_back_is_tried_again_in_time(
    webhook: Webhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(500, after=2)
    (delivery,) = happen(webhook)
    with watched("-c", SET_CLOCK) as worker:
        until(lambda: receiver.calls)
        worker.process.send_signal(signal.SIGUSR1)
        until(lambda: seen(delivery).failures)
    wait = seen(delivery).due_at - (timezone.now() - HOUR)
    assert timedelta(0) < wait < timedelta(seconds=10)

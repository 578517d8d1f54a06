"""A paused webhook: its events are kept, nothing is sent, and Resume sends each of them once."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Account
from activity.models import Event
from tests.webhooks.engine.conftest import deliver, happen, seen
from tests.webhooks.engine.receiver import Receiver, Reply
from tests.webhooks.engine.test_delivering import due_now
from tests.webhooks.engine.test_meanwhile import on_its_way, together
from webhooks import notices, schedule
from webhooks.catalog import ObjectClass
from webhooks.models import Delivery, Webhook, WebhookHealth
from webhooks.now import send_now
from webhooks.outbox import emit, send_test

State = Delivery.State


def again(webhook: Webhook) -> Webhook:
    return Webhook.objects.select_related("health").get(pk=webhook.pk)


def test_events_of_a_paused_webhook_are_kept_and_sent_once_each_when_it_is_resumed(
    webhook: Webhook, receiver: Receiver, account: Account
) -> None:
    assert webhook.pause(by=None)
    for number in range(20):
        emit([account.pk], ObjectClass.TOKEN, "edited", f"SU-{number}")
    call_command("deliver", "--once")
    assert receiver.calls == []
    assert Delivery.objects.unfinished().count() == 20
    assert webhook.resume(by=None)
    deliver()
    assert sorted(receiver.ids) == sorted(Delivery.objects.values_list("pk", flat=True))
    assert set(Delivery.objects.values_list("state", "tries")) == {(State.DELIVERED, 1)}


def test_what_waits_for_another_try_is_kept_too(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(500)
    (delivery,) = happen(webhook)
    deliver()
    webhook.pause(by=None)
    due_now(delivery)
    deliver()
    assert len(receiver.calls) == 1
    receiver.reply = Reply()
    webhook.resume(by=None)
    deliver()
    assert receiver.ids == [delivery.pk] * 2
    assert seen(delivery).state == State.DELIVERED


def test_the_backlog_comes_in_one_call_first(webhook: Webhook, receiver: Receiver) -> None:
    webhook.pause(by=None)
    happen(webhook, 12)
    WebhookHealth.objects.update(slots=8)
    webhook.resume(by=None)
    assert again(webhook).health.slots == 1
    receiver.reply = Reply(after=0.02)
    deliver()
    assert len(receiver.calls) == 12
    assert receiver.calls[1].at - receiver.calls[0].at >= 0.02


def test_others_are_sent_meanwhile(webhook: Webhook, make_webhook: Any, receiver: Receiver) -> None:
    other = make_webhook(receiver.url)
    webhook.pause(by=None)
    happen(webhook)
    (theirs,) = happen(other)
    deliver()
    assert receiver.ids == [theirs.pk]


def test_a_webhook_that_is_paused_meanwhile_keeps_the_result(
    webhook: Webhook, receiver: Receiver
) -> None:
    (delivery,) = happen(webhook)
    with on_its_way(receiver):
        webhook.pause(by=None)
        (later,) = happen(webhook)
    assert seen(delivery).state == State.DELIVERED
    assert seen(later).state == State.PENDING
    assert again(webhook).state == Webhook.State.PAUSED


def test_a_test_event_goes_out_while_it_is_paused_and_nothing_else(
    webhook: Webhook, receiver: Receiver
) -> None:
    webhook.pause(by=None)
    happen(webhook)
    delivery = send_test(webhook, None)
    attempt = send_now(webhook, delivery)
    assert attempt
    assert attempt.result.is_delivered
    deliver()
    assert receiver.ids == [delivery.pk]


# --- Paused and disabled --------------------------------------------------------------------------


def test_an_endpoint_that_is_gone_disables_a_paused_webhook(
    webhook: Webhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(410)
    (delivery,) = happen(webhook)
    with on_its_way(receiver):
        webhook.pause(by=None)
    gone = again(webhook)
    assert (gone.state, gone.disabled_by) == (Webhook.State.DISABLED, Webhook.Disabled.GONE)
    assert gone.paused_at is None
    assert not webhook.resume(by=None)
    assert seen(delivery).state == State.PENDING


def test_failing_for_days_disables_no_paused_webhook_and_warns_of_none(
    webhook: Webhook, receiver: Receiver
) -> None:
    webhook.pause(by=None)
    since = timezone.now() - schedule.FAILING_FOR - timedelta(hours=1)
    WebhookHealth.objects.update(failing_since=since, fails_in_row=schedule.FAILING_TRIES)
    receiver.reply = Reply(500)
    webhook = again(webhook)
    send_now(webhook, send_test(webhook, None))
    assert again(webhook).state == Webhook.State.PAUSED
    assert notices.warn() == 0
    webhook.resume(by=None)
    assert again(webhook).health.failing_since is None


def test_a_paused_webhook_that_is_deleted_leaves_nothing(webhook: Webhook) -> None:
    webhook.pause(by=None)
    happen(webhook, 3)
    stale = again(webhook)
    webhook.remove(by=None)
    assert not Delivery.objects.exists()
    assert not stale.resume(by=None)
    assert not stale.pause(by=None)


@pytest.mark.parametrize(
    ("verbs", "state"),
    [
        (("pause", "enable"), Webhook.State.PAUSED),
        (("pause", "pause"), Webhook.State.PAUSED),
        (("pause", "disable"), Webhook.State.DISABLED),
        (("pause", "disable", "resume"), Webhook.State.DISABLED),
        (("pause", "disable", "enable"), Webhook.State.ACTIVE),
        (("disable", "pause"), Webhook.State.DISABLED),
        (("resume",), Webhook.State.ACTIVE),
        (("pause", "resume"), Webhook.State.ACTIVE),
    ],
)
def test_each_verb_leads_from_its_own_states_only(
    webhook: Webhook, verbs: tuple[str, ...], state: Webhook.State
) -> None:
    for verb in verbs:
        getattr(webhook, verb)(by=None)
    found = again(webhook)
    assert found.state == state
    assert [found] == [*Webhook.objects.in_state(state)]
    assert (found.active, bool(found.paused_at), bool(found.disabled_at)) == {
        Webhook.State.ACTIVE: (True, False, False),
        Webhook.State.PAUSED: (True, True, False),
        Webhook.State.DISABLED: (False, False, True),
    }[state]


def test_an_edit_keeps_the_pause_unless_it_disables(webhook: Webhook) -> None:
    webhook.pause(by=None)
    webhook.edit(by=None, label="Renamed", active=True)
    assert again(webhook).state == Webhook.State.PAUSED
    webhook.edit(by=None, active=False)
    assert again(webhook).state == Webhook.State.DISABLED
    assert again(webhook).paused_at is None


def test_no_webhook_is_stored_as_paused_and_inactive(webhook: Webhook) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Webhook.objects.update(active=False, paused_at=timezone.now())


# --- At the same moment ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_pause_and_resume_once(webhook: Webhook, receiver: Receiver) -> None:
    happen(webhook, 5)

    def press(verb: str) -> None:
        getattr(Webhook.objects.get(pk=webhook.pk), verb)(by=None)

    for verb, action in (("pause", "webhooks.paused"), ("resume", "webhooks.resumed")):
        together(*[lambda verb=verb: press(verb)] * 2)  # type: ignore[misc]
        assert Event.objects.filter(action=action).count() == 1
    together(deliver, deliver)
    assert sorted(receiver.ids) == sorted(Delivery.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_pausing_and_resuming_while_workers_run_loses_and_repeats_nothing(
    webhook: Webhook, receiver: Receiver
) -> None:
    happen(webhook, 40)

    def press() -> None:
        for verb in ("pause", "resume") * 5:
            getattr(Webhook.objects.get(pk=webhook.pk), verb)(by=None)

    together(deliver, deliver, press)
    deliver()
    assert sorted(receiver.ids) == sorted(Delivery.objects.values_list("pk", flat=True))


def test_one_that_was_paused_meanwhile_is_not_disabled_for_its_failures(webhook: Webhook) -> None:
    webhook.pause(by=None)
    assert not Webhook.objects.get(pk=webhook.pk).disable(by=None, reason=Webhook.Disabled.FAILING)
    assert again(webhook).state == Webhook.State.PAUSED

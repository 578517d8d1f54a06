"""Sending a delivery at once, while somebody waits for the answer."""

from tests.webhooks.engine.conftest import happen, seen
from tests.webhooks.engine.receiver import Receiver, Reply
from webhooks import claims
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.now import send_now
from webhooks.outcomes import Outcome


def test_the_try_is_returned_and_kept(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(404, {}, b"no such hook")
    (delivery,) = happen(webhook, is_test=True)
    attempt = send_now(webhook, delivery)
    assert attempt
    assert (attempt.outcome, attempt.code, attempt.answer) == ("client_4xx", 404, "no such hook")
    assert Attempt.objects.get().pk == attempt.pk
    assert seen(delivery).failures == 1


def test_a_disabled_webhook_can_be_tested(webhook: Webhook, receiver: Receiver) -> None:
    webhook.disable(by=None)
    (delivery,) = happen(webhook, is_test=True)
    attempt = send_now(webhook, delivery)
    assert attempt
    assert attempt.outcome == Outcome.OK
    assert seen(delivery).state == Delivery.State.DELIVERED
    assert b'"test":true' in receiver.calls[0].body


def test_what_a_worker_is_sending_is_not_sent_twice(webhook: Webhook, receiver: Receiver) -> None:
    (delivery,) = happen(webhook)
    claims.claim("worker", claims.Room(160, 80, claims.Counter()))  # type: ignore[attr-defined]
    Attempt.objects.create(delivery=delivery, number=1, outcome=Outcome.OK)
    attempt = send_now(webhook, delivery)
    assert attempt
    assert attempt.number == 1
    assert receiver.calls == []

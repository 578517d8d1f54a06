"""Sending a delivery at once, while somebody waits for the answer."""

from contextlib import ExitStack

import pytest

from accounts.limits import LimitReached
from tests.conftest import Person
from tests.webhooks.engine.conftest import happen, seen
from tests.webhooks.engine.receiver import Receiver, Reply
from webhooks import claims
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.now import send_now, sending, turn
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
    claims.claim("worker", claims.Room(160, claims.Counter()))  # type: ignore[attr-defined]
    Attempt.objects.create(delivery=delivery, number=1, outcome=Outcome.OK)
    attempt = send_now(webhook, delivery)
    assert attempt
    assert attempt.number == 1
    assert receiver.calls == []


def test_few_are_sent_at_once_and_the_others_are_asked_to_wait(
    webhook: Webhook, receiver: Receiver, michael: Person
) -> None:
    page = f"/integrations/webhooks/{webhook.pk}/test/"
    with ExitStack() as held:
        for account in ("VA-1", "VA-1", "VA-2", "VA-2"):
            held.enter_context(turn(account))
        response = michael.client.post(page)
        assert response.status_code == 429
        assert "Several events are being sent at once already" in response.text
        assert int(response.headers["Retry-After"]) <= 10
        assert not Delivery.objects.exists()
    with turn("VA-1"), turn("VA-1"):
        with pytest.raises(LimitReached), turn("VA-1"):
            pass
        assert michael.client.post(page).status_code == 302
    assert len(receiver.calls) == 1
    assert sending.total() == 0

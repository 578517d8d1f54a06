"""An endpoint that failed for long comes back: it gets its backlog a few calls at a time."""

from collections import Counter
from datetime import timedelta

from django.utils import timezone

from tests.conftest import Person
from tests.webhooks.engine.conftest import deliver, happen
from tests.webhooks.engine.receiver import Receiver, Reply
from webhooks import claims, notices, results
from webhooks.models import Attempt, Delivery, Webhook, WebhookHealth
from webhooks.outcomes import Outcome
from webhooks.send import Result


def time_passes() -> None:
    """Let all be due, and the endpoint be on hold no longer."""
    Delivery.objects.unfinished().update(due_at=timezone.now())
    WebhookHealth.objects.update(hold_until=None)


def test_after_fifty_errors_the_backlog_enters_at_one_two_four_eight(
    webhook: Webhook, receiver: Receiver, michael: Person
) -> None:
    page = f"/integrations/webhooks/{webhook.pk}/"
    receiver.reply = Reply(500)
    happen(webhook, 30)
    while len(receiver.calls) < 50:
        deliver()
        time_passes()
    health = WebhookHealth.objects.get()
    assert (health.slots, health.fails_in_row) == (1, len(receiver.calls))
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"server_5xx"}
    since = timezone.now() - timedelta(hours=2)
    WebhookHealth.objects.update(failing_since=since)
    assert notices.warn() == 1
    assert "Failing since" in michael.client.get(page).text
    assert at_once() == [1, 2, 4, 8, 8]
    assert "Failing since" not in michael.client.get(page).text
    health.refresh_from_db()
    assert (health.slots, health.fails_in_row, health.failing_since) == (8, 0, None)


def at_once() -> list[int]:
    """Let the endpoint accept what it gets; return how many calls it gets at once, each time."""
    counts = []
    for _ in range(5):
        time_passes()
        claimed = claims.claim("me", claims.Room(160, Counter()))
        counts.append(len(claimed))
        now = timezone.now()
        results.settle(
            "me", [results.Try(each, None, Result(Outcome.OK, 200), now) for each in claimed]
        )
    return counts

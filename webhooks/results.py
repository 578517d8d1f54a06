"""Writing down what came of tries: the delivery, the try itself, the health of the endpoint."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import orjson
from django.db import DataError, IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from webhooks import claims, notices, schedule
from webhooks.claims import Claimed
from webhooks.models import MOST_SLOTS, Attempt, Delivery, Webhook, WebhookHealth
from webhooks.outcomes import Outcome
from webhooks.send import NOTE, Result
from webhooks.signing import Call

log = logging.getLogger(__name__)

# An endpoint that answers, although with errors, is left alone only after so many in a row.
ERRORS_IN_ROW = 5
# The columns that tries change.
HEALTH = (
    "slots",
    "holds",
    "hold_until",
    "fails_in_row",
    "failing_since",
    "warned",
    "events",
    "triggers",
    "successes",
    "failures",
    "last_event_at",
    "last_success_at",
    "last_success_code",
    "last_success_ms",
    "last_failure_at",
    "last_failure_code",
    "last_failure_ms",
    "last_failure_outcome",
)


@dataclass
class Try:
    """A try that has ended."""

    claimed: Claimed
    call: Call | None
    result: Result
    at: datetime

    @property
    def delivery(self) -> Delivery:
        return self.claimed.delivery

    @property
    def changes(self) -> dict[str, Any]:
        """What it changes in the row of the delivery."""
        result, failures = self.result, self.delivery.failures
        changes: dict[str, Any] = {
            "claimed_by": "",
            "last_outcome": result.outcome,
            "last_code": result.code,
        }
        if result.outcome.is_delivered:
            return {**changes, "state": Delivery.State.DELIVERED, "done_at": self.ended}
        changes["failing_since"] = self.delivery.failing_since or self.ended
        due = schedule.next_try(failures + 1, self.ended, result.wait_until)
        if due is None or result.outcome == Outcome.ABORTED:
            over = {"state": Delivery.State.FAILED, "done_at": self.ended}
            return {**changes, **over, "failures": failures + 1}
        return {**changes, "due_at": due, "failures": failures + 1}

    @property
    def ended(self) -> datetime:
        return self.at + timedelta(milliseconds=self.result.duration)

    @property
    def note(self) -> str:
        """What libcurl or the endpoint says, and that the order was not kept."""
        if not self.claimed.overtakes:
            return self.result.note
        told = _("Sent although an earlier event of the same object has failed for over an hour.")
        return f"{told} {self.result.note}".strip()[:NOTE]

    def without_details(self) -> "Try":
        """Return it without what was sent and came back, as something in it cannot be stored."""
        result = self.result
        kept = Result(result.outcome, result.code, duration=result.duration)
        kept.wait_until = result.wait_until
        kept.note = _("What was sent and came back could not be stored. The log says why.")
        return Try(self.claimed, None, kept, self.at)

    def attempt(self) -> tuple[Any, ...]:
        """Return the row of the try, in the order of ATTEMPT."""
        call, result = self.call, self.result
        return (
            self.delivery.pk,
            self.delivery.tries,
            claims.stored(self.at),
            result.duration,
            text_of(result.timings),
            result.address,
            result.outcome.value,
            result.code,
            self.note,
            call.url if call else "",
            text_of(call.shown_headers() if call else {}),
            call.body.decode() if call else "",
            result.headers,
            result.answer,
            result.is_cut,
        )


# The columns of a try. It is inserted by SQL: the ORM takes several times as long.
ATTEMPT = (
    *("delivery_id", "number", "at", "duration", "timings", "address", "outcome", "code", "note"),
    *("request_url", "request_headers", "request_body", "answer_headers", "answer", "is_cut"),
)


def text_of(value: dict[str, Any]) -> str:
    """Return a column of JSON as both databases take it."""
    return orjson.dumps(value).decode()


def insert(tries: list[Try]) -> None:
    """Add the tries, all with one statement."""
    if tries:
        row = f"({claims.places(ATTEMPT)})"
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO webhooks_attempt ({', '.join(ATTEMPT)}) "  # noqa: S608
                f"VALUES {', '.join([row] * len(tries))}",
                [value for each in tries for value in each.attempt()],
            )
        forget_oldest(tries)


def forget_oldest(tries: list[Try]) -> None:
    """Delete the oldest tries of deliveries that were redelivered again and again.

    What a page and an answer of the API about a delivery hold is bounded so.
    """
    for each in tries:
        if (oldest := each.delivery.tries - Attempt.MOST) > 0:
            Attempt.objects.filter(delivery=each.delivery.pk, number__lte=oldest).delete()


def settle(worker: str, tries: Iterable[Try]) -> list[Try]:
    """Write down tries that have ended, in one transaction; return those that counted.

    A worker that was away for longer than its lease comes too late: the delivery is somebody
    else's, or done.
    """
    with transaction.atomic():
        mine = still_mine(worker, tries)
        insert(mine)
        finish(mine)
        gone = update_health(mine)
    for webhook, reason in gone:
        disable(webhook, reason)
    return mine


def settle_one(worker: str, done: Try) -> list[Try]:
    """Write down a try, without its details if the database refuses them.

    Otherwise it would be sent again and again, each time its lease ends.
    """
    try:
        return settle(worker, [done])
    except (DataError, IntegrityError):
        log.exception("What came of %s cannot be stored.", done.delivery.pk)
        return settle(worker, [done.without_details()])


def still_mine(worker: str, tries: Iterable[Try]) -> list[Try]:
    """Lock the deliveries that are still claimed by the worker with the same try."""
    by_id = {each.delivery.pk: each for each in tries}
    held = dict(
        Delivery.objects.sent_by(worker)
        .filter(pk__in=by_id)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk", "tries")
    )
    return [each for key, each in by_id.items() if held.get(key) == each.delivery.tries]


def finish(tries: list[Try]) -> None:
    """Update the deliveries, those with the same outcome at once."""
    delivered = [each for each in tries if each.result.outcome.is_delivered]
    for _same, rows in groupby(sorted(delivered, key=sameness), key=sameness):
        group = list(rows)
        keys = [each.delivery.pk for each in group]
        Delivery.objects.filter(pk__in=keys).update(**group[-1].changes)
    for each in tries:
        if not each.result.outcome.is_delivered:
            Delivery.objects.filter(pk=each.delivery.pk).update(**each.changes)


def sameness(done: Try) -> tuple[str, int]:
    return done.result.outcome, done.result.code or 0


# --- Health ---------------------------------------------------------------------------------------


def update_health(tries: list[Try]) -> list[tuple[Webhook, str]]:
    """Update the health of the endpoints; return the webhooks to disable, with the reason."""
    webhooks = {each.claimed.webhook.pk: each.claimed.webhook for each in tries}
    healths = (
        WebhookHealth.objects.filter(pk__in=webhooks)
        .order_by("pk")
        .select_for_update(no_key=True)
        .in_bulk()
    )
    gone = []
    for each in sorted(tries, key=lambda each: each.ended):
        # It was deleted meanwhile.
        if health := healths.get(each.claimed.webhook.pk):
            if health.warned and each.result.outcome.is_delivered:
                notices.tell_recovered(each.claimed.webhook, health.failing_since)
            note(health, each)
            if reason := reason_to_disable(health, each):
                gone.append((each.claimed.webhook, reason))
    store(healths.values())
    return gone


def store(healths: Iterable[WebhookHealth]) -> None:
    """Update the rows, by SQL: the ORM takes ten times as long."""
    columns = ", ".join(f"{name} = %s" for name in HEALTH)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE webhooks_webhookhealth SET {columns} WHERE webhook_id = %s",  # noqa: S608
            [
                [
                    *(
                        claims.stored(value) if isinstance(value, datetime) else value
                        for value in (getattr(health, name) for name in HEALTH)
                    ),
                    health.pk,
                ]
                for health in healths
            ],
        )


def note(health: WebhookHealth, done: Try) -> None:
    """Count a try, and let the endpoint have more calls at once, or fewer."""
    health.triggers += 1
    if done.delivery.tries == 1:
        health.events += 1
        at = done.delivery.event.at
        health.last_event_at = max(health.last_event_at or at, at)
    if done.result.outcome.is_delivered:
        note_success(health, done)
    else:
        note_failure(health, done)


def note_success(health: WebhookHealth, done: Try) -> None:
    health.successes += 1
    health.last_success_at = done.ended
    health.last_success_code, health.last_success_ms = done.result.code, done.result.duration
    health.fails_in_row = health.holds = health.warned = 0
    health.hold_until = health.failing_since = None
    health.slots = min(health.slots + 1, MOST_SLOTS)


def note_failure(health: WebhookHealth, done: Try) -> None:
    result, now = done.result, done.ended
    health.failures += 1
    health.fails_in_row += 1
    if health.failing_since is None:
        health.failing_since, health.warned = now, 0
    health.last_failure_at, health.last_failure_outcome = now, result.outcome.value
    health.last_failure_code, health.last_failure_ms = result.code, result.duration
    if result.wait_until:
        health.hold_until = max(health.hold_until or now, result.wait_until)
    elif is_down(health, result) and not (health.hold_until and done.at < health.hold_until):
        # Those that were in flight together are one failure of the endpoint.
        health.holds += 1
        health.slots = max(health.slots // 2, 1)
        health.hold_until = now + schedule.hold(health.holds)


def is_down(health: WebhookHealth, result: Result) -> bool:
    """Tell whether the endpoint as a whole fails, rather than for this event."""
    if result.code is None:
        return result.outcome != Outcome.NOT_SENT
    if result.code == 429:
        return True
    return result.code >= 500 and health.fails_in_row >= ERRORS_IN_ROW


def reason_to_disable(health: WebhookHealth, done: Try) -> str:
    if done.result.outcome == Outcome.GONE:
        return Webhook.Disabled.GONE
    if not done.claimed.webhook.sends:
        # Somebody is looking after the endpoint, and tries it by test events.
        return ""
    since = health.failing_since
    lasts = since is not None and done.ended - since >= schedule.FAILING_FOR
    if lasts and health.fails_in_row >= schedule.FAILING_TRIES:
        return Webhook.Disabled.FAILING
    return ""


def disable(webhook: Webhook, reason: str) -> None:
    """Disable a webhook, unless it has another address by now than the one that was called."""
    with transaction.atomic():
        same = Webhook.objects.filter(pk=webhook.pk, external_url=webhook.external_url)
        row = same.select_for_update(no_key=True).first()
        if row and row.disable(reason=reason, by=None):
            notices.tell_disabled(row)
            log.warning("Webhook %s was disabled: %s.", row.pk, reason)

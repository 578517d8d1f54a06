"""Claiming due deliveries: a worker takes what it may send, for as long as a lease.

On PostgreSQL, the health of each endpoint is locked first, and what others do meanwhile is skipped.
Counting then needs a statement of its own: within one, lock and count would share a snapshot, and
two workers could both fill the last slot. On SQLite there is one writer at a time anyway, so a look
without a lock comes first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from webhooks.models import MOST_SLOTS, Attempt, Delivery, Webhook, WebhookHealth, WebhookSecret
from webhooks.outcomes import Outcome

# For how long a claimed delivery is nobody else's. By far more than a call may take.
LEASE = timedelta(seconds=60)
# Endpoints that are looked at in one claim, drawn at random.
ENDPOINTS = 200
# Where the order is kept, an event that has failed for so long no longer holds up later ones.
ORDER_KEPT = timedelta(hours=1)
# A limit of calls a minute spreads them evenly; at once go those of so much time.
PACE = timedelta(seconds=1)

# The subqueries read one row of an index each, however much is waiting; joins would not.
READY = """
SELECT w.id, w.account_id, h.slots, w.rate_per_minute
FROM webhooks_webhookhealth h JOIN webhooks_webhook w ON w.id = h.webhook_id
WHERE w.active AND w.paused_at IS NULL AND w.type = 'event'
AND (h.hold_until IS NULL OR h.hold_until <= %s)
AND (h.paced_until IS NULL OR h.paced_until <= %s)
AND (SELECT d.due_at FROM webhooks_delivery d
     WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.claimed_by = ''
     ORDER BY d.due_at LIMIT 1) <= %s
ORDER BY random() LIMIT %s
"""

# The first event that is to arrive about the same object as the delivery d. It is asked of each
# that waits, so it has to read one row of the index `deliveries_in_order`: a comparison with the
# event of d would make databases take the index of events, and walk through all that has arrived.
FIRST = """
SELECT e.event_id FROM webhooks_delivery e
WHERE e.webhook_id = d.webhook_id AND e.object_id = d.object_id AND e.state = 'pending'{fresh}
ORDER BY e.event_id LIMIT 1
"""
FRESH = " AND (e.failing_since IS NULL OR e.failing_since > %s)"
IN_ORDER = f"""
(NOT w.keep_order OR d.object_id = '' OR (({FIRST.format(fresh=FRESH)}) < d.event_id) IS NOT TRUE)
"""
OVERTAKING = f"""
SELECT d.id FROM webhooks_delivery d JOIN webhooks_webhook w ON w.id = d.webhook_id
WHERE w.keep_order AND d.object_id > '' AND d.id IN ({{deliveries}})
AND ({FIRST.format(fresh="")}) < d.event_id
"""  # noqa: S608

WAITING = """
SELECT w.id,
  (SELECT count(*) FROM webhooks_delivery d
   WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.claimed_by > ''),
  (SELECT {join}(first.id, ' ') FROM (
     SELECT d.id FROM webhooks_delivery d
     WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.claimed_by = '' AND d.failures = 0
     AND d.due_at <= %s AND {in_order} ORDER BY d.due_at, d.id LIMIT {slots}) first),
  (SELECT {join}(due.id, ' ') FROM (
     SELECT d.id FROM webhooks_delivery d
     WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.claimed_by = ''
     AND d.due_at <= %s AND {in_order} ORDER BY d.due_at, d.id LIMIT {slots}) due)
FROM webhooks_webhook w WHERE w.id IN ({webhooks})
"""

# Rows are read by their keys first: with statistics from when few were waiting, PostgreSQL would
# otherwise scan all that wait now.
TAKE = """
WITH mine AS MATERIALIZED (
  SELECT id, state, claimed_by FROM webhooks_delivery WHERE id IN ({deliveries}){lock})
UPDATE webhooks_delivery SET due_at = %s, tries = tries + 1, claimed_by = %s
WHERE id IN (SELECT id FROM mine WHERE state = 'pending' AND claimed_by = '')
RETURNING id
"""

LOST = """
SELECT id FROM webhooks_delivery
WHERE state = 'pending' AND claimed_by > '' AND due_at <= %s LIMIT %s
"""
BATCH = 1000


class Endpoint(NamedTuple):
    """An endpoint that something is due for, and how many calls it gets at once."""

    id: str
    account: str
    slots: int
    rate: int | None


@dataclass
class Claimed:
    """A delivery that is ours until its lease ends, with what a call needs to know."""

    delivery: Delivery
    webhook: Webhook
    health: WebhookHealth
    secrets: list[WebhookSecret]
    # Whether an earlier event of the same object waits, although the webhook keeps the order.
    overtakes: bool = False


class Room(NamedTuple):
    """How many deliveries a worker has at most, and how many of each account it has."""

    most: int
    accounts: Counter[str]

    @property
    def free(self) -> int:
        return self.most - self.accounts.total()

    def for_account(self, account: str) -> int:
        """Return how many more of an account it takes: half of what the others leave, in all.

        So however many accounts have endpoints that hang, there is room for the next one.
        """
        mine = self.accounts[account]
        return (self.free + mine + 1) // 2 - mine


def claim(worker: str, room: Room) -> list[Claimed]:
    """Claim what is due, as far as there is room, and no more per endpoint than it has slots."""
    now = timezone.now()
    if connection.vendor == "sqlite" and not any(ready(now)):
        return []
    with transaction.atomic():
        endpoints = [*ready(now)]
        taken = take(chosen(endpoints, room, now), worker, now) if endpoints else []
    return load(taken)


def ready(now: datetime) -> Iterator[Endpoint]:
    """Return endpoints that something is due for; on PostgreSQL, lock them."""
    lock = "" if connection.vendor == "sqlite" else " FOR NO KEY UPDATE OF h SKIP LOCKED"
    yield from map(Endpoint._make, rows(READY + lock, [*[stored(now)] * 3, ENDPOINTS]))


def chosen(endpoints: list[Endpoint], room: Room, now: datetime) -> list[str]:
    """Return the ids of the deliveries to send now.

    Half of the free slots of an endpoint go to first tries, so that yesterday's failures do not
    delay today's events.
    """
    sql = WAITING.format(
        join="group_concat" if connection.vendor == "sqlite" else "string_agg",
        slots=MOST_SLOTS,
        in_order=IN_ORDER,
        webhooks=places(endpoints),
    )
    due = [stored(now), stored(now - ORDER_KEPT)]
    found = {row[0]: row[1:] for row in rows(sql, [*due, *due, *(each.id for each in endpoints)])}
    paces = Paces(endpoints, now)
    ids: list[str] = []
    room = Room(room.most, room.accounts.copy())
    for endpoint in endpoints:
        busy, first, ready = found[endpoint.id]
        free = min(
            endpoint.slots - busy,
            room.for_account(endpoint.account),
            paces.free(endpoint),
        )
        if free > 0:
            mine = mixed((first or "").split(), (ready or "").split(), free)
            paces.spend(endpoint, len(mine))
            room.accounts[endpoint.account] += len(mine)
            ids += mine
    return ids


class Paces:
    """The limits of calls a minute, each as a clock that a call moves ahead by its share."""

    def __init__(self, endpoints: list[Endpoint], now: datetime) -> None:
        limited = [each.id for each in endpoints if each.rate]
        rows = WebhookHealth.objects.filter(pk__in=limited).values_list("pk", "paced_until")
        self.now = now
        self.clocks = {
            key: max(until or now - PACE, now - PACE) for key, until in (rows if limited else ())
        }

    def free(self, endpoint: Endpoint) -> int:
        """Return how many calls the limit of an endpoint allows now."""
        if endpoint.id not in self.clocks:
            return MOST_SLOTS
        ahead = self.now - self.clocks[endpoint.id]
        return ahead // self.share(endpoint) + 1 if ahead >= timedelta(0) else 0

    def spend(self, endpoint: Endpoint, calls: int) -> None:
        if calls and endpoint.id in self.clocks:
            until = self.clocks[endpoint.id] + calls * self.share(endpoint)
            WebhookHealth.objects.filter(pk=endpoint.id).update(paced_until=until)

    @staticmethod
    def share(endpoint: Endpoint) -> timedelta:
        return timedelta(minutes=1) / (endpoint.rate or 1)


def mixed(first: list[str], due: list[str], free: int) -> list[str]:
    """Return as many ids as there are slots: first tries in half of them, then what is due."""
    return list(dict.fromkeys([*first[: (free + 1) // 2], *due, *first]))[:free]


def take(ids: list[str], worker: str, now: datetime) -> list[str]:
    """Claim deliveries, but for those that somebody else is changing."""
    if not ids:
        return []
    lock = "" if connection.vendor == "sqlite" else " FOR UPDATE SKIP LOCKED"
    sql = TAKE.format(deliveries=places(ids), lock=lock)
    return [row[0] for row in rows(sql, [*ids, stored(now + LEASE), worker])]


def load(ids: list[str]) -> list[Claimed]:
    """Read what the calls need: each webhook and its secrets as they are now."""
    if not ids:
        return []
    deliveries = list(Delivery.objects.filter(pk__in=ids).select_related("event"))
    wanted = {each.webhook_id for each in deliveries}
    webhooks = Webhook.objects.select_related("health").in_bulk(wanted)
    secrets: dict[str, list[WebhookSecret]] = {each: [] for each in wanted}
    live = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    for secret in WebhookSecret.objects.filter(live, webhook__in=wanted):
        secrets[secret.webhook_id].append(secret)
    ordered = any(webhook.keep_order for webhook in webhooks.values())
    overtaking = overtakes(ids) if ordered else set()
    return [
        Claimed(each, webhook, webhook.health, secrets[webhook.pk], each.pk in overtaking)
        for each in deliveries
        # None if it was deleted since.
        if (webhook := webhooks.get(each.webhook_id))
    ]


def overtakes(ids: list[str]) -> set[str]:
    """Return those of the deliveries that an earlier event of the same object waits behind."""
    sql = OVERTAKING.format(deliveries=places(ids))
    return {row[0] for row in rows(sql, [*ids])}


def claim_one(delivery: Delivery, worker: str) -> Claimed | None:
    """Claim one delivery whatever its webhook's state; None if it is finished or being sent."""
    with transaction.atomic():
        taken = take([delivery.pk], worker, timezone.now())
    return next(iter(load(taken)), None)


def release(worker: str, deliveries: "Iterable[Delivery]") -> None:
    """Give back what was not sent."""
    Delivery.objects.sent_by(worker).filter(pk__in=[each.pk for each in deliveries]).update(
        claimed_by="", due_at=timezone.now(), tries=F("tries") - 1
    )


def release_strays(worker: str, known: "Iterable[str]") -> int:
    """Give back what a worker has claimed without getting to know of it; return how many."""
    return (
        Delivery.objects.sent_by(worker)
        .exclude(pk__in=[*known])
        .update(claimed_by="", due_at=timezone.now(), tries=F("tries") - 1)
    )


def follow_clock(worker: str, jump: timedelta) -> None:
    """Bear that the clock was set: begin the leases of a worker anew, at the time it is now.

    If it was set back, what had been due before is due again, for every worker.
    """
    now = timezone.now()
    Delivery.objects.sent_by(worker).update(due_at=now + LEASE)
    was_due = (now, now - jump)
    waiting = Delivery.objects.unfinished().filter(claimed_by="", due_at__range=was_due)
    waiting.update(due_at=now)
    WebhookHealth.objects.filter(hold_until__range=was_due).update(hold_until=None)
    WebhookHealth.objects.filter(paced_until__range=was_due).update(paced_until=None)


def recover() -> int:
    """Make deliveries due again whose worker died, and note it; return how many there were.

    It does not count as a failure: the endpoint may have got the event, or never been called.
    """
    now = timezone.now()
    if not (ids := [row[0] for row in rows(LOST, [stored(now), BATCH])]):
        return 0
    with transaction.atomic():
        lost = list(
            Delivery.objects.filter(pk__in=ids, state=Delivery.State.PENDING, due_at__lte=now)
            .exclude(claimed_by="")
            .select_for_update(skip_locked=True)
        )
        Attempt.objects.bulk_create(
            (
                Attempt(delivery=each, number=each.tries, at=now, outcome=Outcome.WORKER_LOST)
                for each in lost
            ),
            ignore_conflicts=True,
        )
        Delivery.objects.filter(pk__in=[each.pk for each in lost]).update(
            claimed_by="", last_outcome=Outcome.WORKER_LOST
        )
    return len(lost)


def rows(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def places(values: "Iterable[object]") -> str:
    return ", ".join("%s" for _ in values)


def stored(moment: datetime) -> Any:
    """Return a moment as the database compares it."""
    return connection.ops.adapt_datetimefield_value(moment)

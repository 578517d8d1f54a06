"""Events, their deliveries, and the tries of each delivery."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import Account
from portal.fields import ActorField, MomentField, PublicIdField
from webhooks.catalog import ObjectClass
from webhooks.models.replay import Replay
from webhooks.models.webhook import Webhook
from webhooks.outcomes import Outcome

# Many that are sent again go out in parts, so that what happens meanwhile need not wait for all of
# them; and no more at once than a request can queue.
PART, PART_EVERY, MOST_AGAIN = 100, timedelta(seconds=5), 10_000

# A worker that has not been seen for so long counts as gone, and is forgotten later.
SILENCE, FORGOTTEN = timedelta(seconds=30), timedelta(days=1)


class WebhookEvent(models.Model):
    """A change that webhooks are told of, as it was when it happened. It is never changed."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    object_class = models.CharField(max_length=32, choices=ObjectClass)
    action = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    object_status = models.CharField(max_length=32, blank=True)
    product_id = models.CharField(max_length=24, blank=True)
    at = MomentField(default=timezone.now)
    actor = ActorField()
    is_test = models.BooleanField(default=False)
    # How many deliveries led to this change, one causing the next.
    depth = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = (
            models.Index("account", "object_class", F("id").desc(), name="events_by_class"),
            models.Index("account", "object_id", F("id").desc(), name="events_by_object"),
            models.Index("at", name="events_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.object_class}.{self.action} {self.object_id}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def unfinished(self) -> "DeliveryQuerySet":
        return self.filter(state=Delivery.State.PENDING)

    def sent_by(self, worker: str) -> "DeliveryQuerySet":
        """Return what a worker is sending."""
        # That it is sent by anybody leads SQLite to the index of such rows.
        return self.unfinished().filter(claimed_by=worker, claimed_by__gt="")

    def of_webhook(self, webhook: Webhook) -> "DeliveryQuerySet":
        return self.filter(webhook=webhook)

    def with_time(self) -> "DeliveryQuerySet":
        """Annotate `milliseconds`, which the last try took."""
        last = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-number")
        return self.annotate(milliseconds=Subquery(last.values("duration")[:1]))

    def search(self, text: str) -> "DeliveryQuerySet":
        """Return deliveries with the id, or of the object whose id contains the text."""
        wanted = text.strip()
        return self.filter(Q(id=wanted.upper()) | Q(event__object_id__icontains=wanted))

    def in_vain(self) -> "DeliveryQuerySet":
        """Return those of which a try has failed, which are few and have an index."""
        return self.filter(failing_since__isnull=False)

    def failing(self) -> "DeliveryQuerySet":
        """Return those that were tried in vain and are going to be tried again."""
        return self.in_vain().filter(state=Delivery.State.PENDING, failures__gt=0)

    def tried(self) -> "DeliveryQuerySet":
        """Return those that were tried, the latest first."""
        return self.filter(last_outcome__gt="").order_by("-created_at", "-id")

    def undelivered(self) -> "DeliveryQuerySet":
        """Return those that were given up, or tried in vain and wait for a later try.

        Neither tests, nor what somebody has stopped on purpose, nor the end of a loop.
        """
        waits = Q(state=Delivery.State.PENDING, failures__gt=0, claimed_by="")
        rows = self.in_vain().filter(Q(state=Delivery.State.FAILED) | waits, event__is_test=False)
        return rows.exclude(last_outcome__in=(Outcome.ABORTED, Outcome.STOPPED, Outcome.LOOP))

    def missed_by(self, webhook: Webhook) -> "DeliveryQuerySet":
        """Return what has failed since the last success of a webhook's endpoint."""
        since = webhook.health.last_success_at or webhook.created_at
        return self.of_webhook(webhook).undelivered().filter(failing_since__gte=since)

    def send_anew(self, seen: datetime, replay: Replay) -> tuple[int, bool]:
        """Begin anew with those that had ended or failed by a moment.

        Return how many, and whether there are more than are sent at once. The oldest go first.
        Pressing the button of one page several times does it once, since those that were begun
        anew have neither ended nor failed at the moment of the page.
        """
        had_ended = Q(state=Delivery.State.PENDING, failing_since__lte=seen) | Q(
            state__in=(Delivery.State.FAILED, Delivery.State.DELIVERED), done_at__lte=seen
        )
        rows = self.filter(had_ended).order_by("created_at", "id")
        # One more than can be sent at once tells that there are more.
        found = list(rows.values_list("pk", flat=True)[: MOST_AGAIN + 1])
        ids = found[:MOST_AGAIN]
        now, count = timezone.now(), 0
        for start in range(0, len(ids), PART):
            part = Delivery.objects.filter(had_ended, pk__in=ids[start : start + PART])
            due = now + start // PART * PART_EVERY
            anew = {"due_at": due, "replay": replay, **Delivery.ANEW}
            count += part.filter(claimed_by="").update(**anew)
        return count, len(found) > len(ids)

    def bring_forward(self) -> int:
        """Begin at once with those that wait for a later try, the oldest first; return how many."""
        now = timezone.now()
        rows = self.failing().filter(claimed_by="", due_at__gt=now)
        ids = list(rows.order_by("created_at", "id").values_list("pk", flat=True)[:MOST_AGAIN])
        due = now
        for start in range(0, len(ids), PART):
            due = now + start // PART * PART_EVERY
            part = Delivery.objects.filter(pk__in=ids[start : start + PART], claimed_by="")
            part.unfinished().update(due_at=due, **Delivery.ANEW)
        # More than so many are no longer spread: the endpoint is not called more often for that.
        if len(ids) == MOST_AGAIN:
            return len(ids) + rows.filter(due_at__gt=due).update(due_at=due, **Delivery.ANEW)
        return len(ids)

    def redeliver(self) -> int:
        """Send those that are finished once more, under the same id; return how many.

        Those that wait for their next try are due at once. What is being sent is left alone.
        """
        now = timezone.now()
        anew = {"due_at": now, "replay": None, **Delivery.ANEW}
        done = self.exclude(state=Delivery.State.PENDING).update(**anew)
        return done + self.failing().filter(claimed_by="", due_at__gt=now).update(due_at=now)


class Delivery(models.Model):
    """What one webhook is to be sent of one event. Pending rows are the queue.

    `due_at` is the schedule and the lease at once: whoever claims a row moves it ahead by the
    lease, so that a row whose worker died becomes due again. `tries` tells a late result of an
    earlier claim from that of the present one.
    """

    class State(models.TextChoices):
        PENDING = "pending", gettext_lazy("Waiting")
        DELIVERED = "delivered", gettext_lazy("Delivered")
        FAILED = "failed", gettext_lazy("Given up")

    id = PublicIdField(gettext_lazy("ID"), groups=(4, 4, 4), prefix="WHD")
    event = models.ForeignKey(WebhookEvent, models.CASCADE, related_name="deliveries")
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_index=False)
    # That of the event, for an index: the order of an object is kept by it.
    object_id = models.CharField(max_length=64, blank=True)
    created_at = MomentField(default=timezone.now)
    # With which others it was sent again last.
    replay = models.ForeignKey(
        Replay, models.SET_NULL, null=True, related_name="deliveries", db_index=False
    )
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    due_at = MomentField(default=timezone.now)
    # The worker that is sending it; empty if none is.
    claimed_by = models.CharField(max_length=64, blank=True)
    tries = models.PositiveIntegerField(default=0)
    # How many tries failed, which says when the next one is due.
    failures = models.PositiveIntegerField(default=0)
    # When its first try failed.
    failing_since = MomentField(null=True)
    done_at = MomentField(null=True)
    last_outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    last_code = models.PositiveSmallIntegerField(null=True)

    # As before the first try.
    ANEW: ClassVar[dict[str, Any]] = {
        "state": State.PENDING,
        "claimed_by": "",
        "failures": 0,
        "failing_since": None,
        "done_at": None,
    }

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("delivery")
        verbose_name_plural = gettext_lazy("deliveries")
        constraints = (
            models.UniqueConstraint(fields=("webhook", "event"), name="one_delivery_per_event"),
        )
        indexes = (
            # The SQL of `webhooks.claims` repeats these conditions to the letter: SQLite uses a
            # partial index only then.
            models.Index(
                "webhook",
                "due_at",
                "id",
                condition=Q(state="pending", claimed_by=""),
                name="deliveries_due",
            ),
            models.Index(
                "webhook",
                "due_at",
                "id",
                condition=Q(state="pending", claimed_by="", failures=0),
                name="deliveries_first",
            ),
            models.Index(
                "webhook",
                condition=Q(state="pending", claimed_by__gt=""),
                name="deliveries_claimed",
            ),
            models.Index(
                "webhook", F("created_at").desc(), F("id").desc(), name="deliveries_by_time"
            ),
            models.Index(
                "webhook",
                "object_id",
                "event",
                condition=Q(state="pending"),
                name="deliveries_in_order",
            ),
            # The state comes last: without statistics, SQLite takes an index that begins with it
            # for those of a webhook that wait, and walks through all that wait anywhere.
            models.Index("created_at", "state", name="deliveries_by_age"),
            models.Index(
                "replay",
                condition=Q(replay__isnull=False, state="pending"),
                name="deliveries_of_replay",
            ),
            models.Index(
                "webhook",
                "state",
                "failing_since",
                condition=Q(failing_since__isnull=False),
                name="deliveries_failing",
            ),
            models.Index(
                "webhook",
                F("created_at").desc(),
                F("id").desc(),
                condition=Q(last_outcome__gt=""),
                name="deliveries_tried",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_pending(self) -> bool:
        return self.state == self.State.PENDING

    def give_up(self) -> bool:
        """Try it no more, unless a worker is sending it; tell whether it was waiting."""
        waits = Delivery.objects.filter(pk=self.pk, claimed_by="").unfinished()
        over = {"state": self.State.FAILED, "done_at": timezone.now()}
        return bool(waits.update(**over, last_outcome=Outcome.STOPPED, last_code=None))

    @property
    def message_id(self) -> str:
        """The id that stays the same over all tries, by which receivers drop repeats."""
        return str(self.pk)


class Attempt(models.Model):
    """One try of a delivery: what was sent, and what came back. Secrets are left out."""

    # The newest tries of a delivery that are kept. It may be sent again any number of times.
    MOST = 100

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    at = MomentField(default=timezone.now)
    # Milliseconds.
    duration = models.PositiveIntegerField(default=0)
    timings = models.JSONField(default=dict)
    address = models.CharField(max_length=45, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome)
    code = models.PositiveSmallIntegerField(null=True)
    # What the library or the certificate says besides, in words.
    note = models.CharField(max_length=300, blank=True)
    request_url = models.TextField(blank=True)
    request_headers = models.JSONField(default=dict)
    request_body = models.TextField(blank=True)
    answer_headers = models.TextField(blank=True)
    answer = models.TextField(blank=True)
    is_cut = models.BooleanField(default=False)

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=("delivery", "number"), name="one_attempt_per_number"),
        )

    def __str__(self) -> str:
        return f"{self.delivery_id} ({self.number})"

    @property
    def result(self) -> Outcome:
        return Outcome(self.outcome)


class DeliveryWorker(models.Model):
    """A worker that is running; one that has died is older than a few seconds."""

    name = models.CharField(max_length=64, primary_key=True)
    seen_at = MomentField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def beat(cls, name: str) -> None:
        now = timezone.now()
        cls.objects.update_or_create(name=name, defaults={"seen_at": now})
        # What was seen later than now was seen before the clock was set back.
        cls.objects.exclude(seen_at__range=(now - FORGOTTEN, now + SILENCE)).delete()

    @classmethod
    def is_running(cls) -> bool:
        """Tell whether any worker has been seen lately."""
        now = timezone.now()
        return cls.objects.filter(seen_at__range=(now - SILENCE, now + SILENCE)).exists()

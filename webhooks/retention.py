"""Forgetting: deliveries go some time after their end, with their tries, and then their events.

The worker does it, a few rows at a time and by their keys, so that neither requests nor deliveries
wait for it. What was counted stays.
"""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from webhooks.models import Delivery, Replay, WebhookEvent

# From when it is due, or was delivered; a longer time from when it was given up.
KEPT, KEPT_FAILED = timedelta(days=30), timedelta(days=60)
BATCH = 200


def rule() -> str:
    """Return for how long deliveries are kept, in words."""
    days = {"days": KEPT.days, "failed": KEPT_FAILED.days}
    told = _(
        "Deliveries are kept for %(days)d days after they have arrived, and for %(failed)d days "
        "after they were given up."
    )
    return told % days


def forget() -> int:
    """Delete some deliveries and some events whose time is over; return how many."""
    now = timezone.now()
    over = (
        Q(state=Delivery.State.PENDING, due_at__lt=now - KEPT)
        | Q(state=Delivery.State.DELIVERED, done_at__lt=now - KEPT)
        | Q(state=Delivery.State.FAILED, done_at__lt=now - KEPT_FAILED)
    )
    # None of them is younger than what it is about, by which there is an index.
    old = Delivery.objects.filter(over, created_at__lt=now - KEPT).order_by("created_at")
    keys = list(old.values_list("pk", flat=True)[:BATCH])
    # Some may have been sent again since.
    Delivery.objects.filter(over, pk__in=keys).delete()
    told = Exists(Delivery.objects.filter(event=OuterRef("pk")))
    events = WebhookEvent.objects.filter(~told, at__lt=now - KEPT).order_by("at")
    lone = list(events.values_list("pk", flat=True)[:BATCH])
    WebhookEvent.objects.filter(~told, pk__in=lone).delete()
    sent = Exists(Delivery.objects.filter(replay=OuterRef("pk")))
    Replay.objects.filter(~sent, created_at__lt=now - KEPT_FAILED).delete()
    return len(keys) + len(lone)

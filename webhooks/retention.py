"""Forgetting: deliveries go some time after their end, with their tries, and then their events.

The worker does it, a few rows at a time and by their keys, so that neither requests nor deliveries
wait for it. What was counted stays.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from webhooks.models import Delivery, Replay, WebhookEvent

# From when it is due, or was delivered; a longer time from when it was given up.
KEPT, KEPT_FAILED = timedelta(days=30), timedelta(days=60)
BATCH = 200
# Each state with when a delivery in it ends, and for how long it is kept after that.
ENDS = (
    (Delivery.State.PENDING, "due_at", KEPT),
    (Delivery.State.DELIVERED, "done_at", KEPT),
    (Delivery.State.FAILED, "done_at", KEPT_FAILED),
)


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
    count = 0
    for state, end, kept in ENDS:
        before = now - kept
        # No delivery ends before it was made, and by that there is an index.
        over = Q(state=state, created_at__lt=before, **{f"{end}__lt": before})
        count += forget_deliveries(over, before)
    # An event goes with its last delivery. Those that no webhook wanted are looked for later, when
    # hardly any others are left to be passed over.
    told = Exists(Delivery.objects.filter(event=OuterRef("pk")))
    events = WebhookEvent.objects.filter(~told, at__lt=now - KEPT_FAILED).order_by("at")
    lone = list(events.values_list("pk", flat=True)[:BATCH])
    WebhookEvent.objects.filter(~told, pk__in=lone).delete()
    sent = Exists(Delivery.objects.filter(replay=OuterRef("pk")))
    Replay.objects.filter(~sent, created_at__lt=now - KEPT_FAILED).delete()
    return count + len(lone)


def forget_deliveries(over: Q, before: datetime) -> int:
    """Delete some of the deliveries whose time is over, and events that have no other."""
    found = Delivery.objects.filter(over).order_by("created_at")
    keys = list(found.values_list("pk", flat=True)[:BATCH])
    if not keys:
        return 0
    with transaction.atomic():
        # Some may have been sent again since, and none can be until they are gone.
        rows = Delivery.objects.filter(over, pk__in=keys).select_for_update(skip_locked=True)
        ours = dict(rows.values_list("pk", "event"))
        Delivery.objects.filter(pk__in=ours).delete()
        told = Exists(Delivery.objects.filter(event=OuterRef("pk")))
        events = WebhookEvent.objects.filter(~told, pk__in=ours.values(), at__lt=before)
        count, _each = events.delete()
    return len(ours) + count

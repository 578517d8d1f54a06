"""Forgetting deliveries: after a month an event goes, with its deliveries and tries.

The worker does it, a few rows at a time, so that neither requests nor deliveries wait for it.
"""

from datetime import timedelta

from django.utils import timezone

from webhooks.models import WebhookEvent

# From when it is due, or was delivered; a longer time from when it was given up.
KEPT, KEPT_FAILED = timedelta(days=30), timedelta(days=60)
BATCH = 200


def forget() -> int:
    """Delete some events whose time is over; return how many."""
    old = WebhookEvent.objects.filter(at__lt=timezone.now() - KEPT).order_by("at")
    if keys := list(old.values_list("pk", flat=True)[:BATCH]):
        WebhookEvent.objects.filter(pk__in=keys).delete()
    return len(keys)

"""Delete rows that are no longer needed; run it once a day."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Counter, Draft, Invitation, Session
from tokens.models import Bucket, Reminder
from tokens.reminders import RECENT

# Rows per DELETE: on SQLite, it blocks all other writers.
BATCH = 1000


class Command(BaseCommand):
    help = (
        "Delete ended sessions, drafts that are older than a day, and invitations, reminders, "
        "counters and buckets of limits whose time is over. The trail stays."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for what, queryset in leftovers():
            self.stdout.write(f"{what}: {delete(queryset):,}")


def leftovers() -> Iterator[tuple[str, QuerySet[Any]]]:
    now = timezone.now()
    yield "Ended sessions", Session.objects.filter(expire_date__lt=now)
    for drafts in sorted(Draft.__subclasses__(), key=lambda each: each._meta.app_label):
        yield f"Old drafts of {drafts._meta.app_label}", drafts.old()
    yield "Invitations that are over", Invitation.objects.filter(expires_at__lt=now)
    # Those of recent ends say which are in the trail.
    yield "Reminders of past ends", Reminder.objects.filter(expires_at__lt=now - 2 * RECENT)
    yield "Counters of limits", Counter.objects.filter(until__lt=now)
    # What is full again says nothing.
    full = int(now.timestamp() * 1_000_000)
    yield "Full buckets of rate limits", Bucket.objects.filter(full_at__lt=full)


def delete(queryset: QuerySet[Any]) -> int:
    """Delete the rows in batches; return how many were deleted."""
    count = 0
    while batch := list(queryset.values_list("pk", flat=True)[:BATCH]):
        # Filter again: a counter may have restarted since.
        count += queryset.filter(pk__in=batch).delete()[0]
    return count

"""Delete old activity without breaking the chain of what is kept."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Max

from activity import chain
from activity.actions import Action
from activity.management.commands.verify_activity import progress
from activity.models import Chain, Event
from activity.recording import record
from portal import text
from portal.moments import day_bounds

# Entries deleted per transaction: it blocks recording for the account.
BATCH = 1000


class Command(BaseCommand):
    help = (
        "Delete the activity before a day. The rest of the trail can still be verified: it follows "
        "from the hash of the last deleted entry."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--before",
            required=True,
            type=date.fromisoformat,
            help="the first day to keep, as 2026-01-31",
        )

    def handle(self, *args: Any, before: date, **options: Any) -> None:
        moment = day_bounds(before)[0]
        for account in chain.accounts():
            if fault := chain.verify(account, progress(self, account, "checked")):
                raise CommandError(f"A broken trail cannot be shortened. {fault}")
            tell = progress(self, account, "deleted")
            count = 0
            try:
                for deleted in forget(account, moment):
                    count += deleted
                    tell(count)
            finally:
                # Also if it is interrupted.
                if count:
                    record(
                        None,
                        Action.TRAIL_FORGOTTEN,
                        account=account,
                        changes={"before": [None, text.day(before)], "entries": [count, 0]},
                    )
            self.stdout.write(f"{account or 'The portal itself'}: {count:,}")


def forget(account: str, moment: datetime) -> Iterator[int]:
    """Delete the entries of an account up to the first one that is not older than `moment`.

    Yield how many were deleted after each transaction.
    """
    events = Event.objects.filter(account=account)
    # Entries that are recorded from now on are kept.
    last = events.aggregate(last=Max("number"))["last"] or 0
    events = events.filter(number__lte=last).order_by("number")
    kept = events.filter(at__gte=moment).values_list("number", flat=True).first()
    old = events if kept is None else events.filter(number__lt=kept)
    while True:
        with transaction.atomic():
            ends = Chain.locked(account)
            batch = list(old.values_list("number", "hash")[:BATCH])
            if not batch:
                return
            # The triggers allow deleting entries up to `forgotten`.
            ends.forgotten, ends.anchor = batch[-1]
            ends.save(update_fields=("forgotten", "anchor"))
            deleted = events.filter(number__lte=ends.forgotten).delete()[0]
        yield deleted

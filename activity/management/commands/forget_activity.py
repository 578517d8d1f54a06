"""Delete old activity without breaking the chain of what is kept."""

from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from activity import chain
from activity.actions import Action
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
            if fault := chain.verify(account):
                raise CommandError(f"A broken trail cannot be shortened. {fault}")
            count = forget(account, moment)
            if count:
                record(
                    None,
                    Action.TRAIL_FORGOTTEN,
                    account=account,
                    changes={"before": [None, text.day(before)], "entries": [count, 0]},
                )
            self.stdout.write(f"{account or 'The portal itself'}: {count:,}")


def forget(account: str, moment: datetime) -> int:
    """Delete the entries of an account up to the first one that is not older than `moment`.

    Return how many were deleted.
    """
    count = 0
    while True:
        with transaction.atomic():
            ends = Chain.locked(account)
            entries = Event.objects.filter(account=account).order_by("number")
            kept = entries.filter(at__gte=moment).values_list("number", flat=True).first()
            old = entries if kept is None else entries.filter(number__lt=kept)
            last = list(old[:BATCH])[-1:]
            if not last:
                return count
            # The triggers allow deleting entries up to `forgotten`.
            ends.forgotten, ends.anchor = last[0].number, last[0].hash
            ends.save(update_fields=("forgotten", "anchor"))
            count += entries.filter(number__lte=ends.forgotten).delete()[0]

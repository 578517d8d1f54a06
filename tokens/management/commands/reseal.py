"""Seal the copies of keys with the newest sealing key, so that older ones can be removed."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import QuerySet

from tokens import vault
from tokens.models import RingSecret, TokenKey
from tokens.models.key import ALSO_SEALED, SEALED_BY

# Copies per transaction: on SQLite, it blocks all other writers.
BATCH = 100
# Characters of the progress bar.
BAR = 30


class Command(BaseCommand):
    """A command that may be interrupted and repeated: what is not moved yet is found again.

    Calls go on: they never read sealed copies.
    """

    help = (
        "Seal the copies of keys with the newest key of TOKEN_SEALING_KEYS. It can be interrupted "
        "and repeated, and calls go on meanwhile."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            RingSecret.note()
        except RingSecret.Foreign as problem:
            raise CommandError(str(problem)) from None
        newest = max(settings.TOKEN_SEALING_KEYS)
        moved, broken = self.move(
            TokenKey.objects.exclude(sealed=None).select_related("token"), newest
        )
        for model in ALSO_SEALED:
            more_moved, more_broken = self.move(model._default_manager.all(), newest)
            moved, broken = moved + more_moved, broken + more_broken
        self.stdout.write(f"Sealed with number {newest}: {moved:,}")
        if broken:
            self.stdout.write(f"Could not be opened, and were left as they are: {broken:,}")

    def move(self, copies: "QuerySet[Any]", newest: int) -> tuple[int, int]:
        """Seal copies anew; return how many were moved and how many could not be opened."""
        old = copies.annotate(sealed_by=SEALED_BY).exclude(sealed_by=bytes([newest])).order_by("pk")
        total, seen, moved, broken, last = old.count(), 0, 0, 0, 0
        while batch := list(old.filter(pk__gt=last)[:BATCH]):
            with transaction.atomic():
                for row in batch:
                    try:
                        moved += row.reseal()
                    except vault.SealBroken:
                        broken += 1
            last, seen = batch[-1].pk, seen + len(batch)
            self.show(seen, max(total, seen))
        return moved, broken

    def show(self, seen: int, total: int) -> None:
        """Draw the progress bar, on a terminal only."""
        if not self.stderr.isatty():
            return
        done = "#" * (BAR * seen // total)
        end = "\n" if seen == total else ""
        self.stderr.write(f"\r[{done:<{BAR}}] {seen:,} of {total:,}{end}", ending="")

"""Say which secrets of the rings are still needed."""

from typing import Any

from django.core.management.base import BaseCommand

from tokens.models import RingSecret


class Command(BaseCommand):
    help = "Say how many keys still need each number of TOKEN_PEPPERS and TOKEN_SEALING_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        ring = ""
        for row in RingSecret.all_needed():
            if row.ring != ring:
                ring = row.ring
                self.stdout.write(ring)
            count = row.count_needed()
            keys = "1 key" if count == 1 else f"{count:,} keys"
            self.stdout.write(f"  {row.number:>3}  {keys:>15}  {word(row, count)}")


def word(row: RingSecret, count: int) -> str:
    if not row.is_configured():
        return "missing in the settings" if count else "gone, and not needed"
    if row.is_current:
        return "current"
    if not count:
        return "can be removed from the settings"
    if row.ring == RingSecret.Ring.PEPPERS:
        return "needed: each key moves on at its next call"
    return "needed: run manage.py reseal"

"""Remind accounts of tokens that expire."""

from typing import Any

from django.core.management.base import BaseCommand

from tokens import reminders


class Command(BaseCommand):
    help = (
        "Remind the administrators of accounts 30, 14, 7 and 1 days before a token expires, record "
        "the tokens that have expired, and warn of webhooks that fail. The server does the same by "
        "itself; nobody is told twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Reminders of tokens: {reminders.remind():,}")
        self.stdout.write(f"Tokens that have expired: {reminders.record_ends():,}")
        for name, job in reminders.ALSO:
            self.stdout.write(f"{name}: {job():,}")

"""Remind accounts of tokens that expire."""

from typing import Any

from django.core.management.base import BaseCommand

from tokens import reminders


class Command(BaseCommand):
    help = (
        "Remind the administrators of accounts 30, 14, 7 and 1 days before a token expires. The "
        "server does the same every ten minutes; nobody is reminded twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Reminders of tokens: {reminders.remind():,}")

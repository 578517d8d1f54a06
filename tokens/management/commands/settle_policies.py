"""Warn of idle tokens and disable them, for those who let cron do it or want it done now."""

from typing import Any

from django.core.management.base import BaseCommand

from tokens import settling


class Command(BaseCommand):
    help = (
        "Warn administrators of tokens that nobody uses, and disable those that are idle by the "
        "policies of their account. A running server does the same every minute."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        warned, disabled = settling.settle()
        self.stdout.write(f"Tokens warned of: {warned:,}\nTokens disabled: {disabled:,}")

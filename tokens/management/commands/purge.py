"""Destroy the keys of deleted tokens that can no longer be restored."""

from typing import Any

from django.core.management.base import BaseCommand

from tokens.models import Token


class Command(BaseCommand):
    help = (
        "Destroy the sealed copies of the keys of tokens that were deleted more than seven days "
        "ago. The server does the same every ten minutes."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Purged tokens: {Token.objects.purge():,}")

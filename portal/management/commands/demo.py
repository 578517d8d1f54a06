"""The fallback for `manage.py demo` while the app `demo` with the real command is not installed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Load the demo data. Needs DEMO=on."

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "Demo data is for trying out a local portal, not for one with real accounts. Set "
            "DEMO=on to load it."
        )

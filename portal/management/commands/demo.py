"""`manage.py demo` where the app `demo`, which has the command itself, is not installed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Load the demo data. Needs DEMO=on."

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("Demo data is for a local portal to try things with, not for one with real accounts. Set DEMO=on to load it.")

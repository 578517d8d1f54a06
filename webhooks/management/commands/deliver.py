"""`manage.py deliver`: send the calls of webhooks until it is asked to end."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webhooks.worker import Worker


class Command(BaseCommand):
    help = "Deliver webhooks. `manage.py serve` runs one; more can run beside it, on any machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="deliver what is due now, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        if options["once"]:
            worker.run_until_idle()
        else:
            worker.run()

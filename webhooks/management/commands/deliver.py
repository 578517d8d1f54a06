"""`manage.py deliver`: send the calls of webhooks until it is asked to end."""

import os
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webhooks.worker import Worker


class Command(BaseCommand):
    # They would load the pages and the API, which are a sixth of its memory.
    requires_system_checks = []
    help = "Deliver webhooks. `manage.py serve` runs one; more can run beside it, on any machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="deliver what is due now, and end")
        parser.add_argument(
            "--attached", action="store_true", help="end when the input ends, as with the server"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        if options["attached"]:
            threading.Thread(target=wait_for_end, args=(worker,), daemon=True).start()
        if options["once"]:
            worker.run_until_idle()
        else:
            worker.run()


def wait_for_end(worker: Worker) -> None:
    """Stop the worker when whoever started it is gone."""
    # Not by sys.stdin, whose lock a thread must not hold when Python ends.
    while os.read(0, 4096):
        pass
    worker.stop()

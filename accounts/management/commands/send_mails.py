"""Send the mails that are due, for those who let cron do it or want it done now."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts import mails


class Command(BaseCommand):
    help = "Send the mails that are due. A running server does the same every few seconds."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Mails sent: {mails.send_due():,}.")

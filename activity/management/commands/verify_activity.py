"""Find changes to the trail that bypassed the portal."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from activity import chain

# A line is printed after this many entries.
TELL = 100_000


class Command(BaseCommand):
    help = (
        "Check the trail of every account, or of one, and name the first entry of each that does "
        "not fit."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--account", help="the ID of one account")

    def handle(self, *args: Any, account: str | None, **options: Any) -> None:
        accounts = chain.accounts() if account is None else [account]
        faults = [
            fault
            for each in accounts
            if (fault := chain.verify(each, progress(self, each, "checked")))
        ]
        if faults:
            raise CommandError("\n".join(map(str, faults)))
        self.stdout.write(f"The trails of {len(accounts):,} accounts are whole.")


def progress(command: BaseCommand, account: str, done: str) -> Callable[[int], None]:
    """Return a function that prints how many entries are done, every TELL entries."""

    def tell(count: int) -> None:
        if count % TELL == 0:
            command.stdout.write(f"{account or 'The portal itself'}: {count:,} entries {done} …")
            command.stdout.flush()

    return tell

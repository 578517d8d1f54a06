"""Find changes to the trail that bypassed the portal."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from activity import chain


class Command(BaseCommand):
    help = (
        "Check the trail of every account, or of one, and name the first entry of each that does "
        "not fit."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--account", help="the ID of one account")

    def handle(self, *args: Any, account: str | None, **options: Any) -> None:
        accounts = chain.accounts() if account is None else [account]
        faults = [fault for each in accounts if (fault := chain.verify(each))]
        if faults:
            raise CommandError("\n".join(map(str, faults)))
        self.stdout.write(f"The trails of {len(accounts):,} accounts are whole.")

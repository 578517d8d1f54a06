"""`manage.py demo`: companies with people, tokens and business records, to try the portal with.

It is deterministic (ids, names and most dates never change) and idempotent (a second run adds what
is missing and changes nothing else). Only times that have to look current, such as "last used 3
minutes ago", count back from the first run.
"""

import os
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.models import Account, Invitation, Membership, User
from activity.recording import happened
from demo import deliveries, extensions, records, rules, tokens, webhooks
from demo.companies import COMPANIES, PEOPLE, PORTAL_ADMINISTRATOR
from demo.records.base import day

# When the companies began to use the portal.
BEGINNING = day(2021, 1, 4)


class Command(BaseCommand):
    help = "Load the demo data. A second run adds what is missing and changes nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--records", type=int, default=72, metavar="N", help="agreements per main account (72)"
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        with happened(BEGINNING):
            accounts = {
                id: Account.objects.get_or_create(
                    pk=id, defaults={"name": name, "side": side, "created_at": BEGINNING}
                )[0]
                for id, name, side in COMPANIES
            }
            people = self.people(accounts)
        extensions.load(accounts)
        tokens.load(accounts)
        rules.load(accounts)
        records.load(max(options["records"], 0), people)
        webhooks.load(accounts)
        deliveries.load(accounts)

    def people(self, accounts: dict[str, Account]) -> dict[str, list[User]]:
        """Add the people who are missing, and return those of each account."""
        given = os.environ.get("DEMO_PASSWORD", "")
        password = given or secrets.token_urlsafe(12)
        fresh = []
        members: dict[str, list[User]] = {account: [] for account in accounts}
        for id, email, name, memberships in (*PEOPLE, (*PORTAL_ADMINISTRATOR, {})):
            user = User.objects.filter(pk=id).first()
            if user is None:
                staff = not memberships
                user = User.objects.create_user(
                    email,
                    password,
                    id=id,
                    name=name,
                    is_staff=staff,
                    is_superuser=staff,
                    created_at=day(2021, 1, 4),
                )
                fresh.append(user)
            elif given and not user.check_password(given):
                user.set_password(given)
                user.save(update_fields=("password",))
            for account, role in memberships.items():
                Membership.objects.get_or_create(
                    user=user, account=accounts[account], defaults={"role": role}
                )
                members[account].append(user)
        if fresh:
            self.invite(accounts)
        self.tell_password(fresh, password, is_given=bool(given))
        return members

    def tell_password(self, fresh: list[User], password: str, *, is_given: bool) -> None:
        self.stdout.write(
            "Demo people: "
            + ", ".join(email for _, email, _, _ in PEOPLE)
            + f"; for /admin/: {PORTAL_ADMINISTRATOR[1]}"
        )
        if is_given:
            self.stdout.write("Their password is the one in DEMO_PASSWORD.")
        elif fresh:
            # A later version may add people, while the others already have a password.
            whose = (
                "Their password"
                if len(fresh) > len(PEOPLE)
                else f"The password of {' and '.join(user.email for user in fresh)}"
            )
            self.stdout.write(f"{whose}, shown this once: {password}")
        else:
            self.stdout.write(
                "Their password was shown when they were created. To set another: DEMO_PASSWORD=… "
                "make run"
            )

    def invite(self, accounts: dict[str, Account]) -> None:
        """Leave an open invitation for the page *People*; nobody gets a mail."""
        account = accounts["PA-063-101"]
        inviter = User.objects.get(email="michael@mightymicks.example")
        Invitation.issue(account, "gloria@mightymicks.example", Membership.Role.MEMBER, by=inviter)

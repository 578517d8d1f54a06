"""Remove the second step of somebody who lost phone, spare codes and passkeys."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User, fold_email
from accounts.signals import SecondStep, second_step_changed


class Command(BaseCommand):
    help = "Remove the app, the spare codes and the passkeys of a person."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email=fold_email(email)).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {email}.")
        with transaction.atomic():
            user.passkeys.all().delete()
            if user.has_two_step:
                user.authenticator.switch_off()
            second_step_changed.send(User, user=user, change=SecondStep.OFF)
        self.stdout.write(f"{user} signs in with the password alone.")

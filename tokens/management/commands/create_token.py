"""Create a token from the shell.

`manage.py create_token --account PA-063-101 --name "Nightly sync" --module agreements`
"""

from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from accounts.models import Account
from portal.text import line
from tokens.catalog import Module
from tokens.models import Extension, Token, TokenError


def slug(module: Module) -> str:
    return module.name.lower().replace("_", "-")


MODULES = {slug(module): module for module in Module.single()}


class Command(BaseCommand):
    """A command whose whole output is the value of the Authorization header, for use in pipes."""

    help = "Create a token and print the value to paste after `Authorization: `."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, help="id or name of the account")
        parser.add_argument("--name", required=True, help="name of the token")
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument(
            "--module",
            action="append",
            choices=sorted(MODULES),
            metavar="NAME",
            help="; ".join(sorted(MODULES)),
        )
        group.add_argument(
            "--all-modules",
            action="store_true",
            help="every module, also those added in the future",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        name = name_of(options["name"])
        modules = (
            [Module.ALL]
            if options["all_modules"]
            else [MODULES[each] for each in options["module"]]
        )
        try:
            _token, key = Token.issue(
                account=account, modules=modules, by=None, name=name, extension_id=Extension.CUSTOM
            )
        except TokenError as problem:
            fail(str(problem))
        except ValidationError as problem:
            fail(" ".join(problem.messages))
        self.stdout.write(key.header)


def find_account(wanted: str) -> Account:
    account = Account.objects.filter(pk=wanted).first()
    if account:
        return account
    named = list(Account.objects.filter(name__iexact=wanted)[:2])
    if len(named) > 1:
        fail(_("Several accounts have the name %(name)s. Use the ID.") % {"name": wanted})
    if not named:
        known = ", ".join(
            f"{account.pk} ({account.name})" for account in Account.objects.all()[:10]
        )
        fail(
            _("There is no account %(name)s. Existing accounts: %(known)s.")
            % {"name": wanted, "known": known or _("none yet")}
        )
    return named[0]


def name_of(typed: str) -> str:
    try:
        name = line(typed)
    except ValidationError as problem:
        fail(" ".join(problem.messages))
    if not 1 <= len(name) <= 128:
        fail(_("The name must have 1 to 128 characters."))
    return name


def fail(text: str) -> NoReturn:
    raise CommandError(text, returncode=2)

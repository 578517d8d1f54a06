"""The demo data, for claims about every resource."""

import pytest
from django.core.management import call_command
from django.db import transaction

from accounts.models import Account
from tests.factories import TokenFactory, header
from tokens.catalog import Module


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker):
    """The key of a token that may reach everything, by account, for either side of the demo; loaded once a file."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("demo", verbosity=0)
        keys = {}
        for account in ("PA-063-101", "VA-044-420"):
            token = TokenFactory(account=Account.objects.get(pk=account), name="Reader", modules=(Module.ALL,))
            keys[account] = header(token)
        yield keys
        transaction.set_rollback(True)

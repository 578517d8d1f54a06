"""The demo data, for tests that cover every resource."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import transaction
from pytest_django import DjangoDbBlocker

from accounts.models import Account
from tests.factories import TokenFactory, header
from tokens.catalog import Module


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    """Load the demo once per file; return the keys of all-module tokens, by account.

    There is one for each side.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("demo", verbosity=0)
        keys = {}
        for account in ("PA-063-101", "VA-044-420"):
            token = TokenFactory(
                account=Account.objects.get(pk=account), name="Reader", modules=(Module.ALL,)
            )
            keys[account] = header(token)
        yield keys
        transaction.set_rollback(True)

"""The records of the demo, loaded once for each file."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from tests.conftest import forget_trail


def load(**options: Any) -> None:
    call_command("demo", verbosity=0, stdout=StringIO(), **options)


@pytest.fixture(scope="module", autouse=True)
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Load the demo once; the tests below change it only within transactions."""
    with django_db_blocker.unblock():
        load()
        try:
            yield
        finally:
            forget_trail()
            call_command("flush", interactive=False, verbosity=0)

"""The staff of the portal."""

import pytest
from django.test import Client

from accounts.models import User
from tests.conftest import confirmed
from tests.factories import UserFactory


@pytest.fixture
def chief(db: None) -> User:
    return UserFactory(name="Chief", email="admin@portal.example", is_staff=True, is_superuser=True)


@pytest.fixture
def staff(chief: User) -> Client:
    client = Client()
    client.force_login(chief, backend="accounts.backends.EmailBackend")
    return confirmed(client)

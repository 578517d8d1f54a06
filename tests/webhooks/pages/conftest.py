"""A webhook for the tests of its pages."""

import pytest

from accounts.models import Account
from tests.conftest import Person
from tests.webhooks.factories import make_webhook
from webhooks.models import Webhook


@pytest.fixture
def webhook(account: Account, michael: Person) -> Webhook:
    return make_webhook(account, by=michael.user)

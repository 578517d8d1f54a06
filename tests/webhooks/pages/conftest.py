"""Webhooks for the tests of their pages."""

from collections.abc import Iterator

import pytest

from accounts.models import Account
from tests.conftest import Person
from tests.webhooks.engine.receiver import Receiver, receiving
from tests.webhooks.factories import make_webhook
from webhooks.models import Webhook


@pytest.fixture
def webhook(account: Account, michael: Person) -> Webhook:
    """Return a webhook whose endpoint cannot be called."""
    return make_webhook(account, by=michael.user)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def heard(account: Account, michael: Person, receiver: Receiver) -> Webhook:
    """Return a webhook whose endpoint answers."""
    return make_webhook(account, by=michael.user, external_url=receiver.url)

"""Webhooks, for the tests of this folder."""

from typing import Any, Protocol

import pytest

from accounts.models import Account
from tests.conftest import Call, Response
from tests.factories import TokenFactory
from tokens.catalog import Module
from tokens.models import Token
from webhooks.catalog import ObjectClass
from webhooks.models import Webhook

SECRET = "JWT-4b1c0f5e-6c52-4f57-9d3e-8f6b7a1d2c3e"


@pytest.fixture
def boss(account: Account) -> Token:
    """Return a token that may manage the integrations of the account."""
    return TokenFactory(account=account, name="Boss", modules=(Module.INTEGRATIONS,))


@pytest.fixture
def webhook(account: Account) -> Webhook:
    return make(account)


def make(account: Account, **fields: Any) -> Webhook:
    """Create a webhook, by default one that is told of tokens."""
    values = {
        "label": "Token Watch",
        "object_class": ObjectClass.TOKEN,
        "external_url": "https://chat.mightymicks.example/in/ops",
        "secret": SECRET,
        **fields,
    }
    return Webhook.create(account=account, by=None, **values)


class Hooks(Protocol):
    """A call below `/notifications/webhooks`, with the key of a token."""

    def __call__(self, method: str, path: str = ..., body: Any = None) -> Response: ...


@pytest.fixture
def hooks(call: Call, boss: Token) -> Hooks:
    def hooks(method: str, path: str = "", body: Any = None) -> Response:
        more = {} if method == "get" else {"content_type": "application/json"}
        data = {} if body is None else {"data": body}
        return call(f"notifications/webhooks{path}", boss, method, **more, **data)

    return hooks

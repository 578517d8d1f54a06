"""Tokens that act."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Account
from tests.conftest import Call, Response
from tests.factories import ZAPIER, AccountFactory, TokenFactory
from tokens.catalog import Module
from tokens.models import Extension, Token


@pytest.fixture
def robot(account: Account) -> Token:
    """Make a token that manages the others."""
    return TokenFactory(account=account, name="ERP Sync", modules=(Module.INTEGRATIONS,))


@pytest.fixture
def made(account: Account, robot: Token) -> Token:
    """Make a token by means of `robot`."""
    return TokenFactory(account=account, name="Made", by=robot)


@pytest.fixture
def maker(db: None) -> Account:
    """Return the account that made Zapier's extension, which uses handles."""
    made = AccountFactory(name="Bayside Cloud", side="vendor")
    Extension.objects.filter(pk=ZAPIER).update(owner=made, uses_handle=True)
    return made


@pytest.fixture
def partner(maker: Account) -> Token:
    return TokenFactory(account=maker, name="Exchanges", modules=(Module.INTEGRATIONS,))


@pytest.fixture
def zap(account: Account, maker: Account) -> Token:
    return TokenFactory(account=account, name="Orders to Chat", extension_id=ZAPIER)


@pytest.fixture
def exchange(call: Call, partner: Token) -> Callable[..., Response]:
    """Return a function that exchanges a handle by the API."""

    def do(handle: Any, key: Token | str | None = partner, **kwargs: Any) -> Response:
        body = json.dumps({"handle": handle})
        return call(
            "auth/tokens", key, "post", data=body, content_type="application/json", **kwargs
        )

    return do

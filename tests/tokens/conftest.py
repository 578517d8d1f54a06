"""Tokens that act."""

import pytest

from accounts.models import Account
from tests.factories import TokenFactory
from tokens.catalog import Module
from tokens.models import Token


@pytest.fixture
def robot(account: Account) -> Token:
    """Make a token that manages the others."""
    return TokenFactory(account=account, name="ERP Sync", modules=(Module.INTEGRATIONS,))


@pytest.fixture
def made(account: Account, robot: Token) -> Token:
    """Make a token by means of `robot`."""
    return TokenFactory(account=account, name="Made", by=robot)

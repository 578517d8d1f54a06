"""The demo data, for tests that cover every resource."""

import json
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from django.core.management import call_command
from django.db import transaction
from pytest_django import DjangoDbBlocker

from accounts.models import Account
from tests.conftest import Call, Response
from tests.factories import TokenFactory, header
from tokens.catalog import Module
from tokens.models import Token


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


class Send(Protocol):
    """A call as the distributor's token, or with another key."""

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        key: Token | str | None = ...,
        **kwargs: Any,
    ) -> Response: ...


@pytest.fixture
def all_token(account: Account) -> Token:
    return TokenFactory(account=account, name="ERP Sync", modules=(Module.ALL,))


@pytest.fixture
def send(call: Call, all_token: Token) -> Send:
    """Return a function that calls as the distributor's token.

    For example `send("post", "tier/accounts", {...})`.
    """

    def do(
        method: str, path: str, body: Any = None, key: Token | str | None = all_token, **kwargs: Any
    ) -> Response:
        if body is None and method == "post":
            # As the official client posts an action: without a body or a content type.
            kwargs |= {"data": b"", "content_type": ""}
        elif body is not None:
            kwargs |= {
                "data": body if isinstance(body, bytes) else json.dumps(body),
                "content_type": "application/json",
            }
        return call(path, key, method=method, **kwargs)

    return do


class Manage(Protocol):
    """A call of the API of tokens."""

    def __call__(
        self, key: Token | str | None, method: str, path: str, body: Any = None
    ) -> Response: ...


@pytest.fixture
def boss(account: Account) -> Token:
    """Make a token that may reach everything."""
    return TokenFactory(account=account, name="Boss", modules=(Module.ALL,))


@pytest.fixture
def clerk(account: Account) -> Token:
    """Make a token that may manage tokens and read agreements, nothing more."""
    return TokenFactory(
        account=account, name="Clerk", modules=(Module.INTEGRATIONS, Module.AGREEMENTS)
    )


@pytest.fixture
def manage(call: Call) -> Manage:
    def do(key: Token | str | None, method: str, path: str, body: Any = None) -> Response:
        kwargs = (
            {"data": json.dumps(body), "content_type": "application/json"}
            if body is not None
            else {"data": b"", "content_type": ""}
        )
        return call(f"auth/tokens{path}", key, method=method, **({} if method == "get" else kwargs))

    return do

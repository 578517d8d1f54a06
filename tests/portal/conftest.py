"""A portal on its production server."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.conftest import Person
from tests.factories import CUSTOM
from tests.portal.routes import rule_of
from tests.portal.typed import browser, put, sign_in
from tests.server import Reply, Server, database, environment, served
from tests.webhooks.factories import given_up, make_webhook
from tokens.models import Policy, Token, TokenDraft
from webhooks.models import WebhookDraft


class Portal(Server):
    def __init__(self, url: str, env: dict[str, str]) -> None:
        super().__init__(url, env)
        self.port = int(env["PORT"])
        self.key = self.manage(
            "create_token", "--account", "PA-063-101", "--name", "Server", "--all-modules"
        ).strip()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def send(self, *parts: bytes) -> Reply:
        """Return what the server answers to these bytes, until it closes or has answered once."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return Reply.read(response)

    def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: Any = None,
        **kwargs: Any,
    ) -> Reply:
        """Send a request as a well-behaved program does; a list of bytes is sent in chunks."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, headers or {}, **kwargs)
            return Reply.read(connection.getresponse())

    def answers(self) -> None:
        """Check that pages and calls, writes included, are answered.

        Used while others hold all that they can.
        """
        assert self.get("/sign-in/").status == 200
        assert self.get("/public/v1/agreements?limit=10", self.key).status == 200
        assert (
            self.ask("POST", CUSTOMERS, JSON | {"Authorization": self.key}, json.dumps({})).status
            == 400
        )


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    home = tmp_path_factory.mktemp("served")
    with database(home) as url:
        env = environment(url, DEMO_PASSWORD=PASSWORD)
        with served(env, home) as address:
            yield Portal(address, env)


@pytest.fixture
def signed_in(michael: Person) -> Client:
    client = browser()
    sign_in(client, michael.user)
    put(client, confirmed_at=0)
    return client


JSON = {"Content-Type": "application/json"}


CUSTOMERS = "/public/v1/tier/accounts"


PASSWORD = "a long enough password"


@pytest.fixture
def places(michael: Person, token: Token) -> dict[str, Any]:
    draft = TokenDraft.objects.create(
        account=michael.account, owner=michael.user, name="Draft", extension_id=CUSTOM
    )
    # Only a token that expires can be extended.
    Token.objects.update(expires_at=timezone.now() + timedelta(days=9))
    # A looser policy is saved without being asked.
    Policy.put(michael.account.pk, {"most_days": 3000})
    webhook = make_webhook(michael.account, "Token Watch", object_class="token")
    hook_draft = WebhookDraft.objects.create(
        account=michael.account,
        owner=michael.user,
        label="Draft",
        external_url=webhook.external_url,
    )
    return {
        "token": token.pk,
        "draft": draft.pk,
        "rule": rule_of(token).pk,
        "webhook": webhook.pk,
        "hook_draft": hook_draft.pk,
        "delivery": given_up(webhook).pk,
    }

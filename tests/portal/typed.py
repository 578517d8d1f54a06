"""Browsers whose forms do not get through."""

import time
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from accounts.models import Account, Invitation, Membership, User
from tests.conftest import Response
from tests.factories import PASSWORD
from tests.matching import matched
from tokens.models import IPRule, Policy, Token, TokenDraft
from webhooks.models import Webhook, WebhookDraft, WebhookSecret

HOST = "http://testserver"


SIGN_IN = "/sign-in/"


class Hidden(HTMLParser):
    """A parser for the hidden fields that every form of a page has in common."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str | None] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if tag == "input" and name in {"csrfmiddlewaretoken", "page_of", "version"}:
            self.fields[name] = given.get("value", "")


class Tab:
    """A page in a browser, which sends its hidden fields and its URL as browsers do.

    Tabs of one browser share the client.
    """

    def __init__(self, client: Client, path: str) -> None:
        self.client = client
        self.path = path
        self.answer = client.get(path)
        self.hidden = Hidden(self.answer.text).fields

    def send(
        self, fields: dict[str, Any], path: str | None = None, origin: str = HOST, **headers: str
    ) -> Response:
        headers = {"origin": origin, "referer": f"{HOST}{self.path}", **headers}
        return self.client.post(path or self.path, {**self.hidden, **fields}, headers=headers)


def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def sign_in(client: Client, user: User, path: str = SIGN_IN) -> Response:
    """Sign in as the open page says; return the response after that."""
    tab = Tab(client, path)
    answer = tab.send(
        {
            "username": user.email,
            "password": PASSWORD,
            "next": matched(r'name="next" value="([^"]*)"', tab.answer.text)[1],
        }
    )
    assert answer.status_code == 302, answer.text
    return client.get(answer["Location"])


def put(client: Client, **values: object) -> None:
    session = client.session
    session.update(values)
    session.save()


def stored() -> list[Any]:
    return [
        list(Token.objects.order_by("pk").values()),
        list(TokenDraft.objects.order_by("pk").values()),
        list(IPRule.objects.order_by("pk").values()),
        list(Webhook.objects.order_by("pk").values()),
        list(WebhookDraft.objects.order_by("pk").values()),
        list(WebhookSecret.objects.order_by("pk").values("pk", "version", "expires_at")),
        list(Invitation.objects.order_by("pk").values()),
        list(Policy.objects.order_by("pk").values()),
        list(Membership.objects.order_by("pk").values()),
        list(Account.objects.order_by("pk").values()),
        list(
            User.objects.order_by("pk").values("pk", "name", "time_zone", "password", "preferences")
        ),
    ]


def idle(client: Client, user: User) -> None:
    put(client, seen_at=int(time.time()) - 31 * 60)


def too_old(client: Client, user: User) -> None:
    put(client, signed_in_at=int(time.time()) - 13 * 3600)


def ended_on_the_server(client: Client, user: User) -> None:
    client.session.flush()


def cookie_gone(client: Client, user: User) -> None:
    del client.cookies["session"]


def all_cookies_gone(client: Client, user: User) -> None:
    client.cookies.clear()


def signed_in_anew(client: Client, user: User) -> None:
    """Sign out and in again in another tab.

    This invalidates the CSRF tokens of every open page.
    """
    Tab(client, "/account/").send({}, "/sign-out/")
    sign_in(client, user)


FAULTS = (idle, too_old, ended_on_the_server, cookie_gone, all_cookies_gone, signed_in_anew)

"""Browsers whose forms do not get through."""

import time
from collections.abc import Callable
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
IN_THE_FORM = "What you typed is in the form. Nothing was saved yet."
NOT_DONE = "What you pressed was not done."


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


Fault = Callable[[Client, User], None]
FAULTS: tuple[Fault, ...] = (
    idle,
    too_old,
    ended_on_the_server,
    cookie_gone,
    all_cookies_gone,
    signed_in_anew,
)


def comes_back(
    client: Client, person: User, path: str, typed: dict[str, Any], shown: str, fault: Fault
) -> None:
    """Check that a fault loses nothing of what was typed, and saves nothing."""
    tab = Tab(client, path)
    assert shown not in tab.answer.text, fault
    fault(client, person)
    before = stored()
    answer = tab.send(typed)
    if fault is signed_in_anew:
        assert answer["Location"] == path
        page = client.get(path)
    else:
        assert answer["Location"] == f"{SIGN_IN}?next={path}", fault
        page = sign_in(client, person, answer["Location"])
    for text in (shown, IN_THE_FORM):
        assert text in page.text, fault
    assert stored() == before, fault


def is_told(
    client: Client, person: User, path: str, page: str, sent: dict[str, Any], fault: Fault
) -> None:
    """Check that a press at a fault does nothing, and that the page says so, once."""
    tab = Tab(client, page)
    fault(client, person)
    before = stored()
    answer = tab.send(sent, path)
    assert "hunter2" not in str(dict(client.session)), fault
    shown = (
        client.get(page) if fault is signed_in_anew else sign_in(client, person, answer["Location"])
    )
    assert shown.request["PATH_INFO"] == page.split("?")[0], fault
    assert NOT_DONE in shown.text, fault
    assert ("Try Again" in shown.text) == (path != page), fault
    assert "hunter2" not in shown.text, fault
    assert stored() == before, fault
    assert NOT_DONE not in client.get(page).text, fault

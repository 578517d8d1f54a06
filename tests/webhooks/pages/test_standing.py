"""What pages say about a webhook, for every state, page and role.

The worker itself decides what is true.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from django.utils.html import escape

from accounts.models import Account, User
from tests.conftest import Person, Response, confirmed
from tests.factories import TokenFactory
from tests.portal.routes import HOOKS_ALONE, address, routes
from tests.webhooks.factories import (
    delivered,
    failing,
    given_up,
    make_delivery,
    make_webhook,
)
from tokens.models import Token
from webhooks import claims
from webhooks.catalog import Type
from webhooks.models import Delivery, DeliveryWorker, Webhook, WebhookHealth, WebhookSecret
from webhooks.standing import DeliveryStanding, Standing

Step = Callable[[Webhook], object]
LABEL = "Orders to ERP"


def nothing(webhook: Webhook) -> None:
    pass


def send(webhook: Webhook) -> None:
    make_delivery(webhook, "PR-waiting")
    delivered(webhook)
    failing(webhook)
    given_up(webhook)
    DeliveryWorker.beat("one")


def fail(webhook: Webhook) -> None:
    send(webhook)
    long_ago = timezone.now() - timedelta(days=6)
    WebhookHealth.objects.filter(webhook=webhook).update(failing_since=long_ago, fails_in_row=12)


def disable(reason: str) -> Step:
    return lambda webhook: webhook.disable(by=None, reason=reason)


def pause(webhook: Webhook) -> None:
    webhook.pause(by=None)


def validate(webhook: Webhook) -> None:
    webhook.edit(by=None, type=Type.VALIDATOR)


def close_account(webhook: Webhook) -> None:
    Account.objects.filter(pk=webhook.account_id).update(is_active=False)


def both(*steps: Step) -> Step:
    return lambda webhook: [step(webhook) for step in steps]


class Row(NamedTuple):
    prepare: Step
    # Whether the worker sends what is due.
    is_called: bool = True
    is_seen: bool = True


STATES = {
    "new": Row(nothing),
    "in use": Row(send),
    "failing": Row(fail),
    "disabled": Row(disable("person"), is_called=False),
    "disabled, events wait": Row(both(send, disable("person")), is_called=False),
    "disabled by failures": Row(both(fail, disable("failing")), is_called=False),
    "paused": Row(pause, is_called=False),
    "paused, events wait": Row(both(send, pause), is_called=False),
    "paused while it failed": Row(both(fail, pause), is_called=False),
    "paused, then disabled": Row(both(send, pause, disable("person")), is_called=False),
    "paused, then gone": Row(both(send, pause, disable("gone")), is_called=False),
    "resumed": Row(both(fail, pause, lambda webhook: webhook.resume(by=None))),
    "gone": Row(both(fail, disable("gone")), is_called=False),
    "enabled again": Row(
        both(fail, disable("failing"), lambda webhook: webhook.enable(by=None)),
    ),
    "enabled again by Edit": Row(
        both(fail, disable("gone"), lambda webhook: webhook.edit(by=None, active=True)),
    ),
    "validator": Row(validate, is_called=False),
    "validator that was called before": Row(both(fail, validate), is_called=False),
    "validator, disabled": Row(both(send, validate, disable("person")), is_called=False),
    "account off": Row(both(send, close_account), is_seen=False),
}


def opened(route: str) -> Callable[[Client, Token], Response]:
    return lambda client, token: client.get(address(route, token, None), follow=True)


def pressed(route: str) -> Callable[[Client, Token], Response]:
    return lambda client, token: client.post(address(route, token, None), follow=True)


GETS = ("detail", "summary", "edit", "activity", "delete", "new_secret", "deliveries", "delivery")
POSTS = (
    *(
        "enable",
        "disable",
        "pause",
        "resume",
        "test",
        "reveal",
        "copy",
        "new_secret",
        "save_deliveries_layout",
    ),
    *("redeliver_failed", "recover", "redeliver", "stop", "cancel_replay"),
)
PAGES: dict[str, Callable[[Client, Token], Response]] = {
    **{f"webhooks:{name}": opened(f"webhooks:{name}") for name in GETS},
    **{f"webhooks:{name}, pressed": pressed(f"webhooks:{name}") for name in POSTS},
    "list": lambda client, token: client.get("/integrations/webhooks/"),
    "admin list": lambda client, token: client.get("/admin/webhooks/webhook/"),
    "admin": lambda client, token: client.get(
        f"/admin/webhooks/webhook/{Webhook.objects.get(label=LABEL).pk}/change/"
    ),
}

CALLED = (
    *("is sent now.", "are sent now, oldest", "The next call is made", "Every call from now on"),
    *("As soon as possible", "<strong>Failing since", "was delivered:"),
)
NOT_CALLED = (
    *("is disabled", "once it is enabled", "when you enable it", "never called"),
    *("When the webhook is enabled", "never calls", "Disabled on", "Never: the webhook"),
    *("once it is resumed", "when you resume it", "When the webhook is resumed", "Paused since"),
)


@pytest.fixture
def client_of(
    michael: Person, adrian: Person, stranger: Person, client: Client
) -> dict[str, Client]:
    staff = Client()
    chief = User.objects.create_superuser("admin@portal.example", name="Admin")
    staff.force_login(chief, backend="accounts.backends.EmailBackend")
    return {
        "administrator": michael.client,
        "member": adrian.client,
        "other account": stranger.client,
        "staff": staff,
    }


def made(state: str, account: Account, by: User) -> Webhook:
    webhook = make_webhook(account, LABEL, by=by)
    STATES[state].prepare(webhook)
    return Webhook.objects.get(pk=webhook.pk)


def is_called(webhook: Webhook) -> bool:
    """Tell whether a worker would send what is due for the webhook now."""
    with transaction.atomic():
        make_delivery(webhook, "PR-due", due_at=timezone.now() - timedelta(days=1))
        found = webhook.pk in {each.id for each in claims.ready(timezone.now())}
        transaction.set_rollback(True)
    return found


def test_every_page_of_a_webhook_has_a_row() -> None:
    named = {name for name, _ in routes(get_resolver()) if name.startswith("webhooks:")}
    rows = {name.partition(",")[0] for name in PAGES if name.startswith("webhooks:")}
    assert rows == named - {*HOOKS_ALONE, "webhooks:draft", "webhooks:typed", "webhooks:edit_typed"}


@pytest.mark.parametrize("state", STATES)
def test_the_worker_agrees(state: str, michael: Person) -> None:
    webhook = made(state, michael.account, michael.user)
    assert is_called(webhook) is STATES[state].is_called


@pytest.mark.parametrize("state", STATES)
def test_no_page_says_what_is_not_so(
    state: str, michael: Person, client_of: dict[str, Client]
) -> None:
    token = TokenFactory(account=michael.account, by=michael.user)
    webhook = made(state, michael.account, michael.user)
    secret = WebhookSecret.newest(webhook, "jwt").open()
    for name, open_page in PAGES.items():
        for role, client in client_of.items():
            with transaction.atomic():
                response = open_page(confirmed(client), token)
                check(f"{name} for {role}", name, role, response, secret, state)
                transaction.set_rollback(True)


def check(where: str, name: str, role: str, response: Response, secret: str, state: str) -> None:
    text = response.text
    assert response.status_code < 500, where
    sees = (
        role == "staff"
        if name.startswith("admin")
        else role in {"administrator", "member"} and STATES[state].is_seen
    )
    if not sees or response.status_code == 403:
        assert LABEL not in text, where
        return
    webhook = Webhook.objects.get(label=LABEL)
    standing = Standing.of(webhook, may_manage=role == "administrator")
    works = is_called(webhook)
    page = re.sub(r"<template.*?</template>", "", text, flags=re.DOTALL)
    for words in NOT_CALLED if works else CALLED:
        # The hints of the form tell what would be.
        assert words not in page or name == "webhooks:edit", f"{where}: {words}"
    if not webhook.fires and name != "webhooks:edit":
        # It has no events that could wait.
        assert "once it is enabled" not in page, where
        assert "when you enable it" not in page, where
    shows = role == "administrator" and name.startswith(("webhooks:reveal", "webhooks:copy"))
    assert (secret in re.sub(r"<wbr>|</?span[^>]*>", "", text)) == shows, where
    if response.templates and response.templates[0].name == "webhooks/detail.html":
        check_buttons(standing, page, where)
    if response.templates and response.templates[0].name == "webhooks/delivery.html":
        came = DeliveryStanding(response.context["delivery"])
        here = f"deliveries/{came.delivery.pk}"
        manages = role == "administrator"
        assert (f'{here}/redeliver/"' in page) == (manages and came.offers_redeliver), where
        assert (f'{here}/stop/"' in page) == (manages and came.offers_stop), where
        assert escape(came.next_try) in page, where
    if name in {"list", "admin"}:
        assert standing.status.word in page, where


def check_buttons(standing: Standing, page: str, where: str) -> None:
    """Check that exactly the possible actions are offered, and that the banner is the true one."""
    webhook, manages = standing.webhook, standing.may_manage
    here = f"/integrations/webhooks/{webhook.pk}"
    assert (f'href="{here}/edit/"' in page) == manages, where
    assert (f'href="{here}/delete/?' in page) == manages, where
    assert (f'action="{here}/test/"' in page) == (manages and webhook.fires), where
    assert (f'action="{here}/enable/"' in page) == (manages and not webhook.active), where
    assert (f'action="{here}/disable/"' in page) == (manages and webhook.active), where
    paused = webhook.paused_at is not None
    assert (f'action="{here}/resume/"' in page) == (manages and paused), where
    pauses = manages and webhook.active and webhook.fires and not paused
    assert (f'action="{here}/pause/"' in page) == pauses, where
    banner = standing.banner
    assert not banner or escape(banner.headline) in page, where
    if not webhook.fires:
        assert "Redeliver" not in page, where
        assert "Recover" not in page, where


@pytest.mark.parametrize(
    "stored",
    [
        {"object_class": "no_longer_there"},
        {"type": "no_longer_there"},
        {"http_method": "PUT"},
        {"disabled_by": "nobody", "active": False},
        {"headers": ["X-Key"]},
        {"headers": "X-Key: 1"},
        {"data": [1]},
        {"condition": "eq(no_such_field,1)"},
    ],
    ids=str,
)
def test_pages_survive_what_is_stored_and_no_longer_valid(
    michael: Person, stored: dict[str, Any]
) -> None:
    token = TokenFactory(account=michael.account, by=michael.user)
    webhook = made("failing", michael.account, michael.user)
    Webhook.objects.filter(pk=webhook.pk).update(**stored)
    Delivery.objects.filter(webhook=webhook).update(last_outcome="no_longer_there")
    for name, open_page in PAGES.items():
        if not name.endswith("pressed") and "admin" not in name:
            assert open_page(michael.client, token).status_code in {200, 302}, name

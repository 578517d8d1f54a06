"""The receiver of the demo: it accepts calls of the portal and no others."""

import json
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from demo.receiver import encoded
from tests.conftest import Response
from tests.webhooks.factories import make_webhook
from webhooks.models import Webhook, WebhookSecret
from webhooks.outbox import send_test
from webhooks.signing import Call, Secrets, make_call


@pytest.fixture
def webhook(account: Account) -> Webhook:
    return make_webhook(account)


def a_call(webhook: Webhook, seconds_ago: float = 0) -> Call:
    secrets = Secrets.of(WebhookSecret.objects.filter(webhook=webhook), webhook.account_id)
    now = timezone.now() - timedelta(seconds=seconds_ago)
    return make_call(send_test(webhook, None), webhook, webhook.health, secrets, now)


def sent(client: Client, call: Call, end: str = "", body: bytes | None = None) -> Response:
    return client.post(
        f"/demo/receiver/{end}",
        call.body if body is None else body,
        content_type="application/json",
        headers={name: value for name, value in call.headers.items() if name != "Content-Type"},
    )


@pytest.mark.parametrize(("end", "status"), [("", 200), ("fail/", 500), ("gone/", 410)])
def test_a_call_of_the_portal_is_right_and_answered_as_the_address_says(
    client: Client, webhook: Webhook, end: str, status: int
) -> None:
    response = sent(client, a_call(webhook), end)
    assert response.status_code == status
    assert "Both signatures are right." in response.json()["verdict"]


@pytest.mark.parametrize("end", ["", "fail/", "gone/"])
def test_the_answer_shows_what_arrived(client: Client, webhook: Webhook, end: str) -> None:
    call = a_call(webhook)
    arrived = sent(client, call, end).json()["arrived"]
    assert arrived == {
        "method": "POST",
        "webhook-id": call.headers["webhook-id"],
        "said": json.loads(call.body),
    }


def test_of_a_get_it_shows_the_query(client: Client, account: Account) -> None:
    call = a_call(make_webhook(account, http_method="GET"))
    query = urlsplit(call.url).query
    response = client.get(f"/demo/receiver/?{query}", headers=call.headers)
    arrived = response.json()["arrived"]
    assert (arrived["method"], arrived["said"]) == ("GET", dict(parse_qsl(query, True)))


def test_another_body_is_refused(client: Client, webhook: Webhook) -> None:
    response = sent(client, a_call(webhook), body=b"{}")
    assert response.status_code == 401
    assert response.json()["verdict"] == "The signature of the body is wrong."


def test_an_old_call_is_refused(client: Client, webhook: Webhook) -> None:
    assert sent(client, a_call(webhook, 400)).json()["verdict"] == "The call is too old."
    assert sent(client, a_call(webhook, 700)).json()["verdict"] == "The JWT has expired."


def test_a_call_with_a_replaced_secret_is_refused(client: Client, webhook: Webhook) -> None:
    call = a_call(webhook)
    webhook.edit(by=None, secret="another-secret")
    verdict = sent(client, call).json()["verdict"]
    assert verdict == "The JWT was signed with another secret."


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer a.b.c", "Bearer e30.e30.e30", "Basic x"])
def test_a_stranger_is_refused(client: Client, db: None, header: str) -> None:
    response = client.post("/demo/receiver/", headers={"authorization": header})
    assert response.status_code == 401
    assert response.json()["verdict"] == "The call has no JWT of a webhook."


@pytest.mark.parametrize(
    "claims",
    [
        '{"webhook_id": "WH-1\\u0000", "exp": 1}',
        '{"webhook_id": ["%s"], "exp": 1}',
        '{"webhook_id": "%s", "exp": 1e999}',
        '{"webhook_id": "%s", "exp": 9999999999}',
        "[" * 100_000,
        "[]",
    ],
)
def test_claims_that_nobody_would_sign_are_refused(
    client: Client, webhook: Webhook, claims: str
) -> None:
    middle = encoded(claims.replace("%s", webhook.pk).encode())
    for mark in ("e30", "\u00e9"):
        response = client.post(
            "/demo/receiver/", headers={"authorization": f"Bearer e30.{middle}.{mark}"}
        )
        assert response.status_code == 401

"""The policy of an account that hides the secrets of webhooks in the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from tests.conftest import Person
from tests.tokens.test_policies import NONE, impose, plan
from tests.webhooks.conftest import SECRET, Hooks, make
from tokens.models import Policy
from webhooks.models import Webhook


@pytest.fixture
def hiding(account: Account) -> None:
    impose(account, hide_secrets=True)


def answers(hooks: Hooks, webhook: Webhook) -> list[Any]:
    path = f"/{webhook.pk}"
    return [
        *hooks("get").json(),
        hooks("get", path).json(),
        hooks("put", path, {"label": "New label"}).json(),
        hooks("post", f"{path}/disable").json(),
        hooks("post", f"{path}/rotate", {"jwt_secret": "JWT-another"}).json(),
        hooks("post", f"{path}/rotate", {"kind": "sw"}).json(),
    ]


@pytest.mark.usefixtures("hiding")
def test_no_answer_has_a_secret_and_nothing_is_recorded_as_read(
    hooks: Hooks, webhook: Webhook
) -> None:
    for body in answers(hooks, webhook):
        assert body["id"] == webhook.pk
        assert not {"jwt_secret", "secret"} & set(body)
    assert not Event.objects.filter(action=Action.WEBHOOK_SECRET_SEEN).exists()
    # They work all the same, and people can still see them.
    assert webhook.reveal("jwt", by=None) == "JWT-another"


def test_they_are_shown_as_officially_otherwise_and_recorded(
    hooks: Hooks, webhook: Webhook, stranger: Person
) -> None:
    impose(stranger.account, hide_secrets=True)
    plan(webhook.account, timezone.now() + timedelta(hours=1), hide_secrets=True)
    assert hooks("get").json()[0]["jwt_secret"] == SECRET
    assert Event.objects.filter(action=Action.WEBHOOK_SECRET_SEEN).count() == 1


def test_they_are_hidden_from_the_day_of_the_policy_on(hooks: Hooks, webhook: Webhook) -> None:
    plan(webhook.account, timezone.now() - timedelta(minutes=1), hide_secrets=True)
    assert "jwt_secret" not in hooks("get").json()[0]
    Policy.change(webhook.account, NONE, starts_at=timezone.now(), by=None)
    assert hooks("get").json()[0]["jwt_secret"] == SECRET


@pytest.mark.usefixtures("hiding")
def test_a_webhook_that_is_made_by_the_api_keeps_its_secret(hooks: Hooks, account: Account) -> None:
    make(account)
    body = {"label": "Mine", "object_class": "token", "external_url": "https://chat.example/"}
    response = hooks("post", body={**body, "jwt_secret": "JWT-mine"})
    assert response.status_code == 201
    assert "jwt_secret" not in response.json()
    assert Webhook.objects.get(label="Mine").reveal("jwt", by=None) == "JWT-mine"

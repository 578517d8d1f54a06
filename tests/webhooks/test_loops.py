"""Webhooks whose receiver causes the next event are stopped."""

import pytest

from accounts.models import Account
from tests.conftest import Call
from tests.factories import TokenFactory
from tests.webhooks.conftest import make
from tokens.catalog import Module
from tokens.models import Token
from webhooks.models import Delivery, Webhook, WebhookEvent
from webhooks.outbox import DEEPEST


@pytest.fixture
def webhook(account: Account) -> Webhook:
    return make(account)


@pytest.fixture
def token(account: Account) -> Token:
    """Return a token that the other one may rotate."""
    return TokenFactory(account=account, modules=(Module.INTEGRATIONS,))


def newest() -> Delivery:
    return Delivery.objects.select_related("event").latest("event_id")


def act(call: Call, boss: Token, token: Token, header: str = "x-none", cause: str = "") -> None:
    name = "HTTP_" + header.upper().replace("-", "_")
    path, body = f"auth/tokens/{token.pk}/rotate", {"content_type": "application/json", "data": {}}
    answer = call(path, boss, "post", **body, **{name: cause})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("header", ["Connect-Cause", "webhook-id"])
def test_a_loop_ends_at_the_fifth_event_and_says_so(
    webhook: Webhook, boss: Token, token: Token, call: Call, header: str
) -> None:
    act(call, boss, token)
    for depth in range(DEEPEST):
        last = newest()
        assert (last.event.depth, last.state) == (depth, Delivery.State.PENDING)
        act(call, boss, token, header, last.pk)
    last = newest()
    assert (last.event.depth, last.state, last.last_outcome) == (DEEPEST, "failed", "loop")


@pytest.mark.parametrize("cause", ["", "nonsense", "WHD-0000-0000-0000", "x" * 5000])
def test_a_cause_that_is_none_is_ignored(
    webhook: Webhook, boss: Token, token: Token, call: Call, cause: str
) -> None:
    act(call, boss, token, "Connect-Cause", cause)
    assert WebhookEvent.objects.get(action="rotated").depth == 0

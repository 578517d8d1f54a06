"""The details say why a webhook was not called for an object."""

from datetime import timedelta

import pytest

from accounts.models import Account
from tests.conftest import Person
from tests.webhooks.factories import delivered, failing, make_delivery, make_webhook
from webhooks.catalog import ObjectClass, Type
from webhooks.models import Delivery, Webhook, WebhookEvent
from webhooks.outbox import emit


def answer(somebody: Person, webhook: Webhook, object_id: str = "PR-1") -> str:
    page = f"/integrations/webhooks/{webhook.pk}/"
    response = somebody.client.get(page, {"object": object_id})
    assert response.status_code == 200
    return " ".join(response.text.split())


def happen(account: Account, kind: str = "fulfillment_request", product: str = "PRD-1") -> None:
    emit([account.pk], ObjectClass(kind), "approved", "PR-1", status="ok", product_id=product)


def test_nothing_is_said_before_one_asks(michael: Person, webhook: Webhook) -> None:
    assert "Why Did It Not Fire?" in answer(michael, webhook, "")
    assert "The portal saw no event" not in answer(michael, webhook, "")


@pytest.mark.parametrize("typed", ["PR-1", "<b>", "a\x00b", "é" * 500])
def test_an_object_that_was_never_seen(michael: Person, webhook: Webhook, typed: str) -> None:
    seen = answer(michael, webhook, typed)
    assert "The portal saw no event of" in seen
    assert "<b>" not in seen


def test_an_event_from_before_the_webhook(michael: Person, account: Account) -> None:
    make_webhook(account, "Other")
    happen(account)
    late = make_webhook(account, "Late")
    assert "happened before the webhook was created." in answer(michael, late)


def test_another_class_and_another_product(michael: Person, account: Account) -> None:
    make_webhook(account, "Other", object_class="usage_file")
    happen(account, "usage_file")
    orders = make_webhook(account, product_id="PRD-2")
    assert "It is of another class: Usage file." in answer(michael, orders)
    make_webhook(account, "All")
    happen(account)
    assert "It is of another product: PRD-1." in answer(michael, orders)


def test_a_condition_that_was_not_met(michael: Person, account: Account) -> None:
    choosy = make_webhook(account, condition="eq(status,failed)")
    happen(account)
    seen = answer(michael, choosy)
    assert "did not meet the condition." in seen
    assert "status: ok" in seen
    # It was changed since.
    choosy.edit(by=None, condition="ne(status,failed)")
    assert "did not fit what the webhook was about then." in answer(michael, choosy)


def test_a_disabled_webhook_keeps_it(michael: Person, account: Account) -> None:
    webhook = make_webhook(account, active=False)
    happen(account)
    seen = answer(michael, webhook)
    assert "The event waits: the webhook is disabled." in seen
    assert Delivery.objects.get().pk in seen


def test_what_came_of_a_delivery(michael: Person, webhook: Webhook) -> None:
    row = delivered(webhook, "PR-1")
    seen = answer(michael, webhook)
    assert "Delivered. The endpoint accepted the event." in seen
    assert f"/deliveries/{row.pk}/" in seen
    # The last one counts.
    failing(webhook, "PR-1")
    assert "Failing. The endpoint reported an error of its own." in answer(michael, webhook)


def test_a_validator_is_never_called(michael: Person, account: Account) -> None:
    webhook = make_webhook(account, type=Type.VALIDATOR)
    assert "The portal keeps this webhook and never calls it." in answer(michael, webhook)


def test_events_of_other_accounts_are_unknown(
    michael: Person, stranger: Person, webhook: Webhook
) -> None:
    make_delivery(make_webhook(stranger.account), "PR-1")
    WebhookEvent.objects.update(at=webhook.created_at + timedelta(seconds=1))
    assert "The portal saw no event of" in answer(michael, webhook)

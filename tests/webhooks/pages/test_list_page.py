"""The list of webhooks."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from tests.conftest import Person
from tests.webhooks.factories import delivered, failing, given_up, make_delivery, make_webhook
from webhooks.catalog import ObjectClass, Type
from webhooks.models import Delivery, Webhook, WebhookHealth

LIST = "/integrations/webhooks/"


def text_of(somebody: Person, url: str = LIST) -> str:
    response = somebody.client.get(url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def labels(somebody: Person, query: str) -> list[str]:
    response = somebody.client.get(f"{LIST}?{query}")
    return [row.record.label for row in response.context["page"].object_list]


def test_an_empty_list_says_what_webhooks_are_and_offers_one(
    michael: Person, adrian: Person
) -> None:
    assert "No webhooks yet" in text_of(michael)
    assert f'href="{LIST}new/"' in text_of(michael)
    seen = text_of(adrian)
    assert "An administrator of the account can create one." in seen
    assert f'href="{LIST}new/"' not in seen


def test_a_row_says_what_fires_where_it_goes_and_what_came_of_it(
    michael: Person, account: Account
) -> None:
    webhook = make_webhook(
        account,
        product_id="PRD-1",
        product_name="Cloud Backup",
        external_url="https://erp.example:8443/in?tenant=7",
    )
    delivered(webhook)
    failing(webhook)
    seen = text_of(michael)
    for part in (webhook.pk, "Fulfillment request", "Cloud Backup", "1 failing", "503, try 1"):
        assert part in seen
    assert "erp.<wbr>example:8443" in seen
    assert "/in?tenant=7" in seen


def test_webhooks_of_other_accounts_are_not_listed(stranger: Person, webhook: Webhook) -> None:
    assert webhook.pk not in text_of(stranger)


def test_members_have_no_menu(michael: Person, adrian: Person, webhook: Webhook) -> None:
    assert "Actions for" in text_of(michael)
    assert "Actions for" not in text_of(adrian)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=erp", ["Orders to ERP"]),
        ("q=nothing", []),
        ("status=inactive", ["Case Bridge"]),
        ("status=active&sort=label", ["Billing Feed", "Orders to ERP"]),
        ("status=failing", ["Billing Feed"]),
        ("object_class=usage_file", ["Billing Feed"]),
        ("object_class=usage_file&object_class=helpdesk_case&sort=label", [
            "Billing Feed", "Case Bridge"
        ]),
        ("product=PRD-1", ["Billing Feed"]),
        ("status=nonsense", []),
        ("product=PRD-9", []),
    ],
)  # fmt: skip
def test_filters(michael: Person, webhook: Webhook, query: str, expected: list[str]) -> None:
    make_webhook(webhook.account, "Case Bridge", object_class="helpdesk_case", active=False)
    feed = make_webhook(
        webhook.account, "Billing Feed", object_class="usage_file", product_id="PRD-1"
    )
    WebhookHealth.objects.filter(webhook=feed).update(failing_since=timezone.now())
    assert labels(michael, query) == expected


def test_the_last_delivery_orders_webhooks_with_those_never_tried_at_the_end(
    michael: Person, account: Account
) -> None:
    never, old, new = (make_webhook(account, name) for name in ("Never", "Old", "New"))
    for webhook, days in ((old, 3), (new, 1)):
        row = delivered(webhook)
        Delivery.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days))
    # What waits is no delivery yet.
    make_delivery(never)
    assert labels(michael, "") == ["New", "Old", "Never"]
    assert labels(michael, "sort=last_delivery") == ["Old", "New", "Never"]


def test_the_number_of_queries_does_not_grow_with_the_rows(
    michael: Person, account: Account
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            text_of(michael)
        return len(queries)

    failing(make_webhook(account, "First"))
    # The first visit of a session costs more.
    count()
    one = count()
    for number in range(5):
        given_up(make_webhook(account, f"More {number}"))
    assert count() == one


def test_the_columns_that_were_chosen_are_remembered(michael: Person, webhook: Webhook) -> None:
    response = michael.client.post(
        f"{LIST}layout/", {"columns_sent": "1", "columns": ["created"], "next": LIST}
    )
    assert response["Location"] == f"{LIST}?columns=label%2Ccreated"
    assert "erp.<wbr>" not in text_of(michael)


def test_disabling_and_enabling_from_the_menu(michael: Person, webhook: Webhook) -> None:
    page = f"{LIST}{webhook.pk}/"
    response = michael.client.post(f"{page}disable/", follow=True)
    assert b"is disabled" in response.content
    webhook.refresh_from_db()
    assert (webhook.active, webhook.disabled_by) == (False, Webhook.Disabled.PERSON)
    make_delivery(webhook)
    response = michael.client.post(f"{page}enable/", follow=True)
    assert b"The event that waits is sent now." in response.content
    webhook.refresh_from_db()
    assert webhook.active
    response = michael.client.post(f"{page}enable/", follow=True)
    assert b"is already active" in response.content


def test_deleting_asks_first_and_says_what_is_lost(michael: Person, webhook: Webhook) -> None:
    make_delivery(webhook)
    page = f"{LIST}{webhook.pk}/delete/"
    assert "1 event waits and would be lost." in text_of(michael, page)
    assert Webhook.objects.filter(pk=webhook.pk).exists()
    response = michael.client.post(page)
    assert response["Location"] == LIST
    assert not Webhook.objects.exists()
    assert not Delivery.objects.exists()
    assert Event.objects.filter(action=Action.WEBHOOK_DELETED, subject_id=webhook.pk).exists()


def test_a_validator_is_said_to_be_never_called(michael: Person, account: Account) -> None:
    webhook = make_webhook(account, type=Type.VALIDATOR)
    assert "never called" in text_of(michael)
    seen = text_of(michael, f"{LIST}{webhook.pk}/")
    assert "The portal keeps this webhook and never calls it." in seen
    assert "CloudBlue Connect asks it about an object before it goes on" in seen
    assert "Send Test Event" not in seen
    michael.client.post(f"{LIST}{webhook.pk}/test/")
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("kind", list(ObjectClass))
def test_every_object_class_has_words(kind: ObjectClass) -> None:
    assert kind.covers

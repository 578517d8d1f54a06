"""Conditions: which events a webhook wants, and how people try one."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from tests.conftest import Person
from tests.webhooks.factories import make_webhook
from tests.webhooks.pages.test_wizard import create, ready
from webhooks import conditions
from webhooks.catalog import ObjectClass
from webhooks.models import Delivery, Webhook, WebhookEvent
from webhooks.outbox import emit

KIND = ObjectClass.FULFILLMENT_REQUEST


def happen(account: Account, action: str = "approved", object_id: str = "PR-1") -> None:
    emit([account.pk], KIND, action, object_id, status=action, product_id="PRD-1")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", True),
        ("eq(status,approved)", True),
        ("status=approved", True),
        ("ne(status,approved)", False),
        ("in(action,(created,approved))", True),
        ("out(action,(created,approved))", False),
        ("like(id,PR-*)", True),
        ("ilike(id,*pr*)", True),
        ("and(eq(status,approved),eq(product_id,PRD-2))", False),
        ("or(eq(status,failed),eq(product_id,PRD-1))", True),
        ("not(eq(status,approved))", False),
        ('actor_name=""', True),
        # What is stored but can no longer be evaluated matches nothing.
        ("eq(nothing,1)", False),
        ("eq(status", False),
        ("ordering(id)", False),
        ("like(status,'')", False),
    ],
)
def test_what_matches(condition: str, expected: bool) -> None:
    event = WebhookEvent(
        object_class=KIND,
        action="approved",
        object_id="PR-1",
        object_status="approved",
        product_id="PRD-1",
    )
    assert conditions.matches(condition, event) is expected


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("eq(status", "Enter a condition such as"),
        ("eq(nothing,1)", "There is no “nothing” in an event. Use id, status"),
        ("ordering(id)", "Enter a condition such as"),
        ("like(status,'')", "Enter a condition such as"),
        ("(" * 1000, "Enter a condition such as"),
        ("(" * 500 + "id=1" + ")" * 500, "Enter a condition such as"),
        ("t(id=1)", "Enter a condition such as"),
        ("id=" + "é" * 600, "at most 1,024 bytes"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(condition: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        conditions.check(condition)
    assert sentence in refused.value.messages[0]


def test_only_events_that_meet_it_are_sent_and_the_others_are_remembered(
    account: Account,
) -> None:
    choosy = make_webhook(account, "Choosy", condition="eq(status,approved)")
    everything = make_webhook(account, "Everything")
    happen(account, "created")
    happen(account, "approved")
    assert Delivery.objects.filter(webhook=choosy).get().event.action == "approved"
    assert Delivery.objects.filter(webhook=everything).count() == 2
    assert WebhookEvent.objects.count() == 2


def test_the_wizard_checks_previews_and_keeps_it(michael: Person) -> None:
    make_webhook(michael.account)
    for action in ("created", "approved", "approved"):
        happen(michael.account, action)
    run = ready(michael.client)
    refused = create(michael.client, run, condition="eq(nothing,1)").content.decode()
    assert "There is no “nothing” in an event." in refused
    create(michael.client, run, condition="eq(status,approved)", look="1")
    page = michael.client.get(f"{run}events/").content.decode()
    assert "It would have matched 2 of the last 3 events." in page
    create(michael.client, run, condition="eq(status,approved)")
    made = Webhook.objects.exclude(condition="").get()
    assert made.condition == "eq(status,approved)"
    assert made.condition in michael.client.get(f"/integrations/webhooks/{made.pk}/").text


def test_the_preview_of_edit_saves_nothing(michael: Person, webhook: Webhook) -> None:
    happen(michael.account, "approved")
    form = {
        "label": "Renamed",
        "active": "on",
        "object_class": KIND.value,
        "external_url": webhook.external_url,
        "http_method": "POST",
        "version": "1",
        "condition": "eq(status,failed)",
    }
    url = f"/integrations/webhooks/{webhook.pk}/edit/"
    page = michael.client.post(url, {**form, "look": "1"}).text
    assert "It would have matched 0 of the last event." in page
    assert 'value="Renamed"' in page
    webhook.refresh_from_db()
    assert (webhook.label, webhook.version) == ("Orders to ERP", 1)
    michael.client.post(url, form)
    webhook.refresh_from_db()
    assert webhook.condition == "eq(status,failed)"
    entry = Event.objects.filter(action=Action.WEBHOOK_CHANGED).latest("pk")
    assert entry.changes["condition"] == ["", "eq(status,failed)"]


def test_the_preview_says_when_there_is_nothing_to_look_at(michael: Person) -> None:
    run = ready(michael.client)
    create(michael.client, run, condition="id=1", look="1")
    assert "No such event has happened yet." in michael.client.get(f"{run}events/").text

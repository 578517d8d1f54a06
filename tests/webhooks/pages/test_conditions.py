"""Conditions: which events a webhook wants, and how people try one."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from modules.conditions import RECORDS
from modules.models import Case
from tests.conftest import Person
from tests.webhooks.factories import make_webhook
from tests.webhooks.pages.test_wizard import create, ready
from tokens.models import Token
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
def test_what_an_event_says_is_asked_of_an_object_that_is_gone(
    account: Account, condition: str, expected: bool
) -> None:
    event = WebhookEvent(
        account=account,
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
        ("eq(nothing,1)", "There is no “nothing” in an event. Use names of the object"),
        ("eq(asset.nothing,1)", "There is no “asset.nothing” in an event."),
        ("eq(status,nonsense)", "cannot be used"),
        ("eq(created,yesterday)", "cannot be used"),
        ("id=1&limit=1", "neither limit"),
        ("id=1&select(asset)", "Enter a condition such as"),
        ("id=1&ordering(id)", ""),
        ("in(id,(" + ",".join("1" * 350) + "))", "too complex"),
        ("ordering(id)", "Enter a condition such as"),
        ("like(status,'')", "Enter a condition such as"),
        ("(" * 1000, "Enter a condition such as"),
        ("(" * 500 + "id=1" + ")" * 500, "Enter a condition such as"),
        ("t(id=1)", "Enter a condition such as"),
        ("id=" + "é" * 600, "at most 1,024 bytes"),
        ("eq(status,app\u200broved)", "Remove the hidden characters: U+200B."),
    ],
)
def test_what_cannot_be_evaluated_is_refused(condition: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        conditions.check(condition, KIND)
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


# --- Over the whole object ------------------------------------------------------------------------

CASE = ObjectClass.HELPDESK_CASE


@pytest.fixture
def case(db: None) -> Case:
    call_command("demo", verbosity=0)
    WebhookEvent.objects.all().delete()
    found = Case.objects.filter(state="pending").first()
    assert isinstance(found, Case)
    return found


def test_it_asks_the_object_as_the_api_shows_it(case: Case) -> None:
    [party] = Account.objects.filter(pk=sorted(case.parties)[0])
    conditions_of = {
        "eq(product.id,{0.product_id})": True,
        "and(eq(product.id,{0.product_id}),eq(action,updated))": True,
        "and(eq(product.id,{0.product_id}),eq(action,created))": False,
        "ne(product.id,{0.product_id})": False,
        "eq(priority,{0.priority})": True,
        "gt(priority,{0.priority})": False,
        "gt(events.created.at,1999-01-01)": True,
        "ilike(subject,*{0.subject}*)": True,
        "eq(status,pending)": True,
    }
    hooks = {
        make_webhook(party, f"{n}", object_class=CASE, condition=text.format(case)).pk: expected
        for n, (text, expected) in enumerate(conditions_of.items())
    }
    case.save()
    told = set(Delivery.objects.values_list("webhook", flat=True))
    assert told == {pk for pk, expected in hooks.items() if expected}


def test_an_account_asks_only_what_it_sees(case: Case) -> None:
    stranger = Account.objects.exclude(pk__in=case.parties).first()
    event = WebhookEvent(account=stranger, object_class=CASE, action="updated", object_id=case.pk)
    assert not conditions.matches(f"eq(product.id,{case.product_id})", event)


def test_a_condition_of_a_token_sees_it_as_it_is_after_the_change(token: Token) -> None:
    hook = make_webhook(token.account, object_class="token", condition="eq(status,inactive)")
    token.edit(by=None, version=None, modules=None, name="Renamed")
    token.disable(by=None)
    token.enable(by=None)
    told = Delivery.objects.filter(webhook=hook)
    assert [each.event.action for each in told] == ["disabled"]


def test_the_preview_asks_once_for_objects_of_which_the_same_is_said(
    case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    party = sorted(case.parties)[0]
    ids = Case.objects.values_list("pk", flat=True)[:3]
    events = [
        WebhookEvent(account_id=party, object_class=CASE, action="updated", object_id=ids[n % 3])
        for n in range(100)
    ]
    with django_assert_max_num_queries(5):
        conditions.meeting(f"eq(product.id,{case.product_id})", events)


def test_a_change_bears_a_condition_that_the_database_refuses(
    case: Case, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*args: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    hook = make_webhook(
        Account.objects.get(pk=sorted(case.parties)[0]), object_class=CASE, condition="id=1"
    )
    monkeypatch.setattr(RECORDS[CASE], "asked", refuse)
    with transaction.atomic():
        case.save()
    assert WebhookEvent.objects.filter(object_id=case.pk).exists()
    assert not Delivery.objects.filter(webhook=hook).exists()
    assert "cannot be evaluated" in caplog.text


def test_the_api_refuses_a_condition_that_fits_other_objects_only(account: Account) -> None:
    hook = make_webhook(account, object_class=CASE, condition="eq(subject,Help)")
    with pytest.raises(ValidationError) as refused:
        hook.edit(by=None, object_class=ObjectClass.TOKEN)
    assert list(refused.value.message_dict) == ["condition"]
    # What is stored and no longer fits does not hinder other changes.
    Webhook.objects.filter(pk=hook.pk).update(condition="eq(nothing,1)")
    hook.refresh_from_db()
    assert hook.edit(by=None, active=False)

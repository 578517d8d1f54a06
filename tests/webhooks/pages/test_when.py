"""When a webhook is called: after every change, or as a validation, which is kept and not asked."""

import re

import pytest

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from tests.conftest import Person, stale
from tests.webhooks.factories import make_webhook
from tests.webhooks.pages.test_edit_page import edit_url, send
from tests.webhooks.pages.test_sample import follow
from tests.webhooks.pages.test_wizard import EVENTS, create, ready
from webhooks.catalog import ObjectClass, Type
from webhooks.models import Webhook, WebhookDraft
from webhooks.standing import NEVER_CALLED

NO_EVENTS = set(Type) - {Type.EVENT}
VALIDATING = [kind for kind in ObjectClass if kind.validations]


def offered(page: str) -> dict[str, list[str]]:
    """Return the types to choose from, by the names of object classes."""
    groups = re.findall(r'<optgroup label="([\w ]+)">(.*?)</optgroup>', page, re.DOTALL)
    return {kind: re.findall(r'value="(\w+)"', options) for kind, options in groups}


def chosen(page: str) -> list[str]:
    return re.findall(r'<option value="(\w+)" selected>[^<]*Validation', page)


def test_every_validation_is_of_one_object_class() -> None:
    known = [each for kind in ObjectClass for each in kind.validations]
    assert set(known) == NO_EVENTS
    assert len(known) == len(NO_EVENTS)
    assert VALIDATING == [ObjectClass.FULFILLMENT_REQUEST, ObjectClass.TIER_CONFIG_REQUEST]


def test_step_3_offers_the_validations_by_objects_and_says_what_they_are(michael: Person) -> None:
    page = michael.client.get(f"{ready(michael.client)}events/").text
    assert offered(page) == {str(kind.label): list(kind.validations) for kind in VALIDATING}
    assert "A validation waits for your answer; every other event does not." in page
    assert "never asks them" in page
    assert not chosen(page)


def test_without_a_choice_it_is_called_after_every_change(michael: Person) -> None:
    create(michael.client, ready(michael.client))
    assert Webhook.objects.get().type == Type.EVENT


@pytest.mark.parametrize(
    ("kind", "wanted"), [(kind, each) for kind in VALIDATING for each in kind.validations]
)
def test_a_validation_is_made_and_summary_says_that_it_is_never_called(
    michael: Person, kind: ObjectClass, wanted: Type
) -> None:
    run = ready(michael.client)
    answer = create(michael.client, run, object_class=kind, type=wanted)
    webhook = Webhook.objects.get()
    assert (webhook.object_class, webhook.type) == (kind, wanted)
    summary = michael.client.get(answer["Location"]).text
    assert str(NEVER_CALLED) in summary
    assert "Send Test Event" not in summary
    assert "is ready" not in summary


WRONG = [
    (ObjectClass.USAGE_FILE, Type.VALIDATOR, "A usage file has no validations."),
    (ObjectClass.TOKEN, Type.DRAFT_TCR_T1_VAL, "A token has no validations."),
    (
        ObjectClass.TIER_CONFIG_REQUEST,
        Type.VALIDATOR,
        "It is not a validation of a tier config request.",
    ),
    (ObjectClass.FULFILLMENT_REQUEST, "nonsense", "Choose when from the list."),
]


@pytest.mark.parametrize(("kind", "wanted", "sentence"), WRONG)
def test_a_validation_of_other_objects_is_an_error_at_its_field_and_nothing_is_lost(
    michael: Person, kind: ObjectClass, wanted: str, sentence: str
) -> None:
    run = ready(michael.client)
    typed = {"data": '{"queue": "orders"}', "condition": "eq(id,x)"}
    page = create(michael.client, run, object_class=kind, type=wanted, **typed)
    assert sentence in " ".join(page.context["form"].errors["type"])
    assert re.search(r'<select name="type" [^>]*aria-invalid="true"', page.text)
    assert f'value="{kind}" checked' in page.text
    assert "eq(id,x)" in page.text
    if wanted in Type.values:
        assert chosen(page.text) == [wanted]
    assert not Webhook.objects.exists()
    # Also after a look at the step before.
    create(michael.client, run, object_class=kind, type=wanted, **typed, back="1")
    page = michael.client.get(f"{run}events/")
    assert f'value="{kind}" checked' in page.text
    assert "eq(id,x)" in page.text
    # Choosing the event mends it.
    create(michael.client, run, object_class=kind, type="event")
    assert Webhook.objects.get().type == Type.EVENT


@pytest.mark.parametrize(("kind", "wanted", "sentence"), WRONG)
def test_edit_refuses_it_too(
    michael: Person, webhook: Webhook, kind: ObjectClass, wanted: str, sentence: str
) -> None:
    page = send(michael, webhook, object_class=kind, type=wanted)
    assert sentence in " ".join(page.context["form"].errors["type"])
    webhook.refresh_from_db()
    assert (webhook.type, webhook.version) == (Type.EVENT, 1)


def test_what_a_program_has_stored_stays_a_choice_in_edit(
    michael: Person, account: Account
) -> None:
    webhook = make_webhook(account, object_class="token", type=Type.VALIDATOR)
    assert chosen(michael.client.get(edit_url(webhook)).text) == ["validator"]
    send(michael, webhook, object_class="token", type="validator", label="Renamed")
    webhook.refresh_from_db()
    assert (webhook.label, webhook.type) == ("Renamed", Type.VALIDATOR)


def test_a_validation_that_becomes_an_event_asks_for_the_password(
    michael: Person, webhook: Webhook
) -> None:
    stale(michael.client)
    send(michael, webhook, type="validator")
    webhook.refresh_from_db()
    assert webhook.type == Type.VALIDATOR
    page = send(michael, webhook, type="event", version="2")
    assert "To have more sent to" in page.text
    webhook.refresh_from_db()
    assert webhook.type == Type.VALIDATOR


def test_nothing_will_be_sent_of_a_validation(michael: Person) -> None:
    run = ready(michael.client)
    page = follow(michael, run, "events", **EVENTS, type="validator").text
    assert str(NEVER_CALLED) in page
    assert "It is a validation of drafts: CloudBlue Connect asks it" in page
    assert "webhook-id" not in page
    # Without scripts, the button Preview says so.
    assert create(michael.client, run, type="validator", look="1").status_code == 302
    assert str(NEVER_CALLED) in michael.client.get(f"{run}events/").text
    assert WebhookDraft.objects.get().type == Type.VALIDATOR


def test_pages_say_when_in_one_way(michael: Person, webhook: Webhook) -> None:
    page = michael.client.get(f"/integrations/webhooks/{webhook.pk}/").text
    assert "after every change" in page
    webhook.edit(by=None, type=Type.CHANGE_VALIDATOR)
    page = michael.client.get(f"/integrations/webhooks/{webhook.pk}/").text
    assert "validation of changes" in page
    assert "after every change" not in page
    row = michael.client.get("/integrations/webhooks/").text
    assert '<span class="sub">All products, validation of changes</span>' in row
    entry = Event.objects.get(action=Action.WEBHOOK_CHANGED)
    assert entry.changes["type"] == ["After every change", "Validation of changes"]

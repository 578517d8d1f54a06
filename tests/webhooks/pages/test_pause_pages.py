"""Pausing and resuming on the pages and by the API, and what is said meanwhile."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account
from activity.models import Event
from tests.conftest import Call, Person, confirmed, person
from tests.factories import TokenFactory
from tests.webhooks.conftest import Hooks
from tests.webhooks.engine.conftest import deliver
from tests.webhooks.engine.receiver import Receiver
from tests.webhooks.factories import given_up, make_delivery, make_webhook
from tokens.catalog import Module
from webhooks import retention
from webhooks.catalog import Type
from webhooks.models import Delivery, Webhook
from webhooks.now import PINGS, turn

LIST = "/integrations/webhooks/"


def seen(somebody: Person, url: str) -> str:
    return " ".join(somebody.client.get(url).text.split())


def pressed(somebody: Person, webhook: Webhook, action: str) -> str:
    url = f"{LIST}{webhook.pk}/{action}/"
    return " ".join(somebody.client.post(url, follow=True).text.split())


def state(webhook: Webhook) -> str:
    return Webhook.objects.get(pk=webhook.pk).state


def test_pausing_and_resuming_from_the_menu(michael: Person, webhook: Webhook) -> None:
    page = f"{LIST}{webhook.pk}/"
    told = pressed(michael, webhook, "pause")
    assert "is paused. Its events are kept and sent once it is resumed" in told.replace(
        "</strong>", ""
    )
    assert state(webhook) == "paused"
    assert f'action="{page}resume/"' in seen(michael, page)
    assert f'action="{page}pause/"' not in seen(michael, page)
    make_delivery(webhook)
    # No password is asked for, unlike by Enable.
    told = pressed(michael, webhook, "resume")
    assert "is active again." in told
    assert "The event that waits is sent now." in told
    assert state(webhook) == "active"
    assert [*Event.objects.filter(action__in=("webhooks.paused", "webhooks.resumed"))]


@pytest.mark.parametrize(
    ("before", "action", "told"),
    [
        (("pause",), "pause", "is paused. Resume lets its events go out."),
        (("pause",), "enable", "is paused. Resume lets its events go out."),
        ((), "resume", "is already active."),
        (("disable",), "pause", "is already inactive."),
        (("disable",), "resume", "is already inactive."),
        (("pause", "disable"), "resume", "is already inactive."),
    ],
)
def test_a_button_of_an_old_page_changes_nothing_and_says_why(
    michael: Person, webhook: Webhook, before: tuple[str, ...], action: str, told: str
) -> None:
    for verb in before:
        getattr(webhook, verb)(by=None)
    was = state(webhook)
    confirmed(michael.client)
    assert told in pressed(michael, webhook, action)
    assert state(webhook) == was


def test_the_banner_says_how_many_wait_and_until_when_they_are_kept(
    michael: Person, webhook: Webhook
) -> None:
    webhook.pause(by=None)
    page = f"{LIST}{webhook.pk}/"
    told = seen(michael, page)
    assert "Paused since" in told
    assert "Events are kept for 30 days and sent once it is resumed." in told
    due = timezone.now() - timedelta(days=3)
    make_delivery(webhook, "PR-1", due_at=due)
    assert "1 event waits. It is sent when you resume it. It is kept until" in seen(michael, page)
    make_delivery(webhook, "PR-2")
    told = seen(michael, page)
    assert "2 events wait. They are sent when you resume it, oldest first." in told
    day = timezone.localtime(due + retention.KEPT).strftime("%d/%m/%Y")
    assert f"The oldest is kept until {day}" in told


def test_the_list_shows_and_finds_those_that_are_paused(michael: Person, account: Account) -> None:
    paused, active, off = (make_webhook(account, label) for label in ("Rest", "Work", "Off"))
    paused.pause(by=None)
    off.disable(by=None)

    def labels(query: str) -> list[str]:
        page = michael.client.get(f"{LIST}?{query}").context["page"]
        return [row.record.label for row in page.object_list]

    assert "Paused" in seen(michael, LIST)
    assert labels("status=paused") == ["Rest"]
    assert labels("status=active") == ["Work"]
    assert labels("status=inactive") == ["Off"]
    assert labels("sort=status") == ["Work", "Rest", "Off"]
    assert labels("sort=-status") == ["Off", "Rest", "Work"]
    assert active.sends


def test_a_test_event_is_sent_and_the_page_offers_to_resume(
    michael: Person, heard: Webhook, receiver: Receiver
) -> None:
    heard.pause(by=None)
    make_delivery(heard)
    told = pressed(michael, heard, "test")
    assert "was delivered: 204" in told
    assert "The webhook is still paused." in told
    assert f'action="{LIST}{heard.pk}/resume/"' in told
    assert len(receiver.calls) == 1


def test_redeliver_and_recover_say_that_they_wait(
    michael: Person, heard: Webhook, receiver: Receiver
) -> None:
    one, _two = given_up(heard, "PR-1"), given_up(heard, "PR-2")
    heard.pause(by=None)
    deliveries = f"{LIST}{heard.pk}/deliveries/"
    told = pressed(michael, heard, f"deliveries/{one.pk}/redeliver")
    assert "It waits until the webhook is resumed." in told
    assert "When the webhook is resumed" in seen(michael, f"{deliveries}{one.pk}/")
    assert "It waits until the webhook is resumed." in seen(michael, f"{deliveries}recover/")
    assert "They wait until the webhook is resumed." in pressed(
        michael, heard, "deliveries/recover"
    )
    deliver()
    assert receiver.calls == []


def test_why_it_did_not_fire(michael: Person, webhook: Webhook) -> None:
    webhook.pause(by=None)
    make_delivery(webhook, "PR-1")
    told = seen(michael, f"{LIST}{webhook.pk}/?object=PR-1")
    assert "The event waits: the webhook is paused." in told
    assert "It is sent when you resume it." in told


def test_members_look_and_others_see_nothing(
    adrian: Person, stranger: Person, webhook: Webhook
) -> None:
    for action, before in (("pause", "active"), ("resume", "paused")):
        for somebody, status in ((adrian, 403), (stranger, 404)):
            url = f"{LIST}{webhook.pk}/{action}/"
            assert somebody.client.post(url).status_code == status
            assert state(webhook) == before
        webhook.pause(by=None)


def test_a_validator_cannot_be_paused(michael: Person, account: Account, call: Call) -> None:
    webhook = make_webhook(account, type=Type.VALIDATOR)
    assert "The portal keeps this webhook and never calls it." in pressed(michael, webhook, "pause")
    boss = TokenFactory(account=account, modules=(Module.INTEGRATIONS,))
    for action in ("pause", "ping"):
        path = f"notifications/webhooks/{webhook.pk}/{action}"
        response = call(path, boss, "post", content_type="application/json")
        assert response.json()["error_code"] == "WHK_001"
    assert state(webhook) == "active"


# --- The API --------------------------------------------------------------------------------------


def test_programs_pause_and_resume_and_active_stays_true(hooks: Hooks, account: Account) -> None:
    webhook = make_webhook(account, object_class="token")
    path = f"/{webhook.pk}"
    assert "paused_at" not in hooks("get", path).json()
    for _ in range(2):
        response = hooks("post", f"{path}/pause")
        assert response.status_code == 200
        assert response.json()["active"] is True
        assert response.json()["paused_at"]
    assert Event.objects.filter(action="webhooks.paused").count() == 1
    # As the connector for MuleSoft toggles; it knows nothing of a pause.
    assert hooks("put", path, {"active": True}).json()["paused_at"]
    assert hooks("post", f"{path}/enable").json()["paused_at"]
    assert "paused_at" not in hooks("post", f"{path}/resume").json()
    hooks("post", f"{path}/pause")
    assert "paused_at" not in hooks("put", path, {"active": False}).json()
    assert hooks("post", f"{path}/resume").json()["active"] is False


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["", "pause", "disable"])
def test_a_ping_is_sent_whatever_the_state(
    hooks: Hooks, heard: Webhook, receiver: Receiver, verb: str
) -> None:
    if verb:
        getattr(heard, verb)(by=None)
    was = state(heard)
    body = hooks("post", f"/{heard.pk}/ping").json()
    assert receiver.ids == [body["delivery"]]
    found = hooks("get", f"/{heard.pk}/deliveries/{body['delivery']}").json()
    assert (found["state"], found["status_code"], found["event"]["test"]) == (
        "delivered",
        204,
        True,
    )
    assert state(heard) == was


@pytest.mark.django_db(transaction=True)
def test_a_ping_beside_another_one_is_left_to_the_worker(
    hooks: Hooks, heard: Webhook, receiver: Receiver
) -> None:
    """Whoever sends the other one: API calls that write would all have to wait for both."""
    with turn(PINGS, most=1):
        body = hooks("post", f"/{heard.pk}/ping").json()
    assert receiver.calls == []
    deliver()
    assert receiver.ids == [body["delivery"]]
    assert Delivery.objects.get().state == "delivered"


@pytest.mark.parametrize("action", ["pause", "resume", "ping"])
def test_others_and_tokens_without_the_module_change_nothing(
    call: Call, webhook: Webhook, action: str
) -> None:
    theirs = TokenFactory(account=person().account, modules=(Module.ALL,))
    reader = TokenFactory(account=webhook.account, modules=(Module.PRODUCTS,))
    if action == "resume":
        webhook.pause(by=None)
    was = state(webhook)
    for token, status in ((theirs, 404), (reader, 403)):
        path = f"notifications/webhooks/{webhook.pk}/{action}"
        assert call(path, token, "post", content_type="application/json").status_code == status
    assert state(webhook) == was
    assert not Delivery.objects.exists()

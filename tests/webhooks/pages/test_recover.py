"""Recovering what was missed: counted first, sent anew in parts, once however often one presses."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from activity.actions import Action
from activity.models import Event
from tests.accounts.test_sudo import answer
from tests.conftest import Person, stale
from tests.matching import matched
from tests.webhooks.factories import delivered, failing, given_up, make_delivery, make_webhook
from webhooks.models import Delivery, Webhook, WebhookHealth
from webhooks.models.delivery import PART
from webhooks.outcomes import Outcome


def page_of(webhook: Webhook, path: str = "") -> str:
    return f"/integrations/webhooks/{webhook.pk}/{path}"


def succeeded(webhook: Webhook, minutes_ago: int) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    WebhookHealth.objects.filter(pk=webhook.pk).update(last_success_at=at)


def states(webhook: Webhook) -> dict[str, tuple[str, int]]:
    rows = Delivery.objects.filter(webhook=webhook)
    return {row.event.object_id: (row.state, row.failures) for row in rows.select_related("event")}


def first_failed(row: Delivery, minutes_ago: int) -> Delivery:
    row.failing_since = timezone.now() - timedelta(minutes=minutes_ago)
    row.save()
    return row


def test_what_failed_since_the_last_success_is_counted_and_then_begins_anew(
    michael: Person, webhook: Webhook
) -> None:
    first_failed(given_up(webhook, "PR-before"), 90)
    succeeded(webhook, 60)
    given_up(webhook, "PR-lost")
    failing(webhook, "PR-failing")
    make_delivery(webhook, "PR-waiting")
    delivered(webhook, "PR-done")
    given_up(make_webhook(webhook.account, "Other"), "PR-other")
    url = page_of(webhook, "deliveries/recover/")
    assert url in michael.client.get(page_of(webhook, "deliveries/")).text
    before = states(webhook)
    page = michael.client.get(url).text
    assert "Send 2 deliveries again?" in " ".join(page.split())
    assert "All that has failed since the last success, of" in page
    assert states(webhook) == before
    response = michael.client.post(url, {"seen": matched(r'name="seen" value="(\d+)"', page)[1]})
    assert response["Location"] == page_of(webhook, "deliveries/")
    assert states(webhook) == {
        **before,
        "PR-lost": ("pending", 0),
        "PR-failing": ("pending", 0),
    }
    assert states(webhook)["PR-before"] == ("failed", 10)
    [entry] = Event.objects.filter(action=Action.WEBHOOK_REDELIVERED)
    assert entry.changes == {"deliveries": [None, 2]}


def test_tests_and_what_a_receiver_or_a_loop_has_ended_stay_as_they_are(
    michael: Person, webhook: Webhook
) -> None:
    for outcome in (Outcome.ABORTED, Outcome.LOOP):
        row = given_up(webhook, f"PR-{outcome}")
        row.last_outcome = outcome
        row.save()
    test = given_up(webhook, "PR-test")
    type(test.event).objects.filter(pk=test.event_id).update(is_test=True)
    for path, words in (
        ("recover/", "No delivery has failed since the last success."),
        ("redeliver/", "No delivery has failed."),
    ):
        page = michael.client.get(page_of(webhook, f"deliveries/{path}"), follow=True).text
        assert words in page
        michael.client.post(page_of(webhook, f"deliveries/{path}"))
    assert {state for state, _ in states(webhook).values()} == {"failed"}


def test_many_go_out_in_parts_oldest_first(michael: Person, webhook: Webhook) -> None:
    now = timezone.now()
    for number in range(PART + 1):
        row = given_up(webhook, f"PR-{number}")
        Delivery.objects.filter(pk=row.pk).update(created_at=now - timedelta(seconds=number))
    michael.client.post(page_of(webhook, "deliveries/recover/"))
    rows = list(Delivery.objects.order_by("created_at"))
    assert [row.state for row in rows] == ["pending"] * (PART + 1)
    assert rows[0].due_at <= timezone.now() < rows[-1].due_at
    assert len({row.due_at for row in rows[:PART]}) == 1


def test_what_failed_again_after_the_page_was_shown_is_left_alone(
    michael: Person, webhook: Webhook
) -> None:
    seen = int((timezone.now() - timedelta(minutes=5)).timestamp() * 1000)
    given_up(webhook)
    url = page_of(webhook, "deliveries/recover/")
    assert "Nothing was changed." in michael.client.post(url, {"seen": seen}, follow=True).text
    for nonsense in ("-1", "x", "1e9", "9" * 15, "9" * 400, "٣"):
        assert michael.client.post(url, {"seen": nonsense}).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_send_each_once(michael: Person, webhook: Webhook) -> None:
    for number in range(5):
        given_up(webhook, f"PR-{number}")
    barrier = Barrier(2)

    def press(_: int) -> None:
        client = Client()
        client.cookies = michael.client.cookies
        barrier.wait()
        try:
            client.post(page_of(webhook, "deliveries/recover/"))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(press, range(2)))
    assert [e.changes for e in Event.objects.filter(action=Action.WEBHOOK_REDELIVERED)] == [
        {"deliveries": [None, 5]}
    ]


def test_enabling_after_failures_offers_what_was_missed(michael: Person, webhook: Webhook) -> None:
    given_up(webhook, "PR-lost")
    make_delivery(webhook, "PR-waiting")
    webhook.disable(by=None, reason=Webhook.Disabled.FAILING)
    page = " ".join(michael.client.get(page_of(webhook)).text.split())
    assert "Also send again what was given up since the last success: 1" in page
    response = michael.client.post(page_of(webhook, "enable/"), {"missed": "on"}, follow=True)
    assert "The event that waits is sent now. 1 delivery is sent again." in response.text
    assert states(webhook) == {"PR-lost": ("pending", 0), "PR-waiting": ("pending", 0)}


def test_the_tick_outlasts_the_question_for_the_password(michael: Person, webhook: Webhook) -> None:
    given_up(webhook, "PR-lost")
    webhook.disable(by=None, reason=Webhook.Disabled.FAILING)
    enable = page_of(webhook, "enable/")
    question = stale(michael.client).post(enable, {"missed": "on", "next": page_of(webhook)})
    assert states(webhook) == {"PR-lost": ("failed", 10)}
    response = answer(michael.client, enable, question)
    assert response["Location"] == page_of(webhook)
    assert states(webhook) == {"PR-lost": ("pending", 0)}


@pytest.mark.parametrize("reason", [Webhook.Disabled.GONE, Webhook.Disabled.PERSON])
def test_without_the_tick_only_what_waits_is_sent(
    michael: Person, webhook: Webhook, reason: Webhook.Disabled
) -> None:
    given_up(webhook, "PR-lost")
    webhook.disable(by=None, reason=reason)
    offered = "what was given up since" in michael.client.get(page_of(webhook)).text
    assert offered is (reason == Webhook.Disabled.GONE)
    michael.client.post(page_of(webhook, "enable/"))
    webhook.refresh_from_db()
    assert webhook.active
    assert states(webhook) == {"PR-lost": ("failed", 10)}


def test_members_and_strangers_recover_nothing(
    adrian: Person, stranger: Person, webhook: Webhook
) -> None:
    given_up(webhook)
    url = page_of(webhook, "deliveries/recover/")
    assert adrian.client.post(url).status_code == 403
    assert stranger.client.post(url).status_code == 404
    assert "Recover" not in adrian.client.get(page_of(webhook, "deliveries/")).text
    webhook.disable(by=None, reason=Webhook.Disabled.FAILING)
    assert adrian.client.post(page_of(webhook, "enable/"), {"missed": "on"}).status_code == 403
    assert {state for state, _ in states(webhook).values()} == {"failed"}


# --- Enabling -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["page", "edit"])
def test_enabling_begins_at_once_with_what_was_planned_for_later(
    michael: Person, webhook: Webhook, how: str
) -> None:
    rows = [failing(webhook, f"PR-{number}") for number in range(3)]
    webhook.disable(by=None, reason=Webhook.Disabled.FAILING)
    hold = timezone.now() + timedelta(minutes=4)
    WebhookHealth.objects.update(hold_until=hold, fails_in_row=12, slots=0)
    assert (
        "3 events wait. They are sent when you enable it"
        in michael.client.get(page_of(webhook)).text
    )
    if how == "page":
        page = michael.client.post(page_of(webhook, "enable/"), follow=True).text
        assert "The 3 events that wait are sent now, oldest first." in page
    else:
        webhook.edit(by=None, active=True)
    now = timezone.now()
    for row in rows:
        row.refresh_from_db()
        assert row.due_at <= now
        assert (row.state, row.failures, row.tries) == ("pending", 0, 1)
    health = WebhookHealth.objects.get()
    assert (health.hold_until, health.fails_in_row, health.slots) == (None, 0, 1)


def test_many_that_begin_anew_are_spread(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.models.delivery.PART", 2)
    monkeypatch.setattr("webhooks.models.delivery.MOST_AGAIN", 4)
    rows = [failing(webhook, f"PR-{number}") for number in range(6)]
    webhook.disable(by=None)
    before = timezone.now()
    webhook.enable(by=None)
    for row in rows:
        row.refresh_from_db()
    after = [round((row.due_at - before) / timedelta(seconds=5)) for row in rows]
    assert after == [0, 0, 1, 1, 1, 1]

"""Webhooks that keep the order of each object, and those with a limit of calls a minute."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from tests.webhooks.conftest import SECRET, Hooks
from tests.webhooks.engine.conftest import MakeWebhook, deliver, happen, steps
from tests.webhooks.engine.receiver import Receiver, Reply
from webhooks import claims
from webhooks.models import Attempt, Delivery, Webhook, WebhookHealth


@pytest.fixture
def ordered(make_webhook: MakeWebhook, receiver: Receiver) -> Webhook:
    return make_webhook(receiver.url, keep_order=True)


def claimed() -> list[str]:
    room = claims.Room(160, Counter())
    return [each.delivery.pk for each in claims.claim("me", room)]


def on(webhook: Webhook, *objects: str) -> list[str]:
    """Let something happen to objects, one after the other; return the deliveries."""
    return [happen(webhook, object_id=each)[0].pk for each in objects]


# --- Order ----------------------------------------------------------------------------------------


def test_of_each_object_one_event_is_sent_at_a_time(ordered: Webhook) -> None:
    one, two, _three, other = on(ordered, "PR-1", "PR-1", "PR-1", "PR-2")
    assert set(claimed()) == {one, other}
    assert claimed() == []
    Delivery.objects.filter(pk=one).update(state="delivered", claimed_by="")
    assert claimed() == [two]


def test_events_arrive_in_their_order(ordered: Webhook, receiver: Receiver) -> None:
    wanted = on(ordered, *["PR-1"] * 10)
    deliver()
    assert receiver.ids == wanted


def test_an_event_waits_for_one_that_fails_and_the_others_do_not(
    ordered: Webhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(500)
    first, second = on(ordered, "PR-1", "PR-1")
    deliver()
    assert receiver.ids == [first]
    receiver.reply = Reply(204)
    (other,) = on(ordered, "PR-2")
    deliver()
    assert receiver.ids == [first, other]
    Delivery.objects.update(due_at=timezone.now())
    deliver()
    assert receiver.ids == [first, other, first, second]


def test_after_an_hour_of_failures_later_events_wait_no_longer_and_say_so(
    ordered: Webhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(500)
    first, second = on(ordered, "PR-1", "PR-1")
    deliver()
    row = Delivery.objects.filter(pk=first)
    later = timezone.now() + timedelta(hours=2)
    row.update(failing_since=timezone.now() - timedelta(minutes=59), due_at=later)
    assert claimed() == []
    row.update(failing_since=timezone.now() - timedelta(minutes=61))
    receiver.reply = Reply(204)
    deliver()
    assert receiver.ids == [first, second]
    told = Attempt.objects.get(delivery=second).note
    assert told.startswith("Sent although an earlier event of the same object has failed")
    assert Attempt.objects.get(delivery=first).note == ""


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts the steps of SQLite")
def test_looking_takes_no_longer_for_what_has_arrived(ordered: Webhook) -> None:
    """While it looks, SQLite lets nobody write: with thousands of events it took minutes."""
    on(ordered, *["PR-1"] * 40)
    Delivery.objects.update(state="delivered")
    on(ordered, *["PR-1"] * 40)
    few = steps(claimed)
    Delivery.objects.filter(state="delivered").delete()
    Delivery.objects.update(claimed_by="")
    assert few < 2 * steps(claimed)


def test_without_the_option_nothing_waits(webhook: Webhook) -> None:
    assert set(on(webhook, "PR-1", "PR-1")) == set(claimed())


def test_a_delivery_that_is_sent_again_begins_anew(ordered: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(500)
    (delivery,) = on(ordered, "PR-1")
    deliver()
    row = Delivery.objects.filter(pk=delivery)
    assert row[0].failing_since
    row.update(state="failed")
    row.redeliver()
    assert row[0].failing_since is None


# --- Rate -----------------------------------------------------------------------------------------


def passes(webhook: Webhook, **time: float) -> None:
    """Let time pass for the limit, and what was claimed be delivered."""
    Delivery.objects.exclude(claimed_by="").update(state="delivered", claimed_by="")
    health = WebhookHealth.objects.get(pk=webhook.pk)
    if health.paced_until:
        health.paced_until -= timedelta(**time)
        health.save()


def test_calls_are_spread_over_the_minute(make_webhook: MakeWebhook) -> None:
    webhook = make_webhook(rate_per_minute=6)
    happen(webhook, 20)
    assert len(claimed()) == 1
    assert claimed() == []
    passes(webhook, seconds=8)
    assert claimed() == []
    passes(webhook, seconds=2)
    assert len(claimed()) == 1
    # What was not used is not saved up.
    passes(webhook, hours=1)
    assert len(claimed()) == 1


@pytest.mark.parametrize(("rate", "most"), [(1, 2), (60, 62), (600, 611)])
def test_in_a_minute_there_are_no_more_calls_than_allowed(
    make_webhook: MakeWebhook, rate: int, most: int
) -> None:
    endpoint = claims.Endpoint(make_webhook().pk, "", 8, rate)
    begin = timezone.now()
    calls = 0
    for step in range(0, 60_000, 50):
        paces = claims.Paces([endpoint], begin + timedelta(milliseconds=step))
        if free := min(paces.free(endpoint), 8):
            paces.spend(endpoint, free)
            calls += free
    assert rate <= calls <= most


def test_a_limit_holds_back_no_other_webhook(make_webhook: MakeWebhook) -> None:
    happen(make_webhook(rate_per_minute=1), 5)
    happen(make_webhook(), 5)
    assert len(claimed()) == 6


@pytest.mark.parametrize("rate", [0, 6001])
def test_a_limit_that_makes_no_sense_is_refused(make_webhook: MakeWebhook, rate: int) -> None:
    with pytest.raises(ValidationError):
        make_webhook(rate_per_minute=rate)


def test_programs_set_both(hooks: Hooks) -> None:
    body = {
        "label": "ERP",
        "external_url": "https://erp.example/hook",
        "jwt_secret": SECRET,
        "object_class": "token",
        "keep_order": True,
        "rate_per_minute": 30,
    }
    response = hooks("post", "", body)
    assert response.status_code == 201, response.text
    made = response.json()
    assert (made["keep_order"], made["rate_per_minute"]) == (True, 30)
    changed = hooks("put", f"/{made['id']}", {"rate_per_minute": None}).json()
    assert (changed["keep_order"], "rate_per_minute" in changed) == (True, False)
    refused = hooks("put", f"/{made['id']}", {"rate_per_minute": 0})
    assert refused.status_code == 400
    assert "rate_per_minute" in refused.text

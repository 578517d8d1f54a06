"""What a worker does with deliveries, as endpoints and rows show it."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from activity.models import Event
from tests.factories import AccountFactory
from tests.webhooks.engine.conftest import MakeWebhook, deliver, happen, seen
from tests.webhooks.engine.receiver import Receiver, Reply
from tests.webhooks.factories import tried
from webhooks import claims, results
from webhooks.catalog import Type
from webhooks.models import Attempt, Delivery, DeliveryWorker, Webhook, WebhookEvent, WebhookHealth
from webhooks.outcomes import Outcome
from webhooks.send import Result

State = Delivery.State


def due_now(delivery: Delivery) -> None:
    """Let the time until the next try pass."""
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(pk=delivery.pk).update(due_at=past)
    WebhookHealth.objects.filter(pk=delivery.webhook_id).update(hold_until=None)


def seconds_until_due(delivery: Delivery) -> float:
    left: timedelta = seen(delivery).due_at - timezone.now()
    return left.total_seconds()


def room(most: int = 160) -> claims.Room:
    return claims.Room(most, Counter())


def claimed_ids(worker: str = "me") -> list[str]:
    return [each.delivery.pk for each in claims.claim(worker, room())]


# --- One delivery ---------------------------------------------------------------------------------


def test_an_event_arrives_and_the_try_is_kept(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(200, {"X-Server": "theirs"}, b"thanks")
    (delivery,) = happen(webhook)
    deliver()
    row = seen(delivery)
    assert (row.state, row.tries, row.claimed_by) == (State.DELIVERED, 1, "")
    assert (row.last_outcome, row.last_code) == (Outcome.OK, 200)
    assert row.done_at
    attempt = Attempt.objects.get()
    assert (attempt.delivery_id, attempt.number, attempt.code) == (delivery.pk, 1, 200)
    assert attempt.answer == "thanks"
    assert "X-Server: theirs" in attempt.answer_headers
    assert attempt.request_url == receiver.url
    assert attempt.request_body.encode() == receiver.calls[0].body
    health = row.webhook.health
    assert (health.events, health.triggers, health.successes, health.failures) == (1, 1, 1, 0)
    assert health.last_event_at == row.event.at
    assert health.last_success_at
    assert health.last_success_code == 200


def test_what_is_rolled_back_leaves_nothing(webhook: Webhook, receiver: Receiver) -> None:
    with transaction.atomic():
        happen(webhook)
        transaction.set_rollback(True)
    deliver()
    assert not Delivery.objects.exists()
    assert not WebhookEvent.objects.exists()
    assert receiver.calls == []


def test_a_failure_is_tried_again_under_the_same_id(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(500)
    (delivery,) = happen(webhook)
    deliver()
    row = seen(delivery)
    assert (row.state, row.failures, row.last_code) == (State.PENDING, 1, 500)
    assert 3 < seconds_until_due(delivery) <= 7
    deliver()
    assert len(receiver.calls) == 1
    due_now(delivery)
    receiver.reply = Reply(204)
    deliver()
    assert seen(delivery).state == State.DELIVERED
    assert receiver.ids == [delivery.pk] * 2
    assert [each.outcome for each in Attempt.objects.all()] == ["server_5xx", "ok"]


def test_after_ten_failures_it_is_given_up(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(400)
    (delivery,) = happen(webhook)
    for number in range(1, 11):
        assert seen(delivery).state == State.PENDING
        due_now(delivery)
        deliver()
        assert seen(delivery).failures == number
    row = seen(delivery)
    assert (row.state, row.last_outcome, bool(row.done_at)) == (State.FAILED, "client_4xx", True)
    due_now(delivery)
    deliver()
    assert len(receiver.calls) == 10
    assert row.webhook.active


def test_an_endpoint_that_is_gone_disables_its_webhook(
    webhook: Webhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(410)
    (delivery,) = happen(webhook)
    deliver()
    webhook.refresh_from_db()
    assert (webhook.active, webhook.disabled_by) == (False, Webhook.Disabled.GONE)
    assert Event.objects.filter(action="webhooks.disabled", actor_id="").exists()
    due_now(delivery)
    deliver()
    assert len(receiver.calls) == 1
    # Nothing is lost: it goes out once the webhook is enabled.
    receiver.reply = Reply(204)
    webhook.enable(by=None)
    deliver()
    assert seen(delivery).state == State.DELIVERED


@pytest.mark.parametrize(
    ("status", "asked", "least", "most"),
    [
        (429, "3600", 3590, 3600),
        (503, "3600", 3590, 3600),
        (429, "99999999999", 86_390, 86_400),
        (429, "nonsense", 3, 7),
        (429, "1", 3, 7),
    ],
)
def test_an_endpoint_is_not_called_before_it_asked_for(
    webhook: Webhook, receiver: Receiver, status: int, asked: str, least: int, most: int
) -> None:
    receiver.reply = Reply(status, {"Retry-After": asked})
    (delivery,) = happen(webhook)
    deliver()
    assert least < seconds_until_due(delivery) <= most
    held = seen(delivery).webhook.health.hold_until
    if most > 10:
        assert held
        assert least < (held - timezone.now()).total_seconds() <= most
        # It holds back other events too.
        happen(webhook)
        deliver()
        assert len(receiver.calls) == 1


def test_a_receiver_can_stop_a_delivery(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(422, {"webhook-delivery": "abort-message"})
    (delivery,) = happen(webhook)
    deliver()
    row = seen(delivery)
    assert (row.state, row.last_outcome) == (State.FAILED, Outcome.ABORTED)


@pytest.mark.parametrize(
    "break_it",
    [
        {"external_url": "http://" + "ü" * 70 + ".example/"},
        {"external_url": "http://[::1"},
        {"headers": ["no", "headers"]},
    ],
)
def test_a_call_that_cannot_be_made_is_a_failure_and_not_the_end(
    webhook: Webhook, break_it: dict[str, Any]
) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(**break_it)
    (delivery,) = happen(webhook)
    deliver()
    row = seen(delivery)
    assert (row.failures, row.claimed_by) == (1, "")
    assert row.last_outcome == Outcome.NOT_SENT


def test_a_secret_that_cannot_be_opened_stops_nothing_else(
    webhook: Webhook, make_webhook: MakeWebhook, receiver: Receiver
) -> None:
    broken = make_webhook(receiver.url)
    broken.secrets.update(sealed=b"\x01" + b"x" * 60)
    (bad,), (good,) = happen(broken), happen(webhook)
    deliver()
    assert seen(good).state == State.DELIVERED
    assert seen(bad).last_outcome == Outcome.NOT_SENT
    assert "sealing keys" in Attempt.objects.get(delivery=bad).note


# --- What is not sent -----------------------------------------------------------------------------


def test_a_disabled_webhook_keeps_its_events_until_it_is_enabled(
    webhook: Webhook, receiver: Receiver
) -> None:
    webhook.disable(by=None)
    happen(webhook, 3)
    deliver()
    assert receiver.calls == []
    webhook.enable(by=None)
    deliver()
    assert len(receiver.calls) == 3


def test_validators_are_never_called(make_webhook: MakeWebhook, receiver: Receiver) -> None:
    webhook = make_webhook(receiver.url, type=Type.VALIDATOR)
    happen(webhook)
    deliver()
    assert receiver.calls == []


def test_what_is_deleted_meanwhile_is_not_sent(webhook: Webhook, receiver: Receiver) -> None:
    happen(webhook)
    webhook.remove(by=None)
    deliver()
    assert receiver.calls == []


def test_a_webhook_is_deleted_with_as_many_queries_however_many_deliveries_it_has(
    make_webhook: MakeWebhook, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    few, many = (make_webhook(label=label) for label in ("Few", "Many"))
    for webhook, number in ((few, 1), (many, 250)):
        for delivery in happen(webhook, number):
            tried(delivery, Outcome.TOTAL_TIMEOUT)
    with CaptureQueriesContext(connection) as queries:
        few.remove(by=None)
    with django_assert_num_queries(len(queries)):
        many.remove(by=None)
    assert not Delivery.objects.exists()
    assert not Attempt.objects.exists()


def test_an_edit_counts_from_the_next_try(webhook: Webhook, receiver: Receiver) -> None:
    (delivery,) = happen(webhook)
    webhook.edit(by=None, external_url=f"{receiver.url}/new", http_method="POST")
    deliver()
    assert receiver.calls[0].path == "/hook/new"
    assert seen(delivery).state == State.DELIVERED


# --- Fairness -------------------------------------------------------------------------------------


def test_an_endpoint_gets_no_more_calls_than_it_has_slots(webhook: Webhook) -> None:
    happen(webhook, 20)
    assert len(claimed_ids("one")) == 8
    assert claimed_ids("two") == []
    Delivery.objects.filter(claimed_by="one").update(claimed_by="", state=State.DELIVERED)
    WebhookHealth.objects.update(slots=3)
    assert len(claimed_ids("two")) == 3


def test_half_of_the_slots_are_for_first_tries(webhook: Webhook) -> None:
    old, new = happen(webhook, 10), happen(webhook, 10)
    long_ago = timezone.now() - timedelta(hours=1)
    Delivery.objects.filter(pk__in=[each.pk for each in old]).update(failures=2, due_at=long_ago)
    found = set(claimed_ids())
    assert len(found & {each.pk for each in new}) == 4
    assert len(found & {each.pk for each in old}) == 4
    # The last slot is for what is new.
    Delivery.objects.update(claimed_by="")
    Delivery.objects.filter(pk__in=[each.pk for each in new]).update(due_at=timezone.now())
    Delivery.objects.filter(pk__in=[each.pk for each in old]).update(due_at=long_ago)
    WebhookHealth.objects.update(slots=1)
    assert set(claimed_ids()) <= {each.pk for each in new}


def test_slots_without_first_tries_are_for_the_rest(webhook: Webhook) -> None:
    old = happen(webhook, 10)
    Delivery.objects.filter(pk__in=[each.pk for each in old]).update(failures=2)
    assert len(claimed_ids()) == 8


def test_each_account_takes_half_of_the_room_that_the_others_leave(
    account: Account, make_webhook: MakeWebhook
) -> None:
    for each in (account, AccountFactory(), AccountFactory()):
        for _ in range(3):
            happen(make_webhook(account=each), 8)
    room = claims.Room(16, Counter())
    found = claims.claim("me", room)
    shares = Counter(each.webhook.account_id for each in found)
    # Half of 16, of 8, and of 4: the next account still finds room.
    assert sorted(shares.values()) == [2, 4, 8]
    assert claims.Room(16, shares).for_account("another") == 1


def test_what_an_account_no_longer_needs_is_for_the_others() -> None:
    room = claims.Room(100, Counter(one=50, two=25))
    assert (room.free, room.for_account("one"), room.for_account("two")) == (25, -12, 0)
    room.accounts["one"] = 0
    assert (room.free, room.for_account("two")) == (75, 25)


def test_an_endpoint_that_fails_gets_fewer_calls_and_more_when_it_is_back(
    make_webhook: MakeWebhook, receiver: Receiver
) -> None:
    webhook = make_webhook("http://127.0.0.1:9/hook")
    deliveries = happen(webhook, 8)
    deliver()
    health = WebhookHealth.objects.get()
    # Those that were in flight together are one failure.
    assert (health.slots, health.holds, health.fails_in_row) == (4, 1, 8)
    assert health.hold_until
    assert 3 < (health.hold_until - timezone.now()).total_seconds() <= 5
    assert health.failing_since
    for each in deliveries:
        due_now(each)
    deliver()
    health.refresh_from_db()
    assert health.holds == 2
    assert health.slots == 2
    Webhook.objects.update(external_url=receiver.url)
    for each in deliveries:
        due_now(each)
    deliver()
    health.refresh_from_db()
    assert len(receiver.calls) == 8
    assert (health.slots, health.holds, health.fails_in_row) == (8, 0, 0)
    assert (health.hold_until, health.failing_since) == (None, None)
    assert 1 <= receiver.most_busy <= 8


def test_a_new_address_begins_anew(make_webhook: MakeWebhook, receiver: Receiver) -> None:
    webhook = make_webhook("http://127.0.0.1:9/hook")
    happen(webhook, 3)
    deliver()
    assert WebhookHealth.objects.get().hold_until
    webhook.edit(by=None, external_url=receiver.url)
    health = WebhookHealth.objects.get()
    assert (health.hold_until, health.failing_since, health.fails_in_row) == (None, None, 0)
    deliver()
    assert len(receiver.calls) == 3


def test_a_new_address_of_a_disabled_webhook_sends_nothing(
    make_webhook: MakeWebhook, receiver: Receiver
) -> None:
    webhook = make_webhook("http://127.0.0.1:9/hook")
    happen(webhook)
    deliver()
    webhook.disable(by=None)
    webhook.edit(by=None, external_url=receiver.url)
    deliver()
    assert not receiver.calls


def test_an_event_that_is_refused_holds_back_no_other(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(400)
    happen(webhook)
    deliver()
    health = WebhookHealth.objects.get()
    assert (health.slots, health.hold_until, health.fails_in_row) == (8, None, 1)
    receiver.reply = Reply(500)
    happen(webhook, 4)
    deliver()
    health.refresh_from_db()
    assert health.fails_in_row == 5
    assert health.hold_until


# --- Failing for days -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "failures", "active"), [(5, 9, False), (4.9, 9, True), (5, 8, True), (9, 30, False)]
)
def test_a_webhook_that_fails_for_five_days_is_disabled(
    webhook: Webhook, receiver: Receiver, days: float, failures: int, active: bool
) -> None:
    since = timezone.now() - timedelta(days=days)
    WebhookHealth.objects.update(failing_since=since, fails_in_row=failures)
    receiver.reply = Reply(500)
    (delivery,) = happen(webhook)
    deliver()
    webhook.refresh_from_db()
    assert webhook.active == active
    assert webhook.disabled_by == ("" if active else Webhook.Disabled.FAILING)
    assert seen(delivery).state == State.PENDING
    if not active:
        webhook.enable(by=None)
        assert webhook.health.failing_since is None


# --- Leases ---------------------------------------------------------------------------------------


def outcome_of(claimed: claims.Claimed, outcome: Outcome = Outcome.OK) -> results.Try:
    return results.Try(claimed, None, Result(outcome, 200), timezone.now())


def test_a_delivery_whose_worker_died_is_sent_again_and_spends_no_try(
    webhook: Webhook, receiver: Receiver
) -> None:
    (delivery,) = happen(webhook)
    assert claimed_ids("dead") == [delivery.pk]
    assert 55 < seconds_until_due(delivery) <= 60
    assert claims.recover() == 0
    deliver()
    assert receiver.calls == []
    due_now(delivery)
    assert claims.recover() == 1
    deliver()
    row = seen(delivery)
    assert (row.state, row.tries, row.failures) == (State.DELIVERED, 2, 0)
    assert [each.outcome for each in Attempt.objects.all()] == ["worker_lost", "ok"]


def test_a_result_that_comes_too_late_changes_nothing(webhook: Webhook) -> None:
    (delivery,) = happen(webhook)
    (late,) = claims.claim("late", room())
    due_now(delivery)
    claims.recover()
    # Also if the late worker has claimed it once more.
    for name in ("other", "late"):
        (present,) = claims.claim(name, room())
        assert results.settle("late", [outcome_of(late, Outcome.RESET)]) == []
        assert seen(delivery).claimed_by == name
        claims.release(name, [present.delivery])
    (present,) = claims.claim("other", room())
    assert len(results.settle("other", [outcome_of(present)])) == 1
    assert results.settle("other", [outcome_of(present)]) == []
    assert seen(delivery).state == State.DELIVERED
    assert seen(delivery).webhook.health.triggers == 1


def test_what_a_worker_gives_back_is_due_at_once(webhook: Webhook) -> None:
    (delivery,) = happen(webhook)
    (mine,) = claims.claim("me", room())
    claims.release("other", [mine.delivery])
    assert claimed_ids() == []
    claims.release("me", [mine.delivery])
    assert claimed_ids("other") == [delivery.pk]
    assert seen(delivery).tries == 1


def test_a_finished_delivery_can_be_sent_again(webhook: Webhook, receiver: Receiver) -> None:
    (delivery,) = happen(webhook)
    deliver()
    assert Delivery.objects.filter(pk=delivery.pk).redeliver() == 1
    assert Delivery.objects.filter(pk=delivery.pk).redeliver() == 0
    deliver()
    assert receiver.ids == [delivery.pk] * 2
    assert [each.number for each in Attempt.objects.all()] == [1, 2]


# --- Housekeeping ---------------------------------------------------------------------------------


def test_a_running_worker_is_seen_and_one_that_ended_is_not(webhook: Webhook) -> None:
    DeliveryWorker.beat("here")
    assert DeliveryWorker.is_running()
    DeliveryWorker.objects.update(seen_at=timezone.now() - timedelta(seconds=40))
    assert not DeliveryWorker.is_running()
    DeliveryWorker.objects.update(seen_at=timezone.now() - timedelta(days=2))
    happen(webhook)
    deliver()
    assert not DeliveryWorker.objects.exists()

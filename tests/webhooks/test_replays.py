"""Sending many deliveries again: how many, of when, once however often one asks, and no more."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from activity.models import Event
from tests.conftest import Call, Person, person
from tests.factories import TokenFactory
from tests.webhooks.conftest import Hooks, make
from tests.webhooks.engine.conftest import deliver
from tests.webhooks.engine.receiver import Receiver, Reply, receiving
from tests.webhooks.engine.test_meanwhile import together
from tests.webhooks.factories import delivered, failing, given_up, make_delivery
from tokens.catalog import Module
from webhooks import claims
from webhooks.claims import Room
from webhooks.models import Delivery, Replay, Webhook, WebhookEvent
from webhooks.models.delivery import PART
from webhooks.outcomes import Outcome

State = Delivery.State


def happened(row: Delivery, days_ago: float) -> Delivery:
    row.created_at = timezone.now() - timedelta(days=days_ago)
    row.save()
    return row


def state(row: Delivery) -> str:
    return Delivery.objects.get(pk=row.pk).state


def ago(**span: float) -> str:
    moment: datetime = timezone.now() - timedelta(**span)
    return moment.isoformat()


def test_what_failed_is_sent_again_and_the_answer_counts_it(hooks: Hooks, webhook: Webhook) -> None:
    lost, late = given_up(webhook), failing(webhook)
    others = [delivered(webhook), make_delivery(webhook)]
    body = hooks("post", f"/{webhook.pk}/replay").json()
    assert body["id"] == webhook.pk
    assert body["replay"] == {"id": Replay.objects.get().pk, "total": 2, "more": False}
    found = hooks("get", f"/{webhook.pk}/replays/{body['replay']['id']}").json()
    counts = {name: found[name] for name in ("state", "total", "waiting", "done", "left")}
    assert counts == {"state": "running", "total": 2, "waiting": 2, "done": 0, "left": 0}
    assert found["created_by"]["name"] == "Boss"
    assert {each.pk for each in Delivery.objects.filter(replay=found["id"])} == {lost.pk, late.pk}
    assert [state(each) for each in others] == ["delivered", "pending"]
    # Nothing else has failed.
    assert hooks("post", f"/{webhook.pk}/replay").json()["replay"] == {"total": 0, "more": False}
    assert hooks("get", f"/{webhook.pk}/replays").json() == [found]


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({}, {1, 3, 5}),
        ({"from": {"days": 4}}, {1, 3}),
        ({"to": {"days": 2}}, {3, 5}),
        ({"from": {"days": 4}, "to": {"days": 2}}, {3}),
        ({"from": {"hours": 1}}, set()),
    ],
)
@pytest.mark.parametrize("wanted", ["failed", "delivered"])
def test_a_span_and_a_state_narrow_it(
    hooks: Hooks, webhook: Webhook, span: dict[str, Any], expected: set[int], wanted: str
) -> None:
    make_row = {"failed": given_up, "delivered": delivered}
    rows = {days: happened(make_row[wanted](webhook), days) for days in (1, 3, 5)}
    (other,) = (make_row[each](webhook) for each in make_row if each != wanted)
    body = {"state": wanted, **{name: ago(**value) for name, value in span.items()}}
    answer = hooks("post", f"/{webhook.pk}/replay", body).json()
    assert answer["replay"]["total"] == len(expected)
    again = {days for days, row in rows.items() if state(row) == State.PENDING}
    assert again == expected
    assert state(other) != State.PENDING


@pytest.mark.parametrize("beyond", [0, 1])
def test_more_is_true_only_if_more_remain(
    hooks: Hooks, webhook: Webhook, beyond: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.models.delivery.MOST_AGAIN", 3)
    for number in range(3 + beyond):
        given_up(webhook, f"PR-{number}")
    answer = hooks("post", f"/{webhook.pk}/replay").json()["replay"]
    assert (answer["total"], answer["more"]) == (3, bool(beyond))


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"state": "pending"}, "state"),
        ({"state": 7}, "state"),
        ({"from": "yesterday"}, "from"),
        ({"from": 7}, "from"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
    ],
)
def test_a_mistake_is_named_and_sends_nothing(
    hooks: Hooks, webhook: Webhook, body: dict[str, Any], word: str
) -> None:
    row = given_up(webhook)
    response = hooks("post", f"/{webhook.pk}/replay", body)
    assert response.status_code == 400
    assert response.json()["errors"][0].startswith(f"{word}:")
    assert state(row) == State.FAILED
    assert not Replay.objects.exists()


def test_cancelled_half_way_it_stops(hooks: Hooks, account: Any) -> None:
    with receiving() as receiver:
        webhook = make(account, external_url=receiver.url)
        rows = [given_up(webhook, f"PR-{number}") for number in range(PART + 20)]
        old = delivered(webhook, "PR-old")
        assert hooks("post", f"/{webhook.pk}/replay").json()["replay"]["total"] == PART + 20
        begun = Replay.objects.get()
        Delivery.objects.filter(pk=old.pk).update(state="pending", replay=begun)
        # The first part goes out; the second is due some seconds later.
        deliver()
        arrived = len(receiver.calls)
        assert PART <= arrived < PART + 21
        path = f"/{webhook.pk}/replays/{begun.pk}"
        Delivery.objects.filter(pk=old.pk).update(state="pending")
        answer = hooks("post", f"{path}/cancel").json()
        assert answer["state"] == "cancelled"
        assert (answer["waiting"], answer["left"]) == (0, 21)
        response = hooks("post", f"{path}/cancel")
        assert (response.status_code, response.json()["error_code"]) == (400, "WHK_004")
        Delivery.objects.unfinished().update(due_at=timezone.now())
        deliver()
        assert len(receiver.calls) == arrived
        assert {state(row) for row in rows} == {State.DELIVERED, State.FAILED}
        # What had arrived before is no failure.
        assert state(old) == State.DELIVERED
        assert Event.objects.filter(action="webhooks.replay-cancelled").count() == 1
        # The rest can be recovered.
        assert Delivery.objects.missed_by(webhook).count() == 20


def test_what_is_being_sent_is_not_stopped(webhook: Webhook) -> None:
    rows = [given_up(webhook) for _ in range(3)]
    begun = webhook.send_anew(Delivery.objects.undelivered(), seen=timezone.now(), by=None)
    assert begun
    Delivery.objects.filter(pk=rows[0].pk).update(claimed_by="worker")
    assert begun.cancel(by=None)
    assert begun.left == 2
    assert sorted(state(row) for row in rows) == ["failed", "failed", "pending"]
    # It failed, and would be tried again.
    Delivery.objects.filter(pk=rows[0].pk).update(claimed_by="")
    assert begun.cancel(by=None)
    assert begun.left == 3
    assert not begun.cancel(by=None)


def test_what_had_arrived_before_a_cancelled_replay_arrived_when_it_did(webhook: Webhook) -> None:
    arrived = delivered(webhook)
    at = timezone.now() - timedelta(days=20)
    Delivery.objects.filter(pk=arrived.pk).update(done_at=at)
    arrived.attempts.update(at=at)
    begun = webhook.send_anew(Delivery.objects.all(), seen=timezone.now(), by=None)
    assert begun
    assert begun.cancel(by=None)
    arrived.refresh_from_db()
    assert (arrived.state, arrived.done_at) == (Delivery.State.DELIVERED, at)


def test_one_that_is_sent_again_by_itself_is_no_longer_part_of_it(webhook: Webhook) -> None:
    row = given_up(webhook)
    begun = webhook.send_anew(Delivery.objects.undelivered(), seen=timezone.now(), by=None)
    assert begun
    Delivery.objects.update(state="failed", done_at=timezone.now())
    webhook.redeliver(Delivery.objects.filter(pk=row.pk), by=None)
    assert not begun.cancel(by=None)
    assert state(row) == State.PENDING


def test_while_it_is_paused_a_replay_waits_and_can_be_cancelled(
    hooks: Hooks, account: Any, receiver: Receiver
) -> None:
    webhook = make(account, external_url=receiver.url)
    row = given_up(webhook)
    webhook.pause(by=None)
    begun = hooks("post", f"/{webhook.pk}/replay").json()["replay"]
    deliver()
    assert receiver.calls == []
    assert hooks("post", f"/{webhook.pk}/replays/{begun['id']}/cancel").status_code == 200
    webhook.resume(by=None)
    deliver()
    assert receiver.calls == []
    assert state(row) == State.FAILED


@pytest.fixture
def receiver() -> Any:
    with receiving() as made:
        yield made


def test_ten_thousand_cost_one_try_each_and_delay_no_other_endpoint(
    webhook: Webhook, account: Any
) -> None:
    now = timezone.now()
    fields = {"account_id": account.pk, "object_class": "token", "action": "edited"}
    events = WebhookEvent.objects.bulk_create(
        [WebhookEvent(object_id=f"SU-{number}", at=now, **fields) for number in range(10_000)]
    )
    over = {"state": State.FAILED, "done_at": now, "failing_since": now, "failures": 10}
    Delivery.objects.bulk_create(
        [
            Delivery(webhook=webhook, event=event, last_outcome=Outcome.REFUSED, **over)
            for event in events
        ]
    )
    begun = webhook.send_anew(Delivery.objects.undelivered(), seen=timezone.now(), by=None)
    assert begun
    assert begun.total == 10_000
    assert Delivery.objects.filter(due_at__lte=timezone.now()).count() <= 2 * PART
    other = make(account, label="Other")
    theirs = make_delivery(other)
    taken = {each.delivery.pk for each in claims.claim("one", Room(160, Counter()))}
    assert theirs.pk in taken
    assert len(taken) <= 9
    assert begun.cancel(by=None)
    assert begun.left == 10_000 - (len(taken) - 1)


@pytest.mark.django_db(transaction=True)
def test_asked_for_twice_at_once_each_is_sent_once_more(
    webhook: Webhook, receiver: Receiver
) -> None:
    Webhook.objects.update(external_url=receiver.url)
    for number in range(20):
        given_up(webhook, f"PR-{number}")

    def ask() -> None:
        rows = Delivery.objects.of_webhook(webhook).undelivered()
        webhook.send_anew(rows, seen=timezone.now(), by=None)

    together(ask, ask)
    together(deliver, deliver)
    assert sorted(receiver.ids) == sorted(Delivery.objects.values_list("pk", flat=True))
    assert sum(Replay.objects.values_list("total", flat=True)) == 20


@pytest.mark.django_db(transaction=True)
def test_cancelled_while_workers_run_nothing_is_sent_afterwards(
    webhook: Webhook, receiver: Receiver
) -> None:
    Webhook.objects.update(external_url=receiver.url)
    for number in range(60):
        given_up(webhook, f"PR-{number}")
    begun = webhook.send_anew(Delivery.objects.undelivered(), seen=timezone.now(), by=None)
    assert begun
    receiver.reply = Reply(after=0.02)
    together(deliver, deliver, lambda: begun.cancel(by=None), lambda: begun.cancel(by=None))
    sent = Delivery.objects.filter(state=State.DELIVERED)
    assert sorted(receiver.ids) == sorted(sent.values_list("pk", flat=True))
    assert not Delivery.objects.unfinished().exists()
    assert Event.objects.filter(action="webhooks.replay-cancelled").count() <= 1


# --- The page -------------------------------------------------------------------------------------


def test_the_page_says_how_far_it_is_and_can_cancel_it(
    michael: Person, adrian: Person, webhook: Webhook
) -> None:
    page = f"/integrations/webhooks/{webhook.pk}/deliveries/"
    rows = [given_up(webhook), given_up(webhook)]
    assert "were sent again so far" not in michael.client.get(page).text
    michael.client.post(f"{page}redeliver/")
    Delivery.objects.filter(pk=rows[0].pk).update(state="delivered")
    text = michael.client.get(page).text
    assert "1 of 2 deliveries were sent again so far." in text
    assert f'action="{page}cancel/"' in text
    assert f'action="{page}cancel/"' not in adrian.client.get(page).text
    assert adrian.client.post(f"{page}cancel/").status_code == 403
    told = michael.client.post(f"{page}cancel/", follow=True).text
    assert "1 delivery is not sent again." in told
    assert state(rows[1]) == State.FAILED
    told = michael.client.post(f"{page}cancel/", follow=True).text
    assert "All of them were sent already." in told


def test_strangers_and_tokens_without_the_module_reach_none(
    call: Call, webhook: Webhook, stranger: Person
) -> None:
    row = given_up(webhook)
    theirs = TokenFactory(account=person().account, modules=(Module.ALL,))
    reader = TokenFactory(account=webhook.account, modules=(Module.PRODUCTS,))
    start = f"notifications/webhooks/{webhook.pk}"
    sent = {"method": "post", "content_type": "application/json"}
    for token, status in ((theirs, 404), (reader, 403)):
        assert call(f"{start}/replay", token, **sent).status_code == status
    assert state(row) == State.FAILED
    begun = webhook.send_anew(Delivery.objects.undelivered(), seen=timezone.now(), by=None)
    assert begun
    for token, status in ((theirs, 404), (reader, 403)):
        assert call(f"{start}/replays", token).status_code == status
        assert call(f"{start}/replays/{begun.pk}", token).status_code == status
        assert call(f"{start}/replays/{begun.pk}/cancel", token, **sent).status_code == status
    cancel = f"/integrations/webhooks/{webhook.pk}/deliveries/cancel/"
    assert stranger.client.post(cancel).status_code == 404
    # Nor by another webhook of the account.
    boss = TokenFactory(account=webhook.account, modules=(Module.INTEGRATIONS,))
    other = make(webhook.account, label="Other")
    path = f"notifications/webhooks/{other.pk}/replays/{begun.pk}/cancel"
    assert call(path, boss, **sent).status_code == 404
    assert state(row) == State.PENDING

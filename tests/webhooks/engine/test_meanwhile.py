"""What happens while a try is on its way: edits, deletion, new secrets, retention."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier
from typing import Any

import jwt
import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Account
from tests.conftest import Person
from tests.webhooks.engine.conftest import MakeWebhook, deliver, happen, seen
from tests.webhooks.engine.receiver import Receiver, Reply
from tests.webhooks.engine.test_delivering import due_now
from tests.webhooks.engine.test_running import until
from webhooks import retention
from webhooks.catalog import ObjectClass
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent, WebhookSecret
from webhooks.outbox import emit, send_test
from webhooks.worker import Worker

Kind, State = WebhookSecret.Kind, Delivery.State


@contextmanager
def on_its_way(receiver: Receiver, calls: int = 1) -> Iterator[None]:
    """Run the block while the endpoint has its calls and has not answered them."""
    receiver.reply = Reply(receiver.reply.status, after=0.4)
    worker = Worker()

    def arrived() -> bool:
        worker.step()
        return len(receiver.calls) == calls

    until(arrived)
    yield
    worker.run_until_idle()
    receiver.reply = Reply()


def test_a_webhook_that_is_deleted_meanwhile_leaves_nothing(
    webhook: Webhook, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    happen(webhook, 3)
    with on_its_way(receiver, 3):
        webhook.remove(by=None)
    assert not WebhookSecret.objects.exists()
    assert not Delivery.objects.exists()
    assert not Attempt.objects.exists()
    assert not caplog.records


def test_a_webhook_that_is_disabled_meanwhile_keeps_the_result(
    webhook: Webhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(500)
    (delivery,) = happen(webhook)
    with on_its_way(receiver):
        webhook.disable(by=None)
    assert (seen(delivery).failures, seen(delivery).state) == (1, State.PENDING)
    due_now(delivery)
    deliver()
    assert len(receiver.calls) == 1


def test_an_edit_meanwhile_counts_from_the_next_try(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(500)
    (delivery,) = happen(webhook)
    with on_its_way(receiver):
        webhook.edit(by=None, external_url=f"{receiver.url}/new", headers={"X-Stage": "two"})
    due_now(delivery)
    deliver()
    assert [each.path for each in receiver.calls] == ["/hook", "/hook/new"]
    assert receiver.calls[1].headers["x-stage"] == "two"
    assert seen(delivery).state == State.DELIVERED


def test_that_an_old_address_is_gone_disables_no_webhook_with_a_new_one(
    webhook: Webhook, receiver: Receiver
) -> None:
    receiver.reply = Reply(410)
    happen(webhook)
    with on_its_way(receiver):
        webhook.edit(by=None, external_url=f"{receiver.url}/new")
    webhook.refresh_from_db()
    assert webhook.sends


def test_a_new_secret_meanwhile_signs_the_next_try(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(500)
    old, new = "JWT-" + "0" * 40, "JWT-" + "1" * 40
    webhook.renew_secret(Kind.JWT, by=None, secret=old)
    (delivery,) = happen(webhook)
    with on_its_way(receiver):
        webhook.renew_secret(Kind.JWT, by=None, secret=new)
        webhook.renew_secret(Kind.STANDARD, by=None, until=timezone.now() + timedelta(hours=1))
    due_now(delivery)
    deliver()
    for call, secret, signatures in zip(receiver.calls, (old, new), (1, 2), strict=True):
        bearer = call.headers["authorization"].removeprefix("Bearer ")
        assert jwt.decode(bearer, secret, algorithms=["HS256"])["jti"] == delivery.pk
        assert len(call.headers["webhook-signature"].split()) == signatures
    assert seen(delivery).state == State.DELIVERED


def test_an_event_that_is_forgotten_meanwhile_harms_no_other(
    webhook: Webhook, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = happen(webhook, 2)
    past = timezone.now() - timedelta(days=31)
    with on_its_way(receiver, 2):
        # As if its worker were away for a month.
        Delivery.objects.filter(pk=old.pk).update(created_at=past, due_at=past)
        assert retention.forget() == 1
    assert [each.pk for each in Delivery.objects.all()] == [new.pk]
    assert seen(new).state == State.DELIVERED
    assert Attempt.objects.count() == 1
    assert not caplog.records


# --- At the same moment ---------------------------------------------------------------------------


def together(*jobs: Callable[[], object]) -> None:
    """Run jobs at the same time, each with a connection of its own."""
    at_once = Barrier(len(jobs))

    def run(job: Callable[[], object]) -> None:
        at_once.wait()
        try:
            job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for each in [pool.submit(run, job) for job in jobs]:
            each.result()


@pytest.mark.django_db(transaction=True)
def test_a_change_bears_that_a_webhook_is_deleted_at_the_same_moment(
    account: Account, make_webhook: MakeWebhook
) -> None:
    for number in range(8):
        webhook = make_webhook()

        def change() -> None:
            for _ in range(10):
                with transaction.atomic():
                    emit([account.pk], ObjectClass.TOKEN, "edited", "SU-160-984-311")

        together(change, lambda webhook=webhook: webhook.remove(by=None), change)  # type: ignore[misc]
        assert not Webhook.objects.exists(), number
        assert not Delivery.objects.exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="nobody can store anything meanwhile")
@pytest.mark.django_db(transaction=True)
def test_no_delivery_is_sent_while_its_webhook_is_being_deleted(
    webhook: Webhook, receiver: Receiver
) -> None:
    """A try that is stored after the tries were deleted would be left without its delivery."""
    happen(webhook, 3)
    meanwhile: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        answer = execute(sql, *rest)
        if sql.startswith('DELETE FROM "webhooks_attempt"'):
            meanwhile.append(sql)
            together(deliver)
        return answer

    with connection.execute_wrapper(watch):
        webhook.remove(by=None)
    assert len(meanwhile) == 1
    assert not Attempt.objects.exists()
    assert receiver.calls == []


def test_a_webhook_that_was_deleted_is_not_redelivered(webhook: Webhook) -> None:
    (delivery,) = happen(webhook)
    deliver()
    webhook.remove(by=None)
    with pytest.raises(Webhook.DoesNotExist):
        webhook.redeliver(Delivery.objects.filter(pk=delivery.pk), by=None)


@pytest.mark.django_db(transaction=True)
def test_a_test_of_a_webhook_that_is_deleted_at_the_same_moment_is_no_error(
    make_webhook: MakeWebhook, michael: Person
) -> None:
    michael.client.raise_request_exception = False
    answers = []
    for _ in range(8):
        webhook = make_webhook()

        def test(webhook: Webhook = webhook) -> None:
            url = f"/integrations/webhooks/{webhook.pk}/test/"
            answers.append(michael.client.post(url).status_code)

        together(test, lambda webhook=webhook: webhook.remove(by=None))  # type: ignore[misc]
        assert not Delivery.objects.exists()
        with pytest.raises(Webhook.DoesNotExist):
            send_test(webhook, None)
    assert set(answers) <= {302, 404}
    assert not WebhookEvent.objects.exclude(deliveries=None).exists()


@pytest.mark.django_db(transaction=True)
def test_retention_and_workers_do_not_hinder_each_other(
    webhook: Webhook, receiver: Receiver, caplog: pytest.LogCaptureFixture, michael: Person
) -> None:
    past = timezone.now() - timedelta(days=31)
    deliveries = happen(webhook, 120)
    old = [each.pk for each in deliveries[::2]]
    WebhookEvent.objects.filter(deliveries__in=old).update(at=past)
    Delivery.objects.filter(pk__in=old).update(created_at=past, due_at=past)

    def forget() -> None:
        while Delivery.objects.filter(pk__in=old).unfinished().exists():
            retention.forget()

    together(deliver, deliver, forget)
    # Each may have ended while the other held what is left, which a worker would look at again.
    deliver()
    kept = {each.pk for each in deliveries[1::2]}
    assert kept <= set(Delivery.objects.values_list("pk", flat=True))
    assert not Delivery.objects.exclude(state=State.DELIVERED).exists()
    assert kept <= set(receiver.ids)
    assert not caplog.records


@pytest.mark.django_db(transaction=True)
def test_redelivering_several_times_at_once_sends_it_once_more(
    webhook: Webhook, receiver: Receiver
) -> None:
    (delivery,) = happen(webhook)
    deliver()
    begun: list[int] = []
    again = Delivery.objects.filter(pk=delivery.pk)
    together(*[lambda: begun.append(again.redeliver())] * 4)
    assert sorted(begun) == [0, 0, 0, 1]
    deliver()
    assert receiver.ids == [delivery.pk] * 2
    assert [each.number for each in Attempt.objects.all()] == [1, 2]


def test_numbers_of_any_size_are_sent(make_webhook: MakeWebhook, receiver: Receiver) -> None:
    """PostgreSQL returns 1e20 as an integer, of more bits than most programs write as JSON."""
    webhook = make_webhook(receiver.url, data={"large": 1e20, "huge": 10**30})
    (delivery,) = happen(webhook)
    deliver()
    assert seen(delivery).state == State.DELIVERED
    assert json.loads(receiver.calls[0].body)["data"] == {"large": 10**20, "huge": 10**30}

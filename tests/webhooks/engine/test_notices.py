"""Administrators are told of endpoints that fail for long, are disabled, and work again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core import mail as outbox
from django.db import connection
from django.utils import timezone

from accounts import mails
from accounts.mails import Kind
from accounts.models import Membership, QueuedMail
from tests.conftest import Person
from tests.webhooks.engine.conftest import deliver, happen
from tests.webhooks.engine.receiver import Receiver, Reply
from webhooks import notices
from webhooks.models import Delivery, Webhook, WebhookHealth

PAGE = "/account/notifications/"


@pytest.fixture(autouse=True)
def administrator(michael: Person) -> Person:
    """Return the person who gets the mails."""
    return michael


def subjects() -> list[str]:
    return [row.content["subject"] for row in QueuedMail.objects.order_by("pk")]


def fails(receiver: Receiver, webhook: Webhook, hours: float, status: int = 500) -> None:
    """Let the endpoint fail twice, the first time some hours ago."""
    receiver.reply = Reply(status, {}, b"<b>Deploy in progress</b>")
    happen(webhook, 2)
    deliver()
    since = timezone.now() - timedelta(hours=hours)
    WebhookHealth.objects.update(failing_since=since, hold_until=None)


def works(receiver: Receiver) -> None:
    receiver.reply = Reply(204)
    Delivery.objects.update(due_at=timezone.now())
    WebhookHealth.objects.update(hold_until=None)
    deliver()


def test_each_step_is_told_once(webhook: Webhook, receiver: Receiver) -> None:
    fails(receiver, webhook, 0.9)
    assert notices.warn() == 0
    for hours, told in ((1.1, 1), (23, 0), (24.1, 1), (95, 0), (96.1, 1), (119, 0)):
        since = timezone.now() - timedelta(hours=hours)
        WebhookHealth.objects.update(failing_since=since)
        assert notices.warn() == told, hours
        assert notices.warn() == 0
    assert subjects() == ["Webhook ERP fails"] * 3


def test_a_mail_says_what_failed_and_what_helps(webhook: Webhook, receiver: Receiver) -> None:
    fails(receiver, webhook, 25)
    notices.warn()
    mails.send_due()
    (message,) = outbox.outbox
    assert isinstance(message, outbox.EmailMultiAlternatives)
    html = str(message.alternatives[0][0])
    for said in (
        webhook.pk,
        "500, The endpoint reported an error of its own.",
        "created SU-160-984-311",
        "Look at the log of the endpoint for the time of the try.",
        "after 96 hours",
    ):
        assert said in " ".join(message.body.split())
        assert said in html
    assert "<b>Deploy in progress</b>" in message.body
    assert "&lt;b&gt;Deploy in progress" in html
    assert "http://" not in message.body
    assert "/hook" not in message.body


def test_recovery_is_told_to_those_who_know_of_the_failure(
    webhook: Webhook, receiver: Receiver
) -> None:
    fails(receiver, webhook, 0.5)
    works(receiver)
    assert subjects() == []
    fails(receiver, webhook, 2)
    notices.warn()
    works(receiver)
    works(receiver)
    assert subjects() == ["Webhook ERP fails", "Webhook ERP works again"]
    # The next failure is a new one.
    fails(receiver, webhook, 2)
    notices.warn()
    assert subjects()[2:] == ["Webhook ERP fails"]


def test_disabling_is_told_and_that_it_works_again_once_enabled(
    webhook: Webhook, receiver: Receiver
) -> None:
    fails(receiver, webhook, 121)
    WebhookHealth.objects.update(fails_in_row=9)
    happen(webhook)
    deliver()
    webhook.refresh_from_db()
    assert not webhook.active
    assert notices.warn() == 0
    assert subjects() == ["Webhook ERP was disabled"]
    webhook.enable(by=None)
    works(receiver)
    assert subjects()[1:] == ["Webhook ERP works again"]


def test_an_endpoint_that_is_gone_is_told_at_once(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(410)
    happen(webhook, 3)
    deliver()
    assert subjects() == ["Webhook ERP was disabled"]


def test_who_disables_a_webhook_gets_no_mails_about_it(
    webhook: Webhook, receiver: Receiver, michael: Person
) -> None:
    fails(receiver, webhook, 2)
    webhook.disable(by=michael.user)
    assert notices.warn() == 0
    assert subjects() == []


def test_one_refused_event_is_no_failing_endpoint(webhook: Webhook, receiver: Receiver) -> None:
    receiver.reply = Reply(400)
    happen(webhook)
    deliver()
    WebhookHealth.objects.update(failing_since=timezone.now() - timedelta(hours=50))
    assert notices.warn() == 0


def test_each_person_chooses_whether_to_get_them(
    webhook: Webhook, receiver: Receiver, michael: Person
) -> None:
    assert f'name="{Kind.WEBHOOK_FAILS}"' in michael.client.get(PAGE).text
    michael.client.post(PAGE, {Kind.EXPIRES: ["daily"]})
    assert Membership.objects.get(pk=michael.membership.pk).mails[Kind.WEBHOOK_FAILS] == []
    fails(receiver, webhook, 2)
    assert notices.warn() == 1
    assert subjects() == []


@pytest.mark.django_db(transaction=True)
def test_several_processes_at_once_send_one_mail(webhook: Webhook, receiver: Receiver) -> None:
    fails(receiver, webhook, 2)
    at_once = Barrier(4)

    def warn() -> int:
        at_once.wait()
        try:
            return notices.warn()
        finally:
            connection.close()

    jobs: list[Callable[[], int]] = [warn] * 4
    with ThreadPoolExecutor(4) as pool:
        told = [each.result() for each in [pool.submit(job) for job in jobs]]
    assert sum(told) == 1
    assert len(subjects()) == 1

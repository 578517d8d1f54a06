"""The tab Deliveries and the page of a delivery."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from activity.actions import Action
from activity.models import Event
from portal import text
from tests.conftest import Person
from tests.matching import matched
from tests.webhooks.engine.receiver import Receiver
from tests.webhooks.factories import (
    delivered,
    failing,
    given_up,
    make_delivery,
    make_webhook,
    tried,
)
from webhooks.models import Attempt, Delivery, Webhook, WebhookSecret
from webhooks.outcomes import Outcome


def page_of(webhook: Webhook, path: str = "") -> str:
    return f"/integrations/webhooks/{webhook.pk}/deliveries/{path}"


def text_of(somebody: Person, url: str) -> str:
    response = somebody.client.get(url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def listed(somebody: Person, webhook: Webhook, query: str) -> list[str]:
    response = somebody.client.get(page_of(webhook, f"?{query}"))
    return [row.record.event.object_id for row in response.context["page"].object_list]


def test_without_deliveries_a_test_event_is_offered(
    michael: Person, adrian: Person, webhook: Webhook
) -> None:
    assert "Send a test event to see one." in text_of(michael, page_of(webhook))
    seen = text_of(adrian, page_of(webhook))
    assert "No deliveries yet" in seen
    assert "Send" not in seen


def test_a_test_event_is_sent_at_once_and_its_result_shown(
    michael: Person, heard: Webhook, receiver: Receiver
) -> None:
    response = michael.client.post(f"/integrations/webhooks/{heard.pk}/test/", follow=True)
    delivery = Delivery.objects.get()
    assert delivery.event.is_test
    assert receiver.ids == [delivery.pk]
    page = response.content.decode()
    assert f"{delivery.pk} was delivered: 204 in" in page
    assert "sent by Michael Goldmill" in page
    assert "The endpoint accepted the event." in page
    for secret in WebhookSecret.objects.all():
        assert secret.open() not in page


@pytest.mark.parametrize(("sent", "now"), [("POST", "GET"), ("GET", "POST")])
def test_the_method_is_that_of_the_call_and_not_of_the_webhook_now(
    michael: Person, heard: Webhook, sent: str, now: str
) -> None:
    Webhook.objects.filter(pk=heard.pk).update(http_method=sent)
    michael.client.post(f"/integrations/webhooks/{heard.pk}/test/")
    Webhook.objects.filter(pk=heard.pk).update(http_method=now)
    seen = text_of(michael, page_of(heard, f"{Delivery.objects.get().pk}/"))
    assert f'<div class="code-head"><span>{sent}, 127.0.0.1</span>' in seen


def test_a_disabled_webhook_can_be_tested(
    michael: Person, heard: Webhook, receiver: Receiver
) -> None:
    heard.disable(by=None)
    michael.client.post(f"/integrations/webhooks/{heard.pk}/test/")
    assert len(receiver.calls) == 1


def test_a_test_that_fails_says_why_and_what_to_do(michael: Person, webhook: Webhook) -> None:
    response = michael.client.post(f"/integrations/webhooks/{webhook.pk}/test/", follow=True)
    page = response.content.decode()
    assert "was not delivered: No public address." in page
    assert str(Outcome.NO_ADDRESS.sentence) in page
    assert str(Outcome.NO_ADDRESS.advice) in page


@pytest.fixture
def four(webhook: Webhook) -> Webhook:
    make_delivery(webhook, "PR-waiting")
    delivered(webhook, "PR-done")
    failing(webhook, "PR-failing")
    given_up(webhook, "PR-lost")
    return webhook


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("result=failing", ["PR-failing"]),
        ("result=planned", ["PR-waiting"]),
        ("result=delivered", ["PR-done"]),
        ("result=given-up", ["PR-lost"]),
        ("q=pr-l", ["PR-lost"]),
        ("event=approved", ["PR-lost", "PR-failing", "PR-done", "PR-waiting"]),
        ("event=nonsense", []),
        ("result=nonsense", []),
        ("since=2020-01-01&until=2020-12-31", []),
    ],
)
def test_filters(michael: Person, four: Webhook, query: str, expected: list[str]) -> None:
    assert listed(michael, four, query) == expected


def test_a_row_says_how_far_it_is(michael: Person, four: Webhook) -> None:
    seen = text_of(michael, page_of(four))
    for words in ("503 in 142 ms", "in 17 minutes", "no answer in time after 1 try", "Delivered"):
        assert words in seen
    due = Delivery.objects.filter(webhook=four).failing().get().due_at
    assert f">{text.clock(due)}<" in seen


def test_deliveries_of_another_webhook_are_elsewhere(michael: Person, four: Webhook) -> None:
    other = make_webhook(four.account, "Other")
    row = Delivery.objects.filter(webhook=four)[0]
    assert listed(michael, other, "") == []
    assert michael.client.get(page_of(other, f"{row.pk}/")).status_code == 404
    assert michael.client.post(page_of(other, f"{row.pk}/redeliver/")).status_code == 404


def test_a_delivery_shows_request_answer_and_each_try(michael: Person, webhook: Webhook) -> None:
    row = failing(webhook)
    tried(row, Outcome.TLS_EXPIRED)
    seen = text_of(michael, page_of(webhook, f"{row.pk}/"))
    for words in (
        "The certificate of the endpoint has expired.",
        "Renew the certificate.",
        "503: The endpoint reported an error of its own.",
        "203.0.113.24",
        "DNS 3 ms",
        f"webhook-id: {row.pk}",
        "Planned",
    ):
        assert words in seen


def test_an_answer_is_text_and_never_markup(michael: Person, webhook: Webhook) -> None:
    row = failing(webhook)
    row.attempts.update(answer="<script>alert(1)</script>", note="<b>bold</b>")
    seen = text_of(michael, page_of(webhook, f"{row.pk}/"))
    assert "<script>alert" not in seen
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in seen
    assert "<b>bold" not in seen


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_explained(michael: Person, webhook: Webhook, outcome: Outcome) -> None:
    row = failing(webhook)
    tried(row, outcome)
    response = michael.client.get(page_of(webhook, f"{row.pk}/"))
    assert response.context["came"].sentence == str(outcome.sentence)
    assert str(outcome.sentence) in response.content.decode()


# --- Redelivering ---------------------------------------------------------------------------------


@pytest.mark.parametrize("was", [delivered, failing, given_up])
def test_redelivering_sends_it_at_once_under_the_same_id(
    michael: Person, heard: Webhook, receiver: Receiver, was: Callable[[Webhook], Delivery]
) -> None:
    row = was(heard)
    response = michael.client.post(page_of(heard, f"{row.pk}/redeliver/"), follow=True)
    assert f"{row.pk} was delivered: 204 in" in response.content.decode()
    assert receiver.ids == [row.pk]
    [again] = Delivery.objects.all()
    assert (again.pk, again.state, again.tries) == (row.pk, "delivered", row.tries + 1)
    [entry] = Event.objects.filter(action=Action.WEBHOOK_REDELIVERED)
    assert entry.changes == {"deliveries": [None, 1]}


def test_what_is_due_anyway_is_not_redelivered(michael: Person, webhook: Webhook) -> None:
    row = make_delivery(webhook)
    url = page_of(webhook, f"{row.pk}/")
    assert "Redeliver" not in text_of(michael, url)
    response = michael.client.post(f"{url}redeliver/", follow=True)
    assert b"It is about to be sent anyway." in response.content
    assert not Event.objects.filter(action=Action.WEBHOOK_REDELIVERED).exists()


def test_all_that_failed_are_counted_first_and_then_sent(michael: Person, four: Webhook) -> None:
    given_up(four, "PR-lost-too")
    other = given_up(make_webhook(four.account, "Other"))
    url = page_of(four, "redeliver/")
    assert "Send 3 deliveries again?" in text_of(michael, url)
    assert Delivery.objects.filter(webhook=four, state="failed").count() == 2
    response = michael.client.post(url, follow=True)
    assert b"3 deliveries are sent again." in response.content
    assert Delivery.objects.filter(webhook=four, state="failed").count() == 0
    assert Delivery.objects.filter(webhook=four, state="delivered").count() == 1
    other.refresh_from_db()
    assert other.state == Delivery.State.FAILED
    assert b"No delivery has failed." in michael.client.post(url, follow=True).content


def test_those_that_failed_since_a_day_are_counted_and_sent_alone(
    michael: Person, webhook: Webhook
) -> None:
    old, new = given_up(webhook, "PR-old"), given_up(webhook, "PR-new")
    Delivery.objects.filter(pk=old.pk).update(failing_since=timezone.now() - timedelta(days=3))
    day = timezone.localdate() - timedelta(days=1)
    url = page_of(webhook, "redeliver/")
    assert "Send 2 deliveries again?" in text_of(michael, url)
    page = michael.client.get(url, {"since": day.isoformat()}).text
    assert "Send 1 delivery again?" in " ".join(page.split())
    michael.client.post(url, {"since": matched(r'name="since" value="([^"]+)"', page)[1]})
    assert [*Delivery.objects.filter(state="failed")] == [old]
    new.refresh_from_db()
    assert new.is_pending


@pytest.mark.parametrize(
    ("since", "told"),
    [
        ("2099-12-31", "No delivery has failed since then."),
        ("9999-12-31", "No delivery has failed since then."),
        ("soon", "Enter a day as dd/mm/yyyy."),
    ],
)
def test_a_day_without_failures_or_none_sends_nothing(
    michael: Person, webhook: Webhook, since: str, told: str
) -> None:
    row = given_up(webhook)
    url = page_of(webhook, "redeliver/")
    page = michael.client.get(url, {"since": since}).text
    assert told in page
    assert 'name="seen"' not in page
    assert michael.client.post(url, {"since": since}).status_code == 302
    row.refresh_from_db()
    assert row.state == Delivery.State.FAILED


def test_an_opened_row_is_sent_again_from_its_first_line(
    michael: Person, adrian: Person, webhook: Webhook
) -> None:
    row = given_up(webhook)
    opened = page_of(webhook, f"?open={row.pk}")
    page = michael.client.get(opened).text
    button = page.index(f'action="{page_of(webhook, f"{row.pk}/redeliver/")}"')
    assert page.index('class="entry-box"') < button < page.index('id="request-title"')
    assert "redeliver/" not in adrian.client.get(opened).text
    # Its own page has the button above.
    alone = michael.client.get(page_of(webhook, f"{row.pk}/")).text
    assert alone.count("redeliver/") == 1


def test_members_see_deliveries_and_redeliver_none(adrian: Person, webhook: Webhook) -> None:
    row = given_up(webhook)
    assert "Redeliver" not in text_of(adrian, page_of(webhook))
    assert "Redeliver" not in text_of(adrian, page_of(webhook, f"{row.pk}/"))
    for path in ("redeliver/", f"{row.pk}/redeliver/"):
        assert adrian.client.post(page_of(webhook, path)).status_code == 403
    assert Delivery.objects.get().state == Delivery.State.FAILED


def test_what_is_sent_again_waits_while_the_webhook_is_disabled(
    michael: Person, webhook: Webhook
) -> None:
    row = given_up(webhook)
    webhook.disable(by=None)
    response = michael.client.post(page_of(webhook, f"{row.pk}/redeliver/"), follow=True)
    page = response.content.decode()
    assert "It waits until the webhook is enabled." in page
    assert "When the webhook is enabled" in page


# --- Stopping -------------------------------------------------------------------------------------


def test_what_waits_can_be_stopped_and_sent_again(michael: Person, webhook: Webhook) -> None:
    row = failing(webhook)
    url = page_of(webhook, f"{row.pk}/")
    assert "Stop Retrying" in text_of(michael, url)
    assert b"is not tried any more." in michael.client.post(f"{url}stop/", follow=True).content
    row.refresh_from_db()
    assert (row.state, row.last_outcome, row.last_code) == ("failed", "stopped", None)
    seen = text_of(michael, url)
    assert "Somebody of the account stopped it" in seen
    assert "Stop Retrying" not in seen
    assert b"It is finished already." in michael.client.post(f"{url}stop/", follow=True).content
    [entry] = Event.objects.filter(action=Action.WEBHOOK_ABORTED)
    assert entry.changes == {"delivery": [None, row.pk]}
    # Nobody wants it with all the others.
    assert not Delivery.objects.of_webhook(webhook).undelivered().exists()


def test_what_is_being_sent_is_not_stopped(michael: Person, webhook: Webhook) -> None:
    row = make_delivery(webhook, claimed_by="worker")
    url = page_of(webhook, f"{row.pk}/")
    assert "Stop Retrying" not in text_of(michael, url)
    assert b"It is being sent right now." in michael.client.post(f"{url}stop/", follow=True).content
    row.refresh_from_db()
    assert (row.state, row.claimed_by) == ("pending", "worker")


def test_members_and_strangers_stop_nothing(
    adrian: Person, stranger: Person, webhook: Webhook
) -> None:
    row = failing(webhook)
    url = page_of(webhook, f"{row.pk}/")
    assert "Stop Retrying" not in text_of(adrian, url)
    assert adrian.client.post(f"{url}stop/").status_code == 403
    assert stranger.client.post(f"{url}stop/").status_code == 404
    assert Delivery.objects.get().state == Delivery.State.PENDING


# --- Many tries -----------------------------------------------------------------------------------


def test_only_the_newest_tries_are_kept_and_shown(
    michael: Person, heard: Webhook, receiver: Receiver
) -> None:
    """Whoever redelivers again and again makes neither page nor answer longer than that."""
    row = given_up(heard)
    older = [
        Attempt(delivery=row, number=number, outcome=Outcome.TOTAL_TIMEOUT)
        for number in range(row.tries + 1, Attempt.MOST + 5)
    ]
    Attempt.objects.bulk_create(older)
    Delivery.objects.filter(pk=row.pk).update(tries=Attempt.MOST + 4)
    seen = text_of(michael, page_of(heard, f"{row.pk}/"))
    # The message on top says it too.
    assert seen.count("did not answer within 20 seconds.") == Attempt.MOST + 1
    assert "Only the newest tries are kept." in seen
    michael.client.post(page_of(heard, f"{row.pk}/redeliver/"))
    numbers = [*row.attempts.values_list("number", flat=True)]
    assert numbers == [*range(6, Attempt.MOST + 6)]
    assert "Only the newest tries" not in text_of(
        michael, page_of(heard, f"{delivered(heard, 'PR-9').pk}/")
    )


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.SERVER_ERROR, "As it was sent last."),
        (Outcome.TOTAL_TIMEOUT, "As it was sent last."),
        (Outcome.NO_ADDRESS, "It was not sent."),
        (Outcome.TLS_EXPIRED, "It was not sent."),
        (Outcome.TLS_EARLY, "It was not sent."),
    ],
)
def test_the_page_says_whether_the_request_left_the_portal(
    michael: Person, webhook: Webhook, outcome: Outcome, words: str
) -> None:
    delivery = make_delivery(webhook)
    tried(delivery, outcome)
    page = text_of(michael, page_of(webhook, f"{delivery.pk}/"))
    assert words in page
    assert ("As it was sent last." in page) is outcome.is_sent


def test_after_a_try_that_was_interrupted_the_one_before_is_shown(
    michael: Person, webhook: Webhook
) -> None:
    delivery = failing(webhook)
    Attempt.objects.create(delivery=delivery, number=2, outcome=Outcome.WORKER_LOST)
    page = text_of(michael, page_of(webhook, f"{delivery.pk}/"))
    assert "Deploy in progress" in page
    Attempt.objects.filter(number=1).delete()
    page = text_of(michael, page_of(webhook, f"{delivery.pk}/"))
    assert "its result is unknown" in page
    assert "As it was sent last." not in page

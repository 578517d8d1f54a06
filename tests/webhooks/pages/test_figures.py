"""The figures of the last 24 hours and 30 days on the page of a webhook."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import Person
from tests.webhooks.factories import delivered, failing, given_up, make_delivery, make_webhook
from webhooks import figures
from webhooks.figures import Figures, Sent, Span
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent, WebhookHealth
from webhooks.outcomes import Outcome


def aged(row: Delivery, days: float, took: int = 0) -> Delivery:
    past = timezone.now() - timedelta(days=days)
    begun = {"created_at": past, "failing_since": past if row.failing_since else None}
    Delivery.objects.filter(pk=row.pk).update(**begun)
    if took:
        Attempt.objects.filter(delivery=row).update(duration=took)
    return row


def fill(webhook: Webhook) -> None:
    aged(delivered(webhook, "PR-1"), 0.1, took=100)
    aged(delivered(webhook, "PR-2"), 5, took=300)
    aged(delivered(webhook, "PR-3"), 5, took=900)
    aged(failing(webhook, "PR-4"), 0.2)
    aged(given_up(webhook, "PR-5"), 20)
    # It waits for its first try.
    make_delivery(webhook, "PR-7")
    # Neither what is older, nor tests, nor another webhook's.
    aged(delivered(webhook, "PR-6"), 31, took=5000)
    test = delivered(webhook, "PR-8")
    WebhookEvent.objects.filter(pk=test.event_id).update(is_test=True)
    delivered(make_webhook(webhook.account, "Other"), "PR-9")


def test_both_spans_are_counted(webhook: Webhook) -> None:
    fill(webhook)
    found = Figures(webhook)
    month, day = found.month, found.day
    assert (month.events, month.delivered, month.rate) == ("6", "3", "60.0 %")
    assert (month.time, month.slowest) == ("300 ms", "900 ms")
    assert day.told == "In the last 24 hours: 3 events, 1 delivered, 100 ms to answer."


def test_what_took_another_try_is_counted(webhook: Webhook) -> None:
    assert Figures(webhook).month.quality == "nothing was tried"
    delivered(webhook, "PR-1")
    assert Figures(webhook).month.quality == "100 %"
    Delivery.objects.filter(pk=delivered(webhook, "PR-2").pk).update(failures=2)
    assert Figures(webhook).month.quality == "100 %, 1 of them after a retry"


def test_the_oldest_that_fails_is_told_and_nothing_once_it_arrived(webhook: Webhook) -> None:
    aged(failing(webhook, "PR-1"), 0.1)
    row = aged(failing(webhook, "PR-2"), 3)
    # What was given up waits no more.
    aged(given_up(webhook, "PR-3"), 9)
    assert Figures(webhook).oldest == "3 days"
    Delivery.objects.filter(pk=row.pk).update(state=Delivery.State.DELIVERED)
    assert Figures(webhook).oldest == "2 hours"
    Delivery.objects.update(state=Delivery.State.DELIVERED)
    assert Figures(webhook).oldest == ""


def accepted(at: datetime, took: int) -> Sent:
    return Sent(at, failed=False, milliseconds=took, delivered=True, failures=0)


@pytest.mark.parametrize(("count", "slowest"), [(1, "1 ms"), (20, "20 ms"), (100, "96 ms")])
def test_the_slowest_are_five_in_a_hundred(count: int, slowest: str) -> None:
    now = timezone.now()
    assert Span([accepted(now, took) for took in range(count, 0, -1)]).slowest == slowest
    assert Span([Sent(now, True, None, delivered=False, failures=1)]).slowest == ""


def test_the_page_shows_them_with_a_picture_in_words(michael: Person, webhook: Webhook) -> None:
    fill(webhook)
    page = michael.client.get(f"/integrations/webhooks/{webhook.pk}/").text
    assert "Events in 30 days" in page
    assert "In the last 24 hours: 3 events" in page
    assert "in the middle; 900 ms for the slowest 5 %" in page
    assert "the oldest has been failing for 4 hours" in page
    label = re.search(r'<svg class="spark"[^>]* role="img" aria-label="([^"]*)"', page)
    assert label
    assert "Deliveries of each of the last 30 days. Most on" in label[1]
    assert "Some failed on 2 days." in label[1]
    assert 'class="spark-bad"' in page
    assert "style=" not in page


def test_without_deliveries_there_is_no_picture(michael: Person, webhook: Webhook) -> None:
    page = michael.client.get(f"/integrations/webhooks/{webhook.pk}/").text
    assert "none waits for another try" in page
    assert 'class="spark"' not in page
    assert Figures(webhook).month.rate == "–"


def test_no_banner_tells_a_failure_by_a_delivery_that_arrived(
    michael: Person, webhook: Webhook
) -> None:
    failing(webhook, "PR-1")
    delivered(webhook, "PR-2")
    came = {"failing_since": timezone.now(), "last_failure_outcome": Outcome.SERVER_ERROR}
    WebhookHealth.objects.filter(webhook=webhook).update(**came)
    page = michael.client.get(f"/integrations/webhooks/{webhook.pk}/").text
    assert "Failing since" in page
    assert str(Outcome.SERVER_ERROR.sentence) in page
    assert str(Outcome.OK.sentence) not in page


def test_a_single_failure_among_many_is_not_a_hundred_percent() -> None:
    now = timezone.now()
    failed = Sent(now, failed=True, milliseconds=None, delivered=False, failures=1)
    span = Span([*[accepted(now, 1)] * 4999, failed])
    assert span.rate == "99.9 %"


def test_one_query_reads_no_more_than_the_newest(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(webhook)
    monkeypatch.setattr(figures, "MOST", 2)
    found = Figures(webhook)
    with CaptureQueriesContext(connection) as queries:
        assert (found.month.events, found.day.events) == ("2", "2")
        assert (found.events, found.is_cut) == ("2+", True)
        assert found.bars
    assert len(queries) == 1


def test_bars_stay_inside_the_picture(webhook: Webhook) -> None:
    fill(webhook)
    for bar in Figures(webhook).bars:
        assert bar.top >= 0
        assert bar.top + bar.failed == bar.middle
        assert bar.middle + bar.delivered == figures.HEIGHT

"""The figures of the last 24 hours and 30 days on the page of a webhook."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import Person
from tests.webhooks.factories import delivered, failing, given_up, make_delivery, make_webhook
from webhooks import figures
from webhooks.figures import Figures, Sent, Span
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent


def aged(row: Delivery, days: float, took: int = 0) -> Delivery:
    Delivery.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days))
    if took:
        Attempt.objects.filter(delivery=row).update(duration=took)
    return row


def fill(webhook: Webhook) -> None:
    aged(delivered(webhook, "PR-1"), 0.1, took=100)
    aged(delivered(webhook, "PR-2"), 5, took=300)
    aged(delivered(webhook, "PR-3"), 5, took=900)
    aged(failing(webhook, "PR-4"), 0.2)
    aged(given_up(webhook, "PR-5"), 20)
    # Neither what is older, nor what was not tried yet, nor tests, nor another webhook's.
    aged(delivered(webhook, "PR-6"), 31, took=5000)
    make_delivery(webhook, "PR-7")
    test = delivered(webhook, "PR-8")
    WebhookEvent.objects.filter(pk=test.event_id).update(is_test=True)
    delivered(make_webhook(webhook.account, "Other"), "PR-9")


def test_both_spans_are_counted(webhook: Webhook) -> None:
    fill(webhook)
    found = Figures(webhook)
    month, day = found.month, found.day
    assert (month.sent, month.failed, month.rate, month.time) == ("5", "2", "60.0 %", "300 ms")
    assert (day.sent, day.failed, day.rate, day.time) == ("2", "1", "50.0 %", "100 ms")


@pytest.mark.parametrize(("count", "slowest"), [(1, "1 ms"), (20, "20 ms"), (100, "96 ms")])
def test_the_slowest_are_five_in_a_hundred(count: int, slowest: str) -> None:
    now = timezone.now()
    assert Span([Sent(now, False, took) for took in range(count, 0, -1)]).slowest == slowest
    assert Span([Sent(now, True, None)]).slowest == ""


def test_the_page_shows_them_with_a_picture_in_words(michael: Person, webhook: Webhook) -> None:
    fill(webhook)
    page = michael.client.get(f"/integrations/webhooks/{webhook.pk}/").text
    assert "Last 30 Days" in page
    assert "2 in 24 hours" in page
    assert "for the slowest 5 %" in page
    label = re.search(r'<svg class="spark"[^>]* role="img" aria-label="([^"]*)"', page)
    assert label
    assert "Deliveries of each of the last 30 days. Most on" in label[1]
    assert "Some failed on 2 days." in label[1]
    assert 'class="spark-bad"' in page
    assert "style=" not in page


def test_without_deliveries_there_is_no_picture(michael: Person, webhook: Webhook) -> None:
    page = michael.client.get(f"/integrations/webhooks/{webhook.pk}/").text
    assert "Last 30 Days" in page
    assert 'class="spark"' not in page
    assert Figures(webhook).month.rate == "–"


def test_a_single_failure_among_many_is_not_a_hundred_percent() -> None:
    now = timezone.now()
    rows = [figures.Sent(now, failed=False, milliseconds=1)] * 4999
    span = figures.Span([*rows, figures.Sent(now, failed=True, milliseconds=None)])
    assert span.rate == "99.9 %"


def test_one_query_reads_no_more_than_the_newest(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(webhook)
    monkeypatch.setattr(figures, "MOST", 2)
    found = Figures(webhook)
    with CaptureQueriesContext(connection) as queries:
        assert (found.month.sent, found.day.sent, found.is_cut) == ("2", "2", True)
        assert found.title == "Last 2 Deliveries"
        assert found.bars
    assert len(queries) == 1


def test_bars_stay_inside_the_picture(webhook: Webhook) -> None:
    fill(webhook)
    for bar in Figures(webhook).bars:
        assert bar.top >= 0
        assert bar.top + bar.failed == bar.middle
        assert bar.middle + bar.delivered == figures.HEIGHT

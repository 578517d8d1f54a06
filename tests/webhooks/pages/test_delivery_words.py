"""What the list of deliveries says of each, in a few words, and the segments above it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import Person
from tests.webhooks.factories import (
    delivered,
    failing,
    given_up,
    make_delivery,
    make_webhook,
    tried,
)
from webhooks.models import Delivery, Webhook
from webhooks.outcomes import Outcome
from webhooks.standing import DeliveryStanding, Standing

S = Delivery.State


def page_of(webhook: Webhook, query: str = "") -> str:
    return f"/integrations/webhooks/{webhook.pk}/deliveries/{query}"


def row(webhook: Webhook, milliseconds: int | None = None, **kwargs: Any) -> DeliveryStanding:
    due = timezone.now() + timedelta(minutes=17, seconds=30)
    return DeliveryStanding(make_delivery(webhook, **{"due_at": due, **kwargs}), milliseconds)


def after(
    failures: int, outcome: Outcome, code: int | None = None, **kwargs: Any
) -> dict[str, Any]:
    came = {"last_outcome": outcome, "last_code": code}
    return {"tries": failures, "failures": failures, **came, **kwargs}


DOWN, LATE = Outcome.SERVER_ERROR, Outcome.TOTAL_TIMEOUT


@pytest.mark.parametrize(
    ("kwargs", "took", "word", "note", "tries"),
    [
        ({}, None, "Planned", "", ("0 of 10", "")),
        ({"claimed_by": "one", "tries": 1}, None, "Planned", "being sent", ("0 of 10", "")),
        (after(4, DOWN, 503), 120, "Failing", "503 in 120 ms", ("4 of 10", "")),
        (after(4, LATE), 20_004, "Failing", "no answer in 20 s", ("4 of 10", "")),
        (
            after(1, Outcome.CONNECT_TIMEOUT),
            5001,
            "Failing",
            "no connection in 5 s",
            ("1 of 10", ""),
        ),
        (after(2, Outcome.REFUSED), 3, "Failing", "connection refused", ("2 of 10", "")),
        # It is being sent for the fifth time.
        (
            {**after(4, DOWN, 503), "tries": 5, "claimed_by": "one"},
            120,
            "Failing",
            "503 in 120 ms",
            ("4 of 10", ""),
        ),
        # It had been given up before it was sent anew.
        ({**after(0, DOWN, 503), "tries": 10}, 120, "Planned", "", ("0 of 10", "10 before")),
        (
            after(0, Outcome.OK, 200, state=S.DELIVERED) | {"tries": 1},
            142,
            "Delivered",
            "200 in 142 ms",
            ("1", ""),
        ),
        (
            after(1, Outcome.OK, 200, state=S.DELIVERED) | {"tries": 2},
            1900,
            "Delivered",
            "200 in 1.9 s, after a retry",
            ("2", ""),
        ),
        (
            after(3, Outcome.OK, 204, state=S.DELIVERED) | {"tries": 4},
            99,
            "Delivered",
            "204 in 99 ms, after 3 retries",
            ("4", ""),
        ),
        (after(10, DOWN, 503, state=S.FAILED), 120, "Given up", "503 after 10 tries", ("10", "")),
        (
            after(10, LATE, state=S.FAILED),
            20_004,
            "Given up",
            "no answer in time after 10 tries",
            ("10", ""),
        ),
        (after(0, Outcome.STOPPED, state=S.FAILED), None, "Given up", "stopped", ("0", "")),
    ],
)
def test_a_row_in_words(
    webhook: Webhook,
    kwargs: dict[str, Any],
    took: int | None,
    word: str,
    note: str,
    tries: tuple[str, str],
) -> None:
    came = row(webhook, took, **kwargs)
    assert (came.mark.word, came.mark.note, came.tries) == (word, note, tries)


def test_every_outcome_has_words_for_lists_with_and_without_a_time() -> None:
    for outcome in Outcome:
        for took in (None, 5000):
            words = outcome.answer(None, took)
            assert words[0].islower(), words
            assert "%" not in words


def test_a_verdict_tells_the_tries_the_answer_and_the_plan(webhook: Webhook) -> None:
    came = row(webhook, **after(4, DOWN, 503))
    assert came.verdict == "4 of 10 tries failed."
    # What is left after the next try: 5, 10, 14, 20 and 24 hours.
    last = came.delivery.due_at + timedelta(hours=5 + 10 + 14 + 20 + 24)
    assert came.reasons.startswith(
        "The last answer was 503. The endpoint reported an error of its own. The next try is in "
        f"17 minutes; the last one would be on {last:%d/%m/%Y}. Look at the log"
    )


def test_the_verdict_of_the_last_try_names_no_other(webhook: Webhook) -> None:
    came = row(webhook, **after(9, LATE))
    assert came.verdict == "9 of 10 tries failed."
    assert "The next try, the last one, is in 17 minutes." in came.reasons
    assert "would be" not in came.reasons
    assert "The last answer" not in came.reasons


def test_a_verdict_promises_no_try_that_does_not_come(webhook: Webhook) -> None:
    webhook.disable(by=None)
    came = row(webhook, **after(4, DOWN, 503))
    assert "Next try: when the webhook is enabled." in came.reasons
    assert "17 minutes" not in came.reasons
    over = row(webhook, **after(10, DOWN, 503, state=S.FAILED))
    assert over.verdict == "10 tries failed."
    assert "ext try" not in over.reasons


def test_what_was_delivered_has_no_verdict_about_tries(webhook: Webhook) -> None:
    came = row(webhook, **after(3, Outcome.OK, 200, state=S.DELIVERED))
    assert (came.verdict, came.reasons) == ("The endpoint accepted the event.", "")


def test_the_page_of_a_delivery_says_its_verdict(michael: Person, webhook: Webhook) -> None:
    row = failing(webhook)
    page = michael.client.get(page_of(webhook, f"{row.pk}/")).text
    assert "<strong>1 of 10 tries failed.</strong>" in page
    assert "The next try is in 17 minutes; the last one would be on" in page


def test_a_webhook_says_how_far_its_last_delivery_is(webhook: Webhook) -> None:
    failing(webhook)
    assert Standing.of(webhook).last_delivery == ("expired", "Failing", "503, try 1 of 10")


def test_a_delivery_opens_in_the_list_as_its_page_has_it(michael: Person, webhook: Webhook) -> None:
    row, other = failing(webhook, "PR-1"), failing(webhook, "PR-2")
    page = michael.client.get(page_of(webhook)).text
    assert f'hx-get="?open={row.pk}"' in page
    assert "Deploy in progress" not in page
    opened = michael.client.get(page_of(webhook, f"?result=failing&open={row.pk}")).text
    assert opened.count('aria-expanded="true"') == 1
    assert opened.count("1 of 10 tries failed.") == 1
    assert "Deploy in progress" in opened
    assert f'deliveries/{row.pk}/redeliver/"' in opened
    assert f'deliveries/{other.pk}/redeliver/"' not in opened
    # Pressed again, it closes.
    assert 'hx-get="?result=failing"' in opened


def test_a_delivery_of_another_webhook_does_not_open(michael: Person, webhook: Webhook) -> None:
    failing(webhook, "PR-1")
    other = failing(make_webhook(webhook.account, "Other"), "PR-2")
    page = michael.client.get(page_of(webhook, f"?open={other.pk}")).text
    assert "Deploy in progress" not in page


def test_members_open_deliveries_and_send_nothing(
    adrian: Person, michael: Person, webhook: Webhook
) -> None:
    row = failing(webhook, "PR-1")
    page = adrian.client.get(page_of(webhook, f"?open={row.pk}")).text
    assert "Deploy in progress" in page
    assert "redeliver/" not in page


# --- Segments -------------------------------------------------------------------------------------


def segments(somebody: Person, url: str) -> list[tuple[str, bool]]:
    """Return the segments of a page, and which of them is the current one."""
    page = somebody.client.get(url).text
    found = re.search(r'<nav class="segments" aria-label="Result">(.*?)</nav>', page, re.DOTALL)
    assert found
    links = re.findall(r'<a id="result-\d" href="[^"]*"( aria-current="true")?>([^<]*)<', found[1])
    return [(label, bool(current)) for current, label in links]


@pytest.mark.parametrize(
    ("query", "current"),
    [
        ("", "All"),
        ("?q=PR", "All"),
        ("?result=failing", "Failing"),
        ("?result=planned&sort=when", "Planned"),
        ("?result=delivered", "Delivered"),
        # The filter has more than the segments.
        ("?result=given-up", None),
        ("?result=nonsense", None),
    ],
)
def test_the_segment_of_the_filter_is_the_current_one(
    michael: Person, webhook: Webhook, query: str, current: str | None
) -> None:
    delivered(webhook)
    found = segments(michael, page_of(webhook, query))
    assert [label for label, _ in found] == ["All", "Failing", "Planned", "Delivered"]
    assert [label for label, chosen in found if chosen] == ([current] if current else [])


def test_a_segment_keeps_the_other_filters_and_begins_at_page_one(
    michael: Person, webhook: Webhook
) -> None:
    delivered(webhook)
    page = michael.client.get(page_of(webhook, "?q=PR&result=delivered&page=2")).text
    assert 'id="result-1" href="?q=PR"' in page
    assert 'id="result-2" href="?q=PR&amp;result=failing"' in page


@pytest.mark.parametrize("result", ["failing", "planned", "delivered", "given-up"])
def test_chip_segment_and_rows_use_the_same_word(
    michael: Person, webhook: Webhook, result: str
) -> None:
    make_delivery(webhook, "PR-1")
    delivered(webhook, "PR-2")
    failing(webhook, "PR-3")
    given_up(webhook, "PR-4")
    response = michael.client.get(page_of(webhook, f"?result={result}"))
    [chip] = response.context["chips"]
    [line] = response.context["page"].object_list
    assert DeliveryStanding(line.record).mark.word == chip.value
    current = [
        label
        for label, chosen in segments(michael, page_of(webhook, f"?result={result}"))
        if chosen
    ]
    assert current == ([] if result == "given-up" else [chip.value])


def test_a_segment_without_rows_says_so(michael: Person, webhook: Webhook) -> None:
    delivered(webhook)
    assert "Nothing is failing" in michael.client.get(page_of(webhook, "?result=failing")).text
    other = michael.client.get(page_of(webhook, "?result=failing&q=PR-9")).text
    assert "No delivery matches" in other


@pytest.mark.parametrize("add", [delivered, failing, given_up])
def test_the_number_of_queries_does_not_grow_with_the_deliveries(
    michael: Person, webhook: Webhook, add: Callable[..., Delivery]
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            michael.client.get(page_of(webhook))
        return len(queries)

    delivered(webhook, "PR-done")
    tried(add(webhook, "PR-first"), Outcome.SERVER_ERROR, 503)
    count()
    one = count()
    for number in range(6):
        tried(add(webhook, f"PR-more-{number}"), Outcome.SERVER_ERROR, 503)
    assert count() == one

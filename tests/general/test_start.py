"""General: counts that agree with their lists, a first call with a token, and what is new."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from activity.actions import Action
from activity.recording import record
from general import counts, news
from general.counts import Number
from tests.conftest import Person, person
from tests.factories import TokenFactory, deleted
from tests.webhooks.factories import delivered, make_delivery, make_webhook
from tokens.catalog import Module
from tokens.models import State, Token, TokenUsage
from webhooks.models import Webhook, WebhookHealth

START = "/integrations/"


def numbers(person: Person) -> list[Number]:
    """Return the numbers that the page shows."""
    groups = person.client.get(START).context["groups"]
    return [number for group in groups for number in group.numbers]


def rows(person: Person, number: Number) -> int:
    """Return how many rows the list has that a number leads to."""
    response = person.client.get(number.url)
    assert response.status_code == 200
    count: int = response.context["table"].page.paginator.count
    return count


def make_tokens(account: Account) -> None:
    """Make tokens in every state: one, two, three … of them, so that no two numbers agree."""
    now = timezone.now()
    ends = {State.EXPIRING: timedelta(days=29), State.EXPIRED: timedelta(days=-1)}
    for count, state in enumerate(State, start=1):
        for _ in range(count):
            token = TokenFactory(account=account)
            if state in ends:
                Token.objects.filter(pk=token.pk).update(expires_at=now + ends[state])
            elif state is State.REVITALISED:
                token.renew(by=None, until=now + timedelta(days=2))
            elif state is State.INACTIVE:
                token.disable(by=None)
            elif state is State.DELETED:
                deleted(token)
    used = TokenUsage.objects.filter(token__in=Token.objects.of_account(account.pk).live())
    for row, hours in zip(used, (1, 23, 25, 400, -3), strict=False):
        TokenUsage.objects.filter(pk=row.pk).update(last_used_at=now - timedelta(hours=hours))


def make_webhooks(account: Account) -> None:
    labels = ("Good", "Bad", "Off", "Rest")
    good, bad, off, rest = (make_webhook(account, label) for label in labels)
    off.disable(by=None)
    rest.pause(by=None)
    WebhookHealth.objects.filter(webhook__in=(bad, off, rest)).update(failing_since=timezone.now())
    delivered(good)
    make_delivery(good, "PR-3")
    for object_id in ("PR-4", "PR-5"):
        make_delivery(bad, object_id, failures=1)
    make_delivery(bad, "PR-6", failures=3, claimed_by="a worker")
    make_delivery(off, "PR-7", failures=2)


@pytest.fixture
def busy(michael: Person) -> Person:
    """Return an administrator of an account with something of everything, beside a like one."""
    other = person(account__name="Front Street Inc").account
    for account in (michael.account, other):
        make_tokens(account)
        make_webhooks(account)
        for token in Token.objects.of_account(account.pk)[:4]:
            record(token, Action.ADDRESS_REFUSED, token)
    return michael


def test_every_number_is_that_of_the_rows_of_its_list(busy: Person) -> None:
    found = numbers(busy)
    # Those of calls, and of all failing deliveries, lead to lists that add up to them: see below.
    of_rows = [
        number
        for number in found
        if "calls/" not in number.url and number.note != "of all webhooks"
    ]
    assert {number.url: number.total for number in of_rows} == {
        number.url: rows(busy, number) for number in of_rows
    }
    assert [number.total for number in found] == [1, 2, 3, 4, 5, 6, 2, 0, 0, 4, 2, 1, 1, 4, 3, 1]


def test_all_failing_deliveries_are_those_of_the_webhooks_in_its_list(busy: Person) -> None:
    everything, *each = [number for number in numbers(busy) if number.label == "Failing deliveries"]
    page = busy.client.get(everything.url).text
    # Also of a webhook that is disabled.
    assert ("Bad" in page, "Off" in page, "Good" in page) == (True, True, False)
    assert rows(busy, everything) == len(each)
    assert everything.total == sum(number.total for number in each)


def test_the_numbers_say_what_they_count(busy: Person) -> None:
    page = busy.client.get(START).content.decode()
    for words in (
        "Expiring",
        "within 30 days",
        "Called",
        "Addresses refused",
        "Failing deliveries",
    ):
        assert words in page
    assert page.count("status=expiring") == 1


def test_a_member_sees_them_as_well_and_an_empty_account_has_none(
    busy: Person, adrian: Person
) -> None:
    assert [each.total for each in numbers(adrian)] == [each.total for each in numbers(busy)]
    empty = person(account__name="Nobody's")
    assert {each.total for each in numbers(empty)} == {0}


def test_only_the_webhooks_with_most_failing_deliveries_are_named(michael: Person) -> None:
    for number in range(counts.NAMED + 2):
        webhook = make_webhook(michael.account, f"Webhook {number}")
        for each in range(number + 1):
            make_delivery(webhook, f"PR-{each}", failures=1)
    assert [each.total for each in numbers(michael) if each.note == "of all webhooks"] == [28]
    found = [each for each in numbers(michael) if "/deliveries/" in each.url]
    assert [each.total for each in found] == [7, 6, 5, 4, 3]
    assert all(each.total == rows(michael, each) for each in found)


@pytest.mark.parametrize("tokens", [1, 25])
def test_it_takes_few_queries_however_many_tokens_there_are(
    michael: Person, tokens: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(tokens):
        TokenFactory(account=michael.account)
    make_webhooks(michael.account)
    with django_assert_num_queries(18):
        assert michael.client.get(START).status_code == 200


# --- First call -----------------------------------------------------------------------------------


def test_the_first_call_is_that_of_the_chosen_token(michael: Person) -> None:
    customers = TokenFactory(account=michael.account, modules=(Module.CUSTOMERS,))
    newest = TokenFactory(account=michael.account, modules=(Module.USAGE,))
    assert "public/v1/usage/files?limit=10" in michael.client.get(START).text
    page = michael.client.get(START, {"token": customers.pk}).text
    for words in ("/tier/accounts?limit=10", "ccli customer export", "ConnectClient", "fetch("):
        assert words in page
    assert f'value="{customers.pk}" selected' in page
    assert f'value="{newest.pk}"' in page


def test_a_token_that_is_not_among_the_newest_can_be_chosen_by_its_address(
    michael: Person,
) -> None:
    first = TokenFactory(account=michael.account, name="Elder statesman", modules=(Module.PRICING,))
    for _ in range(21):
        TokenFactory(account=michael.account)
    page = michael.client.get(START).text
    assert "Elder statesman" not in page
    page = michael.client.get(START, {"token": first.pk}).text
    assert "Elder statesman" in page
    assert "pricing/lists" in page


def test_a_token_that_cannot_call_is_not_offered_and_says_why(michael: Person) -> None:
    token = TokenFactory(account=michael.account, name="Idle")
    token.disable(by=None)
    assert "Idle" not in michael.client.get(START).text
    page = michael.client.get(START, {"token": token.pk}).text
    assert "is disabled" in page


@pytest.mark.parametrize("token", ["SU-000-000-000", "x", "\0", "SU-1' or 1=1", "🙂"])
def test_an_unknown_token_is_not_found(michael: Person, token: str) -> None:
    assert michael.client.get(START, {"token": token}).status_code == 404


def test_the_token_of_another_account_is_not_found(michael: Person, stranger: Person) -> None:
    token = TokenFactory(account=stranger.account)
    assert michael.client.get(START, {"token": token.pk}).status_code == 404


def test_without_a_token_it_says_how_to_get_one(michael: Person, adrian: Person) -> None:
    page = michael.client.get(START).text
    assert "Choose the extension Custom" in page
    assert f'href="{reverse("tokens:new")}"' in page
    page = adrian.client.get(START).text
    assert "An administrator of the account can do that." in page
    assert reverse("tokens:new") not in page


def test_a_member_is_told_that_administrators_have_the_key(adrian: Person) -> None:
    TokenFactory(account=adrian.account)
    page = adrian.client.get(START).text
    assert "Only administrators of the account can view the key." in page


# --- What is new ----------------------------------------------------------------------------------

CHANGES = """\
# Changelog

## Unreleased

### Added

## [1.2.0] - 2026-01-01

### Added

- *Webhooks* call an endpoint
  when `a.b` changes. Each call is signed.
- See [the page](docs/api.md) <b>

### Fixed

- Fixed.

## 1.1.0

- Old.
"""


def test_what_is_new_are_the_first_sentences_of_the_newest_section_that_says_something() -> None:
    found = news.read(CHANGES)
    assert found == (
        "1.2.0 - 2026-01-01",
        (
            "<em>Webhooks</em> call an endpoint when <code>a.b</code> changes.",
            "See the page &lt;b&gt;",
            "Fixed.",
        ),
        (),
    )
    assert news.read("# Nothing\n") is None


def test_the_page_shows_the_changelog_of_the_portal(michael: Person) -> None:
    found = news.news()
    assert found
    page = michael.client.get(START).text
    assert all(entry in page for entry in (*found.latest, *found.others))


def test_a_webhook_is_only_counted_in_its_own_account(michael: Person, stranger: Person) -> None:
    make_webhooks(stranger.account)
    assert Webhook.objects.count() == 4
    assert {each.total for each in numbers(michael)} == {0}

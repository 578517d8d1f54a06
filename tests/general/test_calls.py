"""Calls of a day: what is counted, what is written, and what General says of it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import Call, Person
from tests.factories import TokenFactory, header
from tests.general.test_start import numbers
from tokens import days
from tokens.catalog import Module
from tokens.models import CallsOfDay, Token

PAGE = "/integrations/calls/"


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    days.counts.clear()
    yield
    days.counts.clear()


def told(person: Person) -> dict[str, int]:
    return {str(number.label): number.total for number in numbers(person) if PAGE in number.url}


def day_of(token: Token) -> tuple[int, int]:
    row = CallsOfDay.objects.get(token=token, day=days.today())
    return row.answered, row.refused


def test_general_counts_calls_and_refusals_of_the_account_today(
    michael: Person, adrian: Person, stranger: Person, call: Call
) -> None:
    token = TokenFactory(account=michael.account, modules=(Module.AGREEMENTS,))
    off = TokenFactory(account=michael.account)
    off.disable(by=None)
    foreign = TokenFactory(account=stranger.account, modules=(Module.AGREEMENTS,))
    for path, caller, times in (
        ("agreements", token, 3),
        ("tier/accounts", token, 2),
        ("agreements", off, 1),
        ("agreements", foreign, 4),
    ):
        for _ in range(times):
            call(path, caller)
    # A wrong secret is refused, too; an id that nobody has is nobody's.
    call("agreements", header(token)[:-1] + ("0" if header(token)[-1] != "0" else "1"))
    call("agreements", f"ApiKey SU-000-000-000:{'0' * 40}")
    assert told(michael) == {"Calls": 0, "Refused calls": 0}
    days.write()
    assert told(michael) == told(adrian) == {"Calls": 3, "Refused calls": 4}
    assert told(stranger) == {"Calls": 4, "Refused calls": 0}
    page = michael.client.get(PAGE).text
    assert token.pk in page
    assert off.pk in page
    assert foreign.pk not in page
    assert not CallsOfDay.objects.filter(token="SU-000-000-000").exists()


def test_the_page_adds_up_and_is_sorted(michael: Person, call: Call) -> None:
    first, second = (
        TokenFactory(account=michael.account, modules=(Module.AGREEMENTS,)) for _ in range(2)
    )
    for path, token, times in (("agreements", first, 2), ("tier/accounts", second, 3)):
        for _ in range(times):
            call(path, token)
    days.write()
    for query, order in (("", [first, second]), ("?sort=-refused", [second, first])):
        rows = michael.client.get(PAGE + query).context["table"].page.object_list
        assert [row.record.token for row in rows] == order
    assert "No calls yet" not in michael.client.get(PAGE).text


def test_ids_of_nobody_take_no_write(db: None) -> None:
    for number in range(300):
        days.count(f"SU-000-000-{number:03}", answered=False)
    with CaptureQueriesContext(connection) as queries:
        days.write()
    assert not [query for query in queries if not query["sql"].startswith("SELECT")]


def test_ids_of_nobody_are_not_written_beside_those_of_tokens(token: Token) -> None:
    for number in range(3):
        days.count(f"SU-000-000-{number:03}", answered=False)
    days.count(token.pk, answered=True)
    with CaptureQueriesContext(connection) as queries:
        days.write()
    written = [query["sql"] for query in queries if "INSERT INTO tokens_callsofday" in query["sql"]]
    assert [sql.split(":")[0] for sql in written] == ["1 times"]
    assert day_of(token) == (1, 0)


def test_a_process_remembers_so_many_numbers_and_every_call_that_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert days.MOST == 20_000
    monkeypatch.setattr(days, "MOST", 2)
    for token_id in ("SU-1", "SU-2", "SU-3", "SU-2"):
        days.count(token_id, answered=False)
    days.count("SU-4", answered=True)
    numbers = {(token_id, answered): n for (token_id, _, answered), n in days.counts.items()}
    assert numbers == {("SU-1", False): 1, ("SU-2", False): 2, ("SU-4", True): 1}


def test_writes_of_several_processes_add_up(token: Token) -> None:
    for _ in range(2):
        days.count(token.pk, answered=True)
        days.count(token.pk, answered=False)
        days.write()
    days.write()
    assert day_of(token) == (2, 2)


def test_a_call_costs_no_query_more(call: Call, token: Token) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert call("agreements", token).status_code == 200
        assert call("tier/accounts", token).status_code == 403
    assert queries.captured_queries
    assert not any("callsofday" in query["sql"] for query in queries.captured_queries)
    assert days.counts.total() == 2


def test_what_could_not_be_written_is_written_later(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    days.count(token.pk, answered=True)

    def broken(*_args: object) -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", broken)
        with pytest.raises(OperationalError):
            days.write()
    days.count(token.pk, answered=True)
    days.write()
    assert day_of(token) == (2, 0)


def test_days_of_more_than_a_month_ago_are_forgotten(token: Token) -> None:
    for age in (0, 30, 31):
        CallsOfDay.objects.create(
            token=token, account=token.account, day=days.today() - timedelta(days=age)
        )
    days.count(token.pk, answered=True)
    days.write()
    kept = CallsOfDay.objects.order_by("day").values_list("day", flat=True)
    assert [*kept] == [days.today() - timedelta(days=30), days.today()]


def test_anonymous_is_led_to_sign_in(client: Client) -> None:
    assert client.get(PAGE).status_code == 302

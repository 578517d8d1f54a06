"""The file of a trail."""

import csv
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from activity import export
from activity.actions import Action
from activity.models import Chain, Subject
from activity.recording import record
from tests.activity.conftest import ERP, Trail, intruder
from tests.conftest import Person
from tests.factories import TokenFactory, secret

URL = "/integrations/activity/export/"
LIST = "/integrations/activity/"

pytestmark = pytest.mark.django_db


def download(client: Client, query: str = "") -> list[dict[str, str]]:
    """Return the rows of the file by the names of their columns."""
    response = client.post(f"{URL}?{query}")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text = response.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


def numbers(client: Client, query: str = "") -> list[int]:
    return [int(row["Entry"]) for row in download(client, query)]


def test_the_file_has_what_the_page_shows_and_more(michael: Person, trail: Trail) -> None:
    rows = download(michael.client)
    assert [int(row["Entry"]) for row in rows] == [5, 4, 3, 2, 1]
    event = trail.events[1]
    assert rows[3] == {
        "Entry": "2",
        "When (UTC)": f"{event.at:%Y-%m-%d %H:%M:%S}",
        "What": "Token changed",
        "Token or object": "ERP Agreements Sync",
        "ID": "SU-160-984-311",
        "Who": "Michael Goldmill",
        "ID of who": michael.user.pk,
        "Address": "",
        "Program": "",
        "Request": "",
        "Confirmed by (UTC)": "",
        "Changes": "Name: ERP → ERP Agreements Sync; Modules: MD-0001 → MD-0001, MD-0002",
        "Hash": event.hash,
    }
    assert rows[1]["Who"] == "The portal"


@pytest.mark.parametrize(
    ("query", "found"),
    [("what=keys", [3]), ("q=helpdesk", [4]), ("subject=SU-160-984-311", [3, 2, 1])],
)
def test_the_file_has_what_the_filter_shows(
    michael: Person, trail: Trail, query: str, found: list[int]
) -> None:
    assert numbers(michael.client, query) == found


def test_an_export_is_in_the_trail_with_its_filter(michael: Person, trail: Trail) -> None:
    download(michael.client, "what=keys")
    event = trail.events.latest("number")
    assert (event.number, event.action, event.actor_id) == (
        6,
        Action.TRAIL_EXPORTED,
        michael.user.pk,
    )
    assert event.changes == {"entries": [None, 1], "filter": [None, ["What: Keys seen"]]}


def test_an_export_checks_the_trail(michael: Person, trail: Trail) -> None:
    download(michael.client)
    ends = Chain.objects.get(pk=trail.account)
    assert (ends.checked_at is not None, ends.broken) == (True, None)


def test_an_export_soon_after_a_check_does_not_check_again(michael: Person, trail: Trail) -> None:
    download(michael.client)
    before = Chain.objects.get(pk=trail.account).checked_at
    download(michael.client)
    assert Chain.objects.get(pk=trail.account).checked_at == before


def test_who_may_only_look_may_export(adrian: Person, trail: Trail) -> None:
    assert numbers(adrian.client) == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "query", ["", "subject=SU-160-984-311", "entry=2", "q=agreements", "account=PA-063-101"]
)
def test_another_account_exports_nothing_of_it(stranger: Person, trail: Trail, query: str) -> None:
    response = stranger.client.post(f"{URL}?{query}")
    text = response.getvalue().decode() if response.streaming else ""
    assert "ERP Agreements Sync" not in text
    assert "Michael Goldmill" not in text


def test_anonymous_is_led_to_the_sign_in(client: Client, trail: Trail) -> None:
    assert client.post(URL)["Location"].startswith("/sign-in/")


def test_opening_the_address_leads_to_the_page_and_records_nothing(
    michael: Person, trail: Trail
) -> None:
    assert michael.client.get(URL)["Location"] == LIST
    assert michael.client.put(URL).status_code == 405
    assert trail.events.count() == 5


def test_nothing_to_export_is_told_on_the_page(michael: Person, trail: Trail) -> None:
    response = michael.client.post(f"{URL}?q=nobody", follow=True)
    assert "nothing to export" in response.text
    assert response.redirect_chain == [(f"{LIST}?q=nobody", 302)]
    assert trail.events.count() == 5


def test_a_filter_that_is_not_valid_says_why_on_the_page(michael: Person, trail: Trail) -> None:
    response = michael.client.post(f"{URL}?since=2026-02-30", follow=True)
    assert "Enter a day as dd/mm/yyyy." in response.text


def test_more_than_fits_is_refused_with_advice(
    michael: Person, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST", 4)
    response = michael.client.post(f"{URL}?sort=when", follow=True)
    assert "More than 4 entries match." in response.text
    assert "filter by days" in response.text
    assert numbers(michael.client, "what=keys") == [3]


def test_a_long_file_is_read_in_batches(
    michael: Person,
    trail: Trail,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(export, "BATCH", 2)
    response = michael.client.post(URL)
    # Two full batches, a last one, and none.
    with django_assert_num_queries(4):
        text = response.getvalue().decode()
    assert text.count("\r\n") == 6


def rename(trail: Trail, name: str) -> None:
    record(
        None,
        Action.TOKEN_CHANGED,
        Subject("token", ERP.id, name),
        {"name": ["ERP", name]},
        account=trail.account,
    )


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("  =1+1", "  '=1+1"),
        # Where the separator is a semicolon, another cell begins after one.
        ("a;=1+1", "a;'=1+1"),
        ('b";\t=1+1', "b\";\t'=1+1"),
        ("c\r\n=1+1", "c\r\n'=1+1"),
        ("a-b=c", "a-b=c"),
        ('"quoted", and more', '"quoted", and more'),
        ("אבג", "אבג"),
    ],
)
def test_no_cell_is_a_formula(michael: Person, trail: Trail, name: str, cell: str) -> None:
    rename(trail, name)
    assert download(michael.client)[0]["Token or object"] == cell


def test_no_key_gets_into_the_file(michael: Person, trail: Trail) -> None:
    token = TokenFactory(account=michael.account)
    key = f"ApiKey {token.pk}:{secret(token)}"
    rename(trail, key)
    rows = download(michael.client)
    assert secret(token) not in str(rows)
    assert rows[0]["Token or object"] == f"ApiKey {token.pk}:••••"


def test_a_cell_is_no_longer_than_a_spreadsheet_takes(michael: Person, trail: Trail) -> None:
    record(
        None,
        Action.TOKEN_CHANGED,
        ERP,
        {f"column_{n}": ["x" * 1000, "y" * 1000] for n in range(40)},
        account=trail.account,
    )
    assert len(download(michael.client)[0]["Changes"]) == export.LONGEST


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_any_stored_moment_is_exported(michael: Person, trail: Trail, year: str) -> None:
    with intruder():
        trail.events.filter(number=5).update(at=datetime.fromisoformat(f"{year}-01-01T00:00Z"))
    assert download(michael.client)[0]["When (UTC)"] == f"{year}-01-01 00:00:00"


def test_days_of_the_filter_are_those_of_the_person_and_moments_are_utc(
    michael: Person, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = timezone.now().replace(year=2026, month=3, day=1, hour=23, minute=30)
    monkeypatch.setattr(timezone, "now", lambda: late)
    record(
        None,
        Action.TOKEN_CHANGED,
        ERP,
        {"expires_at": [None, late + timedelta(hours=1)]},
        account=trail.account,
    )
    monkeypatch.undo()
    michael.user.time_zone = "Europe/Madrid"
    michael.user.save()
    row = download(michael.client, "until=02/03/2026")[0]
    assert row["When (UTC)"].startswith("2026-03-01 23:30")
    assert row["Changes"] == "Expires on: Never → 02/03/2026 00:30"

"""A private calendar feed of what ends, for one person and one account (RFC 5545)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from tests.conftest import Clock, Person, Response, stale
from tests.factories import PASSWORD, TokenFactory, secret
from tests.matching import matched
from tokens import keys
from tokens.models import CalendarFeed, Token, TokenKey

PAGE = "/integrations/calendar/"
ADDRESS = re.compile(r"http://testserver(/integrations/calendar/[0-9a-f]{40}\.ics)")


@pytest.fixture
def address(michael: Person) -> str:
    """Return the address of Michael's feed."""
    return make(michael.client)


def make(client: Client, **data: Any) -> str:
    response = client.post(f"{PAGE}renew/", data)
    return matched(ADDRESS, response.text)[1]


def read(address: str) -> Response:
    return Client().get(address)


def unfolded(response: Response) -> list[str]:
    return response.content.decode().replace("\r\n ", "").split("\r\n")


def ending(account: Account, **fields: Any) -> Token:
    return TokenFactory(account=account, expires_at=timezone.now() + timedelta(days=7), **fields)


def test_it_lists_what_ends_without_sign_in(account: Account, address: str) -> None:
    token = ending(account, name="Price List Export")
    TokenFactory(account=account, name="Endless")
    response = read(address)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    lines = unfolded(response)
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert f"UID:expires-{token.pk}@testserver" in lines
    assert token.expires_at
    assert f"DTSTART:{token.expires_at.astimezone(UTC):%Y%m%dT%H%M%SZ}" in lines
    assert [line for line in lines if line.startswith("SUMMARY")] == [
        "SUMMARY:Price List Export expires"
    ]


def test_it_lists_the_ends_of_old_keys(account: Account, address: str) -> None:
    token = TokenFactory(account=account, name="ERP Sync")
    retires_at = timezone.now() + timedelta(days=1)
    token.keys.update(retires_at=retires_at)
    TokenKey.put(token, keys.mint(token.pk), version=2)
    lines = unfolded(read(address))
    assert "SUMMARY:Old key of ERP Sync stops" in lines
    assert f"DTSTART:{retires_at:%Y%m%dT%H%M%SZ}" in lines


def test_it_holds_no_key_and_nothing_of_other_accounts(
    account: Account, stranger: Person, address: str
) -> None:
    mine, other = ending(account), ending(stranger.account, name="Not yours")
    text = read(address).content.decode()
    assert secret(mine) not in text
    assert other.name not in text
    assert other.pk not in text


def test_deleted_and_long_past_ends_are_left_out(account: Account, address: str) -> None:
    ending(account, name="Deleted").remove(by=None)
    past = ending(account, name="Long past")
    Token.objects.filter(pk=past.pk).update(expires_at=timezone.now() - timedelta(days=40))
    assert "BEGIN:VEVENT" not in unfolded(read(address))


def test_lines_are_folded_at_75_octets_without_cutting_a_letter(
    account: Account, address: str
) -> None:
    name = "Größe; 東京, \\ " * 8
    ending(account, name=name.strip())
    body = read(address).content
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert b"\n" not in body.replace(b"\r\n", b"")
    for line in lines:
        line.decode()
    summary = next(line for line in unfolded(read(address)) if line.startswith("SUMMARY"))
    plain = summary.replace("\\;", ";").replace("\\,", ",").replace("\\\\", "\\")
    assert plain == f"SUMMARY:{name.strip()} expires"


def test_it_is_read_back_by_a_parser_of_its_grammar(account: Account, address: str) -> None:
    """Every line is a property with a name and a value, and blocks are nested properly."""
    ending(account, name="A"), ending(account, name="B")
    open_blocks = []
    for line in unfolded(read(address))[:-1]:
        name, _, value = matched(r"^([A-Z-]+)((?:;[A-Z]+=[A-Z-]+)*):(.+)$", line).groups()
        if name == "BEGIN":
            open_blocks.append(value)
        elif name == "END":
            assert open_blocks.pop() == value
        elif name in {"DTSTART", "DTSTAMP"}:
            datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert open_blocks == []


@pytest.mark.parametrize("wrong", ["0" * 40, "x", "1"])
def test_another_address_is_404(db: None, wrong: str) -> None:
    assert read(f"{PAGE}{wrong}.ics").status_code == 404


def test_a_new_address_ends_the_old_one(michael: Person, address: str) -> None:
    second = make(michael.client)
    assert second != address
    assert [read(each).status_code for each in (address, second)] == [404, 200]


def test_a_new_address_says_when_it_was_made(michael: Person, address: str, clock: Clock) -> None:
    clock.move(days=3)
    CalendarFeed.renew(michael.membership)
    assert CalendarFeed.objects.get().created_at == clock.now


def test_it_can_be_withdrawn(michael: Person, address: str) -> None:
    text = michael.client.post(f"{PAGE}withdraw/", follow=True).text
    assert "The address is withdrawn." in text
    assert read(address).status_code == 404
    assert (
        "There was no address to withdraw."
        in michael.client.post(f"{PAGE}withdraw/", follow=True).text
    )


@pytest.mark.parametrize(
    "end",
    [
        lambda person: person.membership.delete(),
        lambda person: type(person.user).objects.update(is_active=False),
        lambda person: type(person.account).objects.update(is_active=False),
    ],
    ids=["membership", "person", "account"],
)
def test_it_ends_with_the_right_to_look(
    michael: Person, address: str, end: Callable[[Person], object]
) -> None:
    end(michael)
    assert read(address).status_code == 404


def test_the_address_is_shown_once_and_stored_as_a_digest(michael: Person, address: str) -> None:
    assert ADDRESS.search(michael.client.get(PAGE).text) is None
    part = address.rpartition("/")[2].removesuffix(".ics")
    assert part.encode() not in bytes(CalendarFeed.objects.get().digest)
    assert part not in str(CalendarFeed.objects.values().get())


def test_making_one_asks_for_the_password(michael: Person) -> None:
    client = stale(michael.client)
    response = client.post(f"{PAGE}renew/")
    assert "To make an address for calendars" in response.text
    assert not CalendarFeed.objects.exists()
    assert make(client, sudo_password=PASSWORD)


def test_members_have_their_own(michael: Person, adrian: Person, address: str) -> None:
    own = make(adrian.client)
    assert own != address
    assert [read(each).status_code for each in (address, own)] == [200, 200]


def test_the_profile_leads_to_it(michael: Person) -> None:
    assert f'href="{PAGE}"' in michael.client.get("/account/").text

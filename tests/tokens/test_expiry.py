"""When a token ends: the choices of the forms, Extend, the pages, and the answer of the gate."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import Account, User
from portal import moments
from tests.conftest import Call, Person, stale
from tests.factories import PASSWORD, TokenFactory, deleted, header
from tokens.models import Token, TokenDraft
from tokens.standing import Standing

LIST = "/integrations/tokens/"
NEW = f"{LIST}new/"


def in_days(days: float) -> date:
    return timezone.localdate() + timedelta(days=days)


def last_day(token: Token | TokenDraft) -> date:
    assert token.expires_at
    return moments.local(token.expires_at).date()


@pytest.fixture
def expiring(account: Account) -> Token:
    return TokenFactory(
        account=account, name="Price List Export", expires_at=timezone.now() + timedelta(days=7)
    )


@pytest.fixture
def expired(expiring: Token) -> Token:
    Token.objects.update(expires_at=timezone.now() - timedelta(days=1))
    expiring.refresh_from_db()
    return expiring


# --- The gate -------------------------------------------------------------------------------------


def test_an_expired_key_gets_a_code_of_its_own(expired: Token, call: Call) -> None:
    response = call("agreements", expired)
    assert (response.status_code, response.json()["error_code"]) == (401, "AUTH_005")
    assert response["WWW-Authenticate"] == "ApiKey"


def test_without_the_right_key_nobody_learns_that_it_expired(expired: Token, call: Call) -> None:
    key = header(expired)
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    response = call("agreements", wrong)
    assert (response.status_code, response.json()["error_code"]) == (401, "AUTH_001")
    assert "expired" not in response.text


def test_an_expired_token_that_is_disabled_too_gets_the_code_of_all_others(
    expired: Token, call: Call
) -> None:
    key = header(expired)
    expired.disable(by=None)
    assert call("agreements", key).json()["error_code"] == "AUTH_001"


def test_the_key_works_again_once_the_token_is_extended(
    michael: Person, expired: Token, call: Call
) -> None:
    michael.client.post(f"{LIST}{expired.pk}/extend/", {"expires": "30"})
    assert call("agreements", expired).status_code == 200


# --- The forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [30, 60, 90, 365])
def test_a_token_ends_with_the_last_second_of_a_day_from_now(michael: Person, days: int) -> None:
    response = michael.client.post(NEW, {"name": "New", "expires": str(days), "expires_on": ""})
    assert response.status_code == 302
    ends = TokenDraft.objects.get().expires_at
    assert moments.local(ends).date() == in_days(days)
    assert f"{moments.local(ends):%H:%M:%S}" == "23:59:59"


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_days_are_those_of_the_person(michael: Person, zone: str) -> None:
    User.objects.filter(pk=michael.user.pk).update(time_zone=zone)
    michael.client.post(NEW, {"name": "New", "expires": "30", "expires_on": ""})
    with timezone.override(zone):
        assert last_day(TokenDraft.objects.get()) == in_days(30)


@pytest.mark.parametrize(
    ("expires", "day", "end"),
    [
        ("never", "", None),
        ("on", "2050-03-01", "2050-03-01"),
        ("", "2050-03-01", "2050-03-01"),
        ("", "", None),
    ],
)
def test_a_date_or_never(michael: Person, expires: str, day: str, end: str | None) -> None:
    response = michael.client.post(NEW, {"name": "New", "expires": expires, "expires_on": day})
    assert response.status_code == 302
    ends = TokenDraft.objects.get().expires_at
    assert (ends and moments.local(ends).date().isoformat()) == end


@pytest.mark.parametrize(
    ("expires", "day", "words"),
    [
        ("on", "", "Choose a day."),
        ("never", "2050-03-01", "Choose “On a date…” for this day, or leave the day empty."),
        ("30", "2050-03-01", "Choose “On a date…” for this day, or leave the day empty."),
        ("soon", "", "Choose when the token expires."),
        ("on", "2020-01-01", "Choose a day in the future."),
    ],
)
def test_contradictions_are_explained_in_a_sentence(
    michael: Person, expires: str, day: str, words: str
) -> None:
    response = michael.client.post(NEW, {"name": "New", "expires": expires, "expires_on": day})
    assert (response.status_code, words in response.text) == (200, True)
    assert not TokenDraft.objects.exists()


def test_edit_keeps_the_end_to_the_second_unless_it_is_changed(
    michael: Person, expiring: Token
) -> None:
    page = michael.client.get(f"{LIST}{expiring.pk}/edit/").context["general_form"]
    data = {
        "version": 1,
        "name": "Renamed",
        "expires": page["expires"].value(),
        "expires_on": page["expires_on"].value().isoformat(),
        "modules": [*expiring.grants],
    }
    michael.client.post(f"{LIST}{expiring.pk}/edit/", data)
    token = Token.objects.get(pk=expiring.pk)
    assert (token.name, token.expires_at) == ("Renamed", expiring.expires_at)
    michael.client.post(f"{LIST}{expiring.pk}/edit/", {**data, "version": 2, "expires": "never"})
    assert Token.objects.get(pk=expiring.pk).expires_at is None


# --- Extend ---------------------------------------------------------------------------------------


def test_extend_moves_the_end_and_keeps_the_key(
    michael: Person, expiring: Token, call: Call
) -> None:
    key = header(expiring)
    page = f"{LIST}{expiring.pk}/extend/"
    assert "The key stays the same." in michael.client.get(page).text
    response = michael.client.post(page, {"expires": "90", "next": f"{LIST}?page=2"}, follow=True)
    assert response.redirect_chain == [(f"{LIST}?page=2", 302)]
    assert "The end of Price List Export is saved." in response.text
    assert last_day(Token.objects.get(pk=expiring.pk)) == in_days(90)
    assert call("agreements", key).status_code == 200
    assert expiring.events[0].changes["expires_at"]


def test_extending_asks_for_the_password_and_shortening_does_not(
    michael: Person, expiring: Token
) -> None:
    page, client = f"{LIST}{expiring.pk}/extend/", stale(michael.client)
    response = client.post(page, {"expires": "never"})
    assert "To extend" in response.text
    assert Token.objects.get(pk=expiring.pk).expires_at == expiring.expires_at
    earlier = in_days(2).isoformat()
    client.post(page, {"expires": "on", "expires_on": earlier})
    assert last_day(Token.objects.get(pk=expiring.pk)) == in_days(2)
    client.post(page, {"expires": "never", "sudo_password": PASSWORD})
    assert Token.objects.get(pk=expiring.pk).expires_at is None


def test_a_token_without_an_end_or_a_deleted_one_is_not_extended(
    michael: Person, token: Token, expiring: Token
) -> None:
    page = f"{LIST}{token.pk}/extend/"
    assert f"{token.name} never expires." in michael.client.get(page, follow=True).text
    deleted(expiring)
    page = f"{LIST}{expiring.pk}/extend/"
    response = michael.client.post(page, {"expires": "90"}, follow=True)
    assert "Price List Export is deleted." in response.text
    assert Token.objects.get(pk=expiring.pk).expires_at == expiring.expires_at


def test_invalid_input_is_explained_on_the_page(michael: Person, expiring: Token) -> None:
    page = f"{LIST}{expiring.pk}/extend/"
    response = michael.client.post(page, {"expires": "on", "expires_on": ""})
    assert (response.status_code, "Choose a day." in response.text) == (200, True)


def test_list_details_and_menu_offer_it_to_administrators_only(
    michael: Person, adrian: Person, token: Token, expiring: Token
) -> None:
    for client, offered in ((michael.client, True), (adrian.client, False)):
        for page in (LIST, f"{LIST}{expiring.pk}/"):
            text = client.get(page).text
            assert (f"{LIST}{expiring.pk}/extend/" in text) == offered, page
            assert f"{LIST}{token.pk}/extend/" not in text


# --- What pages say -------------------------------------------------------------------------------


def test_an_expiring_token_says_when(michael: Person, expiring: Token) -> None:
    text = michael.client.get(f"{LIST}{expiring.pk}/").text
    assert "This token expires in 7 days." in text
    assert "Its key stops on" in text


@pytest.mark.parametrize(
    ("days", "words"), [(0, "today"), (1, "tomorrow"), (7, "in 7 days"), (31, "")]
)
def test_the_headline_counts_days_not_hours(account: Account, days: int, words: str) -> None:
    token = TokenFactory(account=account)
    # At the end of a day, however early it is now.
    end = moments.day_bounds(in_days(days))[1] - timedelta(seconds=1)
    Token.objects.update(expires_at=end)
    token = Token.objects.with_standing().get(pk=token.pk)
    assert Standing(token).ending == (f"This token expires {words}." if words else "")

"""Signed-in devices: what the page lists, and how a person ends them."""

import re

import pytest
from django.test import Client

from accounts.models import QueuedMail, Session
from tests.accounts.test_sudo import QUESTION, answer
from tests.conftest import Person, Response, stale
from tests.factories import PASSWORD

PAGE = "/account/security/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
)


def sign_in(person: Person, agent: str = FIREFOX, address: str = "192.0.2.44") -> Client:
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    fields = {"username": person.user.email, "password": PASSWORD}
    assert client.post("/sign-in/", fields).status_code == 302
    return client


def is_signed_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def key_of(client: Client) -> str:
    key = client.session.session_key
    assert key
    return key


def ids(response: Response) -> list[str]:
    return re.findall(r'name="device" value="([0-9a-f]+)"', response.text)


@pytest.fixture
def here(michael: Person) -> Client:
    Session.objects.all().delete()
    return sign_in(michael)


def test_the_page_says_where_and_with_what_and_marks_this_one(
    michael: Person, here: Client
) -> None:
    sign_in(michael, SAFARI, "203.0.113.61")
    text = " ".join(here.get(PAGE).text.split())
    assert text.index("Firefox 145, Linux") < text.index("This device") < text.index("Safari 26")
    assert "192.0.2.44, since" in text
    assert "203.0.113.61, since" in text
    assert text.count("This device") == 1


def test_the_page_holds_no_session_key(michael: Person, here: Client) -> None:
    other = sign_in(michael, SAFARI)
    text = here.get(PAGE).text
    for client in (here, other):
        assert key_of(client) not in text


def test_one_device_is_signed_out_and_no_other(michael: Person, here: Client) -> None:
    other, third = sign_in(michael, SAFARI), sign_in(michael)
    found = ids(here.get(PAGE))
    assert len(found) == 2
    response = here.post(PAGE + "end/", {"device": found[1]}, follow=True)
    assert "The device is signed out." in response.text
    assert not is_signed_in(other)
    assert is_signed_in(third)
    assert is_signed_in(here)


def test_everything_else_is_signed_out(michael: Person, here: Client, adrian: Person) -> None:
    other, third = sign_in(michael, SAFARI), sign_in(michael)
    response = here.post(PAGE + "end-others/", follow=True)
    assert "2 devices are signed out." in response.text
    assert not is_signed_in(other)
    assert not is_signed_in(third)
    assert is_signed_in(here)
    assert is_signed_in(adrian.client)


def test_where_no_other_device_is_signed_in_none_is_ended(here: Client) -> None:
    response = here.post(PAGE + "end-others/", follow=True)
    assert "No other device was signed in." in response.text
    assert is_signed_in(here)


@pytest.mark.parametrize("action", ["end/", "end-others/"])
def test_signing_others_out_asks_for_the_password(
    michael: Person, here: Client, action: str
) -> None:
    other = sign_in(michael)
    fields = {"device": ids(here.get(PAGE))[0]}
    response = stale(here).post(PAGE + action, fields)
    assert QUESTION in response.text
    assert is_signed_in(other)
    answer(here, PAGE + action, response)
    assert not is_signed_in(other)


@pytest.mark.parametrize("device", ["", "x", "0" * 32, "\0"])
def test_a_device_that_does_not_exist_ends_nothing(
    michael: Person, here: Client, device: str
) -> None:
    sign_in(michael)
    response = here.post(PAGE + "end/", {"device": device}, follow=True)
    assert "signed out already" in response.text
    assert michael.user.sessions.count() == 2


def test_a_session_of_somebody_else_cannot_be_ended(
    michael: Person, here: Client, adrian: Person
) -> None:
    from accounts.models import digest

    hers = digest(key_of(adrian.client))
    here.post(PAGE + "end/", {"device": hers})
    assert is_signed_in(adrian.client)


def test_this_session_is_not_ended_by_its_own_id(here: Client) -> None:
    from accounts.models import digest

    here.post(PAGE + "end/", {"device": digest(key_of(here))})
    assert is_signed_in(here)


def test_a_new_password_ends_the_rows_of_all_other_sessions(michael: Person, here: Client) -> None:
    sign_in(michael), sign_in(michael)
    fields = {
        "old_password": PASSWORD,
        "new_password1": "correct horse battery",
        "new_password2": "correct horse battery",
    }
    assert here.post("/account/password/", fields)["Location"] == PAGE
    assert michael.user.sessions.get().pk == here.session.session_key
    assert "Changed" in here.get(PAGE).text


# --- New devices ----------------------------------------------------------------------------------


def test_a_sign_in_on_a_new_device_is_told_and_on_a_known_one_is_not(michael: Person) -> None:
    michael.user.last_login = None
    michael.user.save()
    first = sign_in(michael)
    assert not QueuedMail.objects.exists()
    first.post("/sign-out/")
    first.post("/sign-in/", {"username": michael.user.email, "password": PASSWORD})
    assert not QueuedMail.objects.exists()
    sign_in(michael, SAFARI, "203.0.113.61")
    mail = QueuedMail.objects.get()
    assert mail.address == michael.user.email
    assert mail.content["subject"] == "You signed in from a new device"
    told = str(mail.content)
    assert "203.0.113.61" in told
    assert "Safari 26, iPhone" in told


def test_a_wrong_password_on_a_new_device_tells_nothing(michael: Person) -> None:
    Client().post("/sign-in/", {"username": michael.user.email, "password": "wrong"})
    assert not QueuedMail.objects.exists()


def test_a_new_password_is_told_however_it_was_set(michael: Person, here: Client) -> None:
    fields = {
        "old_password": PASSWORD,
        "new_password1": "correct horse battery",
        "new_password2": "correct horse battery",
    }
    QueuedMail.objects.all().delete()
    here.post("/account/password/", fields)
    assert QueuedMail.objects.get().content["subject"] == "Your password was changed"

"""Signing in and out, the length of a session, and the limits on guessing."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.forms import ProfileForm
from accounts.models import User
from tests.conftest import Person, Response, person
from tests.factories import PASSWORD, UserFactory
from tokens.models import Token

SIGN_IN = "/sign-in/"
LIST = "/integrations/tokens/"


def sign_in(
    client: Client, email: str, password: str = PASSWORD, query: str = "", **extra: Any
) -> Response:
    return client.post(f"{SIGN_IN}{query}", {"username": email, "password": password}, **extra)


def test_a_person_signs_in_by_e_mail_and_lands_on_the_tokens(
    client: Client, michael: Person
) -> None:
    response = sign_in(client, "michael@mightymicks.example")
    assert response["Location"] == LIST
    text = client.get(LIST).text
    assert "Mighty Mick&#x27;s LLC" in text
    assert "Distributor - Michael Goldmill" in text


def test_the_case_of_the_address_and_blanks_round_it_do_not_matter(
    client: Client, michael: Person
) -> None:
    assert sign_in(client, " Michael@MightyMicks.Example ").status_code == 302


def test_the_person_returns_to_the_page_they_wanted(client: Client, michael: Person) -> None:
    wanted = f"{LIST}?status=deleted"
    assert (
        client.get(wanted)["Location"] == f"{SIGN_IN}?next=/integrations/tokens/%3Fstatus%3Ddeleted"
    )
    assert (
        sign_in(client, michael.user.email, query="?next=/integrations/tokens/%3Fstatus%3Ddeleted")[
            "Location"
        ]
        == wanted
    )


def test_a_person_never_returns_to_another_site(client: Client, michael: Person) -> None:
    assert (
        sign_in(client, michael.user.email, query="?next=https://evil.example/")["Location"] == LIST
    )


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(
    client: Client, michael: Person
) -> None:
    wrong = sign_in(client, michael.user.email, "wrong")
    unknown = sign_in(client, "nobody@mightymicks.example", "wrong")
    assert wrong.status_code == unknown.status_code == 200
    for response in (wrong, unknown):
        assert "E-mail or password is not right." in response.text
        assert "4 tries are left" in response.text


def test_an_unknown_name_costs_a_password_hash_too(
    client: Client, michael: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str | None] = []
    original = User.set_password

    def hash_it(user: User, raw: str | None) -> None:
        hashed.append(raw)
        original(user, raw)

    monkeypatch.setattr(User, "set_password", hash_it)
    sign_in(client, "nobody@mightymicks.example", "wrong")
    assert hashed == ["wrong"]


def test_a_person_who_was_switched_off_cannot_sign_in_and_is_not_told_why(
    client: Client, michael: Person
) -> None:
    michael.user.is_active = False
    michael.user.save()
    assert "E-mail or password is not right." in sign_in(client, michael.user.email).text


def test_a_person_who_is_switched_off_is_out_at_the_next_request(michael: Person) -> None:
    michael.user.is_active = False
    michael.user.save()
    assert michael.client.get(LIST).status_code == 302


def test_empty_fields_are_named(client: Client, db: None) -> None:
    response = client.post(SIGN_IN, {})
    assert "Enter your e-mail address." in response.text
    assert "Enter your password." in response.text


@pytest.mark.parametrize(
    "email", ["a\x00b@c.example", "x" * 300, "'; DROP TABLE accounts_user; --", "ü@ü.example"]
)
def test_nonsense_is_no_name(client: Client, db: None, email: str) -> None:
    assert sign_in(client, email).status_code == 200


# --- Sessions -------------------------------------------------------------------------------------


def test_signing_in_makes_a_new_session(client: Client, michael: Person) -> None:
    client.get(SIGN_IN)
    client.session["x"] = 1
    before = client.session.session_key
    sign_in(client, michael.user.email)
    assert client.session.session_key != before


def test_signing_out_ends_the_session_on_the_server(michael: Person) -> None:
    key = michael.client.session.session_key
    assert michael.client.post("/sign-out/")["Location"] == SIGN_IN
    assert key
    michael.client.cookies["session"] = key
    assert michael.client.get(LIST).status_code == 302


def test_signing_out_is_no_link(michael: Person) -> None:
    assert michael.client.get("/sign-out/")["Location"] == "/"
    assert SESSION_KEY in michael.client.session


def put(client: Client, **values: Any) -> None:
    session = client.session
    session.update(values)
    session.save()


def test_an_idle_session_ends_and_the_person_is_told_and_returns(michael: Person) -> None:
    put(michael.client, seen_at=int(time.time()) - 31 * 60)
    response = michael.client.get(f"{LIST}?page=2", follow=True)
    assert response.redirect_chain == [(f"{SIGN_IN}?next=/integrations/tokens/%3Fpage%3D2", 302)]
    assert "Your session ended. Sign in to continue where you left off." in response.text


def test_a_session_that_is_used_goes_on(michael: Person) -> None:
    put(michael.client, seen_at=int(time.time()) - 29 * 60)
    assert michael.client.get(LIST).status_code == 200
    assert time.time() - michael.client.session["seen_at"] < 10


def test_no_session_outlives_its_absolute_age(michael: Person) -> None:
    put(michael.client, signed_in_at=int(time.time()) - 12 * 3600 - 1, seen_at=int(time.time()))
    assert michael.client.get(LIST).status_code == 302


def test_a_request_within_the_minute_does_not_write_the_session(
    michael: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    michael.client.get("/integrations/api/")
    with django_assert_num_queries(2):
        michael.client.get("/integrations/api/")


def test_htmx_is_sent_to_the_sign_in_instead_of_getting_it_in_a_table(
    client: Client, db: None
) -> None:
    response = client.get(
        f"{LIST}?page=2",
        headers={"hx-request": "true", "hx-current-url": f"http://testserver{LIST}"},
    )
    assert response["HX-Redirect"] == f"{SIGN_IN}?next=/integrations/tokens/%3Fpage%3D2"


def test_a_form_sent_after_the_session_ended_returns_to_the_page_of_the_form(
    client: Client, token: Token
) -> None:
    response = client.post(
        f"{LIST}{token.pk}/disable/", headers={"referer": f"http://testserver{LIST}"}
    )
    assert response["Location"] == f"{SIGN_IN}?next={LIST}"


# --- Accounts of a person -------------------------------------------------------------------------


@pytest.fixture
def tony(michael: Person, stranger: Person) -> Person:
    from tests.factories import MembershipFactory

    tony = person(account=michael.account, user__name="Tony Gazzo")
    MembershipFactory(user=tony.user, account=stranger.account)
    return tony


def test_a_person_of_two_accounts_switches_between_them(
    tony: Person, michael: Person, stranger: Person
) -> None:
    tony.client.post("/account/switch/", {"account": michael.account.pk})
    assert "Distributor - Tony Gazzo" in tony.client.get(LIST).text
    tony.client.post("/account/switch/", {"account": stranger.account.pk})
    assert "Vendor - Tony Gazzo" in tony.client.get(LIST).text


def test_the_choice_is_there_after_signing_in_again(tony: Person, michael: Person) -> None:
    tony.client.post("/account/switch/", {"account": michael.account.pk})
    client = Client()
    sign_in(client, tony.user.email)
    assert "Distributor - Tony Gazzo" in client.get(LIST).text


@pytest.mark.parametrize("chosen", ["VA-000-000", "", "other"])
def test_nobody_switches_to_an_account_that_is_not_theirs(
    michael: Person, stranger: Person, chosen: str
) -> None:
    chosen = stranger.account.pk if chosen == "other" else chosen
    assert michael.client.post("/account/switch/", {"account": chosen}).status_code == 404


def test_a_disabled_account_is_out_at_the_next_request(michael: Person) -> None:
    michael.account.is_active = False
    michael.account.save()
    assert michael.client.get(LIST).status_code == 403


def test_a_membership_that_ends_is_out_at_the_next_request(michael: Person, token: Token) -> None:
    michael.membership.delete()
    assert michael.client.get(f"{LIST}{token.pk}/").status_code == 403


# --- Profile, theme, passwords --------------------------------------------------------------------


def test_the_profile_keeps_name_and_time_zone(michael: Person) -> None:
    response = michael.client.post(
        "/account/", {"name": "Mickey", "time_zone": "Europe/Madrid"}, follow=True
    )
    assert "Your profile is saved." in response.text
    assert "Times are in Europe/Madrid" in response.text
    michael.user.refresh_from_db()
    assert (michael.user.name, michael.user.time_zone) == ("Mickey", "Europe/Madrid")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("name", "", "Enter your name."), ("time_zone", "Mars/Olympus", "Choose a time zone")],
)
def test_a_profile_that_is_not_valid_says_why(
    michael: Person, field: str, value: str, words: str
) -> None:
    assert (
        words
        in michael.client.post(
            "/account/", {"name": "Mickey", "time_zone": "UTC", field: value}
        ).text
    )


def test_the_profile_writes_nothing_else(michael: Person) -> None:
    michael.client.post(
        "/account/",
        {"name": "Mickey", "time_zone": "UTC", "is_staff": "on", "email": "x@y.example"},
    )
    michael.user.refresh_from_db()
    assert (michael.user.is_staff, michael.user.email) == (False, "michael@mightymicks.example")


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
def test_the_theme_is_kept_even_for_nobody(client: Client, db: None, theme: str) -> None:
    client.post("/account/theme/", {"theme": theme, "next": SIGN_IN})
    assert f'data-theme="{theme}"' in client.get(SIGN_IN).text


def test_a_theme_that_is_none_is_ignored(client: Client, db: None) -> None:
    client.post("/account/theme/", {"theme": '"><script>'})
    client.cookies["theme"] = '"><script>'
    assert 'data-theme="system"' in client.get(SIGN_IN).text


def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(michael: Person) -> None:
    other = Client()
    other.force_login(michael.user, backend="accounts.backends.EmailBackend")
    fields = {
        "old_password": "wrong",
        "new_password1": "correct horse battery",
        "new_password2": "correct horse battery",
    }
    assert michael.client.post("/account/password/", fields).status_code == 200
    response = michael.client.post(
        "/account/password/", {**fields, "old_password": PASSWORD}, follow=True
    )
    assert "Your password is changed." in response.text
    assert other.get(LIST).status_code == 302


@pytest.mark.parametrize("password", ["short", "password1234", "michael@mightymicks.example"])
def test_a_weak_password_is_refused(michael: Person, password: str) -> None:
    fields = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    assert michael.client.post("/account/password/", fields).status_code == 200
    michael.user.refresh_from_db()
    assert michael.user.check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_a_forgotten_password_is_reset_by_a_link_that_works_once(
    client: Client, michael: Person, mailoutbox: list[EmailMessage]
) -> None:
    response = client.post("/account/reset/", {"email": michael.user.email}, follow=True)
    assert response.status_code == 200
    wait_for_mail(mailoutbox)
    link = next(
        word
        for word in mailoutbox[0].body.split()
        if word.startswith("http://testserver/account/reset/")
    )
    form = client.get(link, follow=True).redirect_chain[-1][0]
    new = {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}
    assert client.post(form, new)["Location"] == "/account/reset/complete/"
    assert sign_in(client, michael.user.email, "correct horse battery").status_code == 302
    assert Client().get(link, follow=True).context["validlink"] is False


@pytest.mark.django_db(transaction=True)
def test_an_unknown_address_gets_the_same_answer_and_no_mail(
    client: Client, michael: Person, mailoutbox: list[EmailMessage]
) -> None:
    known = client.post("/account/reset/", {"email": michael.user.email})
    unknown = client.post("/account/reset/", {"email": "nobody@mightymicks.example"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    wait_for_mail(mailoutbox)
    assert [mail.to for mail in mailoutbox] == [[michael.user.email]]


@pytest.mark.django_db(transaction=True)
def test_nobody_gets_a_second_link_within_five_minutes(
    client: Client, michael: Person, mailoutbox: list[EmailMessage]
) -> None:
    from datetime import timedelta

    from django.utils import timezone

    for _ in range(5):
        client.post("/account/reset/", {"email": michael.user.email})
    wait_for_mail(mailoutbox)
    assert len(mailoutbox) == 1
    User.objects.update(reset_sent_at=timezone.now() - timedelta(minutes=6))
    client.post("/account/reset/", {"email": michael.user.email})
    wait_for_mail(mailoutbox)
    assert len(mailoutbox) == 2


def wait_for_mail(mailoutbox: list[EmailMessage]) -> None:
    """Wait for the thread that sends mails, which ends when nothing is left to send."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(10)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("email", ["michael@mightymicks.example", "nobody@mightymicks.example"])
def test_the_answer_to_a_forgotten_password_does_the_same_work_for_everybody(
    client: Client, michael: Person, mailoutbox: list[EmailMessage], email: str
) -> None:
    """The response time reveals nothing: the address is looked up in the background afterwards."""
    with CaptureQueriesContext(connection) as queries:
        client.post("/account/reset/", {"email": email})
    assert not [query for query in queries.captured_queries if "accounts_user" in query["sql"]]
    assert not mailoutbox
    wait_for_mail(mailoutbox)


@pytest.mark.parametrize("email", ["michael@mightymicks.example", "nobody@mightymicks.example"])
def test_one_address_asks_for_a_few_links_only(
    client: Client, michael: Person, settings: Settings, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    asked = []

    def later(job: Callable[[], object]) -> bool:
        asked.append(job)
        return True

    monkeypatch.setattr("portal.background.later", later)
    settings.RESETS_PER_ADDRESS = 3
    for _ in range(3):
        assert client.post("/account/reset/", {"email": email}).status_code == 302
    response = client.post("/account/reset/", {"email": email})
    assert response.status_code == 429
    assert "Too many links for a new password" in response.text
    assert "You need not wait" not in response.text
    assert len(asked) == 3
    assert (
        client.post("/account/reset/", {"email": email}, REMOTE_ADDR="192.0.2.7").status_code == 302
    )


def test_without_room_for_more_work_the_portal_says_so(
    client: Client, michael: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.background.ROOM", 0)
    response = client.post("/account/reset/", {"email": michael.user.email})
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "Try again in a few seconds." in response.text


def test_signing_out_clears_what_the_browser_kept_but_not_its_cookies(
    client: Client, michael: Person
) -> None:
    sign_in(client, michael.user.email)
    client.post("/account/theme/", {"theme": "dark"})
    response = client.post("/sign-out/")
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert client.cookies["theme"].value == "dark"
    assert client.cookies["device"].value
    assert client.get(SIGN_IN).headers.get("Clear-Site-Data") is None


def test_saving_the_profile_leaves_alone_what_it_does_not_show(
    michael: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example when somebody deactivates the person between loading and saving."""
    original = ProfileForm.is_valid

    def meanwhile(form: ProfileForm) -> bool:
        User.objects.filter(pk=michael.user.pk).update(is_active=False, password="!")
        return original(form)

    monkeypatch.setattr(ProfileForm, "is_valid", meanwhile)
    michael.client.post("/account/", {"name": "Mickey", "time_zone": "UTC"})
    michael.user.refresh_from_db()
    assert (michael.user.name, michael.user.is_active, michael.user.password) == (
        "Mickey",
        False,
        "!",
    )


def test_two_tabs_lose_no_choice(michael: Person) -> None:
    one, two = User.objects.get(pk=michael.user.pk), User.objects.get(pk=michael.user.pk)
    one.remember("tokens", per_page=20)
    two.remember("tokens", sort="label")
    two.remember("account", id="PA-1")
    michael.user.refresh_from_db()
    assert michael.user.preferences == {
        "tokens": {"per_page": 20, "sort": "label"},
        "account": {"id": "PA-1"},
    }


@pytest.mark.parametrize("path", [LIST, "/account/", "/integrations/"])
def test_private_pages_are_kept_out_of_caches(michael: Person, path: str) -> None:
    assert "no-store" in michael.client.get(path)["Cache-Control"]


def test_two_people_cannot_share_an_address(michael: Person) -> None:
    from django.db import IntegrityError

    with pytest.raises(IntegrityError):
        UserFactory(email="MICHAEL@mightymicks.example")


def test_who_signs_in_where_somebody_else_is_in_is_told_so(michael: Person, adrian: Person) -> None:
    fields = {"username": adrian.user.email, "password": PASSWORD}
    text = michael.client.post("/sign-in/", fields, follow=True).text
    assert f"You are signed in as {michael.user.email}." in text
    assert "To sign in as somebody else, sign out first." in text
    assert michael.client.session[SESSION_KEY] == michael.user.pk

"""Two-step sign-in with codes: setting it up, the second step, and that nothing gets around it."""

import base64
import re
import threading
import time
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts import totp
from accounts.models import Account, Authenticator, Counter, Passkey, QueuedMail, SpareCode, User
from activity.actions import Action
from activity.models import Event
from tests.accounts.test_guessing import let_pass
from tests.accounts.test_sudo import QUESTION, answer
from tests.conftest import Person, Response, confirmed, stale
from tests.factories import PASSWORD
from tests.matching import matched
from tokens.models import Token, TokenDraft

SET_UP = "/account/security/two-step/"
SECURITY = "/account/security/"
CODE = "/sign-in/code/"
LIST = "/integrations/tokens/"
SECRET = b"a secret of 20 bytes"
CODES = ["4f9a-81c2", "b07e-3d55"]


def code_now(secret: bytes = SECRET, steps: int = 0) -> str:
    return totp.app(secret).generate(int(time.time()) + steps * totp.SECONDS).decode()


def wrong_code() -> str:
    """Return a code that no clock near ours accepts."""
    right = {code_now(steps=steps) for steps in range(-3, 4)}
    return next(
        code for code in ("000000", "111111", *map(str, range(222222, 222233))) if code not in right
    )


@pytest.fixture
def guarded(michael: Person) -> Person:
    """Return Michael with two-step sign-in; no code of now was used yet."""
    Authenticator.switch_on(michael.user, SECRET, 0, CODES)
    michael.user = User.objects.get(pk=michael.user.pk)
    return michael


def give_password(person: Person, client: Client | None = None, **fields: Any) -> Client:
    client = client or Client()
    fields = {"username": person.user.email, "password": PASSWORD, **fields}
    response = client.post("/sign-in/", fields)
    assert response["Location"] == CODE
    return client


def key_of(client: Client) -> str:
    key = client.session.session_key
    assert key
    return key


def is_in(client: Client) -> bool:
    return SESSION_KEY in client.session and client.get(LIST).status_code == 200


def draft_of(response: Response) -> str:
    return matched(r'name="secret_draft" value="([^"]+)"', response.text)[1]


# --- Setting it up --------------------------------------------------------------------------------


def test_it_is_set_up_with_the_first_code_and_spare_codes(michael: Person) -> None:
    page = michael.client.get(SET_UP)
    secret = matched(r"setup-code[^>]*>([A-Z2-7 ]+)<", page.text)[1]
    codes = re.findall(r"<li>([0-9a-f]{4}-[0-9a-f]{4})</li>", page.text)
    assert len(codes) == 10
    assert not Authenticator.objects.exists()
    raw = base64.b32decode(secret.replace(" ", ""))
    code = code_now(raw)
    response = michael.client.post(
        SET_UP, {"secret_draft": draft_of(page), "code": f"{code[:3]} {code[3:]}"}, follow=True
    )
    assert "Two-step sign-in is on." in response.text
    assert "10 of 10 left" in " ".join(response.text.split())
    client = give_password(michael)
    assert client.post(CODE, {"code": codes[0]}).status_code == 302
    assert is_in(client)


def test_a_wrong_code_keeps_the_same_secret_and_switches_nothing_on(michael: Person) -> None:
    page = michael.client.get(SET_UP)
    first = matched(r"setup-code[^>]*>([A-Z2-7 ]+)<", page.text)[1]
    response = michael.client.post(SET_UP, {"secret_draft": draft_of(page), "code": "12 34"})
    assert "That code is not right. Check the clock of the phone" in response.text
    assert first in response.text
    assert not Authenticator.objects.exists()


def test_a_draft_of_somebody_else_is_worth_nothing(michael: Person, adrian: Person) -> None:
    theirs = draft_of(adrian.client.get(SET_UP))
    response = michael.client.post(SET_UP, {"secret_draft": theirs, "code": code_now()})
    assert draft_of(response) != theirs
    for draft in ("", "x", theirs[:-1]):
        assert michael.client.post(SET_UP, {"secret_draft": draft, "code": "1"}).status_code == 200
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("path", [SET_UP, "/account/security/codes/"])
def test_the_pages_with_secrets_ask_for_the_password_first(michael: Person, path: str) -> None:
    if "codes" in path:
        Authenticator.switch_on(michael.user, SECRET, 0, CODES)
    page = stale(michael.client).get(path)
    assert QUESTION in page.text
    assert "secret_draft" not in page.text
    assert answer(michael.client, path, page).status_code == 302
    assert draft_of(michael.client.get(path))


def test_the_secret_is_sealed_at_rest_and_bound_to_its_person(
    guarded: Person, adrian: Person
) -> None:
    row = guarded.user.authenticator
    assert SECRET not in bytes(row.sealed)
    assert totp.unseal(bytes(row.sealed), guarded.user.pk) == SECRET
    assert totp.unseal(bytes(row.sealed), adrian.user.pk) is None


def test_a_set_up_that_meets_the_end_of_its_session_keeps_no_secret(michael: Person) -> None:
    page = michael.client.get(SET_UP)
    session = michael.client.session
    session["seen_at"] = 1
    session.save()
    fields = {"secret_draft": draft_of(page), "code": "123456"}
    response = michael.client.post(SET_UP, fields, headers={"sec-fetch-site": "same-origin"})
    assert response["Location"].startswith("/sign-in/")
    assert draft_of(page)[:40] not in str(michael.client.session.items())


def test_no_spare_code_is_stored_in_clear(guarded: Person) -> None:
    for code in CODES:
        assert not SpareCode.objects.filter(digest__contains=code.replace("-", "")).exists()


def test_a_new_secret_key_keeps_codes_working_while_the_old_one_is_a_fallback(
    guarded: Person, settings: Settings
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new secret key of more than fifty characters, for this one test"
    client = give_password(guarded)
    client.post(CODE, {"code": code_now()})
    assert is_in(client)
    settings.SECRET_KEY_FALLBACKS = []
    guarded.user.authenticator.refresh_from_db()
    assert totp.unseal(bytes(guarded.user.authenticator.sealed), guarded.user.pk) == SECRET


def test_the_codes_can_be_downloaded_from_the_page_that_shows_them(michael: Person) -> None:
    page = michael.client.get(SET_UP)
    response = michael.client.post(
        "/account/security/codes/download/", {"secret_draft": draft_of(page), "code": ""}
    )
    assert response["Content-Disposition"] == 'attachment; filename="spare-codes.txt"'
    for code in re.findall(r"<li>([0-9a-f]{4}-[0-9a-f]{4})</li>", page.text):
        assert code in response.text


def test_new_spare_codes_replace_the_old_ones_when_the_person_says_so(guarded: Person) -> None:
    page = guarded.client.get("/account/security/codes/")
    assert guarded.user.spare_codes.count() == 2
    guarded.client.post("/account/security/codes/", {"secret_draft": draft_of(page)})
    assert guarded.user.spare_codes.count() == 10
    client = give_password(guarded)
    client.post(CODE, {"code": CODES[0]})
    assert not is_in(client)


def test_switching_off_asks_for_the_password_and_removes_everything(guarded: Person) -> None:
    response = stale(guarded.client).post(SET_UP + "off/")
    assert QUESTION in response.text
    assert Authenticator.objects.exists()
    answer(guarded.client, SET_UP + "off/", response)
    assert not Authenticator.objects.exists()
    assert not SpareCode.objects.exists()
    response = Client().post("/sign-in/", {"username": guarded.user.email, "password": PASSWORD})
    assert response["Location"] == LIST


def test_switching_off_what_is_off_tells_and_records_nothing(michael: Person) -> None:
    response = michael.client.post(SET_UP + "off/", follow=True)
    assert "Two-step sign-in is off." not in response.text
    assert not QueuedMail.objects.exists()
    assert not Event.objects.filter(action=Action.TWO_STEP_OFF).exists()


def test_codes_of_somebody_elses_page_are_not_downloaded(michael: Person, adrian: Person) -> None:
    fields = {"secret_draft": draft_of(adrian.client.get(SET_UP))}
    response = michael.client.post("/account/security/codes/download/", fields)
    assert response["Location"] == SECURITY


# --- The second step ------------------------------------------------------------------------------


def test_password_and_code_sign_in_and_lead_to_the_page_that_was_asked_for(guarded: Person) -> None:
    client = give_password(guarded, next="/integrations/activity/")
    response = client.post(CODE, {"code": code_now()})
    assert response["Location"] == "/integrations/activity/"
    assert is_in(client)


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_address_opens_between_the_two_steps(guarded: Person, token: Token, method: str) -> None:
    """Whatever page is asked for, the person is not signed in, before and after."""
    from tests.portal.routes import PAGES, address

    client = give_password(guarded)
    private = [name for name, answers in PAGES.items() if answers[0] == "sign-in"]
    assert len(private) > 30
    for route in private:
        draft = TokenDraft()
        response = getattr(client, method)(address(route, token, draft))
        assert response["Location"].startswith("/sign-in/"), route
        assert SESSION_KEY not in client.session, route
    assert client.get("/admin/").status_code == 302
    assert SESSION_KEY not in client.session


@pytest.mark.parametrize("code", ["", " ", "12345", "1234567", "abcdef", "٠١٢٣٤٥", "\0" * 6])
def test_what_is_no_code_does_not_sign_in(guarded: Person, code: str) -> None:
    client = give_password(guarded)
    assert client.post(CODE, {"code": code}).status_code == 200
    assert not is_in(client)


def test_a_wrong_code_is_recorded_and_told(guarded: Person) -> None:
    client = give_password(guarded)
    response = client.post(CODE, {"code": wrong_code()})
    assert "That code is not right." in response.text
    assert not is_in(client)
    event = Event.objects.get(action=Action.SECOND_STEP_REFUSED)
    assert event.account == guarded.account.pk
    assert event.subject_id == guarded.user.pk


def test_a_code_works_once(guarded: Person) -> None:
    code = code_now()
    first, second = give_password(guarded), give_password(guarded)
    first.post(CODE, {"code": code})
    assert is_in(first)
    second.post(CODE, {"code": code})
    assert not is_in(second)


def test_a_code_older_than_the_last_one_is_refused(guarded: Person) -> None:
    first, second = give_password(guarded), give_password(guarded)
    first.post(CODE, {"code": code_now(steps=1)})
    assert is_in(first)
    second.post(CODE, {"code": code_now()})
    assert not is_in(second)


def test_a_code_from_far_away_is_refused(guarded: Person) -> None:
    client = give_password(guarded)
    client.post(CODE, {"code": code_now(steps=-10)})
    assert not is_in(client)


def test_a_spare_code_works_once_and_is_told(guarded: Person) -> None:
    first, second = give_password(guarded), give_password(guarded)
    first.post(CODE, {"code": CODES[0].replace("-", "").upper()})
    assert is_in(first)
    second.post(CODE, {"code": CODES[0]})
    assert not is_in(second)
    assert QueuedMail.objects.filter(content__subject="A spare code was used").exists()
    assert Event.objects.filter(action=Action.SPARE_CODE_USED).exists()


def test_a_spare_code_of_somebody_else_is_refused(guarded: Person, adrian: Person) -> None:
    Authenticator.switch_on(adrian.user, b"another secret      ", 0, ["1111-2222"])
    client = give_password(guarded)
    client.post(CODE, {"code": "1111-2222"})
    assert not is_in(client)


def test_guesses_are_limited_whatever_browser_they_come_from(guarded: Person) -> None:
    for _ in range(5):
        give_password(guarded).post(CODE, {"code": wrong_code()})
    client = give_password(guarded)
    response = client.post(CODE, {"code": code_now()})
    assert response.status_code == 429
    assert "Too many wrong codes" in response.text
    assert not is_in(client)
    Counter.objects.all().delete()
    client.post(CODE, {"code": code_now()})
    assert is_in(client)


def test_guesses_are_limited_by_the_hour_too(guarded: Person) -> None:
    for _ in range(4):
        client = give_password(guarded)
        for _ in range(5):
            client.post(CODE, {"code": wrong_code()})
        let_pass(minutes=5)
    response = give_password(guarded).post(CODE, {"code": code_now()})
    assert response.status_code == 429
    assert 54 * 60 < int(response["Retry-After"]) <= 55 * 60
    let_pass(minutes=55)
    client = give_password(guarded)
    client.post(CODE, {"code": code_now()})
    assert is_in(client)


def test_guesses_of_others_do_not_lock_out_a_known_device(guarded: Person) -> None:
    home = give_password(guarded)
    home.post(CODE, {"code": CODES[0]})
    home.post("/sign-out/")
    for _ in range(5):
        give_password(guarded).post(CODE, {"code": wrong_code()})
    give_password(guarded, home)
    home.post(CODE, {"code": code_now()})
    assert is_in(home)


def test_the_page_without_a_password_leads_to_sign_in(guarded: Person, client: Client) -> None:
    for response in (client.get(CODE), client.post(CODE, {"code": code_now()})):
        assert response["Location"] == "/sign-in/"
    assert not is_in(client)


def test_the_right_password_counts_for_ten_minutes(guarded: Person) -> None:
    client = give_password(guarded)
    session = client.session
    session["second_step"] = {**session["second_step"], "at": time.time() - 601}
    session.save()
    assert client.post(CODE, {"code": code_now()})["Location"] == "/sign-in/"
    assert not is_in(client)


def test_a_new_password_ends_what_the_old_one_began(guarded: Person) -> None:
    client = give_password(guarded)
    guarded.user.set_password("another password here")
    guarded.user.save()
    client.post(CODE, {"code": code_now()})
    assert not is_in(client)


def test_a_person_who_was_switched_off_cannot_do_the_second_step(guarded: Person) -> None:
    client = give_password(guarded)
    User.objects.filter(pk=guarded.user.pk).update(is_active=False)
    client.post(CODE, {"code": code_now()})
    assert SESSION_KEY not in client.session


def test_both_steps_give_the_session_a_new_key(guarded: Person) -> None:
    client = Client()
    session = client.session
    session["ended"] = True
    session.save()
    planted = key_of(client)
    client.cookies["session"] = planted
    give_password(guarded, client)
    between = key_of(client)
    client.post(CODE, {"code": code_now()})
    assert is_in(client)
    assert len({planted, between, client.session.session_key}) == 3
    thief = Client()
    for key in (planted, between):
        thief.cookies["session"] = key
        assert not is_in(thief)


def test_a_password_reset_does_not_replace_the_second_step(guarded: Person) -> None:
    from django.contrib.auth.tokens import default_token_generator
    from django.utils.http import urlsafe_base64_encode

    uid = urlsafe_base64_encode(guarded.user.pk.encode())
    token = default_token_generator.make_token(guarded.user)
    client = Client()
    page = client.get(f"/account/reset/{uid}/{token}/", follow=True)
    path = page.redirect_chain[-1][0]
    new = {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}
    assert client.post(path, new).status_code == 302
    assert SESSION_KEY not in client.session
    response = client.post(
        "/sign-in/", {"username": guarded.user.email, "password": "correct horse battery"}
    )
    assert response["Location"] == CODE


@pytest.mark.django_db(transaction=True)
def test_a_code_posted_twice_at_once_signs_in_once(michael: Person) -> None:
    Authenticator.switch_on(michael.user, SECRET, 0, CODES)
    clients = [give_password(michael) for _ in range(4)]
    code, barrier = code_now(), threading.Barrier(4)

    def post(client: Client) -> None:
        barrier.wait(60)
        client.post(CODE, {"code": code})
        connection.close()

    threads = [threading.Thread(target=post, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(SESSION_KEY in client.session for client in clients) == 1


# --- Required of administrators -------------------------------------------------------------------


@pytest.fixture
def strict(account: Account) -> Account:
    account.requires_two_step = True
    account.save()
    return account


def test_an_administrator_without_it_reaches_only_the_profile(
    strict: Account, michael: Person, token: Token
) -> None:
    for path in (
        LIST,
        f"{LIST}{token.pk}/",
        "/integrations/",
        "/integrations/activity/",
        "/account/people/",
    ):
        response = michael.client.get(path)
        assert response["Location"] == SECURITY, path
    response = michael.client.post(f"{LIST}{token.pk}/reveal/")
    assert response["Location"] == SECURITY
    page = michael.client.get(SECURITY)
    assert "requires it of its administrators" in page.text
    assert michael.client.get(SET_UP).status_code == 200


def test_with_it_everything_opens(strict: Account, guarded: Person) -> None:
    client = give_password(guarded)
    client.post(CODE, {"code": code_now()})
    assert is_in(client)


def test_members_are_not_asked(strict: Account, adrian: Person) -> None:
    assert adrian.client.get(LIST).status_code == 200


def test_it_cannot_be_switched_off_where_it_is_required(strict: Account, guarded: Person) -> None:
    response = confirmed(guarded.client).post(SET_UP + "off/", follow=True)
    assert "cannot be switched off" in response.text
    assert Authenticator.objects.exists()


# --- Help for those who lost it -------------------------------------------------------------------


def test_an_operator_can_remove_it(guarded: Person, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("remove_second_step", guarded.user.email)
    assert not Authenticator.objects.exists()
    assert "Michael Goldmill" in capsys.readouterr().out


def test_an_operator_can_remove_passkeys_of_somebody_without_an_app(michael: Person) -> None:
    Passkey.objects.create(user=michael.user, name="Phone", handle="1", credential=b"")
    call_command("remove_second_step", michael.user.email.upper())
    assert not Passkey.objects.exists()
    assert Event.objects.filter(action=Action.TWO_STEP_OFF).exists()


def test_an_operator_gets_a_sentence_for_an_unknown_address(db: None) -> None:
    from django.core.management import CommandError

    with pytest.raises(CommandError, match="nobody@"):
        call_command("remove_second_step", "nobody@company.example")

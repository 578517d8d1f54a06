"""Passkeys: adding, signing in, sudo, and that no answer but a fresh, right one is accepted."""

import json
import time
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client, RequestFactory
from fido2.webauthn import AttestationObject

from accounts import passkeys, sudo
from accounts.models import Authenticator, Passkey, QueuedMail, User
from tests.accounts.soft_passkey import SoftPasskey
from tests.accounts.test_sudo import QUESTION
from tests.accounts.test_two_step import CODE, CODES, SECRET, give_password
from tests.conftest import Person, stale
from tests.factories import PASSWORD
from tokens.models import Token

SECURITY = "/account/security/"
OPTIONS = "/account/security/passkeys/options/"
ADD = "/account/security/passkeys/add/"
REMOVE = "/account/security/passkeys/remove/"
SIGN_IN = "/sign-in/passkey/"
SIGN_IN_OPTIONS = "/sign-in/passkey/options/"


def add(person: Person, **bend: Any) -> SoftPasskey:
    key = SoftPasskey()
    options = person.client.post(OPTIONS, {"for": "add"}).json()
    response = person.client.post(ADD, {"passkey": key.make(options, **bend)})
    assert response["Location"] == SECURITY
    return key


def sign_in(key: SoftPasskey, client: Client | None = None, **bend: Any) -> Client:
    client = client or Client()
    options = client.post(SIGN_IN_OPTIONS).json()
    client.post(SIGN_IN, {"passkey": key.sign(options, **bend)})
    return client


def is_in(client: Client) -> bool:
    return SESSION_KEY in client.session


@pytest.fixture
def key(michael: Person) -> SoftPasskey:
    return add(michael)


def test_a_passkey_is_added_and_signs_in_without_a_password(
    michael: Person, key: SoftPasskey
) -> None:
    row = Passkey.objects.get()
    assert row.user == michael.user
    assert QueuedMail.objects.filter(content__subject="A passkey was added").exists()
    client = sign_in(key)
    assert client.session[SESSION_KEY] == michael.user.pk
    row.refresh_from_db()
    assert row.used_at is not None


def test_it_signs_in_people_with_two_steps_without_a_code(
    michael: Person, key: SoftPasskey
) -> None:
    Authenticator.switch_on(michael.user, SECRET, 0, CODES)
    assert is_in(sign_in(key))
    client = give_password(michael)
    assert is_in(sign_in(key, client))


def test_as_a_second_step_only_ones_own_passkey_counts(michael: Person, adrian: Person) -> None:
    hers = add(adrian)
    Authenticator.switch_on(michael.user, SECRET, 0, CODES)
    client = give_password(michael)
    sign_in(hers, client)
    assert not is_in(client)
    assert client.get(CODE).status_code == 200


def test_signing_in_gives_the_session_a_new_key(key: SoftPasskey) -> None:
    client = Client()
    client.post(SIGN_IN_OPTIONS)
    before = client.session.session_key
    sign_in(key, client)
    assert is_in(client)
    assert client.session.session_key != before


@pytest.mark.parametrize(
    "bend",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://testserver.evil.example"},
        {"host": "evil.example"},
        {"verified": False},
    ],
    ids=["origin", "similar origin", "host", "not unlocked"],
)
def test_an_answer_for_another_site_or_a_locked_device_is_refused(
    michael: Person, key: SoftPasskey, bend: dict[str, Any]
) -> None:
    assert not is_in(sign_in(key, **bend))
    Passkey.objects.all().delete()
    add(michael, **bend)
    assert not Passkey.objects.exists()


def test_an_answer_works_once(key: SoftPasskey) -> None:
    client = Client()
    answer = key.sign(client.post(SIGN_IN_OPTIONS).json())
    client.post(SIGN_IN, {"passkey": answer})
    assert is_in(client)
    client.post("/sign-out/")
    client.post(SIGN_IN, {"passkey": answer})
    assert not is_in(client)


def test_an_answer_works_once_even_if_the_session_is_put_back(key: SoftPasskey) -> None:
    """As two requests at the same time would find it."""
    client = Client()
    answer = key.sign(client.post(SIGN_IN_OPTIONS).json())
    kept = client.session["passkey"]
    client.post(SIGN_IN, {"passkey": answer})
    other = Client()
    other.post(SIGN_IN_OPTIONS)
    session = other.session
    session["passkey"] = kept
    session.save()
    other.post(SIGN_IN, {"passkey": answer})
    assert not is_in(other)


def test_an_answer_to_the_challenge_of_another_session_is_refused(key: SoftPasskey) -> None:
    first, second = Client(), Client()
    answer = key.sign(first.post(SIGN_IN_OPTIONS).json())
    second.post(SIGN_IN_OPTIONS)
    second.post(SIGN_IN, {"passkey": answer})
    assert not is_in(second)


def test_an_answer_for_another_purpose_is_refused(michael: Person, key: SoftPasskey) -> None:
    answer = key.sign(michael.client.post(OPTIONS, {"for": "sudo"}).json())
    client = Client()
    client.post(SIGN_IN_OPTIONS)
    session = client.session
    session["passkey"] = michael.client.session["passkey"]
    session.save()
    client.post(SIGN_IN, {"passkey": answer})
    assert not is_in(client)


def test_a_challenge_is_good_for_five_minutes(key: SoftPasskey) -> None:
    client = Client()
    answer = key.sign(client.post(SIGN_IN_OPTIONS).json())
    session = client.session
    session["passkey"] = {**session["passkey"], "at": time.time() - 301}
    session.save()
    client.post(SIGN_IN, {"passkey": answer})
    assert not is_in(client)


def test_another_key_with_the_same_id_is_refused(key: SoftPasskey) -> None:
    forger = SoftPasskey()
    forger.id = key.id
    assert not is_in(sign_in(forger))


def test_an_unknown_passkey_is_refused(key: SoftPasskey) -> None:
    assert not is_in(sign_in(SoftPasskey()))


def test_a_counter_that_does_not_count_up_is_refused(key: SoftPasskey) -> None:
    key.counter = 5
    assert is_in(sign_in(key))
    assert not is_in(sign_in(key))
    key.counter = 6
    assert is_in(sign_in(key))


def test_a_person_who_was_switched_off_cannot_sign_in(michael: Person, key: SoftPasskey) -> None:
    User.objects.filter(pk=michael.user.pk).update(is_active=False)
    assert not is_in(sign_in(key))


NONSENSE = [
    "",
    "x",
    "[]",
    "null",
    "{}",
    "[" * 5000,
    '{"id": 1, "rawId": "AA", "response": {}}',
    "\0",
]


@pytest.mark.parametrize("answer", NONSENSE)
def test_nonsense_is_refused_with_a_sentence(
    michael: Person, key: SoftPasskey, answer: str
) -> None:
    client = Client()
    client.post(SIGN_IN_OPTIONS)
    response = client.post(SIGN_IN, {"passkey": answer}, follow=True)
    assert "The passkey was not accepted." in response.text
    assert not is_in(client)
    michael.client.post(OPTIONS, {"for": "add"})
    michael.client.post(ADD, {"passkey": answer})
    assert Passkey.objects.count() == 1


@pytest.mark.parametrize("name", ["clientDataJSON", "authenticatorData", "signature"])
@pytest.mark.parametrize("value", ["", "AA", "x" * 500, 7, None, {"a": 1}])
def test_a_broken_part_is_refused(key: SoftPasskey, name: str, value: Any) -> None:
    client = Client()
    answer = json.loads(key.sign(client.post(SIGN_IN_OPTIONS).json()))
    answer["response"][name] = value
    response = client.post(SIGN_IN, {"passkey": json.dumps(answer)})
    assert response.status_code == 302
    assert not is_in(client)


def test_the_options_before_signing_in_name_nobody(
    michael: Person, key: SoftPasskey, client: Client
) -> None:
    assert "allowCredentials" not in client.post(SIGN_IN_OPTIONS).json()["publicKey"]


def test_a_passkey_cannot_be_added_twice(michael: Person, key: SoftPasskey) -> None:
    options = michael.client.post(OPTIONS, {"for": "add"}).json()
    response = michael.client.post(ADD, {"passkey": key.make(options)}, follow=True)
    assert "added before" in response.text
    assert Passkey.objects.count() == 1


def test_a_person_cannot_add_more_than_the_most(
    michael: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passkeys, "MOST", 1)
    add(michael)
    options = michael.client.post(OPTIONS, {"for": "add"}).json()
    response = michael.client.post(ADD, {"passkey": SoftPasskey().make(options)}, follow=True)
    assert "You have the maximum number of passkeys." in response.text
    assert Passkey.objects.count() == 1


def test_a_press_that_only_gave_the_password_adds_nothing_and_says_what_to_do(
    michael: Person,
) -> None:
    response = michael.client.post(ADD, follow=True)
    assert "Now press Add Passkey once more." in response.text
    assert not Passkey.objects.exists()


def test_an_answer_without_a_passkey_in_it_adds_nothing(michael: Person) -> None:
    key = SoftPasskey()
    options = michael.client.post(OPTIONS, {"for": "add"}).json()
    client, data = key.data("webauthn.create", options)
    empty = AttestationObject.create("none", data, {})
    answer = key.answer(clientDataJSON=client, attestationObject=empty)
    response = michael.client.post(ADD, {"passkey": answer}, follow=True)
    assert "The passkey was not accepted." in response.text
    assert not Passkey.objects.exists()


def test_adding_asks_for_the_password_first(michael: Person) -> None:
    stale(michael.client)
    assert michael.client.post(OPTIONS, {"for": "add"}).status_code == 404
    assert QUESTION in michael.client.post(ADD).text


def test_removing_asks_for_the_password_and_removes_only_ones_own(
    michael: Person, adrian: Person, key: SoftPasskey
) -> None:
    row = Passkey.objects.get()
    assert adrian.client.post(REMOVE, {"passkey": row.pk}).status_code == 404
    assert QUESTION in stale(michael.client).post(REMOVE, {"passkey": row.pk}).text
    assert Passkey.objects.exists()


def test_a_passkey_replaces_the_password_where_it_is_asked_for_again(
    michael: Person, key: SoftPasskey, token: Token
) -> None:
    path = f"/integrations/tokens/{token.pk}/reveal/"
    page = stale(michael.client).post(path)
    assert "Use a Passkey" in page.text
    options = michael.client.post(OPTIONS, {"for": "sudo"}).json()
    response = michael.client.post(path, {"sudo_password": "", "sudo_passkey": key.sign(options)})
    assert QUESTION not in response.text
    assert michael.client.session["confirmed_by"] == "passkey"
    assert "Use a Passkey" not in stale(michael.client).get(SECURITY).text


def test_a_person_without_a_passkey_is_asked_for_the_password_alone(
    michael: Person, token: Token
) -> None:
    path = f"/integrations/tokens/{token.pk}/reveal/"
    page = stale(michael.client).post(path)
    assert QUESTION in page.text
    assert "Use a Passkey" not in page.text
    michael.client.post(path, {"sudo_password": PASSWORD})
    assert michael.client.session["confirmed_by"] == "password"


def test_only_fields_of_the_question_itself_are_not_carried(michael: Person) -> None:
    sent = {
        "name": ["a", "b"],
        "not_sudo_x": "c",
        "my_password": "d",
        "password_hint": "e",
        **dict.fromkeys(
            (
                *("csrfmiddlewaretoken", "sudo_password", "sudo_passkey"),
                *("password", "password1", "old_password", "new_password2"),
            ),
            "hidden",
        ),
    }
    request = RequestFactory().post("/", sent)
    request.user = michael.user
    form = sudo.ConfirmForm(request, "To try it", "Try")
    assert form.carried == [
        *(("name", value) for value in "ab"),
        *(("not_sudo_x", "c"), ("my_password", "d"), ("password_hint", "e")),
    ]


@pytest.mark.parametrize("answer", NONSENSE[1:])
def test_nonsense_does_not_replace_the_password(
    michael: Person, key: SoftPasskey, token: Token, answer: str
) -> None:
    stale(michael.client)
    michael.client.post(OPTIONS, {"for": "sudo"})
    response = michael.client.post(
        f"/integrations/tokens/{token.pk}/reveal/", {"sudo_password": "", "sudo_passkey": answer}
    )
    assert QUESTION in response.text


def test_the_passkey_of_somebody_else_does_not_replace_the_password(
    michael: Person, adrian: Person, token: Token, key: SoftPasskey
) -> None:
    hers = add(adrian)
    stale(michael.client)
    options = michael.client.post(OPTIONS, {"for": "sudo"}).json()
    response = michael.client.post(
        f"/integrations/tokens/{token.pk}/reveal/",
        {"sudo_password": "", "sudo_passkey": hers.sign(options)},
    )
    assert QUESTION in response.text


def test_challenges_before_signing_in_are_limited(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.limits.CHALLENGES", 3)
    assert [client.post(SIGN_IN_OPTIONS).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.post(SIGN_IN_OPTIONS, REMOTE_ADDR="192.0.2.7").status_code == 200

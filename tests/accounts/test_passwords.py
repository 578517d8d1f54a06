"""Which new passwords are refused, with what text, in every place where one can be set."""

import string
from collections.abc import Callable

import pytest
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.http import urlsafe_base64_encode
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from tests.conftest import Person
from tests.factories import PASSWORD

COMMON, PERSONAL, REGULAR = (
    "among the most common ones",
    "says little more than your name",
    "too regular",
)
GOOD = "correct horse battery"

WEAK = {
    "ten letters": "at least 12 characters",
    "x7!Kq" * 26: "at most 128 characters",
    # common passwords, unchanged and with small variations
    "password1234": COMMON,
    "Password2026!": COMMON,
    "P@ssw0rd2024!": COMMON,
    "!!passw0rd!!": COMMON,
    "ＰＡＳＳＷＯＲＤ1234": COMMON,
    "p.a.s.s.w.o.r.d.1": COMMON,
    "passwordpassword": COMMON,
    "drowssap12345": COMMON,
    "monkeydragon12": COMMON,
    "iloveyouforever": COMMON,
    "1qaz2wsx3edc4rfv": COMMON,
    "Summer2026!!!": COMMON,
    "Sunshine 2026 !": COMMON,
    # names of the person, the company and the product
    "michael@mightymicks.example": PERSONAL,
    "Goldmill.1990!": PERSONAL,
    "Michael.Goldmill1": PERSONAL,
    "llimdlogleahcim": PERSONAL,
    "m1ch43l-g0ldm1ll": PERSONAL,
    "MightyMicks2026!": PERSONAL,
    "Mighty Mick's LLC": PERSONAL,
    "MightyMicksLLC1": PERSONAL,
    "integrationsportal": PERSONAL,
    "Integrations-Portal-1": PERSONAL,
    # patterns
    "483920175638": REGULAR,
    "qzqzqzqzqzqzqz": REGULAR,
    "xyxyxyxyxyxy": REGULAR,
    "aaaabbbbccccd": REGULAR,
    "mnbvcxzlkjhgf": REGULAR,
    "zyxwvutsrqpo": REGULAR,
    "a1a1b2b2c3c3d": REGULAR,
    "!@#$%^&*()!@#": REGULAR,
    "🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑": REGULAR,
}


def errors(password: str, user: User | None = None) -> str:
    try:
        validate_password(password, user)
    except ValidationError as refused:
        return " ".join(refused.messages)
    return ""


@pytest.mark.parametrize(
    ("password", "words"), WEAK.items(), ids=[password[:30] for password in WEAK]
)
def test_a_weak_password_is_refused_in_words(michael: Person, password: str, words: str) -> None:
    assert words in errors(password, michael.user)


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        PASSWORD,
        "another-password-of-the-browser-tests",
        "Tr0ub4dor&3xyz",
        "mljdq8F2-wpzu",
        "Michael likes trams in the rain",
        "eine Reise nach Sankt Gallen",
        "пароль из четырёх слов",
        "x7!KqPw9zRt4",
        "Zb3$kfP0w9!q" * 10,
    ],
)
def test_a_good_one_is_taken(michael: Person, password: str) -> None:
    assert errors(password, michael.user) == ""


def test_a_password_can_be_checked_before_there_is_a_person(db: None) -> None:
    assert errors(GOOD) == ""
    assert PERSONAL in errors("integrationsportal")


def test_the_brand_of_the_installation_counts(michael: Person, settings: Settings) -> None:
    settings.BRAND = "Contoso Cloud Hub"
    assert PERSONAL in errors("ContosoCloudHub!7", michael.user)


@pytest.mark.parametrize(
    "password",
    [
        "4@8({[<369&#!1/|0$5+7%2/" * 5,
        "ab" * 64,
        string.printable[:94],
        "a" * 100_000,
        "aab" * 40_000,
    ],
)
def test_no_password_is_costly_to_judge(
    michael: Person, password: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Counts the steps, not the time: no look-up has more than 128 characters."""
    from accounts import passwords

    assert all(len(form) <= passwords.MOST for form in passwords.forms(password))
    with django_assert_max_num_queries(1):
        errors(password, michael.user)


# --- In every form --------------------------------------------------------------------------------


def change(michael: Person, password: str) -> bool:
    fields = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    return michael.client.post("/account/password/", fields).status_code == 302


def reset(michael: Person, password: str) -> bool:
    client = Client()
    user = urlsafe_base64_encode(michael.user.pk.encode())
    link = f"/account/reset/{user}/{default_token_generator.make_token(michael.user)}/"
    form = client.get(link, follow=True).redirect_chain[-1][0]
    return (
        client.post(form, {"new_password1": password, "new_password2": password}).status_code == 302
    )


def admin_changes(michael: Person, password: str) -> bool:
    page = f"/admin/accounts/user/{michael.user.pk}/password/"
    return (
        staff()
        .post(page, {"usable_password": "true", "password1": password, "password2": password})
        .status_code
        == 302
    )


def admin_creates(michael: Person, password: str) -> bool:
    empty = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    fields = {
        "email": "new@person.example",
        "name": "New",
        "usable_password": "true",
        "password1": password,
        "password2": password,
    }
    return staff().post("/admin/accounts/user/add/", {**fields, **empty}).status_code == 302


def create_superuser(michael: Person, password: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    try:
        call_command(
            "createsuperuser", "--no-input", email="root@portal.example", name="Root", verbosity=0
        )
    except CommandError:
        return False
    return User.objects.filter(email="root@portal.example").exists()


def staff() -> Client:
    from tests.conftest import confirmed

    client = Client()
    client.force_login(
        User.objects.create_superuser("admin@portal.example", name="Admin"),
        backend="accounts.backends.EmailBackend",
    )
    return confirmed(client)


@pytest.mark.parametrize(
    "place",
    [change, reset, admin_changes, admin_creates, create_superuser],
    ids=lambda place: place.__name__,
)
@pytest.mark.parametrize(
    ("password", "taken"),
    [(GOOD, True), ("short", False), ("P@ssw0rd2024!", False), ("Integrations-Portal-1", False)],
)
def test_each_place_where_a_password_is_set_refuses_weak_ones(
    michael: Person,
    place: Callable[..., bool],
    password: str,
    taken: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extra = (monkeypatch,) if place is create_superuser else ()
    assert place(michael, password, *extra) is taken


def test_a_password_without_end_is_refused_at_sign_in(client: Client, michael: Person) -> None:
    response = client.post("/sign-in/", {"username": michael.user.email, "password": "x" * 5000})
    assert response.status_code == 200
    assert "at most 4096 characters" in response.text

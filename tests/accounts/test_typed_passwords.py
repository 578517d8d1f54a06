"""No typed password is stored in plain text: not in a table, a session or the log."""

import importlib
from collections.abc import Callable, Iterator

import pytest
from django import forms
from django.db import connection
from django.forms import BaseForm
from django.test import Client

import accounts.admin
import accounts.forms
import accounts.sudo
from accounts.sessions import SessionStore
from tests.conftest import Person, Response
from tests.factories import PASSWORD
from tokens.models import Token

TYPED = "typed-by-mistake"
NEW = "never-to-be-kept"


def sign_in(michael: Person, client: Client, token: Token) -> Response:
    return client.post("/sign-in/", {"username": michael.user.email, "password": TYPED})


def sign_in_with_the_password_as_name(michael: Person, client: Client, token: Token) -> Response:
    return client.post("/sign-in/", {"username": TYPED, "password": NEW})


def change_password(michael: Person, client: Client, token: Token) -> Response:
    return michael.client.post(
        "/account/password/", {"old_password": TYPED, "new_password1": NEW, "new_password2": NEW}
    )


def view_key(michael: Person, client: Client, token: Token) -> Response:
    return michael.client.post(f"/integrations/tokens/{token.pk}/reveal/", {"password": TYPED})


# Every form with a password that is checked, and how to send it a wrong one. Add new forms here.
WRONG = {
    accounts.forms.SignInForm: (sign_in, sign_in_with_the_password_as_name),
    accounts.forms.NewPasswordForm: (change_password,),
    accounts.sudo.ConfirmForm: (view_key,),
}


def subclasses(form: type[BaseForm]) -> Iterator[type[BaseForm]]:
    for subclass in form.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


def asks_for_a_password(form: type[BaseForm]) -> bool:
    return any(
        isinstance(field.widget, forms.PasswordInput) and not name.startswith("new_password")
        for name, field in getattr(form, "base_fields", {}).items()
    )


def test_every_form_that_asks_for_a_password_is_in_the_table() -> None:
    ours = {
        form
        for form in subclasses(forms.BaseForm)
        if form.__module__.split(".")[0] in {"portal", "accounts", "activity", "tokens", "modules"}
    }
    assert {form for form in ours if asks_for_a_password(form)} - {
        accounts.admin.UserCreationForm
    } == set(WRONG)


def test_passwords_are_checked_in_one_place(pytestconfig: pytest.Config) -> None:
    """A password that the backend does not check is not counted."""
    files = [
        path
        for app in ("portal", "accounts", "activity", "tokens", "modules")
        for path in (pytestconfig.rootpath / app).rglob("*.py")
    ]
    checking = {
        path.name
        for path in files
        if ".check_password(" in path.read_text() and "commands" not in path.parts
    }
    assert checking == {"backends.py"}


def everything_kept() -> Iterator[str]:
    """Return the rows of every table as text, with sessions decoded."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 (names of our own tables)
            yield from map(str, cursor.fetchall())
        cursor.execute("SELECT session_data FROM accounts_session")
        yield from (str(SessionStore().decode(data)) for (data,) in cursor.fetchall())


@pytest.mark.parametrize(
    "send", [send for sends in WRONG.values() for send in sends], ids=lambda send: send.__name__
)
def test_a_mistyped_password_is_kept_nowhere(
    michael: Person,
    token: Token,
    caplog: pytest.LogCaptureFixture,
    send: Callable[[Person, Client, Token], Response],
) -> None:
    client = Client()
    for _ in range(6):
        assert send(michael, client, token).status_code in {200, 302, 429}
    for kept in (*everything_kept(), caplog.text):
        assert TYPED not in kept
        assert NEW not in kept
        assert PASSWORD not in kept


@pytest.mark.django_db(transaction=True)
def test_what_django_axes_kept_is_wiped() -> None:
    """The tables of an earlier version held what was posted along with a mistyped password."""
    migration = importlib.import_module("accounts.migrations.0003_drop_axes")
    with connection.cursor() as cursor:
        for table in migration.TABLES:
            cursor.execute(f"CREATE TABLE {table} (post_data text)")
            # Names of the migration.
            cursor.execute(f"INSERT INTO {table} VALUES (%s)", [f"new_password1={NEW}"])  # noqa: S608
    with connection.schema_editor(atomic=False) as editor:
        from django.apps import apps

        migration.drop_tables(apps, editor)
    assert not [
        table for table in connection.introspection.table_names() if table.startswith("axes")
    ]
    if connection.vendor == "sqlite":
        for suffix in ("", "-wal"):
            with open(f"{connection.settings_dict['NAME']}{suffix}", "rb") as file:
                assert NEW.encode() not in file.read()

"""Sessions belong to a person, and a person can have only so many."""

import importlib
import time

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session as DjangoSession
from django.test import Client
from pytest_django import Settings

from accounts.models import Session
from tests.conftest import Person
from tests.factories import PASSWORD

LIST = "/integrations/tokens/"


def sign_in(person: Person) -> Client:
    client = Client()
    assert (
        client.post("/sign-in/", {"username": person.user.email, "password": PASSWORD}).status_code
        == 302
    )
    return client


def is_signed_in(client: Client) -> bool:
    return client.get(LIST).status_code == 200


def test_one_session_more_than_allowed_ends_the_oldest(
    michael: Person, adrian: Person, settings: Settings
) -> None:
    settings.SESSIONS_PER_PERSON = 3
    adrian_s, first, second, third = (
        sign_in(adrian),
        sign_in(michael),
        sign_in(michael),
        sign_in(michael),
    )
    assert all(map(is_signed_in, (first, second, third)))
    fourth = sign_in(michael)
    assert not is_signed_in(first)
    assert all(map(is_signed_in, (second, third, fourth, adrian_s)))
    assert michael.user.sessions.count() == 3


def test_the_oldest_is_the_one_that_was_signed_in_first_however_much_it_is_used(
    michael: Person, settings: Settings
) -> None:
    settings.SESSIONS_PER_PERSON = 2
    first, _second = sign_in(michael), sign_in(michael)
    session = first.session
    session["seen_at"] = int(time.time()) - 120
    session.save()
    assert is_signed_in(first)
    sign_in(michael)
    assert not is_signed_in(first)


def test_every_way_to_sign_in_counts(michael: Person, settings: Settings) -> None:
    """Including those without one of our forms: the session itself knows its person."""
    settings.SESSIONS_PER_PERSON = 1
    client = Client()
    client.force_login(michael.user, backend="accounts.backends.EmailBackend")
    assert list(michael.user.sessions.values_list("pk", flat=True)) == [client.session.session_key]
    assert not is_signed_in(michael.client)


def test_a_new_password_leaves_one_session(michael: Person) -> None:
    fields = {
        "old_password": PASSWORD,
        "new_password1": "correct horse battery",
        "new_password2": "correct horse battery",
    }
    michael.client.post("/account/password/", fields)
    assert is_signed_in(michael.client)
    assert michael.user.sessions.get().pk == michael.client.session.session_key


def test_signing_out_leaves_none(michael: Person) -> None:
    michael.client.post("/sign-out/")
    assert not michael.user.sessions.exists()


def test_a_session_of_nobody_counts_for_nobody(
    client: Client, michael: Person, settings: Settings
) -> None:
    settings.SESSIONS_PER_PERSON = 1
    session = client.session
    session["ended"] = True
    session.save()
    assert Session.objects.get(pk=session.session_key).user is None
    assert is_signed_in(michael.client)


@pytest.mark.django_db
def test_sessions_of_an_earlier_version_go_on(michael: Person) -> None:
    key = michael.client.session.session_key
    assert key
    row = Session.objects.get(pk=key)
    DjangoSession.objects.create(
        session_key=key, session_data=row.session_data, expire_date=row.expire_date
    )
    Session.objects.all().delete()
    importlib.import_module("accounts.migrations.0004_sessions_of_people").move(apps, None)
    assert is_signed_in(michael.client)
    assert Session.objects.get(pk=key).user == michael.user
    assert not DjangoSession.objects.exists()

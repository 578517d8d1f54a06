"""What is kept of a form helps no attacker."""

from collections.abc import Iterator

import pytest
from django import forms
from django.forms import BaseForm
from django.test import Client
from django.urls import get_resolver
from pytest_django import Settings

from accounts import limits
from accounts.models import Account, Session
from tests.conftest import Person
from tests.factories import TokenFactory
from tests.portal.test_typed import LIST, NEW
from tests.portal.typed import (
    HOST,
    SIGN_IN,
    Tab,
    browser,
    cookie_gone,
    idle,
    sign_in,
    signed_in_anew,
)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": HOST, "sec-fetch-site": "cross-site"},
        {"origin": HOST, "sec-fetch-site": "same-site"},
        {"origin": "http://[", "referer": "http://["},
    ],
)
def test_another_site_fills_no_form(
    signed_in: Client, michael: Person, headers: dict[str, str]
) -> None:
    owner = Tab(signed_in, NEW).hidden["page_of"]
    answer = signed_in.post(NEW, {"name": "From elsewhere", "page_of": owner}, headers=headers)
    assert answer.status_code == 403
    assert "From elsewhere" not in signed_in.get(NEW).text


@pytest.mark.parametrize("owner", ["", "x", "UR-1/PA-1", "UR-1/PA-1:forged", "\x00"])
@pytest.mark.parametrize(
    "headers", [{"origin": HOST}, {"origin": HOST, "sec-fetch-site": "same-origin"}]
)
def test_nothing_is_kept_for_a_page_that_we_did_not_make(
    signed_in: Client, owner: str, headers: dict[str, str]
) -> None:
    for client in (signed_in, browser()):
        answer = client.post(NEW, {"name": "From elsewhere", "page_of": owner}, headers=headers)
        assert answer.status_code == 403
        assert "typed" not in client.session


def test_a_stranger_makes_no_session(db: None) -> None:
    client = browser()
    client.post(NEW, {"name": "x"}, headers={"origin": HOST})
    client.post("/account/", {"name": "x"})
    assert "session" not in client.cookies


def test_the_mark_of_a_page_lasts_as_long_as_a_session(
    signed_in: Client, michael: Person, settings: Settings
) -> None:
    tab = Tab(signed_in, NEW)
    cookie_gone(signed_in, michael.user)
    settings.SESSION_HOURS = -1
    tab.send({"name": "From long ago"})
    assert "session" not in signed_in.cookies


def test_nothing_is_kept_for_somebody_who_may_not_sign_in(
    signed_in: Client, michael: Person
) -> None:
    tab = Tab(signed_in, NEW)
    cookie_gone(signed_in, michael.user)
    michael.user.is_active = False
    michael.user.save()
    tab.send({"name": "From somebody switched off"})
    assert "session" not in signed_in.cookies


@pytest.mark.parametrize("page", ["//[", "http://[", "", "\0", "/" * 5000])
def test_starting_over_takes_any_page(signed_in: Client, page: str) -> None:
    tab = Tab(signed_in, NEW)
    assert tab.send({"page": page, "next": page}, "/start-over/").status_code in {302, 400}


def test_the_size_and_the_number_of_kept_forms_are_bounded(
    signed_in: Client, michael: Person, account: Account
) -> None:
    tokens = [TokenFactory(account=account) for _ in range(8)]
    tabs = [Tab(signed_in, f"{LIST}{token.pk}/edit/") for token in tokens]
    big = Tab(signed_in, NEW)
    signed_in_anew(signed_in, michael.user)
    for tab in tabs:
        tab.send({"description": "y" * 4000})
    assert big.send({"description": "z" * 100_000})["Location"] == NEW
    kept = signed_in.session["typed"]
    assert list(kept) == [tab.path for tab in tabs[-4:]]
    assert len(str(kept)) < 4 * 17 * 1024


def test_the_sessions_that_keep_forms_of_nobody_are_bounded_for_each_network(
    signed_in: Client, michael: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody who was once signed in could send a page's form forever, always as a new browser."""
    monkeypatch.setattr(limits, "KEPT_FORMS", 3)
    mark = Tab(signed_in, NEW).hidden["page_of"]

    def send(address: str, form: str) -> Client:
        client = Client()
        client.post(
            NEW, {"name": form, "page_of": mark}, headers={"origin": HOST}, REMOTE_ADDR=address
        )
        return client

    before = Session.objects.count()
    clients = [send("192.0.2.1", f"Form {number}") for number in range(6)]
    assert Session.objects.count() == before + 3
    # It is the sign-in page anyway, and a form from another network is kept.
    assert clients[-1].get(SIGN_IN).status_code == 200
    send("198.51.100.7", "From elsewhere")
    assert Session.objects.count() == before + 4
    # A browser that already has a session for its forms needs no other.
    clients[0].post(
        LIST + "new/",
        {"name": "Once more", "page_of": mark},
        headers={"origin": HOST},
        REMOTE_ADDR="192.0.2.1",
    )
    assert "Once+more" in str(dict(clients[0].session))


@pytest.mark.parametrize(
    "referer",
    [
        "https://evil.example/x",
        f"{HOST}//evil.example/",
        "http://[",
        "javascript:alert(1)",
        f"{HOST}.evil.example/",
    ],
)
def test_the_way_back_never_leaves_the_portal(
    signed_in: Client, michael: Person, referer: str
) -> None:
    tab = Tab(signed_in, NEW)
    idle(signed_in, michael.user)
    answer = tab.send({"name": "x"}, referer=referer)
    assert answer["Location"] == f"{SIGN_IN}?next=/"


def test_signing_in_makes_a_new_session_also_when_something_was_kept(
    signed_in: Client, michael: Person
) -> None:
    tab = Tab(signed_in, NEW)
    idle(signed_in, michael.user)
    answer = tab.send({"name": "x"})
    anonymous = signed_in.session.session_key
    sign_in(signed_in, michael.user, answer["Location"])
    assert signed_in.session.session_key != anonymous
    assert anonymous
    assert not Client().session.exists(anonymous)


def test_signing_out_forgets_everything_that_was_typed(signed_in: Client, michael: Person) -> None:
    tab = Tab(signed_in, NEW)
    signed_in_anew(signed_in, michael.user)
    tab.send({"name": "Nightly sync"})
    Tab(signed_in, "/account/").send({}, "/sign-out/")
    sign_in(signed_in, michael.user)
    assert "Nightly sync" not in signed_in.get(NEW).text


def test_every_field_for_a_password_has_a_name_that_is_never_kept() -> None:
    from portal import typed

    assert get_resolver().url_patterns, "every form class is loaded with the views"

    def subclasses(kind: type[BaseForm]) -> Iterator[type[BaseForm]]:
        for each in kind.__subclasses__():
            yield each
            yield from subclasses(each)

    fields = {
        name
        for form in subclasses(forms.BaseForm)
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field.widget, forms.PasswordInput)
    }
    assert {"password", "old_password", "new_password1"} <= fields
    assert all(any(part in name for part in typed.NEVER) for name in fields)

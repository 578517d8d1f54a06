"""Typed input is never lost, whatever happened to the session.

And it never reaches anybody else.
"""

import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django import forms
from django.forms import BaseForm
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from pytest_django import Settings

from accounts import limits
from accounts.models import Account, Invitation, Membership, Session, User
from tests.conftest import Person, Response, person
from tests.factories import CUSTOM, PASSWORD, ZAPIER, MembershipFactory, TokenFactory
from tests.matching import matched
from tests.portal.test_routes import FORMS as POSTS
from tests.portal.test_routes import rule_of
from tokens.catalog import Module
from tokens.models import IPRule, Policy, Token, TokenDraft

HOST = "http://testserver"
SIGN_IN = "/sign-in/"
LIST = "/integrations/tokens/"
NEW = f"{LIST}new/"
RULES = "/integrations/ip-rules/"
IN_THE_FORM = "What you typed is in the form. Nothing was saved yet."
NOT_DONE = "What you pressed was not done."


class Hidden(HTMLParser):
    """A parser for the hidden fields that every form of a page has in common."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str | None] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if tag == "input" and name in {"csrfmiddlewaretoken", "page_of", "version"}:
            self.fields[name] = given.get("value", "")


class Tab:
    """A page in a browser, which sends its hidden fields and its URL as browsers do.

    Tabs of one browser share the client.
    """

    def __init__(self, client: Client, path: str) -> None:
        self.client = client
        self.path = path
        self.answer = client.get(path)
        self.hidden = Hidden(self.answer.text).fields

    def send(
        self, fields: dict[str, Any], path: str | None = None, origin: str = HOST, **headers: str
    ) -> Response:
        headers = {"origin": origin, "referer": f"{HOST}{self.path}", **headers}
        return self.client.post(path or self.path, {**self.hidden, **fields}, headers=headers)


def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def sign_in(client: Client, user: User, path: str = SIGN_IN) -> Response:
    """Sign in as the open page says; return the response after that."""
    tab = Tab(client, path)
    answer = tab.send(
        {
            "username": user.email,
            "password": PASSWORD,
            "next": matched(r'name="next" value="([^"]*)"', tab.answer.text)[1],
        }
    )
    assert answer.status_code == 302, answer.text
    return client.get(answer["Location"])


def put(client: Client, **values: object) -> None:
    session = client.session
    session.update(values)
    session.save()


def stored() -> list[Any]:
    return [
        list(Token.objects.order_by("pk").values()),
        list(TokenDraft.objects.order_by("pk").values()),
        list(IPRule.objects.order_by("pk").values()),
        list(Invitation.objects.order_by("pk").values()),
        list(Policy.objects.order_by("pk").values()),
        list(Membership.objects.order_by("pk").values()),
        list(Account.objects.order_by("pk").values()),
        list(
            User.objects.order_by("pk").values("pk", "name", "time_zone", "password", "preferences")
        ),
    ]


# --- How a form can fail to get through -----------------------------------------------------------


def idle(client: Client, user: User) -> None:
    put(client, seen_at=int(time.time()) - 31 * 60)


def too_old(client: Client, user: User) -> None:
    put(client, signed_in_at=int(time.time()) - 13 * 3600)


def ended_on_the_server(client: Client, user: User) -> None:
    client.session.flush()


def cookie_gone(client: Client, user: User) -> None:
    del client.cookies["session"]


def all_cookies_gone(client: Client, user: User) -> None:
    client.cookies.clear()


def signed_in_anew(client: Client, user: User) -> None:
    """Sign out and in again in another tab.

    This invalidates the CSRF tokens of every open page.
    """
    Tab(client, "/account/").send({}, "/sign-out/")
    sign_in(client, user)


FAULTS = (idle, too_old, ended_on_the_server, cookie_gone, all_cookies_gone, signed_in_anew)

# Form page -> what is typed, and how the page shows it. `{token}` and `{draft}` are a token and a
# run of the wizard.
PAGES: dict[str, tuple[str, dict[str, Any], str]] = {
    "accounts:profile": (
        "/account/",
        {"name": "Mickey the <b>First</b>", "time_zone": "Europe/Madrid"},
        'value="Mickey the &lt;b&gt;First&lt;/b&gt;"',
    ),
    "tokens:new": (
        NEW,
        {"name": "Nightly sync", "description": "Two\nlines"},
        'value="Nightly sync"',
    ),
    "tokens:draft general": (
        f"{NEW}{{draft}}/general/",
        {"name": "Renamed", "external_id": "erp-7"},
        'value="erp-7"',
    ),
    "tokens:draft extension": (
        f"{NEW}{{draft}}/extension/",
        {"extension": ZAPIER},
        f'value="{ZAPIER}" checked',
    ),
    "tokens:draft permissions": (
        f"{NEW}{{draft}}/permissions/",
        {"modules": [Module.USAGE, Module.PRICING]},
        f'value="{Module.PRICING.value}" checked',
    ),
    "tokens:edit": (
        f"{LIST}{{token}}/edit/",
        {"name": "Edited", "modules": [Module.USAGE]},
        'value="Edited"',
    ),
    "tokens:extend": (
        f"{LIST}{{token}}/extend/",
        {"expires": "365"},
        '<option value="365" selected>',
    ),
    "rules:add": (
        f"{RULES}add/",
        {"name": "Branch office", "kind": "range", "first": "203.0.113.0", "last": "203.0.113.9"},
        'value="Branch office"',
    ),
    "rules:edit": (
        f"{RULES}{{rule}}/edit/",
        {"name": "Head office, old", "kind": "single", "first": "127.0.0.1"},
        'value="Head office, old"',
    ),
    "tokens:add_ip_rule": (
        f"{LIST}{{token}}/ip-rules/add/",
        {"name": "ERP servers", "kind": "single", "first": "203.0.113.24"},
        'value="ERP servers"',
    ),
    "accounts:people": (
        "/account/people/",
        {"email": "paulie@meat.example", "role": "member"},
        'value="paulie@meat.example"',
    ),
    "tokens:policies": (
        "/integrations/policies/",
        {"ends": "on", "most_days": "3377"},
        'value="3377"',
    ),
}
# URL of a button -> the page with the button, and what it sends.
BUTTONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "accounts:switch": ("/account/switch/", "/account/", {"account": "PA-000-000"}),
    "tokens:save_layout": (
        f"{LIST}layout/",
        LIST,
        {"columns_sent": "1", "columns": ["expires"], "next": LIST},
    ),
    "tokens:save_permissions_layout": (
        f"{LIST}{{token}}/permissions/layout/",
        f"{LIST}{{token}}/permissions/",
        {"columns_sent": "1", "columns": ["status"]},
    ),
    "rules:save_layout": (f"{RULES}layout/", RULES, {"sort": "-name", "next": RULES}),
    "rules:delete": (f"{RULES}{{rule}}/delete/", f"{RULES}{{rule}}/delete/", {}),
    "activity:save_layout": (
        "/integrations/activity/layout/",
        "/integrations/activity/",
        {"sort": "when"},
    ),
    "activity:check": ("/integrations/activity/check/", "/integrations/activity/", {}),
    "activity:export": ("/integrations/activity/export/", "/integrations/activity/", {}),
    **{
        f"tokens:{name}_calendar": (
            f"/integrations/calendar/{name}/",
            "/integrations/calendar/",
            {},
        )
        for name in ("renew", "withdraw")
    },
    "tokens:dismiss_reminders": (
        f"{LIST}reminders/dismiss/",
        LIST,
        {"newest": "1", "next": LIST},
    ),
    "tokens:restore": (f"{LIST}{{token}}/restore/", LIST, {"next": LIST}),
    "tokens:destroy_copy": (
        f"{LIST}{{token}}/key/destroy/",
        f"{LIST}{{token}}/key/destroy/",
        {},
    ),
    "tokens:reveal": (
        f"{LIST}{{token}}/reveal/",
        f"{LIST}{{token}}/",
        {"page": "detail", "password": "hunter2 and more"},
    ),
    "tokens:copy": (
        f"{LIST}{{token}}/copy/",
        f"{LIST}{{token}}/",
        {"page": "detail", "password": "hunter2 and more"},
    ),
    "tokens:disable": (
        f"{LIST}{{token}}/disable/",
        f"{LIST}?sort=label",
        {"next": f"{LIST}?sort=label"},
    ),
    "tokens:enable": (
        f"{LIST}{{token}}/enable/",
        f"{LIST}{{token}}/",
        {"next": f"{LIST}{{token}}/"},
    ),
    "tokens:delete": (f"{LIST}{{token}}/delete/", f"{LIST}{{token}}/delete/", {"next": LIST}),
    "tokens:new_key": (
        f"{LIST}{{token}}/key/new/",
        f"{LIST}{{token}}/key/new/",
        {"what": "rotate", "version": "1", "password": "hunter2 and more"},
    ),
    **{
        f"tokens:{name}": (f"{LIST}{{token}}/key/{path}/", f"{LIST}{{token}}/", {})
        for name, path in {
            "extend_key": "extend",
            "retire_key": "retire",
            "rehearse_key": "rehearse",
            "end_rehearsal": "rehearse/end",
            "cancel_renewal": "cancel",
        }.items()
    },
    **{
        f"accounts:{name}": (f"{page}{path}/", page, {})
        for page, paths in {
            "/account/security/": {
                "add_passkey": "passkeys/add",
                "download_codes": "codes/download",
                "end_others": "end-others",
                "end_session": "end",
                "passkey_options": "passkeys/options",
                "remove_passkey": "passkeys/remove",
                "switch_off_two_step": "two-step/off",
            },
            "/account/notifications/": {"test_mail": "test"},
            "/account/people/": {
                "change_role": "role",
                "remove_member": "remove",
                "withdraw_invitation": "withdraw",
            },
        }.items()
        for name, path in paths.items()
    },
    "accounts:notifications": (
        "/account/notifications/",
        "/account/notifications/",
        {"key": "now"},
    ),
    "accounts:set_up_two_step": (
        "/account/security/two-step/",
        "/account/security/two-step/",
        {"code": "123456", "secret_draft": "hunter2"},
    ),
    "accounts:password_change": (
        "/account/password/",
        "/account/password/",
        {
            "old_password": "hunter2 and more",
            "new_password1": "hunter2 anew and more",
            "new_password2": "hunter2 anew and more",
        },
    ),
}
# Nothing is typed there, or nobody has to be signed in, or the page is not ours.
OTHERS = {
    "accounts:sign_in",
    "accounts:second_step",
    "accounts:passkey_sign_in",
    "accounts:passkey_sign_in_options",
    "accounts:invitation",
    "accounts:join",
    # Without two-step sign-in, its page leads elsewhere.
    "accounts:spare_codes",
    "accounts:sign_out",
    "accounts:theme",
    "accounts:password_reset",
    "accounts:password_reset_confirm",
    "admin_sign_in",
    "accounts:session",
    "portal:start_over",
}


def test_every_form_has_a_row() -> None:
    takes_posts = {route for route, answers in POSTS.items() if answers[2] != 405}
    assert takes_posts == {route.split()[0] for route in PAGES} | set(BUTTONS) | OTHERS


@pytest.fixture
def places(michael: Person, token: Token) -> dict[str, Any]:
    draft = TokenDraft.objects.create(
        account=michael.account, owner=michael.user, name="Draft", extension_id=CUSTOM
    )
    # Only a token that expires can be extended.
    Token.objects.update(expires_at=timezone.now() + timedelta(days=9))
    # A looser policy is saved without being asked.
    Policy.put(michael.account.pk, {"most_days": 3000})
    return {"token": token.pk, "draft": draft.pk, "rule": rule_of(token).pk}


@pytest.fixture
def signed_in(michael: Person) -> Client:
    client = browser()
    sign_in(client, michael.user)
    put(client, confirmed_at=0)
    return client


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("form", PAGES)
def test_a_form_that_did_not_get_through_comes_back_with_its_text(
    signed_in: Client,
    michael: Person,
    places: dict[str, Any],
    form: str,
    fault: Callable[[Client, User], None],
) -> None:
    path, typed, shown = PAGES[form]
    path = path.format(**places)
    tab = Tab(signed_in, path)
    assert shown not in tab.answer.text
    fault(signed_in, michael.user)
    before = stored()
    answer = tab.send(typed)
    if fault is signed_in_anew:
        assert answer["Location"] == path
        page = signed_in.get(path)
    else:
        assert answer["Location"] == f"{SIGN_IN}?next={path}"
        page = sign_in(signed_in, michael.user, answer["Location"])
    for text in (shown, IN_THE_FORM):
        assert text in page.text
    assert stored() == before
    # Pressed again, it is saved, and the kept input is gone.
    again = Tab(signed_in, path)
    assert again.send(typed).status_code == 302
    assert stored() != before
    assert IN_THE_FORM not in signed_in.get(path, follow=True).text


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("button", BUTTONS)
def test_a_press_that_did_not_get_through_is_told_and_not_done(
    signed_in: Client,
    michael: Person,
    places: dict[str, Any],
    button: str,
    fault: Callable[[Client, User], None],
) -> None:
    path, page, sent = BUTTONS[button]
    path, page = path.format(**places), page.format(**places)
    sent = {
        name: value.format(**places) if isinstance(value, str) else value
        for name, value in sent.items()
    }
    tab = Tab(signed_in, page)
    fault(signed_in, michael.user)
    before = stored()
    answer = tab.send(sent, path)
    assert "hunter2" not in str(dict(signed_in.session))
    shown = (
        signed_in.get(page)
        if fault is signed_in_anew
        else sign_in(signed_in, michael.user, answer["Location"])
    )
    assert shown.request["PATH_INFO"] == page.split("?")[0]
    assert NOT_DONE in shown.text
    assert ("Try Again" in shown.text) == (path != page)
    assert "hunter2" not in shown.text
    assert stored() == before
    assert NOT_DONE not in signed_in.get(page).text


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("form", PAGES)
def test_another_person_who_signs_in_then_meets_nothing_of_it(
    signed_in: Client,
    michael: Person,
    adrian: Person,
    places: dict[str, Any],
    form: str,
    fault: Callable[[Client, User], None],
) -> None:
    path, typed, shown = PAGES[form]
    path = path.format(**places)
    tab = Tab(signed_in, path)
    if fault is signed_in_anew:
        fault(signed_in, adrian.user)
    else:
        fault(signed_in, michael.user)
    before = stored()
    answer = tab.send(typed)
    if fault is not signed_in_anew:
        sign_in(signed_in, adrian.user, answer["Location"])
    page = signed_in.get(path)
    assert shown not in page.text
    assert IN_THE_FORM not in page.text
    assert "typed" not in signed_in.session or signed_in.session["typed"] == {}
    if fault is signed_in_anew:
        assert f"You are signed in as {adrian.user.email}." in page.text
    assert stored() == before


def test_a_button_pressed_by_htmx_is_sent_to_sign_in_and_told_after_it(
    signed_in: Client, michael: Person, token: Token
) -> None:
    tab = Tab(signed_in, f"{LIST}?sort=label")
    idle(signed_in, michael.user)
    htmx = {"hx-request": "true", "hx-current-url": f"{HOST}{LIST}?sort=label"}
    answer = tab.send({"next": LIST}, f"{LIST}{token.pk}/disable/", **htmx)
    assert answer["HX-Redirect"] == f"{SIGN_IN}?next={LIST}%3Fsort%3Dlabel"
    assert NOT_DONE in sign_in(signed_in, michael.user, answer["HX-Redirect"]).text


def test_try_again_does_what_was_pressed(signed_in: Client, michael: Person, token: Token) -> None:
    tab = Tab(signed_in, LIST)
    signed_in_anew(signed_in, michael.user)
    tab.send({"columns_sent": "1", "columns": ["expires"], "next": LIST}, f"{LIST}layout/")
    page = Tab(signed_in, LIST)
    assert f'action="{LIST}layout/"' in page.answer.text
    for field in (
        'name="columns_sent" value="1"',
        'name="columns" value="expires"',
        f'name="next" value="{LIST}"',
    ):
        assert f'<input type="hidden" {field}>' in page.answer.text


def test_start_over_forgets_what_was_kept(signed_in: Client, michael: Person) -> None:
    tab = Tab(signed_in, NEW)
    signed_in_anew(signed_in, michael.user)
    tab.send({"name": "Nightly sync"})
    page = Tab(signed_in, NEW)
    assert "Nightly sync" in page.answer.text
    # Shown again after a reload: it is kept until it is saved or discarded.
    assert "Nightly sync" in signed_in.get(NEW).text
    assert page.send({"page": NEW, "next": NEW}, "/start-over/")["Location"] == NEW
    assert "Nightly sync" not in signed_in.get(NEW).text


def test_two_tabs_that_missed_the_end_of_the_session_both_get_their_text_back(
    signed_in: Client, michael: Person, token: Token
) -> None:
    one, two = Tab(signed_in, NEW), Tab(signed_in, f"{LIST}{token.pk}/edit/")
    idle(signed_in, michael.user)
    first = one.send({"name": "Tab one"})
    two.send({"name": "Tab two"})
    assert 'value="Tab one"' in sign_in(signed_in, michael.user, first["Location"]).text
    assert 'value="Tab two"' in signed_in.get(two.path).text


# --- Attacks --------------------------------------------------------------------------------------


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


# --- The sign-in page itself ----------------------------------------------------------------------


def test_two_tabs_at_the_sign_in_page_both_lead_into_the_portal(michael: Person) -> None:
    client = browser()
    one, two = Tab(client, SIGN_IN), Tab(client, f"{SIGN_IN}?next={LIST}%3Fpage%3D2")
    fields = {"username": michael.user.email, "password": PASSWORD}
    assert one.send(fields)["Location"] == LIST
    answer = two.send({**fields, "next": f"{LIST}?page=2"})
    assert answer["Location"] == f"{LIST}?page=2"
    assert "You are signed in as" not in client.get(answer["Location"]).text


def test_a_second_tab_with_another_name_says_who_is_in(michael: Person, adrian: Person) -> None:
    client = browser()
    one, two = Tab(client, SIGN_IN), Tab(client, SIGN_IN)
    one.send({"username": michael.user.email, "password": PASSWORD})
    answer = two.send({"username": adrian.user.email, "password": PASSWORD})
    assert answer["Location"] == LIST
    page = client.get(LIST).text
    assert f"You are signed in as {michael.user.email}." in page
    assert "Distributor - Michael Goldmill" in page


@pytest.mark.parametrize(("path", "name"), [(SIGN_IN, "username"), ("/account/reset/", "email")])
def test_a_stale_page_for_nobody_comes_back_with_the_address_and_a_new_token(
    db: None, path: str, name: str
) -> None:
    client = browser()
    tab = Tab(client, path)
    client.cookies.clear()
    answer = tab.send({name: "someone@company.example", "password": "hunter2 and more"})
    assert answer.status_code == 200
    assert 'value="someone@company.example"' in answer.text
    assert "hunter2 and more" not in answer.text
    assert "This page was too old." in answer.text
    assert Hidden(answer.text).fields["csrfmiddlewaretoken"]
    assert "session" not in client.cookies


def test_a_stale_button_of_a_page_for_nobody_leads_back_to_it(db: None) -> None:
    client = browser()
    tab = Tab(client, SIGN_IN)
    client.cookies.clear()
    assert tab.send({"theme": "dark"}, "/account/theme/").status_code == 302


# --- Another account ------------------------------------------------------------------------------


@pytest.fixture
def switched(signed_in: Client, michael: Person, stranger: Person) -> Callable[[Account], None]:
    """Give Michael a second account; return a function that switches to it in another tab."""
    MembershipFactory(user=michael.user, account=stranger.account)

    def switch(account: Account) -> None:
        Tab(signed_in, "/account/").send({"account": account.pk}, "/account/switch/")

    switch(michael.account)
    return switch


@pytest.mark.parametrize("form", [form for form in PAGES if form != "accounts:profile"])
def test_a_form_of_another_account_does_nothing_and_offers_the_way_back(
    signed_in: Client,
    michael: Person,
    stranger: Person,
    places: dict[str, Any],
    switched: Callable[[Account], None],
    form: str,
) -> None:
    path, typed, shown = PAGES[form]
    path = path.format(**places)
    tab = Tab(signed_in, path)
    switched(stranger.account)
    before = stored()
    assert tab.send(typed)["Location"] == path
    page = Tab(signed_in, path)
    assert f"You now act for {stranger.account.name}." in page.answer.text
    assert (
        "The page you used was for Mighty Mick&#x27;s LLC. Nothing was changed." in page.answer.text
    )
    assert "Switch Back to Mighty Mick&#x27;s LLC" in page.answer.text
    assert stored() == before
    switched(michael.account)
    assert shown in signed_in.get(path).text


@pytest.mark.parametrize("button", [button for button in BUTTONS if button.startswith("tokens:")])
def test_a_button_of_another_account_does_nothing_and_offers_the_way_back(
    signed_in: Client,
    stranger: Person,
    places: dict[str, Any],
    switched: Callable[[Account], None],
    button: str,
) -> None:
    path, page, sent = BUTTONS[button]
    path, page = path.format(**places), page.format(**places)
    tab = Tab(signed_in, page)
    switched(stranger.account)
    before = stored()
    answer = tab.send(sent, path)
    assert answer["Location"] == page
    assert f"You now act for {stranger.account.name}." in signed_in.get(page).text
    assert stored() == before


def test_what_is_of_the_person_works_whichever_account_they_act_for(
    signed_in: Client, michael: Person, stranger: Person, switched: Callable[[Account], None]
) -> None:
    tab = Tab(signed_in, "/account/")
    switched(stranger.account)
    assert tab.send({"name": "Mickey", "time_zone": "UTC"})["Location"] == "/account/"
    michael.user.refresh_from_db()
    assert michael.user.name == "Mickey"
    assert tab.send({}, "/sign-out/")["Location"] == SIGN_IN


def test_htmx_never_puts_a_list_of_one_account_into_a_page_of_another(
    signed_in: Client, stranger: Person, switched: Callable[[Account], None]
) -> None:
    tab = Tab(signed_in, LIST)
    switched(stranger.account)
    headers = {"hx-request": "true", "x-page-of": tab.hidden["page_of"]}
    answer = signed_in.get(f"{LIST}?page=2", headers=headers)
    assert answer["HX-Redirect"] == f"{LIST}?page=2"
    assert not answer.content
    assert f"You now act for {stranger.account.name}." in signed_in.get(f"{LIST}?page=2").text


def test_a_token_of_ones_other_account_is_404_with_the_way_there(
    signed_in: Client,
    michael: Person,
    stranger: Person,
    places: dict[str, Any],
    switched: Callable[[Account], None],
) -> None:
    switched(stranger.account)
    for path in (
        f"{LIST}{{token}}/",
        f"{LIST}{{token}}/permissions/",
        f"{LIST}{{token}}/edit/",
        f"{NEW}{{draft}}/general/",
    ):
        answer = signed_in.get(path.format(**places))
        assert answer.status_code == 404
        assert "Switch to Mighty Mick&#x27;s LLC" in answer.text
    switched(michael.account)
    assert signed_in.get(f"{LIST}{places['token']}/").status_code == 200


def test_a_stranger_cannot_tell_a_token_of_others_from_none(
    token: Token, places: dict[str, Any]
) -> None:
    other = person()
    texts = set()
    for path in (f"{LIST}{token.pk}/", f"{LIST}SU-000-000-000/"):
        answer = other.client.get(path)
        assert answer.status_code == 404
        texts.add(
            re.sub(r'value="[^"]*"|hx-headers=\'[^\']*\'', "", answer.text)
            .replace(token.pk, "")
            .replace("SU-000-000-000", "")
        )
    assert len(texts) == 1
    assert "Switch to" not in texts.pop()


# --- Mistakes -------------------------------------------------------------------------------------

MISTAKES = {
    "accounts:profile": ({"name": "", "time_zone": "Mars/Olympus"}, "Enter your name."),
    "tokens:new": ({"name": "", "description": "Kept all the same"}, "Kept all the same"),
    "tokens:draft general": ({"name": "x" * 129}, "Shorten the name by 1 character."),
    "tokens:draft extension": ({}, "Choose an extension."),
    "tokens:draft permissions": ({}, "Choose at least one module."),
    "tokens:edit": ({"name": "", "description": "Kept all the same"}, "Kept all the same"),
    "tokens:extend": ({"expires": "on", "expires_on": "2020-01-01"}, 'value="2020-01-01"'),
    "rules:add": ({"name": "Kept", "kind": "single", "first": "x"}, "Enter an address such as"),
    "rules:edit": ({"name": "", "kind": "single", "first": "192.0.2.99"}, "192.0.2.99"),
    "tokens:add_ip_rule": ({"name": "Kept", "kind": "range", "first": "::/0"}, "::/0"),
    "accounts:people": ({"email": "paulie", "role": "member"}, "Enter an e-mail address such as"),
    "tokens:policies": ({"ends": "on", "most_days": "0"}, "Enter a number of days from 1"),
}


@pytest.mark.parametrize("form", PAGES)
def test_a_form_with_mistakes_leaves_no_answer_to_a_post_in_the_history(
    signed_in: Client, places: dict[str, Any], form: str
) -> None:
    path = PAGES[form][0].format(**places)
    typed, shown = MISTAKES[form]
    tab = Tab(signed_in, path)
    answer = tab.send(typed, **{"sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin"})
    assert (answer.status_code, answer["Location"]) == (302, path)
    page = signed_in.get(path).text
    assert shown in page
    # The errors explain themselves; on a later visit the page says why the form is not empty.
    assert IN_THE_FORM not in page
    page = signed_in.get(path).text
    assert shown in page
    assert IN_THE_FORM in page
    # Programs have no history and get the page at once.
    assert shown in tab.send(typed).text

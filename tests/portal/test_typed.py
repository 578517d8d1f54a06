"""Typed input is never lost, whatever happened to the session.

And it never reaches anybody else.
"""

from typing import Any

import pytest
from django.test import Client

from accounts.mails import Kind, When
from tests.conftest import Person, undone
from tests.factories import ZAPIER
from tests.portal.routes import FORMS as POSTS
from tests.portal.typed import (
    FAULTS,
    HOST,
    IN_THE_FORM,
    NOT_DONE,
    SIGN_IN,
    Tab,
    comes_back,
    idle,
    is_told,
    sign_in,
    signed_in_anew,
    stored,
)
from tokens.catalog import Module
from tokens.models import Token

LIST = "/integrations/tokens/"
NEW = f"{LIST}new/"
RULES = "/integrations/ip-rules/"
HOOKS = "/integrations/webhooks/"
RUN = f"{HOOKS}new/{{hook_draft}}/"
SENT = f"{HOOKS}{{webhook}}/deliveries/"
HOOK = {
    "object_class": "token",
    "external_url": "https://erp.mightymicks.example/hooks/orders",
    "http_method": "POST",
    "own_secret": "",
}


# --- How a form can fail to get through -----------------------------------------------------------


# Form page -> what is typed, and how the page shows it. `{token}` and `{draft}` are a token and a
# run of the wizard.
PAGES: dict[str, tuple[str, dict[str, Any], str]] = {
    "accounts:profile": (
        "/account/",
        {"name": "Mickey the <b>First</b>", "time_zone": "Europe/Madrid"},
        'value="Mickey the &lt;b&gt;First&lt;/b&gt;"',
    ),
    "accounts:notifications": (
        "/account/notifications/",
        {Kind.KEY_SEEN: [When.DAILY]},
        f'name="{Kind.KEY_SEEN}" value="{When.DAILY}" checked',
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
    "tokens:new_key": (
        f"{LIST}{{token}}/key/new/",
        {"what": "rotate", "version": "1"},
        'id="id_what_rotate" aria-describedby="rotate-hint" checked',
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
    "webhooks:new": (
        f"{HOOKS}new/",
        {"label": "Orders to ERP", "active": "on"},
        'value="Orders to ERP"',
    ),
    "webhooks:draft general": (f"{RUN}general/", {"label": "Renamed"}, 'value="Renamed"'),
    "webhooks:draft endpoint": (
        f"{RUN}endpoint/",
        {"external_url": "https://erp.example/new", "http_method": "GET", "own_secret": ""},
        'value="https://erp.example/new"',
    ),
    "webhooks:draft events": (
        f"{RUN}events/",
        {"object_class": "usage_file"},
        'value="usage_file" checked',
    ),
    "webhooks:edit": (
        f"{HOOKS}{{webhook}}/edit/",
        {**HOOK, "label": "Orders to the new ERP"},
        'value="Orders to the new ERP"',
    ),
    "webhooks:new_secret": (
        f"{HOOKS}{{webhook}}/secrets/jwt/new/",
        {"own_secret": "one-of-our-own-with-32-characters"},
        "It is not kept while the form has errors.",
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
    "webhooks:save_layout": (f"{HOOKS}layout/", HOOKS, {"sort": "label", "next": HOOKS}),
    "webhooks:save_deliveries_layout": (f"{SENT}layout/", SENT, {"sort": "when"}),
    "webhooks:redeliver_failed": (
        f"{SENT}redeliver/",
        f"{SENT}redeliver/",
        {"since": "2026-01-31"},
    ),
    "webhooks:cancel_replay": (f"{SENT}cancel/", SENT, {}),
    "webhooks:recover": (f"{SENT}recover/", f"{SENT}recover/", {}),
    **{
        f"webhooks:{name}": (f"{SENT}{{delivery}}/{name}/", f"{SENT}{{delivery}}/", {})
        for name in ("redeliver", "stop")
    },
    "webhooks:address": (f"{HOOKS}address/", HOOKS, {"external_url": "https://erp.example/hook"}),
    "webhooks:typed": (f"{RUN}events/typed/", f"{RUN}events/", {"object_class": "usage_file"}),
    "webhooks:edit_typed": (
        f"{HOOKS}{{webhook}}/edit/typed/",
        f"{HOOKS}{{webhook}}/edit/",
        {"label": "Half"},
    ),
    "webhooks:delete": (f"{HOOKS}{{webhook}}/delete/", f"{HOOKS}{{webhook}}/delete/", {}),
    **{
        f"webhooks:{name}": (f"{HOOKS}{{webhook}}/{path}/", f"{HOOKS}{{webhook}}/", {})
        for name, path in {
            "enable": "enable",
            "disable": "disable",
            "pause": "pause",
            "resume": "resume",
            "test": "test",
            "reveal": "secrets/jwt",
            "copy": "secrets/jwt/copy",
        }.items()
    },
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
    "demo:receiver",
    "demo:failing_receiver",
    "demo:slow_receiver",
    "demo:gone_receiver",
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


@pytest.mark.parametrize("form", PAGES)
def test_a_form_that_did_not_get_through_comes_back_with_its_text(
    signed_in: Client, michael: Person, places: dict[str, Any], form: str
) -> None:
    path, typed, shown = PAGES[form]
    path = path.format(**places)
    for fault in FAULTS:
        with undone(signed_in):
            comes_back(signed_in, michael.user, path, typed, shown, fault)
            # Pressed again, it is saved, and the kept input is gone.
            before = stored()
            saved = Tab(signed_in, path).send(typed)
            assert saved.status_code == (200 if form == "tokens:new_key" else 302), fault
            assert stored() != before, fault
            assert IN_THE_FORM not in signed_in.get(path, follow=True).text, fault


@pytest.mark.parametrize("button", BUTTONS)
def test_a_press_that_did_not_get_through_is_told_and_not_done(
    signed_in: Client, michael: Person, places: dict[str, Any], button: str
) -> None:
    path, page, sent = BUTTONS[button]
    path, page = path.format(**places), page.format(**places)
    sent = {
        name: value.format(**places) if isinstance(value, str) else value
        for name, value in sent.items()
    }
    for fault in FAULTS:
        with undone(signed_in):
            is_told(signed_in, michael.user, path, page, sent, fault)


@pytest.mark.parametrize("form", PAGES)
def test_another_person_who_signs_in_then_meets_nothing_of_it(
    signed_in: Client, michael: Person, adrian: Person, places: dict[str, Any], form: str
) -> None:
    path, typed, shown = PAGES[form]
    path = path.format(**places)
    for fault in FAULTS:
        with undone(signed_in):
            tab = Tab(signed_in, path)
            fault(signed_in, adrian.user if fault is signed_in_anew else michael.user)
            before = stored()
            answer = tab.send(typed)
            if fault is not signed_in_anew:
                sign_in(signed_in, adrian.user, answer["Location"])
            page = signed_in.get(path)
            assert shown not in page.text, fault
            assert IN_THE_FORM not in page.text, fault
            assert not signed_in.session.get("typed"), fault
            if fault is signed_in_anew:
                assert f"You are signed in as {adrian.user.email}." in page.text
            assert stored() == before, fault


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
    "webhooks:new": ({"label": "", "description": "Kept all the same"}, "Kept all the same"),
    "webhooks:draft general": ({"label": "x" * 101}, "Shorten the label by 1 character."),
    "webhooks:draft endpoint": ({**HOOK, "external_url": "ftp://x/"}, "ftp://x/"),
    "webhooks:draft events": ({**HOOK, "data": "{oops"}, "{oops"),
    "webhooks:edit": ({**HOOK, "label": "Kept", "external_url": "ftp://x/"}, 'value="Kept"'),
    "webhooks:new_secret": ({"own_secret": "short"}, 'id="id_own_secret_error"'),
    "accounts:people": ({"email": "paulie", "role": "member"}, "Enter an e-mail address such as"),
    "tokens:policies": ({"ends": "on", "most_days": "0"}, "Enter a number of days from 1"),
}
# No ticks of the page Notifications are a mistake. A new key is asked for in a dialog.
WITHOUT_MISTAKES = {"accounts:notifications", "tokens:new_key"}


@pytest.mark.parametrize("form", [form for form in PAGES if form not in WITHOUT_MISTAKES])
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

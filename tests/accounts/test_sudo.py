"""Giving the password again: which actions ask, and what happens to them until it is given.

Nothing happens without the password, and nothing typed is lost.
"""

import re
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Counter, Session
from activity.models import Event
from tests.conftest import Person, Response, confirmed, stale
from tests.factories import CUSTOM, PASSWORD, MembershipFactory, TokenFactory, secret
from tests.matching import matched
from tests.portal.routes import FORMS
from tests.webhooks.factories import make_webhook
from tokens.catalog import Module
from tokens.models import Token, TokenDraft
from webhooks.models import Webhook, WebhookDraft

QUESTION = "Confirm That It Is You"

# What a POST to each route sends, and whether it must ask. Routes that accept no POST are absent.
NEVER, ASKS = False, True
PRESSES = [
    ("accounts:profile", {"name": "Mickey", "time_zone": "UTC"}, NEVER),
    ("accounts:switch", {"account": "the other"}, NEVER),
    ("accounts:theme", {"theme": "dark"}, NEVER),
    ("accounts:password_change", {}, NEVER),  # its form always asks for the old password
    ("tokens:save_layout", {"sort": "name"}, NEVER),
    ("activity:export", {}, NEVER),
    ("tokens:save_permissions_layout", {"sort": "name"}, NEVER),
    ("tokens:new", {"name": "New", "expires_on": ""}, NEVER),
    ("tokens:draft general", {"name": "Newer", "expires_on": ""}, NEVER),
    ("tokens:draft extension", {"extension": CUSTOM}, NEVER),
    ("tokens:draft permissions", {"modules": [Module.AGREEMENTS]}, ASKS),
    ("tokens:draft permissions", {"modules": [Module.AGREEMENTS], "back": "1"}, NEVER),
    ("tokens:draft permissions", {"select": "all"}, NEVER),
    ("tokens:reveal", {}, ASKS),
    ("tokens:reveal", {"page": "summary"}, ASKS),
    ("tokens:copy", {}, ASKS),
    ("tokens:copy", {"page": "summary"}, ASKS),
    ("tokens:enable", {}, ASKS),
    ("tokens:disable", {}, NEVER),
    ("tokens:delete", {}, NEVER),
    ("tokens:edit", {"name": "Renamed"}, NEVER),
    ("tokens:edit", {"modules": [Module.AGREEMENTS]}, NEVER),  # loses a module
    (
        "tokens:edit",
        {"modules": [Module.AGREEMENTS, Module.USAGE]},
        ASKS,
    ),  # loses one module, gains another
    ("tokens:edit", {"modules": [Module.ALL]}, ASKS),
    ("tokens:edit", {"modules": [module.value for module in Module.single()]}, ASKS),
    ("tokens:edit", {"expires_on": ""}, ASKS),
    ("tokens:edit", {"expires_on": "2051-01-01"}, ASKS),
    ("tokens:edit", {"expires_on": "2049-01-01"}, NEVER),
    (
        "tokens:edit",
        {"modules": [Module.ALL], "select": "all"},
        NEVER,
    ),  # shows the form, saves nothing
    ("tokens:extend", {"expires": "never"}, ASKS),
    ("tokens:extend", {"expires": "on", "expires_on": "2049-01-01"}, NEVER),
    ("tokens:destroy_copy", {}, NEVER),
    ("tokens:dismiss_reminders", {"newest": "1"}, NEVER),
    ("tokens:renew_calendar", {}, ASKS),
    ("tokens:withdraw_calendar", {}, NEVER),
    ("webhooks:enable", {}, ASKS),
    ("webhooks:enable", {"missed": "on"}, ASKS),
    ("webhooks:disable", {}, NEVER),
    ("webhooks:pause", {}, NEVER),
    ("webhooks:resume", {}, NEVER),
    ("webhooks:edit", {"label": "Renamed", "headers_name": "X-A", "data": '{"a": 1}'}, NEVER),
    ("webhooks:edit", {"external_url": "https://elsewhere.example/"}, ASKS),
    ("webhooks:edit", {"external_url": "https://elsewhere.example/", "look": "1"}, NEVER),
    ("webhooks:edit", {"external_url": "no address"}, NEVER),  # shows the error
    ("webhooks:edit", {"active": "on"}, ASKS),
    ("webhooks:edit", {"object_class": "tier_config_request"}, ASKS),
    ("webhooks:edit", {"product_id": ""}, ASKS),
    ("webhooks:edit", {"condition": ""}, ASKS),
    ("webhooks:edit", {"condition": "eq(status,pending)"}, ASKS),
    ("portal:start_over", {}, NEVER),
    ("accounts:session", {}, NEVER),
    ("accounts:sign_out", {}, NEVER),
    ("activity:save_layout", {"per_page": "20"}, NEVER),
    ("activity:check", {}, NEVER),
]
PUBLIC = {
    *("accounts:sign_in", "accounts:password_reset", "accounts:password_reset_confirm"),
    "admin_sign_in",
    *("accounts:second_step", "accounts:passkey_sign_in", "accounts:passkey_sign_in_options"),
    "accounts:invitation",
    *(f"demo:{kind}receiver" for kind in ("", "failing_", "slow_", "gone_")),
}
# Those of the profile ask in tests of their own: of devices, two-step sign-in, passkeys and people.
OF_THE_PROFILE = {
    f"accounts:{name}"
    for name in (
        *("notifications", "test_mail", "end_session", "end_others"),
        *("set_up_two_step", "switch_off_two_step", "spare_codes", "download_codes"),
        *("add_passkey", "remove_passkey", "passkey_options"),
        *("people", "change_role", "remove_member", "withdraw_invitation", "join"),
    )
}
# And those of second keys, IP rules, policies and restoring in theirs.
OF_OTHER_FILES = {
    *(f"tokens:{name}" for name in ("new_key", "extend_key", "retire_key", "rehearse_key")),
    *("tokens:end_rehearsal", "tokens:cancel_renewal", "tokens:add_ip_rule", "tokens:policies"),
    "tokens:restore",
    *(f"rules:{name}" for name in ("add", "edit", "delete", "save_layout")),
    # And those of webhooks in tests/webhooks/pages.
    *(f"webhooks:{name}" for name in ("new", "draft", "reveal", "copy", "new_secret", "address")),
    *("webhooks:typed", "webhooks:edit_typed"),
    *(f"webhooks:{name}" for name in ("delete", "test", "stop", "recover", "cancel_replay")),
    *(f"webhooks:redeliver{which}" for which in ("", "_failed")),
    *(f"webhooks:save_{which}layout" for which in ("", "deliveries_")),
}


@pytest.fixture
def expiring(account: Account) -> Token:
    """Make a disabled token with two modules and an expiration, and a disabled webhook."""
    narrow = {"product_id": "PRD-1", "condition": "eq(status,approved)"}
    make_webhook(account, active=False, **narrow)
    token = TokenFactory(
        account=account,
        name="Sync",
        modules=(Module.AGREEMENTS, Module.CUSTOMERS),
        expires_at=timezone.now().replace(year=2050, month=1, day=1),
    )
    token.disable(by=None)
    return token


@pytest.fixture
def draft(michael: Person) -> TokenDraft:
    return TokenDraft.objects.create(
        account=michael.account,
        owner=michael.user,
        name="Nightly sync",
        extension_id=CUSTOM,
        modules=[Module.AGREEMENTS],
    )


def press(
    client: Client, route: str, fields: dict[str, Any], token: Token, draft: TokenDraft, **more: Any
) -> Response:
    """Send the form of a route as its page would."""
    name, _, step = route.partition(" ")
    paths = {
        "accounts:profile": "/account/",
        "accounts:switch": "/account/switch/",
        "accounts:theme": "/account/theme/",
        "accounts:password_change": "/account/password/",
        "accounts:sign_out": "/sign-out/",
        "accounts:session": "/account/session/",
        "portal:start_over": reverse("portal:start_over"),
        "tokens:save_layout": "/integrations/tokens/layout/",
        "tokens:save_permissions_layout": f"/integrations/tokens/{token.pk}/permissions/layout/",
        "tokens:new": "/integrations/tokens/new/",
        "tokens:destroy_copy": f"/integrations/tokens/{token.pk}/key/destroy/",
        "tokens:dismiss_reminders": reverse("tokens:dismiss_reminders"),
        "tokens:renew_calendar": reverse("tokens:renew_calendar"),
        "tokens:withdraw_calendar": reverse("tokens:withdraw_calendar"),
        "activity:save_layout": "/integrations/activity/layout/",
        "activity:check": "/integrations/activity/check/",
        "tokens:draft": f"/integrations/tokens/new/{draft.pk}/{step}/",
    }
    if name == "tokens:edit":
        token.refresh_from_db()
        kept = {
            "name": token.name,
            "expires_on": "2050-01-01",
            "version": token.version,
            "modules": sorted(token.grants),
        }
        fields = {**kept, **fields}
    if name.startswith("webhooks:"):
        hook = Webhook.objects.get(account=token.account)
        paths[name] = reverse(name, args=(hook.pk,))
    if name == "webhooks:edit":
        names = ["version", "label", "active", "product_id", "object_class", "condition"]
        names += ["external_url", "http_method"]
        fields = {**{each: getattr(hook, each) for each in names}, **fields}
    return client.post(
        paths.get(name, f"/integrations/tokens/{token.pk}/{name.removeprefix('tokens:')}/"),
        {**fields, **more},
    )


def everything() -> dict[type[Model], list[str]]:
    """Return every row of the database, except drafts, sessions, counters and sign-in events."""
    left_out = {TokenDraft, WebhookDraft, Session, Counter}
    told = Event.objects.exclude(action__startswith="sign-ins.").values_list("action", "subject_id")
    return {Event: sorted(map(str, told))} | {
        model: sorted(map(str, model._default_manager.values_list()))
        for label in ("accounts", "tokens", "webhooks", "modules")
        for model in apps.get_app_config(label).get_models()
        if model not in left_out
    }


def carried(response: Response) -> dict[str, list[str]]:
    """Return the hidden fields of the question, as a browser would send them."""
    form = matched(
        r'(?s)<form method="post"[^>]*>(?:(?!</form>).)*sudo_password.*?</form>', response.text
    )[0]
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form):
        fields.setdefault(unescape(name), []).append(unescape(value))
    fields.pop("csrfmiddlewaretoken", None)
    return fields


def answer(
    client: Client, path: str, response: Response, password: str = PASSWORD, **more: Any
) -> Response:
    """Answer the question in the browser in which it was asked."""
    return client.post(path, {**carried(response), "sudo_password": password, **more})


def test_every_route_that_takes_a_post_says_whether_it_asks() -> None:
    takes = {route for route, answers in FORMS.items() if 405 not in answers}
    pressed = {route.partition(" ")[0] for route, _, _ in PRESSES}
    assert takes == pressed | PUBLIC | OF_THE_PROFILE | OF_OTHER_FILES


@pytest.mark.parametrize(("route", "fields", "asks"), PRESSES, ids=lambda value: str(value)[:40])
def test_a_press_asks_as_the_table_says_and_does_nothing_before(
    michael: Person,
    expiring: Token,
    draft: TokenDraft,
    route: str,
    fields: dict[str, Any],
    asks: bool,
) -> None:
    stale(michael.client)
    if fields.get("account") == "the other":
        fields = {"account": MembershipFactory(user=michael.user).account.pk}
    before = everything()
    response = press(michael.client, route, fields, expiring, draft)
    assert (QUESTION in response.text) is asks
    if asks:
        assert response.status_code == 200
        assert secret(expiring) not in response.text
        assert everything() == before
    # Nobody is asked shortly after giving the password.
    if route != "accounts:sign_out":
        assert QUESTION not in press(confirmed(michael.client), route, fields, expiring, draft).text


@pytest.mark.parametrize(
    ("route", "fields"),
    [(route, fields) for route, fields, asks in PRESSES if asks],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("htmx", [False, True])
def test_the_password_goes_on_with_what_was_sent(
    michael: Person,
    expiring: Token,
    draft: TokenDraft,
    route: str,
    fields: dict[str, Any],
    htmx: bool,
) -> None:
    stale(michael.client)
    before = everything()
    step = route.partition(" ")[2]
    michael.client.defaults = (
        {"HTTP_HX_REQUEST": "true"}
        if htmx
        else {"HTTP_SEC_FETCH_MODE": "navigate", "HTTP_SEC_FETCH_SITE": "same-origin"}
    )
    question = press(michael.client, route, fields, expiring, draft)
    path = question.wsgi_request.path
    wrong = answer(michael.client, path, question, password="wrong")
    assert "The password is not right." in wrong.text
    assert everything() == before
    response = answer(michael.client, path, wrong)
    assert QUESTION not in response.text
    assert everything() != before
    for field, value in fields.items():
        if field == "modules" and not step:
            assert Token.objects.get(pk=expiring.pk).grants == (
                {Module.ALL} if Module.ALL in value else set(value)
            )


@pytest.mark.parametrize("htmx", [False, True])
def test_the_question_says_what_the_password_is_for_and_finds_no_fault_yet(
    michael: Person, expiring: Token, htmx: bool
) -> None:
    path = f"/integrations/tokens/{expiring.pk}/enable/"
    headers = {"HX-Request": "true"} if htmx else {}
    response = stale(michael.client).post(path, headers=headers)
    form = response.text[response.text.index(f'<form method="post" action="{path}"') :]
    assert 'name="csrfmiddlewaretoken"' in form[: form.index("</form>")]
    words = " ".join(re.sub(r"<[^>]*>", "", response.text).split())
    assert f"To enable {expiring.name}, enter the password of {michael.user.email}." in words
    assert '<button class="button button-primary" type="submit">Enable</button>' in response.text
    assert "Enter your password." not in words


def test_nothing_that_was_typed_is_lost(
    michael: Person, expiring: Token, draft: TokenDraft
) -> None:
    typed = {
        "name": 'Ünïcode "quotes" <b>',
        "external_id": " x ",
        "description": "line one\r\nline two & three",
        "modules": ["MD-0000", "no module"],
    }
    response = press(
        stale(michael.client),
        "tokens:edit",
        {**typed, "modules": [Module.ALL, Module.USAGE]},
        expiring,
        draft,
    )
    fields = carried(response)
    assert fields["name"] == [typed["name"]]
    assert fields["description"] == [typed["description"]]
    assert fields["modules"] == [Module.ALL, Module.USAGE]
    # The page behind the dialog still holds it as well.
    assert response.context["general_form"]["description"].value() == typed["description"]
    answer(michael.client, f"/integrations/tokens/{expiring.pk}/edit/", response)
    expiring.refresh_from_db()
    assert (expiring.name, expiring.description) == (typed["name"], "line one\nline two & three")


def test_the_question_repeats_no_password_and_stands_in_no_address(
    michael: Person, token: Token
) -> None:
    response = stale(michael.client).post(
        f"/integrations/tokens/{token.pk}/enable/",
        {
            "new_password1": "a typed secret",
            "next": "/integrations/tokens/?q=x",
            "csrfmiddlewaretoken": "the mark of the page before",
        },
    )
    assert "a typed secret" not in response.text
    assert "the mark of the page before" not in response.text
    wrong = answer(
        michael.client,
        f"/integrations/tokens/{token.pk}/enable/",
        response,
        password="my real passw0rd",
    )
    assert "my real passw0rd" not in wrong.text
    assert carried(wrong)["next"] == ["/integrations/tokens/?q=x"]
    assert "no-store" in wrong["Cache-Control"]


def test_htmx_gets_the_question_as_a_dialog_over_the_list(michael: Person, expiring: Token) -> None:
    response = stale(michael.client).post(
        f"/integrations/tokens/{expiring.pk}/enable/", headers={"HX-Request": "true"}
    )
    assert response.text.lstrip().startswith("<dialog")
    told = [response[f"HX-{name}"] for name in ("Retarget", "Reswap", "Reselect", "Push-Url")]
    assert told == ["#content", "beforeend", "dialog", "false"]


@pytest.mark.parametrize("htmx", [False, True])
def test_cancel_leads_back_to_where_the_question_came_from(
    michael: Person, expiring: Token, htmx: bool
) -> None:
    headers = {"HX-Request": "true"} if htmx else {}
    page = f"/integrations/tokens/{expiring.pk}/"
    response = stale(michael.client).post(f"{page}enable/", {"next": page}, headers=headers)
    assert f'href="{page}" data-close' in response.text

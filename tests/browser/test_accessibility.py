"""Every page passes axe-core in both themes: WCAG 2.0, 2.1 and 2.2, levels A and AA."""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from demo.deliveries import ORDERS, SENT
from tests.browser.axe import check
from tests.browser.conftest import PASSWORD, Portal, Visit, sign_in
from tests.browser.pages import (
    COLUMNS,
    DELETED,
    DISABLED_HOOK,
    EXPIRING,
    EXTENSIONS,
    GIVEN_UP,
    HOOK,
    LIST,
    PLAIN_LIST,
    WEBHOOKS,
    ZAPIER,
    create_token,
    extension,
    make_hooks,
    module,
    names,
    open_menu,
    start_token,
)

pytestmark = pytest.mark.browser

TUTORIAL = "/integrations/tokens/SU-431-800-699/"
ACTIVITY = "/integrations/activity/"
# The token of the demo with two keys, and the disabled one.
RENEWED = "/integrations/tokens/SU-160-984-311/"
INACTIVE = "Helpdesk Mirror"

# --- Preparing the pages --------------------------------------------------------------------------


def sign_in_refused(page: Page) -> None:
    sign_in(page, "paulie", "not the password")
    expect(page.get_by_role("alert")).to_be_visible()


def columns_open(page: Page) -> None:
    page.locator("summary").filter(has_text="Columns").click()
    expect(page.get_by_role("checkbox", name="Expires")).to_be_visible()


def menu_open(page: Page) -> None:
    expect(open_menu(page, names(page).first.inner_text())).to_be_visible()


def account_menu_open(page: Page) -> None:
    page.locator("summary").filter(has_text="Account menu:").click()
    expect(page.get_by_role("button", name="Sign Out")).to_be_visible()


def step_with_errors(page: Page) -> None:
    page.get_by_label("Description").fill("x" * 300)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_be_visible()


def extension_step(page: Page) -> None:
    page.get_by_label("Name").fill("Looked at by axe")
    page.get_by_role("button", name="Next").click()
    extension(page, "Custom").check()


def extension_step_with_errors(page: Page) -> None:
    page.get_by_label("Name").fill("Looked at by axe")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_be_visible()


def permissions_step(page: Page) -> None:
    start_token(page, "Looked at by axe")
    module(page, "Agreements").check()


def permissions_step_with_errors(page: Page) -> None:
    start_token(page, "Looked at by axe")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_be_visible()


def permissions_step_of_all(page: Page) -> None:
    start_token(page, "Looked at by axe")
    module(page, "All Modules").check()


def permissions_step_that_is_fixed(page: Page) -> None:
    start_token(page, "Looked at by axe", "Reports")


def changes_listed(page: Page) -> None:
    page.get_by_label("Description").fill("Another")
    module(page, "All Modules").uncheck()
    module(page, "Usage").check()
    expect(page.get_by_role("heading", name=re.compile(r"\d Changes"))).to_be_visible()


def collections_open(page: Page) -> None:
    for path in ("/tier/accounts", "/helpdesk/cases"):
        page.get_by_role("heading", name=path, exact=True).click()
    expect(page.get_by_role("heading", name="POST /helpdesk/cases/{id}/close")).to_be_visible()


def inactive_token(page: Page) -> None:
    page.get_by_role("link", name=INACTIVE).click()
    expect(page.get_by_text("This token is disabled.")).to_be_visible()


def new_key_without_an_end(page: Page) -> None:
    page.get_by_label("It stops after").select_option("Other…")
    page.get_by_role("button", name="Make New Key").click()
    expect(page.get_by_role("alert")).to_be_visible()


def rule_with_errors(page: Page) -> None:
    page.get_by_role("radio", name="IP address range").check(force=True)
    page.get_by_label("First address").fill("203.0.113.9")
    page.get_by_label("Last address").fill("203.0.113.8")
    page.get_by_role("button", name="Add Rule").click()
    expect(page.get_by_role("alert")).to_be_visible()


def rule_edited(page: Page) -> None:
    open_menu(page, "Head office").get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Last address")).to_have_value("203.0.113.63")


def rule_to_delete(page: Page) -> None:
    open_menu(page, "Head office").get_by_role("link", name="Delete…").click()
    expect(page.get_by_role("button", name="Delete Rule")).to_be_visible()


def ruled_token(page: Page) -> None:
    page.get_by_role("link", name="Reseller Portal").click()
    expect(page.get_by_role("heading", name="IP Rules of This Token")).to_be_visible()


def entry_open(page: Page) -> None:
    page.locator(".disclose").first.click()
    expect(page.locator(".entry-box")).to_be_visible()


def as_it_comes(page: Page) -> None:
    """Leave the page as it is."""


def webhook_with_errors(page: Page) -> None:
    hook_endpoint(page)
    page.get_by_label("JWT secret", exact=True).fill("too short")
    page.get_by_label("URL").fill("")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_text("The secret cannot be used.").first).to_be_visible()


def hook_endpoint(page: Page) -> None:
    page.get_by_label("Label").fill("Looked at")
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_label("URL").fill("https://desk.example/hook")


def hook_events(page: Page) -> None:
    hook_endpoint(page)
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_role("heading", name="What will be sent")).to_be_visible()


def hook_summary(page: Page) -> None:
    hook_events(page)
    page.get_by_label("Helpdesk case").check()
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", name="Check the signature")).to_be_visible()


def hook_validation(page: Page) -> None:
    hook_events(page)
    page.get_by_label("Tier config request").check()
    page.get_by_label("When").select_option("Validation of drafts, tier 1")
    expect(page.get_by_text("The portal keeps this webhook and never calls it.")).to_be_visible()


class Scene(NamedTuple):
    path: str
    prepare: Callable[[Page], None] = as_it_comes
    person: str | None = "michael"
    refused: tuple[int, ...] = ()


SCENES = {
    "sign-in": Scene("/sign-in/", person=None),
    "sign-in with an error": Scene("/sign-in/", sign_in_refused, person=None),
    "general": Scene("/integrations/"),
    "calls": Scene("/integrations/calls/"),
    "self-test": Scene("/integrations/self-test/"),
    "API reference": Scene("/integrations/api/"),
    "API reference with open collections": Scene("/integrations/api/", collections_open),
    "list": Scene(PLAIN_LIST),
    "list with filter": Scene(f"{PLAIN_LIST}&filter=open&extension=EXT-000"),
    "list with columns": Scene(PLAIN_LIST, columns_open),
    # Of a single row, since an open menu covers parts of the rows below it until it closes.
    "list with row menu": Scene(f"{PLAIN_LIST}&q=Tutorial+API+Token", menu_open),
    "list with account menu": Scene(PLAIN_LIST, account_menu_open),
    "list with every column": Scene(f"{LIST}?columns={COLUMNS}&per_page=10&status=any"),
    "list without a match": Scene(f"{PLAIN_LIST}&q=nothing-is-called-so"),
    "list with an invalid filter": Scene(f"{PLAIN_LIST}&status=sleepy&created_from=yesterday"),
    "list for looking only": Scene(PLAIN_LIST, person="adrian"),
    "step 1": Scene("/integrations/tokens/new/"),
    "step 1 with errors": Scene("/integrations/tokens/new/", step_with_errors, person="tony"),
    "step 2": Scene("/integrations/tokens/new/", extension_step),
    "step 2 with errors": Scene("/integrations/tokens/new/", extension_step_with_errors),
    "step 3": Scene("/integrations/tokens/new/", permissions_step),
    "step 3 with errors": Scene("/integrations/tokens/new/", permissions_step_with_errors),
    "step 3, all modules": Scene("/integrations/tokens/new/", permissions_step_of_all),
    "step 3, fixed": Scene("/integrations/tokens/new/", permissions_step_that_is_fixed),
    "details": Scene(TUTORIAL),
    "details of an inactive token": Scene(f"{PLAIN_LIST}&q=Helpdesk+Mirror", inactive_token),
    "permissions": Scene(f"{TUTORIAL}permissions/"),
    "permissions with filter": Scene(f"{TUTORIAL}permissions/?filter=open&q=a"),
    "edit": Scene(f"{TUTORIAL}edit/"),
    "edit with changes": Scene(f"{TUTORIAL}edit/", changes_listed),
    "delete": Scene(f"{TUTORIAL}delete/"),
    "new key": Scene(f"{TUTORIAL}key/new/"),
    "new key with errors": Scene(f"{TUTORIAL}key/new/", new_key_without_an_end),
    "two keys": Scene(RENEWED),
    "two keys for looking only": Scene(RENEWED, person="adrian"),
    "old key to extend": Scene(f"{RENEWED}key/extend/"),
    "old key to retire": Scene(f"{RENEWED}key/retire/"),
    "old key to rehearse": Scene(f"{RENEWED}key/rehearse/"),
    "IP rules": Scene("/integrations/ip-rules/", person="mary"),
    "IP rules with an answer": Scene("/integrations/ip-rules/?address=203.0.113.7", person="mary"),
    "IP rules with a refusal": Scene(
        "/integrations/ip-rules/?address=192.0.2.210&filter=open&version=4", person="mary"
    ),
    "IP rules, none": Scene("/integrations/ip-rules/"),
    "IP rule to add": Scene("/integrations/ip-rules/add/"),
    "IP rule with errors": Scene("/integrations/ip-rules/add/", rule_with_errors),
    "IP rule to edit": Scene("/integrations/ip-rules/", rule_edited, person="mary"),
    "IP rule to delete": Scene("/integrations/ip-rules/", rule_to_delete, person="mary"),
    "details of a token with IP rules": Scene(f"{PLAIN_LIST}&q=Reseller+Portal", ruled_token),
    "deleted tokens": Scene(DELETED),
    "expiring token": Scene(EXPIRING),
    "extend": Scene(f"{EXPIRING}extend/"),
    "destroy the copy of the key": Scene(f"{TUTORIAL}key/destroy/"),
    "calendar": Scene("/integrations/calendar/"),
    "activity": Scene(ACTIVITY),
    "activity with an open entry": Scene(f"{ACTIVITY}?sort=when&q=erp", entry_open),
    "activity with filter": Scene(f"{ACTIVITY}?filter=open&what=tokens&address=192.0.2.0/24"),
    "activity without a match": Scene(f"{ACTIVITY}?q=nothing-is-called-so"),
    "activity with an invalid filter": Scene(f"{ACTIVITY}?address=nowhere&since=yesterday"),
    "activity for looking only": Scene(ACTIVITY, person="adrian"),
    "activity of a token": Scene(f"{TUTORIAL}activity/", entry_open),
    "profile": Scene("/account/", person="tony"),
    "notifications": Scene("/account/notifications/"),
    "notifications for looking only": Scene("/account/notifications/", person="adrian"),
    "security": Scene("/account/security/"),
    "two-step set-up": Scene("/account/security/two-step/"),
    "people": Scene("/account/people/"),
    "invitation that is over": Scene("/account/invitation/used/", person=None, refused=(404,)),
    "password change": Scene("/account/password/"),
    "password reset": Scene("/account/reset/", person=None),
    "password reset, sent": Scene("/account/reset/sent/", person=None),
    "password reset, used link": Scene("/account/reset/MQ/used-up/", person=None),
    "password reset, complete": Scene("/account/reset/complete/", person=None),
    "policies": Scene("/integrations/policies/"),
    "policies that stop tokens": Scene(
        "/integrations/policies/?preview=on&ends=on&most_days=365&idles=on&idle_days=90&warn_days=1"
        "&capped=on&most_tokens=99&limited=on&rate=600&burst=90"
    ),
    "policies with errors": Scene(
        "/integrations/policies/?preview=on&ends=on&most_days=x&idles=on&starts_on=2020-01-01"
    ),
    "policies for looking only": Scene("/integrations/policies/", person="adrian"),
    "webhooks": Scene(WEBHOOKS),
    "webhooks with filter": Scene(f"{WEBHOOKS}?filter=open&status=active"),
    "webhooks for looking only": Scene(WEBHOOKS, person="adrian"),
    "webhooks, none": Scene(WEBHOOKS, person="mary"),
    "webhook to create": Scene(f"{WEBHOOKS}new/"),
    "webhook to create, step 2": Scene(f"{WEBHOOKS}new/", hook_endpoint),
    "webhook to create, step 3": Scene(f"{WEBHOOKS}new/", hook_events),
    "webhook to create, a validation": Scene(f"{WEBHOOKS}new/", hook_validation),
    "webhook to create, step 4": Scene(f"{WEBHOOKS}new/", hook_summary, person="tony"),
    "webhook with errors": Scene(f"{WEBHOOKS}new/", webhook_with_errors),
    "details of a webhook": Scene(HOOK),
    "details of a webhook for looking only": Scene(HOOK, person="adrian"),
    "details of a disabled webhook": Scene(DISABLED_HOOK),
    "webhook to edit": Scene(f"{HOOK}edit/"),
    "webhook to delete": Scene(f"{DISABLED_HOOK}delete/"),
    "activity of a webhook": Scene(f"{HOOK}activity/"),
    "new secret of a webhook": Scene(f"{HOOK}secrets/jwt/new/"),
    "deliveries": Scene(f"{HOOK}deliveries/?filter=open"),
    "deliveries that fail": Scene(f"{DISABLED_HOOK}deliveries/?result=failing"),
    "deliveries, one of them opened": Scene(f"{HOOK}deliveries/?open={SENT[ORDERS][-1][0]}"),
    "delivery": Scene(GIVEN_UP),
    "redeliver": Scene(f"{HOOK}deliveries/redeliver/"),
    "recover": Scene(f"{HOOK}deliveries/recover/"),
    "extensions": Scene(EXTENSIONS),
    "extensions, none found": Scene(f"{EXTENSIONS}?q=nothing-is-called-so"),
    "extensions installed": Scene(f"{EXTENSIONS}installed/"),
    "extension": Scene(ZAPIER),
    "extension for looking only": Scene(f"{EXTENSIONS}EXT-000/", person="adrian"),
    "not found": Scene("/integrations/no-such-page/", refused=(404,)),
    "not found, not signed in": Scene("/no-such-page/", person=None, refused=(404,)),
    "not allowed": Scene("/integrations/tokens/new/", person="adrian", refused=(403,)),
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES.keys())
def test_page_has_no_violations(visit: Visit, scene: Scene) -> None:
    page = visit(scene.person, refused=scene.refused)
    page.goto(scene.path)
    scene.prepare(page)
    check(page)


@pytest.fixture(scope="module")
def hooks(portal: Portal) -> dict[str, str]:
    return make_hooks(portal)


@pytest.mark.parametrize("path", ["", "deliveries/"])
@pytest.mark.parametrize("state", ["paused", "sent again"])
def test_pages_of_a_webhook_that_waits_have_no_violations(
    visit: Visit, hooks: dict[str, str], state: str, path: str
) -> None:
    page = visit("duke")
    page.goto(f"{hooks[state]}{path}")
    check(page)


def test_the_page_of_a_person_without_an_account_has_no_violations(
    visit: Visit, portal: Portal
) -> None:
    make = f"User.objects.create_user('nobody@company.example', '{PASSWORD}', name='Nobody')"
    portal.manage("shell", "--no-imports", "-c", f"from accounts.models import User; {make}")
    page = visit(refused=(403,))
    page.goto("/sign-in/?next=/integrations/tokens/")
    page.get_by_label("E-mail").fill("nobody@company.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign In").click()
    expect(page.get_by_role("heading", name="You do not belong to an account yet")).to_be_visible()
    check(page)


def test_summary_and_a_shown_key_have_no_violations(visit: Visit) -> None:
    page = visit("michael")
    create_token(page, "Summed up for axe")
    check(page)
    page.get_by_role("button", name="View key").click()
    expect(page.locator("#key-text")).to_be_visible()
    check(page)


def test_details_with_dialog_and_shown_key_have_no_violations(visit: Visit, portal: Portal) -> None:
    page = visit()
    page.goto(TUTORIAL)
    sign_in(page, "michael")
    page.get_by_role("button", name="View key").click()
    expect(page.locator("#key-text")).to_be_visible()
    check(page)
    page.get_by_role("link", name="Hide key").click()
    portal.forget_confirmations()
    page.get_by_role("button", name="View key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="View Key").click()
    expect(dialog).to_contain_text("Enter your password.")
    check(page)


def test_message_after_an_action_has_no_violations(visit: Visit) -> None:
    page = visit("michael")
    create_token(page, "Paused for axe")
    page.goto(PLAIN_LIST)
    open_menu(page, "Paused for axe").get_by_role("button", name="Disable").click()
    expect(page.locator("#messages .message")).to_be_visible()
    check(page)


def test_page_after_too_many_tries_has_no_violations(visit: Visit) -> None:
    page = visit(refused=(429,))
    locked = page.get_by_role("heading", name="Too Many Tries")
    page.goto("/sign-in/")
    while not locked.is_visible():
        page.get_by_label("E-mail").fill("nobody@portal.example")
        page.get_by_label("Password", exact=True).fill("not the password")
        page.get_by_role("button", name="Sign In").click()
        expect(
            page.get_by_text("tries are left.").or_(page.get_by_text("1 try is left.")).or_(locked)
        ).to_be_visible()
    check(page)

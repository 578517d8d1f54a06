"""The article on API tokens, acted out: create a token, manage it, call the API with its key."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Portal, Visit, sign_in
from tests.browser.pages import (
    MODULES,
    PLAIN_LIST,
    create_token,
    extension,
    key_in,
    module,
    open_menu,
    row,
    start_token,
)

pytestmark = pytest.mark.browser

AGREEMENTS = "/public/v1/agreements"


def tokens_section(page: Page) -> None:
    page.get_by_role("navigation", name="Integrations").get_by_role("link", name="Tokens").click()
    expect(page.get_by_role("heading", name="Tokens", level=1)).to_be_visible()


def tabs(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Token details")


def create(page: Page) -> None:
    """Go through the wizard."""
    tokens_section(page)
    page.get_by_role("link", name="Create Token").click()
    expect(page).to_have_title(re.compile("^Step 1 of 4: General - New token"))
    page.get_by_label("Name").fill("Tutorial of the Article")
    page.get_by_label("External ID").fill("article-1")
    page.get_by_label("Description").fill("The following represents a tutorial API token.")
    page.get_by_role("button", name="Next").click()

    expect(page).to_have_title(re.compile("^Step 2 of 4: Extension - New token"))
    for name in ("Flowgear", "Reports", "Zapier", "Custom"):
        expect(extension(page, name)).to_be_visible()
    extension(page, "Custom").check()
    page.get_by_role("button", name="Next").click()

    expect(page).to_have_title(re.compile("^Step 3 of 4: Permissions - New token"))
    expect(module(page, "All Modules")).not_to_be_checked()
    module(page, "Agreements").check()
    expect(page.get_by_text(f"May reach 1 of {MODULES} modules: Agreements.")).to_be_visible()
    page.get_by_role("button", name="Create").click()


def view_key(page: Page) -> str:
    """Return the key that Summary shows: whoever has just created the token is not asked."""
    expect(page).to_have_title(re.compile("^Step 4 of 4: Summary - New token"))
    expect(page.get_by_text("Tutorial of the Article was created and is active.")).to_be_visible()
    expect(page.get_by_text("article-1")).to_be_visible()
    expect(page.locator("#key-text")).to_have_count(0)
    page.get_by_role("button", name="View key").click()
    viewed = key_in(page)
    page.get_by_role("link", name="Go to Details").click()
    return viewed


def check_details(page: Page) -> None:
    expect(page.get_by_role("heading", name="Tutorial of the Article", level=1)).to_be_visible()
    expect(page.get_by_text("The following represents a tutorial API token.")).to_be_visible()
    expect(page.get_by_text("Custom Integration")).to_be_visible()
    expect(page.locator(".strip")).to_contain_text("Active")
    tabs(page).get_by_role("link", name="Permissions").click()
    modules = page.get_by_role("table").locator("tbody").get_by_role("row")
    expect(modules).to_have_count(17)
    expect(modules.first).to_contain_text("Every module, also those added in the future")
    expect(modules.first.get_by_role("rowheader")).to_contain_text("All")
    expect(modules.first).to_contain_text("Disabled")
    expect(row(page, "Agreements")).to_contain_text("Enabled")
    expect(row(page, "Customers")).to_contain_text("Disabled")
    expect(page.get_by_role("cell").filter(has_text=re.compile(r"^\s*Enabled\s*$"))).to_have_count(
        1
    )


def use(page: Page, portal: Portal) -> str:
    """Copy the key and call the API with it; return it."""
    tabs(page).get_by_role("link", name="General").click()
    page.get_by_role("button", name="Copy key").click()
    expect(page.get_by_role("status").filter(has_text="Key copied.").first).to_be_attached()
    key: str = page.evaluate("navigator.clipboard.readText()")
    answer = portal.get(AGREEMENTS, key)
    assert answer.status == 200
    assert re.fullmatch(r"items 0-\d+/\d+", answer.headers["Content-Range"])
    agreements = json.loads(answer.text)
    assert len(agreements) > 0
    assert all(re.match(r"AG[DPS]-", agreement["id"]) for agreement in agreements)
    refused = portal.get("/public/v1/contracts", key)
    assert refused.status == 403
    assert "Contracts" in refused.text
    return key


def edit(page: Page, portal: Portal, key: str) -> None:
    """Choose other modules, in effect from the next call."""
    page.get_by_role("link", name="Edit").click()
    module(page, "Agreements").uncheck()
    module(page, "Customers").check()
    page.get_by_role("button", name="Save Changes").click()
    expect(
        page.get_by_role("status").filter(has_text="Tutorial of the Article is saved: 2 changes.")
    ).to_be_visible()
    answer = portal.get(AGREEMENTS, key)
    assert answer.status == 403
    assert "Agreements" in answer.text


def disable_and_enable(page: Page, portal: Portal, key: str) -> None:
    """Use the ⋮ menu."""
    details = page.url
    open_menu(page, "Tutorial of the Article").get_by_role("button", name="Disable").click()
    expect(
        page.get_by_text(
            "Tutorial of the Article is disabled. Its next API call gets the answer 401."
        )
    ).to_be_visible()
    expect(page).to_have_url(details)
    answer = portal.get(AGREEMENTS, key)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "ApiKey"
    open_menu(page, "Tutorial of the Article").get_by_role("button", name="Enable").click()
    expect(
        page.get_by_text("Tutorial of the Article is enabled. Its key works again.")
    ).to_be_visible()
    assert portal.get(AGREEMENTS, key).status == 403


def delete(page: Page, portal: Portal, key: str) -> None:
    """Use the ⋮ menu of the list."""
    tokens_section(page)
    expect(row(page, "Tutorial of the Article")).to_contain_text("Michael Goldmill")
    open_menu(page, "Tutorial of the Article").get_by_role("link", name="Delete…").click()
    expect(
        page.get_by_role("heading", name="Delete Tutorial of the Article", level=1)
    ).to_be_visible()
    page.get_by_role("button", name="Delete Token").click()
    expect(
        page.get_by_text("Tutorial of the Article is deleted. Its key is refused from now on.")
    ).to_be_visible()
    expect(row(page, "Tutorial of the Article")).to_have_count(0)
    assert portal.get(AGREEMENTS, key).status == 401

    page.get_by_role("button", name="Filter").click()
    panel = page.get_by_role("form", name="Filter")
    panel.get_by_role("checkbox", name="Deleted").check()
    panel.get_by_role("button", name="Apply").click()
    expect(row(page, "Tutorial of the Article")).to_contain_text("Deleted")


def test_the_article_from_sign_in_to_deletion(visit: Visit, portal: Portal) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/")
    sign_in(page, "michael")
    create(page)
    viewed = view_key(page)
    check_details(page)
    key = use(page, portal)
    assert key == viewed
    edit(page, portal, key)
    disable_and_enable(page, portal, key)
    delete(page, portal, key)


def test_close_on_summary_leads_to_the_list(visit: Visit) -> None:
    page = visit("michael")
    create_token(page, "Closed on Summary")
    page.get_by_role("link", name="Close").click()
    expect(page.get_by_role("heading", name="Tokens", level=1)).to_be_visible()
    expect(row(page, "Closed on Summary")).to_contain_text("Active")


def test_all_modules_opens_every_module_and_locks_the_others(visit: Visit, portal: Portal) -> None:
    page = visit("michael")
    start_token(page, "Everything Goes")
    module(page, "Usage").check()
    every = module(page, "All Modules")
    every.check()
    expect(module(page, "Agreements")).to_be_checked()
    expect(module(page, "Agreements")).to_be_disabled()
    every.uncheck()
    expect(module(page, "Agreements")).not_to_be_checked()
    expect(module(page, "Usage")).to_be_checked()
    every.check()
    page.get_by_role("button", name="Create").click()
    expect(
        page.get_by_text("May reach every module, also those that are added in the future.")
    ).to_be_visible()
    page.get_by_role("button", name="View key").click()
    key = key_in(page)
    for collection in ("agreements", "contracts", "products", "accounts", "tier/accounts"):
        assert portal.get(f"/public/v1/{collection}", key).status == 200
    page.get_by_role("link", name="Go to Details").click()
    page.get_by_role("navigation", name="Token details").get_by_role(
        "link", name="Permissions"
    ).click()
    expect(page.get_by_role("cell").filter(has_text=re.compile(r"^\s*Enabled\s*$"))).to_have_count(
        17
    )


def test_another_extension_comes_with_fixed_permissions(visit: Visit, portal: Portal) -> None:
    page = visit("michael")
    start_token(page, "Weekly Report", "Reports")
    expect(
        page.get_by_text(
            "Reports comes with fixed permissions. There is nothing to choose in this step."
        )
    ).to_be_visible()
    expect(module(page, "Products")).to_be_checked()
    expect(module(page, "Products")).to_be_disabled()
    expect(module(page, "Agreements")).not_to_be_checked()
    expect(module(page, "Agreements")).to_be_disabled()
    page.get_by_role("button", name="Create").click()
    page.get_by_role("button", name="View key").click()
    key = key_in(page)
    assert portal.get("/public/v1/products", key).status == 200
    assert portal.get(AGREEMENTS, key).status == 403


def test_somebody_who_may_only_look_sees_tokens_but_no_way_to_change_them(visit: Visit) -> None:
    page = visit("adrian")
    page.goto(f"{PLAIN_LIST}&q=Tutorial")
    expect(row(page, "Tutorial API Token")).to_be_visible()
    expect(page.get_by_role("link", name="Create Token")).to_have_count(0)
    expect(page.get_by_label("Actions for Tutorial API Token")).to_have_count(0)
    page.get_by_role("link", name="Tutorial API Token").click()
    expect(page.get_by_text("Only administrators of the account can view the key.")).to_be_visible()
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    expect(page.get_by_role("button", name="View key")).to_have_count(0)


def test_a_typed_day_is_read_back_while_it_is_typed(visit: Visit) -> None:
    page = visit("michael")
    page.goto("/integrations/tokens/new/")
    field = page.get_by_label("Expires on")
    expect(field).to_be_hidden()
    choice = page.get_by_label("Expires", exact=True)
    choice.select_option(label="After 30 days")
    expect(page.locator("[data-end]")).to_contain_text("Ends ")
    expect(field).to_be_hidden()
    choice.select_option(label="On a date…")
    field.fill("2098-12-06")
    expect(page.get_by_text("Ends Saturday 6 December 2098, 23:59 UTC.")).to_be_visible()
    field.fill("2020-01-01")
    expect(page.locator("[data-end]")).to_have_text("")

"""Webhooks in a browser: with scripts, without, and by keyboard."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Portal, Visit
from tests.browser.pages import HOOK, WEBHOOKS, row
from tests.browser.test_keyboard import tab_to

pytestmark = pytest.mark.browser

PAGE = re.compile(r"/integrations/webhooks/WH-\d{3}-\d{3}-\d{3}/$")
MASKED, SHOWN = re.compile(r"•{24}"), re.compile(r"^JWT-[0-9a-f]{40}$")


def fill(page: Page, label: str) -> None:
    page.goto(f"{WEBHOOKS}new/")
    page.get_by_label("Label").fill(label)
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_label("URL").fill("https://desk.example/hook")
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_label("Helpdesk case").check()


def test_without_scripts_a_webhook_is_created_changed_and_deleted(visit: Visit) -> None:
    page = visit("robert", java_script_enabled=False)
    fill(page, "Made without Scripts")
    page.get_by_label("Own data").fill("nonsense")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Own data: enter JSON such as")
    # What was typed is still there.
    expect(page.get_by_label("Helpdesk case")).to_be_checked()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("URL")).to_have_value("https://desk.example/hook")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_label("Helpdesk case")).to_be_checked()
    page.get_by_label("Own data").fill('{"queue": "cases"}')
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_text("Made without Scripts was created and is active.")).to_be_visible()
    page.get_by_role("link", name="Go to Details").click()
    expect(page).to_have_url(PAGE)

    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Label").fill("Changed without Scripts")
    page.get_by_role("button", name="Save Changes").click()
    expect(page.get_by_text("Changed without Scripts is saved.")).to_be_visible()

    page.get_by_role("button", name="View JWT secret").click()
    expect(page.locator("#secret-jwt-text")).to_have_text(SHOWN)

    page.goto(WEBHOOKS)
    line = row(page, "Changed without Scripts")
    line.locator("summary").click()
    line.get_by_role("button", name="Disable").click()
    expect(row(page, "Changed without Scripts")).to_contain_text("Inactive")
    line.locator("summary").click()
    line.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete Webhook").click()
    expect(page.get_by_text("Changed without Scripts is deleted.")).to_be_visible()


def test_a_secret_is_shown_after_the_password_and_hidden_again(
    visit: Visit, portal: Portal
) -> None:
    page = visit("michael")
    page.goto(HOOK)
    portal.forget_confirmations()
    field = page.locator("#secret-jwt")
    expect(field).to_contain_text(MASKED)
    page.get_by_role("button", name="View JWT secret").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="View Secret").click()
    expect(page.locator("#secret-jwt-text")).to_have_text(SHOWN)
    # The other one stays as it is.
    expect(page.locator("#secret-sw")).to_contain_text(MASKED)
    expect(field).to_contain_text("The view was recorded: Michael Goldmill")
    page.get_by_role("link", name="Hide JWT secret").click()
    expect(field).to_contain_text(MASKED)


def test_creating_by_keyboard(visit: Visit) -> None:
    page = visit("robert")
    page.goto(WEBHOOKS)
    tab_to(page, page.get_by_role("link", name="Create Webhook").first)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Label"))
    page.keyboard.type("Made by Keyboard")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("URL"))
    page.keyboard.type("https://chat.example/in")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Fulfillment request"))
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name=re.compile("^Token"))).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Made by Keyboard was created and is active.")).to_be_visible()

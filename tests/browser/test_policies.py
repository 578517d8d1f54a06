"""The page Policies in a browser: it follows the form, and works without scripts as well."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

PAGE = "/integrations/policies/"


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def leave_none(page: Page) -> None:
    """Take all policies back, so that other tests find none."""
    page.goto(PAGE)
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_role("button", name="Save Policies").or_(
        page.get_by_role("button", name="Show What Stops")
    ).click()
    expect(page.get_by_text("The policies are saved.")).to_be_visible()


def test_what_stops_follows_the_form(visit: Visit) -> None:
    page = visit("michael")
    page.goto(PAGE)
    expect(page.get_by_text("No token stops before")).to_be_visible()
    expect(page.get_by_label("Days until a key stops")).to_have_count(0)
    days = page.get_by_label("At most").first
    expect(days).to_be_hidden()
    page.get_by_label("End After a Time").check()
    expect(days).to_be_visible()
    expect(page.get_by_text("are not affected before")).to_be_visible()
    days.fill("0")
    expect(page.get_by_text("Correct the marked fields first:")).to_be_visible()
    days.fill("3650")
    expect(page.get_by_text("No token stops before")).to_be_visible()
    page.get_by_role("textbox", name="In Force From").fill(in_days(20))
    expect(page.get_by_text("In 20 days.")).to_be_visible()
    page.get_by_role("button", name="Save Policies").click()
    expect(page.get_by_text("The policies are saved.")).to_be_visible()
    expect(page.get_by_label("End After a Time")).to_be_checked()
    leave_none(page)


def test_without_scripts_it_shows_first_and_saves_then(visit: Visit) -> None:
    page = visit("robert", java_script_enabled=False)
    page.goto(PAGE)
    page.get_by_label("Show Keys Once").check()
    page.get_by_role("button", name="Show What Stops").click()
    expect(page.get_by_text("Nothing is saved yet.")).to_be_visible()
    expect(page.get_by_text("No token stops before").first).to_be_visible()
    page.get_by_role("button", name="Save Policies").click()
    expect(page.get_by_text("The policies are saved.")).to_be_visible()
    expect(page.get_by_label("Show Keys Once")).to_be_checked()


def test_by_keyboard_alone(visit: Visit) -> None:
    page = visit("michael")
    page.goto(PAGE)
    page.get_by_label("Limit the Calls").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.get_by_label("At most").last).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("1200")
    expect(page.get_by_text("No token stops before")).to_be_visible()
    page.keyboard.press("Escape")

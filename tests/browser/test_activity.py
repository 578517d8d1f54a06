"""Activity: entries, filters and the export work with and without scripts, and by keyboard."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from activity.actions import Action, Group
from tests.browser.conftest import Visit
from tests.browser.pages import create_token
from tests.browser.test_htmx import expect_mark, mark
from tests.browser.test_keyboard import tab_to

pytestmark = pytest.mark.browser

ACTIVITY = "/integrations/activity/"
# The list in its default form, whatever another test has made the portal remember for the person.
PLAIN = f"{ACTIVITY}?sort=-when&per_page=10"


def entries(page: Page) -> Locator:
    """Return the links that open the entries, top to bottom."""
    return page.locator("#list .disclose")


def exported(page: Page) -> list[dict[str, str]]:
    """Press Export CSV and return the rows of the file."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    assert re.fullmatch(
        r"activity-[VP]A-\d{3}-\d{3}-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename
    )
    path = Path(download.value.path())
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_an_entry_opens_below_its_row_and_closes_again(visit: Visit) -> None:
    page = visit("michael")
    page.goto(PLAIN)
    mark(page)
    entries(page).nth(1).click()
    box = page.locator(".entry-box")
    expect(box).to_be_visible()
    expect(box).to_contain_text("Link in the chain")
    expect(entries(page).nth(1)).to_have_attribute("aria-expanded", "true")
    expect(entries(page).nth(1)).to_be_focused()
    expect(page).to_have_url(re.compile(r"[?&]open=\d+"))
    expect_mark(page)
    page.go_back()
    expect(box).to_have_count(0)
    page.go_forward()
    expect(box).to_be_visible()
    entries(page).nth(1).click()
    expect(box).to_have_count(0)


def test_filter_and_export_follow_each_other(visit: Visit) -> None:
    page = visit("michael")
    create_token(page, "Exported to a File")
    page.goto(PLAIN)
    mark(page)
    page.get_by_role("button", name="Filter").click()
    panel = page.get_by_role("form", name="Filter")
    panel.get_by_role("checkbox", name="Tokens").check()
    panel.get_by_label("Address").fill("127.0.0.0/8")
    panel.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("link", name="Remove filter Address")).to_be_visible()
    search = page.get_by_role("searchbox")
    search.fill("exported to a file")
    search.press("Enter")
    expect(entries(page)).to_have_count(1)
    rows = exported(page)
    assert [(row["What"], row["Token or object"]) for row in rows] == [
        ("Token created", "Exported to a File")
    ]
    # The page is still there and works on.
    expect_mark(page)
    page.get_by_role("link", name="Clear all").click()
    expect(entries(page).first).to_contain_text("Activity exported")
    assert len(exported(page)) > 10


def test_an_address_that_is_not_valid_says_what_to_enter(visit: Visit) -> None:
    page = visit("michael")
    page.goto(f"{PLAIN}&filter=open")
    field = page.get_by_label("Address")
    field.fill("somewhere")
    field.press("Enter")
    expect(page.get_by_role("heading", name="The filter is not valid")).to_be_visible()
    expect(page.get_by_text("Enter an address such as 203.0.113.24")).to_be_visible()
    expect(page.get_by_label("Address")).to_have_value("somewhere")


def test_without_scripts_entries_open_and_the_list_is_exported(visit: Visit) -> None:
    page = visit("michael", java_script_enabled=False)
    page.goto(f"{PLAIN}&what=tokens")
    entries(page).first.click()
    expect(page.locator(".entry-box")).to_be_visible()
    expect(entries(page).first).to_have_attribute("aria-expanded", "true")
    of_tokens = {str(action.label) for action in Action if action.group == Group.TOKENS}
    found = {row["What"] for row in exported(page)}
    assert found
    assert found <= of_tokens
    page.goto(f"{PLAIN}&filter=open")
    page.get_by_role("form", name="Filter").get_by_role("checkbox", name="Keys seen").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("link", name="Remove filter What")).to_be_visible()


def test_without_scripts_the_trail_is_checked(visit: Visit) -> None:
    page = visit("michael", java_script_enabled=False)
    page.goto(PLAIN)
    page.get_by_role("button", name="Check Now").click()
    expect(page.get_by_text("The trail is whole.")).to_be_visible()


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_with_the_keyboard_an_entry_opens_and_closes(visit: Visit, key: str) -> None:
    page = visit("michael")
    page.goto(PLAIN)
    tab_to(page, entries(page).first)
    page.keyboard.press(key)
    expect(page.locator(".entry-box")).to_be_visible()
    expect(entries(page).first).to_be_focused()
    page.keyboard.press(key)
    expect(page.locator(".entry-box")).to_have_count(0)


def test_the_tab_of_a_token_has_its_entries_only(visit: Visit) -> None:
    page = visit("michael")
    token = create_token(page, "Seen by Its Tab")
    page.get_by_role("button", name="View key").click()
    expect(page.locator("#key-text")).to_be_visible()
    page.goto(f"/integrations/tokens/{token}/activity/")
    expect(page.get_by_role("heading", name="Who Has Seen This Key")).to_be_visible()
    expect(page.locator(".people")).to_contain_text("Michael Goldmill")
    expect(page.get_by_text("entries about this token")).to_be_visible()
    expect(entries(page).first).to_contain_text("Key viewed")
    rows = exported(page)
    assert {row["ID"] for row in rows} == {token}
    assert [row["What"] for row in rows] == ["Key viewed", "Token created"]

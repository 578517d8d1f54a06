"""Everything works with the keyboard alone, and the focus is always somewhere sensible."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PASSWORD, Portal, Visit, sign_in
from tests.browser.pages import HOOK, LIST, PLAIN_LIST, extension, key_in, module, row

pytestmark = pytest.mark.browser

TUTORIAL = "/integrations/tokens/SU-431-800-699/"
# More stops than any page has.
MANY = 120


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus."""
    for _ in range(MANY):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"Tab never comes to {target}")


@pytest.mark.parametrize(
    "path", ["/integrations/", LIST, "/integrations/tokens/new/", TUTORIAL, HOOK, "/account/"]
)
def test_first_stop_is_the_way_to_the_content(visit: Visit, path: str) -> None:
    page = visit("michael")
    page.goto(path)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_signing_in(visit: Visit) -> None:
    page = visit()
    page.goto("/sign-in/")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type("michael@mightymicks.example")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tokens", level=1)).to_be_visible()


def test_wizard_from_the_list_to_summary(visit: Visit) -> None:
    page = visit("michael")
    page.goto(LIST)
    tab_to(page, page.get_by_role("link", name="Create Token"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.type("Made by Keyboard")
    tab_to(page, page.get_by_role("button", name="Next"))
    page.keyboard.press("Enter")

    tab_to(page, extension(page, "Flowgear"))
    page.keyboard.press("Space")
    expect(extension(page, "Flowgear")).to_be_checked()
    # A group of radio buttons is one stop; arrow keys move inside it.
    page.keyboard.press("ArrowUp")
    expect(extension(page, "Custom")).to_be_checked()
    tab_to(page, page.get_by_role("button", name="Next"))
    page.keyboard.press("Enter")

    tab_to(page, module(page, "Agreements"))
    page.keyboard.press("Space")
    expect(module(page, "Agreements")).to_be_checked()
    tab_to(page, page.get_by_role("button", name="Create"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Made by Keyboard was created and is active.")).to_be_visible()
    tab_to(page, page.get_by_role("link", name="Go to Details"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Made by Keyboard", level=1)).to_be_visible()


def test_an_error_summary_takes_the_focus_and_leads_to_the_field(visit: Visit) -> None:
    page = visit("michael")
    page.goto("/integrations/tokens/new/")
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_be_focused()


def test_row_menu_opens_with_enter_moves_with_arrows_and_gives_the_focus_back(visit: Visit) -> None:
    page = visit("michael")
    page.goto(f"{PLAIN_LIST}&q=Price+List+Export")
    button = page.get_by_label("Actions for Price List Export")
    menu = row(page, "Price List Export").locator("details.menu")
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(menu).to_have_attribute("open", "")
    edit, *others, delete = (
        menu.get_by_role("link", name="Edit"),
        menu.get_by_role("link", name="New Key…"),
        menu.get_by_role("link", name="Add IP Rule…"),
        menu.get_by_role("link", name="Extend…"),
        menu.get_by_role("button", name="Disable"),
        menu.get_by_role("link", name="Delete…"),
    )
    for entry in (edit, *others, delete, edit):
        page.keyboard.press("ArrowDown")
        expect(entry).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(delete).to_be_focused()
    page.keyboard.press("Home")
    expect(edit).to_be_focused()
    page.keyboard.press("End")
    expect(delete).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(button).to_be_focused()

    # Space opens it too, and leaving with Tab closes it.
    page.keyboard.press("Space")
    expect(menu).to_have_attribute("open", "")
    tab_to(page, delete)
    page.keyboard.press("Tab")
    expect(menu).not_to_have_attribute("open", "")


def test_the_focus_is_where_it_was_after_an_action(visit: Visit) -> None:
    page = visit("michael")
    page.goto(f"{PLAIN_LIST}&q=Board+Figures")
    button = page.get_by_label("Actions for Board Figures")
    # A part of the page is swapped.
    tab_to(page, button)
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(row(page, "Board Figures")).to_contain_text("Inactive")
    expect(button).to_be_focused()
    expect(
        page.get_by_role("status").filter(has_text=re.compile("^Board Figures is disabled"))
    ).to_have_count(1)
    # The page is reloaded.
    page.get_by_role("link", name="Board Figures").click()
    expect(page.get_by_role("heading", name="Board Figures", level=1)).to_be_visible()
    tab_to(page, button)
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("Board Figures is enabled.")
    expect(button).to_be_focused()
    theme = page.get_by_role("button", name="Dark", exact=True)
    theme.press("Enter")
    expect(theme).to_have_attribute("aria-pressed", "true")
    expect(theme).to_be_focused()


@pytest.mark.parametrize("name", ["Account menu:", "Columns", "Actions for Board Figures"])
def test_every_menu_closes_with_escape_wherever_the_focus_is(visit: Visit, name: str) -> None:
    page = visit("michael")
    page.goto(f"{PLAIN_LIST}&q=Board+Figures")
    button = (
        page.locator("summary")
        .filter(has_text=name)
        .or_(page.locator("summary").and_(page.get_by_label(name)))
    )
    popover = page.locator("details.menu[open] .popover")
    button.click()
    expect(popover).to_be_visible()
    # Clicking a word or a gap in the menu takes the focus off every control.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    expect(popover).to_have_count(0)
    expect(button).to_be_focused()


def test_column_chooser_closes_with_escape(visit: Visit) -> None:
    page = visit("michael")
    page.goto(PLAIN_LIST)
    button = page.locator("summary").filter(has_text="Columns")
    tab_to(page, button)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("checkbox", name="Expires"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("checkbox", name="Expires")).to_be_hidden()
    expect(button).to_be_focused()


def test_password_dialog_takes_the_focus_and_gives_it_back(visit: Visit, portal: Portal) -> None:
    page = visit()
    page.goto(TUTORIAL)
    sign_in(page, "michael")
    expect(page.get_by_role("heading", name="Tutorial API Token", level=1)).to_be_visible()
    portal.forget_confirmations()
    view = page.get_by_role("button", name="View key")
    dialog = page.get_by_role("dialog", name="Confirm That It Is You")
    password = dialog.get_by_label("Password", exact=True)
    tab_to(page, view)
    page.keyboard.press("Enter")
    expect(password).to_be_focused()
    # Nothing of the page behind the dialog can be reached.
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || document.activeElement.closest('dialog') "
            "!== null"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(view).to_be_focused()

    # Cancel does the same as Escape.
    page.keyboard.press("Enter")
    expect(password).to_be_focused()
    tab_to(page, dialog.get_by_role("link", name="Cancel"))
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(view).to_be_focused()

    page.keyboard.press("Enter")
    expect(password).to_be_focused()
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("The password is not right.")
    expect(password).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    key_in(page)
    # The dialog is gone, and with it the focused field: the focus moves to the key.
    expect(page.locator("#key:focus, #key :focus")).to_have_count(1)

"""Everything works with JavaScript disabled.

Forms submit themselves, links lead to pages, and menus are details elements.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Portal, Visit, sign_in
from tests.browser.pages import (
    LIST,
    MODULES,
    PLAIN_LIST,
    create_token,
    extension,
    key_in,
    module,
    names,
    open_menu,
    row,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def page(visit: Visit) -> Page:
    """Open Robert's portal in a browser without scripts."""
    return visit("robert", java_script_enabled=False)


def test_signing_in_leads_where_one_wanted_to_go_and_signing_out_ends_it(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    page.goto("/integrations/tokens/?q=tutorial")
    sign_in(page, "robert")
    expect(page).to_have_url(re.compile(r"/integrations/tokens/\?q=tutorial$"))
    expect(row(page, "Tutorial Token")).to_be_visible()
    page.locator("summary").filter(has_text="Account menu:").click()
    page.get_by_role("button", name="Sign Out").click()
    page.goto(LIST)
    expect(page.get_by_role("heading", name="Sign In", level=1)).to_be_visible()


def test_search_finds_by_label_and_by_id(page: Page) -> None:
    page.goto(PLAIN_LIST)
    search = page.get_by_role("searchbox", name="Search by label or ID")
    search.fill("tutorial")
    search.press("Enter")
    expect(names(page)).to_have_text(["Tutorial Token"])
    search.fill("SU-324-395-019")
    search.press("Enter")
    expect(names(page)).to_have_text(["Tutorial Token"])
    expect(search).to_have_value("SU-324-395-019")


def test_filter_narrows_the_list_and_its_chip_takes_it_back(page: Page) -> None:
    page.goto(PLAIN_LIST)
    everything = names(page).all_inner_texts()
    page.get_by_role("button", name="Filter").click()
    panel = page.get_by_role("form", name="Filter")
    panel.get_by_role("checkbox", name="Reports").check()
    panel.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name="Filter")).to_contain_text("Applied")
    expect(names(page)).to_have_text(["Monthly Usage Report", "Quarterly Revenue Report"])
    chip = page.get_by_role("link", name="Remove filter Extension")
    expect(chip.locator("..")).to_contain_text("Reports")
    chip.click()
    expect(chip).to_have_count(0)
    expect(names(page)).to_have_text(everything)


def test_without_the_chip_of_the_status_deleted_tokens_are_listed_too(page: Page) -> None:
    create_token(page, "Gone Without Script")
    page.goto(PLAIN_LIST)
    open_menu(page, "Gone Without Script").get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete Token").click()
    expect(page.get_by_text("Gone Without Script is deleted.")).to_be_visible()
    expect(row(page, "Gone Without Script")).to_have_count(0)
    page.get_by_role("link", name="Remove filter Status").click()
    expect(row(page, "Gone Without Script")).to_contain_text("Deleted")


def test_header_button_sorts_and_sorts_back(page: Page) -> None:
    page.goto(PLAIN_LIST)
    page.get_by_role("button", name="Label", exact=True).click()
    header = page.get_by_role("columnheader", name="Label")
    expect(header).to_have_attribute("aria-sort", "ascending")
    labels = names(page).all_inner_texts()
    assert labels == sorted(labels, key=str.casefold)
    page.get_by_role("button", name="Label", exact=True).click()
    expect(header).to_have_attribute("aria-sort", "descending")
    labels = names(page).all_inner_texts()
    assert labels == sorted(labels, key=str.casefold, reverse=True)


def test_pages_follow_each_other_and_go_changes_their_size(page: Page) -> None:
    page.goto(PLAIN_LIST)
    first = names(page).all_inner_texts()
    assert len(first) == 10
    pager = page.get_by_role("navigation", name="Pages, below the table")
    expect(pager.get_by_role("link", name="Previous page")).to_be_disabled()
    pager.get_by_role("link", name="Next page").click()
    expect(pager.locator(".pager-range")).to_contain_text("11–")
    second = names(page).all_inner_texts()
    assert second
    assert not set(first) & set(second)

    pager.get_by_label("Rows per page").select_option("20")
    pager.get_by_role("button", name="Go").click()
    expect(pager.locator(".pager-range")).to_have_text(re.compile(r"^\s*1–\d+ of \d+\s*$"))
    expect(names(page)).to_have_text(first + second)
    page.goto(LIST)
    expect(pager.get_by_label("Rows per page")).to_have_value("20")


def test_chosen_columns_stay_chosen_and_reset_takes_them_back(page: Page) -> None:
    page.goto(PLAIN_LIST)
    chooser = page.locator("summary").filter(has_text="Columns")
    chooser.click()
    box = page.locator("details.chooser")
    expect(box.get_by_role("checkbox", name="Label")).to_be_disabled()
    box.get_by_role("checkbox", name="Expires").check()
    box.get_by_role("checkbox", name="Extension").uncheck()
    box.get_by_role("button", name="Apply").click()
    page.goto(LIST)
    expect(page.get_by_role("columnheader", name="Expires")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Extension")).to_have_count(0)
    chooser.click()
    box.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("columnheader", name="Expires")).to_have_count(0)
    expect(page.get_by_role("columnheader", name="Extension")).to_be_visible()


def test_row_menu_disables_and_comes_back_to_the_same_page(page: Page) -> None:
    # The only one in its filter, and sorted, so that "the same page" means more than the bare list.
    create_token(page, "Paused Without Script")
    address = f"{LIST}?sort=label&q=paused&per_page=10"
    page.goto(address)
    open_menu(page, "Paused Without Script").get_by_role("button", name="Disable").click()
    expect(
        page.get_by_role("status").filter(
            has_text="Paused Without Script is disabled. Its next API call gets the answer 401."
        )
    ).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape(address)))
    expect(row(page, "Paused Without Script")).to_contain_text("Inactive")
    page.get_by_role("button", name="Enable again").click()
    expect(
        page.get_by_text("Paused Without Script is enabled. Its key works again.")
    ).to_be_visible()
    expect(row(page, "Paused Without Script")).to_contain_text("Active")


def test_wizard_keeps_its_input_on_the_way_back_and_forth(page: Page) -> None:
    page.goto(LIST)
    page.get_by_role("link", name="Create Token").click()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "The step is not complete: 1 field needs your attention."
    )
    expect(
        page.get_by_role("alert").get_by_role("link", name="Name: enter a name for the token.")
    ).to_be_visible()
    page.get_by_label("Name").fill("Made Without Script")
    page.get_by_label("Description").fill("First line\nSecond line")
    page.get_by_role("button", name="Next").click()

    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_contain_text("choose an extension.")
    extension(page, "Reports").check()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Name")).to_have_value("Made Without Script")
    expect(page.get_by_label("Description")).to_have_value("First line\nSecond line")
    page.get_by_role("button", name="Next").click()
    expect(extension(page, "Reports")).to_be_checked()
    extension(page, "Custom").check()
    page.get_by_role("button", name="Next").click()

    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_contain_text("choose at least one module.")
    page.get_by_role("button", name="Select all").click()
    expect(page.locator("[name=modules]:checked")).to_have_count(16)
    expect(module(page, "All Modules")).not_to_be_checked()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("[name=modules]:checked")).to_have_count(0)
    module(page, "Helpdesk").check()
    page.get_by_role("button", name="Back").click()
    expect(extension(page, "Custom")).to_be_checked()
    page.get_by_role("button", name="Next").click()
    expect(module(page, "Helpdesk")).to_be_checked()
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Made Without Script was created and is active.")).to_be_visible()
    expect(page.get_by_text(f"May reach 1 of {MODULES} modules: Helpdesk.")).to_be_visible()


def test_enter_in_a_field_means_next_and_never_back(page: Page) -> None:
    page.goto("/integrations/tokens/new/")
    page.get_by_label("Name").fill("Sent with Enter")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_role("heading", name="Extension", level=2)).to_be_visible()
    extension(page, "Custom").check()
    extension(page, "Custom").press("Enter")
    expect(page.get_by_role("heading", name="Permissions", level=2)).to_be_visible()


def test_double_click_on_create_makes_one_token(page: Page) -> None:
    page.goto("/integrations/tokens/new/")
    page.get_by_label("Name").fill("Clicked Twice Without Script")
    page.get_by_role("button", name="Next").click()
    extension(page, "Custom").check()
    page.get_by_role("button", name="Next").click()
    module(page, "Usage").check()
    page.get_by_role("button", name="Create").dblclick()
    expect(
        page.get_by_text("Clicked Twice Without Script was created and is active.")
    ).to_be_visible()
    page.goto(f"{LIST}?q=clicked+twice&status=any")
    expect(names(page)).to_have_text(["Clicked Twice Without Script"])


def test_key_is_shown_after_the_password_and_hidden_again(visit: Visit, portal: Portal) -> None:
    page = visit(java_script_enabled=False)
    page.goto("/integrations/tokens/SU-324-395-019/")
    sign_in(page, "robert")
    expect(page.get_by_role("heading", name="Tutorial Token", level=1)).to_be_visible()
    portal.forget_confirmations()
    page.get_by_role("button", name="View key").click()
    card = page.get_by_role("dialog", name="Confirm That It Is You")
    expect(card).to_contain_text(
        "To view the key of Tutorial Token, enter the password of robert@frontstreet.example."
    )
    card.get_by_label("Password").fill("not the password")
    card.get_by_role("button", name="View Key").click()
    expect(card).to_contain_text("The password is not right.")
    card.get_by_label("Password").fill(PASSWORD)
    card.get_by_role("button", name="View Key").click()
    key = key_in(page)
    assert portal.get("/public/v1/agreements", key).status == 200
    expect(
        page.get_by_text("You are viewing a secret. The view was recorded: Robert Balboa")
    ).to_be_visible()
    page.get_by_role("link", name="Hide key").click()
    expect(page.locator("#key-text")).to_have_count(0)
    expect(page).to_have_url(re.compile("/integrations/tokens/SU-324-395-019/$"))
    # Nobody is asked again for the next five minutes.
    page.get_by_role("button", name="View key").click()
    assert key_in(page) == key
    # Reloading sends the form again, which leads to the details.
    page.reload()
    expect(page.get_by_role("heading", name="Tutorial Token", level=1)).to_be_visible()
    expect(page).to_have_url(re.compile("/integrations/tokens/SU-324-395-019/$"))
    expect(page.locator("#key-text")).to_have_count(0)


def test_edit_selects_all_without_saving_and_saves_when_asked(page: Page) -> None:
    token = create_token(page, "Edited Without Script")
    page.goto(f"/integrations/tokens/{token}/edit/")
    page.get_by_label("Name").fill("Edited and Renamed")
    page.get_by_role("button", name="Select all").click()
    expect(page.locator("[name=modules]:checked")).to_have_count(16)
    expect(page.get_by_label("Name")).to_have_value("Edited and Renamed")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("[name=modules]:checked")).to_have_count(0)
    module(page, "Usage").check()
    page.get_by_role("button", name="Save Changes").and_(page.locator("[data-save]")).click()
    expect(page.get_by_role("heading", name="Edited and Renamed", level=1)).to_be_visible()
    expect(page.get_by_text("Edited and Renamed is saved: 3 changes.")).to_be_visible()


def test_permissions_tab_filters_and_chooses_columns(page: Page) -> None:
    page.goto("/integrations/tokens/SU-324-395-019/permissions/?filter=open")
    panel = page.get_by_role("form", name="Filter")
    panel.get_by_label("Status").select_option("disabled")
    panel.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="No module matches")).to_be_visible()
    page.get_by_role("link", name="Clear Filters").click()
    expect(page.get_by_role("table").locator("tbody tr")).to_have_count(17)
    find = page.get_by_role("searchbox", name="Find a module")
    find.fill("agree")
    find.press("Enter")
    expect(names(page)).to_have_text(["Agreements"])


def test_a_link_to_a_collection_of_the_api_opens_it(page: Page) -> None:
    page.goto("/integrations/api/#helpdesk-cases")
    heading = page.get_by_role("heading", name="POST /helpdesk/cases", exact=True)
    expect(heading).to_be_visible()
    expect(page.get_by_role("heading", name="/helpdesk/cases", exact=True)).to_be_in_viewport()
    page.goto("/integrations/")
    page.get_by_role("link", name="API Reference").click()
    expect(heading).to_be_hidden()
    page.get_by_role("heading", name="/helpdesk/cases", exact=True).click()
    expect(heading).to_be_visible()


def test_the_self_test_says_how_to_send_the_header(page: Page) -> None:
    page.goto("/integrations/self-test/")
    expect(page.get_by_text("A form cannot send it")).to_be_visible()
    expect(page.get_by_text("curl -H")).to_be_visible()
    expect(page.get_by_text("It is being sent")).to_be_hidden()


def test_the_first_call_of_another_token_is_shown(page: Page) -> None:
    page.goto("/integrations/")
    page.get_by_label("Token", exact=True).select_option(index=1)
    page.get_by_role("button", name="Choose").click()
    expect(page).to_have_url(re.compile(r"/integrations/\?token=SU-[0-9-]+#first-call$"))
    page.locator("label").filter(has_text="JavaScript").click()
    expect(page.get_by_text("await fetch(")).to_be_visible()

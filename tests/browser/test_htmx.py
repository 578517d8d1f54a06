"""What scripts add to the list.

Only the part that changes is swapped, and the URL, Back and sign-in still work.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, sign_in
from tests.browser.pages import (
    LIST,
    MODULES,
    PLAIN_LIST,
    create_token,
    extension,
    module,
    names,
    open_menu,
    row,
    start_token,
)

pytestmark = pytest.mark.browser


def mark(page: Page) -> None:
    """Mark the title, so that a page that was reloaded can be told by the missing mark."""
    page.evaluate("document.querySelector('h1').mark = 'the same element'")


def expect_mark(page: Page) -> None:
    assert page.evaluate("document.querySelector('h1').mark") == "the same element"


def test_paging_swaps_the_list_only_and_back_restores_it(visit: Visit) -> None:
    page = visit("adrian")
    page.goto(PLAIN_LIST)
    mark(page)
    first = names(page).all_inner_texts()
    pager = page.get_by_role("navigation", name="Pages, below the table")
    pager.get_by_role("link", name="Next page").click()
    expect(page).to_have_url(re.compile(r"[?&]page=2"))
    expect(pager.locator(".pager-range")).to_contain_text("11–20 of")
    expect_mark(page)
    second = names(page).all_inner_texts()
    assert not set(first) & set(second)
    # The URL says what is shown: reloading it shows the same.
    page.reload()
    expect(names(page)).to_have_text(second)
    page.go_back()
    expect(page).to_have_url(re.compile(f"{re.escape(PLAIN_LIST)}$"))
    expect(pager.locator(".pager-range")).to_contain_text("1–10 of")
    expect(names(page)).to_have_text(first)


def test_back_and_forward_after_paging_show_what_the_address_says(visit: Visit) -> None:
    page = visit("adrian")
    page.goto(PLAIN_LIST)
    pages = [names(page).all_inner_texts()]
    pager = page.get_by_role("navigation", name="Pages, below the table")
    for number in (2, 3):
        pager.get_by_role("link", name="Next page").click()
        expect(pager.locator(".pager-range")).to_contain_text(f"{number * 10 - 9}–")
        pages.append(names(page).all_inner_texts())
    for number in (2, 1):
        page.go_back()
        expect(pager.locator(".pager-range")).to_contain_text(f"{number * 10 - 9}–")
        expect(names(page)).to_have_text(pages[number - 1])
        # Restored intact: the frame is there and styled.
        expect(page.get_by_role("heading", name="Tokens", level=1)).to_be_visible()
        expect(page.locator("body")).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")
    page.go_forward()
    expect(pager.locator(".pager-range")).to_contain_text("11–20")
    # And the scripts still work.
    pager.get_by_role("link", name="Previous page").click()
    expect(pager.locator(".pager-range")).to_contain_text("1–10")


def test_sorting_swaps_the_list_only(visit: Visit) -> None:
    page = visit("adrian")
    page.goto(PLAIN_LIST)
    mark(page)
    for order in ("ascending", "descending"):
        page.get_by_role("button", name="Label", exact=True).click()
        expect(page.get_by_role("columnheader", name="Label")).to_have_attribute("aria-sort", order)
        expect(page).to_have_url(re.compile(r"[?&]sort=-?label"))
        labels = names(page).all_inner_texts()
        assert labels == sorted(labels, key=str.casefold, reverse=order == "descending")
    expect(page.get_by_role("button", name="Label", exact=True)).to_be_focused()
    expect_mark(page)


def test_filtering_searching_and_clearing_swap_the_list_only(visit: Visit) -> None:
    page = visit("adrian")
    page.goto(PLAIN_LIST)
    mark(page)
    page.get_by_role("button", name="Filter").click()
    panel = page.get_by_role("form", name="Filter")
    panel.get_by_role("checkbox", name="Zapier").check()
    panel.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("link", name="Remove filter Extension")).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]extension=EXT-651-883"))
    search = page.get_by_role("searchbox", name="Search by label or ID")
    search.fill("support")
    search.press("Enter")
    expect(page).to_have_url(re.compile(r"[?&]q=support"))
    expect(row(page, "Support Chat Bot")).to_be_visible()
    expect(names(page)).to_have_text(["Support Chat Bot"])
    # Searching keeps the filter.
    expect(page).to_have_url(re.compile(r"[?&]extension=EXT-651-883"))
    search.fill("nothing-is-called-so")
    search.press("Enter")
    expect(page.get_by_role("heading", name="No token matches")).to_be_visible()
    page.get_by_role("link", name="Clear Filters").click()
    expect(page.get_by_role("row")).to_have_count(11)
    expect_mark(page)


def test_an_invalid_filter_shows_nothing_and_says_why(visit: Visit) -> None:
    page = visit("adrian")
    page.goto(f"{LIST}?status=sleepy")
    expect(page.get_by_role("heading", name="The filter is not valid")).to_be_visible()
    expect(page.get_by_text("“sleepy” is not a status.")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)


def test_page_size_is_sent_by_choosing_it(visit: Visit) -> None:
    page = visit("adrian")
    page.goto(PLAIN_LIST)
    mark(page)
    pager = page.get_by_role("navigation", name="Pages, below the table")
    expect(pager.get_by_role("button", name="Go")).to_be_hidden()
    pager.get_by_label("Rows per page").select_option("20")
    expect(page.get_by_role("row")).to_have_count(21)
    expect(page).to_have_url(re.compile(r"[?&]per_page=20"))
    expect_mark(page)
    pager.get_by_label("Rows per page").select_option("10")
    expect(page.get_by_role("row")).to_have_count(11)


def test_columns_swap_the_list_only_and_stay(visit: Visit) -> None:
    page = visit("adrian")
    page.goto(PLAIN_LIST)
    mark(page)
    page.locator("summary").filter(has_text="Columns").click()
    chooser = page.locator("details.chooser")
    chooser.get_by_role("checkbox", name="Modules").check()
    chooser.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("columnheader", name="Modules")).to_be_visible()
    expect(chooser).not_to_have_attribute("open", "")
    expect_mark(page)
    page.goto(LIST)
    expect(page.get_by_role("columnheader", name="Modules")).to_be_visible()
    page.locator("summary").filter(has_text="Columns").click()
    chooser.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("columnheader", name="Modules")).to_have_count(0)


def test_row_action_swaps_the_list_and_its_message_is_read_out(visit: Visit) -> None:
    page = visit("tony")
    create_token(page, "Paused by htmx")
    page.goto(f"{PLAIN_LIST}&q=htmx")
    mark(page)
    open_menu(page, "Paused by htmx").get_by_role("button", name="Disable").click()
    expect(row(page, "Paused by htmx")).to_contain_text("Inactive")
    expect(page.locator("#messages")).to_contain_text(
        "Paused by htmx is disabled. Its next API call gets the answer 401."
    )
    expect(page.locator("#announcer")).to_contain_text("Paused by htmx is disabled.")
    expect(page).to_have_url(re.compile(f"{re.escape(PLAIN_LIST)}&q=htmx$"))
    page.get_by_role("button", name="Enable again").click()
    expect(row(page, "Paused by htmx")).to_contain_text("Active")


def test_another_account_of_the_same_person_shows_its_own_tokens(visit: Visit) -> None:
    page = visit("tony")
    page.goto(PLAIN_LIST)
    menu = page.locator("summary").filter(has_text="Account menu:")
    menu.click()
    page.get_by_role("button", name=re.compile("Mighty Mick's LLC")).click()
    expect(menu).to_contain_text("Mighty Mick's LLC")
    expect(menu).to_contain_text("Distributor - Tony Gazzo")
    page.goto(f"{LIST}?q=tutorial")
    expect(names(page)).to_have_text(["Tutorial API Token"])
    menu.click()
    page.get_by_role("button", name=re.compile("Front Street Inc")).click()
    expect(menu).to_contain_text("Vendor - Tony Gazzo")
    page.goto(f"{LIST}?q=tutorial")
    expect(names(page)).to_have_text(["Tutorial Token"])


def test_a_session_that_is_over_leads_to_sign_in_and_back(visit: Visit) -> None:
    page = visit("adrian")
    page.goto(PLAIN_LIST)
    page.context.clear_cookies()
    page.get_by_role("navigation", name="Pages, below the table").get_by_role(
        "link", name="Next page"
    ).click()
    expect(page.get_by_role("heading", name="Sign In", level=1)).to_be_visible()
    expect(page.locator("#list")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/sign-in/\?next="))
    sign_in(page, "adrian")
    # What was requested, not what was shown before.
    expect(page).to_have_url(re.compile(r"[?&]page=2"))
    expect(page.locator(".pager-below .pager-range")).to_contain_text("11–20 of")


def test_a_session_that_is_over_when_a_form_is_sent_leads_to_sign_in(visit: Visit) -> None:
    page = visit("adrian")
    page.goto(PLAIN_LIST)
    page.context.clear_cookies(name="session")
    page.get_by_role("button", name="Label", exact=True).click()
    expect(page.get_by_role("heading", name="Sign In", level=1)).to_be_visible()
    expect(page.locator("#list")).to_have_count(0)


def test_two_tabs_of_the_wizard_do_not_mix(visit: Visit) -> None:
    one = visit("michael")
    other = one.context.new_page()
    start_token(one, "Made in Tab One")
    start_token(other, "Made in Tab Two", "Zapier")
    module(one, "Agreements").check()
    other.get_by_role("button", name="Create").click()
    expect(other.get_by_text("Made in Tab Two was created and is active.")).to_be_visible()
    one.get_by_role("button", name="Create").click()
    expect(one.get_by_text("Made in Tab One was created and is active.")).to_be_visible()
    expect(one.get_by_text(f"May reach 1 of {MODULES} modules: Agreements.")).to_be_visible()
    expect(other.locator(".summary-facts")).to_contain_text("Zapier")


def test_double_click_on_create_makes_one_token(visit: Visit) -> None:
    page = visit("michael")
    start_token(page, "Clicked Twice")
    module(page, "Usage").check()
    page.get_by_role("button", name="Create").dblclick()
    expect(page.get_by_text("Clicked Twice was created and is active.")).to_be_visible()
    page.goto(f"{LIST}?q=clicked+twice&status=any")
    expect(names(page)).to_have_text(["Clicked Twice"])


def test_create_sent_from_two_windows_makes_one_token(visit: Visit) -> None:
    page = visit("michael")
    start_token(page, "Sent Twice")
    other = page.context.new_page()
    other.goto(page.url)
    for each in (page, other):
        module(each, "Usage").check()
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Sent Twice was created and is active.")).to_be_visible()
    other.get_by_role("button", name="Create").click()
    expect(other.get_by_text("Sent Twice was created and is active.")).to_be_visible()
    expect(other).to_have_url(page.url)


def test_back_from_summary_does_not_offer_to_create_again(visit: Visit) -> None:
    page = visit("michael")
    create_token(page, "Once Only")
    summary = page.url
    page.go_back()
    expect(page.get_by_text("Once Only was created and is active.")).to_be_visible()
    expect(page).to_have_url(summary)


def test_edit_counts_changes_and_warns_of_somebody_elses(visit: Visit) -> None:
    page = visit("michael")
    token = create_token(page, "Edited by Two", ("Agreements", "Usage"))
    other = page.context.new_page()
    for each in (page, other):
        each.goto(f"/integrations/tokens/{token}/edit/")
    save = page.locator("[data-save]")
    expect(save).to_be_disabled()
    page.get_by_label("Description").fill("Theirs")
    module(page, "Usage").uncheck()
    panel = page.get_by_role("complementary", name="Changes")
    expect(panel.get_by_role("heading", name="2 Changes")).to_be_visible()
    expect(panel).to_contain_text("Modules lost")
    save.click()
    expect(page.get_by_text("Edited by Two is saved: 2 changes.")).to_be_visible()

    other.get_by_label("Description").fill("Mine")
    other.locator("[data-save]").click()
    expect(other.get_by_role("alert")).to_contain_text("The change was not saved.")
    other.get_by_text("Show their change").click()
    expect(
        other.get_by_role("alert").get_by_role("row").filter(has_text="Description")
    ).to_contain_text("Theirs")
    other.locator("[data-save]").click()
    expect(other.get_by_role("heading", name="Edited by Two", level=1)).to_be_visible()
    expect(other.get_by_text("Mine", exact=True)).to_be_visible()


def test_find_a_module_hides_the_others_and_keeps_what_is_ticked(visit: Visit) -> None:
    page = visit("michael")
    start_token(page, "Found by Name")
    module(page, "Agreements").check()
    find = page.get_by_role("searchbox", name="Find a module")
    find.fill("help")
    expect(module(page, "Helpdesk")).to_be_visible()
    expect(module(page, "Agreements")).to_be_hidden()
    expect(page.get_by_text(f"1 of {MODULES} selected")).to_be_visible()
    find.press("Enter")
    expect(page.get_by_role("heading", name="Permissions", level=2)).to_be_visible()
    find.fill("xyz")
    expect(page.get_by_text("No module has “xyz” in its name or description.")).to_be_visible()
    find.fill("")
    expect(module(page, "Agreements")).to_be_checked()
    expect(extension(page, "Custom")).to_have_count(0)


def test_edit_tells_narrowing_all_as_a_loss(visit: Visit) -> None:
    page = visit("michael")
    token = create_token(page, "Narrowed", ("All Modules",))
    page.goto(f"/integrations/tokens/{token}/edit/")
    module(page, "All Modules").uncheck()
    module(page, "Agreements").check()
    panel = page.get_by_role("complementary", name="Changes")
    expect(panel.get_by_role("heading", name="16 Changes")).to_be_visible()
    expect(panel).to_contain_text("Modules lost")
    expect(panel).to_contain_text("modules added in the future")
    expect(panel).not_to_contain_text("Modules gained")
    expect(page.locator(".module-added")).to_have_count(0)
    expect(page.locator(".module-removed")).to_have_count(16)
    module(page, "All Modules").check()
    expect(panel.get_by_role("heading", name="No changes yet")).to_be_visible()

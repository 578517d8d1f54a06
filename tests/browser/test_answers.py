"""What a button reports when the response is not the expected one.

No other response is ever put into the page.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, sign_in
from tests.browser.pages import LIST, PLAIN_LIST, create_token, names, open_menu, row

pytestmark = pytest.mark.browser

SENTENCES = {
    400: "The portal could not read the request. Nothing was changed.",
    401: "You are no longer signed in. Nothing was changed.",
    403: "You may not do this. Nothing was changed.",
    404: "This is no longer here.",
    405: "This button no longer works. Nothing was changed.",
    409: "Something else was changed in the meantime.",
    413: "That is too much for one request. Nothing was changed.",
    422: "The portal cannot accept what was entered. Nothing was changed.",
    429: "Too many requests in a short time. Nothing was changed. Try again in 7 seconds.",
    500: "Something broke on our side. It was recorded.",
    502: "The portal did not answer in time.",
    503: "The portal is busy right now. Nothing was changed. Try again in 2 minutes.",
    504: "The portal did not answer in time.",
    418: "The portal gave an unexpected answer (418).",
}
WAITS = {429: "7", 503: "120"}


def press_next_page(page: Page) -> None:
    page.get_by_role("navigation", name="Pages, below the table").get_by_role(
        "link", name="Next page"
    ).click()


@pytest.mark.parametrize("status", SENTENCES)
def test_each_status_has_its_own_sentence_and_the_list_stays(visit: Visit, status: int) -> None:
    page = visit("adrian", refused=(status,))
    page.goto(PLAIN_LIST)
    before = names(page).all_inner_texts()
    headers = {"Retry-After": WAITS[status]} if status in WAITS else {}
    junk = '<section id="list">junk</section><div id="messages">junk</div>'
    page.route(
        "**/tokens/?*page=2*",
        lambda route: route.fulfill(
            status=status, body=junk, headers=headers, content_type="text/html"
        ),
    )
    press_next_page(page)
    expect(page.get_by_role("alert")).to_contain_text(SENTENCES[status])
    expect(page.get_by_role("alert").locator("strong")).to_have_count(1)
    expect(names(page)).to_have_text(before)
    expect(page).to_have_url(re.compile(f"{re.escape(PLAIN_LIST)}$"))


def test_without_a_connection_a_press_says_that(visit: Visit) -> None:
    page = visit(
        "adrian", refused=("Failed to load resource: net::ERR_INTERNET_DISCONNECTED", "htmx:")
    )
    page.goto(PLAIN_LIST)
    page.context.set_offline(True)
    press_next_page(page)
    expect(page.get_by_role("alert")).to_contain_text(
        "The portal cannot be reached. Check your connection."
    )
    expect(page.get_by_role("row")).to_have_count(11)


def test_an_answer_without_the_piece_is_opened_as_the_page_it_is(visit: Visit) -> None:
    page = visit("adrian")
    page.goto(PLAIN_LIST)
    page.route(
        "**/tokens/?*page=2*",
        lambda route: route.fulfill(
            status=200, body="<h1>Log in to the hotel</h1>", content_type="text/html"
        ),
    )
    press_next_page(page)
    expect(page.get_by_role("heading", name="Log in to the hotel")).to_be_visible()
    expect(page.locator("#list")).to_have_count(0)
    expect(page).to_have_url(re.compile("page=2"))


def switch_account(page: Page, name: str) -> None:
    page.locator("summary").filter(has_text="Account menu:").click()
    page.get_by_role("button", name=re.compile(name)).click()
    expect(page.locator("summary").filter(has_text="Account menu:")).to_contain_text(name)


def test_a_press_from_a_page_of_another_account_says_for_which_one_acts(visit: Visit) -> None:
    page = visit()
    page.goto(LIST)
    sign_in(page, "tony")
    page.wait_for_url(f"**{LIST}")
    switch_account(page, "Front Street Inc")
    create_token(page, "Stays as it is")
    page.goto(f"{PLAIN_LIST}&q=Stays+as+it+is")
    other = page.context.new_page()
    other.goto(LIST)
    switch_account(other, "Mighty Mick's LLC")

    open_menu(page, "Stays as it is").get_by_role("button", name="Disable").click()
    message = page.locator("#messages")
    expect(message).to_contain_text("You now act for Mighty Mick's LLC.")
    expect(message).to_contain_text(
        "The page you used was for Front Street Inc. Nothing was changed."
    )
    expect(page.locator("summary").filter(has_text="Account menu:")).to_contain_text(
        "Mighty Mick's LLC"
    )
    message.get_by_role("button", name="Switch Back to Front Street Inc").click()
    expect(row(page, "Stays as it is")).to_contain_text("Active")
    expect(page.locator("summary").filter(has_text="Account menu:")).to_contain_text(
        "Front Street Inc"
    )


def test_a_list_of_the_other_account_comes_with_its_own_frame(visit: Visit) -> None:
    page = visit()
    page.goto(LIST)
    sign_in(page, "tony")
    page.wait_for_url(f"**{LIST}")
    switch_account(page, "Mighty Mick's LLC")
    page.goto(PLAIN_LIST)
    other = page.context.new_page()
    other.goto(LIST)
    switch_account(other, "Front Street Inc")
    page.get_by_role("searchbox").fill("a")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("#messages")).to_contain_text("You now act for Front Street Inc.")
    expect(page.locator("summary").filter(has_text="Account menu:")).to_contain_text(
        "Front Street Inc"
    )
    expect(page).to_have_url(re.compile("q=a"))

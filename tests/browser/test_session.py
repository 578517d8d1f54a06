"""The end of a session.

It is announced in time, put off by whatever the person does, and never loses what they typed.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Portal, Visit, sign_in
from tests.browser.pages import LIST

pytestmark = pytest.mark.browser

NEW = f"{LIST}new/"
# The idle limit is 30 minutes, plus one because the last request is stored to the minute.
LIMIT = 31 * 60


def come_in(page: Page, path: str = NEW) -> None:
    """Sign in with a session of the test's own, and a clock that the test controls."""
    page.clock.install()
    page.goto(path)
    sign_in(page, "michael")
    page.wait_for_url(f"**{path}")


def test_the_end_is_told_in_time_and_put_off_by_a_press(visit: Visit, portal: Portal) -> None:
    page = visit()
    come_in(page)
    name = page.get_by_label("Name")
    name.fill("Typed meanwhile")
    notice = page.locator("#session")
    portal.leave_alone(page, LIMIT - 100)
    page.clock.fast_forward("29:10")
    expect(notice).to_contain_text("Your session ends in 2 minutes. Stay signed in")
    # The notice has the role status: it is read out and does not take the focus.
    expect(notice).to_have_role("status")
    expect(name).to_be_focused()
    stay = notice.get_by_role("button", name="Stay signed in")
    stay.focus()
    stay.press("Enter")
    expect(notice).to_be_empty()
    expect(name).to_be_focused()
    expect(name).to_have_value("Typed meanwhile")
    # And the session really lasts longer.
    page.reload()
    expect(page.get_by_role("heading", name="Create Token")).to_be_visible()


def test_all_tabs_know_when_one_of_them_is_used(visit: Visit, portal: Portal) -> None:
    page = visit()
    come_in(page)
    other = page.context.new_page()
    other.clock.install()
    other.goto(LIST)
    portal.leave_alone(page, LIMIT - 100)
    for tab in (page, other):
        tab.clock.fast_forward("29:10")
        expect(tab.locator("#session")).to_contain_text("Your session ends in 2 minutes.")
    other.get_by_role("button", name="Stay signed in").click()
    for tab in (page, other):
        expect(tab.locator("#session")).to_be_empty()


def test_typing_is_a_sign_of_life(visit: Visit, portal: Portal) -> None:
    page = visit()
    come_in(page)
    portal.leave_alone(page, LIMIT - 300)
    page.clock.fast_forward("01:01")
    with page.expect_response("**/account/session/") as asked:
        page.get_by_label("Name").press("a")
    assert asked.value.json()["idle"] > LIMIT - 10
    # At most once a minute.
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    page.get_by_label("Name").press_sequentially("many letters")
    assert not calls


def test_the_end_is_told_and_costs_nothing_that_was_typed(visit: Visit, portal: Portal) -> None:
    page = visit()
    come_in(page)
    name = page.get_by_label("Name")
    name.fill("Typed before the end")
    portal.leave_alone(page, LIMIT + 10)
    page.clock.fast_forward("31:10")
    notice = page.locator("#session")
    expect(notice).to_contain_text("Your session ended. What you typed is still here")
    expect(name).to_have_value("Typed before the end")
    with page.context.expect_page() as opened:
        notice.get_by_role("link", name="Sign in").click()
    sign_in(opened.value, "michael")
    expect(opened.value.get_by_role("heading", name="Tokens", level=1)).to_be_visible()
    expect(notice).to_be_empty()
    page.get_by_role("button", name="Next").click()
    expect(name).to_have_value("Typed before the end")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Extension", level=2)).to_be_visible()

"""What a person typed survives an ended session, Back, Reload and a click on the wrong link."""

import re

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.conftest import Visit, sign_in
from tests.browser.pages import LIST, WEBHOOKS, create_token, module

pytestmark = pytest.mark.browser

NEW = f"{LIST}new/"
IN_THE_FORM = "What you typed is in the form. Nothing was saved yet."
WITH_AND_WITHOUT_SCRIPTS = pytest.mark.parametrize(
    "scripts", [True, False], ids=["scripts", "no-scripts"]
)


def come_in(page: Page, person: str, path: str = LIST) -> None:
    """Sign in with a session of the test's own, as other tests share theirs."""
    page.goto(path)
    sign_in(page, person)
    page.wait_for_url(f"**{path}")


@WITH_AND_WITHOUT_SCRIPTS
def test_a_session_that_ended_while_one_typed_loses_nothing(visit: Visit, scripts: bool) -> None:
    page = visit(java_script_enabled=scripts)
    come_in(page, "michael", NEW)
    page.get_by_label("Name").fill("Typed for a long time")
    page.get_by_label("Description").fill("Many words\nin two lines")
    page.context.clear_cookies(name="session")
    page.get_by_role("button", name="Next").click()
    sign_in(page, "michael")
    expect(page.get_by_role("heading", name="Create Token")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Typed for a long time")
    expect(page.get_by_label("Description")).to_have_value("Many words\nin two lines")
    expect(page.locator("#messages")).to_contain_text(IN_THE_FORM)
    # Still there after a reload, which is what people try.
    page.reload()
    expect(page.get_by_label("Name")).to_have_value("Typed for a long time")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Extension", level=2)).to_be_visible()


@WITH_AND_WITHOUT_SCRIPTS
def test_a_page_older_than_the_last_sign_in_comes_back_with_its_text(
    visit: Visit, scripts: bool
) -> None:
    page = visit(java_script_enabled=scripts)
    come_in(page, "michael", NEW)
    page.get_by_label("Name").fill("Typed before")
    other = page.context.new_page()
    page.context.clear_cookies()
    come_in(other, "michael")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("Name")).to_have_value("Typed before")
    expect(page.locator("#messages")).to_contain_text(
        "You signed in again since this page was opened."
    )
    page.get_by_role("button", name="Start Over").click()
    expect(page.get_by_label("Name")).to_have_value("")


def test_two_tabs_at_the_sign_in_page_both_lead_into_the_portal(visit: Visit) -> None:
    page = visit()
    other = page.context.new_page()
    page.goto("/sign-in/")
    other.goto("/sign-in/")
    for tab in (page, other):
        sign_in(tab, "adrian")
        expect(tab.get_by_role("heading", name="Tokens", level=1)).to_be_visible()


@WITH_AND_WITHOUT_SCRIPTS
def test_back_after_a_mistake_leads_to_the_form_with_its_text(visit: Visit, scripts: bool) -> None:
    page = visit("michael", java_script_enabled=scripts)
    page.goto(LIST)
    page.goto(NEW)
    page.get_by_label("Description").fill("Kept all the same")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_contain_text("Name: enter a name")
    page.go_back()
    expect(page.get_by_label("Description")).to_have_value("Kept all the same")
    page.go_forward()
    expect(page.get_by_label("Description")).to_have_value("Kept all the same")
    page.reload()
    expect(page.get_by_label("Description")).to_have_value("Kept all the same")
    # Forward, then back across the page with the mistake.
    page.get_by_label("Name").fill("Without mistakes")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Extension", level=2)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="General", level=2)).to_be_visible()


def test_back_over_a_wrong_password_asks_nothing(visit: Visit) -> None:
    page = visit()
    page.goto("/sign-in/")
    sign_in(page, "adrian", "not the password of adrian")
    expect(page.get_by_role("alert")).to_contain_text("E-mail or password is not right.")
    sign_in(page, "adrian")
    expect(page.get_by_role("heading", name="Tokens", level=1)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Tokens", level=1)).to_be_visible()


def questions(page: Page) -> tuple[list[str], list[bool]]:
    """Return the dialogs that the page will open, and a list to put the answers to them in."""
    asked: list[str] = []
    answers: list[bool] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        if answers.pop():
            dialog.accept()
        else:
            dialog.dismiss()

    page.on("dialog", answer)
    return asked, answers


def test_leaving_edit_with_changes_asks_and_saving_does_not(visit: Visit) -> None:
    page = visit("michael")
    token = create_token(page, "Left by mistake")
    asked, answers = questions(page)
    edit = f"{LIST}{token}/edit/"
    page.goto(edit)
    # Nothing changed, so nothing is asked.
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Left by mistake", level=1)).to_be_visible()

    page.goto(edit)
    module(page, "Usage").check()
    answers.append(False)
    page.get_by_role("link", name="Cancel").click(no_wait_after=True)
    expect(page).to_have_url(re.compile(f"{edit}$"))
    expect(module(page, "Usage")).to_be_checked()
    assert asked == ["beforeunload"]
    page.locator("[data-save]").click()
    expect(page.get_by_text("Left by mistake is saved: 1 change.")).to_be_visible()
    assert asked == ["beforeunload"]

    page.goto(edit)
    page.get_by_label("Description").fill("Not wanted")
    answers.append(True)
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Left by mistake", level=1)).to_be_visible()
    assert asked == ["beforeunload"] * 2


@pytest.mark.parametrize("change", ["text", "choice", "tick"])
def test_leaving_edit_of_a_webhook_with_changes_asks_and_saving_does_not(
    visit: Visit, change: str
) -> None:
    page = visit("michael")
    page.goto(WEBHOOKS)
    page.get_by_role("link", name="Orders to ERP").first.click()
    heading = page.get_by_role("heading", name="Orders to ERP", level=1)
    expect(heading).to_be_visible()
    asked, answers = questions(page)
    page.get_by_role("link", name="Edit").first.click()
    # Nothing changed, so nothing is asked.
    page.get_by_role("link", name="Cancel").click()
    expect(heading).to_be_visible()
    assert asked == []

    def make() -> None:
        if change == "text":
            page.get_by_label("Description").fill(f"Not wanted {len(asked)}")
        elif change == "choice":
            page.get_by_label("Method").select_option("GET")
        else:
            page.get_by_label("Keep the order").click()

    page.get_by_role("link", name="Edit").first.click()
    edit = page.url
    make()
    answers.append(False)
    page.get_by_role("link", name="Cancel").click(no_wait_after=True)
    expect(page).to_have_url(edit)
    assert asked == ["beforeunload"]
    answers.append(True)
    page.get_by_role("link", name="Cancel").click()
    expect(heading).to_be_visible()
    assert asked == ["beforeunload"] * 2

    page.get_by_role("link", name="Edit").first.click()
    page.get_by_label("Description").fill(f"Wanted, after a {change}")
    page.get_by_role("button", name="Save Changes").last.click()
    expect(page.get_by_text("Orders to ERP is saved.")).to_be_visible()
    assert asked == ["beforeunload"] * 2

"""Webhooks in a browser: with scripts, without, and by keyboard."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Portal, Visit
from tests.browser.pages import DISABLED_HOOK, HOOK, WEBHOOKS, row
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


def rows(page: Page) -> list[list[str]]:
    """Return what is in the rows of headers, the last of which is for another one."""
    pairs = page.locator(".pair").all()
    return [[each.input_value() for each in pair.locator("input").all()] for pair in pairs]


def test_headers_come_and_go_in_place(visit: Visit) -> None:
    page = visit("michael")
    page.goto(f"{HOOK}edit/")
    page.evaluate("document.body.dataset.same = 'page'")
    another, plus = page.get_by_label("Name of another"), page.get_by_label("Add another header")
    before = rows(page)
    plus.click()
    # Without a name there is nothing to add.
    expect(another).to_be_focused()
    assert rows(page) == before
    for name in ("X-First", "X-Second"):
        page.keyboard.type(name)
        page.get_by_label("Value of another header").fill(name.lower())
        tab_to(page, plus)
        page.keyboard.press("Enter")
        expect(another).to_be_focused()
    count = len(before)
    added = [["X-First", "x-first"], ["X-Second", "x-second"]]
    assert rows(page) == [*before[:-1], *added, ["", ""]]
    expect(page.get_by_label(f"Name of header {count + 1}")).to_have_value("X-Second")
    page.get_by_label(f"Remove header {count}").click()
    expect(page.get_by_label(f"Remove header {count}")).to_be_focused()
    expect(page.get_by_label(f"Name of header {count}")).to_have_value("X-Second")
    page.keyboard.press("Enter")
    expect(plus).to_be_focused()
    assert rows(page) == before
    while page.get_by_label("Remove header 1").count():
        page.get_by_label("Remove header 1").click()
    # It is still where the list of errors leads.
    expect(page.locator("#id_headers")).to_have_attribute("aria-label", "Name of another header")
    another.fill("Host")
    plus.click()
    page.get_by_role("button", name="Save Changes").click()
    page.get_by_role("link", name="Headers: the portal sets the header Host itself.").click()
    expect(page.get_by_label("Name of header 1")).to_be_focused()
    assert page.evaluate("document.body.dataset.same") is None


def test_what_will_be_sent_follows_while_one_types(visit: Visit) -> None:
    page = visit("michael")
    page.goto(f"{WEBHOOKS}new/")
    page.get_by_label("Label").fill("Followed")
    page.get_by_role("button", name="Next", exact=True).click()
    sample = page.locator("#sample-text")
    page.get_by_label("URL").fill("https://desk.example/hook")
    page.get_by_label("Name of another header").fill("X-Source")
    value = page.get_by_label("Value of another header")
    value.fill("connect")
    expect(sample).to_contain_text("POST https://desk.example/hook X-Source: connect")
    expect(value).to_be_focused()
    page.get_by_label("Add another header").click()
    page.get_by_label("Remove header 1").click()
    expect(sample).not_to_contain_text("X-Source")
    page.get_by_role("button", name="Next", exact=True).click()

    page.get_by_label("Token").check()
    expect(sample).to_contain_text('"object_class": "token"')
    data = page.get_by_label("Own data")
    data.fill('{"queue": ')
    expect(sample).to_contain_text("Left out, because it cannot be used yet: Own data.")
    # What is not finished is no error yet.
    expect(page.locator(".field-error")).to_have_count(0)
    data.fill('{"queue": "ops"}')
    expect(sample).to_contain_text('"queue": "ops"')
    expect(sample).not_to_contain_text("Left out")
    page.get_by_label("Condition").fill("eq(action,created)")
    told = re.compile("It would have matched|No such event has happened yet")
    expect(page.get_by_role("status").filter(has_text=told)).to_be_visible()
    expect(page.locator("#messages")).to_be_empty()


def options(page: Page) -> list[str]:
    return page.get_by_label("When").locator("option").all_inner_texts()


def test_validations_follow_the_objects_in_the_wizard_and_in_edit(visit: Visit) -> None:
    page = visit("robert")
    fill(page, "Draft Check")
    when = page.get_by_label("When")
    assert options(page) == ["After every change"]
    page.get_by_label("Fulfillment request").check()
    assert len(options(page)) == 9
    when.select_option("Validation of changes")
    expect(page.locator("#sample-text")).to_contain_text("keeps this webhook and never calls it")
    page.get_by_label("Tier config request").check()
    expect(when).to_have_value("event")
    assert "Validation of drafts, tier 1" in options(page)
    expect(page.locator("#sample-text")).to_contain_text("webhook-signature")
    # What was chosen before comes back with its objects.
    page.get_by_label("Fulfillment request").check()
    expect(when).to_have_value("change_validator")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_text("Draft Check was created.")).to_be_visible()
    expect(page.get_by_text("keeps this webhook and never calls it").first).to_be_visible()

    page.get_by_role("link", name="Go to Details").click()
    page.get_by_role("link", name="Edit").click()
    expect(when).to_have_value("change_validator")
    assert len(options(page)) == 9
    when.select_option("After every change")
    sample = page.locator("#sample-text")
    expect(sample).to_contain_text("webhook-signature")
    page.get_by_label("Label").fill("Order Feed")
    page.get_by_label("Own data").fill('{"queue": "ops"}')
    expect(sample).to_contain_text('"webhook_name": "Order Feed"')
    expect(sample).to_contain_text('"queue": "ops"')
    page.get_by_role("button", name="Save Changes").click()
    expect(page.get_by_text("Order Feed is saved.")).to_be_visible()


def test_without_scripts_a_validation_of_other_objects_is_refused_at_its_field(
    visit: Visit,
) -> None:
    page = visit("robert", java_script_enabled=False)
    fill(page, "Refused")
    when = page.get_by_label("When")
    when.select_option("Validation of drafts, tier 1")
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("link", name="When: a helpdesk case has no validations.").click()
    expect(when).to_have_value("draft_tcr_t1_val")
    expect(page.get_by_label("Helpdesk case")).to_be_checked()
    page.get_by_label("Tier config request").check()
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_text("Refused was created.")).to_be_visible()


def test_without_scripts_what_will_be_sent_is_that_of_the_last_press(visit: Visit) -> None:
    page = visit("robert", java_script_enabled=False)
    fill(page, "Pressed")
    page.get_by_label("Own data").fill('{"queue": "cases"}')
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#sample-text")).to_contain_text('"queue": "cases"')
    expect(page.locator("#sample-text")).to_contain_text('"object_class": "helpdesk_case"')


def test_segments_by_keyboard(visit: Visit) -> None:
    page = visit("michael")
    page.goto(f"{DISABLED_HOOK}deliveries/")
    failing = page.get_by_role("link", name="Failing", exact=True)
    tab_to(page, failing)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?result=failing$"))
    expect(failing).to_have_attribute("aria-current", "true")
    expect(failing).to_be_focused()
    expect(page.get_by_role("link", name="Remove filter Result")).to_be_visible()

    page.goto(DISABLED_HOOK)
    tab_to(page, page.get_by_role("radio", name="Python"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("#verify-javascript")).to_be_visible()
    expect(page.locator("#verify-python")).to_be_hidden()


def test_new_makes_another_secret_in_place(visit: Visit) -> None:
    page = visit("michael")
    page.goto(f"{HOOK}secrets/jwt/new/")
    field = page.get_by_label("JWT secret", exact=True)
    expect(field).to_have_value(SHOWN)
    offered = field.input_value()
    button = page.get_by_role("button", name="New JWT secret")
    button.click()
    expect(button).to_be_focused()
    expect(field).to_have_value(SHOWN)
    expect(field).not_to_have_value(offered)
    expect(page.locator("#announcer")).to_have_text("A new secret is in the field.")


def test_without_scripts_headers_and_the_secret_are_changed_by_the_server(visit: Visit) -> None:
    page = visit("robert", java_script_enabled=False)
    page.goto(f"{WEBHOOKS}new/")
    page.get_by_label("Label").fill("Never Created")
    page.get_by_role("button", name="Next", exact=True).click()
    field = page.get_by_label("JWT secret", exact=True)
    offered = field.input_value()
    page.get_by_label("Name of another header").fill("X-A")
    page.get_by_role("button", name="New JWT secret").click()
    expect(field).to_have_value(SHOWN)
    expect(field).not_to_have_value(offered)
    expect(page.get_by_label("Name of header 1")).to_have_value("X-A")
    page.get_by_role("button", name="Remove header 1").click()
    assert rows(page) == [["", ""]]

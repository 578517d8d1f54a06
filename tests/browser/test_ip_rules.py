"""The form of an IP rule in the browser, with scripts, without, and by keyboard."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Portal, Visit
from tests.browser.pages import open_menu, row

pytestmark = pytest.mark.browser

LIST = "/integrations/ip-rules/"
OF_TOKEN = "/integrations/tokens/SU-431-800-699/ip-rules/add/"
USED = """
from django.utils import timezone
from tokens.models import KeyUse, TokenKey
key = TokenKey.objects.get(token="SU-431-800-699")
now = timezone.now()
# Other tests may have called with it.
KeyUse.objects.filter(key=key).delete()
for address in ("198.51.100.7", "2001:db8:51::7"):
    KeyUse.objects.create(key=key, address=address, agent="", calls=7, first_at=now, last_at=now)
"""


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def page(visit: Visit, request: pytest.FixtureRequest) -> Page:
    return visit("mary", java_script_enabled=request.param)


def choose(page: Page, kind: str) -> None:
    page.locator("label").filter(has_text=kind).click()


def test_a_rule_is_added_edited_and_deleted(page: Page) -> None:
    page.goto(LIST)
    page.get_by_role("link", name="Add Rule").click()
    expect(page.get_by_label("Last address")).to_be_hidden()
    page.get_by_label("Name").fill("Branch office")
    page.locator("#id_first").fill("192.0.2.16")
    choose(page, "IP address range")
    page.get_by_label("Last address").fill("192.0.2.15")
    page.get_by_role("button", name="Add Rule").last.click()
    expect(page.get_by_text("The last address comes before the first.").first).to_be_visible()
    expect(page.locator("#id_first")).to_have_value("192.0.2.16")
    page.get_by_label("Last address").fill("192.0.2.31")
    page.get_by_role("button", name="Add Rule").last.click()
    expect(row(page, "Branch office")).to_contain_text("192.0.2.16/28")

    open_menu(page, "Branch office").get_by_role("link", name="Edit").click()
    page.get_by_label("Name").fill("Branch office, old")
    page.get_by_role("button", name="Save Changes").last.click()
    expect(row(page, "Branch office, old")).to_be_visible()

    open_menu(page, "Branch office, old").get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete Rule").click()
    expect(page.get_by_text("Branch office, old is deleted.")).to_be_visible()
    expect(row(page, "Branch office")).to_have_count(0)


def test_an_address_is_tried(page: Page) -> None:
    page.goto(LIST)
    page.get_by_label("Would it pass?").fill("203.0.113.61")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("203.0.113.61 passes, by the rule Head office.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"address=203\.0\.113\.61"))


def test_the_button_counts_the_addresses_that_are_ticked(visit: Visit, portal: Portal) -> None:
    portal.manage("shell", "--no-imports", "-c", USED)
    page = visit("michael")
    page.goto(OF_TOKEN)
    page.get_by_label("Name").fill("Only here")
    page.locator("#id_first").fill("203.0.113.24")
    page.get_by_role("button", name="Add Rule").last.click()
    expect(page.get_by_role("alert")).to_be_focused()
    save = page.locator("[data-save]")
    expect(save).to_have_text("Add 3 Rules")
    page.get_by_role("checkbox", name=re.compile(r"198\.51\.100\.7")).uncheck()
    expect(save).to_have_text("Add 2 Rules")
    page.get_by_role("checkbox", name=re.compile(r"2001:db8:51::7")).uncheck()
    expect(save).to_have_text("Add Rule")


def test_the_kind_of_a_rule_is_chosen_with_the_arrow_keys(visit: Visit) -> None:
    page = visit("mary")
    page.goto(f"{LIST}add/")
    page.get_by_role("radio", name="Single IP address").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="IP address range")).to_be_checked()
    expect(page.get_by_label("Last address")).to_be_visible()

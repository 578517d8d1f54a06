"""The API Reference as people read it."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

REFERENCE = "/integrations/api/"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/tier/accounts", "/tier/accounts"),  # a URL
        ("Support cases", "/helpdesk/cases"),  # a description
        ("LAST_SUCCESS.duration", "/notifications/webhooks"),  # a field, in any case
        ("Helpdesk close", "/helpdesk/cases"),  # a module and a call
    ],
)
def test_find_looks_through_addresses_fields_and_descriptions(
    visit: Visit, text: str, found: str
) -> None:
    page = visit("michael")
    page.goto(REFERENCE)
    page.get_by_label("Find an address, a field or a description").fill(text)
    entries = page.locator(".entry:visible h3 code")
    expect(entries.filter(has_text=found)).to_have_count(1)
    assert entries.count() < 5
    expect(page.locator("#basics")).to_be_hidden()


def test_find_says_that_there_is_nothing_and_gives_everything_back(visit: Visit) -> None:
    page = visit("michael")
    page.goto(REFERENCE)
    everything = page.locator(".entry:visible").count()
    find = page.get_by_label("Find an address, a field or a description")
    find.fill("no such thing")
    expect(page.get_by_text("Nothing has “no such thing” in its address")).to_be_visible()
    expect(page.locator(".entry:visible")).to_have_count(0)
    find.fill("")
    expect(page.locator(".entry:visible")).to_have_count(everything)
    expect(page.locator("#basics")).to_be_visible()


def test_an_entry_shows_an_answer_beside_its_fields(visit: Visit) -> None:
    page = visit("michael", viewport={"width": 1920, "height": 1000})
    page.goto(f"{REFERENCE}#agreements")
    entry = page.locator(".entry[open]")
    answer = entry.locator(".answer")
    expect(answer).to_contain_text('"id": "AGP-884-348-731"')
    fields = entry.get_by_role("heading", name="Fields").bounding_box()
    code = answer.bounding_box()
    assert fields is not None
    assert code is not None
    assert code["x"] > fields["x"] + 400

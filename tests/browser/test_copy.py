"""Ids can be copied with a button."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

CLIPBOARD = ["clipboard-read", "clipboard-write"]


@pytest.mark.parametrize(
    ("path", "button", "copied"),
    [
        ("/integrations/tokens/SU-431-800-699/", "Copy the ID of the token", "SU-431-800-699"),
        ("/integrations/", "Copy the ID of the account", "PA-063-101"),
    ],
)
def test_an_id_is_copied_by_a_press(visit: Visit, path: str, button: str, copied: str) -> None:
    page = visit("michael", permissions=CLIPBOARD)
    page.goto(path)
    page.get_by_role("button", name=button).click()
    expect(page.locator(".copy-id .is-done")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == copied

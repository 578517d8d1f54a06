"""The sign-in form sends the browser's time zone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def test_the_form_tells_the_zone_of_the_browser(visit: Visit) -> None:
    page = visit(timezone_id="Asia/Tokyo")
    page.goto("/sign-in/")
    expect(page.locator("[data-zone]")).to_have_value("Asia/Tokyo")

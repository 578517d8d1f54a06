"""The life of a token, acted out: its end, where it works, a new key, retiring, deleting, undoing.

The server has two processes. Programs call it from two addresses of this machine.
"""

import http.client
import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Portal, Visit
from tests.browser.pages import LIST, extension, key_in, module, open_menu, row

pytestmark = pytest.mark.browser

NAME = "Price Sync"
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.77"
# Each call is a connection of its own, so that both processes answer some of them.
CALLS = 12


def call(portal: Portal, key: str, address: str = HERE) -> tuple[int, str, str]:
    """Call from an address; return the status, the error code and the text of the answer."""
    at = urlsplit(portal.url)
    assert at.hostname
    connection = http.client.HTTPConnection(
        at.hostname, at.port, timeout=20, source_address=(address, 0)
    )
    headers = {"Authorization": key, "User-Agent": "price-sync/2.1"}
    connection.request("GET", "/public/v1/agreements?limit=1", headers=headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    code = "" if response.status == 200 else json.loads(text)["error_code"]
    return response.status, code, text


def answers(portal: Portal, key: str) -> set[tuple[int, str]]:
    return {call(portal, key)[:2] for _ in range(CALLS)}


def made(page: Page) -> str:
    """Make a token that expires in 60 days; return its key."""
    page.goto("/integrations/tokens/new/")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Expires", exact=True).select_option(label="After 60 days")
    page.get_by_role("button", name="Next").click()
    extension(page, "Custom").check()
    page.get_by_role("button", name="Next").click()
    module(page, "Agreements").check()
    page.get_by_role("button", name="Create").click()
    page.get_by_role("button", name="View key").click()
    key = key_in(page)
    page.get_by_role("link", name="Go to Details").click()
    day = datetime.now(UTC) + timedelta(days=60)
    expect(page.locator(".facts-about")).to_contain_text(re.compile(rf"{day:%m/%Y}"))
    return key


def restricted(page: Page) -> None:
    """Let it be called from one range of addresses only."""
    open_menu(page, NAME).get_by_role("link", name="Add IP Rule…").click()
    page.get_by_label("Name").fill("This machine")
    page.locator("label").filter(has_text="IP address range").click()
    page.locator("#id_first").fill("127.0.0.0")
    page.get_by_label("Last address").fill("127.0.0.3")
    page.get_by_role("button", name="Add Rule").last.click()
    expect(page.get_by_text("This machine is added.")).to_be_visible()


def renewed(page: Page) -> str:
    """Make a new key, and let the old one live on for a day; return the new one."""
    page.get_by_role("link", name="New Key…").first.click()
    page.get_by_label("It stops after").select_option(label="1 day")
    page.get_by_role("button", name="Make New Key").click()
    return key_in(page)


def test_the_life_of_a_token(visit: Visit, portal: Portal) -> None:
    page = visit("michael")
    old = made(page)
    details = page.url
    restricted(page)
    assert answers(portal, old) == {(200, "")}
    status, code, text = call(portal, old, ELSEWHERE)
    assert (status, code) == (403, "AUTH_007")
    assert f"may not be used from the address {ELSEWHERE}" in text

    new = renewed(page)
    assert answers(portal, old) == answers(portal, new) == {(200, "")}
    page.goto(details)
    cockpit = page.locator("section").filter(has_text="Two Keys Are Live")
    for key, name in ((old, "Old key"), (new, "New key")):
        panel = cockpit.locator(".twin-key").filter(has_text=name)
        expect(panel).to_contain_text(f"ends in {key[-4:]}")
        expect(panel).to_contain_text(HERE)
    expect(cockpit).to_contain_text("Wait: the old key was used")
    expect(row(page, HERE)).to_contain_text("price-sync")

    page.get_by_role("link", name="Rehearse…").click()
    page.get_by_role("button", name="Refuse It for 5 Minutes").click()
    expect(page.get_by_text("A rehearsal is on.")).to_be_visible()
    assert answers(portal, old) == {(401, "AUTH_006")}
    assert answers(portal, new) == {(200, "")}
    page.get_by_role("button", name="End Rehearsal").click()
    expect(page.get_by_text("The rehearsal is over.")).to_be_visible()
    assert answers(portal, old) == {(200, "")}

    page.get_by_role("link", name="Retire Now…").click()
    page.get_by_role("button", name="Retire Now").click()
    expect(page.get_by_text("The old key is retired.")).to_be_visible()
    assert answers(portal, old) == {(401, "AUTH_006")}
    assert answers(portal, new) == {(200, "")}

    open_menu(page, NAME).get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete Token").click()
    expect(page.get_by_text(f"{NAME} is deleted.")).to_be_visible()
    assert answers(portal, new) == {(401, "AUTH_001")}
    page.goto(f"{LIST}?status=deleted")
    row(page, NAME).get_by_role("button", name="Restore").click()
    expect(page.get_by_text(f"{NAME} is restored and active again.").first).to_be_visible()
    assert answers(portal, new) == {(200, "")}
    assert answers(portal, old) == {(401, "AUTH_006")}
    assert call(portal, new, ELSEWHERE)[1] == "AUTH_007"

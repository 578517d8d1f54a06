"""Two-step sign-in and passkeys in a browser: codes without scripts, passkeys with them."""

import base64
import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Page, expect

from tests.browser.conftest import TIMEOUT_MS, Portal, Visit, sign_in

pytestmark = pytest.mark.browser
SECURITY = "/account/security/"
PERSON = "tony"
HOW_TO_ADD = "To add one, open the portal"


@pytest.fixture(autouse=True)
def _nothing_is_left(portal: Portal) -> Iterator[None]:
    """Take the second step and the passkeys away again: other files sign in as the same people."""
    yield
    portal.manage("remove_second_step", "tony@gazzo.example")


def code_of(page: Page, steps: int = 0) -> str:
    secret = page.locator(".setup-code").inner_text().replace(" ", "")
    app = TOTP(base64.b32decode(secret), 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303
    return app.generate(int(time.time()) + 30 * steps).decode()


def test_codes_work_without_scripts(visit: Visit) -> None:
    page = visit(PERSON, java_script_enabled=False)
    page.goto(SECURITY)
    expect(page.get_by_text("A stolen password is enough to sign in.")).to_be_visible()
    page.get_by_role("link", name="Set Up").click()
    code = code_of(page, 1)
    spare = page.locator(".spare li").first.inner_text()
    page.get_by_label("Code").fill("12")
    page.get_by_role("button", name="Switch On").click()
    expect(page.get_by_text("That code is not right.")).to_be_visible()
    page.get_by_label("Code").fill(code_of(page))
    page.get_by_role("button", name="Switch On").click()
    expect(page.get_by_text("Two-step sign-in is on.")).to_be_visible()

    other = visit(java_script_enabled=False)
    other.goto("/integrations/tokens/?q=x")
    sign_in(other, PERSON)
    expect(other.get_by_role("heading", name="Second Step")).to_be_visible()
    other.goto("/integrations/tokens/")
    expect(other.get_by_role("heading", name="Sign In", level=1)).to_be_visible()
    sign_in(other, PERSON)
    other.get_by_label("Code").fill(code)
    other.get_by_role("button", name="Sign In").click()
    expect(other).to_have_url(re.compile("/integrations/tokens/"))

    third = visit(java_script_enabled=False)
    third.goto("/sign-in/")
    sign_in(third, PERSON)
    third.get_by_label("Code").fill(spare)
    third.get_by_role("button", name="Sign In").click()
    expect(third).to_have_url(re.compile("/integrations/tokens/"))


def test_a_passkey_is_added_signs_in_and_confirms(visit: Visit, portal: Portal) -> None:
    # Browsers know no passkeys under an IP address.
    page = visit(base_url=f"http://localhost:{urlsplit(portal.url).port}")
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    page.goto("/sign-in/")
    sign_in(page, PERSON)
    page.wait_for_url("**/integrations/**")
    page.goto(SECURITY)
    page.get_by_role("button", name="Add Passkey").click()
    expect(page.get_by_text("The passkey is added.")).to_be_visible()
    expect(page.get_by_text(HOW_TO_ADD)).to_be_hidden()

    page.context.clear_cookies(name="session")
    page.goto("/sign-in/")
    page.get_by_role("button", name="Sign In with a Passkey").click()
    page.wait_for_url("**/integrations/**")

    portal.forget_confirmations()
    page.goto(SECURITY)
    page.get_by_role("button", name="Remove… Chrome").click()
    expect(page.get_by_role("heading", name="Confirm That It Is You")).to_be_visible()
    page.get_by_role("button", name="Use a Passkey").click()
    # The question to the server, the device's answer, the form and the page after it.
    expect(page.get_by_text("The passkey is removed.")).to_be_visible(timeout=4 * TIMEOUT_MS)


def test_without_scripts_or_under_an_address_there_are_no_passkeys(visit: Visit) -> None:
    for scripts in (True, False):
        page = visit(java_script_enabled=scripts)
        page.goto("/sign-in/")
        expect(page.get_by_role("button", name="Sign In", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Sign In with a Passkey")).to_be_hidden()
        sign_in(page, PERSON)
        page.goto(SECURITY)
        expect(page.get_by_role("button", name="Add Passkey")).to_be_hidden()
        expect(page.get_by_text(HOW_TO_ADD)).to_be_visible()

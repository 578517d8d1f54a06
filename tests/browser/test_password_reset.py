"""A forgotten password: the mail, the link, the new password."""

import re
import time
from email import message_from_string
from email.message import Message

import pytest
from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.conftest import Portal, Visit, sign_in

pytestmark = pytest.mark.browser

NEW_PASSWORD = "another-password-of-the-browser-tests"


def wait_for_mail(portal: Portal, to: str) -> Message:
    """Wait for the mail to an address, which is sent in the background, as all of them are."""
    for _ in range(100):
        # The folder is created with the first mail; lines of dashes separate those of one file.
        for file in portal.mail.glob("*"):
            for text in file.read_text().split(f"\n{'-' * 79}\n"):
                mail = message_from_string(text)
                if mail["To"] == to and mail["Message-ID"]:
                    return mail
        time.sleep(0.1)
    raise AssertionError("No mail came.")


def test_link_of_the_mail_leads_to_a_new_password_once(visit: Visit, portal: Portal) -> None:
    page = visit()
    page.goto("/sign-in/")
    page.get_by_role("link", name="Forgotten password").click()
    page.get_by_label("E-mail").fill("Paulie@FrontStreet.example")
    page.get_by_role("button", name="Send the Link").click()
    expect(page.get_by_role("heading", name="Check Your E-mail")).to_be_visible()

    mail = wait_for_mail(portal, "paulie@frontstreet.example")
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    link = re.search(rf"{re.escape(portal.url)}/\S+", body.decode())
    assert link

    page.goto(link[0])
    check(page)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password confirmation").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Save the Password").click()
    expect(page.get_by_role("heading", name="Your Password Is Changed")).to_be_visible()
    page.goto(link[0])
    expect(page.get_by_role("heading", name="The Link Is Not Valid")).to_be_visible()
    page.goto("/sign-in/")
    sign_in(page, "paulie", NEW_PASSWORD)
    expect(page.get_by_role("heading", name="Tokens", level=1)).to_be_visible()

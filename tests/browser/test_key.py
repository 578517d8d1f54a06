"""Copying, hiding and viewing a key in the browser.

Every browser can copy it, nothing keeps it, and it is shown only to people who gave the password.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Portal, Visit, sign_in
from tests.browser.pages import HOOK, LIST, PLAIN_LIST, key_in

pytestmark = pytest.mark.browser

TUTORIAL = "/integrations/tokens/SU-431-800-699/"
KEY = r"ApiKey SU-\d{3}-\d{3}-\d{3}:[0-9a-f]{40}"
NO_CLIPBOARD = "delete Navigator.prototype.clipboard;"


def just_signed_in(page: Page, path: str = TUTORIAL) -> None:
    """Open the token as Michael, who gave the password a moment ago."""
    page.goto(path)
    sign_in(page, "michael")
    expect(page.get_by_role("heading", name="Tutorial API Token", level=1)).to_be_visible()
    # Before the scripts have run, a button works as without scripts.
    page.wait_for_load_state("load")


def hidden(page: Page) -> None:
    expect(page.locator("#key-text")).to_have_count(0)
    expect(page.get_by_role("button", name="View key")).to_be_visible()


def test_copy_without_a_clipboard_object_copies_in_the_old_way(visit: Visit) -> None:
    page = visit()
    page.add_init_script(NO_CLIPBOARD)
    just_signed_in(page)
    assert page.evaluate("navigator.clipboard === undefined")
    page.get_by_role("button", name="View key").click()
    key = key_in(page)
    page.get_by_role("button", name="Copy key").click()
    expect(page.locator("#announcer")).to_have_text("Key copied.")
    expect(page.locator("#key-copy")).to_contain_text("Copied")
    page.get_by_role("link", name="Hide key").click()
    hidden(page)
    # What a person would paste.
    page.goto(PLAIN_LIST)
    search = page.get_by_role("searchbox", name="Search by label or ID")
    search.press("ControlOrMeta+v")
    expect(search).to_have_value(key)


def never_shown(page: Page) -> None:
    """Record, from now on, whether any part of the page ever contains a key."""
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => new MutationObserver(() => {"
        " if (/:[0-9a-f]{40}/.test(document.documentElement.outerHTML)) "
        "document.documentElement.dataset.leaked = 'yes'; })"
        ".observe(document.documentElement, {childList: true, subtree: true, characterData: true, "
        "attributes: true}))"
    )


def expect_never_shown(page: Page) -> None:
    assert page.evaluate("document.documentElement.dataset.leaked") is None
    expect(page.locator("#key-text")).to_have_count(0)


@pytest.mark.parametrize("way", ["", NO_CLIPBOARD], ids=["clipboard", "the old way"])
def test_copy_on_a_masked_key_copies_without_showing_it(
    visit: Visit, portal: Portal, way: str
) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.add_init_script(way)
    never_shown(page)
    just_signed_in(page)
    page.get_by_role("button", name="Copy key").click()
    expect(page.locator("#announcer")).to_have_text("Key copied.")
    expect(page.locator("#key-copy")).to_contain_text("Copied")
    expect(page.locator("#key-copy")).to_be_focused()
    expect_never_shown(page)
    page.goto(PLAIN_LIST)
    search = page.get_by_role("searchbox", name="Search by label or ID")
    search.press("ControlOrMeta+v")
    assert portal.get("/public/v1/accounts", search.input_value()).status == 200


def test_copy_that_the_browser_refuses_says_how_to_get_the_key(visit: Visit) -> None:
    page = visit()
    page.add_init_script(f"{NO_CLIPBOARD} document.execCommand = () => false;")
    never_shown(page)
    just_signed_in(page)
    page.get_by_role("button", name="Copy key").click()
    hint = "Copying is not possible here. Press View, and copy the key from the page."
    expect(page.locator("#announcer")).to_have_text(hint)
    expect(page.locator("#key").get_by_text(hint)).to_be_visible()
    expect_never_shown(page)


@pytest.mark.parametrize("width", [320, 360, 480, 768, 1280, 1920])
@pytest.mark.parametrize(
    ("path", "field", "noun"),
    [(TUTORIAL, "key", "key"), (HOOK, "secret-jwt", "JWT secret")],
    ids=["token", "webhook"],
)
def test_nothing_moves_when_the_key_appears_and_hides(
    visit: Visit, path: str, field: str, noun: str, width: int
) -> None:
    page = visit(viewport={"width": width, "height": 900})
    page.goto(path)
    sign_in(page, "michael")
    page.wait_for_load_state("load")
    shown = page.locator(f"#{field}-text")

    def places() -> list[object]:
        """Return the positions of the buttons, the cards and the end of the page."""
        found: list[object] = page.evaluate(
            "[...document.querySelectorAll('.key-buttons > *, .key-field, main section, footer')]"
            ".map(each => [each.id || each.className || each.localName, ...['x', 'y', 'width', "
            "'height']"
            ".map(side => Math.round(each.getBoundingClientRect()[side] * 10) / 10 + (side === "
            "'y' ? Math.round(scrollY) : 0))])"
        )
        return found

    masked = places()
    page.get_by_role("button", name=f"View {noun}").click()
    expect(shown).to_be_visible()
    assert places() == masked
    page.get_by_role("button", name=f"Copy {noun}").click()
    expect(page.locator(f"#{field}-copy")).to_contain_text(re.compile("Copied|Copy"))
    assert places() == masked
    page.get_by_role("link", name=f"Hide {noun}").click()
    expect(shown).to_have_count(0)
    expect(page.get_by_role("button", name=f"View {noun}")).to_be_visible()
    assert places() == masked


def test_the_answer_to_view_opened_again_is_the_details(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    just_signed_in(page)
    page.get_by_role("button", name="View key").click()
    key_in(page)
    expect(page).to_have_url(re.compile("/reveal/$"))
    page.goto(page.url)
    expect(page).to_have_url(re.compile(f"{TUTORIAL}$"))
    hidden(page)


def test_without_scripts_copy_is_view(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    just_signed_in(page)
    page.get_by_role("button", name="Copy key").click()
    key_in(page)
    expect(page.get_by_text("You are viewing a secret. The view was recorded")).to_be_visible()


def test_when_copying_is_refused_the_key_is_selected_and_the_page_says_so(visit: Visit) -> None:
    page = visit()
    page.add_init_script(f"{NO_CLIPBOARD} document.execCommand = () => false;")
    just_signed_in(page)
    page.get_by_role("button", name="View key").click()
    key = key_in(page)
    page.get_by_role("button", name="Copy key").click()
    hint = "Copying is not possible here. The key is selected: press Ctrl+C."
    expect(page.locator("#announcer")).to_have_text(hint)
    expect(page.locator("#key").get_by_text(hint)).to_be_visible()
    assert page.evaluate("getSelection().toString().trim()") == key


def test_key_hides_when_its_time_is_over(visit: Visit) -> None:
    page = visit()
    page.clock.install()
    just_signed_in(page)
    page.get_by_role("button", name="View key").click()
    key_in(page)
    expect(page.locator("#key")).to_contain_text(re.compile(r"It hides in \d+ seconds\."))
    page.clock.fast_forward(50_000)
    key_in(page)
    expect(page.locator("#announcer")).to_have_text(
        re.compile(r"It hides in (10|[1-9]) seconds?\.")
    )
    page.clock.fast_forward(11_000)
    hidden(page)
    expect(page.locator("#announcer")).to_have_text("The key is hidden.")
    expect(page.get_by_text("You are viewing a secret.")).to_have_count(0)


def test_key_stays_when_asked_to_and_hides_when_asked_to(visit: Visit) -> None:
    page = visit()
    page.clock.install()
    just_signed_in(page)
    page.get_by_role("button", name="View key").click()
    key_in(page)
    page.get_by_role("button", name="Keep it visible").click()
    expect(page.locator("#key")).to_contain_text(
        "The key stays visible until you hide it or leave the page."
    )
    page.clock.fast_forward("10:00")
    key_in(page)
    page.get_by_role("link", name="Hide key").click()
    hidden(page)


def test_no_page_that_can_be_opened_by_its_address_holds_the_key(visit: Visit) -> None:
    page = visit()
    just_signed_in(page)
    page.get_by_role("button", name="View key").click()
    secret = key_in(page).split(":")[1]
    expect(page).to_have_url(re.compile(f"{TUTORIAL}$"))
    for path in (
        LIST,
        TUTORIAL,
        f"{TUTORIAL}summary/",
        f"{TUTORIAL}permissions/",
        f"{TUTORIAL}edit/",
        f"{TUTORIAL}delete/",
        "/integrations/",
    ):
        answer = page.request.get(path)
        assert answer.ok
        assert secret not in answer.text()
    page.reload()
    hidden(page)
    assert secret not in page.content()


def test_back_does_not_bring_a_shown_key_again(visit: Visit) -> None:
    page = visit()
    just_signed_in(page)
    page.get_by_role("button", name="View key").click()
    secret = key_in(page).split(":")[1]
    page.get_by_role("link", name="Back to the tokens").click()
    expect(page.get_by_role("heading", name="Tokens", level=1)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Tutorial API Token", level=1)).to_be_visible()
    hidden(page)
    assert secret not in page.content()


def test_scripts_keep_the_key_nowhere(visit: Visit) -> None:
    page = visit()
    just_signed_in(page)
    page.get_by_role("button", name="View key").click()
    secret = key_in(page).split(":")[1]
    stored = "JSON.stringify([{...sessionStorage}, {...localStorage}, history.state])"
    assert secret not in page.evaluate(stored)
    page.get_by_role("navigation", name="Token details").get_by_role(
        "link", name="Permissions"
    ).click()
    # A list that htmx swaps and keeps for Back, after the page that showed the key.
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("form", name="Filter")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("form", name="Filter")).to_have_count(0)
    assert secret not in page.evaluate(stored)
    assert page.context.cookies()
    assert all(secret not in cookie.get("value", "") for cookie in page.context.cookies())


def test_a_session_without_a_fresh_password_is_asked_in_a_dialog(
    visit: Visit, portal: Portal
) -> None:
    page = visit()
    just_signed_in(page)
    portal.forget_confirmations()
    page.get_by_role("button", name="View key").click()
    dialog = page.get_by_role("dialog", name="Confirm That It Is You")
    expect(dialog).to_contain_text(
        "To view the key of Tutorial API Token, enter the password of michael@mightymicks.example."
    )
    assert dialog.evaluate("element => element.matches(':modal')")
    expect(page.locator("#key-text")).to_have_count(0)
    dialog.get_by_label("Password", exact=True).fill("not the password")
    dialog.get_by_role("button", name="View Key").click()
    expect(dialog).to_contain_text("The password is not right.")
    expect(page.locator("#key-text")).to_have_count(0)
    dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    dialog.get_by_role("button", name="View Key").click()
    key_in(page)
    expect(dialog).to_have_count(0)
    expect(
        page.get_by_text("You are viewing a secret. The view was recorded: Michael Goldmill")
    ).to_be_visible()
    # The password counts for five minutes.
    page.get_by_role("link", name="Hide key").click()
    page.get_by_role("button", name="View key").click()
    key_in(page)


def test_copy_after_the_password_copies(visit: Visit, portal: Portal) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    never_shown(page)
    just_signed_in(page)
    portal.forget_confirmations()
    page.get_by_role("button", name="Copy key").click()
    dialog = page.get_by_role("dialog", name="Confirm That It Is You")
    dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    dialog.get_by_role("button", name="Copy Key").click()
    expect(page.locator("#announcer")).to_have_text("Key copied.")
    expect(dialog).to_have_count(0)
    assert re.fullmatch(KEY, page.evaluate("navigator.clipboard.readText()"))
    expect_never_shown(page)


def test_printed_page_shows_dots(visit: Visit) -> None:
    page = visit()
    just_signed_in(page)
    page.get_by_role("button", name="View key").click()
    key_in(page)
    page.emulate_media(media="print")
    expect(page.locator("#key-text")).to_be_hidden()
    expect(page.locator(".key-print")).to_be_visible()


def test_the_question_before_a_wider_edit_keeps_and_saves_what_was_chosen(
    visit: Visit, portal: Portal
) -> None:
    page = visit("michael")
    page.goto(TUTORIAL)
    page.get_by_role("link", name="Edit").first.click()
    everything = page.get_by_label("All Modules")
    everything.uncheck()
    page.get_by_label("Agreements").check()
    page.get_by_role("button", name="Save Changes").last.click()
    expect(page.get_by_text("is saved: ")).to_be_visible()
    page.get_by_role("link", name="Edit").first.click()
    portal.forget_confirmations()
    everything.check()
    page.get_by_role("button", name="Save Changes").last.click()
    dialog = page.get_by_role("dialog", name="Confirm That It Is You")
    expect(dialog).to_contain_text(
        "To save more access for Tutorial API Token, enter the password of"
    )
    dialog.get_by_role("link", name="Cancel").click()
    expect(everything).to_be_checked()
    page.get_by_role("button", name="Save Changes").last.click()
    dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    dialog.get_by_role("button", name="Save Changes").click()
    expect(page.get_by_text("is saved: ")).to_be_visible()

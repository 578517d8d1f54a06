"""Pages fit every width, follow the chosen theme, and keep still for those who ask for it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.pages import LIST, PLAIN_LIST, names, open_menu

pytestmark = pytest.mark.browser

TUTORIAL = "/integrations/tokens/SU-431-800-699/"
EVERY_COLUMN = f"{LIST}?columns=label,extension,external_id,modules,created,updated,last_used,expires,status&per_page=50"
WIDTHS = (320, 360, 768, 1024, 1280, 1920)
LIGHT, DARK = "rgb(244, 246, 249)", "rgb(13, 19, 26)"


def fits(page: Page, width: int) -> None:
    """The page does not scroll sideways, and nothing is cut off to get there."""
    page.set_viewport_size({"width": width, "height": 800})
    found = page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth, getComputedStyle(document.body).overflowX]")
    assert found[0] <= width, f"{page.url} is {found[0]} wide at {width}"
    assert found[1] <= width, f"the body of {page.url} is {found[1]} wide at {width}"
    assert found[2] == "visible"


@pytest.mark.parametrize(
    "path",
    [
        "/integrations/",
        "/integrations/api/",
        "/integrations/api/#requests",
        PLAIN_LIST,
        EVERY_COLUMN,
        f"{PLAIN_LIST}&filter=open",
        f"{PLAIN_LIST}&q=nothing-is-called-so",
        "/integrations/tokens/new/",
        TUTORIAL,
        f"{TUTORIAL}permissions/",
        f"{TUTORIAL}summary/",
        f"{TUTORIAL}edit/",
        f"{TUTORIAL}delete/",
        "/integrations/webhooks/",
        "/integrations/extensions/",
        "/account/",
        "/account/password/",
    ],
)
def test_no_page_scrolls_sideways(visit: Visit, path: str) -> None:
    page = visit("michael")
    page.goto(path)
    for width in WIDTHS:
        fits(page, width)


def test_steps_of_the_wizard_do_not_scroll_sideways(visit: Visit) -> None:
    page = visit("michael")
    page.goto("/integrations/tokens/new/")
    # A name without a single place to break.
    page.get_by_label("Name").fill("W" * 128)
    page.get_by_role("button", name="Next").click()
    for heading in ("Extension", "Permissions"):
        expect(page.get_by_role("heading", name=heading, level=2)).to_be_visible()
        for width in WIDTHS:
            fits(page, width)
        if heading == "Extension":
            page.get_by_role("radio", name=re.compile("^Custom ")).check()
            page.get_by_role("button", name="Next").click()
    page.get_by_role("checkbox", name=re.compile("^All Modules ")).check()
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Summary", level=2)).to_be_visible()
    for width in WIDTHS:
        fits(page, width)
    page.get_by_role("button", name="View key").click()
    expect(page.locator("#key-text")).to_be_visible()
    for width in WIDTHS:
        fits(page, width)
    page.get_by_role("link", name="Go to Details").click()
    for width in WIDTHS:
        fits(page, width)
    page.goto(PLAIN_LIST)
    expect(page.get_by_text("W" * 128)).to_be_visible()
    for width in WIDTHS:
        fits(page, width)


@pytest.mark.parametrize("path", ["/sign-in/", "/account/reset/", "/account/reset/sent/", "/account/reset/complete/", "/account/reset/MQ/used-up/"])
def test_pages_before_signing_in_do_not_scroll_sideways(visit: Visit, path: str) -> None:
    page = visit()
    page.goto(path)
    for width in WIDTHS:
        fits(page, width)


@pytest.mark.parametrize("width", [320, 360])
def test_targets_on_a_phone_are_large_enough(visit: Visit, width: int) -> None:
    page = visit("michael", viewport={"width": width, "height": 740})
    page.goto(PLAIN_LIST)
    for button in page.locator("main summary.button-icon").all():
        box = button.bounding_box()
        assert box is not None
        assert box["width"] >= 40
        assert box["height"] >= 40


def test_the_lowest_row_menu_opens_inside_the_window(visit: Visit) -> None:
    page = visit("michael", viewport={"width": 1280, "height": 720})
    page.goto(PLAIN_LIST)
    name = names(page).last.inner_text()
    menu = open_menu(page, name)
    expect(menu).to_be_in_viewport(ratio=1)
    fits(page, 1280)


def test_theme_switch_works_and_stays(visit: Visit) -> None:
    page = visit("michael", color_scheme="light")
    page.goto(LIST)
    body = page.locator("body")
    expect(body).to_have_css("background-color", LIGHT)
    themes = page.get_by_role("group", name="Theme")
    expect(themes.get_by_role("button", name="Same as the system")).to_have_attribute("aria-pressed", "true")
    themes.get_by_role("button", name="Dark").click()
    expect(body).to_have_css("background-color", DARK)
    expect(page).to_have_url(re.compile(f"{LIST}$"))
    expect(themes.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(body).to_have_css("background-color", DARK)
    # A light choice wins over a dark system.
    themes.get_by_role("button", name="Light").click()
    page.emulate_media(color_scheme="dark")
    expect(body).to_have_css("background-color", LIGHT)
    themes.get_by_role("button", name="Same as the system").click()
    expect(body).to_have_css("background-color", DARK)
    page.emulate_media(color_scheme="light")
    expect(body).to_have_css("background-color", LIGHT)


def test_theme_switch_works_before_signing_in(visit: Visit) -> None:
    page = visit(color_scheme="light")
    page.goto("/sign-in/?next=/account/")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page).to_have_url(re.compile(r"/sign-in/\?next=/account/$"))


def test_nothing_moves_when_reduced_motion_is_asked_for(visit: Visit) -> None:
    page = visit("michael", reduced_motion="reduce")
    page.goto(PLAIN_LIST)
    menu = open_menu(page, names(page).first.inner_text())
    expect(menu).to_be_visible()
    moving = """() => [...document.querySelectorAll('*')].flatMap((element) => {
        const style = getComputedStyle(element);
        const seconds = [...style.transitionDuration.split(','), ...style.animationDuration.split(',')].map(parseFloat);
        return Math.max(...seconds) > 0.001 ? [element.outerHTML.slice(0, 100)] : [];
    })"""
    assert page.evaluate(moving) == []
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"

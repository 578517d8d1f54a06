"""Pages that are rarely seen fit every width too: refusals, the password question and the admin."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Portal, Visit
from tests.browser.pages import LIST, WEBHOOKS, make_hooks
from tests.browser.test_layout import RENEWED, TUTORIAL, fits

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_for_what_one_may_not_do_fits_every_width(visit: Visit, theme: str) -> None:
    page = visit("adrian", color_scheme=theme, refused=(403,))
    page.goto("/integrations/tokens/new/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    fits(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_form_that_came_back_from_an_earlier_session_fits_every_width(
    visit: Visit, theme: str
) -> None:
    page = visit("michael", color_scheme=theme, java_script_enabled=False)
    page.goto(f"{TUTORIAL}edit/")
    marks = page.locator("main [name=csrfmiddlewaretoken]")
    marks.evaluate_all("marks => marks.forEach(mark => mark.value = 'x')")
    page.locator("main form").get_by_role("button", name="Save").click()
    expect(page.get_by_text("What you typed is in the form.")).to_be_visible()
    fits(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_for_a_form_that_is_too_large_fits_every_width(visit: Visit, theme: str) -> None:
    page = visit("michael", color_scheme=theme, java_script_enabled=False, refused=(413,))
    page.goto(f"{TUTORIAL}edit/")
    page.locator("main textarea").first.evaluate("field => field.value = 'x'.repeat(300_000)")
    page.locator("main form").get_by_role("button", name="Save").click(no_wait_after=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("The request is too large.")
    fits(page)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_question_for_the_password_fits_every_width(
    visit: Visit,
    portal: Portal,
    theme: str,
    scripts: bool,
) -> None:
    page = visit("michael", color_scheme=theme, java_script_enabled=scripts)
    page.goto(TUTORIAL)
    portal.forget_confirmations()
    page.get_by_role("button", name="View key").click()
    expect(page.get_by_label("Password").first).to_be_visible()
    fits(page)


@pytest.fixture(scope="module")
def hooks(portal: Portal) -> dict[str, str]:
    return make_hooks(portal)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "deliveries/", "delete/"])
@pytest.mark.parametrize("state", ["paused", "sent again"])
def test_pages_of_a_webhook_that_waits_fit_every_width(
    visit: Visit, hooks: dict[str, str], state: str, path: str, theme: str
) -> None:
    page = visit("duke", color_scheme=theme)
    page.goto(f"{hooks[state]}{path}")
    words = {"paused": "Paused", "sent again": "Inactive"}[state]
    expect(page.get_by_text(words, exact=True).first).to_be_visible()
    if (state, path) == ("sent again", "deliveries/"):
        expect(page.get_by_text("0 of 2 deliveries were sent again so far.")).to_be_visible()
    fits(page)


ADMIN_WIDTHS = (320, 360, 768, 1024, 1366, 1920)


def test_no_page_of_the_admin_scrolls_sideways(visit: Visit) -> None:
    page = visit("portal")
    page.goto("/admin/")
    links = page.locator("#content-main a").evaluate_all("all => all.map(link => link.pathname)")
    assert len(links) > 40
    wide = []
    for path in dict.fromkeys(links):
        page.goto(path)
        for width in ADMIN_WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if (seen := page.evaluate("document.documentElement.scrollWidth")) > width:
                wide.append((path, width, seen))
    assert not wide


@pytest.mark.parametrize("path", [f"{LIST}?status=active", f"{RENEWED}permissions/", WEBHOOKS])
def test_the_chooser_of_columns_opens_inside_the_window(visit: Visit, path: str) -> None:
    """Wherever its button stands in a toolbar that wraps."""
    page = visit("michael", viewport={"width": 320, "height": 900})
    page.goto(path)
    chooser = page.locator(".chooser")
    for width in range(320, 801, 40):
        page.set_viewport_size({"width": width, "height": 900})
        chooser.locator("summary").click()
        box = chooser.locator(".popover").bounding_box()
        assert box is not None
        assert box["x"] >= 0, width
        assert box["x"] + box["width"] <= width, width
        page.keyboard.press("Escape")
        expect(chooser.locator("summary")).to_be_focused()

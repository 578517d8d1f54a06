"""Pages fit every width, follow the chosen theme and respect reduced motion."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from demo.deliveries import ORDERS, SENT
from tests.browser.conftest import Portal, Visit
from tests.browser.layout import faults
from tests.browser.pages import (
    DELETED,
    DISABLED_HOOK,
    EVERY_COLUMN,
    EXPIRING,
    EXTENSIONS,
    GIVEN_UP,
    HOOK,
    LIST,
    PLAIN_LIST,
    WEBHOOKS,
    ZAPIER,
    names,
    open_menu,
)

pytestmark = pytest.mark.browser

Theme = Literal["light", "dark"]

TUTORIAL = "/integrations/tokens/SU-431-800-699/"
# The token of the demo with two keys.
RENEWED = "/integrations/tokens/SU-160-984-311/"
WIDTHS = range(320, 1921, 40)
# "none", or the final value of an animation that is still running.
NO_SHADOW = re.compile(r"^none$|^rgba\(0, 0, 0, 0\) 0px 0px 0px 0px$")
LIGHT, DARK = "rgb(244, 246, 249)", "rgb(13, 19, 26)"

ALL_POLICIES = (
    "/integrations/policies/?preview=on&ends=on&most_days=365&idles=on&idle_days=90&warn_days=14"
    "&capped=on&most_tokens=99&limited=on&rate=600&burst=90"
)
PAGES = [
    "/integrations/",
    "/integrations/self-test/",
    "/integrations/api/",
    "/integrations/api/#requests",
    PLAIN_LIST,
    EVERY_COLUMN,
    f"{PLAIN_LIST}&filter=open",
    f"{PLAIN_LIST}&filter=open&created_from=nonsense",
    f"{PLAIN_LIST}&q=nothing-is-called-so",
    "/integrations/tokens/new/",
    TUTORIAL,
    f"{TUTORIAL}permissions/",
    f"{TUTORIAL}permissions/?filter=open",
    f"{TUTORIAL}activity/",
    f"{TUTORIAL}activity/?open=2",
    f"{TUTORIAL}summary/",
    f"{TUTORIAL}edit/",
    f"{TUTORIAL}delete/",
    f"{TUTORIAL}key/new/",
    RENEWED,
    *(f"{RENEWED}key/{name}/" for name in ("new", "extend", "retire", "rehearse")),
    "/integrations/ip-rules/",
    "/integrations/ip-rules/?address=2001:db8:85a3:8d3:1319:8a2e:370:7348",
    "/integrations/ip-rules/add/",
    f"{TUTORIAL}ip-rules/add/",
    f"{TUTORIAL}key/destroy/",
    DELETED,
    EXPIRING,
    f"{EXPIRING}extend/",
    "/integrations/calendar/",
    "/integrations/activity/",
    "/integrations/activity/?sort=when&open=1",
    "/integrations/activity/?filter=open&what=tokens&what=keys",
    "/integrations/activity/?filter=open&since=nonsense",
    "/integrations/activity/?q=nothing-is-called-so",
    "/integrations/policies/",
    ALL_POLICIES,
    "/integrations/policies/?preview=on&ends=on&most_days=x&idles=on&starts_on=2020-01-01",
    WEBHOOKS,
    f"{WEBHOOKS}?columns=label,fires,endpoint,last_delivery,status,created,updated",
    f"{WEBHOOKS}?filter=open&status=nonsense",
    f"{WEBHOOKS}?q=nothing-is-called-so",
    f"{WEBHOOKS}new/",
    HOOK,
    DISABLED_HOOK,
    *(f"{HOOK}{name}/" for name in ("edit", "delete", "activity", "deliveries")),
    f"{HOOK}deliveries/?filter=open&result=given-up&since=nonsense",
    f"{DISABLED_HOOK}deliveries/?result=failing",
    f"{HOOK}deliveries/?result=planned",
    f"{HOOK}deliveries/?open={SENT[ORDERS][-1][0]}",
    f"{HOOK}deliveries/redeliver/",
    f"{HOOK}deliveries/recover/",
    *(f"{HOOK}secrets/{kind}/new/" for kind in ("jwt", "sw")),
    GIVEN_UP,
    EXTENSIONS,
    f"{EXTENSIONS}?q=nothing-is-called-so",
    f"{EXTENSIONS}?category=automation&side=vendor",
    f"{EXTENSIONS}installed/",
    "/integrations/calls/",
    ZAPIER,
    f"{EXTENSIONS}EXT-000/",
    "/account/",
    "/account/notifications/",
    "/account/security/",
    "/account/security/two-step/",
    "/account/people/",
    "/account/password/",
    "/there-is-no-such-page/",
]
BEFORE_SIGN_IN = [
    "/sign-in/",
    "/account/reset/",
    "/account/reset/sent/",
    "/account/reset/complete/",
    "/account/reset/MQ/used-up/",
    "/account/invitation/used/",
    "/there-is-no-such-page/",
]


def fits(page: Page, themes: tuple[Theme, ...] = ("light",)) -> None:
    """Check at every width that nothing scrolls sideways, is cut off or overlaps."""
    found: dict[tuple[str, Theme], list[int]] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for theme in themes:
            page.emulate_media(color_scheme=theme)
            for fault in faults(page):
                found.setdefault((fault, theme), []).append(width)
        # The next width begins with the theme that this one ended with.
        themes = themes[::-1]
    assert not found, f"{page.url}: {found}"
    assert page.evaluate("getComputedStyle(document.body).overflowX") == "visible"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_every_width_in_both_themes(visit: Visit, path: str) -> None:
    page = visit("michael", refused=(404,))
    page.goto(path)
    fits(page, ("light", "dark"))


@pytest.mark.parametrize("path", BEFORE_SIGN_IN)
def test_a_page_before_signing_in_fits_every_width_in_both_themes(visit: Visit, path: str) -> None:
    page = visit(refused=(404,))
    page.goto(path)
    fits(page, ("light", "dark"))


@pytest.fixture(scope="module")
def long_origin(portal: Portal) -> None:
    """Record a change that came from a long address, made by a program with a long name."""
    portal.manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.test import RequestFactory\n"
        "from portal.http import current_request\n"
        "from tokens.models import Token\n"
        "current_request.set(RequestFactory().get('/', "
        "REMOTE_ADDR='2001:db8:85a3:8d3:1319:8a2e:370:7348', HTTP_USER_AGENT='x' * 200))\n"
        "token = Token.objects.get(pk='SU-431-800-699')\n"
        "token.edit(by=None, version=None, modules=None, description='x' * 200)\n",
    )


@pytest.mark.parametrize("path", ["/integrations/activity/?open=1", f"{TUTORIAL}activity/"])
def test_long_addresses_and_names_of_programs_fit_every_width(
    visit: Visit, long_origin: None, path: str
) -> None:
    page = visit("michael")
    page.goto(path)
    expect(page.get_by_text("2001:db8:85a3:8d3:1319:8a2e:370:7348").first).to_be_visible()
    fits(page)


@pytest.mark.parametrize(
    "path", [PLAIN_LIST, TUTORIAL, f"{TUTORIAL}edit/", "/integrations/api/", "/account/"]
)
def test_text_of_twice_the_size_fits_as_well(visit: Visit, path: str) -> None:
    page = visit("michael")
    page.goto(path)
    before = page.evaluate("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)")
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": {"standard": 32}})
    assert (
        page.evaluate("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)")
        == 2 * before
    )
    for width in (640, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert faults(page) == [], width


# Entries such as no form would accept: long words, text from right to left, many large changes.
NONSENSE = """
from django.test import RequestFactory
from accounts.models import User
from activity.actions import Action
from activity.models import Subject
from activity.recording import record
from portal.http import current_request
request = RequestFactory().get("/", REMOTE_ADDR="2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")
request.META["HTTP_USER_AGENT"] = "W" * 300
current_request.set(request)
person = User.objects.get(email="duke@southpaw.example")
person.name = "\u05d0" * 60 + "W" * 60
changes = {f"column_{n}": ["W" * 1000, ["\u05d0\u0628" * 200, "y"] * 20] for n in range(20)}
for action in (Action.KEY_VIEWED, Action.TOKEN_CHANGED):
    record(person, action, Subject("token", "SU-555-555-555", "W" * 300), changes, account="{id}")
unknown = Subject("x" * 40, "y" * 64, "\u202e\u05d0 z" * 40)
record(None, Action.SIGN_IN_REFUSED, unknown, account="{id}")
"""


def test_entries_of_any_length_fit_every_width(visit: Visit, portal: Portal) -> None:
    account = "PA-318-774"
    portal.manage("shell", "--no-imports", "-c", NONSENSE.replace("{id}", account))
    page = visit("duke")
    page.goto("/integrations/activity/")
    fits(page)
    page.get_by_role("button", name="Token changed").first.click()
    expect(page.locator(".entry-box")).to_be_visible()
    fits(page)


RULE = """
from portal.addresses import read_span
from tokens.models import IPRule, Token
token = Token.objects.filter(account="PA-318-774", status="active").first()
span = read_span("2001:db8:85a3:8d3:1319:8a2e:370:7348")
IPRule.add(token.account, token, [("W" * 64, span)], by=None)
print(token.pk)
"""


def test_rules_of_a_token_fit_every_width(visit: Visit, portal: Portal) -> None:
    token = portal.manage("shell", "--no-imports", "-c", RULE).strip()
    page = visit("duke")
    page.goto(f"{LIST}{token}/")
    expect(page.get_by_text("W" * 64)).to_be_visible()
    fits(page)
    rules = page.locator("#ip-rules a[href*=IPR]").evaluate_all("all => all.map((one) => one.href)")
    assert len(rules) == 2  # Edit and Delete
    for rule in rules:
        page.goto(rule)
        fits(page)


def test_steps_of_the_wizard_do_not_scroll_sideways(visit: Visit) -> None:
    page = visit("michael")
    page.goto("/integrations/tokens/new/")
    # A name without a single break opportunity.
    page.get_by_label("Name").fill("W" * 128)
    page.get_by_role("button", name="Next").click()
    for heading in ("Extension", "Permissions"):
        expect(page.get_by_role("heading", name=heading, level=2)).to_be_visible()
        fits(page)
        if heading == "Extension":
            page.get_by_role("radio", name=re.compile("^Custom ")).check()
            page.get_by_role("button", name="Next").click()
    page.get_by_role("checkbox", name=re.compile("^All Modules ")).check()
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Summary", level=2)).to_be_visible()
    fits(page)
    page.get_by_role("button", name="View key").click()
    expect(page.locator("#key-text")).to_be_visible()
    fits(page)
    page.get_by_role("link", name="Go to Details").click()
    fits(page)
    page.goto(PLAIN_LIST)
    expect(page.get_by_text("W" * 128)).to_be_visible()
    fits(page)


def test_steps_of_the_wizard_for_webhooks_fit_every_width(visit: Visit) -> None:
    page = visit("tony")
    page.goto(f"{WEBHOOKS}new/")
    page.get_by_label("Label").fill("W" * 100)
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_label("URL").fill(f"https://{'w' * 60}.example/{'w' * 200}?{'w' * 200}")
    page.get_by_label("Name of another header").fill(f"X-{'W' * 60}")
    page.get_by_label("Value of another header").fill("w" * 400)
    fits(page)
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_label("Helpdesk case").check()
    page.get_by_label("Own data").fill('{"' + "w" * 300 + '": "' + "w" * 300 + '"}')
    fits(page)
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", name="Summary", level=2)).to_be_visible()
    fits(page)
    page.get_by_role("button", name="View JWT secret").click()
    expect(page.locator("#secret-jwt-text")).to_be_visible()
    fits(page)
    page.get_by_role("link", name="Go to Details").click()
    fits(page)
    page.get_by_label("Actions for ").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume").first).to_be_visible()
    fits(page)
    for path in ("edit/", "deliveries/", "activity/", "delete/"):
        page.goto(f"{WEBHOOKS}{re.findall(r'WH-[0-9-]*', page.url)[0]}/{path}")
        fits(page)


@pytest.mark.parametrize("width", [360, 1024, 1366])
def test_the_admin_of_an_extension_does_not_scroll_sideways(visit: Visit, width: int) -> None:
    page = visit("portal", viewport={"width": width, "height": 800})
    page.goto("/admin/tokens/extension/EXT-512-090/change/")
    expect(page.get_by_text("Comments are copied too.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width


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
    assert faults(page) == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", [f"{PLAIN_LIST}&filter=open", f"{EVERY_COLUMN}&filter=open"])
def test_a_menu_opens_without_a_style_in_the_markup(visit: Visit, path: str, width: int) -> None:
    """The policy forbids styles in markup, and htmx copies elements with their attributes."""
    page = visit("michael", viewport={"width": width, "height": 800})
    page.goto(path)
    menu = open_menu(page, names(page).nth(1).inner_text())
    expect(menu).to_be_in_viewport(ratio=1)
    assert page.locator("[style]").count() == 0
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#filter-panel")).to_have_count(0)
    page.go_back()
    expect(page.locator("#filter-panel")).to_be_visible()
    assert page.locator("[style]").count() == 0


def test_theme_switch_works_and_stays(visit: Visit) -> None:
    page = visit("michael", color_scheme="light")
    page.goto(LIST)
    body = page.locator("body")
    expect(body).to_have_css("background-color", LIGHT)
    themes = page.get_by_role("group", name="Theme")
    expect(themes.get_by_role("button", name="Same as the system")).to_have_attribute(
        "aria-pressed", "true"
    )
    themes.get_by_role("button", name="Dark").click()
    expect(body).to_have_css("background-color", DARK)
    expect(page).to_have_url(re.compile(f"{LIST}$"))
    expect(themes.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(body).to_have_css("background-color", DARK)
    # Choosing the light theme overrides a dark system.
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
        const durations = `${style.transitionDuration},${style.animationDuration}`;
        const seconds = durations.split(',').map(parseFloat);
        return Math.max(...seconds) > 0.001 ? [element.outerHTML.slice(0, 100)] : [];
    })"""
    assert page.evaluate(moving) == []
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_a_box_to_tick_is_large_enough_to_hit(visit: Visit) -> None:
    page = visit("michael")
    page.goto(f"{TUTORIAL}edit/")
    for box in page.locator("input:is([type=checkbox], [type=radio])").all():
        size = box.bounding_box()
        assert size is not None
        assert size["width"] >= 24
        assert size["height"] >= 24


CONTRAST = """(element) => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d');
  const shade = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const ratio = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const box = shade(getComputedStyle(element, '::before').backgroundColor);
  const ground = shade(getComputedStyle(element.closest('.card')).backgroundColor);
  return [ratio(shade(getComputedStyle(element).color), box), ratio(box, ground)];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_locked_tick_can_be_seen(visit: Visit, theme: Theme) -> None:
    page = visit("michael", color_scheme=theme)
    page.goto(f"{TUTORIAL}edit/")
    tick = page.locator("input[name=modules]:disabled:checked").first
    assert min(tick.evaluate(CONTRAST)) >= 3


def test_the_last_of_many_columns_stays_in_sight(visit: Visit) -> None:
    page = visit("michael", viewport={"width": 1024, "height": 800})
    page.goto(EVERY_COLUMN)
    last = page.locator("tbody td:last-child").first
    expect(last).to_be_in_viewport(ratio=1)
    expect(last).not_to_have_css("box-shadow", NO_SHADOW)
    page.locator(".table-scroll").evaluate("(box) => box.scrollTo(box.scrollWidth, 0)")
    expect(last).to_have_css("box-shadow", NO_SHADOW)


def test_the_side_menu_stays_while_the_page_scrolls(visit: Visit) -> None:
    page = visit("michael", viewport={"width": 1280, "height": 400})
    page.goto("/integrations/api/")
    page.evaluate("window.scrollTo(0, 2000)")
    expect(
        page.get_by_role("navigation", name="Integrations").get_by_role("link", name="Tokens")
    ).to_be_in_viewport()


def test_on_a_phone_a_select_sorts(visit: Visit) -> None:
    page = visit("michael", viewport={"width": 360, "height": 740})
    page.goto(PLAIN_LIST)
    page.get_by_label("Sort by").select_option(label="Label, ascending")
    page.wait_for_url("**sort=label**")
    shown = names(page).all_inner_texts()
    assert shown == sorted(shown, key=str.casefold)
    expect(page.get_by_label("Sort by").locator("option:checked")).to_have_text("Label, ascending")


def test_at_1920_the_actions_end_where_the_content_ends(visit: Visit) -> None:
    page = visit("michael", viewport={"width": 1920, "height": 900})
    page.goto(PLAIN_LIST)
    right = (
        "(selector) => Math.round(document.querySelector(selector).getBoundingClientRect().right)"
    )
    assert page.evaluate(right, ".page-bar .actions") == page.evaluate(right, "#list > .card")

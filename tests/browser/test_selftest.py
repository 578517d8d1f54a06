"""The self-test sends a header as programs do, and shows what became of it on its way."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

SELF_TEST = "/integrations/self-test/"
PROBE = "**/self-test/header/"
ARRIVED = "What your browser sent arrived unchanged."


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit("michael")


def test_the_header_arrives(page: Page) -> None:
    page.goto(SELF_TEST)
    expect(page.get_by_text(ARRIVED)).to_be_visible()
    expect(page.get_by_role("heading", name="Authorization header", exact=False)).to_have_count(1)


@pytest.mark.parametrize(
    ("header", "words", "fix"),
    [
        ("", "It does not arrive", "CGIPassAuth On"),
        ("Basic bWU6c2VjcmV0", "something on the way changes it", "without a sign-in of its own"),
    ],
)
def test_a_proxy_that_breaks_the_header_is_named(
    page: Page, header: str, words: str, fix: str
) -> None:
    def proxy(route: Route) -> None:
        kept = dict(route.request.headers)
        del kept["authorization"]
        route.continue_(headers={**kept, **({"authorization": header} if header else {})})

    page.route(PROBE, proxy)
    page.goto(SELF_TEST)
    expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_text(fix)).to_be_visible()
    expect(page.get_by_text(ARRIVED)).to_be_hidden()


def test_an_answer_that_does_not_come_is_told(visit: Visit) -> None:
    page = visit("michael", refused=("Failed to load resource: net::ERR_FAILED",))
    page.route(PROBE, lambda route: route.abort())
    page.goto(SELF_TEST)
    expect(page.get_by_text("The portal gave no answer.")).to_be_visible()

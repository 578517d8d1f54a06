"""The markup of every page is valid HTML, apart from the attributes of htmx."""

from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.conftest import Person
from tests.portal.routes import PAGES, address, routes
from tokens.models import Token, TokenDraft

VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
        "path",
        "circle",
        "use",
        "rect",
    ]
)
FLOW_ONLY = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "details",
        "dialog",
        "div",
        "dl",
        "fieldset",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "ul",
    ]
)
HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
# Elements that may contain only phrasing content. A summary may contain a heading as well.
PHRASING = frozenset(
    [
        "p",
        "span",
        "a",
        "button",
        "label",
        "strong",
        "b",
        "em",
        "code",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "summary",
        "legend",
    ]
)
CHILDREN = {
    "ul": {"li", "template"},
    "ol": {"li", "template"},
    "dl": {"dt", "dd", "div", "template"},
    "table": {"caption", "colgroup", "thead", "tbody", "tfoot"},
    "thead": {"tr"},
    "tbody": {"tr"},
    "tr": {"th", "td"},
    "select": {"option", "optgroup"},
}
INTERACTIVE = frozenset(["a", "button", "input", "select", "textarea", "details", "label"])
# What a label can be for.
LABELLED = frozenset(["button", "input", "meter", "output", "progress", "select", "textarea"])
REFERENCES = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "form", "list")


class Checker(HTMLParser):
    """A parser that collects what is wrong in `faults`."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.referred: set[str] = set()
        self.controls: set[str] = set()
        self.labels: set[str] = set()
        # The sections that are open, by whether they have a name or a heading.
        self.sections: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        where = self.getpos()[0]
        given = dict(attrs)
        above = self.open[-1] if self.open else ""
        inside = next((each for each in reversed(self.open) if each in PHRASING), None)
        # A link around a block is allowed if its own parent allows the block.
        if tag in FLOW_ONLY and inside and inside != "a":
            self.faults.append(f"{where}: <{tag}> inside of <{inside}>")
        if tag in HEADINGS and inside and inside not in {"a", "summary"}:
            self.faults.append(f"{where}: <{tag}> inside of <{inside}>")
        if above in CHILDREN and tag not in CHILDREN[above]:
            self.faults.append(f"{where}: <{tag}> as a child of <{above}>")
        if tag in INTERACTIVE and {"a", "button"} & set(self.open):
            self.faults.append(f"{where}: <{tag}> inside of a link or a button")
        if "role" in given and tag in {"table", "thead", "tbody", "tr", "th", "td"}:
            self.faults.append(f"{where}: a role on <{tag}>")
        self.faults += [
            f"{where}: {name}" for name in given if name == "style" or name.startswith("on")
        ]
        if len(given) != len(attrs):
            self.faults.append(f"{where}: <{tag}> has an attribute twice")
        if tag in HEADINGS:
            self.sections = [True] * len(self.sections)
        if tag == "section":
            self.sections.append(bool({"aria-label", "aria-labelledby"} & {*given}))
        if tag in LABELLED and given.get("type") != "hidden":
            self.controls.add(given.get("id") or "")
        if tag == "label" and "for" in given:
            self.labels.add(given["for"] or "")
        if "template" not in self.open:
            self.ids += [given["id"] or ""] if "id" in given else []
            self.referred |= {
                each for name in REFERENCES for each in (given.get(name) or "").split()
            }
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if tag == "section" and self.sections and not self.sections.pop():
            self.faults.append(f"{self.getpos()[0]}: a <section> without a heading or a name")
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"{self.getpos()[0]}: </{tag}> closes nothing")
        else:
            self.open.pop()

    def close(self) -> None:
        super().close()
        self.faults += [f"<{tag}> stays open" for tag in self.open]
        twice = {each for each in self.ids if self.ids.count(each) > 1}
        self.faults += [f"the id {each} twice" for each in sorted(twice)]
        self.faults += [
            f"nothing has the id {each}" for each in sorted(self.referred - {*self.ids})
        ]
        self.faults += [
            f"a label for {each}, which is no control"
            for each in sorted((self.labels & {*self.ids}) - self.controls)
        ]


def check(html: str) -> list[str]:
    checker = Checker()
    checker.feed(html)
    checker.close()
    return checker.faults


def test_the_check_finds_what_is_not_allowed() -> None:
    assert check("<details><summary><div>x</div></summary></details>") == [
        "1: <div> inside of <summary>"
    ]
    assert check('<p id="a"></p><p id="a"></p>') == ["the id a twice"]
    assert check('<label for="b">x</label>') == ["nothing has the id b"]
    assert check('<p style="color: red">x</p>') == ["1: style"]
    assert check("<section><p>x</p></section>") == ["1: a <section> without a heading or a name"]
    assert check("<section><section><h2>x</h2></section></section>") == []
    for control in ('<input type="hidden" id="b">', '<p id="b"></p>'):
        assert check(f'<label for="b">x</label>{control}') == ["a label for b, which is no control"]


@pytest.mark.parametrize("route", sorted(PAGES))
@pytest.mark.parametrize("role", ["nobody", "looker", "administrator"])
def test_a_page_is_valid_html(
    route: str, role: str, michael: Person, adrian: Person, token: Token
) -> None:
    draft = TokenDraft.objects.create(
        account=michael.account, owner=michael.user, name="Draft", extension_id="EXT-000"
    )
    client = {"nobody": Client(), "looker": adrian.client, "administrator": michael.client}[role]
    response = client.get(address(route, token, draft))
    if response["Content-Type"].startswith("text/html") and response.content:
        assert check(response.content.decode()) == []


@pytest.mark.parametrize(
    "query", ["filter=open", "filter=open&created_from=x", "q=nothing", "status=any"]
)
def test_the_list_is_valid_html_in_each_of_its_states(
    michael: Person, token: Token, query: str
) -> None:
    page = michael.client.get(f"/integrations/tokens/?{query}")
    assert check(page.content.decode()) == []


@pytest.mark.parametrize("step", ["general", "extension", "permissions"])
@pytest.mark.parametrize("data", [{}, {"name": ""}])
def test_a_step_of_the_wizard_is_valid_html(
    michael: Person, step: str, data: dict[str, str]
) -> None:
    draft = TokenDraft.objects.create(
        account=michael.account, owner=michael.user, name="Draft", extension_id="EXT-000"
    )
    url = f"/integrations/tokens/new/{draft.pk}/{step}/"
    page = michael.client.post(url, data) if data else michael.client.get(url)
    assert check(page.content.decode()) == []


def test_every_route_is_one_of_the_pages_or_of_the_api() -> None:
    assert {name for name, _ in routes(get_resolver()) if not name.startswith("api:")} <= set(PAGES)

"""What is typed in the forms of the administration survives a mistake and an ended session."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import Account, User
from portal import typed
from tests.factories import ZAPIER, UserFactory
from tests.portal.typed import IN_THE_FORM, Tab, browser, idle, sign_in, signed_in_anew
from tokens.catalog import Module
from tokens.models import Extension, ExtensionVersion

FORM = "/admin/tokens/extension/"
PAGES = {"add": f"{FORM}add/", "change": f"{FORM}{ZAPIER}/change/"}
TYPED: dict[str, Any] = {
    "name": "zapper",
    "label": "Zapper <b>new</b>",
    "description": "Zapper Integration",
    "subtitle": "Typed in the subtitle.",
    "overview": "Typed in the **overview**.",
    "website": "https://zapper.example/typed",
    "status": "draft",
    "icon": "bolt",
    "side": "vendor",
    "fixed_modules": [Module.HELPDESK.value],
    "tokens": "keep",
    "cap": "3",
    "versions-TOTAL_FORMS": "1",
    "versions-INITIAL_FORMS": "0",
    "versions-0-number": "9.8",
    "versions-0-released_at_0": "2026-02-03",
    "versions-0-released_at_1": "10:20:30",
    "versions-0-notes": "Typed in the notes.",
}
# What is typed wrong -> the error.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": ""}, "This field is required."),
    "a name that is taken": ({"name": "custom"}, "already exists"),
    "a hidden character": ({"label": "Zap\u200bper\u0007"}, "character"),
    "a long subtitle": ({"subtitle": "x" * 129}, "at most 128 characters"),
    "a script as website": ({"website": "javascript:alert(1)"}, "Enter a valid URL."),
    "an unknown icon": ({"icon": "nope"}, "nope is not one of the available choices."),
    "an unknown side": ({"side": "nope"}, "nope is not one of the available choices."),
    "an unknown module": ({"fixed_modules": ["MD-9999"]}, "MD-9999"),
    "a cap in words": ({"cap": "three"}, "Enter a whole number."),
    "a cap below zero": ({"cap": "-1"}, "greater than or equal to 0"),
    "a handle without a maker": ({"uses_handle": "on"}, "Choose who made it"),
    "an unknown maker": ({"owner": "PA-000-000"}, "not one of the available choices."),
    "a version without a number": ({"versions-0-number": ""}, "This field is required."),
    "a version of no day": ({"versions-0-released_at_0": "tomorrow"}, "Enter a valid date."),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("page", PAGES)
def test_a_mistake_in_an_extension_is_named_and_nothing_is_lost(
    staff: Client, page: str, wrong: str
) -> None:
    change, error = WRONG[wrong]
    before = [*Extension.objects.order_by("pk").values()]
    answer = staff.post(PAGES[page], TYPED | change)
    assert answer.status_code == 200
    assert "errornote" in answer.text
    assert error in unescape(answer.text)
    assert [*Extension.objects.order_by("pk").values()] == before
    assert not ExtensionVersion.objects.filter(number="9.8").exists()
    shown = unescape(answer.text)
    for name in ("label", "subtitle", "overview", "website", "versions-0-notes"):
        assert (TYPED | change)[name] in shown, name
    if "fixed_modules" not in change:
        assert re.search(rf'value="{Module.HELPDESK.value}"[^>]* (?:checked|selected)', shown)


@pytest.mark.parametrize("page", PAGES)
def test_without_a_mistake_it_is_saved(staff: Client, page: str) -> None:
    assert staff.post(PAGES[page], TYPED).status_code == 302
    saved = Extension.objects.get(name="zapper")
    assert (saved.label, saved.subtitle) == (TYPED["label"], TYPED["subtitle"])
    assert saved.versions.filter(number="9.8").exists()


# --- Sessions that ended, and marks that are stale ------------------------------------------------

FAULTS = (idle, signed_in_anew)
KEPT = "Typed for a long time"


class Boxes(HTMLParser):
    """The boxes for text of a page and what is in them, by name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "textarea":
            self.area, self.found[name] = name, ""
        elif tag == "input" and given.get("type") in {"text", "email", "number", "url", "password"}:
            self.found[name] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.found[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        self.area = "" if tag == "textarea" else self.area


def forms() -> Iterator[str]:
    """Return the address of every form of the administration: of new records, and of three."""
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True)
    for model, page in admin.site._registry.items():
        if page.has_add_permission(request):
            yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    yield from ("an extension", "an account", "a person")


def record(form: str, person: User) -> str:
    """Return the address of a form."""
    rows: dict[str, Callable[[], Model]] = {
        "an extension": lambda: Extension.objects.get(pk=ZAPIER),
        "an account": lambda: Account.objects.create(name="Typing", side="vendor"),
        "a person": lambda: person,
    }
    if form not in rows:
        return form
    row = rows[form]()
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))


def type_in(tab: Tab) -> dict[str, str]:
    """Return something typed for every box of a page, with one new row in each inline."""
    names = [name for name in Boxes(tab.answer.text).found if not name.startswith("_")]
    totals = re.findall(r'name="([a-z_0-9-]+)-TOTAL_FORMS" value="(\d+)"', tab.answer.text)
    sent = {f"{inline}-TOTAL_FORMS": str(int(count) + 1) for inline, count in totals}
    sent |= {f"{inline}-INITIAL_FORMS": count for inline, count in totals}
    at = dict(totals)
    for name in names:
        inline, prefix, _field = name.partition("-__prefix__-")
        sent[name.replace("__prefix__", at[inline]) if prefix else name] = KEPT
    return sent


@pytest.fixture
def administrator(db: None) -> User:
    return UserFactory(is_staff=True, is_superuser=True)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("form", [*forms()])
def test_what_is_typed_in_the_administration_comes_back_to_whom_typed_it(
    administrator: User, form: str, fault: Callable[[Client, User], None]
) -> None:
    path = record(form, administrator)
    client = browser()
    sign_in(client, administrator)
    tab = Tab(client, path)
    sent = type_in(tab)
    fault(client, administrator)
    answer = tab.send(sent)
    assert answer.status_code == 302
    shown = (
        sign_in(client, administrator, answer["Location"]) if fault is idle else client.get(path)
    )
    assert IN_THE_FORM in shown.text
    boxes = Boxes(shown.text).found
    for name, value in sent.items():
        if value == KEPT:
            is_secret = any(part in name for part in typed.NEVER)
            assert boxes[name].strip() == ("" if is_secret else KEPT), name
    # Start Over forgets it.
    Tab(client, path).send({"page": path, "next": path}, "/start-over/")
    assert KEPT not in client.get(path).text


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("form", ["an extension", "an account", "a person"])
def test_what_is_typed_in_the_administration_is_shown_to_nobody_else(
    administrator: User, form: str, fault: Callable[[Client, User], None]
) -> None:
    path = record(form, administrator)
    client = browser()
    sign_in(client, administrator)
    tab = Tab(client, path)
    other = UserFactory(is_staff=True, is_superuser=True)
    fault(client, other if fault is signed_in_anew else administrator)
    answer = tab.send(type_in(tab))
    if fault is idle:
        sign_in(client, other, answer["Location"])
    page = client.get(path).text
    assert KEPT not in page
    assert IN_THE_FORM not in page

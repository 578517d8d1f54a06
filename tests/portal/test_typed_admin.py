"""What is typed in the forms of extensions in the administration survives a mistake."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from tests.factories import ZAPIER
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

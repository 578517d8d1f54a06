"""House rules for templates that no linter checks."""

from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

ROOT = settings.BASE_DIR / "templates"
TEMPLATES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.*"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_compiles(name: str) -> None:
    get_template(name)


# Mail programs know no style sheets of the portal.
PAGES = [name for name in TEMPLATES if name.endswith(".html") and not name.startswith("mail/")]


@pytest.mark.parametrize("name", PAGES)
def test_a_template_holds_no_inline_script_style_or_unescaped_text(name: str) -> None:
    text = Path(ROOT / name).read_text()
    for forbidden in (
        "|safe",
        " style=",
        "<style",
        "javascript:",
        " onclick=",
        " onchange=",
        " onsubmit=",
        " onload=",
        "{% autoescape off",
    ):
        assert forbidden not in text, forbidden
    assert text.count("<script") == text.count("<script src=")


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    import re

    sprite = (settings.BASE_DIR / "static" / "icons.svg").read_text()
    drawn = set(re.findall(r'id="([a-z-]+)"', sprite))
    named = {
        icon
        for name in TEMPLATES
        for icon in re.findall(r'{% icon "([a-z-]+)"', Path(ROOT / name).read_text())
    }
    assert named <= drawn

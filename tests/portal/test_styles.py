"""Every variant class in a template has a rule, so that no badge or icon lacks its colour."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Variants of an element, such as badge-accent: each needs a rule of its own.
VARIANT = re.compile(r"\b(?:badge|button|message|status|icon)-[a-z]+(?:-[a-z]+)*\b")


def test_every_variant_that_a_template_names_has_a_rule() -> None:
    rules = "".join(path.read_text() for path in (ROOT / "static/css").glob("*.css"))
    styled = set(re.findall(r"\.([a-z][\w-]*)", rules))
    used = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for classes in re.findall(r'class="([^"]*)"', path.read_text())
        for name in VARIANT.findall(re.sub(r"\{[{%].*?[%}]\}", " ", classes))
    }
    assert used
    assert used <= styled

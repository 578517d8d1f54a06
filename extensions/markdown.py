"""Markdown of overviews and version notes as HTML that is safe on a page.

The parser begins with nothing and gets one rule after the other, so what is not named here (HTML,
images, tables) comes out as the text that was typed.
"""

import re

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

RULES = (
    "autolink",
    "backticks",
    "emphasis",
    "entity",
    "escape",
    "fence",
    "heading",
    "link",
    "list",
    "newline",
)
# What a link may lead to: another site, a mail, or a page of the portal.
SAFE = re.compile(r"(https?://|mailto:|/(?!/|\\|%5c))", re.IGNORECASE)


def fit_into_page(state: StateCore) -> None:
    """Make all headings of one level, below that of a card, and mark links to other sites."""
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "h3"
        for part in token.children or ():
            if part.type == "link_open":
                part.attrSet("rel", "noopener noreferrer nofollow")


def parser() -> MarkdownIt:
    made = MarkdownIt("zero", {"html": False}).enable([*RULES])
    made.core.ruler.push("fit_into_page", fit_into_page)
    # An attribute is the documented way to have a rule of one's own.
    made.validateLink = is_safe  # type: ignore[method-assign]
    return made


def is_safe(url: str) -> bool:
    return SAFE.match(url) is not None


PARSER = parser()


def render(text: str) -> SafeString:
    """Return a Markdown text as HTML."""
    html: str = PARSER.render(text)
    # The parser escapes all text and attributes, and knows no HTML.
    return mark_safe(html)  # noqa: S308

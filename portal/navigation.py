"""The frame of every page: the sections of the side menu, links and a few names."""

from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal import VERSION

THEMES = ("system", "light", "dark")


class Section(NamedTuple):
    """An entry of the side menu. It is current for view names that start with one of `views`."""

    label: Promise
    url_name: str
    icon: str
    views: tuple[str, ...]
    # Whether to draw a line above it.
    begins_group: bool = False


SECTIONS = (
    Section(_("General"), "general:start", "general", ("general:",)),
    Section(_("Tokens"), "tokens:list", "key", ("tokens:",)),
    Section(_("Webhooks"), "webhooks:list", "webhook", ("webhooks:",)),
    Section(_("Extensions"), "extensions:list", "extension", ("extensions:",)),
    Section(_("IP Rules"), "rules:list", "shield", ("rules:",)),
    Section(_("Activity"), "activity:list", "activity", ("activity:",), begins_group=True),
    Section(_("Policies"), "tokens:policies", "policy", ("tokens:policies",)),
)
# How many sections fit on a phone; the others go into a menu there.
ON_PHONES = 4


def section_of(name: str) -> Section | None:
    """Return the section of a view: the one that names it, else the one with its namespace."""
    named = (section for section in SECTIONS if name in section.views)
    others = (section for section in SECTIONS if name and name.startswith(section.views))
    return next(named, None) or next(others, None)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the context of the frame. Makes no database query."""
    match = request.resolver_match
    current = section_of(match.view_name if match else "")
    theme = request.COOKIES.get("theme", "")
    sections = [
        {**section._asdict(), "url": reverse(section.url_name), "current": section is current}
        for section in SECTIONS
    ]
    return {
        "brand": settings.BRAND,
        "version": VERSION,
        "theme": theme if theme in THEMES else "system",
        "sections": sections,
        "more_sections": sections[ON_PHONES:],
        "more_is_current": any(section["current"] for section in sections[ON_PHONES:]),
        "legal_links": [
            {"label": label, "url": url}
            for label, url in (
                (_("Privacy"), settings.PRIVACY_URL),
                (_("Terms of Use"), settings.TERMS_URL),
            )
            if url
        ],
        "help_url": settings.HELP_URL or reverse("general:start"),
        "zone": timezone.get_current_timezone_name(),
    }

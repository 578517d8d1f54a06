"""Pieces of HTML that Python code and templates share: icons, moments and two-line cells."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import Storage
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal import moments, text


def icon(name: str, size: int = 20) -> SafeString:
    """Return an icon of `static/icons.svg`, hidden from screen readers: text beside it names it."""
    return drawn(name, size, staticfiles_storage)


@lru_cache(maxsize=512)
def drawn(name: str, size: int, storage: Storage) -> SafeString:
    """Return an icon. A list has hundreds, and the address of a file is expensive to find."""
    return format_html(
        '<svg class="icon" width="{0}" height="{0}" aria-hidden="true" focusable="false">'
        '<use href="{1}#{2}"></use></svg>',
        size,
        storage.url("icons.svg"),
        name,
    )


def time_element(value: datetime, shown: str) -> SafeString:
    """Return `<time>` with the exact UTC moment for machines and as a tooltip."""
    utc = moments.local(value, UTC)
    exact = f"{text.day(utc.date())} {utc:%H:%M:%S} UTC"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', utc.isoformat(timespec="seconds"), exact, shown
    )


def day_and_time(value: datetime | None) -> SafeString | str:
    """Return `18/05/2021 04:28` in the person's time zone, with UTC as a tooltip; `–` for None."""
    return time_element(value, text.day_and_time(value)) if value else "–"


def day(value: datetime | None) -> SafeString | str:
    """Return `18/05/2021` in the person's time zone; `–` for None."""
    return time_element(value, text.day(value)) if value else "–"


def ago(value: datetime | None) -> SafeString | str:
    """Return `3 minutes ago` up to a month, then the moment; "Never" for None."""
    return time_element(value, text.ago(value)) if value else text.ago(value)


def day_and_ago(value: datetime) -> SafeString:
    """Return `18/05/2021 (5 days ago)` up to a month, then only the moment."""
    return time_element(value, text.day_and_ago(value))


def initials(name: str) -> str:
    """Return up to two initials in capitals: `Mighty Mick's LLC` -> `MM`."""
    return "".join(word[0] for word in name.split()[:2]).upper()


def two_lines(first: Any, second: Any = "") -> SafeString:
    """Return a line above a smaller second one, which may be empty."""
    if not second:
        return format_html('<span class="two"><span class="one">{}</span></span>', first)
    return format_html(
        '<span class="two"><span class="one">{}</span><span class="sub">{}</span></span>',
        first,
        second,
    )

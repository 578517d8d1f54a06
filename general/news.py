"""What is new, from the newest section of CHANGELOG.md."""

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# How many entries are shown at once.
SHOWN = 4

SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
ENTRY = re.compile(r"^- (.+(?:\n  .+)*)", re.MULTILINE)
# The first sentence, which may have a point inside code.
SENTENCE = re.compile(r"(?:`[^`]*`|[^`])*?[.!?](?=\s|$)")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
MARKED = re.compile(r"(`[^`]+`|\*[^*\s][^*]*\*)")


class News(NamedTuple):
    """The newest section that says something: its heading, and a sentence of each entry."""

    heading: str
    latest: tuple[SafeString, ...]
    others: tuple[SafeString, ...]


@lru_cache(maxsize=1)
def news() -> News | None:
    """Return what is new; None if the file is not there or says nothing."""
    file: Path = settings.BASE_DIR / "CHANGELOG.md"
    return read(file.read_text(encoding="utf-8")) if file.is_file() else None


def read(changelog: str) -> News | None:
    """Return the newest section of a text in the format of Keep a Changelog."""
    _title, *parts = SECTION.split(changelog)
    for heading, body in zip(parts[::2], parts[1::2], strict=True):
        found = tuple(sentence(entry) for entry in ENTRY.findall(body))
        if found:
            return News(heading.replace("[", "").replace("]", ""), found[:SHOWN], found[SHOWN:])
    return None


def sentence(entry: str) -> SafeString:
    """Return the first sentence of an entry, with its code and its emphasis."""
    text = LINK.sub(r"\1", " ".join(entry.split()))
    first = SENTENCE.match(text)
    parts = MARKED.split(first.group() if first else text)
    return format_html_join("", "{}", ((marked(part),) for part in parts if part))


def marked(part: str) -> SafeString | str:
    if part[0] in "`*" and len(part) > 2 and part[0] == part[-1]:
        return format_html("<code>{0}</code>" if part[0] == "`" else "<em>{0}</em>", part[1:-1])
    return part

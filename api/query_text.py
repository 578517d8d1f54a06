"""From the query string of a URL to RQL.

Programs write RQL, where a plus is a plus: `ge(created,2024-01-31T10:20:30+00:00)`. Forms, browsers
and the official client's `search()` write `name=value`, where a plus is a space and characters with
a meaning of their own are percent-encoded: `name=Ruiz+%26+Sons`. Both are accepted, term by term.
CloudBlue's connector for MuleSoft encodes the RQL as a whole, as a form does one value:
`eq%28name%2CRuiz+Optics%29%26limit%3D10`.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

# A quoted value, which may contain separators; its quotes may be percent-encoded.
QUOTED = r"""(?:"[^"]*"|'[^']*'|%22(?:(?!%22).)*%22|%27(?:(?!%27).)*%27)"""
SEPARATOR = re.compile(rf"(?<=[=(,]){QUOTED}|&")
NAMED = re.compile(r"([A-Za-z][\w.-]*=(?:(?:eq|ne|gt|ge|lt|le)=)?)(.*)", re.DOTALL)
SEARCH = "search="
# The plus of a UTC offset belongs to its date and time.
PLUS = re.compile(r"(\d{4}-\d\d-\d\d(?:T|%20|\+)[\d:.]+(?:%3[Aa][\d:.]+)*\+(?=\d\d))|\+")
# Encoded as a whole: it has syntax of RQL, but none that is not encoded.
WHOLE = re.compile(r"(?=.*%(?:28|3D))(?:[\w.*+-]|%[0-9A-F]{2})+", re.ASCII)
SYNTAX = re.compile(r"[(),|;]")
# What RQL accepts without quotes.
BARE = re.compile(r"[\w\-*+\\][\w.\s\-:+@*\\]*")


class Query(NamedTuple):
    """A query string, split into RQL and the texts to search for."""

    rql: str
    searches: tuple[str, ...]


def read(raw: str) -> Query:
    """Read a query string."""
    if WHOLE.fullmatch(raw):
        return Query(with_blanks(raw), ())
    terms, searches = [], []
    for term in split(raw):
        if term.startswith(SEARCH):
            # The rest is one text: it needs no quotes, and loses those around it.
            searches.append(unquoted(with_blanks(term.removeprefix(SEARCH))))
        elif named := NAMED.fullmatch(term):
            terms.append(named[1] + value(named[2]))
        else:
            terms.append(unquote(term))
    return Query("&".join(terms), tuple(searches))


def split(raw: str) -> Iterator[str]:
    """Yield the terms of a query string, which are joined with `&`."""
    begin = 0
    for found in SEPARATOR.finditer(raw):
        if found[0] == "&":
            yield raw[begin : found.start()]
            begin = found.end()
    yield raw[begin:]


def value(raw: str) -> str:
    """Return the value of `name=value` as RQL takes it, quoted if necessary."""
    bare = re.sub(QUOTED, "", raw)
    if SYNTAX.search(bare):
        return unquote(raw)
    text = with_blanks(raw)
    if not text or BARE.fullmatch(text) or unquoted(text) != text or text in {"null()", "empty()"}:
        return text
    return next((f"{quote}{text}{quote}" for quote in "\"'" if quote not in text), text)


def with_blanks(raw: str) -> str:
    """Return the text of a value in which a plus is a space."""
    return unquote(PLUS.sub(lambda found: found[1] or " ", raw))


def unquoted(text: str) -> str:
    """Return the text without the quotes around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text

"""From the query string of an address to RQL.

Programs write RQL, where a plus is a plus: `ge(created,2024-01-31T10:20:30+00:00)`. Forms, browsers and the
official client's `search()` write `name=value`, where a plus is a blank and what has a meaning elsewhere comes
percent-encoded: `name=Ruiz+%26+Sons`. Both are understood, each where it is written.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

# A value in quotes, which may hold what separates terms; its quotes may be percent-encoded.
QUOTED = r"""(?:"[^"]*"|'[^']*'|%22(?:(?!%22).)*%22|%27(?:(?!%27).)*%27)"""
SEPARATOR = re.compile(rf"(?<=[=(,]){QUOTED}|&")
NAMED = re.compile(r"([A-Za-z][\w.-]*=(?:(?:eq|ne|gt|ge|lt|le)=)?)(.*)", re.DOTALL)
SEARCH = "search="
# The plus of a zone belongs to its moment.
PLUS = re.compile(r"(\d{4}-\d\d-\d\d(?:T|%20|\+)[\d:.]+(?:%3[Aa][\d:.]+)*\+(?=\d\d))|\+")
SYNTAX = re.compile(r"[(),|;]")
# What RQL takes without quotes.
BARE = re.compile(r"[\w\-*+\\][\w.\s\-:+@*\\]*")


class Query(NamedTuple):
    """What was asked: RQL, and the texts that were searched for."""

    rql: str
    searches: tuple[str, ...]


def read(raw: str) -> Query:
    """Read a query string."""
    terms, searches = [], []
    for term in split(raw):
        if term.startswith(SEARCH):
            # Whatever it holds, it is one text: it needs no quotes, and loses those that it has.
            searches.append(unquoted(with_blanks(term.removeprefix(SEARCH))))
        elif named := NAMED.fullmatch(term):
            terms.append(named[1] + value(named[2]))
        else:
            terms.append(unquote(term))
    return Query("&".join(terms), tuple(searches))


def split(raw: str) -> Iterator[str]:
    """The terms of a query string, which are joined with `&`."""
    begin = 0
    for found in SEPARATOR.finditer(raw):
        if found[0] == "&":
            yield raw[begin : found.start()]
            begin = found.end()
    yield raw[begin:]


def value(raw: str) -> str:
    """The value of `name=value` as RQL takes it, in quotes if it needs them."""
    bare = re.sub(QUOTED, "", raw)
    if SYNTAX.search(bare):
        return unquote(raw)
    text = with_blanks(raw)
    if not text or BARE.fullmatch(text) or unquoted(text) != text or text in {"null()", "empty()"}:
        return text
    return next((f"{quote}{text}{quote}" for quote in "\"'" if quote not in text), text)


def with_blanks(raw: str) -> str:
    """The text of a value in which a plus is a blank."""
    return unquote(PLUS.sub(lambda found: found[1] or " ", raw))


def unquoted(text: str) -> str:
    """The text without the quotes around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text

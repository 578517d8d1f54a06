"""A trail as a file of comma-separated values, for spreadsheets and other programs."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from activity import words
from activity.models import Event
from portal import logs
from portal.moments import local

# The most entries of a file: the server holds it in memory until it is sent.
MOST = 50_000
# Entries read per query.
BATCH = 2000
# The most characters of a cell; Excel takes no more than 32,767.
LONGEST = 32_000
# Spreadsheets take such cells for formulas. Some of them split cells at semicolons, tabs and line
# breaks as well, so a cell is guarded there too.
FORMULA = re.compile(r"(^|[;\t\r\n])(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")


def header() -> list[str]:
    return [
        _("Entry"),
        _("When (UTC)"),
        _("What"),
        _("Token or object"),
        _("ID"),
        _("Who"),
        _("ID of who"),
        _("Address"),
        _("Program"),
        _("Request"),
        _("Confirmed by (UTC)"),
        _("Changes"),
        _("Hash"),
    ]


class Echo:
    """A file whose write() returns what it gets, so that a csv.writer makes lines."""

    def write(self, line: str) -> str:
        return line


def lines(events: QuerySet[Event]) -> Iterator[str]:
    """Yield the lines of the file, newest entry first.

    Reads a batch of entries at a time, so that neither memory nor a transaction grows with them.
    """
    line = csv.writer(Echo(), quoting=csv.QUOTE_ALL).writerow
    # Without the mark of UTF-8, Excel takes the file for another encoding.
    yield "\ufeff" + line(header())
    rest = events.order_by("-number")
    while batch := list(rest[:BATCH]):
        with timezone.override(UTC):
            rows = [line(row(event)) for event in batch]
        yield "".join(rows)
        rest = rest.filter(number__lt=batch[-1].number)


def row(event: Event) -> list[str]:
    cells = [
        str(event.number),
        utc(event.at),
        event.label,
        event.subject_name,
        event.subject_id,
        words.who(event),
        event.actor_id,
        event.address,
        event.agent,
        event.request_id,
        words.proof(event),
        "; ".join(map(words.sentence, words.changes(event))),
    ]
    # The hash has as many digits as a key and must not be masked.
    return [*map(safe, cells), event.hash]


def utc(moment: datetime) -> str:
    """Return a moment as spreadsheets recognise it, `2026-11-25 11:20:05`."""
    return local(moment, UTC).replace(tzinfo=None).isoformat(" ", "seconds")


def safe(cell: str) -> str:
    """Return a cell without keys, that no spreadsheet takes for a formula."""
    return FORMULA.sub(r"\1\2'", logs.mask(cell[:LONGEST]))

"""Rules for texts that people type, and the wording of moments and lists on all pages.

Dates are dd/mm/yyyy, as in CloudBlue Connect.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils import dateformat, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import moments

# --- What may be stored ---------------------------------------------------------------------------

# Characters that look like a blank, including the Braille pattern without dots. Other controls do
# not count as blanks.
BLANKS = re.compile("[\t\n\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800]+")
AROUND = re.compile(f"\\A(?:{BLANKS.pattern})|(?:{BLANKS.pattern})\\Z")
LINE_ENDS = re.compile("\r\n?")
# A null character as JSON writes it, which PostgreSQL does not keep.
NULL_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
# Control, format, surrogate, private-use and unassigned characters, line and paragraph separators.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that Unicode lets programs ignore (Default_Ignorable_Code_Point).
IGNORABLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0]")
VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
JOINERS = frozenset("\u200c\u200d")
# How many characters before a joiner to look at for the one it belongs to, past its marks.
LOOK_BACK = 8
# The combining class of the sign that suppresses the vowel of an Indic letter.
VIRAMA = 9
RIGHT_TO_LEFT = frozenset({"R", "AL", "RLE", "RLO", "RLI"})


def line(value: str) -> str:
    """Return a single-line text as it is stored: composed (NFC), with runs of blanks as one space.

    Empty if none of it is visible. Raise ValidationError for hidden characters.
    """
    return only_visible(BLANKS.sub(" ", unicodedata.normalize("NFC", value)).strip(" "))


def prose(value: str) -> str:
    """Return a multi-line text as it is stored: like `line`, but inner blanks and lines are kept.

    Every line ends with a line feed, whatever it ended with before.
    """
    return only_visible(AROUND.sub("", LINE_ENDS.sub("\n", unicodedata.normalize("NFC", value))))


def only_visible(value: str) -> str:
    """Return the text, or an empty one if none of it is visible.

    Raise ValidationError for hidden characters among visible ones.
    """
    if value.isascii() and value.isprintable():
        return value
    if "\0" in value:
        # The same message as in Django's own forms.
        raise ValidationError(
            ProhibitNullCharactersValidator.message, code="null_characters_not_allowed"
        )
    hidden = dict.fromkeys(
        letter for at, letter in enumerate(value) if letter not in "\n\t" and is_hidden(value, at)
    )
    if all(
        BLANKS.match(letter) or unicodedata.category(letter)[0] == "M"
        for letter in value
        if letter not in hidden
    ):
        return ""
    if hidden:
        codes = ", ".join(f"U+{ord(letter):04X}" for letter in hidden)
        raise ValidationError(
            _("Remove the hidden characters: %(codes)s.") % {"codes": codes}, code="hidden"
        )
    return value


def is_hidden(value: str, at: int) -> bool:
    """Tell whether the character at an index is invisible.

    Joiners and variation selectors count as visible where they change their neighbours.
    """
    letter, before, after = value[at], value[at - 1 : at], value[at + 1 : at + 2]
    if letter in JOINERS:
        return not joins(value[max(at - LOOK_BACK, 0) : at], after)
    if VARIATION.match(letter):
        return not varies(before, after)
    return unicodedata.category(letter) in HIDDEN or bool(IGNORABLE.match(letter))


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Return JSON for people: hidden characters are escaped, so that none reorders what they read.

    Raise ValueError for a value that JSON cannot hold.
    """
    written = json.dumps(value, indent=indent, ensure_ascii=False)
    if written.isascii() and "\x7f" not in written:
        return written
    return "".join(
        in_json(letter) if letter != "\n" and is_hidden(written, at) else letter
        for at, letter in enumerate(written)
    )


def json_bytes(value: Any) -> bytes:
    """Return JSON for programs. Types that it lacks, such as decimals, are written as strings.

    Numbers may have any size: PostgreSQL keeps 1e20 and returns it as an integer.
    """
    try:
        return quick_json(value)
    except TypeError:
        # That takes integers of 64 bits only, but is several times as fast.
        written = json.dumps(
            value,
            default=lambda each: orjson.loads(quick_json(each)),
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return written.encode()


def quick_json(value: Any) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_OMIT_MICROSECONDS)


def in_json(letter: str) -> str:
    """Return a character as JSON can write any."""
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def joins(before: str, after: str) -> bool:
    """Tell whether a joiner changes the texts before and after it.

    It does in Indic conjuncts, within Arabic words and in emoji made of several ones.
    """
    if not before or not after:
        return False
    if VIRAMA in {unicodedata.combining(before[-1]), unicodedata.combining(after)}:
        return True
    # The joiner belongs to the base character, before accents, variations and skin tones.
    base = next(
        (
            letter
            for letter in reversed(before)
            if unicodedata.category(letter) not in {"Mn", "Me", "Sk"}
        ),
        " ",
    )
    kinds = unicodedata.category(base)[0], unicodedata.category(after)[0]
    arabic = "AL" in {unicodedata.bidirectional(base), unicodedata.bidirectional(after)}
    return kinds == ("S", "S") or (arabic and set(kinds) <= {"L", "N"})


def varies(base: str, after: str) -> bool:
    """Tell whether a variation selector changes its base: a symbol, keycap or ideograph."""
    if not base or base.isascii():
        return (base.isdigit() or base in {"#", "*"}) and after == "\u20e3"
    # Letterlike symbols such as ℹ count as letters.
    return (
        unicodedata.category(base)[0] in "SP"
        or "\u2100" <= base <= "\u214f"
        or unicodedata.name(base, "").startswith("CJK UNIFIED")
    )


def fold(value: str) -> str:
    """Return a text for comparison: `ＥＲＰ  Straße` -> `erp strasse`.

    It ignores case, width, blanks, the encoding of accents, and invisible characters.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    if not folded.isascii():
        folded = "".join(
            letter
            for letter in folded
            if unicodedata.category(letter) != "Cf"
            and not IGNORABLE.match(letter)
            and not VARIATION.match(letter)
        )
    return " ".join(BLANKS.split(folded)).strip()


def isolate(value: object) -> str:
    """Return a stored text for use within a sentence.

    Right-to-left text is isolated so that it does not reorder the words around it.
    """
    text = str(value)
    if any(unicodedata.bidirectional(letter) in RIGHT_TO_LEFT for letter in text):
        return f"\u2068{text}\u2069"
    return text


# --- Words ----------------------------------------------------------------------------------------


def day_and_time(value: datetime) -> str:
    """Return `18/05/2021 04:28`, in the person's time zone."""
    return f"{day(value)} {moments.local(value):%H:%M}"


def clock(value: datetime, *, seconds: bool = False) -> str:
    """Return `04:28` or `04:28:05` for a moment of today, in the person's time zone.

    Of any other day, which is then said before it.
    """
    here = moments.local(value)
    time = f"{here:%H:%M:%S}" if seconds else f"{here:%H:%M}"
    return time if here.date() == timezone.localdate() else f"{day(value)} {time}"


def day(value: date) -> str:
    """Return `18/05/2021`; for a moment, in the person's time zone."""
    day = moments.local(value) if isinstance(value, datetime) else value
    # Not with %Y, which drops leading zeros of early years.
    return f"{day.day:02}/{day.month:02}/{day.year:04}"


def end(value: datetime) -> str:
    """Return `Ends Sunday 6 December 2026, 23:59 UTC.`, in the person's time zone.

    It spells out a date that was typed.
    """
    here = moments.local(value)
    return _("Ends %(day)s, %(time)s %(zone)s.") % {
        "day": dateformat.format(here, "l j F Y"),
        "time": f"{here:%H:%M}",
        "zone": timezone.get_current_timezone_name(),
    }


def ago(value: datetime | None) -> str:
    """Return `3 minutes ago` up to a month, then the moment; "Never" for None."""
    if value is None:
        return _("Never")
    passed = timezone.now() - value
    if passed < -moments.SKEW:
        # Ahead of the clock: some clock was wrong, so show the moment itself.
        return day_and_time(value)
    minutes, hours = int(passed.total_seconds() // 60), int(passed.total_seconds() // 3600)
    days = (timezone.localdate() - moments.local(value).date()).days
    if minutes < 1:
        return _("Just now")
    if minutes < 60:
        return ngettext("%(n)s minute ago", "%(n)s minutes ago", minutes) % {"n": minutes}
    if days < 1 or hours < 6:
        return ngettext("%(n)s hour ago", "%(n)s hours ago", hours) % {"n": hours}
    if days == 1:
        return _("Yesterday")
    if days < 14:
        return ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days}
    if passed < timedelta(days=31):
        return ngettext("%(n)s week ago", "%(n)s weeks ago", days // 7) % {"n": days // 7}
    return day_and_time(value)


def day_and_ago(value: datetime) -> str:
    """Return `18/05/2021 (5 days ago)` up to a month, then only the moment."""
    moment, passed = day_and_time(value), ago(value)
    return moment if passed == moment else f"{day(value)} ({passed})"


def duration(span: timedelta, parts: int = 2) -> str:
    """Return `18 hours 12 minutes`, or with `parts=1` the greater part alone; never below a minute.

    Up to two days are told in hours.
    """
    minutes = max(int(span.total_seconds() // 60), 0)
    hours, days = minutes // 60, minutes // (24 * 60)
    counted: list[tuple[int, str]]
    if days > 2:
        rest = hours % 24
        counted = [
            (days, ngettext("%(n)s day", "%(n)s days", days)),
            (rest, ngettext("%(n)s hour", "%(n)s hours", rest)),
        ]
    else:
        rest = minutes % 60
        counted = [
            (hours, ngettext("%(n)s hour", "%(n)s hours", hours)),
            (rest, ngettext("%(n)s minute", "%(n)s minutes", rest)),
        ]
    told = [words % {"n": count} for count, words in counted if count]
    return " ".join(told[:parts]) if told else _("less than a minute")


def within(words: str) -> str:
    """Return words that begin a line as they stand within a sentence."""
    return words[:1].lower() + words[1:]


def took(milliseconds: float) -> str:
    """Return `142 ms`; from a second on, `1.9 s` or `20 s`."""
    if round(milliseconds) < 1000:
        return f"{milliseconds:,.0f} ms"
    seconds = f"{milliseconds / 1000:,.1f}"
    return f"{seconds.removesuffix('.0')} s"


def weekday(value: datetime) -> str:
    """Return `Thursday 26/11/2026 08:00`, in the person's time zone."""
    return f"{dateformat.format(moments.local(value), 'l')} {day_and_time(value)}"


def left(until: datetime) -> str:
    """Return the time left in its greatest unit, rounded up: `7 days left`, `18 hours left`."""
    minutes = max(ceil((until - timezone.now()).total_seconds() / 60), 1)
    if minutes <= 60:
        return ngettext("%(n)s minute left", "%(n)s minutes left", minutes) % {"n": minutes}
    hours = ceil(minutes / 60)
    if hours <= 24:
        return ngettext("%(n)s hour left", "%(n)s hours left", hours) % {"n": hours}
    days = ceil(hours / 24)
    return ngettext("%(n)s day left", "%(n)s days left", days) % {"n": days}


def ahead(value: datetime) -> str:
    """Return how far away a day is: `in 7 days`, `tomorrow` or `today`."""
    return in_days((moments.local(value).date() - timezone.localdate()).days)


def in_days(days: int) -> str:
    """Return `in 7 days`, `tomorrow`, or `today` for 0 and less."""
    if days < 1:
        return _("today")
    if days == 1:
        return _("tomorrow")
    return ngettext("in %(n)s day", "in %(n)s days", days) % {"n": f"{days:,}"}


def join_some(words: Sequence[str], most: int = 4) -> str:
    """Return `Agreements, Customers, Helpdesk, Usage and 9 more`."""
    rest = len(words) - most
    return (
        join(words)
        if rest <= 0
        else join([*words[:most], ngettext("%(n)s more", "%(n)s more", rest) % {"n": rest}])
    )


def join(words: Sequence[str]) -> str:
    """Return `Agreements, Customers and Helpdesk`."""
    *firsts, last = words
    return (
        _("%(firsts)s and %(last)s") % {"firsts": ", ".join(firsts), "last": last}
        if firsts
        else last
    )


def either(words: Sequence[str]) -> str:
    """Return `Agreements, Customers or Helpdesk`."""
    *firsts, last = words
    return (
        _("%(firsts)s or %(last)s") % {"firsts": ", ".join(firsts), "last": last}
        if firsts
        else last
    )

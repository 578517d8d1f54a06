"""Texts that people type, and words for moments and lists: one way for all pages (dd/mm/yyyy, as the product it follows)."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils import dateformat, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import moments

# --- What may be stored ---------------------------------------------------------------------------

# What looks like a blank, the pattern without dots of Braille among it. Other controls are no blanks.
BLANKS = re.compile("[\t\n\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800]+")
AROUND = re.compile(f"\\A(?:{BLANKS.pattern})|(?:{BLANKS.pattern})\\Z")
LINE_ENDS = re.compile("\r\n?")
# Control, format, surrogate, private and unassigned characters, separators of lines and of paragraphs.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# What Unicode lets programs ignore (Default_Ignorable_Code_Point) although it counts as a letter or a mark.
IGNORABLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0]")
VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
JOINERS = frozenset("\u200c\u200d")
# No character carries more marks than these that a joiner could belong to.
LOOK_BACK = 8
# The combining class of the sign that silences an Indic letter's vowel.
VIRAMA = 9
RIGHT_TO_LEFT = frozenset({"R", "AL", "RLE", "RLO", "RLI"})


def line(value: str) -> str:
    """A text of one line as it is kept: composed (NFC), blanks folded, empty if nothing of it can be seen.

    Raise ValidationError for hidden characters in it.
    """
    return only_visible(BLANKS.sub(" ", unicodedata.normalize("NFC", value)).strip(" "))


def prose(value: str) -> str:
    """As `line`, for a text of several lines: it keeps its blanks, and each line ends alike."""
    return only_visible(AROUND.sub("", LINE_ENDS.sub("\n", unicodedata.normalize("NFC", value))))


def only_visible(value: str) -> str:
    """The text, or nothing if nothing of it can be seen. Raise ValidationError for hidden characters among others."""
    if value.isascii() and value.isprintable():
        return value
    if "\0" in value:
        # In the words of Django's own forms.
        raise ValidationError(ProhibitNullCharactersValidator.message, code="null_characters_not_allowed")
    hidden = dict.fromkeys(letter for at, letter in enumerate(value) if letter not in "\n\t" and is_hidden(value, at))
    if all(BLANKS.match(letter) or unicodedata.category(letter)[0] == "M" for letter in value if letter not in hidden):
        return ""
    if hidden:
        codes = ", ".join(f"U+{ord(letter):04X}" for letter in hidden)
        raise ValidationError(_("Remove the hidden letters: %(codes)s.") % {"codes": codes}, code="hidden")
    return value


def is_hidden(value: str, at: int) -> bool:
    """Whether nobody can see the character at this place. What joins or varies its neighbours shows in them."""
    letter, before, after = value[at], value[at - 1 : at], value[at + 1 : at + 2]
    if letter in JOINERS:
        return not joins(value[max(at - LOOK_BACK, 0) : at], after)
    if VARIATION.match(letter):
        return not varies(before, after)
    return unicodedata.category(letter) in HIDDEN or bool(IGNORABLE.match(letter))


def joins(before: str, after: str) -> bool:
    """Whether a joiner shows between these: in Indic conjuncts, within Arabic words, in emoji made of several."""
    if not before or not after:
        return False
    if VIRAMA in {unicodedata.combining(before[-1]), unicodedata.combining(after)}:
        return True
    # The joiner belongs to the character below accents, variations and skin tones.
    base = next((letter for letter in reversed(before) if unicodedata.category(letter) not in {"Mn", "Me", "Sk"}), " ")
    kinds = unicodedata.category(base)[0], unicodedata.category(after)[0]
    arabic = "AL" in {unicodedata.bidirectional(base), unicodedata.bidirectional(after)}
    return kinds == ("S", "S") or (arabic and set(kinds) <= {"L", "N"})


def varies(base: str, after: str) -> bool:
    """Whether a variation selector shows on this character: on symbols, keycaps and ideographs."""
    if not base or base.isascii():
        return (base.isdigit() or base in {"#", "*"}) and after == "\u20e3"
    # Letterlike symbols such as ℹ count as letters.
    return unicodedata.category(base)[0] in "SP" or "\u2100" <= base <= "\u214f" or unicodedata.name(base, "").startswith("CJK UNIFIED")


def fold(value: str) -> str:
    """A text as it compares without regard to case, blanks, accents' spelling, width, and what cannot be seen: `ＥＲＰ  Straße` -> `erp strasse`."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    if not folded.isascii():
        folded = "".join(
            letter for letter in folded if unicodedata.category(letter) != "Cf" and not IGNORABLE.match(letter) and not VARIATION.match(letter)
        )
    return " ".join(BLANKS.split(folded)).strip()


def isolate(value: object) -> str:
    """A stored text for the middle of a sentence: one that runs from right to left must not turn the words round it."""
    text = str(value)
    if any(unicodedata.bidirectional(letter) in RIGHT_TO_LEFT for letter in text):
        return f"\u2068{text}\u2069"
    return text


# --- Words ----------------------------------------------------------------------------------------


def moment(value: datetime) -> str:
    """`18/05/2021 04:28`, where the person lives."""
    return f"{day(value)} {moments.local(value):%H:%M}"


def day(value: date) -> str:
    """`18/05/2021`, of a moment where the person lives."""
    day = moments.local(value) if isinstance(value, datetime) else value
    # Not by %Y, which drops the zeros of early years.
    return f"{day.day:02}/{day.month:02}/{day.year:04}"


def end(value: datetime) -> str:
    """`Ends Sunday 6 December 2026, 23:59 UTC.`, where the person lives: a typed date read back."""
    here = moments.local(value)
    return _("Ends %(day)s, %(time)s %(zone)s.") % {
        "day": dateformat.format(here, "l j F Y"),
        "time": f"{here:%H:%M}",
        "zone": timezone.get_current_timezone_name(),
    }


def ago(value: datetime | None) -> str:
    """Relative up to a month, where it says more than a date; "Never" for nothing."""
    if value is None:
        return _("Never")
    passed = timezone.now() - value
    if passed < -moments.SKEW:
        # Ahead of the clock: a clock was wrong once, and only the moment itself is sure.
        return moment(value)
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
    return moment(value)


def join_some(words: Sequence[str], most: int = 4) -> str:
    """`Agreements, Customers, Helpdesk, Usage and 9 more`"""
    rest = len(words) - most
    return join(words) if rest <= 0 else join([*words[:most], ngettext("%(n)s more", "%(n)s more", rest) % {"n": rest}])


def join(words: Sequence[str]) -> str:
    """`Agreements, Customers and Helpdesk`"""
    *firsts, last = words
    return _("%(firsts)s and %(last)s") % {"firsts": ", ".join(firsts), "last": last} if firsts else last


def either(words: Sequence[str]) -> str:
    """`Agreements, Customers or Helpdesk`"""
    *firsts, last = words
    return _("%(firsts)s or %(last)s") % {"firsts": ", ".join(firsts), "last": last} if firsts else last

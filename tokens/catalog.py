"""The catalog of modules, and what grants of them reach.

The wizard, the Permissions tab, the filter and the gate read everything from this list. See
CONTRIBUTING.md for what else a new module needs.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext


class Module(models.TextChoices):
    """A part of the API that a token may reach, in the order of CloudBlue's documentation.

    MD-0000, MD-0001, MD-0007, MD-0023 and MD-0024 are the ids of the real product. Its other ids
    are not published, so ours begin at MD-9001, where they cannot be mistaken for real ones; a new
    module has the highest of them plus one. `path` is the list below `/public/v1/` that a first
    call reads to prove the grant.
    """

    path: str
    covers: Promise

    def __new__(cls, value: str, path: str, covers: Promise) -> "Module":
        module = str.__new__(cls, value)
        module._value_ = value
        module.path = path
        module.covers = covers
        return module

    ALL = (
        "MD-0000",
        "agreements",
        gettext_lazy("Every module, also those added in the future"),
        gettext_lazy("All"),
    )
    ACCOUNT = (
        "MD-0001",
        "users",
        gettext_lazy("Users, groups and account settings"),
        gettext_lazy("Account"),
    )
    AGREEMENTS = (
        "MD-9001",
        "agreements",
        gettext_lazy("Contract templates and their versions"),
        gettext_lazy("Agreements"),
    )
    CONTRACTS = (
        "MD-9002",
        "contracts",
        gettext_lazy("Contracts signed with partners"),
        gettext_lazy("Contracts"),
    )
    CUSTOMERS = (
        "MD-9003",
        "tier/accounts",
        gettext_lazy("Tier accounts and their change requests"),
        gettext_lazy("Customers"),
    )
    DEVOPS = (
        "MD-0024",
        "devops/services",
        gettext_lazy("Extension services and installations"),
        gettext_lazy("DevOps"),
    )
    INTEGRATIONS = (
        "MD-0007",
        "auth/tokens",
        gettext_lazy("Tokens and what they may reach"),
        gettext_lazy("Integrations"),
    )
    HELPDESK = (
        "MD-0023",
        "helpdesk/cases",
        gettext_lazy("Support cases and their conversations"),
        gettext_lazy("Helpdesk"),
    )
    LISTINGS = (
        "MD-9004",
        "listings",
        gettext_lazy("Product listings and listing requests"),
        gettext_lazy("Listings"),
    )
    MARKETPLACES = (
        "MD-9005",
        "marketplaces",
        gettext_lazy("Marketplaces and countries"),
        gettext_lazy("Marketplaces"),
    )
    PARTNERS = (
        "MD-9006",
        "partners",
        gettext_lazy("The partner directory"),
        gettext_lazy("Partners"),
    )
    PRICING = (
        "MD-9007",
        "pricing/lists",
        gettext_lazy("Price lists and price versions"),
        gettext_lazy("Pricing"),
    )
    PRODUCTS = (
        "MD-9008",
        "products",
        gettext_lazy("Products, items and parameters"),
        gettext_lazy("Products"),
    )
    REPORTS = (
        "MD-9009",
        "reporting/reports",
        gettext_lazy("Reports, templates and schedules"),
        gettext_lazy("Reports"),
    )
    SUBSCRIPTIONS = (
        "MD-9010",
        "assets",
        gettext_lazy("Assets and fulfillment requests"),
        gettext_lazy("Subscriptions"),
    )
    TIER_CONFIG = (
        "MD-9011",
        "tier/configs",
        gettext_lazy("Tier configurations and requests"),
        gettext_lazy("Tier Config"),
    )
    USAGE = (
        "MD-9012",
        "usage/files",
        gettext_lazy("Usage files and usage records"),
        gettext_lazy("Usage"),
    )

    @classmethod
    def single(cls) -> list["Module"]:
        """Return every module but All."""
        return [module for module in cls if module is not cls.ALL]


@dataclass(frozen=True)
class Access:
    """The modules that a set of grants reaches, by their labels.

    *All* is a grant of its own, not a list of the others. `condition` says what has to happen first
    ("Once it is enabled"); it is empty for a token that can call.
    """

    all: bool
    reach: list[str]
    rest: list[str]
    condition: str = ""

    @classmethod
    def of(cls, grants: Collection[str], condition: str = "") -> "Access":
        everything = Module.ALL in grants
        reach = [module for module in Module.single() if everything or module in grants]
        return cls(
            everything,
            labels(reach),
            labels(module for module in Module.single() if module not in reach),
            condition,
        )

    @property
    def total(self) -> int:
        return len(self.reach) + len(self.rest)

    @property
    def reach_count(self) -> int:
        return len(self.reach)

    @property
    def badge(self) -> str:
        return _("All") if self.all else str(self.reach_count)

    @property
    def summary(self) -> str:
        """The number of modules in words: `All modules` or `3 of 16 modules`."""
        if self.all:
            return _("All modules")
        return ngettext("%(n)s of %(total)s modules", "%(n)s of %(total)s modules", self.total) % {
            "n": self.reach_count,
            "total": self.total,
        }

    # --- Beginnings of sentences ---

    @property
    def every_module(self) -> str:
        may, could = _("May reach every module,"), _("%(condition)s, it could reach every module,")
        return could % {"condition": self.condition} if self.condition else may

    @property
    def no_module(self) -> str:
        may, could = _("May reach no module yet."), _("%(condition)s, it could reach no module.")
        return could % {"condition": self.condition} if self.condition else may

    @property
    def some_modules(self) -> str:
        """With the placeholders {count} and {total}, so that scripts can update the numbers."""
        may, could = (
            _("May reach {count} of {total} modules:"),
            _("%(condition)s, it could reach {count} of {total} modules:"),
        )
        return could % {"condition": self.condition} if self.condition else may

    @property
    def counted_modules(self) -> str:
        return self.some_modules.format(count=self.reach_count, total=self.total)

    @property
    def not_reached(self) -> str:
        return _("It could not reach") if self.condition else _("May not reach")


# What All covers besides the existing modules.
FUTURE = gettext_lazy("modules added in the future")


@dataclass(frozen=True)
class AccessChange:
    """The modules gained and lost in effect by a change of grants, by label.

    A change from All to three modules loses all others, and those added in the future.
    """

    gained: list[str]
    lost: list[str]

    @classmethod
    def between(cls, before: Collection[str], after: Collection[str]) -> "AccessChange":
        return cls(names_beyond(after, before), names_beyond(before, after))


def names_beyond(grants: Collection[str], others: Collection[str]) -> list[str]:
    """Return the labels of the modules that the grants reach and the others do not."""
    reach, other = Access.of(grants), Access.of(others)
    names = [name for name in reach.reach if name not in other.reach]
    return [*names, str(FUTURE)] if reach.all and not other.all else names


def labels(modules: Iterable[Module]) -> list[str]:
    return [str(module.label) for module in modules]

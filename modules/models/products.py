"""Products, their categories and their items."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from modules.models.agreements import Agreement
from modules.models.contracts import Contract
from portal.fields import LineField, MomentField, ProseField

if TYPE_CHECKING:
    from tokens.gate import Caller


class Category(models.Model):
    """A category of products."""

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = LineField(_("name"), max_length=255)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class ProductQuerySet(models.QuerySet["Product"]):
    def visible_to(self, caller: "Caller") -> "ProductQuerySet":
        """Return a vendor's own products, or the products that a distributor may sell.

        Those are of the vendors it has an active distribution contract with.
        """
        return self.seen_by(caller.account_id, caller.side)

    def seen_by(self, account_id: str, side: str) -> "ProductQuerySet":
        """Do as `visible_to` for an account."""
        if side == Account.Side.VENDOR:
            return self.filter(vendor=account_id)
        contracts = Contract.objects.filter(
            vendor=models.OuterRef("vendor"),
            provider=account_id,
            type=Agreement.Type.DISTRIBUTION,
            status=Contract.Status.ACTIVE,
        )
        return self.filter(models.Exists(contracts))


class Product(models.Model):
    """A product that a vendor sells through distributors."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        ENDOFSALE = "endofsale", _("End of sale")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = LineField(_("name"), max_length=128)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    vendor = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("vendor"))
    category = models.ForeignKey(
        Category, models.PROTECT, related_name="+", verbose_name=_("category")
    )
    external_id = LineField(_("external ID"), max_length=64, blank=True)
    short_description = LineField(_("short description"), max_length=255)
    detailed_description = ProseField(_("detailed description"), blank=True)
    monthly_price = models.DecimalField(_("price a month"), max_digits=9, decimal_places=2)
    currency = LineField(_("currency"), max_length=3, default="EUR")
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    published_at = MomentField(_("published"), null=True, blank=True)
    created_at = MomentField(_("created"), default=timezone.now)
    updated_at = MomentField(_("updated"), default=timezone.now)

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(
                "vendor", F("created_at").desc(), F("id").desc(), name="product_of_vendor"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @classmethod
    def names_for(cls, account: Account) -> dict[str, str]:
        """Return the names of the products that an account sees, by id."""
        rows = cls.objects.seen_by(account.pk, account.side).order_by("name", "id")
        return dict(rows.values_list("id", "name"))


class Item(models.Model):
    """A unit of a product that is ordered or metered, and billed."""

    class Type(models.TextChoices):
        RESERVATION = "reservation", _("Reservation")
        PAY_AS_YOU_GO = "ppu", _("Pay as you go")

    class Precision(models.TextChoices):
        INTEGER = "integer", _("Whole numbers")
        DECIMAL = "decimal(2)", _("Two decimals")

    class Period(models.TextChoices):
        ONE_TIME = "onetime", _("Once")
        MONTHLY = "monthly", _("Monthly")
        YEARLY = "yearly", _("Yearly")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        ENDOFSALE = "endofsale", _("End of sale")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    product = models.ForeignKey(
        Product, models.CASCADE, related_name="items", verbose_name=_("product")
    )
    name = LineField(_("name"), max_length=128)
    description = LineField(_("description"), max_length=255, blank=True)
    mpn = LineField(_("manufacturer part number"), max_length=64)
    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.RESERVATION)
    precision = models.CharField(
        _("precision"), max_length=16, choices=Precision, default=Precision.INTEGER
    )
    period = models.CharField(_("period"), max_length=16, choices=Period, default=Period.MONTHLY)
    unit = LineField(_("unit"), max_length=32)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.PUBLISHED)
    position = models.PositiveIntegerField(_("position"), default=10_000)
    created_at = MomentField(_("created"), default=timezone.now)
    updated_at = MomentField(_("updated"), default=timezone.now)

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name

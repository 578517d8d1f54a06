"""Listings of products in marketplaces, and their connections to hubs."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from modules.models.base import Record


class Listing(Record):
    """A product of a vendor in a marketplace of a distributor."""

    class Status(models.TextChoices):
        LISTED = "listed", _("Listed")
        UNLISTED = "unlisted", _("Unlisted")

    status = models.CharField(_("status"), max_length=16, choices=Status)
    contract = models.ForeignKey(
        "modules.Contract", models.CASCADE, related_name="listings", verbose_name=_("contract")
    )
    product = models.ForeignKey(
        "modules.Product", models.CASCADE, related_name="listings", verbose_name=_("product")
    )
    price_list = models.ForeignKey(
        "modules.PriceList",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="listings",
        verbose_name=_("price list"),
    )

    class Meta(Record.Meta):
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        indexes = (
            *Record.Meta.indexes,
            # For the list of partners, which counts the listings with each.
            models.Index("provider", "vendor", name="listings_between"),
        )


class Connection(Record):
    """The connection of a product to a hub, through which its subscriptions are ordered."""

    class Type(models.TextChoices):
        TEST = "test", _("Test")
        PRODUCTION = "production", _("Production")

    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.PRODUCTION)
    product = models.ForeignKey(
        "modules.Product", models.CASCADE, related_name="+", verbose_name=_("product")
    )
    hub = models.ForeignKey(
        "modules.Hub", models.CASCADE, related_name="connections", verbose_name=_("hub")
    )

    class Meta(Record.Meta):
        verbose_name = _("connection")
        verbose_name_plural = _("connections")

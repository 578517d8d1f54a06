"""Where distributors sell: marketplaces and hubs, countries and locales."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from modules.models.contracts import Contract
from portal.fields import LineField, MomentField

if TYPE_CHECKING:
    from tokens.gate import Caller


class Country(models.Model):
    """A country by its ISO code, which is its id."""

    id = models.CharField(_("code"), primary_key=True, max_length=2)
    name = LineField(_("name"), max_length=64)

    class Meta:
        verbose_name = _("country")
        verbose_name_plural = _("countries")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class Locale(models.Model):
    """A language as spoken in a country, such as `EN-GB`."""

    id = models.CharField(_("code"), primary_key=True, max_length=8)
    name = LineField(_("name"), max_length=128)
    local_name = LineField(_("name in the language"), max_length=128)
    auto_translation = models.BooleanField(_("can be translated automatically"), default=True)

    class Meta:
        verbose_name = _("locale")
        verbose_name_plural = _("locales")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class PartnerQuerySet(models.QuerySet[Any]):
    """Rows of a distributor that vendors with an active contract with it see too."""

    def visible_to(self, caller: "Caller") -> "PartnerQuerySet":
        if caller.side != Account.Side.VENDOR:
            return self.filter(owner=caller.account_id)
        contracts = Contract.objects.filter(
            vendor=caller.account_id,
            provider=models.OuterRef("owner"),
            status=Contract.Status.ACTIVE,
        )
        return self.filter(models.Exists(contracts))


class Hub(models.Model):
    """A commerce system of a distributor that its marketplaces are connected to."""

    class Type(models.TextChoices):
        API = "api", "API"
        OA = "oa", "OA"

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = LineField(_("name"), max_length=256)
    description = LineField(_("description"), max_length=255, blank=True)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    instance_id = LineField(_("instance ID"), max_length=255)
    instance_type = models.CharField(
        _("instance type"), max_length=3, choices=Type, default=Type.API
    )
    version = LineField(_("version"), max_length=32)
    created_at = MomentField(_("created"), default=timezone.now)
    updated_at = MomentField(_("updated"), default=timezone.now)

    class Meta:
        verbose_name = _("hub")
        verbose_name_plural = _("hubs")
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.name


class Marketplace(models.Model):
    """Where a distributor sells: a region with a currency."""

    class Zone(models.TextChoices):
        AFRICA = "AF", _("Africa")
        NORTH_AMERICA = "NA", _("North America")
        OCEANIA = "OC", _("Oceania")
        ASIA = "AS", _("Asia")
        EUROPE = "EU", _("Europe")
        SOUTH_AMERICA = "SA", _("South America")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = LineField(_("name"), max_length=128)
    description = LineField(_("description"), max_length=255, blank=True)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    zone = models.CharField(_("zone"), max_length=2, choices=Zone, default=Zone.EUROPE)
    currency = LineField(_("currency"), max_length=3)
    hubs: "models.ManyToManyField[Any, Any]" = models.ManyToManyField(
        Hub, through="MarketplaceHub", related_name="marketplaces", verbose_name=_("hubs")
    )
    countries = models.ManyToManyField(
        Country, related_name="marketplaces", verbose_name=_("countries"), blank=True
    )
    locales = models.ManyToManyField(
        Locale, related_name="marketplaces", verbose_name=_("locales"), blank=True
    )
    created_at = MomentField(_("created"), default=timezone.now)
    updated_at = MomentField(_("updated"), default=timezone.now)

    objects = PartnerQuerySet.as_manager()

    class Meta:
        verbose_name = _("marketplace")
        verbose_name_plural = _("marketplaces")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class MarketplaceHub(models.Model):
    """A hub that serves a marketplace, with the marketplace's id in the hub's own system."""

    marketplace = models.ForeignKey(
        Marketplace, models.CASCADE, related_name="+", db_index=False, verbose_name=_("marketplace")
    )
    hub = models.ForeignKey(Hub, models.CASCADE, related_name="+", verbose_name=_("hub"))
    external_id = LineField(_("external ID"), max_length=255)

    class Meta:
        verbose_name = _("hub of a marketplace")
        verbose_name_plural = _("hubs of marketplaces")
        ordering = ("hub", "id")
        constraints = (
            models.UniqueConstraint(fields=("marketplace", "hub"), name="hub_once_per_marketplace"),
        )

    def __str__(self) -> str:
        return f"{self.marketplace_id} · {self.hub_id}"

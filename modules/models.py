"""Sample business records behind the gate. Each lies between a vendor and a distributor, and each side sees its own."""

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account


class RecordQuerySet(models.QuerySet["Record"]):
    def visible_to(self, account_id: str) -> "RecordQuerySet":
        """The records of the account: as vendor or as distributor, as its id says."""
        return self.filter(vendor=account_id) if account_id.startswith("VA-") else self.filter(provider=account_id)


class Record(models.Model):
    """What all records between two companies have."""

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    vendor = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False, verbose_name=_("vendor"))
    provider = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False, verbose_name=_("distributor"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now)

    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ("-created_at", "-id")
        # The API's order for either side, so that the first page of a long collection costs no sorting.
        indexes = (
            models.Index("vendor", F("created_at").desc(), F("id").desc(), name="%(class)s_of_vendor"),
            models.Index("provider", F("created_at").desc(), F("id").desc(), name="%(class)s_of_provider"),
        )

    def __str__(self) -> str:
        return self.id


class Marketplace(models.Model):
    """Where a distributor sells: a region with a currency."""

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = models.CharField(_("name"), max_length=128)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("marketplace")
        verbose_name_plural = _("marketplaces")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class Agreement(Record):
    """A contract template, which partners enrol in."""

    class Type(models.TextChoices):
        DISTRIBUTION = "distribution", _("Distribution")
        PROGRAM = "program", _("Program")
        SERVICE = "service", _("Service")

    type = models.CharField(_("type"), max_length=16, choices=Type)
    title = models.CharField(_("title"), max_length=128)
    description = models.CharField(_("description"), max_length=255, blank=True)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    marketplace = models.ForeignKey(Marketplace, models.SET_NULL, null=True, blank=True, verbose_name=_("marketplace"))
    link = models.URLField(_("link"), blank=True)
    active = models.BooleanField(_("active"), default=True)
    auto_accept = models.BooleanField(_("accepts automatically"), default=False)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    contracts = models.PositiveIntegerField(_("contracts"), default=0)

    class Meta(Record.Meta):
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")

    def __str__(self) -> str:
        return self.title


class Contract(Record):
    """An agreement that a partner signed, or is about to."""

    class Status(models.TextChoices):
        ENROLLING = "enrolling", _("Enrolling")
        PENDING = "pending", _("Pending")
        ACTIVE = "active", _("Active")
        REJECTED = "rejected", _("Rejected")
        TERMINATED = "terminated", _("Terminated")

    name = models.CharField(_("name"), max_length=128)
    type = models.CharField(_("type"), max_length=16, choices=Agreement.Type)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="+", verbose_name=_("agreement"))
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    issuer = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("issuer"))
    marketplace = models.ForeignKey(Marketplace, models.SET_NULL, null=True, blank=True, verbose_name=_("marketplace"))
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    note = models.CharField(_("note"), max_length=255, blank=True)
    enrolled_at = models.DateTimeField(_("enrolled"))
    signed_at = models.DateTimeField(_("signed"), null=True, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")

    def __str__(self) -> str:
        return self.name


class Customer(Record):
    """A tier account: a customer, or a reseller between the distributor and customers."""

    class Type(models.TextChoices):
        CUSTOMER = "customer", _("Customer")
        RESELLER = "reseller", _("Reseller")

    name = models.CharField(_("name"), max_length=128)
    type = models.CharField(_("type"), max_length=16, choices=Type)
    environment = models.CharField(_("environment"), max_length=16, default="production")
    external_id = models.CharField(_("external ID"), max_length=64, blank=True)
    external_uid = models.UUIDField(_("external UID"))
    tax_id = models.CharField(_("tax ID"), max_length=32, blank=True)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("reseller"))
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    address = models.CharField(_("address"), max_length=128)
    city = models.CharField(_("city"), max_length=64)
    postal_code = models.CharField(_("postal code"), max_length=16)
    country = models.CharField(_("country"), max_length=2)
    first_name = models.CharField(_("first name"), max_length=64)
    last_name = models.CharField(_("last name"), max_length=64)
    email = models.EmailField(_("e-mail"))
    phone_country = models.CharField(_("phone: country"), max_length=6)
    phone_area = models.CharField(_("phone: area"), max_length=6)
    phone_number = models.CharField(_("phone: number"), max_length=16)

    class Meta(Record.Meta):
        verbose_name = _("customer")
        verbose_name_plural = _("customers")

    def __str__(self) -> str:
        return self.name


class ProductQuerySet(models.QuerySet["Product"]):
    def visible_to(self, account_id: str) -> "ProductQuerySet":
        """A vendor's own products; for a distributor those of the vendors it has an active distribution contract with."""
        if account_id.startswith("VA-"):
            return self.filter(vendor=account_id)
        contracts = Contract.objects.filter(
            vendor=models.OuterRef("vendor"), provider=account_id, type=Agreement.Type.DISTRIBUTION, status=Contract.Status.ACTIVE
        )
        return self.filter(models.Exists(contracts))


class Product(models.Model):
    """What a vendor sells through distributors."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        ENDOFSALE = "endofsale", _("End of sale")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = models.CharField(_("name"), max_length=128)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    vendor = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("vendor"))
    category = models.CharField(_("category"), max_length=64)
    short_description = models.CharField(_("short description"), max_length=255)
    detailed_description = models.TextField(_("detailed description"), blank=True)
    monthly_price = models.DecimalField(_("price a month"), max_digits=9, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now)

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("-created_at", "-id")
        indexes = (models.Index("vendor", F("created_at").desc(), F("id").desc(), name="product_of_vendor"),)

    def __str__(self) -> str:
        return self.name

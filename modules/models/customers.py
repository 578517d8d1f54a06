"""Sample business records behind the gate. Each lies between a vendor and a distributor, and each side sees its own."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from portal.fields import LineField, MomentField, ProseField, PublicIdField


def new_uid() -> str:
    return str(uuid.uuid4())


def this_second() -> datetime:
    """Now, as exact as the API shows moments: who asks for what is later than the last one seen must not get that one again."""
    return timezone.now().replace(microsecond=0)


class RecordQuerySet(models.QuerySet[Any]):
    def visible_to(self, account_id: str) -> "RecordQuerySet":
        """The records of the account: as vendor or as distributor, as its id says."""
        return self.filter(vendor=account_id) if account_id.startswith("VA-") else self.filter(provider=account_id)


class Record(models.Model):
    """What all records between two companies have."""

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    vendor = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False, verbose_name=_("vendor"))
    provider = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False, verbose_name=_("distributor"))
    created_at = MomentField(_("created"), default=timezone.now)
    updated_at = MomentField(_("updated"), default=timezone.now)

    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ("-created_at", "-id")
        # The API's order for either side, so that the first page of a long resource costs no sorting.
        indexes = (
            models.Index("vendor", F("created_at").desc(), F("id").desc(), name="%(class)s_of_vendor"),
            models.Index("provider", F("created_at").desc(), F("id").desc(), name="%(class)s_of_provider"),
        )

    def __str__(self) -> str:
        return self.id


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
    """A language as it is spoken in a country: `EN-GB`."""

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
    """What a distributor owns and the vendors that it has an active contract with see too."""

    def visible_to(self, account_id: str) -> "PartnerQuerySet":
        if not account_id.startswith("VA-"):
            return self.filter(owner=account_id)
        contracts = Contract.objects.filter(vendor=account_id, provider=models.OuterRef("owner"), status=Contract.Status.ACTIVE)
        return self.filter(models.Exists(contracts))


class Hub(models.Model):
    """A commerce system of a distributor, to which its marketplaces are connected."""

    class Type(models.TextChoices):
        API = "api", "API"
        OA = "oa", "OA"

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = LineField(_("name"), max_length=256)
    description = LineField(_("description"), max_length=255, blank=True)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    instance_id = LineField(_("instance ID"), max_length=255)
    instance_type = models.CharField(_("instance type"), max_length=3, choices=Type, default=Type.API)
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
    countries = models.ManyToManyField(Country, related_name="marketplaces", verbose_name=_("countries"), blank=True)
    locales = models.ManyToManyField(Locale, related_name="marketplaces", verbose_name=_("locales"), blank=True)
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

    marketplace = models.ForeignKey(Marketplace, models.CASCADE, related_name="+", db_index=False, verbose_name=_("marketplace"))
    hub = models.ForeignKey(Hub, models.CASCADE, related_name="+", verbose_name=_("hub"))
    external_id = LineField(_("external ID"), max_length=255)

    class Meta:
        verbose_name = _("hub of a marketplace")
        verbose_name_plural = _("hubs of marketplaces")
        ordering = ("hub", "id")
        constraints = (models.UniqueConstraint(fields=("marketplace", "hub"), name="hub_once_per_marketplace"),)

    def __str__(self) -> str:
        return f"{self.marketplace_id} · {self.hub_id}"


class Agreement(Record):
    """A contract template, which partners enrol in."""

    class Type(models.TextChoices):
        DISTRIBUTION = "distribution", _("Distribution")
        PROGRAM = "program", _("Program")
        SERVICE = "service", _("Service")

    type = models.CharField(_("type"), max_length=16, choices=Type)
    title = LineField(_("title"), max_length=128)
    description = LineField(_("description"), max_length=255, blank=True)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    marketplace = models.ForeignKey(Marketplace, models.SET_NULL, null=True, blank=True, verbose_name=_("marketplace"))
    link = models.URLField(_("link"), blank=True)
    active = models.BooleanField(_("active"), default=True)
    auto_accept = models.BooleanField(_("accepts automatically"), default=False)
    version = models.PositiveSmallIntegerField(_("version"), default=1)

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

    name = LineField(_("name"), max_length=128)
    type = models.CharField(_("type"), max_length=16, choices=Agreement.Type)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="signed", verbose_name=_("agreement"))
    creator = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("creator"))
    signee = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("signee"))
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    issuer = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("issuer"))
    marketplace = models.ForeignKey(Marketplace, models.SET_NULL, null=True, blank=True, verbose_name=_("marketplace"))
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    note = LineField(_("note"), max_length=255, blank=True)
    enrolled_at = MomentField(_("enrolled"))
    signed_at = MomentField(_("signed"), null=True, blank=True)

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

    class Environment(models.TextChoices):
        PRODUCTION = "production", _("Production")
        TEST = "test", _("Test")
        PREVIEW = "preview", _("Preview")

    id = PublicIdField(_("ID"), groups=(4, 4, 4), prefix="TA")
    # None as long as the customer has no subscription: then only its distributor sees it.
    vendor = models.ForeignKey(  # type: ignore[assignment]  # the others always have one
        Account, models.CASCADE, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("vendor")
    )
    name = LineField(_("name"), max_length=255)
    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.CUSTOMER)
    environment = models.CharField(_("environment"), max_length=16, choices=Environment, default=Environment.PRODUCTION)
    external_id = LineField(_("external ID"), max_length=255, blank=True)
    external_uid = LineField(_("external UID"), max_length=255, default=new_uid)
    tax_id = LineField(_("tax ID"), max_length=100, blank=True)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("reseller"))
    hub = models.ForeignKey(Hub, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("hub"))
    version = models.PositiveIntegerField(_("version"), default=1)
    address = LineField(_("address"), max_length=255)
    address_2 = LineField(_("address, second line"), max_length=255, blank=True)
    city = LineField(_("city"), max_length=100)
    state = LineField(_("state"), max_length=100, blank=True)
    postal_code = LineField(_("postal code"), max_length=50)
    country = LineField(_("country"), max_length=100)
    first_name = LineField(_("first name"), max_length=100)
    last_name = LineField(_("last name"), max_length=100)
    email = models.EmailField(_("e-mail"))
    phone_country = LineField(_("phone: country"), max_length=25, blank=True)
    phone_area = LineField(_("phone: area"), max_length=25, blank=True)
    phone_number = LineField(_("phone: number"), max_length=25, blank=True)
    phone_extension = LineField(_("phone: extension"), max_length=25, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("customer")
        verbose_name_plural = _("customers")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, unless that would put it where it cannot stand. Raises ValidationError."""
        with transaction.atomic():
            self.check_place()
            super().save(*args, **kwargs)

    def clean(self) -> None:
        """What a form checks: the same, so that it is told beside the field. The form's transaction holds the lock."""
        super().clean()
        if self.provider_id:
            with transaction.atomic():
                self.check_place()

    def check_place(self) -> None:
        """Hold the resellers of the distributor still, and raise ValidationError unless the customer fits among them.

        A place that does not change is not asked about, so that what stands wrong already can still be edited.
        """
        # Whoever else moves one of them waits here, and then sees where this one went.
        list(Account.objects.select_for_update(no_key=True).filter(pk=self.provider_id).values_list("pk"))
        stored = Customer.objects.filter(pk=self.pk).values_list("provider_id", "parent_id", "type").first()
        if stored == (self.provider_id, self.parent_id, self.type):
            return
        if self.parent_id:
            resellers = dict(Customer.objects.filter(provider=self.provider_id, type=Customer.Type.RESELLER).values_list("pk", "parent_id"))
            if self.parent_id not in resellers:
                raise ValidationError({"parent": _("There is no such reseller of yours.")})
            if self.pk in above(self.parent_id, resellers):
                raise ValidationError({"parent": _("Nobody can stand above itself.")})
        if stored and self.type != Customer.Type.RESELLER and Customer.objects.filter(parent=self.pk).exists():
            raise ValidationError({"type": _("Customers stand below this reseller.")})


def above(pk: str | None, parents: Mapping[str, str | None]) -> set[str]:
    """The reseller and all that stand above it, each once: what is stored may go in a circle."""
    found: set[str] = set()
    while pk and pk not in found:
        found.add(pk)
        pk = parents.get(pk)
    return found


class Category(models.Model):
    """What kind of product something is."""

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = LineField(_("name"), max_length=255)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ("name", "id")

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
    name = LineField(_("name"), max_length=128)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    vendor = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("vendor"))
    category = models.ForeignKey(Category, models.PROTECT, related_name="+", verbose_name=_("category"))
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
        indexes = (models.Index("vendor", F("created_at").desc(), F("id").desc(), name="product_of_vendor"),)

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """What of a product is counted and paid for."""

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
    product = models.ForeignKey(Product, models.CASCADE, related_name="items", verbose_name=_("product"))
    name = LineField(_("name"), max_length=128)
    description = LineField(_("description"), max_length=255, blank=True)
    mpn = LineField(_("manufacturer part number"), max_length=64)
    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.RESERVATION)
    precision = models.CharField(_("precision"), max_length=16, choices=Precision, default=Precision.INTEGER)
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


class PriceList(Record):
    """What a distributor asks for products of a vendor."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        ACTIVE = "active", _("Active")
        TERMINATED = "terminated", _("Terminated")

    name = LineField(_("name"), max_length=255)
    description = LineField(_("description"), max_length=255, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    currency = LineField(_("currency"), max_length=3)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    products = models.ManyToManyField(Product, related_name="price_lists", verbose_name=_("products"))
    activated_at = MomentField(_("activated"), null=True, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("price list")
        verbose_name_plural = _("price lists")

    def __str__(self) -> str:
        return self.name


class Listing(Record):
    """A product of a vendor in a marketplace of a distributor."""

    class Status(models.TextChoices):
        LISTED = "listed", _("Listed")
        UNLISTED = "unlisted", _("Unlisted")

    status = models.CharField(_("status"), max_length=16, choices=Status)
    contract = models.ForeignKey(Contract, models.CASCADE, related_name="listings", verbose_name=_("contract"))
    product = models.ForeignKey(Product, models.CASCADE, related_name="listings", verbose_name=_("product"))
    price_list = models.ForeignKey(PriceList, models.SET_NULL, null=True, blank=True, related_name="listings", verbose_name=_("price list"))

    class Meta(Record.Meta):
        verbose_name = _("listing")
        verbose_name_plural = _("listings")


class Connection(Record):
    """The line between a product and a hub, on which subscriptions travel."""

    class Type(models.TextChoices):
        TEST = "test", _("Test")
        PRODUCTION = "production", _("Production")

    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.PRODUCTION)
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", verbose_name=_("product"))
    hub = models.ForeignKey(Hub, models.CASCADE, related_name="connections", verbose_name=_("hub"))

    class Meta(Record.Meta):
        verbose_name = _("connection")
        verbose_name_plural = _("connections")


class Asset(Record):
    """A subscription of a customer to a product."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PROCESSING = "processing", _("Processing")
        ACTIVE = "active", _("Active")
        TERMINATING = "terminating", _("Terminating")
        SUSPENDED = "suspended", _("Suspended")
        TERMINATED = "terminated", _("Terminated")

    status = models.CharField(_("status"), max_length=16, choices=Status)
    external_id = LineField(_("external ID"), max_length=100)
    external_uid = LineField(_("external UID"), max_length=100, default=new_uid)
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", verbose_name=_("product"))
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", verbose_name=_("connection"))
    contract = models.ForeignKey(Contract, models.CASCADE, related_name="+", verbose_name=_("contract"))
    marketplace = models.ForeignKey(Marketplace, models.CASCADE, related_name="+", verbose_name=_("marketplace"))
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", verbose_name=_("customer"))
    reseller = models.ForeignKey(Customer, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("reseller"))
    # [{"id": "domain", "title": "Domain", "type": "text", "value": "ruiz.example", …}]
    params = models.JSONField(_("parameters"), default=list, editable=False)

    class Meta(Record.Meta):
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")


class AssetItem(models.Model):
    """How much of an item a subscription has."""

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="items", db_index=False, verbose_name=_("subscription"))
    item = models.ForeignKey(Item, models.CASCADE, related_name="+", verbose_name=_("item"))
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("item of a subscription")
        verbose_name_plural = _("items of subscriptions")
        ordering = ("item", "id")
        constraints = (models.UniqueConstraint(fields=("asset", "item"), name="item_once_per_asset"),)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item_id}"


class FulfillmentRequest(Record):
    """A request to change a subscription, which the vendor fulfils."""

    class Type(models.TextChoices):
        PURCHASE = "purchase", _("Purchase")
        CHANGE = "change", _("Change")
        SUSPEND = "suspend", _("Suspend")
        RESUME = "resume", _("Resume")
        CANCEL = "cancel", _("Cancel")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        TIERS_SETUP = "tiers_setup", _("Tiers setup")
        PENDING = "pending", _("Pending")
        INQUIRING = "inquiring", _("Inquiring")
        APPROVED = "approved", _("Approved")
        FAILED = "failed", _("Failed")

    type = models.CharField(_("type"), max_length=16, choices=Type)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="+", verbose_name=_("subscription"))
    note = LineField(_("note"), max_length=255, blank=True)
    reason = LineField(_("reason"), max_length=255, blank=True)
    activation_key = ProseField(_("activation key"), blank=True)
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("assignee"))

    class Meta(Record.Meta):
        verbose_name = _("fulfillment request")
        verbose_name_plural = _("fulfillment requests")


class TierConfig(Record):
    """What a vendor has to know of a reseller before it can serve the reseller's customers."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        PROCESSING = "processing", _("Processing")

    class Level(models.IntegerChoices):
        FIRST = 1, _("Tier 1")
        SECOND = 2, _("Tier 2")

    name = LineField(_("name"), max_length=255)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    tier_level = models.PositiveSmallIntegerField(_("level"), choices=Level, default=Level.FIRST)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", verbose_name=_("reseller"))
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", verbose_name=_("product"))
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", verbose_name=_("connection"))
    contract = models.ForeignKey(Contract, models.CASCADE, related_name="+", verbose_name=_("contract"))
    marketplace = models.ForeignKey(Marketplace, models.CASCADE, related_name="+", verbose_name=_("marketplace"))
    params = models.JSONField(_("parameters"), default=list, editable=False)

    class Meta(Record.Meta):
        verbose_name = _("tier configuration")
        verbose_name_plural = _("tier configurations")

    def __str__(self) -> str:
        return self.name


class UsageFile(Record):
    """What customers used of a product in a month, as the vendor reports it."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        UPLOADING = "uploading", _("Uploading")
        UPLOADED = "uploaded", _("Uploaded")
        INVALID = "invalid", _("Invalid")
        PROCESSING = "processing", _("Processing")
        READY = "ready", _("Ready")
        REJECTED = "rejected", _("Rejected")
        PENDING = "pending", _("Pending")
        ACCEPTED = "accepted", _("Accepted")
        CLOSED = "closed", _("Closed")
        DELETED = "deleted", _("Deleted")

    class Schema(models.TextChoices):
        TR = "tr", "TR"
        PR = "pr", "PR"
        QT = "qt", "QT"
        CR = "cr", "CR"

    name = LineField(_("name"), max_length=100)
    description = LineField(_("description"), max_length=200, blank=True)
    external_id = LineField(_("external ID"), max_length=64, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    schema = models.CharField(_("schema"), max_length=2, choices=Schema, default=Schema.QT)
    environment = models.CharField(_("environment"), max_length=16, choices=Customer.Environment, default=Customer.Environment.PRODUCTION)
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", verbose_name=_("product"))
    contract = models.ForeignKey(Contract, models.CASCADE, related_name="+", verbose_name=_("contract"))
    marketplace = models.ForeignKey(Marketplace, models.CASCADE, related_name="+", verbose_name=_("marketplace"))
    currency = LineField(_("currency"), max_length=3)
    period_from = models.DateField(_("from"))
    period_to = models.DateField(_("to"))
    records = models.PositiveIntegerField(_("records"), default=0)
    rejection_note = LineField(_("rejection note"), max_length=200, blank=True)
    creator = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("creator"))
    submitted_at = MomentField(_("submitted"), null=True, blank=True)
    accepted_at = MomentField(_("accepted"), null=True, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("usage file")
        verbose_name_plural = _("usage files")

    def __str__(self) -> str:
        return self.name


class ReportTemplate(models.Model):
    """What a report is made with."""

    class Type(models.TextChoices):
        SYSTEM = "system", _("System")
        CUSTOM = "custom", _("Custom")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = LineField(_("name"), max_length=255)
    description = LineField(_("description"), max_length=255)
    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.SYSTEM)
    local_id = LineField(_("local ID"), max_length=64)

    class Meta:
        verbose_name = _("report template")
        verbose_name_plural = _("report templates")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class OwnedQuerySet(models.QuerySet[Any]):
    """Records of one company, which no other sees."""

    def visible_to(self, account_id: str) -> "OwnedQuerySet":
        return self.filter(owner=account_id)


class Report(models.Model):
    """A report that a company had made."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        DEPLOYING = "deploying", _("Deploying")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = LineField(_("name"), max_length=255)
    description = LineField(_("description"), max_length=255, blank=True)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False, verbose_name=_("owner"))
    template = models.ForeignKey(ReportTemplate, models.CASCADE, related_name="+", verbose_name=_("template"))
    schedule_id = LineField(_("schedule ID"), max_length=24)
    schedule_name = LineField(_("schedule"), max_length=255)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    renderer = LineField(_("renderer"), max_length=16, default="xlsx")
    size = models.PositiveIntegerField(_("size"), null=True, blank=True)
    timeout = models.BooleanField(_("timed out"), default=False)
    failure_output = LineField(_("failure"), max_length=255, blank=True)
    created_at = MomentField(_("created"), default=timezone.now)
    updated_at = MomentField(_("updated"), default=timezone.now)
    started_at = MomentField(_("started"), null=True, blank=True)
    terminated_at = MomentField(_("ended"), null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ("-created_at", "-id")
        indexes = (models.Index("owner", F("created_at").desc(), F("id").desc(), name="report_of_owner"),)

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """An extension that a company develops and runs."""

    class Type(models.TextChoices):
        PRODUCTS = "products", _("Fulfillment automation")
        HUB = "hub", _("Hub integration")
        MULTIACCOUNT = "multiaccount", _("Multi-account")
        TRANSFORMATIONS = "transformations", _("Commerce transformations")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    type = models.CharField(_("type"), max_length=16, choices=Type)
    name = LineField(_("name"), max_length=255)
    description = LineField(_("description"), max_length=255, blank=True)
    package_id = LineField(_("package ID"), max_length=64)
    extension_id = LineField(_("extension ID"), max_length=24)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    products = models.ManyToManyField(Product, related_name="services", verbose_name=_("products"), blank=True)
    category = LineField(_("category"), max_length=64, blank=True)
    website = models.URLField(_("website"), blank=True)
    created_at = MomentField(_("created"), default=timezone.now)
    updated_at = MomentField(_("updated"), default=timezone.now)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("extension service")
        verbose_name_plural = _("extension services")
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.name


class Environment(models.Model):
    """Where a service runs: each has one for development, one for tests and one for production."""

    class Type(models.TextChoices):
        DEVELOPMENT = "development", _("Development")
        TEST = "test", _("Test")
        PRODUCTION = "production", _("Production")

    class Runtime(models.TextChoices):
        LOCAL = "local", _("Local")
        CLOUD = "cloud", _("Cloud")

    class Status(models.TextChoices):
        UNINITIALIZED = "uninitialized", _("Uninitialized")
        CONNECTED = "connected", _("Connected")
        DISCONNECTED = "disconnected", _("Disconnected")
        RUNNING = "running", _("Running")
        STOPPED = "stopped", _("Stopped")
        ERRORED = "errored", _("Errored")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    service = models.ForeignKey(Service, models.CASCADE, related_name="environments", verbose_name=_("service"))
    type = models.CharField(_("type"), max_length=16, choices=Type)
    runtime = models.CharField(_("runtime"), max_length=8, choices=Runtime, default=Runtime.CLOUD)
    external_id = LineField(_("external ID"), max_length=36, default=new_uid)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.UNINITIALIZED)
    git_url = models.URLField(_("repository"))
    git_tag = LineField(_("tag"), max_length=32)
    git_commit = LineField(_("commit"), max_length=40)

    class Meta:
        verbose_name = _("environment")
        verbose_name_plural = _("environments")
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("service", "type"), name="one_environment_per_type"),)

    def __str__(self) -> str:
        return self.id


class Case(Record):
    """A support case between a vendor and a distributor. Its state moves by the verbs below, which say who moved it."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        INQUIRING = "inquiring", _("Inquiring")
        RESOLVED = "resolved", _("Resolved")
        CLOSED = "closed", _("Closed")

    class Type(models.TextChoices):
        TECHNICAL = "technical", _("Technical")
        BUSINESS = "business", _("Business")

    class Priority(models.IntegerChoices):
        LOW = 0, _("Low")
        MEDIUM = 1, _("Medium")
        HIGH = 2, _("High")
        URGENT = 3, _("Urgent")

    class Rating(models.IntegerChoices):
        VERY_POOR = 1, _("Very poor")
        POOR = 2, _("Poor")
        FAIR = 3, _("Fair")
        GOOD = 4, _("Good")
        VERY_GOOD = 5, _("Very good")

    # From which states a case may move to which.
    MOVES = {
        State.PENDING: (State.INQUIRING, State.RESOLVED),
        State.INQUIRING: (State.PENDING,),
        State.RESOLVED: (State.PENDING,),
        State.CLOSED: (State.RESOLVED,),
    }

    id = PublicIdField(_("ID"), groups=(3, 3, 3), prefix="CA")
    subject = LineField(_("subject"), max_length=300)
    description = ProseField(_("description"), max_length=10_000)
    type = models.CharField(_("type"), max_length=16, choices=Type)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.LOW)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.PENDING)
    product = models.ForeignKey(Product, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("product"))
    issuer = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("issuer"))
    issuer_agent = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("agent of the issuer"))
    receiver = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("receiver"))
    receiver_agent = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("agent of the receiver"))
    rating = models.PositiveSmallIntegerField(_("rating"), choices=Rating, null=True, blank=True)
    feedback = ProseField(_("feedback"), max_length=10_000, blank=True)
    pending_at = MomentField(_("pending since"), null=True, blank=True)
    inquiring_at = MomentField(_("inquiring since"), null=True, blank=True)
    resolved_at = MomentField(_("resolved"), null=True, blank=True)
    closed_at = MomentField(_("closed"), null=True, blank=True)
    # Who did what, a person or a token, which has its account: {"created": {"id": "SU-…", "name": "ERP Sync", "account": "PA-…"}, …}
    actors = models.JSONField(_("people"), default=dict, editable=False)

    class Meta(Record.Meta):
        verbose_name = _("case")
        verbose_name_plural = _("cases")

    def __str__(self) -> str:
        return self.subject

    def move(self, state: State, by: dict[str, str]) -> None:
        """Move to the state and note who did and when. Raises WrongState."""
        if self.state not in self.MOVES[state]:
            raise WrongState(_("A case that is %(now)s cannot become %(then)s.") % {"now": self.state, "then": state})
        now = this_second()
        self.state = state
        setattr(self, f"{state}_at", now)
        self.touch(by, now, state)

    def touch(self, by: dict[str, str], now: datetime, *what: str) -> None:
        """Note a change, under `updated` and whatever else it was, and save."""
        self.updated_at = now
        self.actors = {**self.actors, **dict.fromkeys(("updated", *what), by)}
        self.save()


class WrongState(Exception):
    """The record cannot move to the state that was asked for, with a sentence that says why."""


class ModuleEntry(models.Model):
    """A module of the catalog as a row, so that the API can filter and order it. Made by `migrate`; never edit it."""

    id = models.CharField(primary_key=True, max_length=8)
    name = LineField(max_length=32)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class ExtensionEntry(models.Model):
    """An extension of the catalog as a row. Made by `migrate`; never edit it."""

    id = models.CharField(primary_key=True, max_length=16)
    name = LineField(max_length=50)
    description = LineField(max_length=255)
    overview = LineField(max_length=255)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name

"""Customers, and the resellers between them and the distributor."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from modules.models.base import Record, Request, new_uid
from portal.fields import LineField, OwnedActorField, PublicIdField


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
    # None as long as the customer has no subscriptions; until then only its distributor sees it.
    vendor = models.ForeignKey(  # type: ignore[assignment]  # the others always have one
        Account,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("vendor"),
    )
    name = LineField(_("name"), max_length=255)
    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.CUSTOMER)
    environment = models.CharField(
        _("environment"), max_length=16, choices=Environment, default=Environment.PRODUCTION
    )
    external_id = LineField(_("external ID"), max_length=255, blank=True)
    external_uid = LineField(_("external UID"), max_length=255, default=new_uid)
    tax_id = LineField(_("tax ID"), max_length=100, blank=True)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("reseller")
    )
    hub = models.ForeignKey(
        "modules.Hub",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("hub"),
    )
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
        """Save. Raises ValidationError if the place among resellers is not valid."""
        with transaction.atomic():
            self.check_place()
            super().save(*args, **kwargs)

    def clean(self) -> None:
        """Check the place for forms as well, which then show the error beside the field.

        The transaction of the form holds the lock until it saves.
        """
        super().clean()
        if self.provider_id:
            with transaction.atomic():
                self.check_place()

    def check_place(self) -> None:
        """Lock the distributor's customers. Raise ValidationError unless the place is valid.

        An unchanged place is not checked, so that a customer with an invalid one can still be
        edited.
        """
        # Others that move one of them wait here, and then see where this one went.
        list(
            Account.objects.select_for_update(no_key=True)
            .filter(pk=self.provider_id)
            .values_list("pk")
        )
        stored = (
            Customer.objects.filter(pk=self.pk)
            .values_list("provider_id", "parent_id", "type")
            .first()
        )
        if stored == (self.provider_id, self.parent_id, self.type):
            return
        if self.parent_id:
            resellers = dict(
                Customer.objects.filter(
                    provider=self.provider_id, type=Customer.Type.RESELLER
                ).values_list("pk", "parent_id")
            )
            if self.parent_id not in resellers:
                raise ValidationError({"parent": _("The distributor has no such reseller.")})
            if self.pk in above(self.parent_id, resellers):
                raise ValidationError({"parent": _("A reseller cannot be placed below itself.")})
        if (
            stored
            and self.type != Customer.Type.RESELLER
            and Customer.objects.filter(parent=self.pk).exists()
        ):
            raise ValidationError({"type": _("This reseller still has customers below it.")})


class TierAccountRequest(Request):
    """What a vendor is told of changed data of a customer, which it accepts or ignores.

    There is one for each of its products that the customer has.
    """

    class Type(models.TextChoices):
        UPDATE = "update", _("Update")

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        ACCEPTED = "accepted", _("Accepted")
        IGNORED = "ignored", _("Ignored")
        UNSUPPORTED = "unsupported", _("Unsupported")

    id = models.CharField(_("ID"), primary_key=True, max_length=32)
    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.UPDATE)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.PENDING)
    account = models.ForeignKey(
        Customer, models.CASCADE, related_name="requests", verbose_name=_("customer")
    )
    product = models.ForeignKey(
        "modules.Product", models.CASCADE, related_name="+", verbose_name=_("product")
    )
    # The version of the customer that the request is about.
    version = models.PositiveIntegerField(_("version"))
    reason = LineField(_("reason"), max_length=255, blank=True)
    created_by = OwnedActorField(_("created by"))
    updated_by = OwnedActorField(_("updated by"))

    MOVES = {Status.ACCEPTED: (Status.PENDING,), Status.IGNORED: (Status.PENDING,)}

    class Meta(Request.Meta):
        verbose_name = _("customer request")
        verbose_name_plural = _("customer requests")

    def move(self, status: Status, by: object, **fields: str) -> None:
        """Move to the status and save. Raise WrongState."""
        self.step(status)
        self.updated_by = by
        for name, value in fields.items():
            setattr(self, name, value)
        self.save()


def above(pk: str | None, parents: Mapping[str, str | None]) -> set[str]:
    """Return the reseller and all those above it.

    Each is visited once, since stored rows may form a cycle.
    """
    found: set[str] = set()
    while pk and pk not in found:
        found.add(pk)
        pk = parents.get(pk)
    return found

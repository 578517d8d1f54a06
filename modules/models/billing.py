"""Billing requests."""

from typing import Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from modules.models.base import Record, RecordQuerySet
from modules.models.subscriptions import Asset
from portal.fields import MomentField, OwnedActorField, PublicIdField
from tokens.gate import Caller


class BillingQuerySet(RecordQuerySet):
    def visible_to(self, caller: Caller) -> "RecordQuerySet":
        """Return the account's requests. Those of distributors are not shown to vendors."""
        visible = super().visible_to(caller)
        if caller.side != Account.Side.VENDOR:
            return visible
        return visible.filter(type=BillingRequest.Type.VENDOR)


class BillingRequest(Record):
    """What is to be billed for a subscription over a period.

    A vendor bills its distributor, which sees the request as well. A distributor bills its
    customer, which is no concern of the vendor.
    """

    class Type(models.TextChoices):
        VENDOR = "vendor", _("Vendor")
        PROVIDER = "provider", _("Distributor")

    class Unit(models.TextChoices):
        MONTHLY = "monthly", _("Months")
        YEARLY = "yearly", _("Years")
        YEARS_2 = "years_2", _("2 years")
        YEARS_3 = "years_3", _("3 years")
        YEARS_4 = "years_4", _("4 years")
        YEARS_5 = "years_5", _("5 years")
        YEARS_6 = "years_6", _("6 years")

    id = PublicIdField(_("ID"), groups=(4, 4, 4, 4))
    type = models.CharField(_("type"), max_length=16, choices=Type)
    asset = models.ForeignKey(
        Asset, models.CASCADE, related_name="+", verbose_name=_("subscription")
    )
    # As they were then: [{"id": "CB-USER-1001", "quantity": 8, …}]
    items = models.JSONField(_("items"), default=list, editable=False)
    # Whatever each side notes: {"vendor": {…}, "provider": {…}}
    attributes = models.JSONField(_("attributes"), default=dict, blank=True, editable=False)
    period_from = MomentField(_("from"))
    period_to = MomentField(_("to"))
    period_delta = models.FloatField(_("length"), validators=[MinValueValidator(0)])
    period_unit = models.CharField(_("unit"), max_length=16, choices=Unit)
    created_by = OwnedActorField(_("created by"))
    updated_by = OwnedActorField(_("updated by"))

    objects: ClassVar[Any] = BillingQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = _("billing request")
        verbose_name_plural = _("billing requests")
        constraints = (
            models.CheckConstraint(
                condition=Q(period_from__lt=models.F("period_to")),
                name="billing_period_is_not_empty",
            ),
        )

    @property
    def prefix(self) -> str:
        return "BRV" if self.type == self.Type.VENDOR else "BRP"

    @property
    def parties(self) -> set[str]:
        return super().parties if self.type == self.Type.VENDOR else {self.provider_id}

"""Tier configurations."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from modules.models.base import ConnectedRecord, Request
from modules.models.subscriptions import FulfillmentRequest
from portal.fields import LineField, MomentField, OwnedActorField, ProseField


class TierConfig(ConnectedRecord):
    """What a vendor needs to know about a reseller before it can serve the reseller's customers."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        PROCESSING = "processing", _("Processing")

    class Level(models.IntegerChoices):
        FIRST = 1, _("Tier 1")
        SECOND = 2, _("Tier 2")

    name = LineField(_("name"), max_length=255)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    tier_level = models.PositiveSmallIntegerField(_("level"), choices=Level, default=Level.FIRST)
    customer = models.ForeignKey(
        "modules.Customer", models.CASCADE, related_name="+", verbose_name=_("reseller")
    )

    class Meta(ConnectedRecord.Meta):
        verbose_name = _("tier configuration")
        verbose_name_plural = _("tier configurations")

    def __str__(self) -> str:
        return self.name

    def release(self) -> None:
        """Let the purchases go on that have waited for this configuration."""
        waiting = FulfillmentRequest.objects.filter(
            status=FulfillmentRequest.Status.TIERS_SETUP,
            asset__product=self.product_id,
            asset__reseller=self.customer_id,
        )
        for request in waiting.select_related("asset"):
            request.move(FulfillmentRequest.Status.PENDING)


class TierConfigRequest(Request):
    """A request to set up a tier configuration or to change it, which the vendor answers."""

    class Type(models.TextChoices):
        SETUP = "setup", _("Setup")
        UPDATE = "update", _("Update")
        ADJUSTMENT = "adjustment", _("Adjustment")

    class Status(models.TextChoices):
        TIERS_SETUP = "tiers_setup", _("Tiers setup")
        PENDING = "pending", _("Pending")
        INQUIRING = "inquiring", _("Inquiring")
        APPROVED = "approved", _("Approved")
        FAILED = "failed", _("Failed")
        DRAFT = "draft", _("Draft")

    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.UPDATE)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.PENDING)
    configuration = models.ForeignKey(
        TierConfig, models.CASCADE, related_name="requests", verbose_name=_("configuration")
    )
    # What the parameters of the configuration become when the request is approved.
    params = models.JSONField(_("parameters"), default=list, editable=False)
    notes = ProseField(_("notes"), max_length=2000, blank=True)
    reason = LineField(_("reason"), max_length=500, blank=True)
    assignee = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("assignee")
    )
    inquired_at = MomentField(_("inquired"), null=True, blank=True)
    pended_at = MomentField(_("pended"), null=True, blank=True)
    created_by = OwnedActorField(_("created by"))
    updated_by = OwnedActorField(_("updated by"))

    MOVES = {
        Status.PENDING: (Status.DRAFT, Status.TIERS_SETUP, Status.INQUIRING),
        Status.INQUIRING: (Status.PENDING,),
        Status.APPROVED: (Status.PENDING,),
        Status.FAILED: (Status.PENDING, Status.INQUIRING),
    }
    OPEN = (Status.DRAFT, Status.TIERS_SETUP, Status.PENDING, Status.INQUIRING)

    class Meta(Request.Meta):
        verbose_name = _("tier configuration request")
        verbose_name_plural = _("tier configuration requests")

    def move(self, status: Status, by: object, **fields: str) -> None:
        """Move to the status and save; an approved request changes its configuration.

        Raise WrongState.
        """
        self.step(status)
        self.updated_by = by
        for name, value in fields.items():
            setattr(self, name, value)
        if status == self.Status.INQUIRING:
            self.inquired_at = self.updated_at
        if status == self.Status.PENDING:
            self.pended_at = self.updated_at
        self.save()
        if status == self.Status.APPROVED:
            of = self.configuration
            of.params, of.status, of.updated_at = self.params, of.Status.ACTIVE, self.updated_at
            of.save()
            of.release()

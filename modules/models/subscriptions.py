"""Subscriptions and the requests that change them."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from modules.models.base import ConnectedRecord, Request, new_uid
from portal.fields import LineField, MomentField, ProseField, PublicIdField


class Asset(ConnectedRecord):
    """A subscription of a customer to a product."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PROCESSING = "processing", _("Processing")
        ACTIVE = "active", _("Active")
        TERMINATING = "terminating", _("Terminating")
        SUSPENDED = "suspended", _("Suspended")
        TERMINATED = "terminated", _("Terminated")

    id = PublicIdField(_("ID"), groups=(4, 4, 4), prefix="AS")
    status = models.CharField(_("status"), max_length=16, choices=Status)
    external_id = LineField(_("external ID"), max_length=100)
    external_uid = LineField(_("external UID"), max_length=100, default=new_uid)
    customer = models.ForeignKey(
        "modules.Customer", models.CASCADE, related_name="+", verbose_name=_("customer")
    )
    reseller = models.ForeignKey(
        "modules.Customer",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reseller"),
    )

    class Meta(ConnectedRecord.Meta):
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")


class AssetItem(models.Model):
    """The quantity of an item in a subscription."""

    asset = models.ForeignKey(
        Asset, models.CASCADE, related_name="items", db_index=False, verbose_name=_("subscription")
    )
    item = models.ForeignKey(
        "modules.Item", models.CASCADE, related_name="+", verbose_name=_("item")
    )
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("item of a subscription")
        verbose_name_plural = _("items of subscriptions")
        ordering = ("item", "id")
        constraints = (
            models.UniqueConstraint(fields=("asset", "item"), name="item_once_per_asset"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item_id}"


class FulfillmentRequest(Request):
    """A request to change a subscription, fulfilled by the vendor."""

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
        SCHEDULED = "scheduled", _("Scheduled")
        REVOKING = "revoking", _("Revoking")
        REVOKED = "revoked", _("Revoked")

    type = models.CharField(_("type"), max_length=16, choices=Type)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    asset = models.ForeignKey(
        Asset, models.CASCADE, related_name="+", verbose_name=_("subscription")
    )
    note = LineField(_("note"), max_length=255, blank=True)
    reason = LineField(_("reason"), max_length=255, blank=True)
    activation_key = ProseField(_("activation key"), blank=True)
    assignee = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("assignee")
    )

    planned_date = MomentField(_("planned for"), null=True, blank=True)

    # Status -> the statuses from which a request may move to it.
    MOVES = {
        Status.PENDING: (
            Status.DRAFT,
            Status.TIERS_SETUP,
            Status.INQUIRING,
            Status.SCHEDULED,
        ),
        Status.INQUIRING: (Status.PENDING,),
        Status.APPROVED: (Status.PENDING,),
        Status.FAILED: (Status.PENDING, Status.INQUIRING),
        Status.SCHEDULED: (Status.PENDING,),
        Status.REVOKING: (Status.SCHEDULED,),
        Status.REVOKED: (Status.REVOKING,),
    }
    OPEN = (
        Status.DRAFT,
        Status.TIERS_SETUP,
        Status.PENDING,
        Status.INQUIRING,
        Status.SCHEDULED,
        Status.REVOKING,
    )
    # What an approved request makes of its subscription, and what a failed or revoked one does.
    OUTCOMES = {
        (Type.PURCHASE, Status.APPROVED): Asset.Status.ACTIVE,
        (Type.RESUME, Status.APPROVED): Asset.Status.ACTIVE,
        (Type.SUSPEND, Status.APPROVED): Asset.Status.SUSPENDED,
        (Type.CANCEL, Status.APPROVED): Asset.Status.TERMINATED,
        (Type.PURCHASE, Status.FAILED): Asset.Status.TERMINATED,
        (Type.CANCEL, Status.FAILED): Asset.Status.ACTIVE,
        (Type.PURCHASE, Status.REVOKED): Asset.Status.TERMINATED,
        (Type.CANCEL, Status.REVOKED): Asset.Status.ACTIVE,
    }

    class Meta(Request.Meta):
        verbose_name = _("fulfillment request")
        verbose_name_plural = _("fulfillment requests")

    def move(self, status: Status, **fields: Any) -> None:
        """Move to the status, with its subscription, and save. Raise WrongState."""
        was_draft = self.status == self.Status.DRAFT
        self.step(status)
        for name, value in fields.items():
            setattr(self, name, value)
        self.save()
        after = self.OUTCOMES.get((self.Type(self.type), status))
        if was_draft:
            after = Asset.Status.PROCESSING
        if status == self.Status.APPROVED:
            for ordered in self.items.select_related("item"):
                self.asset.items.filter(item=ordered.item).update(quantity=ordered.quantity)
        if after:
            self.asset.status, self.asset.updated_at = after, self.updated_at
            self.asset.save()


class RequestItem(models.Model):
    """The quantity of an item that a request asks for, and the one that there was before."""

    request = models.ForeignKey(
        FulfillmentRequest,
        models.CASCADE,
        related_name="items",
        db_index=False,
        verbose_name=_("request"),
    )
    item = models.ForeignKey(
        "modules.Item", models.CASCADE, related_name="+", verbose_name=_("item")
    )
    quantity = models.PositiveIntegerField(_("quantity"))
    old_quantity = models.PositiveIntegerField(_("quantity before"), default=0)

    class Meta:
        verbose_name = _("item of a request")
        verbose_name_plural = _("items of requests")
        ordering = ("item", "id")
        constraints = (
            models.UniqueConstraint(fields=("request", "item"), name="item_once_per_request"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item_id}"

"""Subscriptions and the requests that change them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from modules.models.base import ConnectedRecord, Record, WrongState, new_uid, this_second
from portal.fields import LineField, ProseField


class Asset(ConnectedRecord):
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


class FulfillmentRequest(Record):
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

    # Status -> the statuses from which a vendor may move a request to it.
    MOVES = {
        Status.PENDING: (Status.INQUIRING,),
        Status.INQUIRING: (Status.PENDING,),
        Status.APPROVED: (Status.PENDING,),
        Status.FAILED: (Status.PENDING, Status.INQUIRING),
    }
    # What an approved request makes of its subscription.
    OUTCOMES = {
        Type.PURCHASE: Asset.Status.ACTIVE,
        Type.RESUME: Asset.Status.ACTIVE,
        Type.SUSPEND: Asset.Status.SUSPENDED,
        Type.CANCEL: Asset.Status.TERMINATED,
    }

    class Meta(Record.Meta):
        verbose_name = _("fulfillment request")
        verbose_name_plural = _("fulfillment requests")

    def move(self, status: Status, **fields: str) -> None:
        """Move to the status, with its subscription, and save. Raise WrongState."""
        if self.status not in self.MOVES[status]:
            raise WrongState(
                _("A request that is %(now)s cannot become %(then)s.")
                % {"now": self.status, "then": status}
            )
        self.status, self.updated_at = status, this_second()
        for name, value in fields.items():
            setattr(self, name, value)
        self.save()
        if status == self.Status.APPROVED and (after := self.OUTCOMES.get(self.Type(self.type))):
            self.asset.status, self.asset.updated_at = after, self.updated_at
            self.asset.save()

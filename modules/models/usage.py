"""Usage files."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from modules.models.base import SoldRecord
from modules.models.customers import Customer
from portal.fields import LineField, MomentField


class UsageFile(SoldRecord):
    """What customers used of a product in a month, as reported by the vendor."""

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
    environment = models.CharField(
        _("environment"),
        max_length=16,
        choices=Customer.Environment,
        default=Customer.Environment.PRODUCTION,
    )
    currency = LineField(_("currency"), max_length=3)
    period_from = models.DateField(_("from"))
    period_to = models.DateField(_("to"))
    records = models.PositiveIntegerField(_("records"), default=0)
    rejection_note = LineField(_("rejection note"), max_length=200, blank=True)
    creator = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("creator")
    )
    submitted_at = MomentField(_("submitted"), null=True, blank=True)
    accepted_at = MomentField(_("accepted"), null=True, blank=True)

    class Meta(SoldRecord.Meta):
        verbose_name = _("usage file")
        verbose_name_plural = _("usage files")

    def __str__(self) -> str:
        return self.name

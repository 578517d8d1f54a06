"""Contracts: agreements that partners have signed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from modules.models.agreements import Agreement
from modules.models.base import Record
from portal.fields import LineField, MomentField


class Contract(Record):
    """An agreement that a partner has signed or is about to sign."""

    class Status(models.TextChoices):
        ENROLLING = "enrolling", _("Enrolling")
        PENDING = "pending", _("Pending")
        ACTIVE = "active", _("Active")
        REJECTED = "rejected", _("Rejected")
        TERMINATED = "terminated", _("Terminated")

    name = LineField(_("name"), max_length=128)
    type = models.CharField(_("type"), max_length=16, choices=Agreement.Type)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    agreement = models.ForeignKey(
        "modules.Agreement",
        models.CASCADE,
        related_name="signed",
        db_index=False,
        verbose_name=_("agreement"),
    )
    creator = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("creator")
    )
    signee = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("signee")
    )
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    issuer = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("issuer"))
    marketplace = models.ForeignKey(
        "modules.Marketplace",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        verbose_name=_("marketplace"),
    )
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    note = LineField(_("note"), max_length=255, blank=True)
    enrolled_at = MomentField(_("enrolled"))
    signed_at = MomentField(_("signed"), null=True, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        indexes = (
            *Record.Meta.indexes,
            # For the subqueries of other lists, each about one side's contracts with something.
            models.Index("provider", "vendor", name="contracts_between"),
            models.Index("agreement", "provider", name="contracts_agreed_by_provider"),
            models.Index("agreement", "vendor", name="contracts_agreed_by_vendor"),
            models.Index("marketplace", "provider", name="contracts_there_of_provider"),
            models.Index("marketplace", "vendor", name="contracts_there_of_vendor"),
        )

    def __str__(self) -> str:
        return self.name

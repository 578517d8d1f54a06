"""Price lists."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from modules.models.base import Record
from portal.fields import LineField, MomentField


class PriceList(Record):
    """The prices that a distributor charges for products of a vendor."""

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
    products = models.ManyToManyField(
        "modules.Product", related_name="price_lists", verbose_name=_("products")
    )
    activated_at = MomentField(_("activated"), null=True, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("price list")
        verbose_name_plural = _("price lists")

    def __str__(self) -> str:
        return self.name

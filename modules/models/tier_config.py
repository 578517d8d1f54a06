"""Tier configurations."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from modules.models.base import ConnectedRecord
from portal.fields import LineField


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

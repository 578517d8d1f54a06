"""Agreements: contract templates."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from modules.models.base import Record
from portal.fields import LineField


class Agreement(Record):
    """A contract template that partners enrol in."""

    class Type(models.TextChoices):
        DISTRIBUTION = "distribution", _("Distribution")
        PROGRAM = "program", _("Program")
        SERVICE = "service", _("Service")

    type = models.CharField(_("type"), max_length=16, choices=Type)
    title = LineField(_("title"), max_length=128)
    description = LineField(_("description"), max_length=255, blank=True)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    marketplace = models.ForeignKey(
        "modules.Marketplace", models.SET_NULL, null=True, blank=True, verbose_name=_("marketplace")
    )
    link = models.URLField(_("link"), blank=True)
    active = models.BooleanField(_("active"), default=True)
    auto_accept = models.BooleanField(_("accepts automatically"), default=False)
    version = models.PositiveSmallIntegerField(_("version"), default=1)

    class Meta(Record.Meta):
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")

    def __str__(self) -> str:
        return self.title

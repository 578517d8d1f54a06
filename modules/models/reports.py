"""Reports and their templates."""

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from modules.models.base import OwnedQuerySet
from portal.fields import LineField, MomentField


class ReportTemplate(models.Model):
    """A template that reports are made from."""

    class Type(models.TextChoices):
        SYSTEM = "system", _("System")
        CUSTOM = "custom", _("Custom")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = LineField(_("name"), max_length=255)
    description = LineField(_("description"), max_length=255)
    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.SYSTEM)
    local_id = LineField(_("local ID"), max_length=64)

    class Meta:
        verbose_name = _("report template")
        verbose_name_plural = _("report templates")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class Report(models.Model):
    """A report that a company has requested."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        DEPLOYING = "deploying", _("Deploying")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    name = LineField(_("name"), max_length=255)
    description = LineField(_("description"), max_length=255, blank=True)
    owner = models.ForeignKey(
        Account, models.CASCADE, related_name="+", db_index=False, verbose_name=_("owner")
    )
    template = models.ForeignKey(
        ReportTemplate, models.CASCADE, related_name="+", verbose_name=_("template")
    )
    schedule_id = LineField(_("schedule ID"), max_length=24)
    schedule_name = LineField(_("schedule"), max_length=255)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    renderer = LineField(_("renderer"), max_length=16, default="xlsx")
    size = models.PositiveIntegerField(_("size"), null=True, blank=True)
    timeout = models.BooleanField(_("timed out"), default=False)
    failure_output = LineField(_("failure"), max_length=255, blank=True)
    created_at = MomentField(_("created"), default=timezone.now)
    updated_at = MomentField(_("updated"), default=timezone.now)
    started_at = MomentField(_("started"), null=True, blank=True)
    terminated_at = MomentField(_("ended"), null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index("owner", F("created_at").desc(), F("id").desc(), name="report_of_owner"),
        )

    def __str__(self) -> str:
        return self.name

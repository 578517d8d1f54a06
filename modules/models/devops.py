"""Extensions that companies develop, and where they run."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from modules.models.base import OwnedQuerySet, new_uid
from portal.fields import LineField, MomentField


class Service(models.Model):
    """An extension that a company develops and runs."""

    class Type(models.TextChoices):
        PRODUCTS = "products", _("Fulfillment automation")
        HUB = "hub", _("Hub integration")
        MULTIACCOUNT = "multiaccount", _("Multi-account")
        TRANSFORMATIONS = "transformations", _("Commerce transformations")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    type = models.CharField(_("type"), max_length=16, choices=Type)
    name = LineField(_("name"), max_length=255)
    description = LineField(_("description"), max_length=255, blank=True)
    package_id = LineField(_("package ID"), max_length=64)
    extension_id = LineField(_("extension ID"), max_length=24)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("owner"))
    products = models.ManyToManyField(
        "modules.Product", related_name="services", verbose_name=_("products"), blank=True
    )
    category = LineField(_("category"), max_length=64, blank=True)
    website = models.URLField(_("website"), blank=True)
    created_at = MomentField(_("created"), default=timezone.now)
    updated_at = MomentField(_("updated"), default=timezone.now)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("extension service")
        verbose_name_plural = _("extension services")
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.name


class Environment(models.Model):
    """An environment of a service, which has one each for development, tests and production."""

    class Type(models.TextChoices):
        DEVELOPMENT = "development", _("Development")
        TEST = "test", _("Test")
        PRODUCTION = "production", _("Production")

    class Runtime(models.TextChoices):
        LOCAL = "local", _("Local")
        CLOUD = "cloud", _("Cloud")

    class Status(models.TextChoices):
        UNINITIALIZED = "uninitialized", _("Uninitialized")
        CONNECTED = "connected", _("Connected")
        DISCONNECTED = "disconnected", _("Disconnected")
        RUNNING = "running", _("Running")
        STOPPED = "stopped", _("Stopped")
        ERRORED = "errored", _("Errored")

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    service = models.ForeignKey(
        Service, models.CASCADE, related_name="environments", verbose_name=_("service")
    )
    type = models.CharField(_("type"), max_length=16, choices=Type)
    runtime = models.CharField(_("runtime"), max_length=8, choices=Runtime, default=Runtime.CLOUD)
    external_id = LineField(_("external ID"), max_length=36, default=new_uid)
    status = models.CharField(
        _("status"), max_length=16, choices=Status, default=Status.UNINITIALIZED
    )
    git_url = models.URLField(_("repository"))
    git_tag = LineField(_("tag"), max_length=32)
    git_commit = LineField(_("commit"), max_length=40)

    class Meta:
        verbose_name = _("environment")
        verbose_name_plural = _("environments")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("service", "type"), name="one_environment_per_type"),
        )

    def __str__(self) -> str:
        return self.id

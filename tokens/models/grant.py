"""Grants: which modules a token may reach."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from portal.fields import MomentField, OwnedActorField
from tokens.catalog import Module


def known_modules() -> list[tuple[str, Any]]:
    return [*Module.choices]


class Grant(models.Model):
    """A module that a token may reach. All grants of a token are its permissions.

    MD-0000 (All) is a grant of its own, so it covers modules added later.
    """

    token = models.ForeignKey(
        "tokens.Token", models.CASCADE, related_name="permissions", db_index=False
    )
    # A function, so that a new module in the catalog needs no migration.
    module = models.CharField(gettext_lazy("module"), max_length=8, choices=known_modules)
    granted_at = MomentField(default=timezone.now, editable=False)
    granted_by = OwnedActorField(gettext_lazy("granted by"))

    class Meta:
        db_table = "tokens_permission"
        verbose_name = gettext_lazy("grant")
        verbose_name_plural = gettext_lazy("grants")
        constraints = (
            models.UniqueConstraint(fields=("token", "module"), name="one_grant_per_module"),
        )

    def __str__(self) -> str:
        return str(self.get_module_display())

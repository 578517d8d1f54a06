"""What happened to tokens."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import User
from portal.fields import MomentField
from tokens.models.base import one_actor

if TYPE_CHECKING:
    from tokens.models.token import Actor


class TokenEvent(models.Model):
    """What happened to a token: who and when, and for looks at the key also from where. Never holds a secret."""

    class Action(models.TextChoices):
        CREATED = "created", gettext_lazy("Created")
        EDITED = "edited", gettext_lazy("Edited")
        ENABLED = "enabled", gettext_lazy("Enabled")
        DISABLED = "disabled", gettext_lazy("Disabled")
        DELETED = "deleted", gettext_lazy("Deleted")
        KEY_VIEWED = "key_viewed", gettext_lazy("Key viewed")
        KEY_COPIED = "key_copied", gettext_lazy("Key copied")
        # Asked for by somebody who may see it; nothing was shown.
        KEY_UNREADABLE = "key_unreadable", gettext_lazy("Key could not be opened")

    token = models.ForeignKey("tokens.Token", models.CASCADE, related_name="events", db_index=False)
    action = models.CharField(gettext_lazy("action"), max_length=16, choices=Action)
    at = MomentField(gettext_lazy("time"), default=timezone.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=gettext_lazy("person"))
    by_token = models.ForeignKey(
        "tokens.Token", models.RESTRICT, null=True, editable=False, related_name="+", db_index=False, verbose_name=gettext_lazy("acting token")
    )
    # Who it was as text too, with the name of then: a later name says nothing about what happened.
    actor_id = models.CharField(gettext_lazy("actor's ID"), max_length=16, default="", editable=False)
    actor_name = models.CharField(gettext_lazy("actor's name"), max_length=128, default="", editable=False)
    address = models.GenericIPAddressField(gettext_lazy("address"), null=True)
    changes = models.JSONField(gettext_lazy("changes"), default=dict)

    class Meta:
        verbose_name = gettext_lazy("event")
        verbose_name_plural = gettext_lazy("events")
        ordering = ("-at", "-pk")
        constraints = (one_actor("by"),)
        indexes = (models.Index("token", "at", "id", name="events_of_a_token"),)

    def __str__(self) -> str:
        return f"{self.token_id} {self.get_action_display()}"

    @property
    def actor(self) -> "Actor | None":
        return self.by or self.by_token

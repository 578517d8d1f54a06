"""What happened to tokens."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from portal.fields import ActorField, MomentField


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
    actor = ActorField(gettext_lazy("by"))
    address = models.GenericIPAddressField(gettext_lazy("address"), null=True)
    changes = models.JSONField(gettext_lazy("changes"), default=dict)

    class Meta:
        verbose_name = gettext_lazy("event")
        verbose_name_plural = gettext_lazy("events")
        ordering = ("-at", "-pk")
        indexes = (models.Index("token", "at", "id", name="events_of_a_token"),)

    def __str__(self) -> str:
        return f"{self.token_id} {self.get_action_display()}"

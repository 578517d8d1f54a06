"""Which reminders that a token expires were sent, so that none is sent twice."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from portal.fields import MomentField
from tokens.models.base import Status

# Days before the end of a token on which its account is reminded.
THRESHOLDS = (30, 14, 7, 1)
# A row with this instead says that the end itself is in the trail.
ENDED = 0


class Reminder(models.Model):
    """A reminder that a token expires: one per token, end and threshold.

    A token that is extended gets new ones before its new end.
    """

    token = models.ForeignKey(
        "tokens.Token", models.CASCADE, related_name="reminders", db_index=False
    )
    days = models.PositiveSmallIntegerField(gettext_lazy("days before"))
    expires_at = MomentField(gettext_lazy("expires"))
    sent_at = MomentField(gettext_lazy("sent"), default=timezone.now)

    class Meta:
        verbose_name = gettext_lazy("reminder")
        verbose_name_plural = gettext_lazy("reminders")
        constraints = (
            models.UniqueConstraint(
                fields=("token", "expires_at", "days"), name="one_reminder_per_threshold"
            ),
            models.CheckConstraint(
                condition=Q(days__in=(*THRESHOLDS, ENDED)), name="known_threshold"
            ),
        )

        indexes = (models.Index("expires_at", name="reminders_by_end"),)

    def __str__(self) -> str:
        return f"{self.token_id}, {self.days}"

    @classmethod
    def current(cls, account: str) -> "models.QuerySet[Reminder]":
        """Return the reminders of an account that still hold: of live tokens, with that end."""
        return (
            cls.objects.filter(
                token__account=account,
                token__status=Status.ACTIVE,
                token__expires_at=F("expires_at"),
                expires_at__gt=timezone.now(),
            )
            .select_related("token")
            .order_by("expires_at", "pk")
        )

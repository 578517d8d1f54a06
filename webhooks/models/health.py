"""How an endpoint has been doing, which the worker updates after each try."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy

from portal.fields import MomentField
from webhooks.models.webhook import Webhook
from webhooks.outcomes import Outcome

# The most calls of one endpoint at the same time.
MOST_SLOTS = 8


class WebhookHealth(models.Model):
    """One row per webhook, apart from it, so that deliveries never rewrite what people edit."""

    webhook = models.OneToOneField(Webhook, models.CASCADE, related_name="health", primary_key=True)
    # How many calls may run at once: one more after each success, half after a failure.
    slots = models.PositiveSmallIntegerField(default=MOST_SLOTS)
    # How often in a row the endpoint was put on hold, which says for how long the next time.
    holds = models.PositiveSmallIntegerField(default=0)
    # Until when nothing is sent.
    hold_until = MomentField(null=True)
    # Until when the limit of calls a minute allows no further one.
    paced_until = MomentField(null=True)
    fails_in_row = models.PositiveIntegerField(default=0)
    failing_since = MomentField(gettext_lazy("Failing since"), null=True)
    # Of how many steps of the present failure people were told; see `webhooks.notices`.
    warned = models.PositiveSmallIntegerField(default=0)
    # Counted for ever.
    events = models.PositiveBigIntegerField(default=0)
    triggers = models.PositiveBigIntegerField(default=0)
    successes = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0)
    last_event_at = MomentField(null=True)
    last_success_at = MomentField(gettext_lazy("Last success"), null=True)
    last_success_code = models.PositiveSmallIntegerField(null=True)
    last_success_ms = models.PositiveIntegerField(null=True)
    last_failure_at = MomentField(gettext_lazy("Last failure"), null=True)
    last_failure_code = models.PositiveSmallIntegerField(null=True)
    last_failure_ms = models.PositiveIntegerField(null=True)
    last_failure_outcome = models.CharField(max_length=20, choices=Outcome, blank=True)

    # As after the first moment, for a webhook that is enabled again. Who was told that it failed
    # is told that it works again.
    FRESH: dict[str, Any] = {
        "slots": 1,
        "holds": 0,
        "hold_until": None,
        "fails_in_row": 0,
        "failing_since": None,
    }

    def __str__(self) -> str:
        return str(self.webhook_id)

"""Deliveries that are sent again together, and how far that is."""

from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy

from activity.actions import Action
from activity.recording import record
from portal.fields import MomentField, OwnedActorField, PublicIdField
from webhooks.models.webhook import Webhook
from webhooks.outcomes import Outcome

if TYPE_CHECKING:
    from tokens.models import Doer
    from webhooks.models.delivery import DeliveryQuerySet


class ReplayQuerySet(models.QuerySet["Replay"]):
    def running(self) -> "ReplayQuerySet":
        """Return those of which something is still to be sent."""
        return self.filter(cancelled_at=None, deliveries__state="pending").distinct()


class Replay(models.Model):
    """Many deliveries of a webhook that somebody sends again, in parts; it can be cancelled.

    Its rows are those of `Delivery.replay`. One that is sent again by another is of the other.
    """

    id = PublicIdField(gettext_lazy("ID"), groups=(4, 4, 4), prefix="WHR")
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="replays")
    created_at = MomentField(default=timezone.now)
    created_by = OwnedActorField()
    total = models.PositiveIntegerField(default=0)
    cancelled_at = MomentField(null=True)
    # How many of them had not been sent again when it was cancelled.
    left = models.PositiveIntegerField(default=0)

    objects = ReplayQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def rest(self) -> "DeliveryQuerySet":
        """What is still to arrive, or to be given up."""
        from webhooks.models.delivery import Delivery

        return Delivery.objects.filter(replay=self).unfinished()

    def cancel(self, *, by: "Doer | None") -> bool:
        """Send no more of it; return False if there was nothing left to send.

        What had arrived before counts as delivered again, the rest as given up, so that it can be
        recovered. What is being sent right now goes on.
        """
        from webhooks.models.delivery import Delivery

        with transaction.atomic():
            # As for everything that changes many deliveries of a webhook.
            if not Webhook.objects.select_for_update(no_key=True).filter(pk=self.webhook_id):
                return False
            rows = self.rest.filter(claimed_by="")
            over = {"done_at": timezone.now()}
            arrived = rows.filter(last_outcome__in=(Outcome.OK, Outcome.OK_CUT))
            left = arrived.update(state=Delivery.State.DELIVERED, **over)
            since = Coalesce("failing_since", timezone.now())
            left += rows.update(state=Delivery.State.FAILED, failing_since=since, **over)
            mine = Replay.objects.filter(pk=self.pk, cancelled_at=None)
            if not left or not mine.update(cancelled_at=timezone.now(), left=left):
                return False
            record(by, Action.WEBHOOK_REPLAY_CANCELLED, self.webhook, {"deliveries": [left, None]})
        self.refresh_from_db()
        return True

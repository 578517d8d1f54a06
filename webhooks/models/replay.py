"""Deliveries that are sent again together, and how far that is."""

from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models import F, OuterRef, Subquery
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
        return self.filter(deliveries__state="pending").distinct()


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
    # Whether there were more when it began than are sent at once. It is not stored.
    has_more = False

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
        from webhooks.models.delivery import Attempt, Delivery

        with transaction.atomic():
            # As for everything that changes many deliveries of a webhook.
            if not Webhook.objects.select_for_update(no_key=True).filter(pk=self.webhook_id):
                return False
            rows = self.rest.filter(claimed_by="")
            now = timezone.now()
            last = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-number").values("at")
            arrived = rows.filter(last_outcome__in=(Outcome.OK, Outcome.OK_CUT))
            left = arrived.update(
                state=Delivery.State.DELIVERED, done_at=Coalesce(Subquery(last[:1]), now)
            )
            since = Coalesce("failing_since", now)
            left += rows.update(state=Delivery.State.FAILED, failing_since=since, done_at=now)
            if not left:
                return False
            # What was being sent when it was cancelled, and failed, can be cancelled after that.
            Replay.objects.filter(pk=self.pk).update(
                cancelled_at=Coalesce("cancelled_at", now), left=F("left") + left
            )
            record(by, Action.WEBHOOK_REPLAY_CANCELLED, self.webhook, {"deliveries": [left, None]})
            self.refresh_from_db()
        return True

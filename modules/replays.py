"""`/public/v1/notifications/webhooks/{id}/replay`: sending deliveries again, paced and cancellable.

Connect has nothing like it. It is what *Recover* and *Redeliver All* do on the pages.
"""

from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    F,
    Field,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from api.bodies import ApiError
from api.resource import Resource
from api.shapes import actor, actors
from modules.integrations import acting
from modules.webhooks import WEBHOOKS, refuse_uncalled
from tokens.catalog import Module
from tokens.gate import Caller
from webhooks.models import Delivery, Replay, Webhook

FAILED, DELIVERED = Delivery.State.FAILED.value, Delivery.State.DELIVERED.value
WANTED: "dict[str, Field[Any, Any]]" = {
    "from": DateTimeField(name="from", null=True, blank=True),
    "to": DateTimeField(name="to", null=True, blank=True),
    "state": CharField(
        name="state", max_length=9, choices=[(FAILED, FAILED), (DELIVERED, DELIVERED)], blank=True
    ),
}
BEGUN = {
    "type": "object",
    "description": "What is sent again: how many deliveries, and the id in `replays`, without "
    "which there were none. With `more`, there are more than can be sent at once.",
    "properties": {
        "id": {"type": "string", "examples": ["WHR-2750-8111-4093"]},
        "total": {"type": "integer"},
        "more": {"type": "boolean"},
    },
}


@WEBHOOKS.acts("replay", takes=WANTED, answers={"replay": BEGUN})
def replay(caller: Caller, webhook: Webhook, values: dict[str, Any]) -> dict[str, Any]:
    """Send deliveries again, under their ids, the oldest first and a few at a time.

    These are the ones of events since `from` and before `to`, both optional, whose `state` is
    `failed` (default: given up, or tried in vain and waiting for a later try) or `delivered`.
    """
    refuse_uncalled(webhook)
    since, until = values.get("from"), values.get("to")
    if since and until and since >= until:
        raise ApiError("to: " + _("It must be after “from”."))
    seen, rows = timezone.now(), Delivery.objects.of_webhook(webhook)
    if values.get("state") == DELIVERED:
        rows = rows.filter(state=Delivery.State.DELIVERED, event__is_test=False)
    else:
        rows = rows.undelivered()
    if since:
        rows = rows.filter(created_at__gte=since)
    if until:
        rows = rows.filter(created_at__lt=until)
    begun = webhook.send_anew(rows, seen=seen, by=acting(caller))
    if begun is None:
        return {"replay": {"total": 0, "more": False}}
    return {
        "replay": {"id": begun.pk, "total": begun.total, "more": begun.has_more},
    }


def replays(caller: Caller, webhook_id: str) -> QuerySet[Replay]:
    """Return what was sent again of a webhook, newest first."""
    waits = Delivery.objects.filter(replay=OuterRef("pk")).unfinished().order_by()
    count = waits.values("replay").annotate(count=Count("pk")).values("count")
    rows = Replay.objects.filter(webhook=webhook_id, webhook__account=caller.account_id)
    return rows.annotate(
        waiting=Coalesce(Subquery(count, output_field=IntegerField()), 0),
        done=F("total") - F("left") - F("waiting"),
        state=Case(
            When(cancelled_at__isnull=False, then=Value("cancelled")),
            When(waiting__gt=0, then=Value("running")),
            default=Value("done"),
            output_field=CharField(max_length=9),
        ),
        **actors("created_by"),
    )


REPLAYS = Resource(
    "notifications/webhooks/<parent>/replays",
    Module.INTEGRATIONS,
    replays,
    parent=WEBHOOKS,
    about="Deliveries of a webhook that were sent again together. `waiting` are still to arrive, "
    "`left` were not sent because it was cancelled, and `done` is the rest.",
    fields={
        "id": "id",
        "state": "state",
        "total": "total",
        "waiting": "waiting",
        "done": "done",
        "left": "left",
        "created_at": "created_at",
        "created_by": actor("created_by"),
        "cancelled_at": "cancelled_at",
    },
)


@REPLAYS.acts("cancel")
def cancel(caller: Caller, begun: Replay, values: dict[str, Any]) -> None:
    """Send no more of it. What had not arrived before counts as given up, and can be sent again."""
    if not begun.cancel(by=acting(caller)):
        raise ApiError(_("Nothing of it is left to send."), code="WHK_004")

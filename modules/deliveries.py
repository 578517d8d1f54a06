"""`/public/v1/notifications/webhooks/{id}/deliveries`: what a webhook sent, and what came of it.

Connect has nothing like it; the names follow the page of a delivery.
"""

from typing import Any

from django.db.models import Case, CharField, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import NullIf
from django.utils.translation import gettext as _

from api.bodies import ApiError
from api.resource import Resource
from api.shapes import Rows
from modules.integrations import acting
from modules.webhooks import WEBHOOKS, refuse_uncalled
from portal.fields import MomentField
from tokens.catalog import Module
from tokens.gate import Caller
from webhooks import retention
from webhooks.models import Attempt, Delivery
from webhooks.outcomes import Outcome


def deliveries(caller: Caller, webhook_id: str) -> QuerySet[Delivery]:
    """Return the deliveries of a webhook, newest first."""
    rows = Delivery.objects.filter(webhook=webhook_id, webhook__account=caller.account_id)
    return rows.order_by("-created_at", "-id").annotate(
        outcome=filled("last_outcome", choices=Outcome.choices),
        object_status=filled("event__object_status"),
        about_id=filled("event__product_id"),
        next_at=Case(
            When(state=Delivery.State.PENDING, claimed_by="", then=F("due_at")),
            output_field=MomentField(null=True),
        ),
    )


def filled(column: str, **more: Any) -> NullIf:
    """Return a column of texts without the empty ones."""
    field: CharField[str | None, str | None] = CharField(max_length=64, null=True, **more)
    return NullIf(column, Value(""), output_field=field)


DELIVERIES = Resource(
    "notifications/webhooks/<parent>/deliveries",
    Module.INTEGRATIONS,
    deliveries,
    parent=WEBHOOKS,
    about="The deliveries of a webhook, with the last 100 tries of each. "
    f"{retention.rule()} The bodies are on its page in the portal.",
    fields={
        "id": "id",
        "state": "state",
        "event": {
            "object_class": "event__object_class",
            "action": "event__action",
            "object_id": "event__object_id",
            "object_status": "object_status",
            "product_id": "about_id",
            "test": "event__is_test",
            "at": "event__at",
        },
        "created_at": "created_at",
        "due_at": "next_at",
        "done_at": "done_at",
        "tries": "tries",
        "outcome": "outcome",
        "status_code": "last_code",
        "attempts": Rows(
            Attempt.objects.filter(delivery=OuterRef("pk")).order_by("number"),
            {
                "number": "number",
                "at": "at",
                "duration": "duration",
                "outcome": "outcome",
                "status_code": "code",
                "note": "note",
            },
        ),
    },
    search=("id", "event.object_id"),
)


@DELIVERIES.acts("redeliver")
def redeliver(caller: Caller, delivery: Delivery, values: dict[str, Any]) -> None:
    """Send a delivery once more under the same id, or at once if it waits for a later try."""
    refuse_uncalled(delivery.webhook)
    rows = Delivery.objects.filter(pk=delivery.pk)
    if not delivery.webhook.redeliver(rows, by=acting(caller)):
        raise ApiError(_("It is about to be sent anyway."), code="WHK_002")


@DELIVERIES.acts("abort")
def abort(caller: Caller, delivery: Delivery, values: dict[str, Any]) -> None:
    """Give up a delivery that waits. It can be delivered again later."""
    if not delivery.webhook.abort(delivery, by=acting(caller)):
        told = (
            _("It is being sent right now. Try again in a moment.")
            if delivery.is_pending
            else _("It is finished already.")
        )
        raise ApiError(told, code="WHK_003")

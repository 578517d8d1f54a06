"""From changes to due deliveries: rows of the transaction of the change.

A change that is rolled back leaves nothing, and one that is committed cannot lose its deliveries.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection, transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from activity.actions import Action
from activity.models import Event
from portal.fields import Actor, ActorField
from portal.http import current_request
from webhooks import conditions, nudges
from webhooks.catalog import ObjectClass
from webhooks.models import Delivery, Webhook, WebhookEvent
from webhooks.outcomes import Outcome

# Changes that a delivery led to, which led to a delivery, and so on: the last one is not sent.
DEEPEST = 5

# The events of the change that is being made, by their keys, with the webhooks that may want them.
changes: ContextVar[dict[int, list[Webhook]] | None] = ContextVar("changes", default=None)

# What entries of the trail about a token are called as events of webhooks.
TOKEN_EVENTS = {
    Action.TOKEN_CREATED: "created",
    Action.TOKEN_CHANGED: "edited",
    Action.TOKEN_ENABLED: "enabled",
    Action.TOKEN_DISABLED: "disabled",
    Action.TOKEN_IDLED: "disabled",
    Action.TOKEN_DELETED: "deleted",
    Action.TOKEN_RESTORED: "restored",
    Action.TOKEN_REMINDED: "expiring",
    Action.TOKEN_EXPIRED: "expired",
    Action.KEY_RENEWED: "rotated",
    Action.KEY_ROTATED: "rotated",
    Action.OLD_KEY_RETIRED: "retired",
    Action.KEY_VIEWED: "revealed",
    Action.KEY_COPIED: "revealed",
    Action.ADDRESS_REFUSED: "refused",
    Action.CALLS_REFUSED: "refused_often",
}


def nobody(account: str) -> None:
    """Return who made a change of the portal itself."""


def emit(
    accounts: Iterable[str],
    object_class: ObjectClass,
    action: str,
    object_id: str,
    *,
    status: str = "",
    product_id: str = "",
    actor_for: Callable[[str], Any] = nobody,
) -> None:
    """Queue an event for the webhooks of each account; call it in the transaction of the change.

    `actor_for(account)` returns who made the change, as the account may know them.
    Paused and disabled webhooks get it too: their deliveries wait until somebody resumes or enables
    them.
    """
    for account in accounts:
        listening = Webhook.objects.listening(account, object_class, product_id)
        if found := held(list(listening.only("pk", "condition"))):
            event = WebhookEvent.objects.create(
                account_id=account,
                object_class=object_class,
                action=action,
                object_id=object_id,
                object_status=status,
                product_id=product_id,
                depth=depth(),
                **ActorField.columns("actor", actor_for(account)),
            )
            if (change := changes.get()) is None:
                judge(event, found)
            else:
                change[event.pk] = found


@contextmanager
def whole_change() -> Iterator[None]:
    """Make all writes of a change one transaction, and ask conditions once all of it is written.

    A request, for example, is written before its items, which conditions can ask as well.
    """
    with transaction.atomic():
        before = changes.set({})
        try:
            yield
            told = changes.get() or {}
        finally:
            changes.reset(before)
        # Those of a part that was rolled back are gone.
        for event in WebhookEvent.objects.filter(pk__in=told).order_by("pk") if told else ():
            judge(event, told[event.pk])


def judge(event: WebhookEvent, webhooks: "list[Webhook]") -> None:
    """Queue an event for those of the webhooks whose condition it meets.

    It is kept all the same, so that people can see why it was not sent.
    """
    queue(event, [each for each in webhooks if conditions.matches(each.condition, event)])


def held(webhooks: "list[Webhook]") -> "list[Webhook]":
    """Return the webhooks that still exist, and let none be deleted before the commit.

    Changes do not wait for each other, as they would with a lock that Django knows of.
    """
    if not webhooks or connection.vendor == "sqlite":
        return webhooks
    keys = [each.pk for each in webhooks]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM webhooks_webhook WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [keys]
        )
        present = {row[0] for row in cursor.fetchall()}
    return [each for each in webhooks if each.pk in present]


def queue(event: WebhookEvent, webhooks: "list[Webhook]") -> list[Delivery]:
    """Make the deliveries of an event due at once, or finished if it is the end of a loop."""
    nudges.nudge()
    said: dict[str, Any] = {
        "object_id": event.object_id,
        "created_at": event.at,
        "due_at": event.at,
    }
    if event.depth >= DEEPEST:
        over = {"state": Delivery.State.FAILED, "done_at": event.at}
        said |= {**over, "last_outcome": Outcome.LOOP}
    return Delivery.objects.bulk_create(
        Delivery(event=event, webhook=webhook, **said) for webhook in webhooks
    )


def depth() -> int:
    """Return how many deliveries led to what the request of this thread changes.

    Receivers name the delivery that made them call, by its webhook-id, in Connect-Cause. A webhook
    that calls the portal itself has it in the header of that name.
    """
    request = current_request.get()
    if request is None:
        return 0
    cause = request.headers.get("Connect-Cause") or request.headers.get("webhook-id")
    if not cause:
        return 0
    found = WebhookEvent.objects.filter(deliveries=cause[:32]).values_list("depth", flat=True)
    return max((each + 1 for each in found), default=0)


def send_test(webhook: Webhook, by: Any) -> Delivery:
    """Queue a test event for a webhook, whatever its state; return its delivery.

    Raise Webhook.DoesNotExist if it was deleted meanwhile.
    """
    with transaction.atomic():
        if not held([*Webhook.objects.filter(pk=webhook.pk).only("pk")]):
            raise Webhook.DoesNotExist
        event = WebhookEvent.objects.create(
            account_id=webhook.account_id,
            object_class=webhook.object_class,
            action="test",
            object_id="",
            product_id=webhook.product_id,
            is_test=True,
            **ActorField.columns("actor", by),
        )
        return queue(event, [webhook])[0]


@receiver(post_save, sender=Event)
def recorded(instance: Event, **kwargs: Any) -> None:
    """Tell webhooks about a token what the trail says about it."""
    action = TOKEN_EVENTS.get(instance.action)  # type: ignore[call-overload]
    if action and instance.subject_kind == "token" and instance.account:
        actor = Actor(instance.actor_id, instance.actor_name) if instance.actor_id else None
        emit(
            [instance.account],
            ObjectClass.TOKEN,
            action,
            instance.subject_id,
            actor_for=lambda account: actor,
        )

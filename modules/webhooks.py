"""`/public/v1/notifications/webhooks`: the webhooks of the account, in the module Integrations.

As in Connect, records have their JWT secret: connectors find their own webhook by comparing it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import Error, transaction
from django.db.models import (
    Case,
    CharField,
    Exists,
    Field,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.limits import LimitReached
from accounts.models import Account
from activity.actions import Action
from activity.models import Event, Subject
from activity.recording import record
from api.bodies import ApiError
from api.resource import Resource
from api.shapes import Computed, Constant, Shape, actor, actors, reference
from modules.integrations import acting
from portal.api import PREFIX
from portal.store import without_waiting
from tokens.catalog import Module
from tokens.gate import Caller
from tokens.models import Policy
from webhooks import outbox, products, secrets
from webhooks.catalog import ObjectClass
from webhooks.models import Delivery, TooManyWebhooks, Webhook, WebhookSecret
from webhooks.now import PINGS, send_now, turn
from webhooks.outcomes import Outcome
from webhooks.standing import kept_only

log = logging.getLogger(__name__)


def webhooks(caller: Caller) -> QuerySet[Webhook]:
    """Return the account's webhooks, with their newest JWT secret as it is sealed."""
    newest = WebhookSecret.objects.filter(
        webhook=OuterRef("pk"), kind=WebhookSecret.Kind.JWT
    ).order_by("-version")
    # Not those of accounts that hide them.
    hidden = Q(hide_secrets=True) | Q(next__hide_secrets=True, next__starts_at__lte=Now())
    hiding = Policy.objects.filter(hidden, account=OuterRef("webhook__account"))
    newest = newest.filter(~Exists(hiding))
    return Webhook.objects.of_account(caller.account_id).annotate(
        sealed_secret=Subquery(newest.values("sealed")[:1]),
        secret_version=Subquery(newest.values("version")[:1]),
        **actors("created_by", "updated_by"),
        **results(),
    )


def results() -> dict[str, Case]:
    """Return what a webhook shows of its last success and failure beside stored columns.

    These are expressions, so that lists can be filtered by them.
    """
    text: CharField[str | None, str | None] = CharField(null=True)
    found = {}
    for kind in ("success", "failure"):
        there = {f"health__last_{kind}_at__isnull": False}
        milliseconds = Coalesce(f"health__last_{kind}_ms", 0)
        found[f"{kind}_status"] = Case(When(**there, then=Value(kind)), output_field=text)
        found[f"{kind}_duration"] = Case(
            When(**there, then=milliseconds), output_field=IntegerField(null=True)
        )
    found["success_errors"] = Case(
        When(health__last_success_at__isnull=False, then=Value("")), output_field=text
    )
    found["failure_errors"] = Case(
        *(
            When(health__last_failure_outcome=outcome, then=Value(str(outcome.sentence)))
            for outcome in Outcome
            if not outcome.is_delivered
        ),
        output_field=text,
    )
    return found


def last(kind: str, errors: Any) -> Shape:
    """Return the shape of the last success or failure; without one, it is left out."""
    at = f"health__last_{kind}_at"
    return {
        "time": at,
        "response": Computed(
            (at,), lambda moment: None if moment is None else {}, {"type": "object"}
        ),
        "duration": f"{kind}_duration",
        "status": f"{kind}_status",
        "status_code": f"health__last_{kind}_code",
        "errors": errors,
    }


SECRET = {
    "type": "string",
    "maxLength": secrets.LONGEST,
    "description": "The secret that signs the JWT of each call. A policy of the account can hide "
    "it.",
    "examples": ["JWT-3d2f1c6a9e0b4f5d8c7a6b5e4d3c2b1a0f9e8d7c"],
}

NEW_SECRET = {
    "type": "string",
    "description": "The new secret. Of the kind `sw`, it is shown in this answer only. A policy of "
    "the account can hide both.",
    "examples": ["whsec_Yc2rJ4Nn0b6eT1wS8pQ5vLzK7mXgA3dHfU9oRiEjB0k="],
}

STATS: Shape = {
    "events": "health__events",
    "triggers": "health__triggers",
    "success_triggers": "health__successes",
    "failure_triggers": "health__failures",
    "failure_since_last_success": "health__fails_in_row",
}

WEBHOOKS = Resource(
    "notifications/webhooks",
    Module.INTEGRATIONS,
    webhooks,
    about="Webhooks: calls that the portal makes to an endpoint when something changes.",
    fields={
        "id": "id",
        "label": "label",
        "description": "description",
        "type": "type",
        "object_class": "object_class",
        "active": "active",
        "paused_at": "paused_at",
        "external_url": "external_url",
        "http_method": "http_method",
        "jwt_secret": Computed(
            ("account_id", "id", "sealed_secret", "secret_version"), WebhookSecret.opened, SECRET
        ),
        "data": "data",
        "headers": "headers",
        "keep_order": "keep_order",
        "rate_per_minute": "rate_per_minute",
        "condition": "condition",
        "api_url": Constant(f"{settings.PORTAL_URL}{PREFIX}v1"),
        # Without one too, the id being empty: CloudBlue's connector for MuleSoft reads it of all.
        "product": {"id": "product_id", "name": "product_name"},
        "account": reference("account"),
        "created_at": "created_at",
        "created_by": actor("created_by"),
        "modified_at": "updated_at",
        "modified_by": actor("updated_by"),
        "stats": STATS,
        "last_event": "health__last_event_at",
        "last_success": last("success", "success_errors"),
        "last_failure": last("failure", "failure_errors"),
        "earliest_possible_trigger": "health__hold_until",
    },
    also={"product_id": "product.id"},
    search=("id", "label", "description", "product.id", "product.name"),
    noted=lambda caller: note_reading(caller),
)

FIELDS = ("label", "description", "type", "object_class", "external_url", "http_method")
PLAIN = (*FIELDS, "active", "data", "headers", "keep_order", "rate_per_minute", "condition")
TAKES: "dict[str, Field[Any, Any]]" = {
    "product_id": CharField(name="product_id", max_length=24, blank=True),
    "jwt_secret": CharField(name="jwt_secret", max_length=secrets.LONGEST),
}


@WEBHOOKS.creates(*PLAIN, required=("label", "external_url", "jwt_secret"), takes=TAKES)
def create(caller: Caller, values: dict[str, Any]) -> str:
    """Create a webhook.

    `product_id` is required, but for the object classes `helpdesk_case` and `token`.
    """
    account = Account.objects.get(pk=caller.account_id)
    fields = about(account, values, values.get("object_class", ObjectClass.FULFILLMENT_REQUEST))
    secret = fields.pop("jwt_secret")
    with refusing():
        made = Webhook.create(account=account, secret=secret, by=acting(caller), **fields)
    return str(made.pk)


@WEBHOOKS.updates(*PLAIN, takes=TAKES)
def update(caller: Caller, webhook: Webhook, values: dict[str, Any]) -> None:
    """Update a webhook. What the body lacks stays as it is."""
    account = Account.objects.get(pk=caller.account_id)
    merged = {"product_id": webhook.product_id, **values}
    fields = about(account, merged, values.get("object_class", webhook.object_class))
    secret = fields.pop("jwt_secret", None)
    with refusing():
        webhook.edit(by=acting(caller), secret=secret, **fields)


@WEBHOOKS.deletes
def delete(caller: Caller, webhook: Webhook) -> None:
    """Delete a webhook, with the log of its deliveries."""
    webhook.remove(by=acting(caller))


@WEBHOOKS.acts("trigger")
def trigger(caller: Caller, webhook: Webhook, values: dict[str, Any]) -> None:
    """Send a test event to the endpoint. It is delivered like any other."""
    refuse_uncalled(webhook)
    outbox.send_test(webhook, by=acting(caller))


PINGED = {
    "type": "string",
    "description": "The id of the delivery, which says what came of it.",
    "examples": ["WHD-0004-7503-0001"],
}


@WEBHOOKS.acts("ping", answers={"delivery": PINGED})
def ping(caller: Caller, webhook: Webhook, values: dict[str, Any]) -> dict[str, Any]:
    """Send a test event at once, also while the webhook is paused or inactive.

    The answer comes once it was sent. If several are being sent at once already, it is delivered
    like any other event.
    """
    refuse_uncalled(webhook)
    delivery = outbox.send_test(webhook, by=acting(caller))
    transaction.on_commit(partial(send_if_free, webhook, delivery), robust=True)
    return {"delivery": delivery.pk}


def send_if_free(webhook: Webhook, delivery: Delivery) -> None:
    """Send a delivery now, unless there is no room for it; then the worker does."""
    with suppress(LimitReached), turn(PINGS, most=1):
        send_now(webhook, delivery)


def refuse_uncalled(webhook: Webhook) -> None:
    """Raise ApiError if the portal never calls the webhook."""
    if kept := kept_only(webhook):
        raise ApiError(kept.headline, code="WHK_001")


@WEBHOOKS.acts("enable")
def enable(caller: Caller, webhook: Webhook, values: dict[str, Any]) -> None:
    """Enable a webhook; events that waited are sent, oldest first. One that is paused stays so."""
    webhook.enable(by=acting(caller))


@WEBHOOKS.acts("disable")
def disable(caller: Caller, webhook: Webhook, values: dict[str, Any]) -> None:
    """Disable a webhook. Its events are kept and sent once it is enabled."""
    webhook.disable(by=acting(caller))


@WEBHOOKS.acts("pause")
def pause(caller: Caller, webhook: Webhook, values: dict[str, Any]) -> None:
    """Pause a webhook. It stays `active`, and its events are kept and sent once it is resumed."""
    refuse_uncalled(webhook)
    webhook.pause(by=acting(caller))


@WEBHOOKS.acts("resume")
def resume(caller: Caller, webhook: Webhook, values: dict[str, Any]) -> None:
    """Resume a webhook that is paused; events that waited are sent, oldest first."""
    webhook.resume(by=acting(caller))


KINDS: "dict[str, Field[Any, Any]]" = {
    "kind": CharField(name="kind", max_length=3, choices=WebhookSecret.Kind.choices, blank=True),
    "jwt_secret": TAKES["jwt_secret"],
}


@WEBHOOKS.acts("rotate", takes=KINDS, answers={"secret": NEW_SECRET})
def rotate(caller: Caller, webhook: Webhook, values: dict[str, Any]) -> dict[str, Any]:
    """Put a new secret in place of the present one; `kind` is `jwt` (default) or `sw`.

    Of the kind `jwt`, `jwt_secret` can give one's own; otherwise the portal makes it up. The old
    secret of the kind `sw` signs too for 24 hours.
    """
    kind = values.get("kind") or WebhookSecret.Kind.JWT
    given = values.get("jwt_secret", "")
    if given and kind != WebhookSecret.Kind.JWT:
        raise ApiError("jwt_secret: " + _("Only a secret of the kind jwt can be given."))
    secret = given or secrets.new(kind)
    with refusing():
        webhook.renew_secret(
            kind, by=acting(caller), secret=secret, until=WebhookSecret.overlap(kind)
        )
    return {} if Policy.of(webhook.account).hide_secrets else {"secret": secret}


def about(account: Account, values: dict[str, Any], object_class: str) -> dict[str, Any]:
    """Return the values with the product's name. Raise ApiError if the product is missing."""
    if not ObjectClass(object_class).has_product:
        return {**values, "product_id": "", "product_name": ""}
    wanted = values.get("product_id")
    if not wanted:
        raise ApiError("product_id: " + _("This field is required."))
    if (name := products.of(account).get(wanted)) is None:
        raise ApiError("product_id: " + _("There is no such product."))
    return {**values, "product_name": name}


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what the model refuses into ApiError."""
    try:
        yield
    except TooManyWebhooks as problem:
        raise ApiError(str(problem), code="WHK_005") from None
    except ValidationError as problem:
        named = (
            problem.message_dict
            if hasattr(problem, "error_dict")
            else {"jwt_secret": problem.messages}
        )
        raise ApiError(
            *(f"{name}: {message}" for name, messages in named.items() for message in messages)
        ) from None


# --- Who has read the secrets ---------------------------------------------------------------------

# The tokens that were recorded as readers, with the day, in this process.
recorded: dict[str, date] = {}


def note_reading(caller: Caller) -> None:
    """Record once a day that a token has read the secrets. It neither fails nor delays the call."""
    today = timezone.now().date()
    if recorded.get(caller.id) == today:
        return
    if Policy.of(Account.objects.get(pk=caller.account_id)).hide_secrets:
        return
    told = Event.objects.filter(
        account=caller.account_id,
        actor_id=caller.id,
        action=Action.WEBHOOK_SECRET_SEEN,
        at__gt=timezone.now() - timedelta(days=1),
    )
    try:
        if not told.exists():
            with without_waiting(), transaction.atomic():
                record(
                    acting(caller),
                    Action.WEBHOOK_SECRET_SEEN,
                    Subject("", "", _("all webhooks")),
                    account=caller.account_id,
                )
        recorded[caller.id] = today
    except Error as problem:
        log.warning("The reading of secrets by %s could not be noted: %s", caller.id, problem)

"""Models of webhooks, with the methods that change them."""

from webhooks.models.base import WebhookFields
from webhooks.models.delivery import (
    Attempt,
    Delivery,
    DeliveryQuerySet,
    DeliveryWorker,
    WebhookEvent,
)
from webhooks.models.draft import WebhookDraft
from webhooks.models.health import MOST_SLOTS, WebhookHealth
from webhooks.models.replay import Replay
from webhooks.models.secret import WebhookSecret
from webhooks.models.webhook import Changed, TooManyWebhooks, Webhook, WebhookQuerySet

__all__ = (
    "MOST_SLOTS",
    "Attempt",
    "Changed",
    "Delivery",
    "DeliveryQuerySet",
    "DeliveryWorker",
    "Replay",
    "TooManyWebhooks",
    "Webhook",
    "WebhookDraft",
    "WebhookEvent",
    "WebhookFields",
    "WebhookHealth",
    "WebhookQuerySet",
    "WebhookSecret",
)

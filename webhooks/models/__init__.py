"""Models of webhooks, with the methods that change them."""

from webhooks.models.delivery import Attempt, Delivery, DeliveryWorker, WebhookEvent
from webhooks.models.health import MOST_SLOTS, WebhookHealth
from webhooks.models.secret import WebhookSecret
from webhooks.models.webhook import Webhook

__all__ = (
    "MOST_SLOTS",
    "Attempt",
    "Delivery",
    "DeliveryWorker",
    "Webhook",
    "WebhookEvent",
    "WebhookHealth",
    "WebhookSecret",
)

"""Why a webhook was not called for an object: one answer, from what is stored."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from portal import text
from webhooks import conditions, retention
from webhooks.models import Delivery, Webhook, WebhookEvent
from webhooks.standing import DeliveryStanding, kept_only


@dataclass(frozen=True)
class Answer:
    """What became of the last event of an object; `delivery` is that of the webhook, if any."""

    headline: str
    advice: str = ""
    delivery: Delivery | None = None


def why_not(webhook: Webhook, object_id: str) -> Answer:
    """Return what came of the last event of an object that the webhook could be about."""
    named = {"id": text.isolate(object_id)}
    about_it = WebhookEvent.objects.filter(account=webhook.account_id, object_id=object_id)
    deliveries = Delivery.objects.of_webhook(webhook).filter(event__in=about_it.values("pk"))
    if delivery := deliveries.select_related("event", "webhook").order_by("-event__pk").first():
        return of_delivery(webhook, delivery)
    if kept := kept_only(webhook):
        return Answer(kept.headline, kept.advice)
    events = about_it.filter(is_test=False).order_by("-pk")
    event = events.filter(object_class=webhook.object_class).first() or events.first()
    if event is None:
        return Answer(
            _("The portal saw no event of %(id)s.") % named,
            _(
                "Check the id. Only changes of the last %(days)d days are known, and only those "
                "that some webhook of the account is about."
            )
            % {"days": retention.KEPT.days},
        )
    return of_event(webhook, event)


def of_delivery(webhook: Webhook, delivery: Delivery) -> Answer:
    came = DeliveryStanding(delivery)
    if delivery.is_pending and not webhook.sends:
        if webhook.active:
            told = _("The event waits: the webhook is paused.")
            return Answer(told, _("It is sent when you resume it."), delivery)
        told = _("The event waits: the webhook is disabled.")
        return Answer(told, _("It is sent when you enable it."), delivery)
    return Answer(f"{came.mark.word}. {came.sentence}", came.advice, delivery)


def of_event(webhook: Webhook, event: WebhookEvent) -> Answer:
    """Return why an event that became no delivery did not; the first reason counts."""
    at = {"at": text.day_and_time(event.at)}
    if event.object_class != webhook.object_class:
        kinds = {
            "kind": event.get_object_class_display(),
            "own": webhook.get_object_class_display(),
        }
        told = _("It is of another class: %(kind)s. The webhook is about: %(own)s.")
        return Answer(told % kinds)
    if webhook.product_id and event.product_id != webhook.product_id:
        ids = {"product": event.product_id or "–", "own": webhook.product_id}
        told = _("It is of another product: %(product)s. The webhook is about %(own)s.")
        return Answer(told % ids)
    if event.at < webhook.created_at:
        told = _("Its last event, of %(at)s, happened before the webhook was created.")
        return Answer(told % at)
    if not conditions.matches(webhook.condition, event):
        told = _("Its last event, of %(at)s, did not meet the condition.") % at
        facts = ", ".join(
            f"{name}: {value}" for name, value in conditions.facts(event).items() if value
        )
        return Answer(told, _("The event said: %(facts)s.") % {"facts": facts})
    told = _("Its last event, of %(at)s, did not fit what the webhook was about then.") % at
    return Answer(told, _("It was changed since: the next event is sent."))

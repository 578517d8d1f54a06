"""Mails to the administrators of an account about endpoints that fail, and that work again.

`WebhookHealth.warned` counts those of the present failure, so that none is sent twice. Whoever
changes it holds the lock of the row.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import mails
from accounts.mails import Fact, Kind, Mail, Step
from portal import text
from webhooks.models import Attempt, Delivery, Webhook, WebhookHealth
from webhooks.outcomes import Outcome

# How long an endpoint has failed when its people are told.
STEPS = (timedelta(hours=1), timedelta(hours=24), timedelta(hours=96))
# What `warned` is once they know that the webhook was disabled.
DISABLED = len(STEPS) + 1
# One refused event is no endpoint that fails.
LEAST_FAILURES = 2
# Characters of an answer that a mail shows.
SHOWN = 200


def warn() -> int:
    """Tell of the endpoints that have failed for so long; return of how many.

    Several processes may do it at the same time.
    """
    found = WebhookHealth.objects.filter(
        failing_since__lte=timezone.now() - STEPS[0],
        fails_in_row__gte=LEAST_FAILURES,
        warned__lt=len(STEPS),
        webhook__in=Webhook.objects.in_state(Webhook.State.ACTIVE),
    )
    return sum(warn_of(health) for health in found.select_related("webhook__account"))


def warn_of(health: WebhookHealth) -> bool:
    """Tell of an endpoint that fails; return False if its people know already."""
    since = health.failing_since
    with transaction.atomic():
        row = WebhookHealth.objects.select_for_update(no_key=True).filter(pk=health.pk).first()
        if row is None or since is None or row.failing_since != since:
            return False
        step = sum(timezone.now() - since >= each for each in STEPS)
        if row.warned >= step:
            return False
        WebhookHealth.objects.filter(pk=row.pk).update(warned=step)
        send(health.webhook, about_failure(health.webhook, since, step))
    return True


def tell_disabled(webhook: Webhook) -> None:
    """Tell that the portal has disabled a webhook; call it in the transaction that does."""
    WebhookHealth.objects.filter(pk=webhook.pk).update(warned=DISABLED)
    send(webhook, about_end(webhook))


def tell_recovered(webhook: Webhook, since: datetime | None) -> None:
    """Tell that an endpoint works again; call it in the transaction of the success."""
    send(webhook, about_recovery(webhook, since))


def send(webhook: Webhook, mail: Mail) -> None:
    people = mails.administrators(webhook.account, Kind.WEBHOOK_FAILS)
    mails.send(Kind.WEBHOOK_FAILS, people, mail)


# --- What they say --------------------------------------------------------------------------------


def about_failure(webhook: Webhook, since: datetime, step: int) -> Mail:
    name, at = text.isolate(webhook.label), mails.in_utc(since)
    later = STEPS[step] if step < len(STEPS) else None
    return Mail(
        subject=_("Webhook %(name)s fails") % {"name": name},
        preview=_("Since %(at)s no event has arrived.") % {"at": at},
        state=_("Failing"),
        title=_("Webhook %(name)s has failed since %(at)s") % {"name": name, "at": at},
        text=_(
            "The portal goes on trying. After five days without success it disables the webhook; "
            "its events are kept then, and sent once it is enabled."
        ),
        facts=facts(webhook),
        steps=steps(webhook),
        notes=[
            _("The next mail about this comes after %(hours)d hours.")
            % {"hours": later.total_seconds() // 3600}
            if later
            else _("This is the last mail before the webhook is disabled.")
        ],
    )


def about_end(webhook: Webhook) -> Mail:
    name = text.isolate(webhook.label)
    gone = webhook.disabled_by == Webhook.Disabled.GONE
    return Mail(
        subject=_("Webhook %(name)s was disabled") % {"name": name},
        preview=_("Its events are kept, and sent once it is enabled."),
        state=_("Disabled"),
        title=_("The portal has disabled the webhook %(name)s") % {"name": name},
        text=_("The endpoint answered that it is gone (410).")
        if gone
        else _("The endpoint failed for five days without a single success."),
        facts=facts(webhook),
        steps=[
            Step(
                _("Still needed?"),
                _(
                    "Mend the endpoint. Then open Webhooks, %(name)s, in the portal, and Enable: "
                    "the events that were kept are sent, oldest first."
                )
                % {"name": name},
            ),
            Step(_("Not needed?"), _("Delete the webhook in the portal.")),
        ],
    )


def about_recovery(webhook: Webhook, since: datetime | None) -> Mail:
    name = text.isolate(webhook.label)
    return Mail(
        subject=_("Webhook %(name)s works again") % {"name": name},
        preview=_("What had waited is being sent."),
        state=_("Works again"),
        title=_("The endpoint of %(name)s accepts events again") % {"name": name},
        text=_("There is nothing to do. What had waited is being sent, oldest first."),
        facts=[
            *about(webhook),
            *([Fact(_("Failed since"), mails.in_utc(since))] if since else []),
        ],
    )


def steps(webhook: Webhook) -> list[Step]:
    last = last_failure(webhook)
    advice = str(Outcome(last.outcome).advice) if last else ""
    where = _("In the portal open Webhooks, %(name)s, Deliveries.")
    return [
        *([Step(_("What helps?"), advice)] if advice else []),
        Step(_("What was sent?"), where % {"name": text.isolate(webhook.label)}),
        Step(
            _("Takes longer to mend?"),
            _("Pause the webhook there. Its events are kept, and it is not disabled meanwhile."),
        ),
        Step(_("Not needed?"), _("Disable or delete the webhook there.")),
    ]


def about(webhook: Webhook) -> list[Fact]:
    """Return which webhook it is. The path of an endpoint can be a secret."""
    account = webhook.account
    return [
        Fact(_("Webhook"), text.isolate(webhook.label), webhook.pk),
        Fact(_("Account"), text.isolate(account.name), account.pk),
        Fact(_("Endpoint"), webhook.endpoint_host),
    ]


def facts(webhook: Webhook) -> list[Fact]:
    """Return which webhook it is, what came of its last failure, and what waits."""
    found, last = about(webhook), last_failure(webhook)
    if last:
        outcome, event = Outcome(last.outcome), last.delivery.event
        answer = text.isolate(" ".join(last.answer.split())[:SHOWN])
        code = f"{last.code}, " if last.code else ""
        found += [
            Fact(_("Last try"), mails.in_utc(last.at), f"{code}{outcome.sentence}"),
            Fact(_("Event"), f"{event.action} {event.object_id}".strip(), last.delivery.pk),
            *([Fact(_("Answer"), answer)] if last.answer.strip() else []),
        ]
    waiting = Delivery.objects.of_webhook(webhook).unfinished().count()
    return [*found, Fact(_("Events that wait"), f"{waiting:,}")]


def last_failure(webhook: Webhook) -> Attempt | None:
    """Return the latest try that failed, of the deliveries that are going to be tried again."""
    failing = Delivery.objects.of_webhook(webhook).failing()
    tries = Attempt.objects.filter(delivery__in=failing.order_by("-created_at", "-id")[:1])
    return tries.select_related("delivery__event").order_by("-number").first()

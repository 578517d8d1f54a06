"""Actions on a webhook: enable, disable, pause, resume, delete, and send a test event."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts import sudo
from accounts.decorators import always_possible, for_administrators
from accounts.http import PersonRequest
from portal import text
from portal.http import next_url, posts_from
from portal.notices import Action, inform, succeed, warn
from webhooks import outbox
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.now import send_now, turn
from webhooks.pages.detail import find, header, never_called
from webhooks.pages.recover import sent_again


@always_possible
@posts_from("webhooks:detail")
@for_administrators
def disable(request: PersonRequest, webhook_id: str) -> HttpResponse:
    webhook = find(request, webhook_id)
    told = _("%(name)s is disabled.")
    # A webhook that is never called has no events.
    effect = (
        _("Its events are kept and sent once it is enabled, which asks for the password.")
        if webhook.fires
        else ""
    )
    again = Action(label=_("Enable again"), url=reverse("webhooks:enable", args=(webhook.pk,)))
    return tell(request, webhook, told, effect, again, changed=webhook.disable(by=request.user))


@posts_from("webhooks:detail")
@for_administrators
def enable(request: PersonRequest, webhook_id: str) -> HttpResponse:
    webhook = find(request, webhook_id)
    purpose = format_html(_("To enable <strong>{}</strong>"), webhook.label)
    if asked := sudo.ask(request, purpose, _("Enable")):
        return sudo.page(request, asked, back=where_from(request))
    effects = [sent_now(webhook)]
    if "missed" in request.POST:
        # Before it is enabled: afterwards, a success could come first, and there is nothing missed
        # since that one.
        missed = Delivery.objects.missed_by(webhook)
        again = webhook.send_anew(missed, seen=timezone.now(), by=request.user)
        effects += [sent_again(again)] if again else []
    told, effect = _("%(name)s is enabled."), " ".join(effects).strip()
    return tell(request, webhook, told, effect, changed=webhook.enable(by=request.user))


@always_possible
@posts_from("webhooks:detail")
@for_administrators
def pause(request: PersonRequest, webhook_id: str) -> HttpResponse:
    webhook = find(request, webhook_id)
    if not webhook.fires:
        never_called(request)
        return redirect(where_from(request))
    told = _("%(name)s is paused.")
    effect = _("Its events are kept and sent once it is resumed, which asks for no password.")
    again, paused = resuming(webhook), webhook.pause(by=request.user)
    return tell(request, webhook, told, effect, again, changed=paused)


@posts_from("webhooks:detail")
@for_administrators
def resume(request: PersonRequest, webhook_id: str) -> HttpResponse:
    webhook = find(request, webhook_id)
    told, effect = _("%(name)s is active again."), sent_now(webhook)
    return tell(request, webhook, told, effect, changed=webhook.resume(by=request.user))


def sent_now(webhook: Webhook) -> str:
    """Say what becomes of the events that wait, once they can be sent; `""` if there are none."""
    waiting = Delivery.objects.of_webhook(webhook).unfinished().count() if webhook.fires else 0
    if not waiting:
        return ""
    return ngettext(
        "The event that waits is sent now.",
        "The %(n)s events that wait are sent now, oldest first.",
        waiting,
    ) % {"n": f"{waiting:,}"}


def tell(
    request: PersonRequest,
    webhook: Webhook,
    told: str,
    effect: str,
    action: Action | None = None,
    *,
    changed: bool,
) -> HttpResponse:
    """Say what came of a press, and lead back to where it was.

    If nothing has changed, say which status it has already, for example by another tab.
    """
    if changed:
        succeed(request, told % name_of(webhook), effect, action)
    else:
        webhook = find(request, webhook.pk)
        already = {
            Webhook.State.ACTIVE: _("%(name)s is already active."),
            Webhook.State.PAUSED: _("%(name)s is paused. Resume lets its events go out."),
            Webhook.State.DISABLED: _("%(name)s is already inactive."),
        }[webhook.state]
        inform(request, _("Nothing was changed."), already % name_of(webhook))
    return redirect(where_from(request))


def where_from(request: PersonRequest) -> str:
    return next_url(request, reverse("webhooks:list"))


def resuming(webhook: Webhook) -> Action:
    return Action(label=_("Resume"), url=reverse("webhooks:resume", args=(webhook.pk,)))


def name_of(webhook: Webhook) -> dict[str, str]:
    return {"name": text.isolate(webhook.label)}


@posts_from("webhooks:detail")
@for_administrators
def test(request: PersonRequest, webhook_id: str) -> HttpResponse:
    """Send a test event, whatever the webhook's state, and lead to what comes of it."""
    webhook = find(request, webhook_id)
    if not webhook.fires:
        never_called(request)
        return redirect("webhooks:detail", webhook.pk)
    with turn(webhook.account_id):
        try:
            delivery = outbox.send_test(webhook, request.user)
        except Webhook.DoesNotExist:
            raise Http404 from None
        tell_result(request, delivery, send_now(webhook, delivery))
    return redirect("webhooks:delivery", webhook.pk, delivery.pk)


def tell_result(request: PersonRequest, delivery: Delivery, attempt: Attempt | None) -> None:
    """Say what came of sending a delivery at once; the page of it says why, and what to do."""
    words = {"id": delivery.pk}
    if attempt is None:
        told = _("%(id)s is still being sent.") % words
        inform(request, told, _("Refresh the page in a moment."))
    elif attempt.result.is_delivered:
        words |= {"code": str(attempt.code), "ms": f"{attempt.duration:,}"}
        told = _("%(id)s was delivered: %(code)s in %(ms)s ms.") % words
        if delivery.webhook.state == Webhook.State.PAUSED:
            kept = _("The webhook is still paused.")
            succeed(request, told, kept, resuming(delivery.webhook))
        else:
            succeed(request, told)
    else:
        words["why"] = str(attempt.code or attempt.result.label)
        warn(request, _("%(id)s was not delivered: %(why)s.") % words)


@always_possible
@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def delete(request: PersonRequest, webhook_id: str) -> HttpResponse:
    """Ask for confirmation, naming the webhook and what waits (GET), and delete it (POST)."""
    webhook = find(request, webhook_id)
    if request.method == "POST":
        name = name_of(webhook)
        webhook.remove(by=request.user)
        succeed(request, _("%(name)s is deleted.") % name, _("Nothing is sent to it any more."))
        # The page that it was deleted from may have been its own.
        return redirect("webhooks:list")
    back = next_url(request, reverse("webhooks:detail", args=(webhook.pk,)))
    return render(request, "webhooks/delete.html", {**header(request, webhook), "next": back})

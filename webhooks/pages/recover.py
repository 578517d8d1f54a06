"""Sending many deliveries again that have failed: how many first, then all of them, paced."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts.decorators import always_possible, for_administrators
from accounts.http import PersonRequest
from portal.filters import DAYS, DayInput
from portal.http import posts_from, whole
from portal.moments import day_bounds
from portal.notices import inform, succeed
from webhooks.models import Delivery, DeliveryQuerySet, Replay, Webhook
from webhooks.models.delivery import MOST_AGAIN
from webhooks.pages.detail import find, header, never_called
from webhooks.standing import held_back


class SinceForm(forms.Form):
    """Since which day what is sent again has failed."""

    since = forms.DateField(
        label=gettext_lazy("Failed since"),
        required=False,
        widget=DayInput(),
        input_formats=DAYS,
        error_messages={"invalid": gettext_lazy("Enter a day as dd/mm/yyyy.")},
    )

    def narrowed(self, rows: DeliveryQuerySet) -> DeliveryQuerySet:
        """Return the deliveries that have failed since the day; none if it is not a day."""
        if not self.is_valid():
            return rows.none()
        day = self.cleaned_data["since"]
        return rows.filter(failing_since__gte=day_bounds(day)[0]) if day else rows


def undelivered(webhook: Webhook) -> DeliveryQuerySet:
    return Delivery.objects.of_webhook(webhook).undelivered()


def offers(webhook: Webhook) -> dict[str, bool]:
    """Return whether anything was missed since the last success, and whether anything else was."""
    if not webhook.fires:
        return {"missed": False, "rest": False}
    missed = Delivery.objects.missed_by(webhook)
    rest = undelivered(webhook).exclude(pk__in=missed.values("pk"))
    return {"missed": missed.exists(), "rest": rest.exists()}


def moment_of(request: HttpRequest) -> datetime:
    """Return when the page was shown whose button was pressed; now if it does not say."""
    now = timezone.now()
    seen = whole(request.POST.get("seen"), 0) / 1000
    return datetime.fromtimestamp(min(seen, now.timestamp()), UTC) if seen else now


def now_shown() -> int:
    """Return the moment of a page, for `moment_of`, in milliseconds."""
    return int(timezone.now().timestamp() * 1000) + 1


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def redeliver_failed(request: PersonRequest, webhook_id: str) -> HttpResponse:
    """Say how many deliveries have failed since a day (GET), and send them once more (POST)."""
    webhook = find(request, webhook_id)
    form = SinceForm(request.POST if request.method == "POST" else request.GET)
    rows = form.narrowed(undelivered(webhook))
    return send_all(request, webhook, rows, _("Redeliver All"), form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def recover(request: PersonRequest, webhook_id: str) -> HttpResponse:
    """Say how many deliveries have failed since the last success, and send them once more."""
    webhook = find(request, webhook_id)
    rows = Delivery.objects.missed_by(webhook)
    since = webhook.health.last_success_at
    return send_all(request, webhook, rows, _("Recover"), since=since, recovers=True)


def send_all(
    request: PersonRequest, webhook: Webhook, rows: DeliveryQuerySet, title: str, **shown: Any
) -> HttpResponse:
    page = redirect("webhooks:deliveries", webhook.pk)
    if not webhook.fires:
        never_called(request)
        return page
    none = (
        _("No delivery has failed since the last success.")
        if shown.get("recovers")
        else _("No delivery has failed.")
    )
    if request.method == "POST":
        replay = webhook.send_anew(rows, seen=moment_of(request), by=request.user)
        if replay:
            succeed(request, sent_again(replay), when(webhook))
        else:
            inform(request, _("Nothing was changed."), none)
        return page
    # One more than can be sent at once tells that there are more.
    count = rows.order_by()[: MOST_AGAIN + 1].count()
    # A day with nothing can be changed.
    if not count and not ("form" in shown and shown["form"]["since"].data):
        inform(request, _("Nothing to send again."), none)
        return page
    context = {
        **header(request, webhook),
        **shown,
        "title": title,
        "count": min(count, MOST_AGAIN),
        "count_text": f"{min(count, MOST_AGAIN):,}",
        "has_more": count > MOST_AGAIN,
        "oldest": rows.order_by("created_at").values_list("created_at", flat=True).first(),
        "seen": now_shown(),
        "held_back": held_back(webhook, count),
    }
    return render(request, "webhooks/redeliver.html", context)


@always_possible
@posts_from("webhooks:deliveries")
@for_administrators
def cancel_replay(request: PersonRequest, webhook_id: str) -> HttpResponse:
    """Send no more of what is being sent again."""
    webhook = find(request, webhook_id)
    replays = [each for each in webhook.replays.running() if each.cancel(by=request.user)]
    if replays:
        left = sum(each.left for each in replays)
        told = ngettext(
            "%(n)s delivery is not sent again.", "%(n)s deliveries are not sent again.", left
        )
        effect = _("Those that had not arrived before are given up. They can be sent again later.")
        succeed(request, told % {"n": f"{left:,}"}, effect)
    else:
        inform(request, _("Nothing was changed."), _("All of them were sent already."))
    return redirect("webhooks:deliveries", webhook.pk)


def sent_again(replay: Replay) -> str:
    told = ngettext(
        "%(n)s delivery is sent again.", "%(n)s deliveries are sent again.", replay.total
    )
    return told % {"n": f"{replay.total:,}"}


def progress(webhook: Webhook) -> str:
    """Return how far it is that deliveries are sent again; `""` if none is."""
    replays = list(webhook.replays.running())
    if not replays:
        return ""
    total = sum(each.total for each in replays)
    waiting = Delivery.objects.filter(replay__in=replays).unfinished().count()
    told = _("%(done)s of %(total)s deliveries were sent again so far.")
    return told % {"done": f"{total - waiting:,}", "total": f"{total:,}"}


def when(webhook: Webhook) -> str:
    return (
        _("Their ids stay the same, so that your program can tell that they are repetitions.")
        if webhook.sends
        else held_back(webhook, 2)
    )

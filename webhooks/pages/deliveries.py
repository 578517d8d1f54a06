"""The tab Deliveries, and the page of a delivery with its tries."""

import json
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.decorators import for_administrators, for_members
from accounts.http import PersonRequest
from portal import tables, text
from portal.html import time_element
from portal.http import posts_from
from portal.notices import inform, succeed
from webhooks import retention
from webhooks.catalog import Method
from webhooks.models import Attempt, Delivery, DeliveryQuerySet, Webhook
from webhooks.now import send_now, turn
from webhooks.pages.actions import tell_result
from webhooks.pages.detail import find, header, never_called
from webhooks.pages.filters import DELIVERED, FAILING, PLANNED, DeliveryFilter
from webhooks.pages.recover import offers, progress
from webhooks.pages.tables import DeliveryTable
from webhooks.standing import DeliveryStanding, held_back


@require_safe
@for_members
def index(request: PersonRequest, webhook_id: str) -> HttpResponse:
    """Show the deliveries of the last weeks, filtered and sorted as the URL says."""
    webhook = find(request, webhook_id)
    rows = deliveries_of(webhook)
    filters = DeliveryFilter(request, rows, webhook)
    table = DeliveryTable(filters.matching)
    table.configure(request, request.user.choices("deliveries"))
    table.entry = details(table.opened) if table.opened else {}
    empty = ""
    if not table.page.object_list:
        empty = "invalid" if not filters.is_valid() else "no_match" if rows.exists() else "none"
    page = (webhook.pk,)
    context = {
        **header(request, webhook),
        **table.template_context(),
        **filters.template_context(),
        "tab": "deliveries",
        "empty": empty,
        "kept": retention.rule(),
        "progress": progress(webhook),
        "again": offers(webhook) if request.membership.is_admin else None,
        "segments": filters.segments("result", FAILING, PLANNED, DELIVERED),
        "no_match": filters.no_match,
        "list_url": reverse("webhooks:deliveries", args=page),
        "layout_url": reverse("webhooks:save_deliveries_layout", args=page),
        "refresh_url": request.get_full_path(),
        "kept_query": {
            name: values for name, values in request.GET.lists() if name not in {"q", "page"}
        },
    }
    return render(request, "webhooks/detail.html", context)


def deliveries_of(webhook: Webhook) -> DeliveryQuerySet:
    rows = Delivery.objects.of_webhook(webhook).with_time()
    return rows.select_related("event", "webhook")


@posts_from("webhooks:deliveries")
@for_members
def save_layout(request: PersonRequest, webhook_id: str) -> HttpResponse:
    webhook = find(request, webhook_id)
    page = reverse("webhooks:deliveries", args=(webhook.pk,))
    return tables.save_layout(request, "deliveries", DeliveryTable, page)


@require_safe
@for_members
def delivery(request: PersonRequest, webhook_id: str, delivery_id: str) -> HttpResponse:
    """Show one delivery: what was sent, what came back, and what to do about it."""
    webhook = find(request, webhook_id)
    row = find_delivery(webhook, delivery_id)
    return render(request, "webhooks/delivery.html", header(request, webhook) | details(row))


def details(row: Delivery) -> dict[str, Any]:
    """Return what is said about a delivery: on its page, and where it is opened in the list."""
    tries = [told(each) for each in row.attempts.order_by("-number")[: Attempt.MOST]]
    return {
        "delivery": row,
        "came": DeliveryStanding(row, row.milliseconds),  # type: ignore[attr-defined]
        "tries": tries,
        "last_try": tries[0] if tries else None,
        # Of a try whose worker ended, nobody knows what was sent.
        "exchange": next((each for each in tries if each["request"]), None),
        "has_older": row.tries > len(tries),
    }


def find_delivery(webhook: Webhook, delivery_id: str) -> Delivery:
    row = deliveries_of(webhook).filter(pk=delivery_id).first()
    if row is None:
        raise Http404
    return row


# The parts of a try in order, with their names.
TIMINGS = {
    "dns": "DNS",
    "connect": gettext_lazy("connecting"),
    "tls": "TLS",
    "first_byte": gettext_lazy("first byte"),
}


def told(attempt: Attempt) -> dict[str, Any]:
    """Return a try as the page shows it."""
    timings = attempt.timings if isinstance(attempt.timings, dict) else {}
    headers = attempt.request_headers if isinstance(attempt.request_headers, dict) else {}
    return {
        "attempt": attempt,
        "at": time_element(attempt.at, text.clock(attempt.at, seconds=True)),
        # A GET has no body, and a POST always has one.
        "method": Method.POST if attempt.request_body else Method.GET,
        "icon": "active" if attempt.result.is_delivered else "expired",
        "timings": [
            (TIMINGS[name], text.took(value))
            for name, value in timings.items()
            if isinstance(value, int | float) and name in TIMINGS
        ],
        "request": "\n".join(
            [
                *filter(None, [attempt.request_url]),
                *(f"{key}: {value}" for key, value in headers.items()),
            ]
        ),
        "body": pretty(attempt.request_body),
        "answer": "\n\n".join(filter(None, [attempt.answer_headers.strip(), attempt.answer])),
        "duration": text.took(attempt.duration),
    }


def pretty(body: str) -> str:
    """Return JSON with line breaks, anything else as it is."""
    try:
        return text.json_text(json.loads(body), indent=2)
    except (ValueError, RecursionError):
        return body


@posts_from("webhooks:delivery")
@for_administrators
def redeliver(request: PersonRequest, webhook_id: str, delivery_id: str) -> HttpResponse:
    """Send a delivery once more, under the same id."""
    webhook = find(request, webhook_id)
    row = find_delivery(webhook, delivery_id)
    if not webhook.fires:
        never_called(request)
        return redirect("webhooks:delivery", webhook.pk, row.pk)
    try:
        count = webhook.redeliver(Delivery.objects.filter(pk=row.pk), by=request.user)
    except Webhook.DoesNotExist:
        raise Http404 from None
    if not count:
        inform(request, _("Nothing was changed."), _("It is about to be sent anyway."))
    elif webhook.sends:
        row.refresh_from_db()
        with turn(webhook.account_id):
            tell_result(request, row, send_now(webhook, row))
    else:
        succeed(request, _("%(id)s is sent again.") % {"id": row.pk}, held_back(webhook))
    return redirect("webhooks:delivery", webhook.pk, row.pk)


@posts_from("webhooks:delivery")
@for_administrators
def stop(request: PersonRequest, webhook_id: str, delivery_id: str) -> HttpResponse:
    """Give up a delivery that waits."""
    webhook = find(request, webhook_id)
    row = find_delivery(webhook, delivery_id)
    if webhook.abort(row, by=request.user):
        effect = _("It can still be sent again with Redeliver.")
        succeed(request, _("%(id)s is not tried any more.") % {"id": row.pk}, effect)
    else:
        told = _("It is being sent right now.") if row.is_pending else _("It is finished already.")
        inform(request, _("Nothing was changed."), told)
    return redirect("webhooks:delivery", webhook.pk, row.pk)

"""The tab Activity: what happened to the webhook."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from activity.models import Event
from activity.tables import SubjectTrailTable
from activity.views import lead
from webhooks.pages.detail import find, header


@require_safe
@for_members
def activity(request: PersonRequest, webhook_id: str) -> HttpResponse:
    webhook = find(request, webhook_id)
    events = Event.objects.visible_to(request.membership)
    table = SubjectTrailTable(events.about("webhook", webhook.pk))
    table.configure(request, request.user.choices("activity"))
    context = {
        **header(request, webhook),
        **table.template_context(),
        "tab": "activity",
        **lead(request),
        "layout_url": reverse("activity:save_layout"),
    }
    return render(request, "webhooks/detail.html", context)

"""The tab Activity: who has seen the key, and what happened to the token."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from activity.models import Event
from activity.seen import who_has_seen
from activity.tables import SubjectTrailTable
from activity.views import lead
from tokens.pages.detail import find, token_header


@require_safe
@for_members
def activity(request: PersonRequest, token_id: str) -> HttpResponse:
    token = find(request, token_id)
    events = Event.objects.visible_to(request.membership)
    table = SubjectTrailTable(events.about("token", token.pk))
    table.configure(request, request.user.choices("activity"))
    context = {
        **token_header(request, token),
        **table.template_context(),
        "tab": "activity",
        **lead(request),
        "viewers": who_has_seen(token.account_id, token.pk),
        "layout_url": reverse("activity:save_layout"),
    }
    return render(request, "tokens/detail.html", context)

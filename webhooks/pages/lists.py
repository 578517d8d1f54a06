"""The list of webhooks."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from portal import tables
from portal.http import posts_from
from webhooks.models import Webhook
from webhooks.pages.filters import WebhookFilter
from webhooks.pages.tables import WebhookTable


@require_safe
@for_members
def index(request: PersonRequest) -> HttpResponse:
    """Show the list. As with every list, the URL holds the whole state."""
    may_manage = request.membership.is_admin
    webhooks = Webhook.objects.visible_to(request.membership)
    filters = WebhookFilter(request, webhooks.with_last())
    table = WebhookTable(filters.matching, may_manage=may_manage)
    table.configure(request, request.user.choices("webhooks"))
    empty = ""
    if not table.page.object_list:
        empty = "invalid" if not filters.is_valid() else "no_match" if webhooks.exists() else "none"
    context = {
        **table.template_context(),
        **filters.template_context(),
        "empty": empty,
        "may_manage": may_manage,
        "full": webhooks.why_no_more(request.membership.account_id) if may_manage else "",
        "is_demo": settings.DEMO,
        "refresh_url": request.get_full_path(),
        "layout_url": reverse("webhooks:save_layout"),
        "kept_query": {
            name: values for name, values in request.GET.lists() if name not in {"q", "page"}
        },
    }
    return render(request, "webhooks/list.html", context)


@posts_from("webhooks:list")
@for_members
def save_layout(request: PersonRequest) -> HttpResponse:
    """Remember the person's layout of the list, and redirect to a URL with it, for sharing."""
    return tables.save_layout(request, "webhooks", WebhookTable, reverse("webhooks:list"))

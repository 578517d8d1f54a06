"""The details of a webhook: what all its pages share, and the tab General."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest, get_visible_or_404
from accounts.models import Membership
from portal.notices import inform
from webhooks import verifying
from webhooks.figures import Figures
from webhooks.models import Webhook, WebhookQuerySet
from webhooks.pages.fields import secret_fields
from webhooks.standing import NEVER_CALLED, Standing
from webhooks.whynot import why_not


@require_safe
@for_members
def detail(request: PersonRequest, webhook_id: str) -> HttpResponse:
    return show_detail(request, find(request, webhook_id))


def find(request: PersonRequest, webhook_id: str) -> Webhook:
    """Return the webhook. Raise Http404 for other accounts' webhooks."""

    def visible(membership: Membership) -> WebhookQuerySet:
        return Webhook.objects.visible_to(membership).select_related("account", "health")

    return get_visible_or_404(request, visible, webhook_id)


def never_called(request: PersonRequest) -> None:
    """Say why nothing is sent to a webhook that is only kept."""
    inform(request, _("Nothing was sent."), str(NEVER_CALLED))


def header(request: PersonRequest, webhook: Webhook) -> dict[str, Any]:
    """Return the context of the header above the pages of a webhook."""
    standing = Standing.of(webhook, may_manage=request.membership.is_admin)
    return {
        "webhook": webhook,
        "standing": standing,
        "may_manage": standing.may_manage,
        "last_done_at": standing.last.done_at if standing.last else None,
    }


def show_detail(
    request: PersonRequest, webhook: Webhook, *, kind: str = "", **shown: Any
) -> HttpResponse:
    """Show General. `shown` is for the field of the secret of that kind."""
    context = header(request, webhook)
    asked = request.GET.get("object", "").replace("\x00", " ").strip()[:64]
    context |= {
        "tab": "general",
        "recent": Figures(webhook),
        "asked": asked,
        "answer": why_not(webhook, asked) if asked else None,
        "fields": secret_fields(context["standing"], kind, **shown),
        "first_calls": verifying.examples(webhook.pk),
    }
    return render(request, "webhooks/detail.html", context)

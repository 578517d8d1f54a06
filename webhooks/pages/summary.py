"""Summary, the last step of the wizard: for the session that has just created the webhook."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from portal import wizard
from webhooks import verifying
from webhooks.models import Webhook
from webhooks.pages.detail import find, header
from webhooks.pages.fields import secret_fields


class Step(wizard.Step):
    GENERAL = "general", gettext_lazy("General")
    ENDPOINT = "endpoint", gettext_lazy("Endpoint")
    EVENTS = "events", gettext_lazy("Events")
    SUMMARY = "summary", gettext_lazy("Summary")


@require_safe
@for_members
def summary(request: PersonRequest, webhook_id: str) -> HttpResponse:
    """Show step 4 of the wizard to the session that has just created the webhook.

    Redirect everybody else to the details.
    """
    webhook = find(request, webhook_id)
    if has_summary(request, webhook):
        return show_summary(request, webhook)
    return redirect("webhooks:detail", webhook.pk)


def has_summary(request: PersonRequest, webhook: Webhook) -> bool:
    """Tell whether Summary still applies: the webhook is new to this session."""
    return wizard.just_created(request, webhook.pk)


def show_summary(
    request: PersonRequest, webhook: Webhook, *, kind: str = "", **shown: Any
) -> HttpResponse:
    """Show Summary. `shown` is for the field of the secret of that kind."""
    answers = {
        Step.GENERAL: webhook.label,
        Step.ENDPOINT: webhook.endpoint_host,
        Step.EVENTS: webhook.get_object_class_display(),
    }
    context = header(request, webhook)
    context |= {
        "step": Step.SUMMARY,
        "steps": wizard.listed_steps(Step.SUMMARY, answers),
        "fields": secret_fields(context["standing"], kind, page="summary", **shown),
        "first_calls": verifying.examples(webhook.pk),
    }
    return render(request, "webhooks/summary.html", context)

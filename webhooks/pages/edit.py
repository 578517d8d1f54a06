"""The pages that create and edit a webhook. They share one form, so that both validate alike."""

import uuid
from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import for_administrators
from accounts.http import PersonRequest
from portal import text
from portal.http import posted, whole
from portal.notices import fail, inform, succeed
from portal.typed import render_form
from tokens.html import actor
from webhooks.models import Changed, Webhook
from webhooks.pages.detail import find
from webhooks.pages.forms import OwnSecret, WebhookForm
from webhooks.standing import Standing


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def new(request: PersonRequest) -> HttpResponse:
    """Create a webhook: exactly one for each time the page was opened."""
    data = posted(request)
    run = run_of(data)
    mine = Webhook.objects.visible_to(request.membership).filter(created_by_id=request.user.pk)
    if request.method == "POST" and (made := mine.filter(draft_id=run).first()):
        inform(request, _("%(name)s was created already.") % {"name": text.isolate(made.label)})
        return redirect("webhooks:detail", made.pk)
    form = WebhookForm(data, instance=Webhook(account=request.membership.account))
    signing = OwnSecret(data)
    if request.method == "POST" and all([form.is_valid(), signing.is_valid()]):
        made = Webhook.create_once(
            run,
            account=request.membership.account,
            by=request.user,
            secret=signing.cleaned_data["own_secret"],
            **form.values,
        )
        name = {"name": text.isolate(made.label)}
        if made.active:
            effect = _("Send a test event to see whether your program gets it.")
            succeed(request, _("%(name)s is created and active.") % name, effect)
        else:
            effect = Standing(made).kept
            succeed(request, _("%(name)s is created. It is inactive.") % name, effect)
        return redirect("webhooks:detail", made.pk)
    context = {"form": form, "signing": signing, "run": run, "is_new": True}
    return render_form(request, "webhooks/edit.html", context)


def run_of(data: QueryDict | None) -> uuid.UUID:
    """Return what tells this opening of the page from others; a new one if the form lacks it."""
    try:
        return uuid.UUID(data.get("run", "") if data else "")
    except ValueError:
        return uuid.uuid4()


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def edit(request: PersonRequest, webhook_id: str) -> HttpResponse:
    webhook = find(request, webhook_id)
    data = posted(request)
    if data is not None and whole(data.get("version"), 0) != webhook.version:
        return show_conflict(request, webhook, data)
    # A copy, since validating a form changes its instance, and the page shows the saved label.
    form = WebhookForm(data, instance=copy(webhook))
    if request.method != "POST" or not form.is_valid():
        return show_edit(request, webhook, form)
    try:
        changed = webhook.edit(by=request.user, version=webhook.version, **form.values)
    except Changed:
        return show_conflict(request, find(request, webhook_id), request.POST)
    except ValidationError as problem:
        fail(request, _("The change was not saved."), " ".join(problem.messages))
        return show_edit(request, webhook, form)
    name = {"name": text.isolate(webhook.label)}
    if changed:
        succeed(request, _("%(name)s is saved.") % name, _("The next call is made with it."))
    else:
        inform(request, _("Nothing was changed."), _("%(name)s is as it was.") % name)
    return redirect("webhooks:detail", webhook.pk)


def show_edit(
    request: PersonRequest, webhook: Webhook, form: WebhookForm, **shown: Any
) -> HttpResponse:
    context = {"webhook": webhook, "form": form, "is_new": False, **shown}
    return render_form(request, "webhooks/edit.html", context)


def show_conflict(request: PersonRequest, webhook: Webhook, data: QueryDict) -> HttpResponse:
    """Show what somebody else saved next to what this person wants to save.

    Saving again overwrites the other changes.
    """
    form = WebhookForm(data, instance=copy(webhook))
    differences = [
        {"label": field.label, "theirs": written(field.initial), "yours": written(field.value())}
        for field in form
        if written(field.initial) != written(field.value())
    ]
    conflict = {
        "by": actor(webhook.updated_by, webhook) or _("Somebody"),
        "at": webhook.updated_at,
        "differences": differences,
    }
    return show_edit(request, webhook, form, conflict=conflict)


def written(value: Any) -> str:
    """Return the value of a form field as a person reads it."""
    if isinstance(value, bool) or value == "on":
        return _("Yes") if value else _("No")
    return str(value or _("Not set")).strip()

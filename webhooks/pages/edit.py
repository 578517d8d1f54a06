"""The page that edits a webhook. The wizard has the same fields, so that both validate alike."""

from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import sudo
from accounts.decorators import for_administrators
from accounts.http import PersonRequest
from portal import text
from portal.http import posted, posts_from, whole
from portal.notices import fail, inform, succeed
from portal.typed import render_form
from tokens.html import actor
from webhooks.models import Changed, Webhook
from webhooks.pages import sample
from webhooks.pages.detail import find
from webhooks.pages.forms import Pairs, WebhookForm


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def edit(request: PersonRequest, webhook_id: str) -> HttpResponse:
    webhook = find(request, webhook_id)
    data = posted(request)
    if data is not None and whole(data.get("version"), 0) != webhook.version:
        return show_conflict(request, webhook, data)
    # A copy, since validating a form changes its instance, and the page shows the saved label.
    form = WebhookForm(data, instance=copy(webhook))
    # The button Preview and those of the headers save nothing.
    shows = "look" in request.POST or Pairs.is_asked_by(request.POST)
    if request.method != "POST" or not form.is_valid() or shows:
        return show_edit(request, webhook, form)
    if webhook.widens(form.values):
        # Whoever has stolen a session could otherwise have all events sent to themselves.
        moved = form.values["external_url"] != webhook.external_url
        purpose = (
            _("To change the address of <strong>{}</strong>")
            if moved
            else _("To have more sent to <strong>{}</strong>")
        )
        purpose = format_html(purpose, webhook.label)
        if asked := sudo.ask(request, purpose, _("Save Changes")):
            return show_edit(request, webhook, form, confirm=asked)
    try:
        changed = webhook.edit(by=request.user, version=webhook.version, **form.values)
    except Webhook.DoesNotExist:
        # Deleted since the page was asked for.
        raise Http404 from None
    except Changed:
        return show_conflict(request, find(request, webhook_id), request.POST)
    except ValidationError as problem:
        fail(request, _("The change was not saved."), " ".join(problem.messages))
        return show_edit(request, webhook, form)
    name = {"name": text.isolate(webhook.label)}
    if changed:
        effect = _("The next call is made with it.") if webhook.fires else ""
        succeed(request, _("%(name)s is saved.") % name, effect)
    else:
        inform(request, _("Nothing was changed."), _("%(name)s is as it was.") % name)
    return redirect("webhooks:detail", webhook.pk)


@posts_from("webhooks:edit")
@for_administrators
def typed(request: PersonRequest, webhook_id: str) -> HttpResponse:
    """Return what would be sent with what is being typed; nothing is stored."""
    form = WebhookForm(request.POST, instance=find(request, webhook_id))
    return render(request, "webhooks/typed.html", {"form": form, **sample.shown(form)})


def show_edit(
    request: PersonRequest, webhook: Webhook, form: WebhookForm, **shown: Any
) -> HttpResponse:
    sample_url = reverse("webhooks:edit_typed", args=(webhook.pk,))
    context = {"webhook": webhook, "form": form, "sample_url": sample_url, **shown}
    context |= sample.shown(form)
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

"""View and Copy, which hand out a secret, and New Secret."""

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import sudo
from accounts.decorators import for_administrators
from accounts.http import PersonRequest
from accounts.shown import has_shown, note_shown
from portal import text
from portal.http import posted
from portal.notices import fail, inform, succeed
from portal.typed import render_form
from tokens import vault
from webhooks.models import Webhook, WebhookSecret
from webhooks.pages.detail import find, header, show_detail
from webhooks.pages.forms import OwnSecret, SecretForm
from webhooks.pages.summary import has_summary, show_summary


def known(kind: str) -> WebhookSecret.Kind:
    """Return a kind of secret. Raise Http404."""
    if kind not in WebhookSecret.Kind.values:
        raise Http404
    return WebhookSecret.Kind(kind)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def reveal(request: PersonRequest, webhook_id: str, kind: str) -> HttpResponse:
    """Show the page again, with the secret in it. Ask for the password first, and record it."""
    return hand_out(request, find(request, webhook_id), known(kind), copied=False)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def copy(request: PersonRequest, webhook_id: str, kind: str) -> HttpResponse:
    """Return the secret as plain text, for a script that copies it to the clipboard.

    Without the header of htmx, which forms of other sites cannot send, do what View does.
    """
    return hand_out(request, find(request, webhook_id), known(kind), copied=bool(request.htmx))


def hand_out(
    request: PersonRequest, webhook: Webhook, kind: WebhookSecret.Kind, *, copied: bool
) -> HttpResponse:
    on_summary = request.POST.get("page") == "summary" and has_summary(request, webhook)
    show = show_summary if on_summary else show_detail
    page = f"webhooks:{'summary' if on_summary else 'detail'}"
    if request.method != "POST" or (not copied and has_shown(request)):
        return redirect(page, webhook.pk)
    purpose = format_html(_("To view the {} of <strong>{}</strong>"), kind.label, webhook.label)
    if asked := sudo.ask(request, purpose, _("Copy Secret") if copied else _("View Secret")):
        return show(request, webhook, kind=kind, confirm=asked, copied=copied)
    try:
        secret = webhook.reveal(kind, by=request.user)
    except WebhookSecret.DoesNotExist:
        raise Http404 from None
    except vault.SealBroken:
        fail(
            request,
            _("The secret cannot be opened."),
            _("Its sealing key is missing or the stored copy was changed. Make a new secret."),
        )
        return redirect(page, webhook.pk)
    if copied:
        return HttpResponse(secret, content_type="text/plain; charset=utf-8")
    note_shown(request)
    viewed = {"by": request.user, "at": timezone.now()}
    return show(request, webhook, kind=kind, key=secret, viewed=viewed)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def new_secret(request: PersonRequest, webhook_id: str, kind: str) -> HttpResponse:
    """Ask where the new secret comes from (GET), and put it in place of the old one (POST)."""
    webhook, kind = find(request, webhook_id), known(kind)
    may_type = kind == WebhookSecret.Kind.JWT
    form = SecretForm(posted(request), may_type=may_type)
    asked = None
    shows = OwnSecret.is_asked_by(request.POST)
    if request.method == "POST" and form.is_valid() and not shows:
        purpose = format_html(
            _("To change the {} of <strong>{}</strong>"), kind.label, webhook.label
        )
        asked = sudo.ask(request, purpose, _("Make New Secret"))
        if asked is None:
            try:
                return replace(request, webhook, kind, form.secret)
            except Webhook.DoesNotExist:
                raise Http404 from None
            except ValidationError as problem:
                form.add_error("own_secret" if may_type else None, problem)
    context = {**header(request, webhook), "form": form, "kind": kind, "may_type": may_type}
    return render_form(request, "webhooks/new_secret.html", {**context, "confirm": asked})


def replace(
    request: PersonRequest, webhook: Webhook, kind: WebhookSecret.Kind, secret: str
) -> HttpResponse:
    until = WebhookSecret.overlap(kind)
    name = {"name": text.isolate(webhook.label), "kind": kind.label}
    if webhook.renew_secret(kind, by=request.user, secret=secret, until=until):
        effect = (
            _("The old one signs too until %(at)s.") % {"at": text.day_and_time(until)}
            if until
            else _("Every call from now on is signed with it, also those that are tried again.")
        )
        effect = effect if webhook.fires else ""
        succeed(request, _("%(name)s has a new %(kind)s.") % name, effect)
    else:
        inform(request, _("Nothing was changed."), _("It has this %(kind)s already.") % name)
    return redirect("webhooks:detail", webhook.pk)

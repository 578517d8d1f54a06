"""Making a new key of a token, and what follows while the old one lives on.

The questions are dialogs over General; without scripts they stand at its top. They have addresses
of their own.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import sudo
from accounts.decorators import always_possible, for_administrators
from accounts.http import PersonRequest
from accounts.shown import has_shown, note_shown
from activity.actions import Action
from activity.recording import record
from portal import text
from portal.http import posted, posts_from
from portal.notices import fail, succeed
from portal.typed import forget
from tokens import cockpit
from tokens.models import BadEnd, Token, TokenError
from tokens.pages.detail import as_pasted, find, show_detail
from tokens.pages.key_forms import ExtendForm, NewKeyForm
from tokens.standing import Standing

dialog_at = require_http_methods(["GET", "HEAD", "POST"])


@dialog_at
@for_administrators
def new_key(request: PersonRequest, token_id: str) -> HttpResponse:
    """Ask what should happen to the present key (GET), and make a new one (POST)."""
    token = find(request, token_id)
    if token.is_deleted:
        words = _("A deleted token gets no new %(key)s.")
        return refuse(request, token, words % {"key": token.noun})
    sent = request.method == "POST"
    if sent and has_shown(request):
        return redirect("tokens:detail", token.pk)
    form = NewKeyForm(posted(request), token=token)
    purpose, make = (
        (_("To make a new handle of <strong>{}</strong>"), _("Make New Handle"))
        if token.uses_handle
        else (_("To make a new key of <strong>{}</strong>"), _("Make New Key"))
    )
    purpose = format_html(purpose, token.name)
    asked = sudo.ask(request, purpose, make) if form.is_valid() or not sent else None
    if sent and form.is_valid() and not asked:
        try:
            key = form.make(by=request.user)
        except BadEnd as problem:
            form.add_error("until", str(problem))
        except TokenError as problem:
            return refuse(request, token, str(problem))
        else:
            return show_new_key(request, find(request, token_id), key)
    users = cockpit.programs(token.live_keys)
    context = {"form": form, "asked": asked, "programs": users, "more": max(len(users) - 5, 0)}
    return show_dialog(request, token, "new_key", **context)


def show_new_key(request: PersonRequest, token: Token, key: str) -> HttpResponse:
    """Show General with the new key, as after View."""
    record(request.user, Action.KEY_VIEWED, token, token.as_seen)
    note_shown(request)
    # Only the answers that lead elsewhere say by themselves that a form was accepted.
    forget(request, request.path)
    viewed = {"by": request.user, "at": timezone.now()}
    return show_detail(request, token, key=as_pasted(request, key), viewed=viewed)


@dialog_at
@for_administrators
def extend(request: PersonRequest, token_id: str) -> HttpResponse:
    """Ask for a later end of the old key (GET), and let it live until then (POST)."""
    token = find(request, token_id)
    shown = Standing(token, may_manage=True).cockpit
    if shown is None or not shown.offers_extend:
        return no_old_key(request, token)
    form = ExtendForm(posted(request), cockpit=shown)
    if request.method == "POST" and form.is_valid():
        purpose = format_html(
            _("To let the {} of <strong>{}</strong> live longer"), shown.old.as_old, token.name
        )
        if asked := sudo.ask(request, purpose, _("Extend")):
            return sudo.page(request, asked, back=reverse("tokens:detail", args=(token.pk,)))
        try:
            token.extend(by=request.user, until=form.cleaned_data["until"])
        except BadEnd as problem:
            form.add_error("until", str(problem))
        except TokenError as problem:
            return refuse(request, token, str(problem))
        else:
            moment = text.day_and_time(form.cleaned_data["until"])
            words = {"old": shown.old.as_old, "at": moment}
            succeed(request, _("The %(old)s stops on %(at)s.") % words)
            return redirect("tokens:detail", token.pk)
    return show_dialog(request, token, "extend_key", form=form)


@always_possible
@dialog_at
@for_administrators
def retire(request: PersonRequest, token_id: str) -> HttpResponse:
    """Name the programs that still use the old key (GET), and stop it (POST)."""
    said = _("The %(old)s is retired."), _("It gets the answer 401 from now on.")
    return carry_out(request, token_id, Token.retire, said, dialog="retire_key")


# Beginning one is a change like others. Otherwise the two buttons would fill the trail in turns.
@dialog_at
@for_administrators
def rehearse(request: PersonRequest, token_id: str) -> HttpResponse:
    """Say what a rehearsal does (GET), and begin one (POST)."""
    said = (
        _("The rehearsal has begun."),
        _("Calls with the %(old)s get the answer 401 for five minutes. You can end it here."),
    )
    token = find(request, token_id)
    shown = Standing(token).cockpit
    if shown and shown.why_refused:
        return refuse(request, token, shown.why_refused)
    return carry_out(request, token_id, Token.rehearse, said, dialog="rehearse_key")


# It only lets in again what works anyway, and is pressed when something broke: without a password.
@always_possible
@posts_from("tokens:detail")
@for_administrators
def end_rehearsal(request: PersonRequest, token_id: str) -> HttpResponse:
    shown = Standing(find(request, token_id)).cockpit
    effect = shown.why_refused if shown else ""
    said = _("The rehearsal is over."), effect or _("The %(old)s is let in again.")
    return carry_out(request, token_id, Token.end_rehearsal, said)


@posts_from("tokens:detail")
@for_administrators
def cancel_renewal(request: PersonRequest, token_id: str) -> HttpResponse:
    token = find(request, token_id)
    shown = Standing(token).cockpit
    if shown is None:
        return no_old_key(request, token)
    purpose = format_html(_("To keep the {} of <strong>{}</strong>"), shown.old.as_old, token.name)
    if asked := sudo.ask(request, purpose, _("Cancel Renewal")):
        return sudo.page(request, asked, back=reverse("tokens:detail", args=(token.pk,)))
    said = (
        _("The renewal is cancelled."),
        _("The old handle is exchanged again; the new one is refused.")
        if shown.old.has_handle and shown.new.has_handle
        else _("The old key is the only one again; the new one is refused."),
    )
    return carry_out(request, token_id, Token.cancel_renewal, said)


def carry_out(
    request: PersonRequest,
    token_id: str,
    verb: Callable[..., None],
    said: tuple[str, str],
    *,
    dialog: str = "",
) -> HttpResponse:
    """Do something to the old key of a token, or show the dialog that asks about it."""
    token = find(request, token_id)
    shown = Standing(token).cockpit
    if shown is None:
        return no_old_key(request, token)
    if request.method != "POST":
        return show_dialog(request, token, dialog)
    try:
        verb(token, by=request.user)
    except TokenError as problem:
        return refuse(request, token, str(problem))
    title, effect = (sentence % shown.words for sentence in said)
    succeed(request, title, effect)
    return redirect("tokens:detail", token.pk)


def no_old_key(request: PersonRequest, token: Token) -> HttpResponse:
    return refuse(request, token, _("The token has only one %(key)s.") % {"key": token.noun})


def refuse(request: PersonRequest, token: Token, why: str) -> HttpResponse:
    fail(request, _("Nothing was changed."), why)
    return redirect("tokens:detail", token.pk)


def show_dialog(request: PersonRequest, token: Token, name: str, **context: Any) -> HttpResponse:
    template = f"tokens/dialogs/{name}.html"
    return show_detail(request, token, dialog={"template": template, **context})

"""Actions on a token: disable, enable, delete, restore, and destroy the copy of its key."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import sudo
from accounts.decorators import always_possible, for_administrators
from accounts.http import PersonRequest
from portal import text
from portal.http import next_url, posts_from
from portal.notices import Action, fail, inform, succeed
from tokens.models import RESTORABLE, Deleted, Token, TooManyTokens
from tokens.pages.detail import find, token_header
from tokens.standing import Standing


@always_possible
@posts_from("tokens:detail")
@for_administrators
def disable(request: PersonRequest, token_id: str) -> HttpResponse:
    token = find(request, token_id)
    before = Standing(token)
    effect = _("Its next API call gets the answer 401.") if before.can_call else before.calls
    if token.disable(by=request.user):
        again = Action(label=_("Enable again"), url=reverse("tokens:enable", args=(token.pk,)))
        succeed(
            request, _("%(name)s is disabled.") % {"name": text.isolate(token.name)}, effect, again
        )
    else:
        unchanged(request, token)
    return redirect(next_url(request, reverse("tokens:list")))


@posts_from("tokens:detail")
@for_administrators
def enable(request: PersonRequest, token_id: str) -> HttpResponse:
    token = find(request, token_id)
    back = next_url(request, reverse("tokens:list"))
    purpose = format_html(_("To enable <strong>{}</strong>"), token.name)
    if asked := sudo.ask(request, purpose, _("Enable")):
        return sudo.page(request, asked, back=back)
    if token.enable(by=request.user):
        now = Standing(token)
        works = _("Its %(key)s works again.") % {"key": token.noun}
        tell, effect = (succeed, works) if now.can_call else (inform, now.calls)
        tell(request, _("%(name)s is enabled.") % {"name": text.isolate(token.name)}, effect)
    else:
        unchanged(request, token)
    return redirect(back)


def unchanged(request: PersonRequest, token: Token) -> None:
    """Say that the token already has the status, for example by a change in another tab."""
    token.refresh_from_db()
    status = str(token.get_status_display()).lower()
    inform(
        request,
        _("Nothing was changed."),
        _("%(name)s is already %(status)s.") % {"name": text.isolate(token.name), "status": status},
    )


@always_possible
@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def delete(request: PersonRequest, token_id: str) -> HttpResponse:
    """Ask for confirmation, naming the token and its use (GET), and delete it (POST)."""
    token = find(request, token_id)
    back = next_url(request, reverse("tokens:list"))
    if token.is_deleted:
        inform(request, _("%(name)s is already deleted.") % {"name": text.isolate(token.name)})
        return redirect(back)
    if request.method == "POST":
        token.remove(by=request.user)
        undo = Action(label=_("Undo"), url=reverse("tokens:restore", args=(token.pk,)))
        refused = _("Its %(key)s is refused from now on.") % {"key": token.noun}
        effect = refused + " " + Standing(token).restoring
        succeed(
            request, _("%(name)s is deleted.") % {"name": text.isolate(token.name)}, effect, undo
        )
        return redirect(back)
    until = timezone.now() + RESTORABLE
    return render(
        request,
        "tokens/delete.html",
        {**token_header(request, token), "next": back, "until": until},
    )


@posts_from("tokens:detail")
@for_administrators
def restore(request: PersonRequest, token_id: str) -> HttpResponse:
    """Bring a deleted token back, after the password."""
    token = find(request, token_id)
    back = next_url(request, reverse("tokens:detail", args=(token.pk,)))
    if not Standing(token, may_manage=True).offers_restore:
        return refuse_restoring(request, token, back)
    purpose = format_html(_("To restore <strong>{}</strong>"), token.name)
    if asked := sudo.ask(request, purpose, _("Restore")):
        return sudo.page(request, asked, back=back)
    try:
        if not token.restore(by=request.user):
            token.refresh_from_db()
            return refuse_restoring(request, token, back)
    except TooManyTokens as problem:
        fail(request, _("The token was not restored."), str(problem))
        return redirect(back)
    now, name = Standing(token), {"name": text.isolate(token.name)}
    if now.can_call:
        succeed(request, _("%(name)s is restored and active again.") % name)
    elif token.status == Token.Status.INACTIVE:
        effect = _("It is inactive until you enable it.")
        succeed(request, _("%(name)s is restored.") % name, effect)
    else:
        inform(request, _("%(name)s is restored.") % name, now.calls)
    return redirect(back)


def refuse_restoring(request: PersonRequest, token: Token, back: str) -> HttpResponse:
    """Say why the token cannot be restored: it is not deleted, or its time is over."""
    why = (
        Standing(token).restoring
        if token.is_deleted
        else _("%(name)s is not deleted.") % {"name": text.isolate(token.name)}
    )
    inform(request, _("Nothing was changed."), why)
    return redirect(back)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def destroy_copy(request: PersonRequest, token_id: str) -> HttpResponse:
    """Ask for confirmation (GET), and destroy the sealed copies of the token's keys (POST)."""
    token = find(request, token_id)
    page = reverse("tokens:detail", args=(token.pk,))
    if not Standing(token, may_manage=True).offers_destroying:
        why = _("No copy of a %(key)s of this token is kept.") % {"key": token.noun}
        inform(request, _("Nothing was changed."), why)
        return redirect(page)
    if request.method == "POST":
        try:
            token.edit(by=request.user, version=None, modules=None, show_once=True)
        except Deleted as problem:
            fail(request, _("Nothing was changed."), str(problem))
            return redirect(page)
        now = Standing(find(request, token_id))
        title = _("The copy of the %(key)s of %(name)s is destroyed.")
        words = {"key": token.noun, "name": text.isolate(token.name)}
        succeed(request, title % words, now.calls)
        return redirect(page)
    return render(request, "tokens/destroy_copy.html", token_header(request, token))

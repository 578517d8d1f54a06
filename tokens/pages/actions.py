"""Actions on a token: disable, enable and delete."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import sudo
from accounts.decorators import always_possible, for_administrators
from accounts.http import PersonRequest
from portal import text
from portal.http import next_url, posts_from
from portal.notices import Action, inform, succeed
from tokens.models import Token
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
        tell, effect = (succeed, _("Its key works again.")) if now.can_call else (inform, now.calls)
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
        succeed(
            request,
            _("%(name)s is deleted.") % {"name": text.isolate(token.name)},
            _("It stays in the list under the status Deleted."),
        )
        return redirect(back)
    return render(request, "tokens/delete.html", {**token_header(request, token), "next": back})

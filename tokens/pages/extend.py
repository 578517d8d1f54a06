"""Extend: a later end for a token, from the list, its details and the notice that it expires."""

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import sudo
from accounts.decorators import for_administrators
from accounts.http import PersonRequest
from portal import text
from portal.http import next_url, posted
from portal.notices import inform, succeed
from portal.typed import render_form
from tokens.models import Deleted, Token
from tokens.pages.detail import find, token_header
from tokens.pages.ends import LaterEndForm
from tokens.standing import Standing


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def extend(request: PersonRequest, token_id: str) -> HttpResponse:
    """Ask for the new end (GET), and save it (POST). The key stays the same."""
    token = find(request, token_id)
    back = next_url(request, reverse("tokens:detail", args=(token.pk,)))
    if not Standing(token, may_manage=True).offers_extend:
        return nothing_to_extend(request, token, back)
    form = LaterEndForm(posted(request), instance=token)
    if request.method == "POST" and form.is_valid():
        if token.widens(None, form.expires_at):
            purpose = format_html(_("To extend <strong>{}</strong>"), token.name)
            if asked := sudo.ask(request, purpose, _("Save Changes")):
                return sudo.page(request, asked, back=back)
        try:
            token.edit(by=request.user, version=None, modules=None, expires_at=form.expires_at)
        except Deleted:
            token.refresh_from_db()
            return nothing_to_extend(request, token, back)
        except ValidationError as problem:
            form.add_error(None, problem.messages)  # type: ignore[arg-type]  # a list is accepted
        else:
            tell(request, Token.objects.with_standing().get(pk=token.pk))
            return redirect(back)
    context = {**token_header(request, token), "form": form, "next": back}
    return render_form(request, "tokens/extend.html", context)


def tell(request: PersonRequest, token: Token) -> None:
    """Say when the token ends now, and what keeps it from calling if something does."""
    now, name = Standing(token), text.isolate(token.name)
    ends = text.end(token.expires_at) if token.expires_at else _("It never expires.")
    title = _("The end of %(name)s is saved.") % {"name": name}
    succeed(request, title, ends if now.can_call else f"{ends} {now.calls}")


def nothing_to_extend(request: PersonRequest, token: Token, back: str) -> HttpResponse:
    why = _("%(name)s is deleted.") if token.is_deleted else _("%(name)s never expires.")
    inform(request, _("Nothing was changed."), why % {"name": text.isolate(token.name)})
    return redirect(back)

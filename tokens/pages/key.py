"""View and Copy, which hand out a key."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts import sudo
from accounts.decorators import for_administrators
from accounts.http import PersonRequest
from accounts.shown import has_shown, note_shown
from portal.http import posts_from, whole
from portal.notices import fail, inform
from tokens import vault
from tokens.models import Token
from tokens.pages.detail import as_pasted, find, show_detail
from tokens.pages.summary import has_summary, show_summary
from tokens.standing import Standing


@posts_from("tokens:detail")
@for_administrators
def reveal(request: PersonRequest, token_id: str) -> HttpResponse:
    """Show the page again, with the key in it. Ask for the password first, and record it."""
    return hand_out(request, find(request, token_id), copied=False)


@posts_from("tokens:detail")
@for_administrators
def copy_key(request: PersonRequest, token_id: str) -> HttpResponse:
    """Return the key as plain text, for a script that copies it to the clipboard.

    Ask for the password and record it, as with View. Without the header of htmx, which forms of
    other sites cannot send, do what View does.
    """
    return hand_out(request, find(request, token_id), copied=bool(request.htmx))


def hand_out(request: PersonRequest, token: Token, *, copied: bool) -> HttpResponse:
    page = (
        "summary"
        if request.POST.get("page") == "summary" and has_summary(request, token)
        else "detail"
    )
    show = show_summary if page == "summary" else show_detail
    if token.is_deleted:
        fail(request, Standing(token, may_manage=True).key_hint)
        return redirect("tokens:detail", token.pk)
    if not copied and has_shown(request):
        return redirect(f"tokens:{page}", token.pk)
    # The key that the field shows, if the token has two; without it, the newest.
    version = whole(request.POST.get("version"), 0) or None
    if version and version not in {stored.version for stored in token.shown_keys}:
        replaced = _("The %(key)s was replaced in the meantime.")
        inform(request, _("Nothing is shown."), replaced % {"key": token.noun})
        return redirect(f"tokens:{page}", token.pk)
    if page != "summary":
        purpose, view, copy = (
            (_("To view the handle of <strong>{}</strong>"), _("View Handle"), _("Copy Handle"))
            if token.uses_handle
            else (_("To view the key of <strong>{}</strong>"), _("View Key"), _("Copy Key"))
        )
        purpose = format_html(purpose, token.name)
        if asked := sudo.ask(request, purpose, copy if copied else view):
            return show(request, token, version=version, confirm=asked, copied=copied)
    if token.policy.show_once:
        fail(request, _("Nothing is shown."), Standing(token, may_manage=True).key_hint)
        return redirect(f"tokens:{page}", token.pk)
    try:
        key = token.reveal(by=request.user, copied=copied, version=version)
    except vault.SealBroken:
        fail(
            request,
            _("The %(key)s cannot be opened.") % {"key": token.noun},
            _(
                "Its sealing key is missing or the stored copy was changed; tell the portal's "
                "administrator."
            )
            + " "
            + Standing(token).calls,
        )
        return redirect(f"tokens:{page}", token.pk)
    key = as_pasted(request, key)
    if copied:
        return HttpResponse(key, content_type="text/plain; charset=utf-8")
    note_shown(request)
    viewed = {"by": request.user, "at": timezone.now()}
    return show(request, token, version=version, key=key, viewed=viewed)

"""Who may open a page, beside being signed in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.http import PersonRequest

View = Callable[..., HttpResponse]


def for_any_account(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The page or button is the person's own: it works whichever account they have switched to meanwhile."""
    view.for_any_account = True  # type: ignore[attr-defined]
    return view


def always_possible(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The page or button stops a token or a session: no limit of changes may keep anybody from it."""
    view.always_possible = True  # type: ignore[attr-defined]
    return view


def for_members(view: View) -> View:
    """The person acts for an account.

    Without one there is nothing to see: administrators of the portal go to its administration,
    others are told what to do.
    """

    @wraps(view)
    def inner(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.membership and request.user.is_staff:
            return redirect("admin:index")
        if not request.membership:
            return render(request, "portal/no_account.html", status=403)
        return view(request, *args, **kwargs)

    return inner


def for_administrators(view: View) -> View:
    """The person manages the account's tokens. Members who may only look get 403."""

    @for_members
    @wraps(view)
    def inner(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.membership.is_admin:
            raise PermissionDenied(_("Your role in this account allows looking only."))
        return view(request, *args, **kwargs)

    return inner

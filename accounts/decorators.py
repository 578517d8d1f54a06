"""Decorators that say who may open a page, besides being signed in."""

from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.http import PersonRequest
from portal.http import View


def for_any_account(view: View) -> View:
    """Mark a view as personal: it works whichever account the person has switched to since."""
    view.for_any_account = True  # type: ignore[attr-defined]
    return view


def always_possible(view: View) -> View:
    """Exempt a view from the limit on changes, because it stops a token or a session."""
    view.always_possible = True  # type: ignore[attr-defined]
    return view


def for_members(view: View) -> View:
    """Require a person who acts for an account.

    Without one, administrators of the portal are redirected to its admin, and others get a page
    that tells them what to do.
    """

    @wraps(view)
    def inner(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.membership and request.user.is_staff:
            return redirect("admin:index")
        if not request.membership:
            return render(request, "portal/no_account.html", status=403)
        return view(request, *args, **kwargs)

    return inner


def for_administrators(view: View) -> View:
    """Require a person who manages the account's tokens. Raise PermissionDenied for members."""

    @for_members
    @wraps(view)
    def inner(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.membership.is_admin:
            raise PermissionDenied(_("Your role in this account is read-only."))
        return view(request, *args, **kwargs)

    return inner

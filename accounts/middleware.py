"""Middleware for signed-in people: session limits, limits on changes, the account they act for."""

import time
from functools import partial
from typing import Any

from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts import limits, views
from accounts.hashing import Busy
from accounts.limits import LimitReached
from accounts.models import Membership
from accounts.sessions import EXACT, SessionLeft
from accounts.sudo import SessionOver
from portal import moments, typed
from portal.http import READS, GetResponse, View, seconds_since
from portal.notices import Action, warn


def is_private(view: View) -> bool:
    """Tell whether the view requires signing in. Public views and the API load no session."""
    return getattr(view, "login_required", True)


class SessionLimitsMiddleware:
    """Ends sessions that were idle too long or are too old, and keeps private pages out of caches.

    Django has neither limit. The time of the last request is stored to the minute, so that pages
    need not save the session each time; sessions end a minute later instead, so never too early.
    Typing counts as activity: js/session.js sends a request once a minute.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.may_keep_form = partial(limits.may_keep_form, request)  # type: ignore[attr-defined]
        response = self.get_response(request)
        if getattr(request, "is_private", False):
            # After signing out, Back must not show private pages from a cache.
            patch_cache_control(response, private=True, no_store=True)
        return response

    def process_view(self, request: HttpRequest, view: View, args: Any, kwargs: Any) -> None:
        if not is_private(view):
            return
        request.is_private = True  # type: ignore[attr-defined]
        if SESSION_KEY not in request.session:
            return
        now = int(time.time())
        session = request.session
        # A missing moment, or one in the future, counts as now.
        for name in ("seen_at", "signed_in_at"):
            if seconds_since(session, name) is None:
                session[name] = now
        left = SessionLeft.of(session, now)
        if left.idle <= 0 or left.absolute < 0:
            request.ended_person = str(request.user.pk)  # type: ignore[attr-defined]
            typed.carry_over(request, logout)
            request.session["ended"] = True
            return
        if now - int(session["seen_at"]) >= EXACT and "X-Background" not in request.headers:
            session["seen_at"] = now
        request.session_left = SessionLeft.of(session, now)  # type: ignore[attr-defined]

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """End the session after too many wrong passwords in it."""
        if not isinstance(exception, SessionOver):
            return None
        person = str(request.user.pk)
        typed.carry_over(request, logout)
        request.session["ended"] = True
        typed.keep(request, typed.ENDED, person)
        return typed.lead_to(request, redirect_to_login(typed.form_page(request)).url)


class RefusedTriesMiddleware:
    """Responds to tries beyond a limit, whichever form they came from."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, LimitReached):
            return views.too_many(request, exception)
        if isinstance(exception, Busy):
            return views.busy(request)
        return None


class WritesMiddleware:
    """Limits how often a person can change something in a minute.

    It covers all forms except those that stop a token or a session.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if request.method in READS or not is_private(view) or not request.user.is_authenticated:
            return None
        if getattr(view, "always_possible", False):
            return None
        person = str(request.user.pk)
        try:
            limits.take(limits.writes_of_person(person))
        except LimitReached as reached:
            typed.keep(request, typed.ERRORS, person)
            return views.too_many(request, reached, "accounts/too_many_writes.html")
        return None


class MembershipMiddleware:
    """Sets `request.membership` (the account a person acts for, with their role) and `memberships`.

    Both are lazy, and falsy if there is none, so that error pages can show the frame and API calls
    pay nothing for them.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.memberships = SimpleLazyObject(  # type: ignore[attr-defined]
            lambda: list(getattr(request.user, "usable_memberships", ()))
        )
        request.membership = SimpleLazyObject(lambda: current_membership(request))  # type: ignore[attr-defined]
        timezone.deactivate()
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not is_private(view) or not request.user.is_authenticated:
            return None
        timezone.activate(moments.zone(request.user.time_zone))
        if lacks_second_step(request) and not getattr(view, "for_any_account", False):
            return lead_to_second_step(request)
        owner = typed.read_owner(request)
        if (
            owner is None
            or owner.account == acting_for(request)
            or getattr(view, "for_any_account", False)
        ):
            return None
        return refuse_other_account(request, owner.account)


def lacks_second_step(request: HttpRequest) -> bool:
    """Tell whether the account that the person administers requires what they have not set up."""
    membership: Membership | None = request.membership  # type: ignore[attr-defined]
    return bool(
        membership
        and membership.is_admin
        and membership.account.requires_two_step
        and not membership.user.has_two_step
    )


def lead_to_second_step(request: HttpRequest) -> HttpResponse:
    warn(
        request,
        _("Set up two-step sign-in first."),
        _("%(account)s requires it of its administrators.")
        % {"account": request.membership.account},  # type: ignore[attr-defined]
    )
    return typed.lead_to(request, reverse("accounts:security"))


def acting_for(request: HttpRequest) -> str:
    """Return the id of the account that the person acts for; `""` for none."""
    membership: Membership | None = request.membership  # type: ignore[attr-defined]
    return membership.account_id if membership else ""


def refuse_other_account(request: HttpRequest, account: str) -> HttpResponse:
    """Refuse a request of a page that was made for another account, and offer to switch back.

    The person has switched accounts since, perhaps in another tab.
    """
    names = {membership.account_id: membership.account.name for membership in request.memberships}  # type: ignore[attr-defined]
    if request.method == "POST":
        typed.keep(request, typed.ACCOUNT, str(request.user.pk))
        page = typed.form_page(request)
    else:
        page = request.get_full_path()
    back = None
    if account in names:
        text = _("The page you used was for %(account)s. Nothing was changed.") % {
            "account": names[account]
        }
        label = _("Switch Back to %(account)s") % {"account": names[account]}
        back = Action(
            label=label,
            url=reverse("accounts:switch"),
            fields=[("account", account), ("next", page)],
        )
    else:
        text = _("The page you used was for another account. Nothing was changed.")
    here = acting_for(request)
    title = (
        _("You now act for %(account)s.") % {"account": names[here]}
        if here
        else _("You now act for no account.")
    )
    warn(request, title, text, back)
    return typed.lead_to(request, page)


def current_membership(request: HttpRequest) -> Membership | None:
    """Return the membership chosen in this session, else the one chosen last, else the first."""
    memberships: list[Membership] = request.memberships  # type: ignore[attr-defined]
    return (
        memberships[0].user.acts_in(memberships, request.session.get("account"))
        if memberships
        else None
    )

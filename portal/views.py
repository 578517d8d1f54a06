"""Views outside the other apps: the start page, and all errors (HTML and JSON)."""

import logging
import sys
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal import api, logs, store, typed
from portal.http import next_url, posts_from
from portal.notices import inform, warn

log = logging.getLogger(__name__)
# A separate logger with its own limit, because a flood of requests causes its lines.
overload = logging.getLogger("portal.overload")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return redirect("general:start")


@login_not_required
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirect to the portal's own sign-in page; show 403 to people who may not open the admin."""
    if request.user.is_authenticated:
        return permission_denied(
            request, PermissionDenied(_("Only administrators of the portal may open these pages."))
        )
    return redirect_to_login(next_url(request, reverse("admin:index")))


@posts_from("portal:home")
def start_over(request: HttpRequest) -> HttpResponse:
    """Drop what was kept of a form, and show the form as it was last saved."""
    typed.forget(request, request.POST.get("page", ""))
    return redirect(next_url(request, reverse("portal:home")))


# --- Errors -------------------------------------------------------------------------------------


class Words(NamedTuple):
    """The texts of an error page: the title of the page, the heading of its card, a sentence."""

    title: Promise
    heading: Promise
    text: Promise | str


WORDS = {
    400: Words(
        gettext_lazy("Bad request"),
        gettext_lazy("The request cannot be understood"),
        gettext_lazy("The address or the form is not complete. Nothing was changed."),
    ),
    403: Words(
        gettext_lazy("Not allowed"),
        gettext_lazy("You may not do this"),
        gettext_lazy("You have no access to this page."),
    ),
    404: Words(
        gettext_lazy("Page not found"),
        gettext_lazy("There is no such page"),
        gettext_lazy(
            "The address may be mistyped, or what it led to belongs to another account. Nothing "
            "was changed."
        ),
    ),
    405: Words(
        gettext_lazy("Not possible"),
        gettext_lazy("This address opens no page"),
        gettext_lazy("It belongs to a button of another page. Nothing was changed."),
    ),
    413: Words(
        gettext_lazy("Too large"),
        gettext_lazy("The form is too large"),
        gettext_lazy("Shorten what you entered and send it again. Nothing was changed."),
    ),
}
FORM_EXPIRED = Words(
    gettext_lazy("Form expired"),
    gettext_lazy("The form has expired"),
    gettext_lazy("Go back, reload the page and send it again. Nothing was changed."),
)


def page(
    request: HttpRequest, status: int, words: Words | None = None, **context: Any
) -> HttpResponse:
    """Return an error page in the frame of the portal, with no menu entry marked as current."""
    request.resolver_match = None
    # Kept forms are for the page on which they were typed.
    request.kept = None  # type: ignore[attr-defined]
    context |= {"words": words or WORDS[status], "status": status}
    return render(request, "error.html", context, status=status)


def page_alone(title: str, text: str, status: int) -> str:
    """Return an error page that needs no session, database query or script."""
    context = {"title": title, "text": text, "status": int(status), "brand": settings.BRAND}
    return render_to_string("error_alone.html", context)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return 400, or 413 if the request was too large."""
    if isinstance(exception, (RequestDataTooBig, TooManyFieldsSent)):
        if api.is_api(request):
            return api.error(413, "SYS_413", _("The request is too large."))
        return page(request, 413)
    if api.is_api(request):
        return api.error(400, "SYS_400", _("The request cannot be understood."))
    return page(request, 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return 403 with the reason given by the exception, if any."""
    if api.is_api(request):
        return api.error(403, "AUTH_003", _("The request is not allowed."))
    reason = str(exception or "")
    words = WORDS[403]._replace(text=reason) if reason else WORDS[403]
    return page(request, 403, words, offers_accounts=True)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Handle a form with an old CSRF token or none.

    If it came from a page of the portal, show the form again with its text; else refuse it.
    """
    if not typed.is_from_here(request):
        return page(request, 403, FORM_EXPIRED)
    owner = typed.read_owner(request)
    match = request.resolver_match
    if owner is None and match and not getattr(match.func, "login_required", True):
        # A page made for nobody, such as the sign-in page, is shown again. It redirects people who
        # have signed in by now.
        inform(
            request,
            _("This page was too old."),
            _("Nothing was sent. Please press the button again."),
        )
        request.method = "GET"
        shown: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return (
            shown if shown.status_code != 405 else typed.lead_to(request, typed.form_page(request))
        )
    if owner is None:
        return page(request, 403, FORM_EXPIRED)
    if not request.user.is_authenticated:
        typed.keep(request, typed.ENDED, owner.person)
        return typed.lead_to(request, redirect_to_login(typed.form_page(request)).url)
    if owner.person == str(request.user.pk):
        typed.keep(request, typed.STALE, owner.person)
    else:
        email = request.user.get_username()
        text = _("The page was opened by somebody else. Nothing was changed.")
        warn(request, _("You are signed in as %(email)s.") % {"email": email}, text)
    return typed.lead_to(request, typed.form_page(request))


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if api.is_api(request):
        return api.error(404, "NFND_000", _("There is no such address."))
    # Set by the accounts app: another account of the person that does have what was asked for.
    return page(request, 404, account=getattr(exception, "account", None), offers_accounts=True)


def method_not_allowed(request: HttpRequest, allowed: Iterable[str]) -> HttpResponse:
    """Return 405 with the allowed methods."""
    response = (
        api.error(405, "SYS_405", _("The method is not allowed here."))
        if api.is_api(request)
        else page(request, 405)
    )
    response["Allow"] = ", ".join(allowed)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 500, or 503 if the database is busy, without database, session or context processors.

    All uncaught exceptions of views and middleware end up here, which is why a busy database is
    handled here.
    """
    if store.is_busy(sys.exception()):
        stop = request.META.get(store.STOP)
        if not (stop and stop.is_wanted):
            log.warning("The database could not serve %s %s in time.", request.method, request.path)
        return busy(request)
    number = logs.request_id.get()
    log.error("The error on %s was shown under the number %s.", request.path, number)
    if api.is_api(request):
        return api.error(
            500,
            "SYS_001",
            _("Something broke on our side. It was recorded under the number %(number)s.")
            % {"number": number},
        )
    text = _(
        "It was recorded under the number %(number)s. Try again, or tell your administrator this "
        "number."
    )
    return HttpResponse(
        page_alone(_("Something broke on our side"), text % {"number": number}, 500), status=500
    )


def busy(request: HttpRequest) -> HttpResponse:
    """Return 503 for a request not served in time; needs as little as `server_error`."""
    if api.is_api(request):
        text = _("The portal is busy. Nothing was changed; try again in a moment.")
        response = api.error(503, "SYS_503", text)
    else:
        text = _(
            "Your request could not be served in time. Nothing was changed. Wait a moment, then "
            "try again; a narrower filter answers sooner."
        )
        response = HttpResponse(page_alone(_("The portal is busy"), text, 503), status=503)
    response["Retry-After"] = str(store.RETRY_AFTER)
    return response


def bare_error(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """Return a response to a request that the server refuses before any middleware.

    It needs no session and no database query.
    """
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return server_error(request)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        overload.warning("No thread in time, or no room, for %s %s.", request.method, request.path)
        return busy(request)
    if api.is_api(request):
        return api.error(status, f"SYS_{status}", bare_text(status))
    return HttpResponse(bare_page(status), status=status)


def bare_text(status: HTTPStatus) -> str:
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return _("The request is too large.")
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return _("The request took too long to arrive.")
    return _("The request cannot be understood.")


@cache
def bare_page(status: HTTPStatus) -> str:
    return page_alone(bare_text(status), _("Nothing was changed."), status)

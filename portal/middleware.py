"""Middleware for every request: ids, headers, limits, health checks and the public API."""

import re
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import resolve

from portal import api, logs, readiness, store, typed, views
from portal.http import GetResponse, View, client_scheme, current_request

# Everything a page needs comes from the portal itself; nothing is inline.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# JSON, files and plain errors load nothing when a browser opens them as a page.
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"


def request_ids(get_response: GetResponse) -> GetResponse:
    """Give each request an id for its log lines and its response. Ids from clients are ignored."""

    def middleware(request: HttpRequest) -> HttpResponse:
        number = logs.new_request_id()
        before, request_before = logs.request_id.set(number), current_request.set(request)
        try:
            response = get_response(request)
        finally:
            logs.request_id.reset(before)
            current_request.reset(request_before)
        response.headers["X-Request-ID"] = number
        return response

    return middleware


class SecurityHeadersMiddleware(SecurityMiddleware):
    """Adds the security headers to every response, whether from a view, middleware or the server.

    Django's own SecurityMiddleware, further in, redirects to https.
    """

    def process_request(self, request: HttpRequest) -> None:
        return None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        # Django's debug pages have inline styles.
        if not (settings.DEBUG and response.status_code in {404, 500}):
            # A view may have a stricter one.
            response.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else DATA_POLICY)
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["X-Frame-Options"] = "DENY"
        return response


class CompressionMiddleware(GZipMiddleware):
    """Compresses pages and JSON requested by GET.

    Keys occur only in responses to POST, so no compressed response has one next to text that an
    attacker may have chosen (BREACH). The CSRF token is masked differently in every response.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "")
        if request.method != "GET" or not kind.startswith(("text/html", "application/json")):
            return response
        return super().process_response(request, response)


HEALTH, READY = "/healthz", "/readyz"


def health(get_response: GetResponse) -> GetResponse:
    """Answer the health checks of load balancers, which use any Host and plain http.

    HEALTH says that the process responds, without using the database. READY says whether it can
    serve requests, or which part is failing.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in {HEALTH, READY}:
            return get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        if request.path_info == HEALTH:
            response = HttpResponse("ok", content_type="text/plain")
        else:
            failing = readiness.failing()
            response = api.json_response(
                {"ready": not failing, "failing": failing}, 503 if failing else 200
            )
        response.headers["Cache-Control"] = "no-store"
        return response

    return middleware


def scheme_of_the_client(get_response: GetResponse) -> GetResponse:
    """Set `request.scheme`, on which redirects, cookies and the gate rely, to the client's scheme.

    Django's SECURE_PROXY_SSL_HEADER trusts the leftmost entry of a list, which the client writes.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        request.META["wsgi.url_scheme"] = client_scheme(request)
        return get_response(request)

    return middleware


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})


def known_methods(get_response: GetResponse) -> GetResponse:
    """Refuse TRACE and unknown methods, which Django's views treat as GET; give 405 a page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # Resources of the API list their allowed methods themselves.
        if request.method not in METHODS and not api.is_api(request):
            return views.method_not_allowed(request, sorted(METHODS))
        response = get_response(request)
        if response.status_code == 405 and not response.content:
            return views.method_not_allowed(request, [response["Allow"]])
        return response

    return middleware


def time_limit(get_response: GetResponse) -> GetResponse:
    """Limit how long the database statements of a request may run."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with store.time_limit(request.META.get(store.STOP)):
            return get_response(request)

    return middleware


def no_nul(get_response: GetResponse) -> GetResponse:
    """Refuse NUL bytes in paths and cookies: on PostgreSQL, a lookup with one is an error.

    The portal's forms refuse them with a message at the field, and `admin_input` covers the admin.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or any("\0" in value for value in request.COOKIES.values()):
            return views.bad_request(request)
        return get_response(request)

    return middleware


def public_api(get_response: GetResponse) -> GetResponse:
    """Serve the public API before the middleware for browsers: sessions, cookies, CSRF, pages."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not api.is_api(request):
            return get_response(request)
        # Raises DisallowedHost for a wrong Host, as Django's CommonMiddleware does for pages.
        request.get_host()
        match = resolve(request.path_info)
        request.resolver_match = match
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return response

    return middleware


# More characters than the query string of any link in the admin.
ADMIN_QUERY = 1000
# Each word of a search adds a term to the query for every searched column.
ADMIN_WORDS = 20
# The lookups that the filters of the admin use. Django would accept any other for any column, and
# some raise errors: a year of 99999999999, a range without an end, a pattern with a bracket.
ADMIN_LOOKUPS = frozenset({"exact", "isnull"})
# A year outside 1900 to 2099: near the ends of the calendar, a moment may not exist in every zone.
FAR_MOMENT = re.compile(r"\s*(?!(19|20)[0-9]{2}-)[0-9]{4,}-")


def offered_by_admin(name: str, value: str) -> bool:
    """Tell whether the admin's own pages could have made a filter of its query string."""
    _column, separator, lookup = name.rpartition("__")
    return (not separator or lookup in ADMIN_LOOKUPS) and not FAR_MOMENT.match(value)


def admin_input(get_response: GetResponse) -> GetResponse:
    """Refuse what Django's admin would pass to the database unchecked.

    That is NUL bytes, very long searches, and lookups that its pages do not offer.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/admin/"):
            query = request.META["QUERY_STRING"]
            words = request.GET.get("q", "").split()
            if (
                "%00" in query
                or len(query) > ADMIN_QUERY
                or len(words) > ADMIN_WORDS
                or not all(
                    offered_by_admin(name, value)
                    for name, values in request.GET.lists()
                    for value in values
                )
                or any("\0" in value for _, values in request.POST.lists() for value in values)
            ):
                return views.bad_request(request)
        return get_response(request)

    return middleware


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Makes views private by default, and never shows the sign-in page inside a table.

    htmx would follow a redirect and swap in its page; `HX-Redirect` navigates the browser instead.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: View,
        view_args: Any,
        view_kwargs: Any,
    ) -> Any:
        # Django's version reads the user first, which loads the session even for public pages and
        # API calls.
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(  # type: ignore[override]  # the stub allows a redirect only
        self, request: HttpRequest, view_func: View
    ) -> HttpResponseBase:
        if api.is_api(request):
            return views.page_not_found(request)
        if request.method in {"GET", "HEAD"}:
            return typed.lead_to(request, redirect_to_login(request.get_full_path()).url)
        owner = typed.read_owner(request)
        person = owner.person if owner else getattr(request, "ended_person", "")
        if person:
            typed.keep(request, typed.ENDED, person)
        # The action of a form is often not a page: return to the page with the form.
        return typed.lead_to(request, redirect_to_login(typed.form_page(request)).url)


class KeptFormsMiddleware:
    """Sets `request.kept` if a form of the page was kept, and forgets it once it is accepted."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (
            getattr(request, "takes_forms", False)
            and 300 <= response.status_code < 400
            and not hasattr(request, "was_kept")
        ):
            typed.forget(request, request.path)
        return response

    def process_view(self, request: HttpRequest, view: View, args: Any, kwargs: Any) -> None:
        if not getattr(view, "login_required", True) or not request.user.is_authenticated:
            return
        request.takes_forms = request.method == "POST"  # type: ignore[attr-defined]
        if request.method == "GET":
            request.kept = typed.look_up(request)  # type: ignore[attr-defined]

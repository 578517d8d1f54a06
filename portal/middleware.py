"""Rules for every request."""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import resolve

from portal import api, logs, readiness, store, typed, views
from portal.http import client_scheme, current_request

Next = Callable[[HttpRequest], HttpResponse]


# Everything a page needs comes from the portal, and nothing is written into the page itself.
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
# JSON, files and bare errors load nothing when somebody opens them as a page.
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"


def request_ids(get_response: Next) -> Next:
    """Give each request a number, which the lines of the log and the answer carry. One from outside is not taken over."""

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
    """What every answer tells the browser, whoever made it: a view, a middleware, the server.

    Django's own middleware, further in, redirects to https.
    """

    def process_request(self, request: HttpRequest) -> None:
        return None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        # Django's debug pages bring their own style sheet.
        if not (settings.DEBUG and response.status_code in {404, 500}):
            response.headers["Content-Security-Policy"] = PAGE_POLICY if is_page else DATA_POLICY
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["X-Frame-Options"] = "DENY"
        return response


class CompressionMiddleware(GZipMiddleware):
    """Compress pages and lists that were asked for by GET.

    A key is only ever in an answer to POST, so no compressed answer holds one beside text that
    somebody else may have chosen (BREACH). The CSRF token is masked anew in every answer.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "")
        if request.method != "GET" or not kind.startswith(("text/html", "application/json")):
            return response
        return super().process_response(request, response)


HEALTH, READY = "/healthz", "/readyz"


def health(get_response: Next) -> Next:
    """Tell load balancers about the portal: they come by any Host and on plain http.

    HEALTH says that the process answers, and touches nothing. READY says whether it can serve, or
    which part is missing.
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
            response = api.json_response({"ready": not failing, "failing": failing}, 503 if failing else 200)
        response.headers["Cache-Control"] = "no-store"
        return response

    return middleware


def scheme_of_the_client(get_response: Next) -> Next:
    """Make `request.scheme`, and with it redirects, cookies and the gate, follow the client's scheme.

    Django's SECURE_PROXY_SSL_HEADER believes the left end of a list, which the client writes.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        request.META["wsgi.url_scheme"] = client_scheme(request)
        return get_response(request)

    return middleware


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})


def known_methods(get_response: Next) -> Next:
    """Refuses TRACE and every invented method, which Django's own views would answer like GET, and gives 405 a page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # Addresses of the API say themselves what they answer.
        if request.method not in METHODS and not api.is_api(request):
            return views.method_not_allowed(request, sorted(METHODS))
        response = get_response(request)
        if response.status_code == 405 and not response.content:
            return views.method_not_allowed(request, [response["Allow"]])
        return response

    return middleware


def time_limit(get_response: Next) -> Next:
    """Let no statement of a request run without end."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with store.time_limit():
            return get_response(request)

    return middleware


def no_nul(get_response: Next) -> Next:
    """Refuses NUL bytes where nobody else looks: PostgreSQL cannot store them, and a look-up with one is an error there.

    The portal's own forms refuse them with a word beside the field; paths, cookies and Django's admin do not.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or any("\0" in value for value in request.COOKIES.values()):
            return views.bad_request(request)
        return get_response(request)

    return middleware


def public_api(get_response: Next) -> Next:
    """Answers the public API before everything that is for browsers only: sessions, cookies, forms, pages and their policies."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not api.is_api(request):
            return get_response(request)
        # Refuses a host that is not ours, as Django's CommonMiddleware does for pages.
        request.get_host()
        match = resolve(request.path_info)
        request.resolver_match = match
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return response

    return middleware


# Longer than any address of the admin's own links.
ADMIN_QUERY = 1000
# Each word of a search becomes a term of the query for each column that is searched.
ADMIN_WORDS = 20
# The look-ups that the filters of the admin's own pages make; Django would take every other one too, for every column, and
# breaks on many: a year of 99999999999, a range without an end, a pattern with a bracket.
ADMIN_LOOKUPS = frozenset({"exact", "isnull"})
# A moment outside of these has none in some zone.
FAR_MOMENT = re.compile(r"\s*(?!(19|20)[0-9]{2}-)[0-9]{4,}-")


def offered_by_admin(name: str, value: str) -> bool:
    """Whether a filter in an address of the admin is one that its pages could have made."""
    _column, separator, lookup = name.rpartition("__")
    return (not separator or lookup in ADMIN_LOOKUPS) and not FAR_MOMENT.match(value)


def admin_input(get_response: Next) -> Next:
    """Refuses what Django's admin would hand to the database unchecked: NUL bytes, searches without end, look-ups nobody offered."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/admin/"):
            query = request.META["QUERY_STRING"]
            words = request.GET.get("q", "").split()
            if (
                "%00" in query
                or len(query) > ADMIN_QUERY
                or len(words) > ADMIN_WORDS
                or not all(offered_by_admin(name, value) for name, values in request.GET.lists() for value in values)
                or any("\0" in value for _, values in request.POST.lists() for value in values)
            ):
                return views.bad_request(request)
        return get_response(request)

    return middleware


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Private by default, and an expired session never puts the sign-in page inside a table.

    htmx follows a redirect and swaps what it finds; `HX-Redirect` makes the browser go there instead.
    """

    def process_view(self, request: HttpRequest, view_func: Callable[..., HttpResponseBase], view_args: Any, view_kwargs: Any) -> Any:
        # Django's own looks at the user first, which opens the session of every public page and API call.
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(  # type: ignore[override]  # the stub allows a redirect only
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if api.is_api(request):
            return views.page_not_found(request)
        if request.method in {"GET", "HEAD"}:
            return typed.lead_to(request, redirect_to_login(request.get_full_path()).url)
        owner = typed.read_owner(request)
        person = owner.person if owner else getattr(request, "ended_person", "")
        if person:
            typed.keep(request, typed.ENDED, person)
        # The address of a form's action is often no page: return to where the form was.
        return typed.lead_to(request, redirect_to_login(typed.form_page(request)).url)


class KeptFormsMiddleware:
    """Puts `kept` on the request of a page for which something typed was kept, and forgets it once the form is taken."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "takes_forms", False) and 300 <= response.status_code < 400 and not hasattr(request, "was_kept"):
            typed.forget(request, request.path)
        return response

    def process_view(self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any) -> None:
        if not getattr(view, "login_required", True) or not request.user.is_authenticated:
            return
        request.takes_forms = request.method == "POST"  # type: ignore[attr-defined]
        if request.method == "GET":
            request.kept = typed.look_up(request)  # type: ignore[attr-defined]

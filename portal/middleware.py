"""Rules for every request."""

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from portal import api, views

Next = Callable[[HttpRequest], HttpResponse]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})


def known_methods(get_response: Next) -> Next:
    """Refuses TRACE and every invented method: Django's own views would answer them like GET."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            response = views.method_not_allowed(request)
            response["Allow"] = ", ".join(sorted(METHODS))
            return response
        return get_response(request)

    return middleware


def admin_without_nul(get_response: Next) -> Next:
    """Refuses NUL bytes in addresses of the admin: PostgreSQL cannot store them and Django's change lists do not look.

    The portal's own forms say so themselves, beside the field.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/admin/") and "%00" in request.META["QUERY_STRING"]:
            return views.bad_request(request)
        return get_response(request)

    return middleware


def client_address(request: HttpRequest) -> str:
    """The address of the person or program, as far as it can be trusted.

    Only the entries that our own proxies wrote count; what stands left of them was sent by the client and may be a lie.
    """
    address: str = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if settings.TRUSTED_PROXIES and len(forwarded) >= settings.TRUSTED_PROXIES:
        address = forwarded[-settings.TRUSTED_PROXIES].strip()
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return "0.0.0.0"  # noqa: S104 (stands for "unknown" in records; nothing binds to it)


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
        htmx: HtmxDetails | None = getattr(request, "htmx", None)
        if htmx:
            page = urlsplit(htmx.current_url or "/")
            return HttpResponseClientRedirect(redirect_to_login(page.path + (f"?{page.query}" if page.query else "")).url)
        if request.method not in {"GET", "HEAD"}:
            # The address of a form's action is often no page: return to where the form was.
            page = urlsplit(request.headers.get("Referer", ""))
            same = page.netloc == request.get_host()
            return redirect_to_login(page.path if same else "/", redirect_field_name=REDIRECT_FIELD_NAME)
        return super().handle_no_permission(request, view_func)

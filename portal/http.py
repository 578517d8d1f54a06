"""Requests: their types, what was posted, and where they lead."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """A request after the middleware of a page."""

    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]


def posts_from(page: str) -> Callable[[View], View]:
    """Let a view answer POST only, and lead a GET of its address to the page that has the button.

    Reloading, the history and bookmarks open such addresses. `page` is a route that takes the same arguments.
    """

    def decorate(view: View) -> View:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return view(request, *args, **kwargs) if request.method == "POST" else redirect(page, *args, **kwargs)

        return inner

    return decorate


def posted(request: HttpRequest) -> QueryDict | None:
    """The data for a form: what was posted, even if empty, or None for a page that was only opened."""
    return request.POST if request.method == "POST" else None


def next_url(request: HttpRequest, default: str) -> str:
    """Where the form wants to return to (`next`), if that is a path of this portal; else `default`."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    # A path only: `redirect()` takes a bare word for the name of a view, and a full address has a host to check.
    if target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return target
    return default


def own_path(request: HttpRequest, address: str) -> str:
    """Path and query of an address that a browser sent (Referer, HX-Current-URL); `/` for another site's and for nonsense."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    if parts.netloc != request.get_host() or not url_has_allowed_host_and_scheme(parts.path, allowed_hosts=None):
        return "/"
    return parts.path + (f"?{parts.query}" if parts.query else "")


def whole(text: str | None, default: int) -> int:
    """A number from outside; what is no number, or has more digits than any database knows, is the default."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 15 else default

"""Types of requests, for the reader and for mypy."""

from urllib.parse import urlsplit

from django.http import HttpRequest, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """A request after the middleware of a page."""

    htmx: HtmxDetails


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

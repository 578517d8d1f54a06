"""Types of requests, for the reader and for mypy."""

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
    """Where the form wants to return to (`next`), if that is a page of this portal; else `default`."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return target
    return default

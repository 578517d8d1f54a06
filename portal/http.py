"""Requests: their types, where they come from, what was posted, and where to go next."""

import ipaddress
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails

from portal import logs

# Methods that change nothing.
READS = frozenset({"GET", "HEAD", "OPTIONS"})
# The most characters of the name of a program.
AGENT = 200


class Request(HttpRequest):
    """A request of a page, after the middleware."""

    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]
# What a middleware calls for the response.
GetResponse = Callable[[HttpRequest], HttpResponse]

# The request that this thread serves, for code that records where an action came from (see
# activity.recording).
current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)


def posts_from(page: str) -> Callable[[View], View]:
    """Let a view handle POST only, and redirect GET to the page that has the button.

    Reloads, the history and bookmarks open such URLs with GET. `page` is a route that takes the
    same arguments as the view.
    """

    def decorate(view: View) -> View:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return (
                view(request, *args, **kwargs)
                if request.method == "POST"
                else redirect(page, *args, **kwargs)
            )

        return inner

    return decorate


def posted(request: HttpRequest) -> QueryDict | None:
    """Return the data for a form: what was posted, even if empty, else what was kept earlier.

    None if there is neither. A view must check the method before it acts on valid data, because
    kept data comes with GET.
    """
    if request.method == "POST":
        return request.POST
    kept = getattr(request, "kept", None)
    data: QueryDict | None = kept.recall() if kept else None
    return data


def next_url(request: HttpRequest, default: str) -> str:
    """Return the `next` parameter of the request if it is a path of this portal, else `default`."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    # Only a path: `redirect()` takes a bare word for the name of a view, and a full URL has a host
    # to check.
    if target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return target
    return default


def own_path(request: HttpRequest, address: str) -> str:
    """Return path and query of a URL that a browser sent (Referer, HX-Current-URL).

    `/` if it belongs to another site or is malformed.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    if parts.netloc != request.get_host() or not url_has_allowed_host_and_scheme(
        parts.path, allowed_hosts=None
    ):
        return "/"
    return parts.path + (f"?{parts.query}" if parts.query else "")


def seconds_since(kept: Any, name: str) -> float | None:
    """Return the seconds since a moment that a session keeps as seconds since the epoch.

    None if it is absent, malformed or in the future.
    """
    moment = kept.get(name) if isinstance(kept, dict | SessionBase) else None
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        return None
    # No tolerance for the future: the same clock wrote it.
    passed = time.time() - moment
    return passed if passed >= 0 else None


def whole(text: str | None, default: int) -> int:
    """Return a whole number from outside, or the default if it is not one or has over 15 digits.

    More digits would not fit into a database column.
    """
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 15 else default


# --- What trusted proxies say -------------------------------------------------------------------

# Each proxy adds an entry on the right, so the last settings.TRUSTED_PROXIES entries can be
# trusted. Everything to the left of them was sent by the client and may be forged.


def client_address(request: HttpRequest) -> str | None:
    """Return the IP address of the person or program, or None if it is not known."""
    return address_in(request.META)


def client_agent(request: HttpRequest) -> str:
    """Return the program that sent a request, as it calls itself; `""` if it does not say.

    Fit to be stored: at most AGENT characters, without controls, keys masked.
    """
    return storable_agent(request.META.get("HTTP_USER_AGENT", ""))


# Programs call again and again under the same name, from the same address.
@lru_cache(maxsize=512)
def storable_agent(text: str) -> str:
    return logs.one_line(logs.mask(text))[:AGENT]


def client_network(meta: Mapping[str, Any]) -> str:
    """Return the network a client is counted under: an IPv4 address, or the /64 of an IPv6 one.

    A /64 is what one subscriber gets. `meta` is the WSGI environment. Empty if the address is not
    known.
    """
    address = address_in(meta) or ""
    return (
        str(ipaddress.IPv6Network(f"{address}/64", strict=False).network_address)
        if ":" in address
        else address
    )


def address_in(meta: Mapping[str, Any]) -> str | None:
    """Return the client's address from a WSGI environment, or None if it is not known.

    With fewer entries than trusted proxies, the request did not come through all of them, so the
    address of the connection counts.
    """
    if trusted := settings.TRUSTED_PROXIES:
        entries = forwarded(meta, "X_FORWARDED_FOR", "for")
        if len(entries) >= trusted:
            return ip_address(entries[-trusted])
    return ip_address(meta.get("REMOTE_ADDR", ""))


def client_scheme(request: HttpRequest) -> str:
    """Return the scheme, `http` or `https`, by which the client reached the outermost proxy.

    Proxies often overwrite the scheme instead of adding to it, so one entry is enough. Without an
    entry, the scheme of the connection counts.
    """
    entries = forwarded(request.META, "X_FORWARDED_PROTO", "proto")
    if not settings.TRUSTED_PROXIES or not entries:
        return str(request.META["wsgi.url_scheme"])
    return "https" if entries[-settings.TRUSTED_PROXIES :][0].lower() == "https" else "http"


def forwarded(meta: Mapping[str, Any], name: str, parameter: str) -> list[str]:
    """Return the entries of an `X-Forwarded-…` header, else those of `Forwarded` (RFC 7239).

    `Forwarded` counts only if there is no `X-Forwarded-…`: a client could add the one of the two
    that its proxies leave alone. Empty entries are ignored (RFC 9110, 5.6.1).
    """
    if not any(f"HTTP_{given}" in meta for given in ("X_FORWARDED_FOR", "X_FORWARDED_PROTO")):
        # Addresses and schemes contain no commas, not even in quotes, so this splits our own
        # proxies' elements correctly whatever quotes a client left open before them.
        elements = filter(str.strip, meta.get("HTTP_FORWARDED", "").split(","))
        return [forwarded_parameter(element, parameter) for element in elements]
    entries = meta.get(f"HTTP_{name}", "").split(",")
    return [entry.strip() for entry in entries if entry.strip()]


def forwarded_parameter(element: str, wanted: str) -> str:
    """Return a parameter of an element of `Forwarded`, such as `For="[::1]:80";proto=https`.

    An empty string if the element lacks it.
    """
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == wanted:
            return value.strip().strip('"')
    return ""


@lru_cache(maxsize=2048)
def ip_address(text: str) -> str | None:
    """Return the address in `192.0.2.7`, `192.0.2.7:443`, `2001:db8::7` or `[2001:db8::7]:443`.

    None for anything else, such as `unknown`. An IPv4-mapped IPv6 address becomes IPv4.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)

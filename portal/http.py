"""Requests: their types, where they come from, what was posted, and where they lead."""

import ipaddress
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """A request after the middleware of a page."""

    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]

# The request that this thread answers, for what must know where an action came from (see activity.recording).
current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)


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
    """The data for a form: what was posted, even if empty, or what was kept of an earlier try; None if there is neither.

    A view must look at the method before it acts on valid data: kept data comes with GET.
    """
    if request.method == "POST":
        return request.POST
    kept = getattr(request, "kept", None)
    data: QueryDict | None = kept.recall() if kept else None
    return data


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


def seconds_since(kept: Any, name: str) -> float | None:
    """How long ago a moment is that a session keeps in seconds; None for none, for nonsense and for one ahead of the clock."""
    moment = kept.get(name) if isinstance(kept, dict | SessionBase) else None
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        return None
    # Not a second ahead: the same clock wrote it.
    passed = time.time() - moment
    return passed if passed >= 0 else None


def whole(text: str | None, default: int) -> int:
    """A number from outside; what is no number, or has more digits than any database knows, is the default."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 15 else default


# --- What trusted proxies say -------------------------------------------------------------------

# Each proxy adds an entry on the right, so the last settings.TRUSTED_PROXIES entries are true and
# what stands left of them was sent by the client and may be a lie.


def client_address(request: HttpRequest) -> str | None:
    """Return the IP address of the person or program, or None if our own proxy does not tell it."""
    return address_in(request.META)


def client_network(meta: Mapping[str, Any]) -> str:
    """Return what an address is counted under: IPv4 as it is, of IPv6 the /64 that one line gets.

    `meta` is the WSGI environment. Empty if the address cannot be told.
    """
    address = address_in(meta) or ""
    return str(ipaddress.IPv6Network(f"{address}/64", strict=False).network_address) if ":" in address else address


def address_in(meta: Mapping[str, Any]) -> str | None:
    """Return the client's address in a WSGI environment.

    With fewer entries than trusted proxies the request did not come through all of them, so the
    address of the connection counts.
    """
    entries = forwarded(meta, "X_FORWARDED_FOR", "for")
    if settings.TRUSTED_PROXIES and len(entries) >= settings.TRUSTED_PROXIES:
        return ip_address(entries[-settings.TRUSTED_PROXIES])
    return ip_address(meta.get("REMOTE_ADDR", ""))


def client_scheme(request: HttpRequest) -> str:
    """Return `http` or `https`: how the client reached the outermost trusted proxy, as far as told.

    Proxies often overwrite the scheme instead of adding to it, so one entry is enough.
    """
    entries = forwarded(request.META, "X_FORWARDED_PROTO", "proto")
    if not settings.TRUSTED_PROXIES or not entries:
        return str(request.META["wsgi.url_scheme"])
    return "https" if entries[-settings.TRUSTED_PROXIES :][0].lower() == "https" else "http"


def forwarded(meta: Mapping[str, Any], name: str, parameter: str) -> list[str]:
    """Return the entries of an `X-Forwarded-…` header, else those of `Forwarded` (RFC 7239).

    `Forwarded` counts only where proxies send no `X-Forwarded-…`: of the two, a client could add
    the one that they leave alone. Empty entries are no entries (RFC 9110, 5.6.1).
    """
    if not any(f"HTTP_{given}" in meta for given in ("X_FORWARDED_FOR", "X_FORWARDED_PROTO")):
        # Neither addresses nor schemes contain commas, not even quoted, so this reads our own
        # proxies' elements right whatever quotes a client left open before them.
        elements = filter(str.strip, meta.get("HTTP_FORWARDED", "").split(","))
        return [forwarded_parameter(element, parameter) for element in elements]
    entries = meta.get(f"HTTP_{name}", "").split(",")
    return [entry.strip() for entry in entries if entry.strip()]


def forwarded_parameter(element: str, wanted: str) -> str:
    """Return a parameter of an element of `Forwarded`, or nothing: `For="[::1]:80";proto=https`."""
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == wanted:
            return value.strip().strip('"')
    return ""


def ip_address(text: str) -> str | None:
    """Return the address in `192.0.2.7`, `192.0.2.7:443`, `2001:db8::7`, `[2001:db8::7]:443`.

    None for anything else, such as `unknown`. IPv4 written as IPv6 becomes IPv4 again.
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

"""The portal's own URLs, and those of the peers twice.

Once among the API's, behind exactly its middleware, and once among the pages', behind all
middleware.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import include, path

from modules.urls import urlpatterns as public

# Django looks for them here.
from portal.urls import handler400, handler403, handler404, handler500  # noqa: F401
from portal.urls import urlpatterns as portal
from tests.bench import gate, peers

VIEWS = {
    "ungated": login_not_required(gate.ungated),
    "plain": login_not_required(peers.plain),
    "plain-uncounted": login_not_required(peers.plain_uncounted),
    "drf-token": peers.DrfToken.as_view(),
    "drf-knox": peers.Knox.as_view(),
    "drf-api-key": peers.ApiKey.as_view(),
    "ninja": login_not_required(peers.ninja),
}


def rendered(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """Render the response in the view, as calls of the portal's API may bypass Django's handler."""

    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = view(request)
        return response.render() if isinstance(response, SimpleTemplateResponse) else response

    return inner


# Directly after the resource they are compared with, so that both take the same time to resolve.
after = next(number for number, pattern in enumerate(public, 1) if pattern.name == "agreements")
public[after:after] = [
    path(f"bench/{name}", rendered(view) if name.startswith("drf") else view)
    for name, view in VIEWS.items()
]
urlpatterns = [path("bench/", include([path(name, view) for name, view in VIEWS.items()])), *portal]

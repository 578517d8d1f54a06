"""CORS: pages of the origins in API_ALLOWED_ORIGINS may call the API (Fetch standard).

They can reach nothing but the API, and never with cookies: they authenticate with a key in the
Authorization header only.
"""

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from portal import api
from portal.http import GetResponse

METHODS = "GET, HEAD, POST, PUT, DELETE"
REQUEST_HEADERS = "Authorization, Content-Type"
# Response headers that a page may read.
ANSWER_HEADERS = (
    "Allow, Content-Range, Deprecation, Link, RateLimit, RateLimit-Policy, Retry-After, Sunset, "
    "WWW-Authenticate, X-Ignored-Filters, X-Request-ID"
)
# How long a browser may cache the response to a preflight.
PREFLIGHT_SECONDS = 600


def allow_origins(get_response: GetResponse) -> GetResponse:
    """Answer preflights, which carry no key, and let pages of allowed origins read responses."""
    if not settings.API_ALLOWED_ORIGINS:
        raise MiddlewareNotUsed

    def middleware(request: HttpRequest) -> HttpResponse:
        if not api.is_api(request):
            return get_response(request)
        origin = request.headers.get("Origin", "")
        allowed = origin in settings.API_ALLOWED_ORIGINS
        preflight = (
            request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        )
        response = HttpResponse(status=204) if allowed and preflight else get_response(request)
        patch_vary_headers(response, ["Origin"])
        if allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = ANSWER_HEADERS
        if allowed and preflight:
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
            response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        return response

    return middleware

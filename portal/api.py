"""What every answer below `/public/` has in common. CloudBlue's clients depend on these shapes."""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

PREFIX = "/public/"


def is_api(request: HttpRequest) -> bool:
    """Whether a program asks, so that errors are JSON and never a page."""
    return request.path_info.startswith(PREFIX)


def endpoint(request: HttpRequest) -> str:
    """Return the base address of the API, as this person reaches the portal."""
    return request.build_absolute_uri(f"{PREFIX}v1")


def json_response(data: Any, status: int = 200) -> HttpResponse:
    """JSON as CloudBlue's clients want it: exactly `application/json`, without a charset, and moments to the second."""
    # What JSON has no type for, such as a decimal, is written as text.
    body = orjson.dumps(data, default=str, option=orjson.OPT_OMIT_MICROSECONDS)
    return HttpResponse(body, status=status, headers={"Content-Type": "application/json", "Content-Length": str(len(body))})


def error(status: int, code: str, *messages: str) -> HttpResponse:
    """The one error body of the API. `errors` are strings: objects crash the official Python client."""
    response = json_response({"error_code": code, "errors": [str(message) for message in messages]}, status)
    response.headers["Vary"] = "Authorization"
    response.headers["Cache-Control"] = "no-store"
    return response

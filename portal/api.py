"""What all responses below `/public/` have in common. CloudBlue's clients rely on their format."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from portal.text import json_bytes

PREFIX = "/public/"


def is_api(request: HttpRequest) -> bool:
    """Tell whether a request is a call of the API, so that errors are JSON and never a page."""
    return request.path_info.startswith(PREFIX)


def endpoint(request: HttpRequest) -> str:
    """Return the base URL of the API at the host by which this person reaches the portal."""
    return request.build_absolute_uri(f"{PREFIX}v1")


def json_response(data: Any, status: int = 200) -> HttpResponse:
    """Return a JSON response in the format that CloudBlue's clients expect.

    Content-Type is exactly `application/json`, without a charset; times have no microseconds.
    """
    body = json_bytes(data)
    return HttpResponse(
        body,
        status=status,
        headers={"Content-Type": "application/json", "Content-Length": str(len(body))},
    )


def error(status: int, code: str, *messages: str) -> HttpResponse:
    """Return an error response; all errors of the API have this body.

    `errors` are strings because objects crash the official Python client.
    """
    response = json_response(
        {"error_code": code, "errors": [str(message) for message in messages]}, status
    )
    response.headers["Vary"] = "Authorization"
    response.headers["Cache-Control"] = "no-store"
    return response

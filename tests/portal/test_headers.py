"""Every answer carries the right policy: every route, person, content type and layer."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from pytest_django import Settings

from portal.middleware import DATA_POLICY, PAGE_POLICY
from tests.conftest import Person, Response, undone
from tests.factories import header
from tests.portal.routes import API, NOTHING, PAGES, address, routes
from tokens.models import Token, TokenDraft

COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW")


def guarded(response: Response) -> Response:
    is_page = response["Content-Type"].startswith("text/html")
    policy = response.headers.get("Content-Security-Policy")
    assert policy == (PAGE_POLICY if is_page else DATA_POLICY), response
    assert {name: response.headers.get(name) for name in COMMON} == COMMON, response
    if response.streaming:
        b"".join(response)  # closes the file
    return response


def test_policies_close_what_is_not_needed() -> None:
    assert DATA_POLICY == "default-src 'none'; frame-ancestors 'none'"
    for part in (
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ):
        assert part in PAGE_POLICY
    assert "unsafe" not in PAGE_POLICY


@pytest.mark.parametrize("route", sorted(PAGES))
def test_every_page_for_everybody_by_every_method(
    route: str, michael: Person, adrian: Person, token: Token
) -> None:
    draft = TokenDraft.objects.create(account=michael.account, owner=michael.user, name="Draft")
    path = address(route, token, draft)
    for method in METHODS:
        for client in (Client(), adrian.client, michael.client):
            with undone(client):
                guarded(client.generic(method, path))


@pytest.mark.parametrize("route", sorted(API))
def test_every_address_of_the_api_by_every_method(route: str, client: Client, token: Token) -> None:
    collection = f"/public/v1/{route.replace('<parent>', token.pk)}"
    keys = ("", header(token))
    for method, path, key in product(METHODS, (collection, f"{collection}/NO-000-000"), keys):
        with undone():
            response = guarded(client.generic(method, path, headers={"authorization": key}))
            assert response["Content-Type"] == "application/json" or not response.content


def test_no_route_is_left_out() -> None:
    assert {name for name, _ in routes(get_resolver()) if not name.startswith("api:")} <= set(PAGES)
    assert NOTHING.startswith("api:")


@pytest.mark.parametrize(
    ("status", "ask"),
    [
        (400, lambda client: client.get("/sign-in/", headers={"host": "evil.example"})),
        (400, lambda client: client.get("/public/v1/accounts", headers={"host": "evil.example"})),
        (400, lambda client: client.get("/integrations/%00/")),
        (404, lambda client: client.get("/nope")),
        (404, lambda client: client.get("/public/nope")),
        (404, lambda client: client.get("/static/nope.css")),
        (405, lambda client: client.generic("TRACE", "/")),
        (405, lambda client: client.generic("TRACE", "/static/css/base.css")),
        (413, lambda client: client.post("/sign-in/", {f"field{n}": "x" for n in range(5000)})),
        (413, lambda client: client.post("/sign-in/", {"name": "x" * 2_000_000})),
        (403, lambda client: Client(enforce_csrf_checks=True).post("/sign-in/")),
        (302, lambda client: client.get("/")),
        (405, lambda client: client.post("/healthz")),
        (200, lambda client: client.get("/healthz")),
        (200, lambda client: client.get("/readyz")),
        (200, lambda client: client.get("/static/css/base.css")),
        (200, lambda client: client.get("/static/icons.svg")),
        (200, lambda client: client.get("/public/v1/openapi.json")),
    ],
)
def test_answers_of_every_layer(
    client: Client, db: None, status: int, ask: Callable[[Client], Response]
) -> None:
    assert guarded(ask(client)).status_code == status


def test_the_redirect_to_https(db: None, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    client = Client()
    assert guarded(client.get("/sign-in/")).status_code == 301
    assert guarded(client.get("/sign-in/", headers={"host": "evil.example"})).status_code == 400


@pytest.mark.parametrize("path", ["/integrations/tokens/", "/public/v1/agreements"])
@pytest.mark.parametrize(
    "where",
    [
        "tokens.models.TokenQuerySet.visible_to api.answers.compiled",
        "django.contrib.sessions.middleware.SessionMiddleware.process_request "
        "portal.middleware.resolve",
    ],
)
def test_failures_of_views_and_of_middleware(
    monkeypatch: pytest.MonkeyPatch, michael: Person, token: Token, path: str, where: str
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    for name in where.split():
        monkeypatch.setattr(name, fail)
    client = Client(raise_request_exception=False)
    client.cookies = michael.client.cookies
    assert guarded(client.get(path, headers={"authorization": header(token)})).status_code == 500


@pytest.mark.parametrize(
    "path", ["/sign-in/", "/public/v1/accounts", "/nope", "/static/css/base.css"]
)
@pytest.mark.parametrize(
    ("subdomains", "preload", "expected"),
    [
        (False, False, "max-age=31536000"),
        (True, False, "max-age=31536000; includeSubDomains"),
        (True, True, "max-age=31536000; includeSubDomains; preload"),
    ],
)
def test_hsts_is_as_wide_as_the_operator_says(
    db: None, settings: Settings, path: str, subdomains: bool, preload: bool, expected: str
) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS, settings.SECURE_HSTS_PRELOAD = subdomains, preload
    client = Client()
    assert guarded(client.get(path, secure=True))["Strict-Transport-Security"] == expected
    assert "Strict-Transport-Security" not in guarded(client.get(path)).headers

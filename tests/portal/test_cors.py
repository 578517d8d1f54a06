"""Pages of other origins may call the API only if the setting names them, never with cookies."""

from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.factories import TokenFactory, header
from tokens.models import Policy

APP, OTHER = "https://app.example", "https://other.example"
ALLOW = "Access-Control-Allow-Origin"
PREFLIGHT = {
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
}


@pytest.fixture
def browser(settings: Settings, db: None) -> Client:
    settings.API_ALLOWED_ORIGINS = [APP]
    return Client()


def test_it_is_off_by_default(db: None) -> None:
    assert configured.API_ALLOWED_ORIGINS == []
    response = Client().options("/public/v1/agreements", headers={"Origin": APP, **PREFLIGHT})
    assert response.status_code == 401
    assert not [name for name in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "path",
    [
        "/public/v1/agreements",
        "/public/v1/agreements/AGP-1",
        "/public/v1/openapi.json",
        "/public/v1/nope",
    ],
)
def test_a_preflight_needs_no_key(browser: Client, path: str) -> None:
    response = browser.options(path, headers={"Origin": APP, **PREFLIGHT})
    assert (response.status_code, response.content) == (204, b"")
    assert response[ALLOW] == APP
    assert response["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert set(response["Access-Control-Allow-Methods"].split(", ")) == {
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
    }
    assert "Origin" in response["Vary"]
    assert "Access-Control-Allow-Credentials" not in response


def test_a_page_can_read_what_the_gate_tells_of_limits_and_old_keys(browser: Client) -> None:
    token = TokenFactory()
    Policy.objects.create(account=token.account, rate=60, burst=1)
    old = header(token)
    token.renew(by=None, until=timezone.now() + timedelta(days=1))
    for status in (200, 429):
        response = browser.get(
            "/public/v1/agreements", headers={"Origin": APP, "Authorization": old}
        )
        assert response.status_code == status
        told = {"Deprecation", "Sunset", "Link", "RateLimit", "RateLimit-Policy", "X-Request-ID"}
        shown = {*response["Access-Control-Expose-Headers"].split(", ")}
        assert told & {*response.headers} <= shown
        assert {"RateLimit", "X-Request-ID"} <= {*response.headers}


@pytest.mark.parametrize("key", [None, "ApiKey nonsense"])
def test_a_page_can_read_answers_and_errors(browser: Client, key: str | None) -> None:
    token = TokenFactory()
    response = browser.get(
        "/public/v1/agreements?nope=1",
        headers={"Origin": APP, "Authorization": key or header(token)},
    )
    assert response.status_code == (401 if key else 200)
    assert response[ALLOW] == APP
    assert {"Content-Range", "X-Ignored-Filters", "Retry-After"} <= set(
        response["Access-Control-Expose-Headers"].split(", ")
    )
    assert {"Authorization", "Origin"} <= set(response["Vary"].split(", "))
    assert "Access-Control-Allow-Credentials" not in response


@pytest.mark.parametrize(
    "origin",
    [
        OTHER,
        "null",
        "https://app.example.evil.example",
        "http://app.example",
        "HTTPS://APP.EXAMPLE",
        "",
    ],
)
def test_other_origins_get_nothing(browser: Client, origin: str) -> None:
    preflight = browser.options("/public/v1/agreements", headers={"Origin": origin, **PREFLIGHT})
    assert preflight.status_code == 401
    assert ALLOW not in preflight
    response = browser.get(
        "/public/v1/agreements", headers={"Origin": origin, "Authorization": header(TokenFactory())}
    )
    assert response.status_code == 200
    assert ALLOW not in response
    assert "Origin" in response["Vary"]


@pytest.mark.parametrize("path", ["/sign-in/", "/integrations/", "/healthz", "/admin/"])
def test_pages_for_people_are_for_no_other_origin(browser: Client, path: str) -> None:
    for method in ("get", "options"):
        response = getattr(browser, method)(path, headers={"Origin": APP, **PREFLIGHT})
        assert response.status_code != 204
        assert ALLOW not in response

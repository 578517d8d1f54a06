"""Pages and answers for errors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from portal import views
from tests.conftest import Person
from tests.factories import header
from tokens.models import Token


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Client:
    """Return a client of a portal whose views all fail."""

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("tokens.models.TokenQuerySet.visible_to", fail)
    monkeypatch.setattr("api.answers.compiled", fail)
    return Client(raise_request_exception=False)


def test_a_failure_shows_a_number_and_nothing_of_the_inside(
    broken: Client, michael: Person, caplog: pytest.LogCaptureFixture
) -> None:
    broken.cookies = michael.client.cookies
    response = broken.get("/integrations/tokens/")
    assert response.status_code == 500
    assert "Something broke on our side" in response.text
    assert "secret of the inside" not in response.text
    number = response["X-Request-ID"]
    assert f"under the number {number}." in caplog.text
    assert number in response.text


def test_a_failure_of_the_api_is_json(broken: Client, token: Token) -> None:
    response = broken.get("/public/v1/agreements", headers={"authorization": header(token)})
    assert response.status_code == 500
    assert response["Content-Type"] == "application/json"
    assert response.json()["error_code"] == "SYS_001"
    assert "secret of the inside" not in response.text


def test_the_page_for_nothing_is_in_the_frame_for_those_who_are_in(
    michael: Person, client: Client
) -> None:
    response = michael.client.get("/nope/")
    assert response.status_code == 404
    for part in ("There is no such page", "Go to Tokens", "Distributor - Michael Goldmill"):
        assert part in response.text
    assert 'aria-current="page"' not in response.text
    anonymous = client.get("/nope/")
    assert anonymous.status_code == 404
    assert "There is no such page" in anonymous.text


def test_a_looker_is_told_why_not(adrian: Person) -> None:
    response = adrian.client.get("/integrations/tokens/new/")
    assert response.status_code == 403
    assert "You may not do this" in response.text


@pytest.fixture
def nothing_collected(settings: Settings, tmp_path: Path) -> None:
    """Serve a production portal whose static files were never collected."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "portal.assets.HashedFiles"},
    }


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 500, 503])
def test_error_pages_need_no_static_files(
    nothing_collected: None, rf: RequestFactory, db: None, status: int
) -> None:
    from django.contrib.auth.models import AnonymousUser

    request: Any = rf.get("/")
    request.user, request.htmx = AnonymousUser(), False
    pages: dict[int, Callable[..., HttpResponse]] = {
        400: views.bad_request,
        403: views.csrf_failure,
        404: views.page_not_found,
        405: lambda request: views.method_not_allowed(request, ["GET"]),
        413: lambda request: views.bad_request(request, RequestDataTooBig()),
        500: views.server_error,
        503: views.busy,
    }
    answer = pages[status](request)
    assert answer.status_code == status
    assert "/static/css/base.css" in answer.text


def test_pages_show_without_static_files_too(
    nothing_collected: None, client: Client, michael: Person
) -> None:
    assert client.get("/sign-in/").status_code == 200
    assert michael.client.get("/nope/").status_code == 404


def test_a_page_of_debug_masks_what_any_variable_of_any_frame_holds(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, client: Client, db: None, token: Token
) -> None:
    url = "postgres://portal:hush%2Dhush@db.example:5432/portal?sslmode=require"
    monkeypatch.setenv("DATABASE_URL", url)
    settings.DEBUG = True
    settings.EMAIL_HOST_PASSWORD = "hush'hush"
    settings.BACKUP_URL = "https://backup:hush@backup.example/"
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "hush-hush")
    client.raise_request_exception = False

    def fail(*args: Any, **kwargs: Any) -> None:
        given = {
            "password": "hush-hush",
            "mail": settings.EMAIL_HOST_PASSWORD,
            "url": url,
            "other": "redis://:hush@cache/0",
        }
        ring, key = settings.TOKEN_PEPPERS, header(token)
        raise RuntimeError(f"cannot connect to {url} {len(given)} {len(ring)} {key}")

    monkeypatch.setattr("tokens.models.TokenQuerySet.visible_to", fail)
    monkeypatch.setattr("api.answers.compiled", fail)
    for accept in ("text/html", "text/plain"):
        response = client.get(
            "/public/v1/agreements", headers={"authorization": header(token), "accept": accept}
        )
        assert response.status_code == 500
        assert "cannot connect to" in response.text
        for secret in (
            "hush",
            settings.SECRET_KEY,
            settings.TOKEN_PEPPERS[1].hex(),
            repr(settings.TOKEN_PEPPERS[1])[2:-1],
            header(token),
        ):
            assert secret not in response.text

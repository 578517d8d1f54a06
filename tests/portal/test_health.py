"""What load balancers ask: whether the process is alive, and whether it can serve."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from portal import readiness
from tokens.models import Token


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    readiness.failing_during.cache_clear()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", ["testserver", "evil.example", "10.0.0.5:8000", "[::1", "a b"])
def test_both_answer_any_host_on_plain_http(
    db: None, settings: Settings, path: str, host: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    client = Client()
    assert client.get(path, headers={"host": host}).status_code == 200
    assert client.head(path, headers={"host": host}).status_code == 200
    assert client.get("/sign-in/", headers={"host": host}).status_code in {301, 400}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_both_are_only_read(client: Client, db: None, path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "TRACE"):
        assert client.generic(method, path).status_code == 405


def test_health_touches_nothing(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, db: None
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
    assert not response.cookies


def test_health_needs_no_database(client: Client) -> None:
    """Without the `db` fixture any query fails."""
    assert client.get("/healthz").status_code == 200


def test_ready_says_so(client: Client, db: None) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"ready": True, "failing": []})
    assert response["Cache-Control"] == "no-store"


def test_a_migration_that_is_open_is_not_ready(client: Client, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts'")
    assert not_ready(client) == ["migrations"]


def test_a_ring_without_the_secret_of_a_stored_key_is_not_ready(
    client: Client, token: Token, settings: Settings
) -> None:
    settings.TOKEN_PEPPERS = {9: b"9" * 32}
    assert not_ready(client) == ["rings"]


def test_static_files_that_are_not_collected_are_not_ready(
    client: Client, db: None, settings: Settings, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "portal.assets.HashedFiles"}
    }
    assert not_ready(client) == ["static files"]


def test_a_database_that_does_not_answer_is_not_ready(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("password of the database: hunter2")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", fail)
        assert not_ready(client) == ["database"]


def test_who_asks_often_asks_the_database_seldom(
    client: Client,
    db: None,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 1_000_000.0)
    client.get("/readyz")
    with django_assert_max_num_queries(0):
        client.get("/readyz")


def not_ready(client: Client) -> list[str]:
    """Return the parts that fail, from an answer that says nothing else."""
    response = client.get("/readyz")
    assert response.status_code == 503
    assert set(response.json()) == {"ready", "failing"}
    assert response.json()["ready"] is False
    failing: list[str] = response.json()["failing"]
    return failing

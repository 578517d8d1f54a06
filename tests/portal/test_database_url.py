"""DATABASE_URL is read as the database's own tools read it.

What would otherwise be ignored is refused.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from portal.environment import NOTICE_SILENCE, read_database
from tests.server import database, environment, installation

KEEPALIVE = (
    socket.TCP_KEEPIDLE,
    socket.TCP_KEEPINTVL,
    socket.TCP_KEEPCNT,
    socket.TCP_USER_TIMEOUT,
)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Read a DATABASE_URL, or its absence."""

    def do(url: str = "", **more: str) -> dict[str, Any]:
        monkeypatch.setenv("DATABASE_URL", url)
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        return read_database(tmp_path / "portal.sqlite3", busy_seconds=2)

    return do


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgres://u:p@h:5433/d",
            {"USER": "u", "PASSWORD": "p", "HOST": "h", "PORT": "5433", "NAME": "d"},
        ),
        ("postgresql://u@h/d", {"USER": "u", "PASSWORD": "", "HOST": "h", "PORT": "", "NAME": "d"}),
        (
            "postgres://%C3%BC%40x:p%2F%23%3F%25%3A%40@h/d%20b",
            {"USER": "ü@x", "PASSWORD": "p/#?%:@", "NAME": "d b"},
        ),
        ("postgres://u:p#x+y@h/d", {"PASSWORD": "p#x+y", "HOST": "h"}),
        ("postgres://u@[::1]:5433/d", {"HOST": "::1", "PORT": "5433"}),
        ("postgres://u@one:5432,two:5433/d", {"HOST": "one,two", "PORT": "5432,5433"}),
        ("postgres:///d?host=/run/postgresql", {"HOST": "/run/postgresql", "NAME": "d"}),
        (
            "postgres://u@%2Frun%2Fpostgresql/d",
            {"HOST": "/run/postgresql", "USER": "u", "NAME": "d"},
        ),
        (
            "postgres://h/d?user=u&password=p%26w&port=6432",
            {"USER": "u", "PASSWORD": "p&w", "PORT": "6432"},
        ),
        (
            "postgres://h/d?conn_max_age=60&conn_health_checks=off",
            {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": False},
        ),
        ("postgres://h/d", {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}),
    ],
)
def test_the_parts_of_a_postgresql_url_arrive(
    read: Callable[..., dict[str, Any]], url: str, expected: dict[str, Any]
) -> None:
    config = read(url)
    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert {name: config[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "sslmode=verify-full&sslrootcert=/etc/ca.pem",
            {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"},
        ),
        (
            "connect_timeout=5&application_name=a+b%20c",
            {"connect_timeout": "5", "application_name": "a+b c"},
        ),
        (
            "options=-c%20search_path%3Dx%20-c%20jit%3Doff",
            {"options": "-c search_path=x -c jit=off"},
        ),
        (
            "target_session_attrs=read-write&keepalives_idle=30",
            {"target_session_attrs": "read-write", "keepalives_idle": "30"},
        ),
        ("service=portal", {"service": "portal"}),
        ("", {}),
    ],
)
def test_options_of_postgresql_are_honoured_beside_the_portals_own(
    read: Callable[..., dict[str, Any]], query: str, expected: dict[str, str]
) -> None:
    assert read(f"postgres://h/d?{query}")["OPTIONS"] == {
        "server_side_binding": True,
        "prepare_threshold": 5,
        **NOTICE_SILENCE,
        **expected,
    }


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgres://u:secret@h/d?sslmod=require", "unknown option: sslmod"),
        ("postgres://u:secret@h/d?pool=on", "unknown option: pool"),
        ("sqlite:////tmp/x.sqlite3?mode=ro", "unknown option: mode"),
        ("sqlite:////tmp/x.sqlite3?timeout=9", "unknown option: timeout"),
        (
            "postgres://u:secret@h/d?conn_max_age=soon",
            "conn_max_age in DATABASE_URL must be a whole number",
        ),
        (
            "postgres://u:secret@h/d?conn_health_checks=2",
            "conn_health_checks in DATABASE_URL must be on or off",
        ),
        (
            "postgres://u:secret@h/d?sslmode",
            "must look like postgres://user:password@host:5432/name",
        ),
        ("postgres://u:secret@h:five/d", "must look like postgres://"),
        ("postgres://u:secret@h", "must look like postgres://"),
        ("postgres://", "must look like postgres://"),
        ("postgres://u:secret@[::1/d", "must look like postgres://"),
        ("postgres://u:secret%zz@h/d", "%25 for %"),
        ("postgres://u:secret/x@h/d", "%2F for /"),
        ("postgres://u:12/secret@h/d", "%2F for /"),
        ("mysql://u:secret@h/d", "must start with sqlite:/// or postgres://."),
        ("sqlite://relative", "must start with sqlite:/// or postgres://."),
        (
            "sqlite:////no/such/folder/x.sqlite3",
            "a folder that does not exist: /no/such/folder/x.sqlite3",
        ),
    ],
)
def test_what_would_be_ignored_or_misread_is_refused_without_quoting_a_password(
    read: Callable[..., dict[str, Any]], url: str, words: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read(url)
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "folder",
    ["C# projects", "what?", "100%", "50% off", "a b+c&d=e", "ünï ☃", "[x]", "'q\"", "a=b?c=d#e"],
)
def test_an_sqlite_file_may_be_in_any_folder(
    read: Callable[..., dict[str, Any]], tmp_path: Path, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    path = f"{tmp_path}/{folder}/portal.sqlite3"
    assert read(f"sqlite:///{path}")["NAME"] == path


def test_a_path_of_sqlite_may_be_percent_encoded_and_have_options(
    read: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "50%20 #?").mkdir()
    config = read(f"sqlite:///{tmp_path}/50%2520%20%23%3F/x.sqlite3?conn_max_age=0")
    assert config["NAME"] == f"{tmp_path}/50%20 #?/x.sqlite3"
    assert config["CONN_MAX_AGE"] == 0


def test_pgbouncer_keeps_nothing_on_a_connection(read: Callable[..., dict[str, Any]]) -> None:
    config = read("postgres://h:6432/d", PGBOUNCER="on")
    assert config["OPTIONS"].get("prepare_threshold") is None
    assert config["DISABLE_SERVER_SIDE_CURSORS"]
    with pytest.raises(ImproperlyConfigured, match="PGBOUNCER must be on or off"):
        read("", PGBOUNCER="transaction")


def test_a_portal_works_in_a_folder_with_any_name(tmp_path: Path) -> None:
    home = installation(tmp_path / "C# projects" / "100%? ünï 'q'")
    env = environment("")
    for command in (
        ["migrate", "--verbosity", "0"],
        ["collectstatic", "--no-input", "--verbosity", "0"],
    ):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=home,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert (home / "var" / "portal.sqlite3").stat().st_size > 0
    assert {path.name for path in (*tmp_path.iterdir(), *home.parent.iterdir())} == {
        "C# projects",
        home.name,
    }


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite speaks to no server")
@pytest.mark.django_db
def test_a_server_that_vanished_is_noticed_in_about_a_minute() -> None:
    connection.ensure_connection()
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as link:
        assert link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        tcp = [link.getsockopt(socket.IPPROTO_TCP, name) for name in KEEPALIVE]
    assert tcp == [30, 10, 3, 60_000]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite speaks to no server")
@pytest.mark.parametrize("mode", ["verify-full", "verify-ca"])
def test_a_server_that_cannot_prove_itself_gets_no_connection_in_clear(
    tmp_path: Path, mode: str
) -> None:
    with database(tmp_path) as url:
        # No certificate is signed by an authority that is not in the file.
        (tmp_path / "nobody.pem").write_text("")
        env = environment(f"{url}?sslmode={mode}&sslrootcert={tmp_path / 'nobody.pem'}")
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate"],
            cwd=settings.BASE_DIR,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert done.stderr.startswith("The database refuses: ")
        with psycopg.connect(url) as plain:
            assert plain.execute(
                "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'"
            ).fetchone() == (0,)

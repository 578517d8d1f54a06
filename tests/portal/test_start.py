"""`make run` and `manage.py serve`: what they create, and what they refuse with a sentence."""

import re
import shutil
import socket
import sqlite3
import stat
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.matching import matched
from tests.server import ROOT, environment, free_port, installation, refused, running


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file in which each Python notes its command, if its folder is on PYTHONPATH."""
    started = tmp_path_factory.mktemp("site") / "started"
    started.with_name("sitecustomize.py").write_text(
        f"import sys\nopen({str(started)!r}, 'a').write(f'{{sys.orig_argv}}\\n')\n"
    )
    return started


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, started: Path) -> Path:
    """Start an installation once, in a folder whose name would break any URL."""
    home = installation(tmp_path_factory.mktemp("start") / "C# projects" / "50% ünï?")
    with running(home, "-m", "portal", PYTHONPATH=str(started.parent), DELIVER="off"):
        pass
    return home


def test_the_first_start_makes_secrets_database_files_and_people(home: Path) -> None:
    assert "shown this once" in (home / "server.log").read_text()
    assert "TOKEN_PEPPERS=1:" in (home / "var" / "env").read_text()
    assert (home / "var" / "portal.sqlite3").stat().st_size > 0
    assert (home / "var" / "static" / "css" / "base.css").exists()
    assert [path.name for path in home.parent.iterdir()] == [home.name]


def test_the_first_start_loads_the_portal_once(home: Path, started: Path) -> None:
    """A command in a process of its own would load it again."""
    assert [line.count("'portal'") for line in started.read_text().splitlines()] == [1]


def test_another_start_keeps_them_and_serves_pages_with_their_style(home: Path) -> None:
    before = (home / "var" / "env").read_text()
    with running(home, "-m", "portal") as port:
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/").read().decode()
        style = matched(r"/static/css/base\.[0-9a-f]{12}\.css", page)
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}{style[0]}").status == 200
    assert (home / "var" / "env").read_text() == before
    assert "Their password was shown when they were created." in (home / "server.log").read_text()


def test_without_demo_there_are_no_demo_people_and_the_command_says_why(
    home: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    (copy / "var" / "portal.sqlite3").unlink()
    with running(copy, "-m", "portal", DEMO="off", HTTPS="off", ALLOWED_HOSTS="127.0.0.1"):
        pass
    database = sqlite3.connect(copy / "var" / "portal.sqlite3")
    assert database.execute("SELECT COUNT(*) FROM accounts_user").fetchone() == (0,)
    database.close()
    assert "Set DEMO=on to load it." in refused(
        copy, "manage.py", "demo", DEMO="off", ALLOWED_HOSTS="127.0.0.1"
    )


def test_no_new_secrets_are_made_beside_a_database_that_others_made(home: Path) -> None:
    kept = home / "var" / "env.kept"
    (home / "var" / "env").rename(kept)
    try:
        said = refused(home, "-m", "portal")
        assert said.startswith("The portal cannot start: ")
        assert "Restore the file from your copy." in said
        assert not (home / "var" / "env").exists()
    finally:
        kept.rename(home / "var" / "env")


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "portal"),
        ("manage.py", "serve"),
        ("manage.py", "migrate"),
        ("manage.py", "check", "--database", "default"),
    ],
)
@pytest.mark.parametrize("ring", ["TOKEN_PEPPERS", "TOKEN_SEALING_KEYS"])
def test_rings_that_are_not_those_of_the_database_are_refused(
    home: Path, command: tuple[str, ...], ring: str
) -> None:
    said = refused(home, *command, **{ring: f"1:{'0' * 64}"})
    assert re.search(
        rf"{ring} no longer holds the secret it had under number 1: \d+ keys of this database "
        r"cannot be",
        said,
    )
    assert f"Restore {ring} from your copy of the environment file." in said


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "[::1]"])
def test_it_listens_where_host_says(home: Path, host: str) -> None:
    shown = {"::1": "[::1]"}.get(host, host)
    with running(home, "manage.py", "serve", HOST=host, host=shown) as port:
        assert f"http://{shown}:{port}/" in (home / "server.log").read_text()


@pytest.mark.parametrize(
    ("variables", "arguments", "words"),
    [
        (
            {"HOST": "no.such.name.invalid"},
            [],
            "HOST must be an address of this computer or a name that resolves to one",
        ),
        ({"HOST": "a" * 300}, [], "HOST must be an address of this computer"),
        ({"HOST": "192.0.2.1"}, [], "Cannot listen on 192.0.2.1:"),
        ({"PORT": "70000"}, [], "PORT must be a whole number from 1 to 65535"),
        ({}, ["--port", "70000"], "must be a whole number from 1 to 65535, not '70000'"),
        ({}, ["--workers", "0"], "must be a whole number from 1 to 64, not '0'"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_refused_with_a_sentence(
    home: Path, variables: dict[str, str], arguments: list[str], words: str
) -> None:
    assert words in refused(home, "manage.py", "serve", *arguments, **variables)


def test_debug_is_served_on_loopback_only(home: Path) -> None:
    assert "HOST must be a loopback address" in refused(
        home, "manage.py", "serve", DEBUG="on", HOST="192.0.2.1"
    )


def test_what_is_in_var_is_for_its_owner_alone(home: Path) -> None:
    var = home / "var"
    var.chmod(0o755)
    for path in var.iterdir():
        path.chmod(0o755 if path.is_dir() else 0o644)
    with running(home, "manage.py", "serve") as port:
        # Merely opening the database creates its files.
        unknown = {"Authorization": f"ApiKey SU-000-000-000:{'0' * 40}"}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(
                urllib.request.Request(
                    f"http://127.0.0.1:{port}/public/v1/agreements", headers=unknown
                )
            )
        files = [path for path in (var, *var.iterdir()) if path.name != "static"]
        assert {path.name for path in files} >= {
            "env",
            "portal.sqlite3",
            "portal.sqlite3-wal",
            "portal.sqlite3-shm",
        }
        assert not [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_a_page_of_debug_shows_no_secret_of_the_portal(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    database = sqlite3.connect(copy / "var" / "portal.sqlite3")
    for (table,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%session'"
    ).fetchall():
        database.execute(f"ALTER TABLE {table} RENAME TO gone_{table}")
    database.close()
    mail = "smtp+tls://mailer:hush%2Dhush@mail.example:587"
    with running(copy, "manage.py", "serve", DEBUG="on", EMAIL_URL=mail) as port:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/integrations/tokens/",
            headers={"Cookie": "session=0123456789abcdef"},
        )
        with pytest.raises(urllib.error.HTTPError) as failed:
            urllib.request.urlopen(request)
        page = failed.value.read().decode()
    assert failed.value.code == 500
    assert "no such table: " in page
    assert "Using settings module" in page
    secrets = dict(
        line.split("=", 1)
        for line in (copy / "var" / "env").read_text().splitlines()
        if line[:1] != "#"
    )
    for secret in (
        "hush",
        secrets["SECRET_KEY"],
        secrets["TOKEN_PEPPERS"][2:],
        secrets["TOKEN_SEALING_KEYS"][2:],
    ):
        assert secret not in page


def test_a_port_that_is_taken_is_refused_with_a_sentence(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = refused(home, "manage.py", "serve", PORT=str(taken.getsockname()[1]))
    assert "Address already in use. Choose another port: PORT=8001 make run" in said


def test_serve_refuses_while_migrations_are_open(home: Path, tmp_path: Path) -> None:
    said = refused(home, "manage.py", "serve", DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")
    assert re.fullmatch(
        r"CommandError: \d+ migrations are not applied\. Run: manage\.py migrate", said
    )


def test_serve_refuses_while_static_files_are_missing_or_older_than_their_sources(
    home: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    (copy / "static" / "css" / "base.css").write_text("body { color: red }")
    assert "1 static files are not collected or out of date, including css/base.css." in refused(
        copy, "manage.py", "serve"
    )
    (copy / "var" / "static" / "staticfiles.json").unlink()
    assert "Run: manage.py collectstatic" in refused(copy, "manage.py", "serve")
    shutil.rmtree(copy / "var" / "static")
    assert "Run: manage.py collectstatic" in refused(copy, "manage.py", "serve")


def test_a_database_that_does_not_answer_is_told_in_a_sentence() -> None:
    env = environment(f"postgres://nobody@127.0.0.1:{free_port()}/portal?connect_timeout=5")
    assert "The database cannot be used: " in refused(ROOT, "manage.py", "serve", **env)
    assert refused(ROOT, "manage.py", "migrate", **env).startswith("The database refuses: ")
    assert refused(ROOT, "-m", "portal", **env).startswith("The portal cannot start: ")

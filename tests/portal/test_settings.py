"""Settings come from the environment alone, and invalid ones stop the portal with a sentence."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client

from portal import envfile
from tests.server import clean

GOOD = {
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "k" * 60,
    "TOKEN_PEPPERS": f"1:{'a' * 64}",
    "TOKEN_SEALING_KEYS": f"1:{'b' * 64},2:{'c' * 64}",
    "ALLOWED_HOSTS": "portal.example",
}


def start(**changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run `manage.py check` in a changed production environment; None removes a variable."""
    environment = {
        **clean(),
        **{name: value for name, value in {**GOOD, **changes}.items() if value is not None},
    }
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_production_environment_starts() -> None:
    done = start()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "TOKEN_PEPPERS", "TOKEN_SEALING_KEYS", "ALLOWED_HOSTS"]
)
def test_production_refuses_to_start_without(name: str) -> None:
    done = start(**{name: None})
    assert done.returncode != 0
    assert f"{name} is not set." in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DEMO", "perhaps", "DEMO must be on or off, not 'perhaps'."),
        ("HTTPS", "2", "HTTPS must be on or off"),
        ("TRUSTED_PROXIES", "-1", "TRUSTED_PROXIES must be a whole number from 0 to 9"),
        ("SESSION_HOURS", "twelve", "SESSION_HOURS must be a whole number"),
        ("TOKENS_PER_EXTENSION", "0", "TOKENS_PER_EXTENSION must be a whole number from 1"),
        ("TOKEN_PEPPERS", "1:abc", "TOKEN_PEPPERS must look like"),
        ("TOKEN_PEPPERS", f"1:{'a' * 64},1:{'b' * 64}", "TOKEN_PEPPERS must look like"),
        ("TOKEN_PEPPERS", f"256:{'a' * 64}", "TOKEN_PEPPERS must look like"),
        (
            "TOKEN_SEALING_KEYS",
            f"1:{'a' * 64},2:{'a' * 64}",
            "TOKEN_SEALING_KEYS holds the same secret twice.",
        ),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL must start with sqlite:/// or postgres://."),
        ("EMAIL_URL", "nonsense", "EMAIL_URL"),
        ("API_ALLOWED_ORIGINS", "*", "API_ALLOWED_ORIGINS must look like"),
        ("API_ALLOWED_ORIGINS", "https://app.example/", "API_ALLOWED_ORIGINS must look like"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(name: str, value: str, words: str) -> None:
    done = start(**{name: value})
    assert done.returncode != 0
    assert done.stderr.startswith("The portal cannot start: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_environment_file_is_made_once_and_for_its_owner_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "var" / "env"
    monkeypatch.setattr(envfile, "ENV_FILE", path)
    envfile.write("DEMO=on\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        envfile.write("DEMO=off\n")
    assert path.read_text() == "DEMO=on\n"


def test_each_environment_file_has_secrets_of_its_own_that_make_a_portal_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("environ.Env.ENVIRON", {})
    (tmp_path / "env").write_text(envfile.draft())
    assert envfile.draft() != (tmp_path / "env").read_text()
    done = start(
        ENV_FILE=str(tmp_path / "env"),
        SECRET_KEY=None,
        TOKEN_PEPPERS=None,
        TOKEN_SEALING_KEYS=None,
        ALLOWED_HOSTS=None,
    )
    assert done.returncode == 0, done.stderr


def test_a_real_variable_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("DEMO=perhaps\n")
    assert start(ENV_FILE=str(tmp_path / "env"), DEMO="off").returncode == 0
    assert start(ENV_FILE=str(tmp_path / "env")).returncode != 0


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfBRAND=Gold",
        b"# a comment\r\n\r\nBRAND=Gold\r\nHTTPS=off\r\n",
        b"BRAND=Gold\rHTTPS=off\r",
        b'BRAND="Gold"',
        b"BRAND='Gold'  \n",
        b"export BRAND=Gold\n",
        b"  export  BRAND = Gold \n",
        b"\tBRAND=Gold",
    ],
)
def test_an_environment_file_is_understood_however_it_was_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: bytes
) -> None:
    (tmp_path / "env").write_bytes(text)
    monkeypatch.setattr(os, "environ", {"ENV_FILE": str(tmp_path / "env")})
    monkeypatch.setattr("environ.Env.ENVIRON", os.environ)
    envfile.read()
    assert os.environ["BRAND"] == "Gold"


def test_values_of_an_environment_file_are_taken_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "env").write_text('A=b#c d=e\nB=\'it is # one\'\nC=\nD="say \\"hi\\""\n')
    monkeypatch.setattr(os, "environ", {"ENV_FILE": str(tmp_path / "env")})
    monkeypatch.setattr("environ.Env.ENVIRON", os.environ)
    envfile.read()
    assert {name: os.environ[name] for name in "ABCD"} == {
        "A": "b#c d=e",
        "B": "it is # one",
        "C": "",
        "D": 'say "hi"',
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"SECRET_KEY: hush", "Line 1 of {path} must look like NAME=value."),
        (b"BRAND=Gold\n\nSECRET-KEY=hush", "Line 3 of {path} must look like NAME=value."),
        ("BRAND=Gold\u2028hush".encode(), "Line 2 of {path} must look like NAME=value."),
        (b"BRAND=a\0b", "Line 1 of {path} must look like NAME=value."),
        (b'SECRET_KEY="hush', "Line 1 of {path} begins with a quote and does not end with it."),
        (
            b"SECRET_KEY='hush' # mine",
            "Line 1 of {path} begins with a quote and does not end with it.",
        ),
        ("BRAND=Gold\n".encode("utf-16"), "{path} is not text in UTF-8."),
        (b"BRAND=G\xf6ld\n", "{path} is not text in UTF-8."),
    ],
)
def test_an_environment_file_that_cannot_be_understood_is_refused_with_a_sentence(
    tmp_path: Path, text: bytes, words: str
) -> None:
    path = tmp_path / "env"
    path.write_bytes(text)
    done = start(ENV_FILE=str(path))
    assert done.returncode != 0
    assert done.stderr.startswith("The portal cannot start: ")
    assert words.format(path=path) in done.stderr
    assert "hush" not in done.stderr


def test_an_environment_file_that_cannot_be_read_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path, words in (
        (tmp_path, "Is a directory"),
        (tmp_path / "loop", "symbolic links"),
        (tmp_path / "absent", "does not exist"),
    ):
        done = start(ENV_FILE=str(path))
        assert done.returncode != 0
        assert done.stderr.startswith("The portal cannot start: ")
        assert str(path) in done.stderr
        assert words in done.stderr


def test_every_variable_that_is_read_is_in_the_tables_of_the_settings() -> None:
    packages = (
        app.path for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR
    )
    sources = (source.read_text() for package in packages for source in Path(package).rglob("*.py"))
    pattern = re.compile(r'(?:read_[a-z]+|os\.environ\.get)\(\s*"([A-Z_]+)"')
    read = {name for source in sources for name in pattern.findall(source)}
    tables = (settings.BASE_DIR / "docs" / "settings.md").read_text()
    documented = re.findall(r"^\| `([A-Z_]+)` \|", tables, re.MULTILINE)
    assert sorted(documented) == sorted(read)


def test_security_headers_are_on_every_page(client: Client, db: None) -> None:
    response = client.get("/sign-in/")
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    cookie = response.cookies["csrf"]
    assert (cookie["samesite"], cookie["httponly"]) == ("Lax", True)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"HTTPS": "off"},
        {"ALLOWED_HOSTS": "127.0.0.1"},
        {"HTTPS": "off", "ALLOWED_HOSTS": "localhost,*"},
    ],
)
def test_debug_is_refused_where_others_would_see_it(changes: dict[str, str]) -> None:
    done = start(DEBUG="on", **changes)
    assert done.returncode != 0
    assert done.stderr.startswith(
        "The portal cannot start: DEBUG shows internals of the portal to every visitor"
    )


def test_debug_is_for_a_local_portal() -> None:
    assert start(DEBUG="on", DEMO="on", ALLOWED_HOSTS=None).returncode == 0

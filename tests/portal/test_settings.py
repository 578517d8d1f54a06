"""Settings come from the environment only, and nonsense is refused with a sentence at start."""

import os
import stat
import subprocess
import sys

import pytest
from django.conf import settings

GOOD = {
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "k" * 60,
    "TOKEN_PEPPERS": f"1:{'a' * 64}",
    "TOKEN_SEALING_KEYS": f"1:{'b' * 64},2:{'c' * 64}",
    "ALLOWED_HOSTS": "portal.example",
}


def start(**changes):
    """Run `manage.py check` in a production environment with some changes; None leaves one out."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {**inherited, **{name: value for name, value in {**GOOD, **changes}.items() if value is not None}}
    return subprocess.run([sys.executable, "manage.py", "check"], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)


def test_a_production_environment_starts():
    done = start()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "TOKEN_PEPPERS", "TOKEN_SEALING_KEYS", "ALLOWED_HOSTS"])
def test_production_refuses_to_start_without(name):
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
        ("TOKEN_SEALING_KEYS", f"1:{'a' * 64},2:{'a' * 64}", "TOKEN_SEALING_KEYS holds the same secret twice."),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL must start with sqlite:/// or postgres://."),
        ("EMAIL_URL", "nonsense", "EMAIL_URL"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(name, value, words):
    done = start(**{name: value})
    assert done.returncode != 0
    assert done.stderr.startswith("The portal cannot start: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_environment_file_is_made_once_and_for_its_owner_alone(tmp_path):
    from portal.envfile import make

    path = tmp_path / "var" / "env"
    assert make(path)
    text = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not make(path)
    assert path.read_text() == text
    assert make(tmp_path / "other")
    assert (tmp_path / "other").read_text() != text


def test_the_environment_file_makes_a_portal_start(tmp_path):
    from portal.envfile import make

    make(tmp_path / "env")
    done = start(ENV_FILE=str(tmp_path / "env"), SECRET_KEY=None, TOKEN_PEPPERS=None, TOKEN_SEALING_KEYS=None, ALLOWED_HOSTS=None)
    assert done.returncode == 0, done.stderr


def test_a_real_variable_wins_over_the_file(tmp_path):
    (tmp_path / "env").write_text("DEMO=perhaps\n")
    assert start(ENV_FILE=str(tmp_path / "env"), DEMO="off").returncode == 0
    assert start(ENV_FILE=str(tmp_path / "env")).returncode != 0


def test_every_setting_is_in_the_table_of_the_readme():
    import re

    source = (settings.BASE_DIR / "portal" / "settings.py").read_text()
    served = (settings.BASE_DIR / "portal" / "management" / "commands" / "serve.py").read_text()
    read = set(re.findall(r'read_[a-z]+\(\s*"([A-Z_]+)"', source + served)) | {"ENV_FILE", "DATABASE_URL", "DEMO_PASSWORD"}
    readme = (settings.BASE_DIR / "README.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", readme, re.MULTILINE))
    assert documented == read


def test_security_headers_are_on_every_page(client, db):
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

"""The environment file of an installation: `NAME=value` lines in `var/env`, or in ENV_FILE if set.

`make run` creates it with the secrets that a portal needs to start. It is created once, readable by
its owner only, and never overwritten: losing the key rings would make every stored key unreadable.
"""

import io
import os
import re
import secrets
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

ENV_FILE = Path(__file__).resolve().parent.parent / "var" / "env"

TEMPLATE = """\
# Secrets of this installation, made once. Keep a copy: without the rings no stored key can be
# checked or viewed.
DEMO=on
SECRET_KEY={secret_key}
TOKEN_PEPPERS=1:{pepper}
TOKEN_SEALING_KEYS=1:{sealing_key}
"""

SECRETS = ("SECRET_KEY", "TOKEN_PEPPERS", "TOKEN_SEALING_KEYS")

LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def has_secrets() -> bool:
    """Tell whether the portal can find its secrets.

    A file named by ENV_FILE belongs to whoever set it and is never created here.
    """
    return bool(named()) or ENV_FILE.exists() or all(os.environ.get(name) for name in SECRETS)


def draft() -> str:
    """Return the text of a new file, and set those of its variables that are not set yet."""
    text = TEMPLATE.format(
        secret_key=secrets.token_urlsafe(50),
        pepper=secrets.token_hex(32),
        sealing_key=secrets.token_hex(32),
    )
    environ.Env.read_env(io.StringIO(text))
    return text


def write(text: str) -> None:
    """Create the file, readable by its owner only. Raise FileExistsError if it exists."""
    ENV_FILE.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(ENV_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def read() -> None:
    """Set the variables of the file that are not set yet.

    Raise ImproperlyConfigured for a line that cannot be parsed. Lines may have blanks, quotes,
    `export` and any line endings. Error messages never quote a line, since it may hold a secret.
    """
    file = Path(named() or ENV_FILE)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        if named():
            raise ImproperlyConfigured(
                f"ENV_FILE names a file that does not exist: {file}"
            ) from None
        return
    except OSError as problem:
        raise ImproperlyConfigured(
            f"The environment file {file} cannot be read: {problem.strerror}."
        ) from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"The environment file {file} is not text in UTF-8.") from None
    lines = enumerate(map(str.strip, text.splitlines()), start=1)
    understood = [
        parse(line, f"Line {number} of {file}")
        for number, line in lines
        if line and not line.startswith("#")
    ]
    environ.Env.read_env(io.StringIO("\n".join(understood)))


def named() -> str:
    return os.environ.get("ENV_FILE", "").strip()


def parse(line: str, where: str) -> str:
    """Return a line as `NAME=value`. Raise ImproperlyConfigured if it has another form."""
    match = LINE.fullmatch(line)
    if not match or "\0" in line:
        raise ImproperlyConfigured(f"{where} must look like NAME=value.")
    name, value = match.groups()
    if value[:1] in {"'", '"'} and (len(value) < 2 or value[-1] != value[0]):
        raise ImproperlyConfigured(f"{where} begins with a quote and does not end with it.")
    return f"{name}={value}"

"""The environment file of an installation, `var/env` unless ENV_FILE names another: `NAME=value`, one a line.

`make run` makes it, with the secrets that a portal needs to start. It is made once, readable by its owner alone, and never
overwritten: losing the key rings would make every stored key unreadable.
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
# Secrets of this installation, made once. Keep a copy: without the rings no stored key can be checked or viewed.
DEMO=on
SECRET_KEY={secret_key}
TOKEN_PEPPERS=1:{pepper}
TOKEN_SEALING_KEYS=1:{sealing_key}
"""

SECRETS = ("SECRET_KEY", "TOKEN_PEPPERS", "TOKEN_SEALING_KEYS")

LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def has_secrets() -> bool:
    """Whether the portal can find its secrets. A file that ENV_FILE names is somebody's own: it is never made."""
    return bool(named()) or ENV_FILE.exists() or all(os.environ.get(name) for name in SECRETS)


def draft() -> str:
    """Return the text of a new file, and set its variables where none is set."""
    text = TEMPLATE.format(
        secret_key=secrets.token_urlsafe(50),
        pepper=secrets.token_hex(32),
        sealing_key=secrets.token_hex(32),
    )
    environ.Env.read_env(io.StringIO(text))
    return text


def write(text: str) -> None:
    """Make the file, for its owner alone. Raise FileExistsError rather than overwrite one."""
    ENV_FILE.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(ENV_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def read() -> None:
    """Set the variables of the file that are not set yet. Raise ImproperlyConfigured for what cannot be understood.

    Its lines may have blanks, quotes, `export` and any line ends; the sentences never quote one, since it may hold a secret.
    """
    file = Path(named() or ENV_FILE)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        if named():
            raise ImproperlyConfigured(f"ENV_FILE names a file that does not exist: {file}") from None
        return
    except OSError as problem:
        raise ImproperlyConfigured(f"The environment file {file} cannot be read: {problem.strerror}.") from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"The environment file {file} is not text in UTF-8.") from None
    lines = enumerate(map(str.strip, text.splitlines()), start=1)
    understood = [parse(line, f"Line {number} of {file}") for number, line in lines if line and not line.startswith("#")]
    environ.Env.read_env(io.StringIO("\n".join(understood)))


def named() -> str:
    return os.environ.get("ENV_FILE", "").strip()


def parse(line: str, where: str) -> str:
    """Return the line as `NAME=value`. Raise ImproperlyConfigured."""
    match = LINE.fullmatch(line)
    if not match or "\0" in line:
        raise ImproperlyConfigured(f"{where} must look like NAME=value.")
    name, value = match.groups()
    if value[:1] in {"'", '"'} and (len(value) < 2 or value[-1] != value[0]):
        raise ImproperlyConfigured(f"{where} begins with a quote and does not end with it.")
    return f"{name}={value}"

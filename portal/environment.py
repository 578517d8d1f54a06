"""Readers of environment variables: each returns a typed value or raises ImproperlyConfigured.

Error messages never quote a URL, since it may hold a password.
"""

import os
import re
from collections.abc import Iterable
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured


def read_text(name: str, default: str | None = None) -> str:
    """Return a text. Raise ImproperlyConfigured if it is not set and has no default."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(
            f"{name} is not set. `make run` sets it for a local portal; see docs/settings.md."
        )
    return default


def read_list(name: str, default: str | None = None) -> list[str]:
    """Return the items of a comma-separated list."""
    return [part.strip() for part in read_text(name, default).split(",") if part.strip()]


def read_origins(name: str) -> list[str]:
    """Return a list of origins as browsers send them.

    The text looks like `https://app.example,http://localhost:3000`.
    """
    origins = read_list(name, "")
    for origin in origins:
        if not re.fullmatch(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?", origin):
            raise ImproperlyConfigured(
                f"{name} must look like https://app.example,http://localhost:3000, without a "
                f"path; not {origin!r}."
            )
    return origins


def read_networks(name: str, default: str) -> list[IPv4Network | IPv6Network]:
    """Return a list of networks, `10.0.0.0/8,fd00::/8`; a single address is a network too."""
    try:
        return [ip_network(part) for part in read_list(name, default)]
    except ValueError:
        raise ImproperlyConfigured(f"{name} must look like 10.1.0.0/16,fd00:1::/32.") from None


def read_flag(name: str, *, default: bool) -> bool:
    """Read on/off, true/false, yes/no, 1/0."""
    return flag(name, read_text(name, "on" if default else "off"))


def read_number(name: str, default: int, low: int, high: int) -> int:
    """Read a whole number between two bounds, both included."""
    return number(name, read_text(name, str(default)), low, high)


def read_ring(name: str) -> dict[int, bytes]:
    """Read numbered 32-byte secrets, `1:<64 hex digits>,2:…`; the highest number is in use."""
    ring: dict[int, bytes] = {}
    for entry in read_list(name):
        match = re.fullmatch(r"([0-9]{1,3}):([0-9a-fA-F]{64})", entry)
        if not match or not 1 <= int(match[1]) <= 255 or int(match[1]) in ring:
            raise ImproperlyConfigured(
                f"{name} must look like 1:<64 hex digits>,2:<64 hex digits> with numbers from 1 "
                f"to 255, each once."
            )
        ring[int(match[1])] = bytes.fromhex(match[2])
    if len(set(ring.values())) != len(ring):
        raise ImproperlyConfigured(f"{name} holds the same secret twice.")
    return ring


def read_email(default: str) -> dict[str, Any]:
    """Read EMAIL_URL: smtp+tls://user:password@host:587, or consolemail:// to print mails."""
    url = read_text("EMAIL_URL", default)
    try:
        return dict(environ.Env.email_url_config(url))
    except (ImproperlyConfigured, ValueError) as problem:
        raise ImproperlyConfigured(
            "EMAIL_URL must look like smtp+tls://user:password@host:587 or be consolemail://."
        ) from problem


# --- The database -------------------------------------------------------------------------------


def read_redis(name: str) -> str:
    """Return the URL of a Redis server, or `""` if none is set."""
    url = read_text(name, "")
    if url and not re.match(r"(rediss?://[^/]|unix:///)", url):
        raise ImproperlyConfigured(f"{name} must look like redis://host:6379/0.")
    return url


def read_broker() -> str:
    """Return the URL of the broker of Celery, or `""` if none is set."""
    url = read_text("BROKER_URL", "")
    if url and not re.match(r"(rediss?|amqps?)://[^/]", url):
        raise ImproperlyConfigured(
            "BROKER_URL must look like redis://host:6379/1 or amqp://user:password@host:5672//."
        )
    if url and find_spec("celery") is None:
        raise ImproperlyConfigured(
            "BROKER_URL needs Celery: pip install -r requirements-celery.txt."
        )
    return url


def read_database(default: Path, busy_seconds: int) -> dict[str, Any]:
    """Return Django's settings for DATABASE_URL and PGBOUNCER; the default is an SQLite file.

    On SQLite, a writer waits up to `busy_seconds` for another one.
    """
    behind_pgbouncer = read_flag("PGBOUNCER", default=False)
    url = read_text("DATABASE_URL", "")
    if not url:
        # Not as a URL, in which the path would have to be percent-encoded.
        default.parent.mkdir(mode=0o700, exist_ok=True)
        return sqlite(str(default), {}, busy_seconds)
    base, options = split_options(url)
    if base.startswith("sqlite:///"):
        path = os.fsdecode(unquote_to_bytes(base.removeprefix("sqlite:///")))
        if not Path(path).absolute().parent.is_dir():
            raise ImproperlyConfigured(
                f"DATABASE_URL names a file in a folder that does not exist: {path}"
            )
        return sqlite(path, options, busy_seconds)
    if re.match(r"postgres(ql)?://", base):
        return postgresql(base, options, behind_pgbouncer=behind_pgbouncer)
    raise ImproperlyConfigured("DATABASE_URL must start with sqlite:/// or postgres://.")


def split_options(url: str) -> tuple[str, dict[str, str]]:
    """Split `?name=value&name=value` off a URL without decoding the values.

    Any other `?` is left in the part before.
    """
    values = "[^?&@/]" if url.startswith("sqlite:") else "[^?&@]"
    match = re.fullmatch(rf"(.*)\?(([A-Za-z_]+={values}*(&|$))*)", url)
    if not match:
        return url, {}
    return match[1], dict(part.split("=", 1) for part in match[2].split("&") if part)


def django_options(options: dict[str, str]) -> dict[str, Any]:
    """Remove Django's own options from those of a URL and return them as settings."""
    # Reconnecting costs more than any query of the portal, so connections stay open and are
    # checked before use.
    config: dict[str, Any] = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    if (value := options.pop("conn_max_age", None)) is not None:
        config["CONN_MAX_AGE"] = number("conn_max_age in DATABASE_URL", value, 0, 1_000_000)
    if (value := options.pop("conn_health_checks", None)) is not None:
        config["CONN_HEALTH_CHECKS"] = flag("conn_health_checks in DATABASE_URL", value)
    return config


def refuse_unknown(options: Iterable[str]) -> None:
    """Raise ImproperlyConfigured for an option that would have no effect."""
    for name in options:
        raise ImproperlyConfigured(f"DATABASE_URL has an unknown option: {name}")


def sqlite(path: str, options: dict[str, str], busy_seconds: int) -> dict[str, Any]:
    config = django_options(options)
    refuse_unknown(options)
    return {
        **config,
        "ENGINE": "portal.sqlite3",
        "NAME": path,
        # Writers queue at BEGIN instead of failing mid-transaction; FULL survives a power cut.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": busy_seconds,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            ),
        },
    }


# A server that vanishes without closing its connections is noticed after about a minute; the system
# would wait for two hours.
NOTICE_SILENCE = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


def postgresql(base: str, options: dict[str, str], *, behind_pgbouncer: bool) -> dict[str, Any]:
    """Return Django's settings for a URL, parsed by PostgreSQL's own client library.

    So sockets, several hosts, IPv6, TLS and time limits work as they do there.
    """
    # Imported here because it takes 0.2 s, which a portal on SQLite need not spend.
    from psycopg import ProgrammingError, pq
    from psycopg.conninfo import conninfo_to_dict

    config = django_options(options)
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    refuse_unknown(options.keys() - known)
    try:
        query = "&".join(f"{name}={value}" for name, value in options.items())
        given: dict[str, Any] = dict(conninfo_to_dict(f"{base}?{query}" if query else base))
        name = urlsplit(base).path.removeprefix("/")
    except (ProgrammingError, ValueError):
        given, name = {}, ""
    # With a raw / or @ in a password, the library finds a wrong host, port or database name.
    misread = re.search("[/@]", name) or not re.fullmatch("[0-9,]*", given.get("port", ""))
    if misread or not ("dbname" in given or "service" in given):
        raise ImproperlyConfigured(
            "DATABASE_URL must look like postgres://user:password@host:5432/name. Percent-encode"
            " special characters in a password or a name: %40 for @, %2F for /, %25 for %."
        )
    config |= {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": given.pop("dbname", ""),
        "USER": given.pop("user", ""),
        "PASSWORD": given.pop("password", ""),
        "HOST": given.pop("host", ""),
        "PORT": given.pop("port", ""),
        "OPTIONS": {"server_side_binding": True, **NOTICE_SILENCE, **given},
    }
    if behind_pgbouncer:
        # Each transaction may use another connection to the server, so no state may be kept on one.
        config["DISABLE_SERVER_SIDE_CURSORS"] = True
    else:
        # Plan repeated queries once per connection: planning the gate's query costs four times as
        # much as running it.
        config["OPTIONS"]["prepare_threshold"] = 5
    return config


# --- Values -------------------------------------------------------------------------------------


def flag(name: str, value: str) -> bool:
    if value.lower() in {"on", "true", "yes", "1"}:
        return True
    if value.lower() in {"off", "false", "no", "0"}:
        return False
    raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}.")


def number(name: str, value: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
        raise ImproperlyConfigured(
            f"{name} must be a whole number from {low} to {high}, not {value!r}."
        )
    return int(value)

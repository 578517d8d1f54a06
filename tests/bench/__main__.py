"""The command `python -m tests.bench`.

Everything it needs is made in a database of its own, which is dropped at the end: a SQLite file in
a temporary folder or, if DATABASE_URL names a PostgreSQL database, a new one on that server.
"""

import argparse
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import django
import psycopg
from psycopg.sql import SQL, Identifier


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures the portal, and what else one could pick for its API.",
    )
    parser.add_argument(
        "part",
        nargs="?",
        choices=("gate", "lists", "peers", "trail", "webhooks"),
        help="one part only",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=7,
        help="how often all targets take turns; medians of the rounds are told (default 7)",
    )
    parser.add_argument(
        "--seconds",
        type=int,
        default=1,
        help="how long a target is loaded in each round over HTTP (default 1)",
    )
    parser.add_argument(
        "--million", action="store_true", help="measure the gate among 1,000,000 tokens too"
    )
    return parser.parse_args()


@contextmanager
def own_database() -> Iterator[None]:
    """Point DATABASE_URL at a new database, for this process and the servers that it starts."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
            yield
        return
    name = f"bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        os.environ["DATABASE_URL"] = urlsplit(url)._replace(path=f"/{name}").geturl()
        try:
            yield
        finally:
            server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def main() -> None:
    options = arguments()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
        "DEMO": "on",
        "HTTPS": "off",
        "DEBUG": "off",
    }
    if options.part == "webhooks":
        # The peers have no part in this one.
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "ENV_FILE": os.devnull,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "TOKEN_PEPPERS": f"1:{secrets.token_hex(32)}",
            "TOKEN_SEALING_KEYS": f"1:{secrets.token_hex(32)}",
        }
    with own_database():
        django.setup()
        if options.part == "webhooks":
            from tests.bench import hooks

            hooks.measure()
            return
        from tests.bench import parts

        parts.measure(options)


if __name__ == "__main__":
    main()

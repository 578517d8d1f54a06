"""The portal behind a real PgBouncer in transaction mode.

There each transaction may use another connection to the server.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.server import Server, database, environment, free_port, served

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="PgBouncer stands before PostgreSQL"
)

# Fewer connections to the server than the portal has threads, so that they are shared.
POOL = 2
CLIENTS = 8

CONFIG = """\
[databases]
{name} = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
"""


@contextmanager
def pgbouncer(url: str, home: Path) -> Iterator[str]:
    """Start PgBouncer in front of the database; yield its URL."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "These tests need pgbouncer. `make test` installs it."
    name, port = urlsplit(url).path[1:], free_port()
    config = home / "pgbouncer.ini"
    parts = {part: str(value) for part, value in conninfo_to_dict(url).items()}
    config.write_text(CONFIG.format(name=name, server=make_conninfo(**parts), port=port, pool=POOL))
    # It refuses to run as root.
    user = ["--user", "nobody"] if os.getuid() == 0 else []
    with (home / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen([program, *user, config], stdout=log, stderr=log)
    try:
        address = f"postgres://portal@127.0.0.1:{port}/{name}"
        wait_until_open(process, address, home / "pgbouncer.log")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_open(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    for _ in range(100):
        assert process.poll() is None, log.read_text()
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"PgBouncer does not answer:\n{log.read_text()}")


def test_migrations_demo_gate_and_lists_work_behind_pgbouncer(tmp_path: Path) -> None:
    with database(tmp_path) as url, pgbouncer(url, tmp_path) as address:
        env = environment(address, PGBOUNCER="on")
        with served(env, tmp_path) as portal:
            server = Server(portal, env)
            key = server.manage(
                "create_token", "--account", "PA-063-101", "--name", "Pool", "--all-modules"
            ).strip()

            def calls(number: int) -> set[int]:
                # Each often enough to be prepared, if statements were prepared.
                paths = [
                    f"/public/v1/agreements?limit={number + 1}",
                    "/public/v1/auth/tokens?limit=5",
                    "/public/v1/tier/accounts",
                ]
                return {server.get(path, key).status for _ in range(8) for path in paths}

            with ThreadPoolExecutor(CLIENTS) as clients:
                assert set().union(*clients.map(calls, range(CLIENTS))) == {200}
        assert "ERROR" not in (tmp_path / "server.log").read_text()

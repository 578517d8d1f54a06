"""What the portal asks of its database beyond Django: no statement without an end, and a plain
answer when the database cannot serve one now.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.utils import InterfaceError, OperationalError

# When to try again after 503, in seconds.
RETRY_AFTER = 2

# SQLite calls back after so many steps of its virtual machine: about every millisecond.
STEPS = 10_000

SQLITE_BUSY = ("locked", "busy", "readonly", "disk", "unable to open")
# Classes and codes of PostgreSQL's SQLSTATE: connection, rollback, resources, lock, operator; read-only.
POSTGRESQL_BUSY = ("08", "40", "53", "55", "57", "25006")
QUERY_CANCELED = "57014"


class TookTooLong(Exception):
    """A statement ran longer than settings.STATEMENT_SECONDS and was stopped."""


@contextmanager
def time_limit() -> Iterator[None]:
    """Stop every statement in the block that runs longer than settings.STATEMENT_SECONDS.

    Raises TookTooLong. Behind PgBouncer nothing can be set for a connection, so there the limit
    belongs to the database role (see README.md).
    """
    limit = limit_sqlite if connection.vendor == "sqlite" else limit_postgresql
    try:
        with limit():
            yield
    except OperationalError as problem:
        if took_too_long(problem):
            raise TookTooLong from problem
        raise


@contextmanager
def limit_sqlite() -> Iterator[None]:
    """SQLite has no such setting: it asks a callback now and then whether to stop."""
    deadline = 0.0

    def overdue() -> bool:
        return time.monotonic() > deadline

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal deadline
        deadline = time.monotonic() + settings.STATEMENT_SECONDS
        database: Any = connection.connection
        database.set_progress_handler(overdue, STEPS)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        try:
            yield
        finally:
            # Closed in mid-transaction, the connection stays until the transaction has ended.
            with suppress(sqlite3.ProgrammingError):
                if connection.connection is not None:
                    connection.connection.set_progress_handler(None, STEPS)


@contextmanager
def limit_postgresql() -> Iterator[None]:
    """Set the limits once for a connection; inside a transaction that began before, for that one."""
    told_transaction = False

    def tell(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal told_transaction
        server: Any = connection.connection
        if not getattr(server, "statements_are_limited", False):
            # Past Django, whose log would count these as queries of the page.
            if not connection.in_atomic_block:
                set_limits(server, "SESSION")
                server.statements_are_limited = True
            elif not told_transaction:
                set_limits(server, "LOCAL")
                told_transaction = True
        return execute(sql, params, many, context)

    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        yield
        return
    with connection.execute_wrapper(tell):
        yield


def set_limits(server: Any, scope: str) -> None:
    for name in ("statement_timeout", "lock_timeout"):
        server.execute(f"SET {scope} {name} = '{settings.STATEMENT_SECONDS}s'")


def took_too_long(problem: BaseException) -> bool:
    """Whether the database stopped the statement because of its time."""
    return sqlstate(problem) == QUERY_CANCELED or str(problem) == "interrupted"


def is_busy(problem: BaseException | None) -> bool:
    """Whether the database cannot serve now what it could serve later: try again is true advice."""
    if isinstance(problem, TookTooLong | InterfaceError):
        return True
    if not isinstance(problem, OperationalError):
        return False
    if connection.vendor == "sqlite":
        return took_too_long(problem) or any(word in str(problem) for word in SQLITE_BUSY)
    # A connection that could not be made has no code.
    code = sqlstate(problem)
    return code is None or code.startswith(POSTGRESQL_BUSY)


def sqlstate(problem: BaseException) -> str | None:
    """PostgreSQL's code for what went wrong, None on SQLite."""
    code: str | None = getattr(problem.__cause__, "sqlstate", None)
    return code

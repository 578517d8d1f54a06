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
from psycopg.pq import TransactionStatus

# When to try again after 503, in seconds.
RETRY_AFTER = 2

# SQLite calls back after so many steps of its virtual machine: about every millisecond.
STEPS = 10_000
# Seconds between two of these calls, at most, that count as work of SQLite.
PAUSE = 0.25
# Seconds by which PostgreSQL's limit may differ from what is left, and the least that a statement
# gets: what ends a request, such as the row of its session, is to get through.
NOTICEABLE = 0.1

SQLITE_BUSY = ("locked", "busy", "readonly", "disk", "unable to open")
# Classes and codes of PostgreSQL's SQLSTATE: connection, rollback, resources, lock, operator; read-only.
POSTGRESQL_BUSY = ("08", "40", "53", "55", "57", "25006")
QUERY_CANCELED = "57014"


class TookTooLong(Exception):
    """The statements of a block ran longer than settings.STATEMENT_SECONDS, and one was stopped."""


@contextmanager
def time_limit() -> Iterator[None]:
    """Stop the statements in the block once they have run for settings.STATEMENT_SECONDS together.

    Only statements count, not what happens between them. Raises TookTooLong. Behind PgBouncer
    nothing can be set for a connection, so there the limit belongs to the database role and holds
    for each statement (see README.md).
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
    spent = last = 0.0

    def overdue() -> bool:
        nonlocal spent, last
        now = time.monotonic()
        # SQLite finds rows while they are fetched. A pause between two fetches does not count.
        spent, last = spent + min(now - last, PAUSE), now
        return spent > settings.STATEMENT_SECONDS

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal last
        last = time.monotonic()
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
    """Set the limit for a connection, and a lower one after statements that took noticeably long.

    Most requests find what they need on their connection, so it costs them nothing.
    """
    spent = 0.0
    # What is set for this transaction alone: inside of one, a limit for the connection could be
    # rolled back unseen.
    in_transaction: float | None = None

    def tell(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal spent, in_transaction
        server: Any = connection.connection
        status = server.info.transaction_status
        if status == TransactionStatus.IDLE:
            in_transaction = None
        left = max(settings.STATEMENT_SECONDS - spent, NOTICEABLE)
        known = in_transaction if in_transaction is not None else getattr(server, "statement_seconds", None)
        # A transaction that failed takes nothing but its end.
        if status != TransactionStatus.INERROR and (known is None or abs(known - left) > NOTICEABLE):
            set_limits(server, "LOCAL" if connection.in_atomic_block else "SESSION", left)
            if connection.in_atomic_block:
                in_transaction = left
            else:
                server.statement_seconds = left
        began = time.monotonic()
        try:
            return execute(sql, params, many, context)
        finally:
            spent += time.monotonic() - began

    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        yield
        return
    with connection.execute_wrapper(tell):
        yield


def set_limits(server: Any, scope: str, seconds: float) -> None:
    """Set the limits past Django, whose log would count this as a query of the page."""
    with connection.wrap_database_errors:
        server.execute("; ".join(f"SET {scope} {name} = {seconds * 1000:.0f}" for name in ("statement_timeout", "lock_timeout")))


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

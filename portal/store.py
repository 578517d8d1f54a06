"""Time limits for database statements, notes that wait for nothing, and telling a busy database."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.utils import InterfaceError, OperationalError
from psycopg.pq import TransactionStatus

# Seconds until a client should try again after 503.
RETRY_AFTER = 2

# SQLite calls back after this many steps of its virtual machine: about every millisecond.
STEPS = 10_000
# The most seconds between two of these calls that count as work of SQLite.
PAUSE = 0.25
# Seconds by which PostgreSQL's limit may differ from what is left, and the least that a statement
# gets, so that what ends a request, such as saving its session, still succeeds.
NOTICEABLE = 0.1

SQLITE_BUSY = ("locked", "busy", "readonly", "disk", "unable to open")
# Prefixes of SQLSTATE codes of PostgreSQL: connection, rollback, resources, lock, operator
# intervention; read-only transaction.
POSTGRESQL_BUSY = ("08", "40", "53", "55", "57", "25006")
QUERY_CANCELED = "57014"


class TookTooLong(Exception):
    """The statements of a block ran longer than settings.STATEMENT_SECONDS, or were stopped."""


# The key of META with the Stop of a request.
STOP = "portal.stop"


class Stop:
    """Lets another thread stop the statements of a request, once its client has left."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.is_wanted = False
        # The driver's connection, once the request has used it.
        self.connection: Any = None

    def now(self) -> None:
        """Cancel the running statement, and those that follow."""
        with self.lock:
            self.is_wanted = True
            if isinstance(self.connection, sqlite3.Connection):
                self.connection.interrupt()
            elif self.connection is not None:
                self.connection.cancel_safe(timeout=settings.STATEMENT_SECONDS)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Stop the statements of the block when told to."""

        def watch(
            execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any
        ) -> Any:
            with self.lock:
                if self.is_wanted:
                    # As the database says it of a statement that runs.
                    raise OperationalError("interrupted")
                self.connection = connection.connection
            return execute(sql, params, many, context)

        with connection.execute_wrapper(watch):
            try:
                yield
            finally:
                # The connection is that of another request from now on.
                with self.lock:
                    self.connection = None


@contextmanager
def time_limit(stop: Stop | None = None) -> Iterator[None]:
    """Raise TookTooLong once the statements in the block have run for settings.STATEMENT_SECONDS.

    Their times add up; what happens between them does not count. Behind PgBouncer, nothing can be
    set for a connection, so the limit must be set for the database role there and holds for each
    statement (see docs/settings.md). With `stop`, they can be stopped earlier.
    """
    limit = limit_sqlite if connection.vendor == "sqlite" else limit_postgresql
    try:
        with stop.heeded() if stop else nullcontext(), limit():
            yield
    except OperationalError as problem:
        if took_too_long(problem):
            raise TookTooLong from problem
        raise


@contextmanager
def limit_sqlite() -> Iterator[None]:
    """Limit statements with SQLite's progress handler, since it has no setting for that."""
    spent = last = 0.0

    def overdue() -> bool:
        nonlocal spent, last
        now = time.monotonic()
        # SQLite looks for rows while they are fetched. A pause between fetches does not count.
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
            # A connection closed mid-transaction is still set until the transaction has ended.
            with suppress(sqlite3.ProgrammingError):
                if connection.connection is not None:
                    connection.connection.set_progress_handler(None, STEPS)


@contextmanager
def limit_postgresql() -> Iterator[None]:
    """Set the limit for the connection, and lower it after statements that took noticeably long.

    Most requests find the right limit already set on their connection, so it costs them nothing.
    """
    spent = 0.0
    # The limit set for the current transaction only: inside a transaction, a limit for the
    # connection could be rolled back unnoticed.
    in_transaction: float | None = None

    def tell(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal spent, in_transaction
        server: Any = connection.connection
        status = server.info.transaction_status
        if status == TransactionStatus.IDLE:
            in_transaction = None
        left = max(settings.STATEMENT_SECONDS - spent, NOTICEABLE)
        known = (
            in_transaction
            if in_transaction is not None
            else getattr(server, "statement_seconds", None)
        )
        # A failed transaction accepts nothing but its end.
        if status != TransactionStatus.INERROR and (
            known is None or abs(known - left) > NOTICEABLE
        ):
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
    """Set the limits without Django, whose query log would count this as a query of the page."""
    with connection.wrap_database_errors:
        server.execute(
            "; ".join(
                f"SET {scope} {name} = {seconds * 1000:.0f}"
                for name in ("statement_timeout", "lock_timeout")
            )
        )


@contextmanager
def in_passing() -> Iterator[None]:
    """Open a transaction for notes, which waits neither for another writer nor for the disk.

    A power failure may lose the notes of the last moments.
    """
    if connection.in_atomic_block:
        with without_waiting(), transaction.atomic():
            yield
    elif connection.vendor == "sqlite":
        with without_waiting(), without_the_disk(), transaction.atomic():
            yield
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
            yield


def without_waiting() -> AbstractContextManager[None]:
    """Give up at once instead of waiting for another writer: SQLite has one at a time."""
    if connection.vendor != "sqlite":
        return nullcontext()
    return pragma("busy_timeout", 0, connection.settings_dict["OPTIONS"]["timeout"] * 1000)


def without_the_disk() -> AbstractContextManager[None]:
    """Let SQLite commit without waiting for the disk, in a transaction that the block begins."""
    return pragma("synchronous", "NORMAL", "FULL")


@contextmanager
def pragma(name: str, value: int | str, usual: int | str) -> Iterator[None]:
    """Set a pragma of SQLite for a block."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name} = {value}")
        try:
            yield
        finally:
            # Past what stops the statements of a client that has left.
            if connection.connection is not None:
                connection.connection.execute(f"PRAGMA {name} = {usual}")


def took_too_long(problem: BaseException) -> bool:
    """Tell whether the database stopped a statement because it reached its time limit."""
    return sqlstate(problem) == QUERY_CANCELED or str(problem) == "interrupted"


def is_busy(problem: BaseException | None) -> bool:
    """Tell whether the database is only temporarily unable to serve, so a retry may succeed."""
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
    """Return PostgreSQL's error code; None on SQLite or without a connection."""
    code: str | None = getattr(problem.__cause__, "sqlstate", None)
    return code

"""Closes connections that are idle for too long.

granian limits how long the head of a request may take, but not the silence before it, HTTP/2
connections that only ping, or how slowly a response is read. This module looks at the open sockets
of the process instead and closes every connection that has had no request for too long. When unread
responses take too much memory, it also closes the connections with such responses that have been
idle longest.
"""

import logging
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

log = logging.getLogger(__name__)

# Seconds without a request: from accept to the head of the first one, and after a response was
# handed over, which is also how long a client may take to read it.
FIRST_REQUEST = 15
NEXT_REQUEST = 75
# When many connections are open, the first request must come sooner.
MANY = 1024
FIRST_REQUEST_OF_MANY = 5
SWEEP = 1
# Concurrent requests on an HTTP/2 connection. A client may leave all of their responses unread.
STREAMS = 8
# Bytes of responses that may wait in this process to be read. granian does not say which were read.
UNREAD = 64 * 1024 * 1024

Client = tuple[str, int]


class Use:
    """How a connection is used."""

    __slots__ = ("requests", "since", "unread", "used")

    def __init__(self) -> None:
        self.requests = 0
        # Upper bound of its unread responses, in bytes.
        self.unread = 0
        self.used = False
        self.since = time.monotonic()

    def answer(self, length: int, http_version: str) -> None:
        """Count a response of `length` bytes.

        A client that sends another request over HTTP/1 has read the last response; over HTTP/2,
        any of them may be unread.
        """
        if http_version == "2":
            self.unread = max(self.unread, STREAMS * length)
        else:
            self.unread = length


class Connections:
    """The open client connections of this process."""

    def __init__(self) -> None:
        self.uses: dict[Client, Use] = {}
        self.ended = Event()

    @contextmanager
    def busy(self, client: tuple[str, object]) -> Iterator[Use]:
        """Keep a connection open while one of its requests is being served."""
        use = self.uses.setdefault((client[0], int(str(client[1]))), Use())
        use.requests += 1
        use.used = True
        try:
            yield use
        finally:
            use.requests -= 1
            use.since = time.monotonic()

    def watch(self) -> None:
        Thread(target=self.sweep_until_left, name="idle connections", daemon=True).start()

    def leave(self) -> None:
        self.ended.set()

    def sweep_until_left(self) -> None:
        while not self.ended.wait(SWEEP):
            try:
                self.sweep()
            except Exception:
                log.exception("Idle connections could not be checked.")

    def sweep(self) -> None:
        """Close connections that have been idle too long, and forget those that are gone."""
        now = time.monotonic()
        open_now = set()
        crowding = self.crowding()
        for client, connection in client_connections():
            with connection:
                open_now.add(client)
                use = self.uses.setdefault(client, Use())
                first = FIRST_REQUEST if len(self.uses) < MANY else FIRST_REQUEST_OF_MANY
                idle = not use.requests and now - use.since > (NEXT_REQUEST if use.used else first)
                if idle or client in crowding:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
        for client in [
            client
            for client, use in list(self.uses.items())
            if client not in open_now and not use.requests
        ]:
            del self.uses[client]

    def crowding(self) -> set[Client]:
        """Return the connections to close, idle longest first, so that the rest fit into UNREAD."""
        uses = sorted(self.uses.items(), key=lambda each: each[1].since)
        total = sum(use.unread for _client, use in uses)
        found = set()
        for client, use in uses:
            if total <= UNREAD:
                break
            if use.unread:
                found.add(client)
                total -= use.unread
        return found


def client_connections() -> Iterator[tuple[Client, socket.socket]]:
    """Yield the address of each connected client and a duplicate of its socket to be closed."""
    sockets = list(network_sockets())
    listening = {
        local_port(each)
        for each in sockets
        if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    }
    for each in sockets:
        try:
            client = each.getpeername()
        except OSError:  # a listening socket, or the client has left
            client = None
        if client and local_port(each) in listening:
            yield (client[0].partition("%")[0], client[1]), each
        else:
            each.close()


def network_sockets() -> Iterator[socket.socket]:
    """Yield a duplicate of each TCP socket of this process.

    A duplicate stays valid even if the original is closed and its number is reused.
    """
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # closed in the meantime
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                each = socket.socket(fileno=os.dup(int(name)))
                if each.family in {socket.AF_INET, socket.AF_INET6}:
                    yield each
                else:
                    each.close()


def local_port(each: socket.socket) -> int:
    port: int = each.getsockname()[1]
    return port

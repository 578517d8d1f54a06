"""Connections that wait without a request are closed.

granian limits how long the head of a request may take, but not the silence before it, nor HTTP/2
that only pings, nor how slowly an answer is taken. The kernel's list of open sockets shows them
all alike: whoever has had no request for too long has to connect anew. So do the first of those who
may have left their answers unread, when these take too much memory.
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

# Seconds without a request: from accept to the head of the first one, and after an answer was
# handed over, which is also how long a client may take to read it.
FIRST_REQUEST = 15
NEXT_REQUEST = 75
# When many are open at once, the first request must come sooner.
MANY = 1024
FIRST_REQUEST_OF_MANY = 5
SWEEP = 1
# Requests at once in a connection by HTTP/2. Clients may refuse to read the answers of all of them.
STREAMS = 8
# Bytes of answers that may wait in this process to be read. granian does not tell which were read.
UNREAD = 64 * 1024 * 1024

Client = tuple[str, int]


class Use:
    """What is known of a connection."""

    __slots__ = ("requests", "since", "unread", "used")

    def __init__(self) -> None:
        self.requests = 0
        # Bytes of its answers that may be unread, at most.
        self.unread = 0
        self.used = False
        self.since = time.monotonic()

    def answer(self, length: int, http_version: str) -> None:
        """Count an answer. Who asks anew by HTTP/1 has read the last one; HTTP/2 may keep any."""
        if http_version == "2":
            self.unread = max(self.unread, STREAMS * length)
        else:
            self.unread = length


class Connections:
    """The open connections of this process to its clients."""

    def __init__(self) -> None:
        self.uses: dict[Client, Use] = {}
        self.ended = Event()

    @contextmanager
    def busy(self, client: tuple[str, object]) -> Iterator[Use]:
        """Keep a connection open while one of its requests is worked on."""
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
                log.exception("The connections that wait could not be looked at.")

    def sweep(self) -> None:
        """Close the connections that waited too long, and forget those that are gone."""
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
        for client in [client for client, use in list(self.uses.items()) if client not in open_now and not use.requests]:
            del self.uses[client]

    def crowding(self) -> set[Client]:
        """Return the connections to close so that the others keep to UNREAD: the longest unused."""
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
    """Give the address of each connected client and its socket, duplicated: close it after use."""
    sockets = list(network_sockets())
    listening = {local_port(each) for each in sockets if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)}
    for each in sockets:
        try:
            client = each.getpeername()
        except OSError:  # it listens, or its client has left
            client = None
        if client and local_port(each) in listening:
            yield (client[0].partition("%")[0], client[1]), each
        else:
            each.close()


def network_sockets() -> Iterator[socket.socket]:
    """Give a duplicate of each TCP socket of this process, so that none is another one meanwhile."""
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # just closed
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                each = socket.socket(fileno=os.dup(int(name)))
                if each.family in {socket.AF_INET, socket.AF_INET6}:
                    yield each
                else:
                    each.close()


def local_port(each: socket.socket) -> int:
    port: int = each.getsockname()[1]
    return port

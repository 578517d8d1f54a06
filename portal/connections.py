"""Connections that wait without a request are closed.

granian limits how long the head of a request may take, but not the silence before it, nor HTTP/2
that only pings, nor how slowly an answer is taken. The kernel's list of open sockets shows them
all alike: whoever has had no request for too long has to connect anew.
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

Client = tuple[str, int]


class Use:
    """What is known of a connection."""

    __slots__ = ("requests", "since", "used")

    def __init__(self) -> None:
        self.requests = 0
        self.used = False
        self.since = time.monotonic()


class Connections:
    """The open connections of this process to its clients."""

    def __init__(self) -> None:
        self.uses: dict[Client, Use] = {}
        self.ended = Event()

    @contextmanager
    def busy(self, client: tuple[str, object]) -> Iterator[None]:
        """Keep a connection open while one of its requests is worked on."""
        use = self.uses.setdefault((client[0], int(str(client[1]))), Use())
        use.requests += 1
        use.used = True
        try:
            yield
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
            except OSError:
                log.exception("The connections that wait could not be looked at.")

    def sweep(self) -> None:
        """Close the connections that waited too long, and forget those that are gone."""
        now = time.monotonic()
        open_now = set()
        for client, connection in client_connections():
            with connection:
                open_now.add(client)
                use = self.uses.setdefault(client, Use())
                first = FIRST_REQUEST if len(self.uses) < MANY else FIRST_REQUEST_OF_MANY
                if not use.requests and now - use.since > (NEXT_REQUEST if use.used else first):
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
        for client in [client for client, use in self.uses.items() if client not in open_now and not use.requests]:
            del self.uses[client]


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

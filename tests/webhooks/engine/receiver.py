"""Endpoints that webhooks call: well-behaved ones, and ones that do not even speak HTTP."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Got:
    """A call as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Reply:
    """What an endpoint answers."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    # Seconds that it takes.
    after: float = 0.0


class Receiver:
    """A real HTTP server on loopback that keeps what it gets and answers as it is told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: list[Got] = []
        self.reply = Reply()
        self.busy = self.most_busy = 0
        self.lock = threading.Lock()

    @property
    def ids(self) -> list[str]:
        return [each.headers["webhook-id"] for each in self.calls]

    def answer(self, got: Got) -> Reply:
        with self.lock:
            self.calls.append(got)
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
        time.sleep(self.reply.after)
        with self.lock:
            self.busy -= 1
        return self.reply


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        names = {name.lower(): value for name, value in self.headers.items()}
        got = Got(self.command, self.path, names, self.rfile.read(length), time.monotonic())
        reply = self.receiver.answer(got)
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = handle_any  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away."""


@contextmanager
def receiving(address: str = "127.0.0.1") -> Iterator[Receiver]:
    """Run an endpoint."""
    handler = type("Handler", (Handler,), {})
    server = Server((address, 0), handler)
    handler.receiver = Receiver(f"http://{address}:{server.server_port}/hook")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield handler.receiver  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def speaking(script: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run something that answers each connection as the script says; yield its address."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _peer = server.accept()
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        def talk(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                script(connection)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        finally:
            # Closing alone does not wake a thread that waits for a connection.
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)

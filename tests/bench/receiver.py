"""An endpoint for the benchmark of webhooks, as a process: `python -m tests.bench.receiver PORT`.

It answers each call after 5 ms, below `/slow` after a second, and keeps when which delivery arrived
first. `GET /arrived` returns that and forgets it.
"""

import asyncio
import re
import sys
import time
from urllib.parse import urlsplit

import orjson

FAST, SLOW = 0.005, 1.0
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
ID = re.compile(rb"\r\nwebhook-id: *([^\r]*)", re.IGNORECASE)
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)

arrived: dict[str, float] = {}


class Endpoint(asyncio.Protocol):
    """One connection, whose calls come one after the other."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.read = b""

    def data_received(self, data: bytes) -> None:
        self.read += data
        head, found, rest = self.read.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not found or len(rest) < (int(length[1]) if length else 0):
            return
        self.read = b""
        path = urlsplit(head.split(b" ", 2)[1].decode()).path
        if path == "/arrived":
            body = orjson.dumps(arrived)
            arrived.clear()
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            return
        if name := ID.search(head):
            arrived.setdefault(name[1].decode(), time.time())
        seconds = SLOW if path.startswith("/slow") else FAST
        asyncio.get_running_loop().call_later(seconds, self.answer)

    def answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(ANSWER)


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Endpoint, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))

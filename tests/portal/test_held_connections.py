"""Connections that are held open take nothing from others."""

import json
import select
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import psycopg

from portal.connections import NEXT_REQUEST, STREAMS, UNREAD
from tests.portal.conftest import CUSTOMERS, JSON, Portal
from tests.portal.test_serve import customer, head
from tests.server import Reply


def test_who_sends_and_reads_nothing_holds_up_nobody(portal: Portal) -> None:
    half = head("POST", "/sign-in/", "Host: 127.0.0.1", "Content-Length: 20") + b"a"
    chunk = head("POST", CUSTOMERS, "Host: 127.0.0.1", "Transfer-Encoding: chunked") + b"10\r\na"
    slow = head(
        "GET",
        "/public/v1/tier/accounts?limit=1000",
        "Host: 127.0.0.1",
        f"Authorization: {portal.key}",
    )
    with ExitStack() as held:
        for first in (half, chunk, slow, b"", b"GET / HT", b"PRI * HTTP/2"):
            for _ in range(40):
                connection = held.enter_context(portal.connect())
                connection.sendall(first)
        portal.answers()


def http2_frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def unread(connection: socket.socket, path: bytes, streams: int) -> list[int]:
    """Ask for that many answers over HTTP/2, accepting no contents; return the frame types."""
    names = {b":method": b"GET", b":scheme": b"http", b":path": path, b":authority": b"127.0.0.1"}
    fields = [
        bytes([0, len(name)]) + name + bytes([len(text)]) + text for name, text in names.items()
    ]
    nothing_fits = b"\0\4" + bytes(4)
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2_frame(4, 0, 0, nothing_fits))
    for number in range(streams):
        connection.sendall(http2_frame(1, 5, 2 * number + 1, b"".join(fields)))
    received = connection.makefile("rb")
    kinds: list[int] = []
    while kinds.count(1) + kinds.count(3) < streams:
        start = received.read(9)
        kinds.append(start[3])
        received.read(int.from_bytes(start[:3]))
    return kinds


def test_a_connection_by_http_2_has_few_requests_at_once(portal: Portal) -> None:
    with portal.connect() as connection:
        # Frame type 3, RST_STREAM, refuses a request.
        assert unread(connection, b"/sign-in/", 2 * STREAMS).count(3) >= STREAMS


def test_who_reads_no_answers_is_closed_before_they_take_the_memory(portal: Portal) -> None:
    path = "/public/v1/openapi.json"
    length = STREAMS * len(portal.ask("GET", path).body)
    with ExitStack() as held:
        connections = []
        # Enough for two processes, and a few more.
        for _ in range(2 * UNREAD // length + 4):
            connections.append(held.enter_context(portal.connect()))
            unread(connections[-1], path.encode(), STREAMS)
        began = time.monotonic()
        while not any(is_closed(connection) for connection in connections):
            assert time.monotonic() - began < NEXT_REQUEST / 2
            time.sleep(0.1)
        portal.answers()


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return not connection.recv(65536)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_a_connection_without_a_request_is_closed(portal: Portal) -> None:
    with ExitStack() as held:
        waiting = [held.enter_context(portal.connect()) for _ in range(4)]
        for connection, first in zip(
            waiting,
            (b"", b"GET / HT", b"PRI * HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            strict=True,
        ):
            connection.sendall(first)
        # Each ends within the time limit of the socket.
        for connection in waiting:
            while connection.recv(65536):
                pass


def test_a_body_that_never_comes_is_408(portal: Portal) -> None:
    answer = portal.send(head("POST", "/sign-in/", "Host: 127.0.0.1", "Content-Length: 20"), b"a")
    assert answer.status == 408
    assert "took too long" in answer.body.decode()


@contextmanager
def held_database(url: str) -> Iterator[None]:
    """Keep everybody else from writing to the database."""
    if url.startswith("sqlite"):
        with closing(
            sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        ) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
    else:
        with psycopg.connect(url) as connection:
            connection.execute("LOCK TABLE modules_customer IN EXCLUSIVE MODE")
            yield


def test_writers_who_wait_for_the_database_hold_up_no_reader_and_are_told_to_come_back(
    portal: Portal,
) -> None:
    """Two of them wait in each worker process, the others in front of it."""
    made = customer(portal)
    sent = json.dumps(made | {"name": "Half done"})

    def write(_number: int) -> Reply:
        return portal.ask(
            "PUT", f"{CUSTOMERS}/{made['id']}", JSON | {"Authorization": portal.key}, sent
        )

    with ThreadPoolExecutor(12) as pool, held_database(portal.env["DATABASE_URL"]):
        writers = [pool.submit(write, number) for number in range(12)]
        while not any(writer.done() for writer in writers):
            assert portal.get("/sign-in/").status == 200
            assert portal.get(f"{CUSTOMERS}?limit=2", portal.key).status == 200
        answers = [writer.result() for writer in writers]
    assert {(answer.status, answer.headers["Retry-After"]) for answer in answers} == {(503, "2")}
    assert {json.loads(answer.body)["error_code"] for answer in answers} == {"SYS_503"}
    assert customer(portal) == made


def test_a_flood_with_one_key_leaves_the_call_of_another_its_turn(portal: Portal) -> None:
    another = portal.manage(
        "create_token", "--account", "PA-063-101", "--name", "Another", "--all-modules"
    ).strip()
    call = head(
        "GET",
        f"{CUSTOMERS}?limit=100",
        "Host: 127.0.0.1",
        f"Authorization: {another}",
        "Connection: close",
    )
    with ExitStack() as held:
        flood = [held.enter_context(portal.connect()) for _ in range(250)]
        for connection in flood:
            connection.sendall(call)
        assert portal.get(f"{CUSTOMERS}?limit=2", portal.key).status == 200
        answered, _, _ = select.select(flood, [], [], 0)
        assert len(answered) < len(flood) / 2
        # A burst is served, not refused.
        assert {connection.recv(65536)[:12] for connection in flood} == {b"HTTP/1.1 200"}

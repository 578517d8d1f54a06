"""The ASGI application that granian serves: it awaits requests and runs Django in a few threads.

A request takes a thread only once its body is complete, and its response is handed over whole, so a
slow client cannot hold a thread. docs/decisions/0001-server.md gives the reasons for this design.
"""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from io import BytesIO
from sys import stderr
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest

from portal.wsgi import application as django_application  # must come first: it sets Django up

from portal import api, background, views  # isort: skip
from portal.connections import Connections  # isort: skip
from portal.http import READS, client_network  # isort: skip
from portal.middleware import DATA_POLICY, HEALTH, SecurityHeadersMiddleware  # isort: skip
from portal.pools import Answer, Client, HttpError, HungUp, Pool, Receive  # isort: skip
from portal.store import STOP, Stop  # isort: skip

log = logging.getLogger(__name__)

Scope = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Limits of a body in bytes: for clients without credentials, for API calls with something that
# looks like a key, and for requests of pages with something that looks like a session.
STRANGERS_BODY = 16 * 1024
API_BODY = 64 * 1024
BODY = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
KEY = re.compile(r"(?i:apikey) SU-[0-9]{3}-[0-9]{3}-[0-9]{3}:[0-9a-f]{40}")
SESSION = re.compile(rf"(?:^|;)\s*{settings.SESSION_COOKIE_NAME}=([a-z0-9]{{32}})(?:;|$)")
# Total bytes of bodies that this process may hold, from their first byte until the response.
BODIES = 64 * 1024 * 1024
# One network may use 1/SHARE of what is free, so it takes many networks to fill it.
SHARE = 8
# The most chunks of a body: each one costs time, however small it is.
CHUNKS = 1024
# Seconds allowed from the head of a request to the end of its body.
BODY_SECONDS = 15

# Threads for each kind of request; each keeps one database connection. The kinds are separate so
# that writers waiting for the database do not hold up readers, long lists do not hold up short
# ones, and browsers do not hold up programs.
THREADS = {
    "API, reads": 3,
    "API, long lists": 1,
    "API, writes": 2,
    "pages, reads": 2,
    "pages, writes": 2,
}
# The most rows of a short list of the API, which is also the default when the query has no limit.
SHORT_LIST = 100
# Finds `limit` in a query; the group is its number if the value is unambiguous.
LIMIT = re.compile(r"(?<![\w.-])limit(?![\w.-])(?:[=(]0*([0-9]{1,3})(?![\w.-]))?", re.IGNORECASE)
# Seconds that a write may wait for a thread while others wait for the database. After that it is
# refused with advice to try again, and nothing has been done.
WRITERS_PATIENCE = settings.STATEMENT_SECONDS


class Application:
    """ASGI on the outside, WSGI on the inside."""

    def __init__(self) -> None:
        self.connections = Connections()
        self.bodies = Bodies()
        self.pools: dict[str, Pool] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        with self.connections.busy(scope["client"]) as use:
            try:
                answer = await self.answer(scope, receive)
            except HungUp:
                return
            use.answer(len(answer.body), scope["http_version"])
            start = {"type": "http.response.start", "status": answer.status}
            await send({**start, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})

    async def live(self, receive: Receive, send: Send) -> None:
        """Start the threads when the worker process starts, and end them when it shuts down."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.pools = {
                    name: Pool(
                        name,
                        threads,
                        run_django_safely,
                        WRITERS_PATIENCE if "writes" in name else None,
                    )
                    for name, threads in THREADS.items()
                }
                self.connections.watch()
                background.start()
            else:
                background.end()
                self.connections.leave()
                for pool in self.pools.values():
                    pool.end()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            environ = environ_of(scope)
            try:
                return await self.serve(scope, environ, receive)
            except HttpError as problem:
                return refuse(environ, problem.status)
        except HungUp:
            raise
        except Exception:
            log.exception("A request failed outside Django.")
            return LAST_RESORT

    async def serve(self, scope: Scope, environ: dict[str, Any], receive: Receive) -> Answer:
        if environ["PATH_INFO"] == HEALTH:
            # It uses no database, so it needs no thread and works while all of them are taken.
            return run_django(environ)
        check_host(scope, environ)
        who = client(environ)
        with self.bodies.counting(who.network) as count:
            body = await read_body(scope, environ, receive, count)
            environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(len(body)), BytesIO(body)
            # A write is carried through, though nobody waits for the response.
            stop = Stop() if environ["REQUEST_METHOD"] in READS else None
            environ[STOP] = stop
            return await self.pools[kind(environ)].run(
                who, environ, receive, stop.now if stop else None
            )


class Bodies:
    """The bytes of request bodies that this process holds, in total and by network."""

    def __init__(self) -> None:
        self.held = 0
        self.held_by: Counter[str] = Counter()

    @contextmanager
    def counting(self, network: str) -> Iterator[Callable[[int], None]]:
        """Yield a function that counts bytes of one body and raises HttpError if there is no room.

        Shares go by network: something shaped like a session or a key proves nothing.
        """
        mine = 0

        def count(length: int) -> None:
            nonlocal mine
            if self.held_by[network] + length > (BODIES - self.held) / SHARE:
                raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE)
            self.held += length
            self.held_by[network] += length
            mine += length

        try:
            yield count
        finally:
            self.held -= mine
            self.held_by[network] -= mine
            if not self.held_by[network]:
                del self.held_by[network]


def client(environ: Mapping[str, Any]) -> Client:
    """Return the client of a request, as far as it is known without querying the database.

    Clients are told apart by the whole key, not its id: whoever lacks the secret is another client.
    """
    return Client(client_network(environ), key(environ) if is_call(environ) else session(environ))


def is_call(environ: Mapping[str, Any]) -> bool:
    path: str = environ["PATH_INFO"]
    return path.startswith(api.PREFIX)


def key(environ: Mapping[str, Any]) -> str:
    """Return the Authorization header if it has the shape of a key, else an empty string."""
    header: str = environ.get("HTTP_AUTHORIZATION", "")
    return header if KEY.fullmatch(header) else ""


def session(environ: Mapping[str, Any]) -> str:
    """Return the session cookie if it has the shape of a session key, else an empty string."""
    found = SESSION.search(environ.get("HTTP_COOKIE", ""))
    return found[1] if found else ""


def kind(environ: Mapping[str, Any]) -> str:
    """Return the name of the pool that serves a request."""
    side = "API" if is_call(environ) else "pages"
    if environ["REQUEST_METHOD"] not in READS:
        return f"{side}, writes"
    if side == "API" and wants_long_list(environ["QUERY_STRING"]):
        return "API, long lists"
    return f"{side}, reads"


def wants_long_list(query: str) -> bool:
    """Tell whether the query may ask for a long list. An ambiguous limit counts as long."""
    return any(
        int(number or SHORT_LIST + 1) > SHORT_LIST for number in LIMIT.findall(unquote(query))
    )


# --- From a request to a response ---------------------------------------------------------------

ENVIRON = {
    "SCRIPT_NAME": "",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.version": (1, 0),
    "wsgi.errors": stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
# Headers about the connection to the client, no longer true once the body has been read.
HOP_BY_HOP = {b"transfer-encoding", b"content-length", b"expect", b"connection", b"upgrade"}


def environ_of(scope: Scope) -> dict[str, Any]:
    """Return the WSGI environment of a request, built from its scope alone.

    Headers with an underscore in their name are dropped: WSGI cannot tell X_Forwarded_For from
    X-Forwarded-For, so a client could add to what a proxy wrote.
    """
    environ = {
        **ENVIRON,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(),
    }
    for name, value in scope["headers"]:
        # granian adds an empty Host if there is none.
        if b"_" in name or name in HOP_BY_HOP or (name == b"host" and not value):
            continue
        key = (
            "CONTENT_TYPE"
            if name == b"content-type"
            else f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"
        )
        text = value.decode("latin-1")
        if key in environ:
            text = f"{environ[key]}{'; ' if name == b'cookie' else ','}{text}"
        environ[key] = text
    return environ


def check_host(scope: Scope, environ: Mapping[str, Any]) -> None:
    """Raise HttpError unless there is exactly one Host (RFC 9112, 3.2) or, in HTTP/1.0, none."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) > 1 or (not any(hosts) and scope["http_version"] != "1"):
        raise HttpError(HTTPStatus.BAD_REQUEST)


async def read_body(
    scope: Scope, environ: Mapping[str, Any], receive: Receive, count: Callable[[int], None]
) -> bytes:
    """Return the whole body. Raise HttpError if it is too large, too slow or malformed."""
    framing = {
        name: value
        for name, value in scope["headers"]
        if name in {b"content-length", b"transfer-encoding"}
    }
    declared = int(framing.get(b"content-length", b"0"))
    if not declared and not framing.get(b"transfer-encoding") and scope["http_version"] != "2":
        return b""
    limit = body_limit(environ)
    if declared > limit:
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    parts: list[bytes] = []
    length = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    # The client has left, and sees no response, or it sent a malformed body.
                    raise HttpError(HTTPStatus.BAD_REQUEST)
                parts.append(message.get("body", b""))
                length += len(parts[-1])
                count(len(parts[-1]))
                if length > limit or len(parts) > CHUNKS:
                    raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        raise HttpError(HTTPStatus.REQUEST_TIMEOUT) from None


def body_limit(environ: Mapping[str, Any]) -> int:
    """Return the limit for the body of a request, in bytes."""
    if is_call(environ):
        return API_BODY if key(environ) else STRANGERS_BODY
    return BODY if session(environ) else STRANGERS_BODY


def run_django(environ: dict[str, Any]) -> Answer:
    """Return the complete response of Django's WSGI handler."""
    status, headers = "", []

    def start_response(given: str, names: Iterable[tuple[str, str]], exc_info: Any = None) -> None:
        nonlocal status, headers
        status, headers = (
            given,
            [(name.encode("latin-1"), value.strip().encode("latin-1")) for name, value in names],
        )

    response: Any = django_application(environ, start_response)
    try:
        body = b"".join(response)
    finally:
        response.close()
    return Answer(int(status[:3]), headers, body)


def run_django_safely(environ: dict[str, Any]) -> Answer:
    """Return a response whatever happens: requests would hang if their thread ended."""
    try:
        return run_django(environ)
    except BaseException:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        log.exception("%s %s failed outside Django.", method, path)
        return refuse(environ, HTTPStatus.INTERNAL_SERVER_ERROR)


# No other middleware follows it.
secure = SecurityHeadersMiddleware(lambda request: None)  # type: ignore[arg-type, return-value]


def refuse(environ: Mapping[str, Any], status: HTTPStatus) -> Answer:
    """Return a response made without Django's handler: JSON below /public/, else a small page.

    It uses only where the request went: other parts of the request might raise again.
    """
    kept = ("REQUEST_METHOD", "PATH_INFO", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme")
    try:
        bare = {**ENVIRON, "wsgi.input": BytesIO(), **{name: environ[name] for name in kept}}
        request = WSGIRequest(bare)
        response = views.bare_error(request, status)
        secure.process_response(request, response)
        headers = [(name.encode(), value.encode()) for name, value in response.items()]
        return Answer(status, headers, response.content)
    except Exception:
        log.exception("An error response failed.")
        return LAST_RESORT


# The response when even an error response fails.
LAST_RESORT = Answer(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    [
        (b"content-type", b"text/plain"),
        (b"content-security-policy", DATA_POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
    ],
    b"Something broke on our side.",
)

application = Application()

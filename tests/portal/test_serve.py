"""`manage.py serve` as strangers meet it.

Bodies arrive complete in every form, nothing holds a thread, and malformed requests are refused.
"""

import json
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from portal.asgi import API_BODY, BODY, CHUNKS, STRANGERS_BODY
from portal.middleware import DATA_POLICY, PAGE_POLICY
from tests.matching import matched
from tests.portal.conftest import CUSTOMERS, JSON, PASSWORD, Portal

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KEY = f"ApiKey SU-000-000-000:{'0' * 40}"


def head(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", *lines, "", "")).encode()


# --- Bodies ---------------------------------------------------------------------------------------


def sign_in_page(portal: Portal) -> tuple[str, str]:
    """Return the cookie and the CSRF token of the sign-in form."""
    page = portal.ask("GET", "/sign-in/")
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    mark = matched(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.body.decode())[1]
    return cookie, mark


def chunks(text: str) -> Iterator[bytes]:
    return iter([text[at : at + 7].encode() for at in range(0, len(text), 7)])


def test_a_form_in_chunks_signs_in(portal: Portal) -> None:
    cookie, mark = sign_in_page(portal)
    form = urlencode(
        {
            "csrfmiddlewaretoken": mark,
            "username": "michael@mightymicks.example",
            "password": PASSWORD,
        }
    )
    answer = portal.ask(
        "POST", "/sign-in/", FORM | {"Cookie": cookie}, chunks(form), encode_chunked=True
    )
    assert (answer.status, answer.headers["Location"]) == (302, "/integrations/tokens/")


def test_a_body_in_chunks_changes_what_it_says(portal: Portal) -> None:
    made = customer(portal)
    answer = portal.ask(
        "PUT",
        f"{CUSTOMERS}/{made['id']}",
        JSON | {"Authorization": portal.key},
        chunks(json.dumps(made | {"name": "New"})),
        encode_chunked=True,
    )
    assert (answer.status, json.loads(answer.body)["name"]) == (200, "New")


def customer(portal: Portal) -> dict[str, Any]:
    found = json.loads(portal.get(f"{CUSTOMERS}?limit=1", portal.key).text)
    first: dict[str, Any] = found[0]
    return first


# curl does not know the length of an upload that it reads from its input.
@pytest.mark.parametrize(
    "body", [["--data-binary", "@-"], ["-T", "-"]], ids=["with a length", "without a length"]
)
def test_a_body_by_http_2_changes_what_it_says(portal: Portal, body: list[str]) -> None:
    made = customer(portal)
    sent = json.dumps(made | {"name": f"By HTTP/2 {body[0]}"})
    headers = ["-H", f"Authorization: {portal.key}", "-H", "Content-Type: application/json"]
    command = [
        "curl",
        "-s",
        "--http2-prior-knowledge",
        "-X",
        "PUT",
        *headers,
        *body,
        f"{portal.url}{CUSTOMERS}/{made['id']}",
    ]
    done = subprocess.run(
        command, input=sent, capture_output=True, text=True, timeout=30, check=True
    )
    assert json.loads(done.stdout)["name"] == f"By HTTP/2 {body[0]}"


@pytest.mark.parametrize("path", ["/sign-in/", CUSTOMERS])
@pytest.mark.parametrize(
    ("lines", "body", "status"),
    [
        # An invalid length; the server itself refuses these.
        (["Content-Length: abc"], b"", 400),
        (["Content-Length: -1"], b"", 400),
        (["Content-Length: +3"], b"abc", 400),
        (["Content-Length: 3", "Content-Length: 4"], b"abcd", 400),
        (["Content-Length: 99999999999999999999"], b"", 400),
        (["Transfer-Encoding: gzip"], b"", 400),
        (["Transfer-Encoding: chunked, identity"], b"", 400),
        # An invalid chunk.
        (["Transfer-Encoding: chunked"], b"2\r\n{}\r\nzz\r\n", 400),
        (["Transfer-Encoding: chunked"], b"-1\r\n", 400),
        (["Transfer-Encoding: chunked"], b"2\r\n{}aa", 400),
        # Too large, by its declared and by its real length.
        ([f"Content-Length: {STRANGERS_BODY + 1}"], b"", 413),
        (["Content-Length: 300000000"], b"a", 413),
        (["Content-Length: 300000000", "Expect: 100-continue"], b"", 413),
        (
            ["Transfer-Encoding: chunked"],
            f"{STRANGERS_BODY + 1:x}\r\n".encode() + b"a" * (STRANGERS_BODY + 1) + b"\r\n",
            413,
        ),
        (["Transfer-Encoding: chunked"], b"1\r\na\r\n" * (CHUNKS + 1), 413),
        # Whatever has the shape of neither a session nor a key counts as a stranger's.
        (["Authorization: x", f"Content-Length: {STRANGERS_BODY + 1}"], b"", 413),
        (["Authorization: ApiKey SU-1", f"Content-Length: {STRANGERS_BODY + 1}"], b"", 413),
        (["Cookie: session=x", f"Content-Length: {STRANGERS_BODY + 1}"], b"", 413),
        ([f"Cookie: a_session={'x' * 32}", f"Content-Length: {STRANGERS_BODY + 1}"], b"", 413),
        ([f"Cookie: session={'x' * 32}", f"Content-Length: {BODY + 1}"], b"", 413),
        ([f"Authorization: {KEY}", f"Content-Length: {API_BODY + 1}"], b"", 413),
    ],
)
def test_a_body_that_is_broken_or_too_large_is_refused(
    portal: Portal, path: str, lines: list[str], body: bytes, status: int
) -> None:
    answer = portal.send(head("POST", path, "Host: 127.0.0.1", *lines), body)
    assert answer.status == status
    # The parser's own error responses are empty.
    if answer.body:
        is_api = path == CUSTOMERS
        assert answer.headers["Content-Type"].partition(";")[0] == (
            "application/json" if is_api else "text/html"
        )
        assert answer.headers["Content-Security-Policy"] == (DATA_POLICY if is_api else PAGE_POLICY)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_body_up_to_the_limit_is_read(portal: Portal) -> None:
    assert portal.ask("POST", "/sign-in/", FORM, "a" * STRANGERS_BODY).status == 403
    body = "{" + " " * (API_BODY - 2) + "}"
    assert portal.ask("POST", CUSTOMERS, JSON | {"Authorization": portal.key}, body).status == 400
    with_session = FORM | {"Cookie": f"session={'x' * 32}"}
    assert portal.ask("POST", "/sign-in/", with_session, "a" * BODY).status == 403


def test_a_client_that_asks_first_is_told_to_go_on(portal: Portal) -> None:
    with portal.connect() as connection:
        connection.sendall(
            head(
                "POST", "/sign-in/", "Host: 127.0.0.1", "Content-Length: 3", "Expect: 100-continue"
            )
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"abc")
        assert connection.recv(100).startswith(b"HTTP/1.1 403 ")


def test_what_follows_a_body_is_the_next_request(portal: Portal) -> None:
    first = head("POST", "/sign-in/", "Host: 127.0.0.1", "Content-Length: 3") + b"abc"
    with portal.connect() as connection:
        connection.sendall(first + head("GET", "/healthz", "Host: 127.0.0.1", "Connection: close"))
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 403 ")
    assert received.endswith(b"\r\n\r\nok")


# --- Request heads --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_line", "lines", "status"),
    [
        ("GET /sign-in/ HTTP/1.1", ["Host: 127.0.0.1"], 200),
        (
            "GET /sign-in/ HTTP/1.1",
            ["Host: 127.0.0.1", "Content-Type: text/html; charset=hex"],
            200,
        ),
        (
            "GET /sign-in/ HTTP/1.1",
            [
                "Host: 127.0.0.1",
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
            ],
            200,
        ),
        ("GET http://127.0.0.1/sign-in/ HTTP/1.1", ["Host: 127.0.0.1"], 200),
        ("GET /sign-in/ HTTP/1.1", [], 400),
        ("GET /sign-in/ HTTP/1.1", ["Host: 127.0.0.1", "Host: evil.example"], 400),
        ("GET /sign-in/ HTTP/1.1", ["Host: evil.example"], 400),
        ("GET /sign-in/ HTTP/1.1", ["Host: 127.0.0.1", "X-Forwarded-For : 1"], 400),
        ("GET /sign-in/ HTTP/1.1", ["Host: 127.0.0.1", f"X: {'a' * 70_000}"], 431),
        ("GET /sign-in/ HTTP/1.1", ["Host: 127.0.0.1", *(f"X-{n}: a" for n in range(200))], 431),
        ("GET /%ff HTTP/1.1", ["Host: 127.0.0.1"], 404),
        ("GET /%00 HTTP/1.1", ["Host: 127.0.0.1"], 400),
        ("OPTIONS * HTTP/1.1", ["Host: 127.0.0.1"], 404),
        ("CONNECT evil.example:443 HTTP/1.1", ["Host: 127.0.0.1"], 405),
        ("TRACE / HTTP/1.1", ["Host: 127.0.0.1"], 405),
        ("nonsense", [], 400),
    ],
)
def test_a_strange_head_gets_a_clear_answer(
    portal: Portal, request_line: str, lines: list[str], status: int
) -> None:
    assert (
        portal.send(
            "\r\n".join((request_line, *lines, "Connection: close", "", "")).encode()
        ).status
        == status
    )


@pytest.mark.parametrize("host", ["evil.example", "10.0.0.5:8000", "", "[::1", "a b"])
def test_health_is_told_to_any_host(portal: Portal, host: str) -> None:
    answer = portal.send(head("GET", "/healthz", f"Host: {host}", "Connection: close"))
    assert (answer.status, answer.body) == (200, b"ok")


CONTENT_TYPES = [
    "a/b; charset*=hex",
    "a/b; charset=hex",
    'a/b; charset="hex"',
    "a/b; charset*0=hex",
    "a/b; charset*=utf-8",
    "a/b; charset*=utf-8''hex",
    "a/b; x*=nonsense'en'y",
    "a/b; x*=hex'en'y",
    "a/b; boundary*=nonsense'en'y",
    "multipart/form-data; boundary=a; charset*=hex",
]
QUERIES = ["a=1", "&".join(f"a{number}=1" for number in range(300))]


@pytest.mark.parametrize("path", ["/sign-in/", CUSTOMERS])
def test_no_content_type_ends_a_thread(portal: Portal, path: str) -> None:
    """There are more of them than threads."""
    for content_type in CONTENT_TYPES:
        for query in QUERIES:
            lines = ["Host: 127.0.0.1", f"Content-Type: {content_type}", "Connection: close"]
            answer = portal.send(head("GET", f"{path}?{query}", *lines))
            assert answer.status in ({401} if path == CUSTOMERS else {200, 413})
            lines = [*lines, "Content-Length: 20000"]
            answer = portal.send(head("POST", f"{path}?{query}", *lines))
            assert answer.status == 413
            assert answer.headers["X-Frame-Options"] == "DENY"
    portal.answers()


def test_health_is_told_whatever_the_content_type(portal: Portal) -> None:
    answer = portal.ask("GET", "/healthz?a=1", {"Content-Type": CONTENT_TYPES[0]})
    assert (answer.status, answer.body) == (200, b"ok")


def test_a_form_in_parts_is_read(portal: Portal) -> None:
    cookie, mark = sign_in_page(portal)
    fields = {
        "csrfmiddlewaretoken": mark,
        "username": "michael@mightymicks.example",
        "password": PASSWORD,
    }
    part = '--of it\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    form = "".join(part.format(*field) for field in fields.items()) + "--of it--\r\n"
    kind = 'multipart/form-data; charset=hex; boundary="of it"'
    answer = portal.ask("POST", "/sign-in/", {"Content-Type": kind, "Cookie": cookie}, form)
    assert answer.status == 302


# --- Static files ---------------------------------------------------------------------------------


def test_static_files_are_served_whole_in_part_and_not_again(portal: Portal) -> None:
    whole = portal.ask("GET", "/static/css/base.css")
    length = whole.headers["Content-Length"]
    assert (whole.status, int(length)) == (200, len(whole.body))
    start = portal.ask("HEAD", "/static/css/base.css")
    assert (start.status, start.headers["Content-Length"], start.body) == (200, length, b"")
    part = portal.ask("GET", "/static/css/base.css", {"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, whole.body[10:20])
    again = portal.ask(
        "GET", "/static/css/base.css", {"If-Modified-Since": whole.headers["Last-Modified"]}
    )
    assert (again.status, again.body) == (304, b"")

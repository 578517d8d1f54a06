"""Behind one or two real nginx, what they write counts, not what a client adds.

Clients come from addresses of their own, 127.0.0.2 and the like, which need no setup on Linux.
"""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.matching import matched
from tests.server import ROOT, Reply, database, environment, free_port, manage, served

PASSWORD = "a long enough password"
TRIES = 4
PERSON = "michael@mightymicks.example"
# What the self-test sends as Authorization, and where to.
PROBE, HEADER = f"ApiKey SU-000-000-000:{'0123456789' * 4}", "/integrations/self-test/header/"
# Every header with which a client could claim to be somebody else, or secure.
FORGED = {
    "X-Forwarded-For": "198.51.100.{n}",
    "X_Forwarded_For": "198.51.100.{n}",
    "Forwarded": "for=198.51.100.{n};proto=https",
    "X-Real-IP": "198.51.100.{n}",
    "X-Forwarded-Proto": "https",
    "X_Forwarded_Proto": "https",
    "X-Forwarded-Ssl": "on",
}
CONFIGURATION = """
{user}
daemon off;
pid {home}/pid;
error_log {home}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  underscores_in_headers on;
  proxy_http_version 1.1;
  {servers}
}}
"""
PASSED_ON = (
    "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
)
# The outermost talks to clients, over http and https, and says which.
OUTER = """
server {{
  listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl http2;
  ssl_certificate {home}/cert.pem; ssl_certificate_key {home}/key.pem;
  proxy_request_buffering off;
  {passed_on} proxy_set_header X-Forwarded-Proto $scheme;
  location / {{ proxy_pass http://127.0.0.1:{behind}; }}
}}
"""
INNER = (
    "server {{ listen 127.0.0.1:{port}; {passed_on} location / {{ proxy_pass "
    "http://127.0.0.1:{behind}; }} }}"
)


class Portal:
    """A portal as a client at one of its addresses reaches it, over http or https."""

    def __init__(
        self, env: dict[str, str], home: Path, http_port: int, https_port: int | None = None
    ) -> None:
        self.certificate = home / "cert.pem"
        self.ports = {"http": http_port, "https": https_port}
        self.key = manage(
            env, "create_token", "--account", "PA-063-101", "--name", "Proxies", "--all-modules"
        ).strip()

    def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: str | Iterable[bytes] | None = None,
        *,
        source: str = "127.0.0.1",
        scheme: str = "https",
    ) -> Reply:
        connection: http.client.HTTPConnection
        port, own = self.ports[scheme], (source, 0)
        if scheme == "https":
            context = ssl.create_default_context(cafile=str(self.certificate))
            connection = http.client.HTTPSConnection(
                "127.0.0.1", port, timeout=30, source_address=own, context=context
            )
        else:
            connection = http.client.HTTPConnection(
                "127.0.0.1", port, timeout=30, source_address=own
            )
        with closing(connection):
            connection.request(method, path, body, headers)
            return Reply.read(connection.getresponse())

    def sign_in(
        self,
        name: str,
        password: str,
        source: str,
        headers: dict[str, str] | None = None,
        scheme: str = "https",
    ) -> int:
        """Return the status of signing in with a fresh browser."""
        page = self.ask("GET", "/sign-in/", {}, source=source, scheme=scheme)
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        mark = matched(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.body.decode())[1]
        own = {
            "Cookie": cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"{scheme}://127.0.0.1:{self.ports[scheme]}",
        }
        form = urlencode({"csrfmiddlewaretoken": mark, "username": name, "password": password})
        return self.ask(
            "POST", "/sign-in/", own | (headers or {}), form, source=source, scheme=scheme
        ).status


@pytest.fixture(scope="module", params=[1, 2], ids=["one nginx", "two"])
def portal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    home = tmp_path_factory.mktemp("proxied")
    with database(home) as url:
        env = environment(
            url,
            HTTPS="on",
            TRUSTED_PROXIES=str(request.param),
            DEMO_PASSWORD=PASSWORD,
            SIGN_IN_TRIES_PER_ADDRESS=str(TRIES),
        )
        with (
            served(env, home),
            nginx(home, int(env["PORT"]), request.param) as (http_port, https_port),
        ):
            yield Portal(env, home, http_port, https_port)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Serve a portal without a proxy, over http."""
    home = tmp_path_factory.mktemp("bare")
    with database(home) as url:
        env = environment(url, DEMO_PASSWORD=PASSWORD, SIGN_IN_TRIES_PER_ADDRESS=str(TRIES))
        with served(env, home):
            yield Portal(env, home, int(env["PORT"]))


@contextmanager
def nginx(home: Path, behind: int, hops: int, more: str = "") -> Iterator[tuple[int, int]]:
    """Run a chain of proxies in front of a port, in one process; yield the ports for clients.

    `more` are directives of the outermost.
    """
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "nginx is needed: make test installs it"
    certificate(home)
    servers = []
    for _ in range(hops - 1):
        port = free_port()
        servers.append(INNER.format(port=port, behind=behind, passed_on=PASSED_ON))
        behind = port
    http_port, https_port = free_port(), free_port()
    servers.append(
        OUTER.format(
            http=http_port, https=https_port, behind=behind, home=home, passed_on=PASSED_ON + more
        )
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (home / "nginx.conf").write_text(
        CONFIGURATION.format(user=user, home=home, servers="\n".join(servers))
    )
    process = subprocess.Popen(
        [program, "-p", str(home), "-e", str(home / "error.log"), "-c", str(home / "nginx.conf")],
        cwd=ROOT,
    )
    try:
        wait_for(process, https_port, home)
        yield http_port, https_port
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(process: subprocess.Popen[bytes], port: int, home: Path) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            try:
                process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
            break
    pytest.fail(f"nginx did not start:\n{(home / 'error.log').read_text()}")


def certificate(home: Path) -> None:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=portal",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    subprocess.run(
        [*command, "-keyout", str(home / "key.pem"), "-out", str(home / "cert.pem")],
        check=True,
        capture_output=True,
    )


def forged(n: int) -> dict[str, str]:
    return {name: value.format(n=n) for name, value in FORGED.items()}


def test_a_key_counts_only_if_the_client_itself_came_by_tls(portal: Portal) -> None:
    key = {"Authorization": portal.key}
    assert portal.ask("GET", "/public/v1/accounts", key).status == 200
    assert portal.ask("GET", "/public/v1/accounts", key | forged(1)).status == 200
    pretended: list[dict[str, str]] = [
        {},
        *({name: value.format(n=1)} for name, value in FORGED.items()),
        forged(1),
        {"X-Forwarded-Proto": "https, http"},
    ]
    for headers in pretended:
        assert (
            portal.ask("GET", "/public/v1/accounts", key | headers, scheme="http").status == 403
        ), headers


def test_pages_lead_to_tls_whatever_the_client_says(portal: Portal) -> None:
    for headers in ({}, forged(1)):
        answer = portal.ask("GET", "/sign-in/", headers, scheme="http")
        assert (answer.status, answer.headers["Location"][:8]) == (301, "https://")


def test_guesses_count_under_the_address_that_nginx_saw(portal: Portal) -> None:
    for n in range(TRIES):
        portal.sign_in(f"nobody{n}@mightymicks.example", "wrong", "127.0.0.2", forged(n))
    assert portal.sign_in(PERSON, PASSWORD, "127.0.0.2") == 429
    assert portal.sign_in(PERSON, PASSWORD, "127.0.0.2", forged(99)) == 429
    assert portal.sign_in(PERSON, PASSWORD, "127.0.0.3", {"X-Forwarded-For": "127.0.0.2"}) == 302


def test_a_form_in_chunks_comes_through(portal: Portal) -> None:
    page = portal.ask("GET", "/sign-in/", {})
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    mark = matched(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.body.decode())[1]
    own = {
        "Cookie": cookie,
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": f"https://127.0.0.1:{portal.ports['https']}",
    }
    form = urlencode({"csrfmiddlewaretoken": mark, "username": PERSON, "password": PASSWORD})
    pieces = (form[at : at + 9].encode() for at in range(0, len(form), 9))
    assert portal.ask("POST", "/sign-in/", own, pieces, source="127.0.0.4").status == 302


def test_without_a_proxy_nothing_a_client_forwards_counts(bare: Portal) -> None:
    for n in range(TRIES):
        bare.sign_in(
            f"nobody{n}@mightymicks.example", "wrong", "127.0.0.2", forged(n), scheme="http"
        )
    assert bare.sign_in(PERSON, PASSWORD, "127.0.0.2", forged(99), scheme="http") == 429
    assert (
        bare.sign_in(PERSON, PASSWORD, "127.0.0.3", {"X-Forwarded-For": "127.0.0.2"}, scheme="http")
        == 302
    )


@pytest.mark.parametrize(
    ("directive", "seen", "status"),
    [
        ("", "intact", 200),
        (' proxy_set_header Authorization "";', "missing", 401),
        (' proxy_set_header Authorization "Basic bWU6c2VjcmV0";', "changed", 401),
    ],
    ids=["left alone", "stripped", "replaced"],
)
def test_the_self_test_names_a_proxy_that_breaks_the_header(
    bare: Portal, tmp_path: Path, directive: str, seen: str, status: int
) -> None:
    port = bare.ports["http"]
    assert port
    with nginx(tmp_path, port, 1, directive) as (http_port, https_port):
        broken = Portal.__new__(Portal)
        broken.certificate = tmp_path / "cert.pem"
        broken.ports = {"http": http_port, "https": https_port}
        probe = broken.ask("GET", HEADER, {"Authorization": PROBE}, scheme="http")
        assert json.loads(probe.body) == {"authorization": seen}
        # What it says is what programs meet.
        key = {"Authorization": bare.key}
        assert broken.ask("GET", "/public/v1/accounts", key, scheme="http").status == status

"""What comes of calls to endpoints that behave, and to those that do not."""

import gzip
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.webhooks.engine.certificates import Authority, answering
from tests.webhooks.engine.receiver import Receiver, Reply, receiving, speaking
from webhooks import send
from webhooks.outcomes import Outcome
from webhooks.signing import Call

SECONDS = 1.0
OK = b"HTTP/1.1 200 OK\r\n"
NO, GONE = b"HTTP/1.1 500 No\r\n", b"HTTP/1.1 410 Gone\r\n"


def call(url: str, seconds: float = SECONDS) -> send.Result:
    began = time.monotonic()
    result = send.make(Call("POST", url, {}, b'{"a": 1}'), seconds)
    assert time.monotonic() - began < seconds + 0.5
    return result


def answered(connection: socket.socket, text: bytes) -> None:
    connection.recv(65536)
    connection.sendall(text)


# --- Answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (200, {}, Outcome.OK),
        (202, {}, Outcome.OK),
        (204, {}, Outcome.OK),
        (299, {}, Outcome.OK),
        (301, {"Location": "http://127.0.0.1:9/"}, Outcome.REDIRECT),
        (304, {}, Outcome.REDIRECT),
        (307, {"Location": "/elsewhere"}, Outcome.REDIRECT),
        (400, {}, Outcome.CLIENT_ERROR),
        (401, {}, Outcome.CLIENT_ERROR),
        (404, {}, Outcome.CLIENT_ERROR),
        (410, {}, Outcome.GONE),
        (429, {}, Outcome.RATE_LIMITED),
        (500, {}, Outcome.SERVER_ERROR),
        (503, {"Retry-After": "60"}, Outcome.SERVER_ERROR),
        (400, {"webhook-delivery": "abort-message"}, Outcome.ABORTED),
        (200, {"webhook-delivery": "abort-message"}, Outcome.OK),
    ],
)
def test_the_status_says_what_came_of_it(
    receiver: Receiver, status: int, headers: dict[str, str], outcome: Outcome
) -> None:
    receiver.reply = Reply(status, headers, b"" if status in (204, 304) else b"said")
    result = call(receiver.url)
    assert (result.outcome, result.code) == (outcome, status)
    assert result.address == "127.0.0.1"
    assert result.answer == ("" if status in (204, 304) else "said")
    assert len(receiver.calls) == 1


def test_a_redirect_is_not_followed_but_named(receiver: Receiver) -> None:
    with receiving() as other:
        receiver.reply = Reply(308, {"Location": other.url})
        assert call(receiver.url).note == other.url
        assert other.calls == []


@pytest.mark.parametrize(
    "interim",
    [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 3],
)
def test_interim_answers_do_not_count(interim: bytes) -> None:
    with speaking(lambda it: answered(it, interim + OK + b"Content-Length: 0\r\n\r\n")) as url:
        assert call(url).outcome == Outcome.OK
    with speaking(lambda it: answered(it, interim)) as url:
        assert call(url).outcome == Outcome.RESET


# --- Endpoints that do not answer -----------------------------------------------------------------


def refuse(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drip(first: bytes, connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(first)
    while True:
        time.sleep(0.05)
        connection.sendall(b"a")


def endless(first: bytes, each: bytes, connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(first)
    while True:
        connection.sendall(each)


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (refuse, Outcome.RESET),
        (lambda it: answered(it, b""), Outcome.RESET),
        (lambda it: time.sleep(3), Outcome.TOTAL_TIMEOUT),
        (partial(drip, b""), Outcome.BAD_ANSWER),
        (partial(drip, b"HTTP/1.1 200"), Outcome.TOTAL_TIMEOUT),
        (partial(drip, b"HTTP/1.1 500 No\r\nX: "), Outcome.TOTAL_TIMEOUT),
        # It has accepted the event, so it must not get it again.
        (partial(drip, OK + b"X: "), Outcome.OK_CUT),
        (partial(drip, OK + b"Content-Length: 9999\r\n\r\n"), Outcome.OK_CUT),
        (lambda it: answered(it, OK + b"Content-Length: 9\r\n\r\nab"), Outcome.OK_CUT),
        # Nor does it matter how it goes on after it has refused the event.
        (partial(drip, NO + b"Content-Length: 9999\r\n\r\n"), Outcome.SERVER_ERROR),
        (lambda it: answered(it, GONE + b"Content-Length: 9\r\n\r\nab"), Outcome.GONE),
        (lambda it: answered(it, b"SSH-2.0-OpenSSH_9.2\r\n"), Outcome.BAD_ANSWER),
        (lambda it: answered(it, b"HTTP/1.1 abc\r\n\r\n"), Outcome.BAD_ANSWER),
        (partial(endless, b"HTTP/1.1 ", b"2" * 4096), Outcome.BAD_ANSWER),
        (partial(endless, b"HTTP/1.1 500 No\r\n", b"X: y\r\n" * 500), Outcome.SERVER_ERROR),
        (partial(endless, b"", b"HTTP/1.1 103 Hints\r\n\r\n" * 500), Outcome.BAD_ANSWER),
    ],
)
def test_endpoints_that_misbehave_are_told_apart(
    script: Callable[[socket.socket], None], outcome: Outcome
) -> None:
    with speaking(script) as url:
        assert call(url).outcome == outcome


def test_nothing_that_listens_is_told_apart_from_an_unknown_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert call(f"http://127.0.0.1:{port}/").outcome == Outcome.REFUSED
    result = call("http://no.such.name.invalid/", seconds=5)
    assert result.outcome in {Outcome.NO_ADDRESS, Outcome.CONNECT_TIMEOUT}


@pytest.mark.parametrize("status", [b"200 OK", b"500 No"])
def test_an_endless_answer_is_cut_off_and_little_of_it_kept(status: bytes) -> None:
    script = partial(endless, b"HTTP/1.1 " + status + b"\r\n\r\n", b"x" * 65536)
    with speaking(script) as url:
        began = time.monotonic()
        result = call(url, seconds=20)
    assert time.monotonic() - began < 5
    assert result.outcome == (Outcome.OK_CUT if status == b"200 OK" else Outcome.SERVER_ERROR)
    assert (len(result.answer), result.is_cut) == (2048, True)


def test_a_compressed_answer_is_not_unpacked(receiver: Receiver) -> None:
    bomb = gzip.compress(b"x" * 30_000_000)
    receiver.reply = Reply(200, {"Content-Encoding": "gzip"}, bomb[:60_000])
    result = call(receiver.url)
    assert result.outcome == Outcome.OK
    assert "x" * 100 not in result.answer


def test_answers_that_are_no_text_can_be_stored_and_shown(receiver: Receiver) -> None:
    receiver.reply = Reply(200, {"X-Odd": "a\x1b[31mb"}, b"a\x00\xff\x1b[31m\r\nb\ttab \xc3\xbc")
    result = call(receiver.url)
    assert result.answer == "a\ufffd\ufffd\ufffd[31m\nb\ttab ü"
    assert "\x1b" not in result.headers
    assert "HTTP/1.1 200" in result.headers


def test_the_time_of_each_phase_is_known(receiver: Receiver) -> None:
    receiver.reply = Reply(after=0.1)
    result = call(receiver.url)
    assert result.duration >= 100
    assert 90 <= result.timings["first_byte"] <= result.timings["total"] <= 1000


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Return an authority that the portal trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


def over_tls(url: str, seconds: float = 5) -> send.Result:
    return call(url.replace("http:", "https:"), seconds)


def test_a_certificate_of_a_trusted_authority_is_accepted(authority: Authority) -> None:
    with speaking(partial(answering, authority.context())) as url:
        result = over_tls(url)
    assert result.outcome == Outcome.OK
    assert result.timings["tls"] >= result.timings["connect"] >= 0


def test_bad_certificates_are_told_apart(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for context, outcome in (
        (authority.context(ends_in=-timedelta(days=1)), Outcome.TLS_EXPIRED),
        (authority.context(begins_in=timedelta(days=1)), Outcome.TLS_EARLY),
        (authority.context("other.example"), Outcome.TLS_NAME),
        (Authority(other).context(), Outcome.TLS_UNTRUSTED),
    ):
        with speaking(partial(answering, context)) as url:
            result = over_tls(url)
        assert (result.outcome, result.code) == (outcome, None)
        assert result.note


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_an_endpoint_that_refuses_tls_is_told_apart(authority: Authority) -> None:
    old, newer, newest = (authority.context() for _ in range(3))
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    newer.maximum_version = ssl.TLSVersion.TLSv1_2
    for context in (newer, newest):
        # The portal has no certificate of its own to show.
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.file)
    for context, outcomes in (
        (old, {Outcome.TLS_REFUSED}),
        (newer, {Outcome.TLS_REFUSED}),
        # Since TLS 1.3, the portal sends its call before the endpoint has refused.
        (newest, {Outcome.TLS_REFUSED, Outcome.RESET}),
    ):
        with speaking(partial(answering, context)) as url:
            assert over_tls(url).outcome in outcomes


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (b"\x15\x03\x03\x00\x02\x02\x28", Outcome.TLS_REFUSED),  # the alert handshake_failure
        (b"HTTP/1.1 400 No TLS here\r\n\r\n", Outcome.BAD_ANSWER),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Outcome.BAD_ANSWER),
        (b"", Outcome.RESET),
    ],
)
def test_what_is_no_tls_is_told_apart(said: bytes, outcome: Outcome, authority: Authority) -> None:
    with speaking(lambda it: answered(it, said)) as url:
        assert over_tls(url).outcome == outcome


def test_each_outcome_has_a_sentence_of_its_own() -> None:
    assert len({str(each.sentence) for each in Outcome}) == len(Outcome)


def test_of_a_certificate_that_is_out_of_time_the_day_is_told(authority: Authority) -> None:
    day = timedelta(days=1)
    now = datetime.now(UTC)
    for context, note in (
        (authority.context(ends_in=-3 * day), f"It ended on {now - 3 * day:%d/%m/%Y} "),
        (authority.context(begins_in=3 * day), f"It is valid only from {now + 3 * day:%d/%m/%Y} "),
    ):
        with speaking(partial(answering, context)) as url:
            assert over_tls(url).note.startswith(note)


@pytest.mark.parametrize("written", [None, b"", b"soon", b"Nov 26 25:00:00 2026 GMT", b"\xff"])
def test_a_date_of_a_certificate_that_is_none_is_unknown(written: bytes | None) -> None:
    certificate = {} if written is None else {b"Expire date": written}
    assert send.date_of(certificate, b"Expire date") is None


def test_http_where_https_is_expected_is_no_answer(receiver: Receiver) -> None:
    assert over_tls(receiver.url).outcome == Outcome.BAD_ANSWER


def test_the_system_knows_authorities() -> None:
    (file,) = send.authorities().values()
    assert os.path.getsize(file) > 1000


# --- Retry-After ----------------------------------------------------------------------------------

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("60", 60),
        ("0", 0),
        ("1000000000", 86_400),
        ("9" * 20, 86_400),
        ("Thu, 26 Nov 2026 12:05:00 GMT", 300),
        ("Thu, 26 Nov 2099 12:05:00 GMT", 86_400),
        ("Thu, 26 Nov 2026 11:00:00 GMT", None),
        ("Thu, 26 Nov 99999 11:00:00 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_what_an_endpoint_asks_for_is_heeded_within_a_day(asked: str, seconds: int | None) -> None:
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert send.wait_until(asked, NOW) == expected

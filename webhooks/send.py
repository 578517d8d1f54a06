"""One HTTP call to an endpoint, by libcurl, and what came of it.

Everything is bounded: the time as a whole, the answer, its headers. No redirect is followed, no
proxy is used, and the address of each connection is checked when its socket is opened.
"""

import errno
import logging
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple

import pycurl
from django.utils.translation import gettext as _

from accounts.mails import in_utc
from webhooks import safety
from webhooks.outcomes import Outcome
from webhooks.signing import Call

log = logging.getLogger(__name__)

# Seconds for the connection, and for the whole call.
CONNECT_SECONDS, TOTAL_SECONDS = 5, 20
# Bytes that are read at most, and that are kept.
MOST_ANSWER, MOST_HEADERS = 64 * 1024, 16 * 1024
KEPT_ANSWER, KEPT_HEADERS = 2 * 1024, 4 * 1024
NOTE = 300
# An endpoint can ask to be left alone for so long.
LONGEST_WAIT = timedelta(hours=24)
# A connection is used again for so many seconds.
KEEP = 60
# What OpenSSL finds wrong with a certificate: X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED;
# X509_V_ERR_HOSTNAME_MISMATCH and _IP_ADDRESS_MISMATCH, which libcurl checks after the chain and
# then reports as X509_V_OK or _UNSPECIFIED.
OUT_OF_TIME = {9: Outcome.TLS_EARLY, 10: Outcome.TLS_EXPIRED}
OF_ANOTHER_NAME = {0, 1, 62, 64}
# How libcurl repeats why OpenSSL has no TLS connection, and some of these reasons: the version of
# the endpoint is too old, and it hung up. From 1000 on they are its alerts (RFC 8446, B.2).
OPENSSL = re.compile(r"error:0A([0-9A-F]{6}):")
TOO_OLD, HUNG_UP, ALERTS = 258, 294, 1000
STATUS = re.compile(rb"HTTP/[0-9.]+ +([0-9]{3})")


@dataclass
class Result:
    """What came of a call."""

    outcome: Outcome
    code: int | None = None
    note: str = ""
    address: str = ""
    duration: int = 0
    timings: dict[str, int] = field(default_factory=dict)
    headers: str = ""
    answer: str = ""
    is_cut: bool = False
    # Until when the endpoint asked not to be called.
    wait_until: datetime | None = None


class Transfer:
    """A libcurl handle that makes one call after the other."""

    def __init__(self, total_seconds: float = TOTAL_SECONDS) -> None:
        self.curl = pycurl.Curl()
        self.sockets: list[socket.socket] = []
        self.configure(total_seconds)
        self.forget()

    def configure(self, total_seconds: float) -> None:
        """Set what is the same for all calls."""
        options = {
            pycurl.NOSIGNAL: 1,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.FOLLOWLOCATION: 0,
            # Neither proxies of the environment nor passwords of ~/.netrc.
            pycurl.PROXY: "",
            pycurl.NOPROXY: "*",
            pycurl.NETRC: pycurl.NETRC_IGNORED,
            pycurl.CONNECTTIMEOUT_MS: int(min(CONNECT_SECONDS, total_seconds) * 1000),
            pycurl.TIMEOUT_MS: int(total_seconds * 1000),
            pycurl.DNS_CACHE_TIMEOUT: 0,
            # The least, a quarter of what each of many calls at once would take; bodies are small.
            pycurl.UPLOAD_BUFFERSIZE: 16 * 1024,
            pycurl.MAXAGE_CONN: KEEP,
            pycurl.MAXLIFETIME_CONN: 10 * KEEP,
            pycurl.SSL_VERIFYPEER: 1,
            pycurl.SSL_VERIFYHOST: 2,
            pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
            # For the day on which a certificate ended.
            pycurl.OPT_CERTINFO: 1,
            pycurl.OPENSOCKETFUNCTION: self.open_socket,
            pycurl.WRITEFUNCTION: self.keep_answer,
            pycurl.HEADERFUNCTION: self.keep_header,
            **authorities(),
        }
        for option, value in options.items():
            self.curl.setopt(option, value)

    def forget(self) -> None:
        self.answer, self.head = bytearray(), bytearray()
        self.code: int | None = None
        self.refused, self.is_cut = "", False

    def prepare(self, call: Call) -> None:
        """Make the handle ready for a call."""
        self.forget()
        curl = self.curl
        curl.setopt(pycurl.URL, call.url.encode())
        # Without Expect, libcurl waits for nothing before it sends the body.
        curl.setopt(pycurl.HTTPHEADER, [*call.lines(), b"Expect:"])
        if call.method == "GET":
            curl.setopt(pycurl.HTTPGET, 1)
        else:
            curl.setopt(pycurl.POST, 1)
            curl.setopt(pycurl.POSTFIELDS, call.body)
        self.began = time.monotonic()

    # --- What libcurl calls -----------------------------------------------------------------------

    def open_socket(self, _purpose: int, where: Any) -> "socket.socket | int":
        """Open the socket of a connection, unless its address may not be called.

        After the first refusal, the other addresses of the name are refused too.
        """
        family, kind, protocol, address = where
        is_ip = family in (socket.AF_INET, socket.AF_INET6)
        if self.refused or not is_ip or not safety.may_call(address[0]):
            self.refused = self.refused or str(address[0] if is_ip else address)
            return int(pycurl.SOCKET_BAD)
        # libcurl gets a copy of it.
        self.sockets.append(socket.socket(family, kind, protocol))
        return self.sockets[-1]

    def close_sockets(self) -> None:
        for each in self.sockets:
            each.close()
        self.sockets.clear()

    def keep_answer(self, chunk: bytes) -> int | None:
        self.answer += chunk
        if len(self.answer) <= MOST_ANSWER:
            return None
        self.is_cut = True
        # Ends the transfer.
        return 0

    def keep_header(self, line: bytes) -> int | None:
        if found := STATUS.match(line):
            self.code = int(found[1])
            # Those of an interim answer, such as 103, do not count.
            if self.code < 200:
                self.code = None
        self.head += line
        if len(self.head) <= MOST_HEADERS:
            return None
        self.is_cut = True
        return 0

    # --- What came of it --------------------------------------------------------------------------

    def result(self, error: int = 0, message: str = "") -> Result:
        """Return what came of the call; 0 if libcurl reported no error."""
        self.close_sockets()
        outcome, note = self.judge(error, message)
        duration = round((time.monotonic() - self.began) * 1000)
        if outcome == Outcome.NO_ADDRESS:
            # The log alone says which address it was, if any.
            return Result(outcome, duration=duration)
        result = Result(
            outcome=outcome,
            code=self.code,
            note=plain(note)[:NOTE],
            address=str(self.curl.getinfo(pycurl.PRIMARY_IP) or ""),
            duration=duration,
            timings=self.timings(),
            headers=plain(bytes(self.head[:KEPT_HEADERS]).decode("latin-1")),
            answer=plain(bytes(self.answer[:KEPT_ANSWER]).decode(errors="replace")),
            is_cut=self.is_cut or len(self.answer) > KEPT_ANSWER,
        )
        if self.code in (429, 503):
            result.wait_until = wait_until(self.header("retry-after"), datetime.now(UTC))
        return result

    def judge(self, error: int, message: str) -> tuple[Outcome, str]:
        """Return the outcome, and what libcurl or the endpoint says besides."""
        if self.code and 200 <= self.code < 300:
            # It has the event, however its answer goes on; calling again would repeat it.
            return (
                (Outcome.OK, "") if not error else (Outcome.OK_CUT, "" if self.is_cut else message)
            )
        if self.code and (not error or self.is_cut or self.has_head):
            # What it refuses is refused, however its answer goes on.
            return self.judge_code(self.code)
        if self.refused:
            url = self.curl.getinfo(pycurl.EFFECTIVE_URL)
            log.info("Webhooks may not call %s, where %s leads.", self.refused, url.split("?")[0])
            return Outcome.NO_ADDRESS, ""
        if error == 0:
            return Outcome.BAD_ANSWER, message
        outcome = self.judge_error(error, message)
        if outcome in OUT_OF_TIME.values():
            return outcome, out_of_time(self.certificates()) or message
        return outcome, message

    def judge_code(self, code: int) -> tuple[Outcome, str]:
        if self.header("webhook-delivery").lower() == "abort-message":
            return Outcome.ABORTED, ""
        if 300 <= code < 400:
            return Outcome.REDIRECT, self.header("location")
        if code == 410:
            return Outcome.GONE, ""
        if code == 429:
            return Outcome.RATE_LIMITED, ""
        return (Outcome.SERVER_ERROR if code >= 500 else Outcome.CLIENT_ERROR), ""

    def judge_error(self, error: int, message: str) -> Outcome:
        number = self.curl.getinfo(pycurl.OS_ERRNO)
        lost = number in (errno.ECONNRESET, errno.EPIPE)
        if error == pycurl.E_COULDNT_CONNECT:
            if lost:
                # The endpoint hung up before libcurl had noticed that the connection stood.
                return Outcome.RESET
            refused = number == errno.ECONNREFUSED
            return Outcome.REFUSED if refused else Outcome.CONNECT_TIMEOUT
        if error == pycurl.E_OPERATION_TIMEDOUT:
            return Outcome.TOTAL_TIMEOUT if self.is_connected else Outcome.CONNECT_TIMEOUT
        if error == pycurl.E_PEER_FAILED_VERIFICATION:
            return self.judge_certificate()
        if found := OPENSSL.search(message):
            return judge_tls(int(found[1], 16))
        if error == pycurl.E_SSL_CONNECT_ERROR:
            return Outcome.RESET if lost else Outcome.BAD_ANSWER
        return ERRORS.get(error, Outcome.RESET)

    def judge_certificate(self) -> Outcome:
        verified = self.curl.getinfo(pycurl.SSL_VERIFYRESULT)
        if verified in OUT_OF_TIME:
            return OUT_OF_TIME[verified]
        other = verified in OF_ANOTHER_NAME
        return Outcome.TLS_NAME if other else Outcome.TLS_UNTRUSTED

    def certificates(self) -> "list[Validity]":
        """Return from when to when each certificate of the endpoint is valid, its own one first."""
        chain = [dict(each) for each in self.curl.getinfo_raw(pycurl.INFO_CERTINFO) or ()]
        return [
            Validity(date_of(each, b"Start date"), date_of(each, b"Expire date")) for each in chain
        ]

    @property
    def has_head(self) -> bool:
        """Whether all headers of the answer have arrived."""
        return self.head.endswith((b"\r\n\r\n", b"\n\n"))

    @property
    def is_connected(self) -> bool:
        """Whether the connection stood, with TLS if it has any."""
        # Of a name that was not found in time, libcurl notes the end as this time.
        began = self.curl.getinfo(pycurl.PRETRANSFER_TIME)
        return bool(began and self.curl.getinfo(pycurl.PRIMARY_IP))

    def timings(self) -> dict[str, int]:
        """Return when each phase had ended, in milliseconds from the beginning."""
        return {
            name: round(seconds * 1000)
            for name, option in PHASES.items()
            if (seconds := self.curl.getinfo(option))
        }

    def header(self, name: str) -> str:
        """Return the last value of a header of the answer, or `""`."""
        found = re.findall(
            rb"^" + name.encode() + rb"[ \t]*:([^\r\n]*)", bytes(self.head), re.MULTILINE | re.I
        )
        return found[-1].decode("latin-1").strip() if found else ""

    def close(self) -> None:
        self.close_sockets()
        self.curl.close()


PHASES = {
    "dns": pycurl.NAMELOOKUP_TIME,
    "connect": pycurl.CONNECT_TIME,
    "tls": pycurl.APPCONNECT_TIME,
    "first_byte": pycurl.STARTTRANSFER_TIME,
    "total": pycurl.TOTAL_TIME,
}
# Errors that need no closer look. All others mean that the connection was lost.
ERRORS = {
    pycurl.E_COULDNT_RESOLVE_HOST: Outcome.NO_ADDRESS,
    pycurl.E_URL_MALFORMAT: Outcome.NO_ADDRESS,
    pycurl.E_UNSUPPORTED_PROTOCOL: Outcome.BAD_ANSWER,
    pycurl.E_FTP_WEIRD_SERVER_REPLY: Outcome.BAD_ANSWER,
    pycurl.E_BAD_CONTENT_ENCODING: Outcome.BAD_ANSWER,
    pycurl.E_WRITE_ERROR: Outcome.BAD_ANSWER,
    pycurl.E_SSL_CACERT_BADFILE: Outcome.TLS_UNTRUSTED,
    pycurl.E_SSL_CIPHER: Outcome.TLS_REFUSED,
    # CURLE_TOO_LARGE, which pycurl has no name for.
    100: Outcome.BAD_ANSWER,
}


def judge_tls(reason: int) -> Outcome:
    """Return what OpenSSL's reason for having no TLS connection means."""
    if reason == HUNG_UP:
        return Outcome.RESET
    refused = reason >= ALERTS or reason == TOO_OLD
    return Outcome.TLS_REFUSED if refused else Outcome.BAD_ANSWER


def make(call: Call, seconds: float) -> Result:
    """Make one call and wait for it, at most some seconds."""
    transfer = Transfer(seconds)
    transfer.prepare(call)
    try:
        transfer.curl.perform()
    except pycurl.error as problem:
        return transfer.result(*problem.args[:2])
    else:
        return transfer.result()
    finally:
        transfer.close()


class Validity(NamedTuple):
    """From when to when a certificate is valid; None if that is unknown."""

    begins: datetime | None
    ends: datetime | None


def date_of(certificate: Mapping[bytes, bytes], name: bytes) -> datetime | None:
    """Return a date of a certificate, which libcurl writes as `Nov 26 00:20:40 2026 GMT`."""
    try:
        seconds = ssl.cert_time_to_seconds(certificate.get(name, b"").decode())
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def out_of_time(certificates: list[Validity]) -> str:
    """Say when the first certificate that is out of time ended, or begins; `""` if none is."""
    now = datetime.now(UTC)
    for begins, ends in certificates:
        if ends and ends <= now:
            return _("It ended on %(at)s.") % {"at": in_utc(ends)}
        if begins and begins > now:
            return _("It is valid only from %(at)s.") % {"at": in_utc(begins)}
    return ""


def authorities() -> dict[int, str]:
    """Return the certificates of authorities that the system trusts; SSL_CERT_FILE replaces them.

    libcurl comes with an OpenSSL that knows nothing of the system.
    """
    paths = ssl.get_default_verify_paths()
    for name in (paths.cafile, "/etc/ssl/cert.pem", "/etc/pki/tls/certs/ca-bundle.crt"):
        if name and Path(name).is_file():
            return {pycurl.CAINFO: name}
    return {pycurl.CAPATH: paths.capath} if paths.capath else {}


def wait_until(asked: str, now: datetime) -> datetime | None:
    """Return until when a Retry-After asks to wait, at most 24 hours; None if it says nothing."""
    if re.fullmatch(r"[0-9]{1,20}", asked):
        return now + min(timedelta(seconds=min(int(asked), 10**6)), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(asked)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(moment, now + LONGEST_WAIT) if moment > now else None


HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def plain(text: str) -> str:
    """Return a text that every database stores and no terminal obeys, in lines."""
    return HIDDEN.sub("\ufffd", text.replace("\r\n", "\n"))

"""Logging: masked secrets, the request that a line belongs to, and limits on repeated lines."""

import logging
import re
import secrets
import threading
import time
from collections import Counter
from contextvars import ContextVar
from typing import Any

# --- Secrets --------------------------------------------------------------------------------------

# Whatever opens something, wherever it may occur: in a message, a header, a body, a URL, the repr
# of a `Key`, a traceback.
SECRETS = (
    # After the id of its token, even truncated: in a header, percent-encoded once or more, in JSON,
    # also in JSON within JSON, or in a repr.
    re.compile(
        r"""(SU(?:(?:%(?:25)*2D|-)\d{3}){3}(?:(?:%(?:25)*3A|:)|[\\'",\s]+(?:secret|token)[\\'"]*\s*[=:]\s*b?[\\'"]*))[0-9a-f]{8,}""",
        re.IGNORECASE,
    ),
    # On its own, percent-encoded or not: nothing else worth logging has forty hex digits.
    re.compile(r"()(?:[0-9a-f]|%(?:25)*(?:3\d|[46][1-6])){40,}", re.IGNORECASE),
    # The secret of a webhook that signs by the Standard Webhooks specification.
    re.compile(r"(whsec_)[\w+/=%-]{8,}"),
    # Credentials of other schemes than ours, which people try, and of a URL.
    re.compile(r"(\b(?:Basic|Bearer)(?:\s|%20|\+)+)[\w+/=.~%-]{8,}", re.IGNORECASE),
    re.compile(r"(://[^/\s:@]*:)[^/\s]+(?=@)"),
    # The session of a person.
    re.compile(r"(\b(?:__Host-)?session(?:id)?['\"]?\s*[=:]\s*['\"]?)\w{16,}", re.IGNORECASE),
    # The URL of a calendar feed, an invitation or a password reset, which opens it by itself.
    re.compile(r"(/(?:calendar|invitation|reset/[^/\s]+)/)[^/\s]{16,}"),
    # Base64 of `SU-…` and `ApiKey SU-…`, as in Basic credentials.
    re.compile(r"()(?:U1Ut|QXBpS2V5IFNV)[A-Za-z0-9+/_-]{16,}={0,2}"),
)
STANDARD = frozenset(vars(logging.makeLogRecord({})))


def mask(text: str) -> str:
    """Return the text with the secret part of every key replaced by dots."""
    for secret in SECRETS:
        text = secret.sub(r"\1••••", text)
    return text


# Characters that would start a new line, or control the terminal of whoever reads the log.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    """Return the text with control characters escaped, so that input cannot forge a log line."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class MaskKeys(logging.Filter):
    """Masks keys in a record before a handler formats it.

    A faulty log call is logged as such and raises nothing.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = one_line(mask(message(record))), None
        if record.exc_info and not record.exc_text:
            # Checked above.
            record.exc_text = safely(lambda: logging.Formatter().formatException(record.exc_info))  # type: ignore[arg-type]
        if record.exc_text:
            record.exc_text = mask(record.exc_text)
        if record.stack_info:
            record.stack_info = mask(str(record.stack_info))
        for name in vars(record).keys() - STANDARD:
            shown = safely(lambda name=name: repr(vars(record)[name]))
            if mask(shown) != shown:
                setattr(record, name, mask(shown))
        record.request_id = request_id.get()
        return True


def message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as problem:  # the arguments may raise anything
        told = safely(lambda: f"{record.msg!r} with {record.args!r}")
        place = f"{record.pathname}:{record.lineno}"
        return f"Faulty log call in {place} ({type(problem).__name__}): {told}"


def safely(show: Any) -> str:
    """Return the text that `show` makes for a log, or the class of the exception it raised."""
    try:
        return str(show())
    except Exception as problem:  # logging must not break the request
        return f"<{type(problem).__name__}>"


# --- Requests -------------------------------------------------------------------------------------

# The id of the request that this thread serves; its response carries it as X-Request-ID.
request_id: ContextVar[str] = ContextVar("request_id", default="-")


def new_request_id() -> str:
    """Return a random id such as `8f3a-02c9-7b1e`, short enough to read out on the telephone."""
    return "-".join(secrets.token_hex(2) for _ in range(3))


# --- Limits for lines that anybody can cause ------------------------------------------------------


class AtMost(logging.Filter):
    """Passes at most `most` records of a logger and those below it per minute.

    So an attack cannot fill the disk. Levels above `top` always pass. The first record of the next
    minute says how many were left out.
    """

    def __init__(self, most: int, below: str = "", top: int = logging.WARNING) -> None:
        super().__init__(below)
        self.most, self.top, self.lock = most, top, threading.Lock()
        self.minute, self.seen = 0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        if not logging.WARNING <= record.levelno <= self.top or not super().filter(record):
            return True
        with self.lock:
            minute = int(time.monotonic() // 60)
            left_out = max(self.seen - self.most, 0) if minute != self.minute else 0
            self.minute, self.seen = minute, self.seen + 1 if minute == self.minute else 1
            let_through = self.seen <= self.most
        if left_out:
            record.msg, record.args = (
                f"{message(record)} ({left_out} lines like this were left out before.)",
                None,
            )
        return let_through


class OnceEach(logging.Filter):
    """Passes one line per minute for each `extra={"key": …}`.

    Beyond `most` keys in a minute, all others count as one. The first line of the next minute says
    how many were left out.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.lock = most, threading.Lock()
        self.minute, self.counts = 0, Counter[Any]()

    def filter(self, record: logging.LogRecord) -> bool:
        with self.lock:
            minute, left_out = int(time.monotonic() // 60), 0
            if minute != self.minute:
                left_out = self.counts.total() - len(self.counts)
                self.minute, self.counts = minute, Counter()
            key = getattr(record, "key", None)
            if key not in self.counts and len(self.counts) >= self.most:
                key = None
            self.counts[key] += 1
            let_through = self.counts[key] == 1
        if left_out:
            record.msg, record.args = (
                f"{message(record)} ({left_out} lines like this were left out before.)",
                None,
            )
        return let_through

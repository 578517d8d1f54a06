"""What may reach a log, which request a line belongs to, and lines that an attack cannot multiply."""

import logging
import re
import secrets
import threading
import time
from collections import Counter
from contextvars import ContextVar
from typing import Any

# --- Secrets --------------------------------------------------------------------------------------

# The secret of a key wherever it turns up: in a message, a header, a body, an address, the repr of a `Key`, a traceback.
SECRETS = (
    # After the id of its token, also when it is cut off: a header, percent-encoded once or twice, JSON, a repr.
    re.compile(r"""(SU-\d{3}-\d{3}-\d{3}(?:(?:%(?:25)*3A|:)|['",\s]+(?:secret|token)['"]?\s*[=:]\s*b?['"]?))[0-9a-f]{8,}""", re.IGNORECASE),
    # Alone: nothing else that is worth a line has forty hex digits.
    re.compile(r"()[0-9a-f]{40,}", re.IGNORECASE),
    # Base64 of `SU-…` and of `ApiKey SU-…`, as of Basic credentials.
    re.compile(r"()(?:U1Ut|QXBpS2V5IFNV)[A-Za-z0-9+/_-]{16,}={0,2}"),
)
STANDARD = frozenset(vars(logging.makeLogRecord({})))


def mask(text: str) -> str:
    """The text with the secret part of every key replaced by dots."""
    for secret in SECRETS:
        text = secret.sub(r"\1••••", text)
    return text


# What would begin another line, or steer the terminal of whoever reads the log.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    """The text with every control character written out: a path from outside begins no line of its own."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class MaskKeys(logging.Filter):
    """Masks keys in a record before any handler formats it. A wrong log call becomes a line that says so, and raises nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = one_line(mask(message(record))), None
        if record.exc_info and not record.exc_text:
            record.exc_text = safely(lambda: logging.Formatter().formatException(record.exc_info))  # type: ignore[arg-type]  # checked above
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
    except Exception as problem:  # whatever the arguments raise
        told = safely(lambda: f"{record.msg!r} with {record.args!r}")
        return f"Wrong log call in {record.pathname}:{record.lineno} ({type(problem).__name__}): {told}"


def safely(show: Any) -> str:
    """A text for a log, or the kind of error that its making raised."""
    try:
        return str(show())
    except Exception as problem:  # a record must not break the request that writes it
        return f"<{type(problem).__name__}>"


# --- Requests -------------------------------------------------------------------------------------

# The number of the request that this thread answers; the answer carries it too, as X-Request-ID.
request_id: ContextVar[str] = ContextVar("request_id", default="-")


def new_request_id() -> str:
    """`8f3a-02c9-7b1e`: short enough to read out on the telephone."""
    return "-".join(secrets.token_hex(2) for _ in range(3))


# --- Lines that strangers cause -------------------------------------------------------------------


class AtMost(logging.Filter):
    """Lets so many warnings of a logger through in a minute, so that an attack cannot fill the disk; all else always.

    The first one of the next minute says how many were left out.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.lock = most, threading.Lock()
        self.minute, self.seen = 0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING:
            return True
        with self.lock:
            minute = int(time.monotonic() // 60)
            left_out = max(self.seen - self.most, 0) if minute != self.minute else 0
            self.minute, self.seen = minute, self.seen + 1 if minute == self.minute else 1
            let_through = self.seen <= self.most
        if left_out:
            record.msg, record.args = f"{message(record)} ({left_out} lines like this were left out before.)", None
        return let_through


class OnceEach(logging.Filter):
    """Lets one line a minute through for each `extra={"key": …}`; beyond `most` keys in a minute, all others count as one.

    The first line of the next minute says how many were left out.
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
            record.msg, record.args = f"{message(record)} ({left_out} lines like this were left out before.)", None
        return let_through

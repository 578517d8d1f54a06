"""What may reach a log."""

import logging
import re
import threading
import time

# The secret part of a key, wherever it turns up: in a message, a repr of a header or a traceback.
SECRET = re.compile(r"(SU-[0-9]{3}-[0-9]{3}-[0-9]{3}:)[0-9a-fA-F]{8,}")


def mask(text: str) -> str:
    """The text with the secret part of every key replaced by dots."""
    return SECRET.sub(r"\1••••", text)


class MaskKeys(logging.Filter):
    """Masks keys in a record before any handler formats it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = mask(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask(record.exc_text)
        return True


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
            record.msg, record.args = f"{record.getMessage()} ({left_out} lines like this were left out before.)", None
        return let_through

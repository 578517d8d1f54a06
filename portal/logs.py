"""What may reach a log."""

import logging
import re

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

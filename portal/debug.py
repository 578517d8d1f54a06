"""Django's error page for developers (DEBUG=on), with secrets masked."""

import os
import re
from collections.abc import Iterator

from django.conf import settings
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter

from portal import logs

MASK = "********"
# The user and password in a URL.
CREDENTIALS = re.compile(r"(?<=://)[^\s/?#'\"<>]*:[^\s/'\"<>]*(?=@)")


class Reporter(ExceptionReporter):
    """A reporter that masks the finished text, so that no variable of a frame leaks a secret."""

    def get_traceback_html(self) -> SafeString:
        # Django's own page with parts replaced by asterisks.
        return mark_safe(mask(super().get_traceback_html()))  # noqa: S308

    def get_traceback_text(self) -> SafeString:
        return mark_safe(mask(super().get_traceback_text()))  # noqa: S308 (as above)


def mask(text: str) -> str:
    for secret in sorted(secrets(), key=len, reverse=True):
        for written in (secret, repr(secret)[1:-1], escape(secret), escape(repr(secret)[1:-1])):
            text = text.replace(written, MASK)
    return CREDENTIALS.sub(MASK, logs.mask(text))


def secrets() -> Iterator[str]:
    """Return every secret of the settings in each form in which a variable's repr may show it."""
    values = [
        *(
            os.environ.get(name, "")
            for name in (
                "DATABASE_URL",
                "EMAIL_URL",
                "TOKEN_PEPPERS",
                "TOKEN_SEALING_KEYS",
                "SECRET_KEY_FALLBACKS",
            )
        ),
        settings.SECRET_KEY,
        *settings.SECRET_KEY_FALLBACKS,
        str(settings.EMAIL_HOST_PASSWORD or ""),
        *(str(database.get("PASSWORD") or "") for database in settings.DATABASES.values()),
        *(
            str(database["OPTIONS"].get("sslpassword", ""))
            for database in settings.DATABASES.values()
        ),
    ]
    for ring in (settings.TOKEN_PEPPERS, settings.TOKEN_SEALING_KEYS):
        for value in ring.values():
            values += [value.hex(), repr(value)[2:-1]]
    # Masking a value of three characters would hide half the page and protect nothing.
    return (value for value in values if len(value) > 3)

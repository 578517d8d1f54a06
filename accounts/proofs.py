"""When and how a person last proved who they are, which the session remembers.

Kept apart from `accounts.sudo`, which asks for it, so that recording an event loads no page.
"""

import time
from datetime import UTC, datetime
from typing import NamedTuple

from django.http import HttpRequest

from portal.http import seconds_since

# How long a password counts as just given, in seconds.
LASTS = 5 * 60

PASSWORD, PASSKEY = "password", "passkey"


class Proof(NamedTuple):
    """When a person proved who they are, and how: PASSWORD or PASSKEY."""

    at: datetime
    by: str


def confirm(request: HttpRequest, by: str = PASSWORD) -> None:
    """Record that the person has just given their password or used a passkey."""
    request.session["confirmed_at"] = int(time.time())
    request.session["confirmed_by"] = by


def is_confirmed(request: HttpRequest) -> bool:
    """Tell whether the password was given in the last five minutes; signing in counts."""
    return latest(request) is not None


def latest(request: HttpRequest) -> Proof | None:
    """Return the last proof of who the person is, if it was given in the last five minutes."""
    passed = seconds_since(request.session, "confirmed_at")
    if passed is None or passed >= LASTS:
        return None
    by = PASSKEY if request.session.get("confirmed_by") == PASSKEY else PASSWORD
    return Proof(datetime.fromtimestamp(int(request.session["confirmed_at"]), UTC), by)

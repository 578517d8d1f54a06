"""Refused calls of a token that come in a burst: they are recorded once an hour.

Each process counts in memory, and only calls that it has refused already, so that a call that is
answered costs nothing. Whoever counts enough records it, unless somebody did within the hour.
"""

import logging
import time
from collections import OrderedDict
from datetime import timedelta
from threading import Lock

from django.db import Error, transaction
from django.utils.translation import gettext_lazy as _

from accounts.limits import Limit, LimitReached, take
from activity.actions import Action
from activity.recording import record
from portal import background
from tokens.models import Token

log = logging.getLogger(__name__)

# So many refused calls of a token within an hour are a burst.
BURST = 20
HOUR = timedelta(hours=1)
# Tokens that a process remembers; beyond that it forgets those that were refused longest ago.
TOKENS = 10_000

lock = Lock()
# When the hour of a token began, on the monotonic clock, and its refused calls since.
counts: OrderedDict[str, tuple[float, int]] = OrderedDict()


def count(token_id: str) -> None:
    """Count a refused call; the last one of a burst is recorded after the response."""
    now = time.monotonic()
    with lock:
        began, calls = counts.pop(token_id, (now, 0))
        if now - began >= HOUR.total_seconds():
            began, calls = now, 0
        counts[token_id] = began, calls + 1
        if len(counts) > TOKENS:
            counts.popitem(last=False)
    if calls + 1 == BURST:
        background.later(lambda: note(token_id))


def note(token_id: str) -> bool:
    """Record a burst; return False if one of the last hour is recorded, or there is no token."""
    once = Limit(f"burst:{token_id}", 1, HOUR, _("It is recorded already."))
    try:
        with transaction.atomic():
            token = Token.objects.live().filter(pk=token_id).first()
            if token is None:
                return False
            take([once])
            record(None, Action.CALLS_REFUSED, token, {"calls": [None, BURST]})
    except LimitReached:
        return False
    except Error as problem:
        log.warning("Refused calls of %s could not be recorded: %s", token_id, problem)
        return False
    return True

"""Sending one delivery at once, for somebody who has pressed a button and waits for the answer."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.limits import Limit, LimitReached
from webhooks import claims, results, send
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.worker import call_of, not_sent

SECONDS = 10.0
# Between two looks at what a worker does.
LOOK = 0.1
# How many may be sent so at once by a process, whose few threads serve everybody, and for one
# account.
MOST, MOST_PER_ACCOUNT = 4, 2
# Those of the API are one at a time, of all accounts: they keep its writers waiting.
PINGS = "API"

lock = threading.Lock()
sending: Counter[str] = Counter()


@contextmanager
def turn(account_id: str, most: int = MOST_PER_ACCOUNT) -> Iterator[None]:
    """Hold one of the few places for sending at once. Raise LimitReached if none is free."""
    with lock:
        if sending[account_id] >= most or sending.total() >= MOST:
            reason = _("Several events are being sent at once already, each for up to 10 seconds.")
            limit = Limit("sending", most, timedelta(seconds=SECONDS), reason)
            raise LimitReached(limit, timezone.now() + limit.wait)
        sending[account_id] += 1
    try:
        yield
    finally:
        with lock:
            sending[account_id] -= 1


def send_now(webhook: Webhook, delivery: Delivery) -> Attempt | None:
    """Send a delivery from this process, whatever its webhook's state, and return the try.

    If a worker was faster, wait for its result; None if that takes too long. Never call it in a
    transaction.
    """
    name = f"web:{os.getpid()}"
    claimed = claims.claim_one(delivery, name)
    if claimed is None:
        return await_result(delivery)
    now = timezone.now()
    try:
        call = call_of(claimed, now)
        done = results.Try(claimed, call, send.make(call, SECONDS), now)
    except Exception as problem:
        done = not_sent(claimed, problem, now)
    if not results.settle_one(name, done):
        return None
    return delivery.attempts.filter(number=claimed.delivery.tries).first()


def await_result(delivery: Delivery) -> Attempt | None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found = delivery.attempts.filter(number__gt=delivery.tries).order_by("number").first()
        if found:
            return found
        if not Delivery.objects.filter(pk=delivery.pk).exists():
            # Its webhook was deleted.
            return None
        time.sleep(LOOK)
    return None

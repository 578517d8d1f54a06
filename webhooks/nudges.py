"""Telling Celery's workers, where there are some, that something is due.

A nudge only saves the time until they look by themselves. It never delays or fails the change.
"""

import logging
import threading
import time

from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)

# Seconds between two nudges, and until the next one after the broker refused one.
PAUSE, AWAY = 0.02, 1.0

wanted = threading.Event()
lock = threading.Lock()
sender: threading.Thread | None = None


def nudge() -> None:
    """Nudge the workers once the present transaction is committed."""
    if settings.BROKER_URL:
        transaction.on_commit(wake)


def wake() -> None:
    """Nudge the workers now, from a thread of its own."""
    global sender
    wanted.set()
    with lock:
        if sender is None or not sender.is_alive():
            sender = threading.Thread(target=send, name="nudges", daemon=True)
            sender.start()


def send() -> None:
    # Celery is not installed everywhere.
    from webhooks.broker import drain

    while wanted.wait():
        wanted.clear()
        try:
            drain.apply_async(retry=False)
        except Exception as problem:
            log.warning("The broker took no nudge: %s", problem)
            time.sleep(AWAY)
        else:
            time.sleep(PAUSE)

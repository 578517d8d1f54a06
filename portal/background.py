"""Work that a response must not wait for: one thread of the process does it shortly afterwards."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from django.db import connection

log = logging.getLogger(__name__)

# How many jobs may wait in a process.
ROOM = 1000
# Seconds before a job begins: the response is out by then, so its timing reveals nothing about
# the job.
PAUSE = 0.25

jobs: deque[tuple[float, Callable[[], object]]] = deque()
lock = threading.Lock()
working = False


def later(job: Callable[[], object]) -> bool:
    """Queue a job to run after the response. Return False if the queue is full."""
    global working
    with lock:
        if len(jobs) >= ROOM:
            return False
        jobs.append((time.monotonic() + PAUSE, job))
        if not working:
            working = True
            threading.Thread(target=work).start()
    return True


def work() -> None:
    """Run jobs until none is left.

    The thread is not a daemon, so a process that is asked to end finishes its jobs first.
    """
    global working
    while True:
        with lock:
            if not jobs:
                working = False
                break
            start, job = jobs.popleft()
        time.sleep(max(start - time.monotonic(), 0))
        try:
            job()
        except Exception:
            log.exception("A job in the background failed.")
    connection.close()

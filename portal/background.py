"""Work that an answer must not wait for: done a moment after it, by one thread of the process."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from django.db import connection

log = logging.getLogger(__name__)

# How many jobs may wait in a process.
ROOM = 1000
# Seconds before a job begins: the answer is out by then, so nothing of the job shows in its time.
PAUSE = 0.25

jobs: deque[tuple[float, Callable[[], object]]] = deque()
lock = threading.Lock()
working = False


def later(job: Callable[[], object]) -> bool:
    """Do the job after the answer; say whether there was room for it."""
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
    """Do jobs until there is none. Not a daemon: a process that is asked to end finishes them."""
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

"""Work beside requests.

What a response must not wait for, one thread of the process does shortly afterwards (`later`). What
comes round, such as mails that are due, another thread of each server process does (`every`); jobs
of that kind must bear that several processes do them at the same time.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from django.db import close_old_connections, connection

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


# --- What comes round -----------------------------------------------------------------------------


@dataclass
class Round:
    """A job and how often it is done, in seconds; `due` is on the monotonic clock."""

    seconds: float
    job: Callable[[], object]
    due: float = 0.0


rounds: list[Round] = []
ending = threading.Event()
# The longest sleep between two looks at the clock, in seconds.
NAP = 5.0


def every(seconds: float, job: Callable[[], object]) -> None:
    """Do a job in each server process again and again; for `AppConfig.ready`."""
    rounds.append(Round(seconds, job))


def start() -> threading.Thread:
    """Start the thread of a server process that does the jobs of `every`; `end` ends it."""
    ending.clear()
    thread = threading.Thread(target=go_round, name="rounds", daemon=True)
    thread.start()
    return thread


def end() -> None:
    """Let the thread finish what it is doing, and nothing more."""
    ending.set()


def go_round() -> None:
    while not ending.wait(pause()):
        for each in rounds:
            if each.due > time.monotonic() or ending.is_set():
                continue
            try:
                close_old_connections()
                each.job()
            except Exception:
                log.exception("A job that comes round failed.")
            each.due = time.monotonic() + each.seconds
    connection.close()


def pause() -> float:
    """Return the seconds until the next job is due, at most NAP."""
    first = min((each.due for each in rounds), default=float("inf"))
    return min(max(first - time.monotonic(), 0), NAP)

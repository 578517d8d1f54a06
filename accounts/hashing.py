"""Password hashers with limited concurrency: hashing is slow and takes 100 MB on purpose."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import hashers

# How long a request waits for its turn, in seconds.
WAIT = 5
# Seconds after which to try again when Busy was raised.
RETRY_AFTER = 2

running = threading.BoundedSemaphore(settings.PASSWORD_CHECKS)
# As many again may wait. The other threads of the process stay free for the rest of the portal.
admitted = threading.BoundedSemaphore(settings.PASSWORD_CHECKS * 2)
mine = threading.local()

# The niceness of threads that hash, so that other work goes first (19 is the lowest priority).
NICENESS = 10

T = TypeVar("T")


def step_back() -> None:
    """Lower the priority of the current thread. Only Linux has priorities for single threads."""
    mine.turn = mine.steps_back = True
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def apart(hash_it: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run `hash_it` in a thread of low priority and return its result.

    The thread is new each time. A pool would be copied into worker processes, its threads not.
    """
    if getattr(mine, "steps_back", False):
        return hash_it(*args, **kwargs)
    with ThreadPoolExecutor(1, "hashing", step_back) as thread:
        return thread.submit(hash_it, *args, **kwargs).result()


class Busy(Exception):
    """Raised if too many passwords are being hashed at once: the client should try again."""


@contextmanager
def turn() -> Iterator[None]:
    """Hold one of the process's few turns to hash. Raise Busy if none becomes free in time.

    A thread that holds a turn may enter again.
    """
    if getattr(mine, "turn", False):
        yield
        return
    if not admitted.acquire(blocking=False):
        raise Busy
    try:
        if not running.acquire(timeout=WAIT):
            raise Busy
        mine.turn = True
        try:
            yield
        finally:
            mine.turn = False
            running.release()
    finally:
        admitted.release()


class InTurn:
    """Mixin for hashers that wait for a turn before each hash."""

    def encode(self, *args: Any, **kwargs: Any) -> str:
        with turn():
            # Defined by the hasher in the classes below.
            encoded: str = apart(super().encode, *args, **kwargs)  # type: ignore[misc]
        return encoded

    def verify(self, *args: Any, **kwargs: Any) -> bool:
        with turn():
            right: bool = apart(super().verify, *args, **kwargs)  # type: ignore[misc]  # as above
        return right


class Argon2(InTurn, hashers.Argon2PasswordHasher):
    pass


class PBKDF2(InTurn, hashers.PBKDF2PasswordHasher):
    pass

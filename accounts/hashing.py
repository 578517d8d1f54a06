"""Password hashers that leave the machine some room: hashing is slow and takes 100 MB on purpose."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth import hashers

# How long a request waits for its turn, in seconds.
WAIT = 5
# When to try again after a refusal, in seconds.
RETRY_AFTER = 2

running = threading.BoundedSemaphore(settings.PASSWORD_CHECKS)
# As many again may wait; the other threads of the process are for the rest of the portal.
admitted = threading.BoundedSemaphore(settings.PASSWORD_CHECKS * 2)
mine = threading.local()


class Busy(Exception):
    """So many passwords are being checked that this one has to come again."""


@contextmanager
def turn() -> Iterator[None]:
    """Hold one of the process's few turns to hash; raise Busy if it does not come. A thread may ask again while it has one."""
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
    """Every hash of the class waits for its turn."""

    def encode(self, *args: Any, **kwargs: Any) -> str:
        with turn():
            encoded: str = super().encode(*args, **kwargs)  # type: ignore[misc]  # the hasher comes next in the classes below
        return encoded

    def verify(self, *args: Any, **kwargs: Any) -> bool:
        with turn():
            right: bool = super().verify(*args, **kwargs)  # type: ignore[misc]  # as above
        return right


class Argon2(InTurn, hashers.Argon2PasswordHasher):
    pass


class PBKDF2(InTurn, hashers.PBKDF2PasswordHasher):
    pass

"""A command of `manage.py` that runs beside the server, as a process of its own.

It is started again if it dies, and ends with the server: its input is a pipe that nobody writes to,
and that closes even when the server is killed.
"""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings

log = logging.getLogger(__name__)

# Seconds until it is started again, and that it may take to end.
PAUSE = 2.0
GRACE = 30.0


@contextmanager
def beside(command: str) -> Iterator[None]:
    """Keep a command running."""
    over = threading.Event()
    keeper = threading.Thread(target=keep, args=(command, over), name=command)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def keep(command: str, over: threading.Event) -> None:
    while not over.is_set():
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, str(settings.BASE_DIR / "manage.py"), command, "--attached"],
            stdin=subprocess.PIPE,
        )
        while process.poll() is None and not over.wait(0.2):
            pass
        if over.is_set():
            end(process)
        else:
            process.communicate()
            log.error("`manage.py %s` ended (%s); it starts again.", command, process.returncode)
            over.wait(PAUSE)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to end, and kill it if that takes too long."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=GRACE)
    if process.poll() is None:
        process.kill()
        process.communicate()

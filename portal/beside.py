"""A command of `manage.py` that runs beside the server, as a process of its own.

A keeper starts it, and starts it again if it dies. The keeper is a process forked before the server
has threads or workers: a worker forked while a thread starts a process inherits that thread's
pipes, and the thread waits for as long as the worker lives.

The command ends with the server, even when one of the three is killed: the keeper looks whether its
parent is still there, and the command's input is a pipe that only the keeper holds.
"""

import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings

log = logging.getLogger(__name__)

# Seconds between two looks, until it is started again, and that it may take to end.
LOOK = 0.2
PAUSE = 2.0
GRACE = 30.0


@contextmanager
def beside(command: str) -> Iterator[None]:
    """Keep a command running."""
    keeper = multiprocessing.get_context("fork").Process(target=keep, args=(command, os.getpid()))
    keeper.start()
    try:
        yield
    finally:
        keeper.terminate()
        keeper.join()


def keep(command: str, server: int) -> None:
    """Run a command again and again, until asked to end or the process of the server is gone."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: asked.append(number))

    def is_over() -> bool:
        return bool(asked) or os.getppid() != server

    while not is_over():
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, str(settings.BASE_DIR / "manage.py"), command, "--attached"],
            stdin=subprocess.PIPE,
        )
        while process.poll() is None and not is_over():
            time.sleep(LOOK)
        if process.poll() is None:
            end(process)
            return
        process.communicate()
        log.error("`manage.py %s` ended (%s); it starts again.", command, process.returncode)
        start = time.monotonic() + PAUSE
        while time.monotonic() < start and not is_over():
            time.sleep(LOOK)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to end, and kill it if that takes too long."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=GRACE)
    if process.poll() is None:
        process.kill()
        process.communicate()

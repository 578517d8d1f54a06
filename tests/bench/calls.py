"""Calls of the application in this process, without a network."""

import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from resource import RUSAGE_SELF, getrusage
from typing import Any

from portal.wsgi import application

Call = Callable[[], Any]


def call(address: str, headers: Mapping[str, str] = {}) -> int:
    """Make one request; return its status."""
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    seen: list[int] = []
    response: Any = application(
        environ, lambda status, headers: seen.append(int(status.split()[0]))
    )
    b"".join(response)
    response.close()
    return seen[0]


def medians(
    targets: Mapping[str, Call], expected: Mapping[str, Any], rounds: int, calls: int
) -> dict[str, float]:
    """Return the median time of a call in µs for each target.

    In each round the targets take turns in random order; a first round warms up. A call during
    which the core was given to another process says nothing about the call, and counts only if
    there is no better one.
    """
    times: dict[str, list[float]] = {name: [] for name in targets}
    disturbed: dict[str, list[float]] = {name: [] for name in targets}
    for number in range(rounds + 1):
        for name in random.sample(list(targets), len(targets)):
            target, wanted = targets[name], expected[name]
            for _ in range(calls):
                switches = getrusage(RUSAGE_SELF).ru_nivcsw
                start = time.perf_counter()
                outcome = target()
                passed = (time.perf_counter() - start) * 1e6
                assert outcome == wanted, (name, outcome)
                if number:
                    (times if getrusage(RUSAGE_SELF).ru_nivcsw == switches else disturbed)[
                        name
                    ].append(passed)
    return {name: statistics.median(times[name] or disturbed[name]) for name in targets}

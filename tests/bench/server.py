"""The portal's server in its own processes, as `manage.py serve` starts it, and load on it."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"
WORKERS = 2
CLIENTS = 8
TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).parents[2]


class Load(NamedTuple):
    """The result of a load.

    Requests per second, CPU of the server's processes in µs per request, the number of requests,
    and how many of them failed.
    """

    rate: float
    cpu: float
    requests: int
    refused: int


class Server:
    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.pid, self.port = process.pid, port

    def get(self, address: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Make one request; return its status, headers (names in lower case) and body."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        connection.request("GET", address, headers=dict(headers))
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, body

    def load(self, address: str, headers: Mapping[str, str], seconds: int) -> Load:
        """Put load on the server: eight persistent connections, as fast as it answers."""
        before = self.cpu()
        rate, count, refused = (with_wrk if has_wrk() else with_threads)(
            self.port, address, headers, seconds
        )
        return Load(rate, (self.cpu() - before) / count * 1e6, count, refused)

    def cpu(self) -> float:
        """Return the server's CPU time so far in seconds, kernel time included."""
        return sum(map(cpu_of, family(self.pid)))


@contextmanager
def running() -> Iterator[Server]:
    """Run the server, and yield once it answers."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        command = (
            sys.executable,
            "-m",
            "django",
            "serve",
            "--host",
            HOST,
            "--port",
            str(port),
            "--workers",
            str(WORKERS),
        )
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        server = Server(process, port)
        try:
            deadline = time.monotonic() + 30
            while not answers(server):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    sys.exit(f"The server does not answer:\n{log.read().decode()}")
                time.sleep(0.1)
            yield server
        finally:
            process.terminate()
            process.wait()


def answers(server: Server) -> bool:
    try:
        return server.get("/healthz", {})[0] == 200
    except OSError:
        return False


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def with_wrk(
    port: int, address: str, headers: Mapping[str, str], seconds: int
) -> tuple[float, int, int]:
    """Return requests per second, requests and failures, measured with wrk."""
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = (
        "wrk",
        "-t1",
        f"-c{CLIENTS}",
        f"-d{seconds}s",
        *given,
        f"http://{HOST}:{port}{address}",
    )
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Socket errors" in told:
        sys.exit(f"The server broke connections:\n{told}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    requests = re.search(r"(\d+) requests in", told)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert requests
    assert rate
    return float(rate[1]), int(requests[1]), int(refused[1]) if refused else 0


def with_threads(
    port: int, address: str, headers: Mapping[str, str], seconds: int
) -> tuple[float, int, int]:
    """Do the same without wrk.

    Python's threads share one core, so above some 1,500 requests per second this measures the
    client, and the ratios of requests come out too low. The server's CPU time per request is still
    right.
    """
    end = time.perf_counter() + seconds

    def ask(_number: int) -> tuple[int, int]:
        done = refused = 0
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        while time.perf_counter() < end:
            connection.request("GET", address, headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            done += 1
            refused += not 200 <= answer.status < 400
        connection.close()
        return done, refused

    start = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        counts = list(pool.map(ask, range(CLIENTS)))
    done = sum(count for count, _ in counts)
    return done / (time.perf_counter() - start), done, sum(refused for _, refused in counts)


def family(pid: int) -> Iterator[int]:
    """Return the ids of a process and of all its descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def cpu_of(pid: int) -> float:
    """Return the CPU time in seconds of a process and its ended children.

    That is the sum of utime, stime, cutime and cstime in proc(5).
    """
    # The name of the program comes first, in parentheses, and may contain any character.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS

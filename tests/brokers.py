"""The brokers that tests use: a Redis of their own, and the RabbitMQ of AMQP_URL."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from redis import Redis, RedisError

from tests.server import free_port

BROKERS = ("redis", "rabbitmq")


@contextmanager
def broker(name: str) -> Iterator[str]:
    """Yield the URL of a broker. Skip the test of RabbitMQ if none is named."""
    if name == "redis":
        with redis() as url:
            yield url
        return
    url = os.environ.get("AMQP_URL", "")
    if not url:
        pytest.skip("Only with AMQP_URL, the URL of a RabbitMQ.")
    place = urlsplit(url)
    # If one is named, it has to be there.
    socket.create_connection((place.hostname or "", place.port or 5672), timeout=5).close()
    yield url


@contextmanager
def redis(port: int = 0) -> Iterator[str]:
    """Run a Redis server, which keeps nothing; yield its URL."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    assert program, "No Redis server is installed; `make test` installs one."
    port = port or free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"redis://127.0.0.1:{port}/0"
        try:
            while process.poll() is None and not answers(url):
                time.sleep(0.05)
            yield url
        finally:
            process.kill()


def answers(url: str) -> bool:
    with Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False

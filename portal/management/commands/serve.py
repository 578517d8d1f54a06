"""`manage.py serve`: run the portal on its production server, granian."""

import errno
import os
import resource
import socket
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from contextlib import nullcontext
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings, HTTP2Settings
from granian.server import Server
from granian.server.common import AbstractServer

from portal import readiness, var
from portal.beside import beside
from portal.connections import NEXT_REQUEST, STREAMS
from portal.environment import read_number, read_text

# Limit of the head of a request, in bytes.
HEAD = 64 * 1024
# Connections waiting to be accepted, and open connections of each worker process. OWN_FILES of the
# files that a process may open are reserved for databases, logs and modules.
BACKLOG = 2048
CONNECTIONS = 4096
OWN_FILES = 128


class Command(BaseCommand):
    """Serves `portal.asgi`: granian reads requests, threads run Django."""

    help = "Serve the portal. HOST, PORT and WORKERS come from the environment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=read_text("HOST", "127.0.0.1"))
        parser.add_argument(
            "--port", type=within(1, 65535), default=read_number("PORT", 8000, 1, 65535)
        )
        parser.add_argument(
            "--workers", type=within(1, 64), default=read_number("WORKERS", 2, 1, 64)
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        address = resolve(host)
        refuse_unsafe(host, address)
        refuse_busy_port(address, port)
        if problems := readiness.problems():
            raise CommandError("\n".join(problems))
        if open_to_others := var.tighten():
            self.stderr.write(
                f"Other users of this computer can read what only the owner of the portal should: "
                f"{', '.join(open_to_others)}"
            )
        # The workers open connections of their own.
        connections.close_all()
        self.stdout.write(
            f"\nThe portal is at http://{bracketed(host)}:{port}/ (stop it with Ctrl+C)."
        )
        if settings.DEMO:
            self.stdout.write(
                "Sign in as michael@mightymicks.example or robert@frontstreet.example, with the "
                "password shown with the demo data above."
            )
        self.stdout.write("")
        sys.stdout.flush()
        with beside("deliver") if settings.DELIVER else nullcontext():
            server(address, port, options["workers"]).serve()


def refuse_unsafe(host: str, address: str) -> None:
    """Raise CommandError for settings that would send passwords or internals to others."""
    if settings.HTTPS and not settings.TRUSTED_PROXIES:
        raise CommandError(
            "HTTPS is on, but this server speaks plain http: put a proxy that speaks TLS in "
            "front of it and set TRUSTED_PROXIES=1."
        )
    if settings.DEBUG and not ip_address(address).is_loopback:
        raise CommandError(
            f"DEBUG shows internals of the portal to every visitor, so HOST must be a "
            f"loopback address, not {host}."
        )


def server(address: str, port: int, workers: int) -> AbstractServer[Any]:
    made: AbstractServer[Any] = Server(
        "portal.asgi:application",
        address=address,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,
        websockets=False,
        workers=workers,
        backlog=BACKLOG,
        backpressure=open_files() - OWN_FILES,
        # In ms. portal/connections.py closes idle connections sooner; this is the upper bound.
        http1_settings=HTTP1Settings(header_read_timeout=NEXT_REQUEST * 1000, max_buffer_size=HEAD),
        http2_settings=HTTP2Settings(max_headers_size=HEAD, max_concurrent_streams=STREAMS),
        respawn_failed_workers=True,
        # Seconds until a worker that hangs at shutdown is killed.
        workers_kill_timeout=10,
    )
    return made


def within(low: int, high: int) -> Callable[[str], int]:
    """Return an argparse type for a whole number between two bounds, both included."""

    def number(value: str) -> int:
        if not value.isdecimal() or not low <= int(value) <= high:
            raise ArgumentTypeError(f"must be a whole number from {low} to {high}, not {value!r}")
        return int(value)

    return number


def resolve(host: str) -> str:
    """Return the IP address to listen on for a host name or an address, preferably IPv4.

    Raise CommandError if it cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(
            host.removeprefix("[").removesuffix("]"), None, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError):
        raise CommandError(
            f"HOST must be an address of this computer or a name that resolves to one, not "
            f"{host!r}."
        ) from None
    return str(min(found, key=lambda each: each[0] != socket.AF_INET)[4][0])


def bracketed(host: str) -> str:
    """Return a host as written in a URL: `::1` -> `[::1]`."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def refuse_busy_port(address: str, port: int) -> None:
    """Raise CommandError if the port cannot be bound; the server would only show a stack trace."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as problem:
            advice = (
                " Choose another port: PORT=8001 make run"
                if problem.errno in (errno.EADDRINUSE, errno.EACCES)
                else ""
            )
            raise CommandError(
                f"Cannot listen on {bracketed(address)}:{port}: "
                f"{os.strerror(problem.errno or 0)}.{advice}"
            ) from None


def open_files() -> int:
    """Raise the limit of open files for this process and its workers as needed, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else min(soft, wanted)

"""The parts of the benchmark in order, each with the number of tokens it needs."""

import logging
import os
import platform
from argparse import Namespace

import django
from django.core.management import call_command
from django.db import connection, connections

from tests.bench import compare, gate, lists, rows, trail

MILLION = 1_000_000


def measure(options: Namespace) -> None:
    logging.disable(logging.ERROR)  # these calls are refused on purpose
    call_command("migrate", verbosity=0, run_syncdb=True)
    database = f"{connection.vendor} {'.'.join(map(str, connection.get_database_version()))}"
    print(
        f"Python {platform.python_version()}, Django {django.get_version()}, {database},", end=" "
    )
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    user = rows.company()
    tokens = rows.Tokens(user)
    tokens.fill(rows.KEYS)
    if options.part in (None, "gate"):
        gate.measure(tokens, options.rounds)
    if options.part in (None, "peers"):
        compare.measure(tokens, options)
    if options.part in (None, "lists"):
        tokens.fill(lists.TOKENS)
        lists.measure(tokens, user)
    if options.part in (None, "trail"):
        trail.measure(user)
    if options.million and options.part in (None, "gate"):
        tokens.fill(MILLION)
        gate.measure(tokens, options.rounds)
    print(f"\nLoad at the end {os.getloadavg()[0]:.1f};", end=" ")
    print("other work on the machine distorts requests per second most, the ratios least.")
    connections.close_all()

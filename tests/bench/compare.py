"""The portal's list of agreements against the usual alternatives.

All run behind the same server and middleware.
"""

import json
import random
import statistics
import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tests.bench import server
from tests.bench.calls import call, medians
from tests.bench.rows import AGREEMENTS, KEYS, Tokens, peer_keys

PORTAL, PLAIN, UNCOUNTED, DRF_TOKEN = (
    "portal",
    "plain",
    "plain, no total",
    "DRF TokenAuthentication",
)
CALLS = 40


class Target(NamedTuple):
    """A URL to measure, its headers, and whether it must refuse the call."""

    path: str
    headers: Mapping[str, str]
    status: int = 200

    def page(self, offset: int = 0) -> str:
        return f"{self.path}?limit=10" + (f"&offset={offset}" if offset else "")


def targets(tokens: Tokens) -> dict[str, Target]:
    keys = peer_keys()
    (key,) = tokens.keys(1)
    return {
        PORTAL: Target("/public/v1/agreements", {"Authorization": key}),
        PLAIN: Target("/public/bench/plain", {}),
        UNCOUNTED: Target("/public/bench/plain-uncounted", {}),
        DRF_TOKEN: Target("/public/bench/drf-token", keys["drf-token"]),
        "DRF django-rest-knox": Target("/public/bench/drf-knox", keys["drf-knox"]),
        "DRF api-key": Target("/public/bench/drf-api-key", keys["drf-api-key"]),
        "django-ninja, key in a table": Target("/public/bench/ninja", keys["ninja"]),
        "plain, all middleware": Target("/bench/plain", {}),
        f"{DRF_TOKEN}, all middleware": Target("/bench/drf-token", keys["drf-token"]),
    }


def with_wrong_secrets(found: Mapping[str, Target]) -> dict[str, Target]:
    """Return the same targets with the last digit of the secret changed."""

    def wrong(name: str) -> Target:
        key = found[name].headers["Authorization"]
        return Target(
            found[name].path, {"Authorization": key[:-1] + ("0" if key[-1] != "0" else "1")}, 401
        )

    return {f"{name}, wrong secret": wrong(name) for name in (PORTAL, DRF_TOKEN)}


def verify(portal: server.Server, found: Mapping[str, Target]) -> None:
    """Exit unless every target returns the portal's JSON and total.

    Checks the first page, one in the middle and the last.
    """
    for offset in (0, AGREEMENTS // 2, AGREEMENTS - 3, AGREEMENTS + 5):
        wanted: tuple[object, str | None] | None = None
        for name, target in found.items():
            status, headers, body = portal.get(target.page(offset), target.headers)
            if status != target.status:
                sys.exit(f"{name} answers {status} instead of {target.status}: {body[:300]!r}")
            given = json.loads(body), headers.get("content-range")
            wanted = wanted or given
            if name == UNCOUNTED:
                given = given[0], wanted[1]
            if given != wanted:
                reason = (
                    f"Not comparable: at offset {offset} {name} does not give what the portal "
                    "gives."
                )
                sys.exit(f"{reason}\n{first(given)}\n{first(wanted)}")


def first(given: tuple[object, str | None]) -> str:
    records, total = given
    record = records[0] if isinstance(records, list) and records else records
    return f"{total} {json.dumps(record, indent=1)}"


def in_process(found: Mapping[str, Target], rounds: int) -> dict[str, float]:
    calls = {
        name: lambda target=target: call(target.page(), target.headers)
        for name, target in found.items()
    }
    return medians(calls, {name: target.status for name, target in found.items()}, rounds, CALLS)


def over_http(
    portal: server.Server, found: Mapping[str, Target], options: Namespace
) -> dict[str, list[server.Load]]:
    """Return the load that each target handled in every round.

    The targets take turns in random order, so that other work on the machine affects all alike.
    """
    loads: dict[str, list[server.Load]] = {name: [] for name in found}
    for number in range(options.rounds + 1):
        for name in random.sample(list(found), len(found)):
            target = found[name]
            load = portal.load(target.page(), target.headers, options.seconds)
            if load.refused != (0 if target.status == 200 else load.requests):
                sys.exit(f"{name}: {load.refused} of {load.requests} answers were no success.")
            # The first round opens every thread's connection and warms up.
            if number:
                loads[name].append(load)
    return loads


def ratio(over: Iterable[float], under: Iterable[float]) -> float:
    """Return the median of the ratios per round, so that changes between rounds cancel out."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def measure(tokens: Tokens, options: Namespace) -> None:
    found = targets(tokens)
    with server.running() as portal:
        verify(portal, found)
        found |= with_wrong_secrets(found)
        loads = over_http(portal, found, options)
    inside = in_process(found, options.rounds)
    rates = {name: [load.rate for load in several] for name, several in loads.items()}
    cpu = {name: [load.cpu for load in several] for name, several in loads.items()}
    generator = "wrk" if server.has_wrk() else "threads of Python"
    print(
        f"\nList of agreements, 10 of {AGREEMENTS:,} rows a page, {KEYS:,} keys of every kind,",
        end=" ",
    )
    print("equal JSON and total")
    print(
        f"granian, {server.WORKERS} workers, {server.CLIENTS} clients, load by {generator};",
        end=" ",
    )
    print(f"medians of {options.rounds} rounds")
    print(
        f"  {'':40}{'req/s':>9}{'portal ×':>10}{'CPU µs':>9}{'of plain':>10}{'in process µs':>15}"
    )
    for name in found:
        portal_rates = rates[f"{PORTAL}, wrong secret" if "wrong" in name else PORTAL]
        times, share = ratio(portal_rates, rates[name]), ratio(cpu[name], cpu[PLAIN])
        rate, used = statistics.median(rates[name]), statistics.median(cpu[name])
        print(f"  {name:40}{rate:9,.0f}{times:10.2f}{used:9,.0f}{share:10.2f}{inside[name]:15,.0f}")

"""How long the pages of Activity take in an account with very many entries."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db import connection

from accounts.models import Account, User
from activity.actions import Action
from activity.models import Chain, Event, seal
from tests.bench.lists import show
from tests.bench.rows import ACCOUNT

ENTRIES = 500_000
BATCH = 5_000
SUBJECT = "SU-160-984-311"
PAGES = {
    "first page": "",
    "page 50,000, the last": "?page=50000",
    "100 rows": "?per_page=100",
    "oldest first": "?sort=when",
    "filter panel open": "?filter=open",
    "one person": "?actor=UR-200-000-150",
    "one token": f"?subject={SUBJECT}",
    "keys seen": "?what=keys",
    "one day": "?since=2023-05-05&until=2023-05-05",
    "an address": "?address=198.51.0.9",
    "a network": "?address=2001:db8:9a0::/64",
    "search, common": "?q=integration",
    "search, rare": "?q=integration%2019999",
    "search, absent": "?q=nothing",
    "an open entry": f"?entry={ENTRIES // 2}&open={ENTRIES // 2}",
}


def entries(account: str, count: int) -> Iterator[dict[str, Any]]:
    """Yield made-up entries of five years: sign-ins, views of keys, and changes of tokens."""
    draw = random.Random(count)
    people = [(f"UR-200-000-{n:03}", f"Person {n} Example") for n in range(200)]
    tokens = [(f"SU-{n // 1000:03}-{n % 1000:03}-777", f"Integration {n}") for n in range(20_000)]
    origins = [f"198.51.{n // 256}.{n % 256}" for n in range(4000)]
    origins += [f"2001:db8:{n:x}::{n:x}" for n in range(3000)]
    start, step = datetime(2021, 1, 4, tzinfo=UTC), timedelta(days=5 * 365) / count

    def some(choices: list[Any]) -> Any:
        """Return one of the choices, the first ones most often."""
        return choices[min(int(draw.expovariate(8 / len(choices))), len(choices) - 1)]

    for number in range(1, count + 1):
        person, token = some(people), some(tokens)
        kind, chance, changes = "token", draw.random(), {}
        if chance < 0.6:
            action, kind, token = Action.SIGNED_IN, "user", person
        elif chance < 0.7:
            action = Action.KEY_VIEWED
        else:
            action = Action.TOKEN_CHANGED
            changes = {"description": ["", f"Price lists {number}"]}
        if kind == "token" and number % 20 == 0:
            token = (SUBJECT, "ERP Agreements Sync")
        yield {
            "account": account,
            "number": number,
            "at": start + step * number,
            "actor_id": person[0],
            "actor_name": person[1],
            "action": str(action),
            "subject_kind": kind,
            "subject_id": token[0],
            "subject_name": token[1],
            "changes": changes,
            "address": some(origins),
            "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "request_id": f"{draw.getrandbits(48):012x}",
        }


def fill(account: str, count: int) -> None:
    """Make a trail that can be verified."""
    Account.objects.get_or_create(pk=account, defaults={"name": account, "side": "distributor"})
    hash, batch = "", []
    for entry in entries(account, count):
        hash = seal(entry, hash)
        batch.append(Event(**entry, hash=hash))
        if len(batch) == BATCH or entry["number"] == count:
            Event.objects.bulk_create(batch)
            batch = []
    Chain.objects.update_or_create(pk=account, defaults={"number": count, "hash": hash})


def measure(user: User) -> None:
    fill(ACCOUNT, ENTRIES)
    fill("PA-999-999", ENTRIES // 5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    show(f"Activity, {ENTRIES:,} entries in one account", "/integrations/activity/", PAGES, user)
    start = time.perf_counter()
    call_command("verify_activity", account=ACCOUNT, stdout=StringIO())
    print(f"  {'verify_activity, in all':40}{(time.perf_counter() - start) * 1e3:9,.1f}")

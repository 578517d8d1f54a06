"""The cost of the API's gate."""

from itertools import cycle
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from api.answers import list_records
from modules.agreements import AGREEMENTS
from portal.addresses import read_span
from tests.bench.calls import call, medians
from tests.bench.rows import ACCOUNT, Tokens
from tokens.catalog import Module
from tokens.gate import Caller
from tokens.models import IPRule
from tokens.permissions import requires_module

LISTED = "/public/v1/agreements?limit=10"
CALLS = 100
RULES = 1_000


def ungated(request: Any) -> HttpResponse:
    """Answer with the portal's list, without the gate."""
    request.token = Caller("SU-000-000-000", ACCOUNT, "distributor")
    return list_records(AGREEMENTS, request, None)


def empty(request: HttpRequest) -> HttpResponse:
    """Do nothing (in under a microsecond), so that what is measured is the gate."""
    return HttpResponse()


gated = requires_module(Module.AGREEMENTS)(empty)


def measure(tokens: Tokens, rounds: int) -> None:
    # As many as there are calls in a round: the first round notes the use of each, which would
    # otherwise be most of what is measured.
    keys = tokens.keys(CALLS)
    key = keys[0]
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    # Use many tokens in turn: a single one would stay in every cache of the database.
    requests = cycle([RequestFactory().get("/", headers={"authorization": key}) for key in keys])
    targets = {
        "without the gate": lambda: call("/public/bench/ungated?limit=10"),
        "with the gate": lambda: call(LISTED, {"Authorization": key}),
        "refused: no module": lambda: call("/public/v1/contracts", {"Authorization": key}),
        "refused: wrong secret": lambda: call(LISTED, {"Authorization": wrong}),
        "refused: malformed": lambda: call(LISTED, {"Authorization": "Bearer x"}),
        "the gate by itself": lambda: gated(next(requests)).status_code,
    }
    found = medians(
        targets, dict(zip(targets, (200, 200, 403, 401, 401, 200), strict=True)), rounds, CALLS
    )
    with CaptureQueriesContext(connection) as queries:
        gated(next(requests))
    print(f"\nAPI, 10 agreements a page, {tokens.count:,} tokens, median µs in process;", end=" ")
    print(f"the gate makes {len(queries)} of the queries")
    for name, value in found.items():
        print(f"  {name:40}{value:9,.0f}")
    difference = found["with the gate"] - found["without the gate"]
    print(f"  {'with the gate less without':40}{difference:9,.0f}")
    name = f"the gate by itself, {RULES:,} IP rules"
    make_rules()
    ruled = medians({name: targets["the gate by itself"]}, {name: 200}, rounds, CALLS)
    IPRule.objects.all().delete()
    print(f"  {name:40}{ruled[name]:9,.0f}")


def make_rules() -> None:
    """Give the account a rule for the calls, and many others before and after it."""
    spans = [read_span("127.0.0.1")]
    spans += [
        read_span(f"{first}.0.{n // 250}.{n % 250}")
        for first in (10, 192)
        for n in range(RULES // 2)
    ]
    IPRule.objects.bulk_create(
        IPRule(
            id=f"IPR-{number:09}",
            account_id=ACCOUNT,
            scope=ACCOUNT,
            name=str(span),
            name_key=str(span),
            first=str(span.first),
            last=str(span.last),
        )
        for number, span in enumerate(spans)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

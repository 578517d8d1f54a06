"""A query may be wrong, never slow.

Its cost is counted before it runs, and the database stops what takes too long in spite of that.
"""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from py_rql.parser import RQLParser
from pytest_django import Settings

from accounts.models import Account
from api import queries, rql
from api.shapes import leaves
from modules.models import Agreement
from modules.urls import RESOURCES
from portal.plans import KeptPlans
from tests.conftest import Call, Response
from tests.factories import AccountFactory, TokenFactory
from tests.portal.routes import EMPTY
from tokens.catalog import Module
from tokens.models import Token

pytestmark = pytest.mark.django_db

BY_PATH = {resource.path: resource for resource in RESOURCES}
ROWS = 50_000


def several(operator: str, term: str, count: int) -> str:
    """Return `or(title=0,title=1,…)`."""
    return f"{operator}({','.join(term.format(n) for n in range(count))})"


def values(count: int) -> str:
    return "(" + ",".join(f"v{n}" for n in range(count)) + ")"


@pytest.fixture
def reader(account: Account) -> Token:
    return TokenFactory(account=account, modules=(Module.ALL,))


# Each is refused for exceeding the budget by one.
TOO_COSTLY = {
    "comparisons": several("or", "title={}", 301),
    "values of in": f"in(title,{values(301)})",
    "values of out": f"out(title,{values(301)})",
    "values in several": "&".join([f"in(title,{values(76)})"] * 4),
    "unknown names": several("or", "nope{}=1", 301),
    "likes": several("or", "like(title,x{})", 61),
    "stars": several("or", "like(title,*a*b*{}*)", 34),
    "stars in quotes": 'like(title,"' + "*a" * 300 + '")',
    "searches": several("or", "search=x{}", 14),
    "a search with stars": "search=" + "*a" * 100,
    "counts": several("or", "stats.contracts={}", 31),
    "all together": several("or", "ilike(title,*{}*)", 30)
    + f"&in(title,{values(81)})&ordering(created,updated)",
    "levels": "and(" * 81 + "title=a" + ",title=b)" * 81,
    "levels of brackets": "(" * 245 + "title=a" + ")" * 245,
    "levels by signs": "&".join(["title=a"] * 82),
    "letters": "title=" + "x" * 8000,
}


@pytest.mark.parametrize("query", TOO_COSTLY.values(), ids=TOO_COSTLY)
def test_a_query_that_costs_too_much_never_reaches_the_database(
    call: Call, reader: Token, query: str
) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = call(f"agreements?{query}", reader)
    assert not any("modules_agreement" in each["sql"] for each in queries)
    assert response.status_code == 400
    assert response.json()["error_code"] == "VAL_001"
    for limit in rql.costs().values():
        assert str(limit) in response.json()["errors"][0]


# Each uses up the budget, or nearly.
COSTLY = {
    "comparisons": several("or", "title={}", 300),
    "moments": several("or", "ge(created,2099-01-01)", 300),
    "values of in": f"in(title,{values(300)})",
    "values of out": f"out(title,{values(300)})",
    "likes with stars": several("or", "like(title,*z*q*{})", 37),
    "ilikes": several("or", "ilike(title,*zq{}*)", 42),
    "ilikes of a company": several("or", "ilike(owner.name,*zq{}*)", 42),
    "a like of stars": 'like(title,"' + "*a" * 290 + '")',
    "searches": several("or", "search=zq{}", 13),
    "counts": several("or", "ge(stats.contracts,{}9)", 28),
    "orderings": "ordering(created,-updated,created,-updated,created)&limit=1000&offset=48000",
    "orderings by other records": "ordering(owner.name,-marketplace.name,marketplace.id,title)"
    "&limit=1000&offset=48000",
    "levels": "and(or(" * 40 + "title=a" + ",title=b),title=c)" * 40,
    "levels by signs": "&".join(["ne(title,a)"] * 80),
}


# A statement that is stopped would end the test's transaction.
@pytest.mark.django_db(transaction=True)
def test_the_costliest_queries_of_fifty_thousand_records_are_answered_or_refused(
    call: Call, account: Account, reader: Token
) -> None:
    vendor = AccountFactory(side="vendor")
    start = datetime(2024, 1, 1, tzinfo=UTC)
    Agreement.objects.bulk_create(
        (
            Agreement(
                id=f"AGD-{n:09}",
                type="program",
                # Makes a pattern with many stars start over as often as possible.
                title="a" * 120 if n % 10 == 0 else f"Cloud Backup Partner Program Agreement {n}",
                provider=account,
                vendor=vendor,
                owner=vendor,
                created_at=start + timedelta(minutes=n),
            )
            for n in range(ROWS)
        ),
        batch_size=2000,
    )
    assert call("agreements?limit=1", reader)["Content-Range"] == f"items 0-0/{ROWS}"
    for name, query in COSTLY.items():
        response = call(f"agreements?{query}", reader)
        assert response.status_code == 200 or took_too_long(response), (name, response.content)
    # The time limit that a request sets on its connection would stop the emptying of the tables.
    connection.close()


def took_too_long(response: Response) -> bool:
    return response.status_code == 400 and "took too long" in response.json()["errors"][0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["agreements", "agreements?limit=0", "agreements?search=x"])
def test_a_query_that_the_clock_stops_is_400_and_the_next_one_is_answered(
    call: Call, reader: Token, settings: Settings, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """SQLite stops at its first look at the clock, PostgreSQL at a lock that is held elsewhere."""
    stop = (
        "SELECT 1 FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i "
        "FROM n) AS endless WHERE i < 0"
    )
    settings.STATEMENT_SECONDS = 1
    # The connection keeps the limits once they are set.
    connection.close()
    real = queries.compile_query

    def endless(*args: Any) -> Any:
        query = real(*args)
        return query._replace(
            plan=query.plan._replace(page=stop, page_params=(), total=stop, total_params=())
        )

    monkeypatch.setattr(queries, "compile_query", endless)
    queries.KEPT.clear()
    response = call(path, reader)
    assert took_too_long(response)
    monkeypatch.undo()
    queries.KEPT.clear()
    assert call(path, reader).status_code == 200
    connection.close()


# --- What is kept ---------------------------------------------------------------------------------


@pytest.fixture
def kept() -> Iterator[KeptPlans]:
    queries.KEPT.clear()
    yield queries.KEPT
    queries.KEPT.clear()


def weigh(cache: KeptPlans, path: str, write: Callable[[int], str], count: int) -> int:
    """Return the bytes that the interpreter allocated for all that is kept of `count` queries.

    `write` makes the text of a query from its number.
    """
    for n in (1, count):
        # Django caches some things of a model at first use; they are not part of a plan.
        queries.compiled(BY_PATH[path], "PA", write(n))
    cache.clear()
    gc.collect()
    tracemalloc.start()
    for n in range(1, count + 1):
        queries.compiled(BY_PATH[path], "PA", write(n))
    gc.collect()
    allotted, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return allotted


def test_kept_queries_weigh_no_more_than_their_estimate(
    kept: KeptPlans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the largest records, and for queries of every length."""
    monkeypatch.setattr(kept, "_Cache__maxsize", 2**20)
    allotted = weigh(kept, "requests", lambda n: f"in(id,{values(n % 50)})&limit={n}", 40)
    assert 5 < len(kept) < 40
    assert allotted < 1.25 * kept.maxsize


@pytest.mark.parametrize(
    "path", sorted({*BY_PATH} - {f"products/<parent>/{name}" for name in EMPTY})
)
def test_a_plan_weighs_no_more_than_its_estimate_however_little_it_selects(
    kept: KeptPlans, path: str
) -> None:
    hide = ",".join(f"-{name}" for name, _value in leaves(BY_PATH[path].fields) if name != "id")
    for select in ("", f"&select({hide})" if hide else ""):
        allotted = weigh(kept, path, partial("limit={1}{0}".format, select), 20)
        assert len(kept) == 20
        assert allotted < 1.25 * kept.currsize


# More than any column can hold.
NEVER = "eq(version,99999999999999999999)"
LONG = {
    "empty": f"{NEVER}&name=" + "%41" * 2000,
    "values": "name=" + "%41" * 2000,
    "pages": "limit=" + "%31" * 2000,
    "unknown names": "&".join(f"nope.{n}{'x' * 400}=1" for n in range(10)) + "&offset=",
}


@pytest.mark.parametrize("query", LONG.values(), ids=LONG)
def test_addresses_that_are_long_do_not_outgrow_the_cache(
    kept: KeptPlans, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """Their SQL is short, or there is none."""
    monkeypatch.setattr(kept, "_Cache__maxsize", 2**20)
    allotted = weigh(kept, "products", lambda n: f"{query}{n}", 300)
    assert len(kept) < 300
    assert allotted < 1.25 * kept.maxsize


def test_a_query_that_matches_nothing_is_not_kept(kept: KeptPlans) -> None:
    assert queries.compiled(BY_PATH["products"], "PA", NEVER).plan.fetch_rows({}, 1, 0) == []
    assert len(kept) == 0


def test_a_query_of_odd_shape_is_not_kept(kept: KeptPlans) -> None:
    for resource in RESOURCES:
        queries.compiled(resource, "PA", "limit=7")
    # Resources that are always empty have no SQL.
    assert len(kept) == len(RESOURCES) - len(EMPTY)
    count = len(kept)
    queries.compiled(BY_PATH["requests"], "PA", f"in(id,{values(290)})")
    assert len(kept) == count


def test_the_parser_keeps_no_tree(call: Call, reader: Token) -> None:
    call("agreements?or(title=a,title=b)", reader)
    assert len(RQLParser._cache) == 0


# --- Arbitrary queries ----------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        "id",
        "title",
        "owner.name",
        "owner__id",
        "type",
        "active",
        "created",
        "stats.contracts",
        "nope",
        "search",
        "limit",
        "a.b",
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        [
            "",
            "x",
            "true",
            "program",
            "null()",
            "empty()",
            "1",
            "-1",
            "*",
            "**",
            "*a*",
            r"\*",
            "2024-01-01",
            "2024-01-01T00:00:00+00:00",
            "t(a=1)",
        ]
    ),
    st.text(max_size=12),
    st.text(max_size=12).map(lambda text: f'"{text}"'),
    st.integers().map(str),
)
TERMS = st.one_of(
    st.tuples(NAMES, VALUES).map("=".join),
    st.tuples(
        st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le", "like", "ilike"]), NAMES, VALUES
    ).map(lambda each: "{}({},{})".format(*each)),
    st.tuples(st.sampled_from(["in", "out"]), NAMES, st.lists(VALUES, max_size=4)).map(
        lambda each: f"{each[0]}({each[1]},({','.join(each[2])}))"
    ),
    st.tuples(st.sampled_from(["ordering", "select"]), st.lists(NAMES, max_size=3)).map(
        lambda each: f"{each[0]}({','.join(each[1])})"
    ),
)
QUERIES = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, max_size=4)).map(
            lambda each: f"{each[0]}({','.join(each[1])})"
        ),
        inner.map(lambda each: f"not({each})"),
        st.tuples(st.sampled_from("&|;"), st.lists(inner, max_size=4)).map(
            lambda each: each[0].join(each[1])
        ),
        inner.map(lambda each: f"({each})"),
    ),
    max_leaves=12,
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(QUERIES)
def test_no_query_of_the_grammar_is_a_server_error(call: Call, reader: Token, query: str) -> None:
    response = call(f"agreements?{quote(query, safe='(),=&|;*+')}", reader)
    assert response.status_code in {200, 400}, response.content

"""Rate limits: how many calls pass, what the others are told, and what counts."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from accounts.models import Account, Counter
from portal.store import STOP, Stop
from tests import brokers
from tests.conftest import Call, Response
from tests.factories import TokenFactory, header
from tests.server import free_port
from tests.tokens.test_policies import impose, plan
from tokens import keys, rates
from tokens.catalog import Module
from tokens.models import Bucket, NextPolicy, Token
from tokens.rates import Rate

SLOW = {"rate": 1, "burst": 3}


MINUTE = 60_000_000  # in the unit of the buckets


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run a Redis server for the tests of this file and yield its URL."""
    with brokers.redis() as url:
        yield url


@pytest.fixture(params=["database", "redis"])
def store(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Count calls in the database or in Redis, and say in which."""
    monkeypatch.setattr(rates, "asks_again_at", 0.0)
    # A slow machine must not look like a Redis that does not answer.
    monkeypatch.setattr(rates, "PATIENCE", 60.0)
    if request.param == "redis":
        settings.CACHE_URL = request.getfixturevalue("server")
        Redis.from_url(settings.CACHE_URL).flushall()
    return str(request.param)


def refill(calls: float) -> None:
    """Let as much time pass as those calls of a minute each need to come back."""
    for bucket in Bucket.objects.all():
        bucket.full_at -= calls * MINUTE
        bucket.save()
    if settings.CACHE_URL:
        redis = Redis.from_url(settings.CACHE_URL)
        for key in redis.scan_iter():
            redis.decrby(key, int(calls * MINUTE))


def over(response: Response) -> bool:
    assert response.status_code == 429
    assert response.json()["error_code"] == "SYS_429"
    assert int(response["Retry-After"]) >= 1
    return True


@pytest.mark.usefixtures("store")
def test_as_many_calls_pass_as_may_come_at_once_and_the_next_is_429(
    call: Call, token: Token
) -> None:
    Token.objects.update(**SLOW)
    for _ in range(3):
        assert call("agreements", token).status_code == 200
    response = call("agreements", token)
    assert over(response)
    assert f"The token {token.pk} may call 1 times a minute." in response.json()["errors"][0]
    assert int(response["Retry-After"]) <= 60
    refill(1)
    assert call("agreements", token).status_code == 200
    assert over(call("agreements", token))


@pytest.mark.usefixtures("store")
def test_a_refused_call_takes_nothing_from_the_limit(call: Call, token: Token) -> None:
    Token.objects.update(**SLOW)
    for _ in range(10):
        call("agreements", token)
    refill(1)
    assert call("agreements", token).status_code == 200


@pytest.mark.usefixtures("store")
def test_a_refused_call_is_told_when_the_next_one_passes(call: Call, token: Token) -> None:
    Token.objects.update(**SLOW)
    for _ in range(3):
        call("agreements", token)
    refill(0.5)
    response = call("agreements", token)
    assert over(response)
    assert 1 < int(response["Retry-After"]) <= 30


@pytest.mark.parametrize("path", ["contracts", "agreements"])
def test_a_call_refused_for_another_reason_is_not_counted(
    call: Call, token: Token, path: str
) -> None:
    Token.objects.update(**SLOW)
    if path == "agreements":
        token.disable(by=None)
    for _ in range(5):
        assert call(path, token).status_code in {401, 403}
    assert not Bucket.objects.exists()


@pytest.mark.usefixtures("store")
def test_a_write_that_one_limit_refuses_is_not_counted_by_the_other(
    call: Call, account: Account, settings: Settings
) -> None:
    boss = TokenFactory(account=account, modules=(Module.INTEGRATIONS,))
    Token.objects.filter(pk=boss.pk).update(**SLOW)
    settings.WRITES_PER_TOKEN = 1

    def rename() -> int:
        path, data = f"auth/tokens/{boss.pk}", {"name": "Boss"}
        return call(path, boss, "put", data=data, content_type="application/json").status_code

    assert [rename() for _ in range(4)] == [200, 429, 429, 429]
    assert [call("accounts", boss).status_code for _ in range(3)] == [200, 200, 429]
    assert Counter.objects.get(key=f"writes:{account.pk}").used == 1
    settings.WRITES_PER_TOKEN = 9
    assert rename() == 429
    assert Counter.objects.get(key=f"writes:{account.pk}").used == 1


def test_answers_say_the_limit_and_what_is_left_of_it(call: Call, token: Token) -> None:
    Token.objects.update(rate=1, burst=4)
    response = call("agreements", token)
    assert response["RateLimit-Policy"] == '"minute";q=1;w=60, "burst";q=4;w=240'
    assert response["RateLimit"].startswith('"burst";r=3;t=')
    assert call("agreements/none", token)["RateLimit"].startswith('"burst";r=2;t=')
    for _ in range(3):
        response = call("agreements", token)
    assert over(response)
    assert response["RateLimit"] == f'"burst";r=0;t={response["Retry-After"]}'


def test_a_token_without_a_limit_costs_nothing_and_says_nothing(call: Call, token: Token) -> None:
    response = call("agreements", token)
    assert "RateLimit" not in response
    assert "RateLimit-Policy" not in response
    assert not Bucket.objects.exists()


def test_the_limit_of_the_account_holds_for_each_token_by_itself(
    call: Call, account: Account
) -> None:
    impose(account, **SLOW)
    one, other = TokenFactory.create_batch(2, account=account)
    for token in (one, other):
        for _ in range(3):
            assert call("agreements", token).status_code == 200
        assert over(call("agreements", token))


def test_a_limit_of_its_own_takes_the_place_of_the_account_s(call: Call, account: Account) -> None:
    impose(account, **SLOW)
    one, other = TokenFactory.create_batch(2, account=account)
    Token.objects.filter(pk=one.pk).update(rate=1, burst=5)
    for token, most in ((one, 5), (other, 3)):
        answers = [call("agreements", token).status_code for _ in range(7)]
        assert answers == [200] * most + [429] * (7 - most)


def test_the_own_limit_counts_before_that_which_began_and_this_before_the_earlier_one(
    call: Call, account: Account
) -> None:
    began = timezone.now() - timedelta(seconds=2)
    earlier = impose(account, rate=4, burst=5)
    NextPolicy.objects.create(policy=earlier, starts_at=began, rate=3, burst=2)
    one, other = TokenFactory.create_batch(2, account=account)
    Token.objects.filter(pk=one.pk).update(rate=2, burst=3)
    policies = [call("agreements", token)["RateLimit-Policy"] for token in (one, other)]
    assert policies == [
        '"minute";q=2;w=60, "burst";q=3;w=90',
        '"minute";q=3;w=60, "burst";q=2;w=40',
    ]


@pytest.mark.parametrize(("seconds", "most"), [(-2, 3), (60, 9)])
def test_the_limit_of_the_account_begins_on_its_day(
    call: Call, token: Token, account: Account, seconds: int, most: int
) -> None:
    plan(account, timezone.now() + timedelta(seconds=seconds), **SLOW)
    answers = [call("agreements", token).status_code for _ in range(9)]
    assert answers == [200] * most + [429] * (9 - most)


@pytest.mark.usefixtures("store")
def test_each_call_takes_one(db: None) -> None:
    assert [rates.take("SU-1", Rate(1, 20)).left for _ in range(20)] == [*range(19, -1, -1)]


def test_a_bucket_from_a_wrong_clock_does_not_stop_the_token(call: Call, token: Token) -> None:
    Token.objects.update(**SLOW)
    Bucket.objects.create(key=token.pk, full_at=9_000_000_000_000_000)
    assert call("agreements", token).status_code == 200


@pytest.fixture
def patient(
    transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Let connections wait for each other for as long as a slow machine may need."""
    settings.STATEMENT_SECONDS = 60
    if connection.vendor == "sqlite":
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 60)
    connection.close()
    yield
    connection.close()


@pytest.mark.usefixtures("patient", "store")
def test_calls_at_the_same_time_do_not_exceed_the_limit() -> None:
    token = TokenFactory(modules=(Module.AGREEMENTS,))
    Token.objects.update(rate=1, burst=7)
    key, answers = header(token), []
    ready = threading.Barrier(5)

    def calls() -> None:
        client = Client()
        ready.wait(60)
        try:
            for _ in range(4):
                response = client.get("/public/v1/agreements", headers={"authorization": key})
                answers.append(response.status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=calls) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 7 + [429] * 13


# --- Redis ----------------------------------------------------------------------------------------


def test_with_redis_the_database_counts_nothing(call: Call, token: Token, store: str) -> None:
    Token.objects.update(**SLOW)
    call("agreements", token)
    assert Bucket.objects.exists() == (store == "database")


def test_while_redis_does_not_answer_the_database_counts(
    call: Call, token: Token, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "asks_again_at", 0.0)
    settings.CACHE_URL = f"redis://127.0.0.1:{free_port()}/0"
    Token.objects.update(**SLOW)
    answers = [call("agreements", token).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert rates.asks_again_at > time.monotonic()


def test_a_bucket_in_redis_is_gone_when_it_is_full_again(
    token: Token, call: Call, settings: Settings, server: str
) -> None:
    settings.CACHE_URL = server
    Token.objects.update(**SLOW)
    call("agreements", token)
    redis = Redis.from_url(server)
    # The name tells it apart from what others keep there.
    assert 0 < redis.pttl(f"portal:rate:{token.pk}") <= 60_000


@pytest.mark.django_db(transaction=True)
def test_a_count_does_not_wait_for_the_disk_and_what_follows_does(call: Call, token: Token) -> None:
    Token.objects.update(**SLOW)
    with CaptureQueriesContext(connection) as queries:
        assert call("agreements", token).status_code == 200
    said = [query["sql"] for query in queries]
    (count,) = (number for number, sql in enumerate(said) if "INSERT INTO tokens_bucket" in sql)
    if connection.vendor == "sqlite":
        assert said[count - 1] == "PRAGMA synchronous = NORMAL"
    else:
        assert "SET_CONFIG('synchronous_commit', 'off', TRUE)" in said[count]
    assert commits_wait_for_the_disk()


@pytest.mark.django_db(transaction=True)
def test_after_a_client_that_hangs_up_commits_wait_for_the_disk(token: Token) -> None:
    Token.objects.update(**SLOW)
    stop, client = Stop(), Client(raise_request_exception=False)

    def hang_up(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "tokens_bucket" in sql:
            stop.now()
        return execute(sql, *rest)

    asked: dict[str, Any] = {"headers": {"authorization": header(token)}, STOP: stop}
    with connection.execute_wrapper(hang_up):
        assert client.get("/public/v1/agreements", **asked).status_code == 503
    assert commits_wait_for_the_disk()


@pytest.mark.django_db(transaction=True)
def test_a_count_within_other_work_leaves_its_commit_as_it_is() -> None:
    with transaction.atomic():
        rates.take("some", Rate(1, 2))
        assert commits_wait_for_the_disk()
    assert commits_wait_for_the_disk()


def commits_wait_for_the_disk() -> bool:
    """Tell whether the connection waits for the disk when it commits."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous" if sqlite else "SHOW synchronous_commit")
        return bool(cursor.fetchone()[0] == (2 if sqlite else "on"))


# --- Wrong keys -----------------------------------------------------------------------------------


def test_wrong_keys_from_one_address_are_limited(
    client: Client, token: Token, settings: Settings
) -> None:
    settings.WRONG_KEYS_PER_ADDRESS = 3

    def answer(key: str, address: str = "192.0.2.7") -> Response:
        return client.get(
            "/public/v1/agreements", headers={"authorization": key}, REMOTE_ADDR=address
        )

    for _ in range(3):
        assert answer(keys.mint(token.pk).header).status_code == 401
    response = answer(keys.mint("SU-000-000-001").header)
    assert over(response)
    assert "Too many wrong keys came from your network." in response.json()["errors"][0]
    # Somebody else behind the same address is not locked out, and other addresses are not touched.
    assert answer(header(token)).status_code == 200
    assert answer(keys.mint(token.pk).header, "192.0.2.8").status_code == 401


def test_the_addresses_of_one_subscriber_are_counted_together(
    client: Client, token: Token, settings: Settings
) -> None:
    settings.WRONG_KEYS_PER_ADDRESS = 2
    answers = [
        client.get(
            "/public/v1/agreements",
            headers={"authorization": keys.mint(token.pk).header},
            REMOTE_ADDR=f"2001:db8::{number}",
        ).status_code
        for number in (1, 2, 3)
    ]
    assert answers == [401, 401, 429]

"""Rate limits: buckets of calls that fill again with time, the same for all processes.

The buckets are in Redis if CACHE_URL is set, else in the database. A refused call takes nothing
out of its bucket.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from portal.store import without_the_disk

log = logging.getLogger(__name__)

# A bucket is one moment, in microseconds: when it will be full again. A call moves it ahead by what
# one call takes to come back, unless that is further ahead than an empty bucket needs. A moment
# still further ahead comes from a wrong clock or from a limit that was lowered, and does not count.
TAKE = """
INSERT INTO tokens_bucket (key, full_at) SELECT %(key)s, {now} + %(call)s {light}
ON CONFLICT (key) DO UPDATE SET full_at = {base} + %(call)s
WHERE {base} + %(call)s <= {now} + %(bucket)s
RETURNING full_at - {now}
"""
WAIT = "SELECT full_at - {now} FROM tokens_bucket WHERE key = %(key)s"

# SQLite's clock has milliseconds.
NOW = {
    "sqlite": "CAST(ROUND((JULIANDAY('NOW') - 2440587.5) * 86400000) AS INTEGER) * 1000",
    "postgresql": "CAST(EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP()) * 1000000 AS BIGINT)",
}
BASE = (
    "CASE WHEN tokens_bucket.full_at BETWEEN {now} AND {now} + %(bucket)s"
    " THEN tokens_bucket.full_at ELSE {now} END"
)
# Lets PostgreSQL commit without waiting for the disk, in the statement itself: several ms less.
LIGHT = "FROM (SELECT SET_CONFIG('synchronous_commit', 'off', TRUE)) AS light"
TAKES = {
    (vendor, light): TAKE.format(now=now, base=BASE.format(now=now), light=light)
    for vendor, now in NOW.items()
    for light in ("WHERE TRUE", LIGHT)
}
# The same for Redis, whose scripts run one after the other.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local call, bucket = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
if full_at < now or full_at > now + bucket then full_at = now end
full_at = full_at + call
if full_at <= now + bucket then
    redis.call('SET', KEYS[1], string.format('%.0f', full_at),
               'PX', math.ceil((full_at - now) / 1000))
end
return full_at - now
"""
WAITS = {vendor: WAIT.format(now=now) for vendor, now in NOW.items()}

MINUTE = 60
MICROSECONDS = 1_000_000


class Rate(NamedTuple):
    """A limit of `rate` calls a minute, of which `burst` may come at once."""

    rate: int
    burst: int

    @property
    def call(self) -> int:
        """The microseconds in which one call comes back."""
        return MINUTE * MICROSECONDS // self.rate

    @property
    def bucket(self) -> int:
        """The microseconds in which an empty bucket fills."""
        return self.call * self.burst

    @property
    def policy(self) -> str:
        """The value of the header RateLimit-Policy."""
        refill = seconds(self.bucket)
        return f'"minute";q={self.rate};w={MINUTE}, "burst";q={self.burst};w={refill}'


class Taken(NamedTuple):
    """What is left of a limit after a call was taken from it, or refused."""

    is_allowed: bool
    left: int
    # Seconds until the bucket is full or, after a refusal, until one call is possible.
    wait: int

    @property
    def header(self) -> str:
        """The value of the header RateLimit."""
        return f'"burst";r={self.left};t={self.wait}'


def seconds(microseconds: int) -> int:
    """Return microseconds in whole seconds, at least one."""
    return max(-(-microseconds // MICROSECONDS), 1)


def take(key: str, rate: Rate) -> Taken:
    """Take one call out of a bucket if there is one left."""
    filled = take_from_redis(key, rate)
    if filled is None:
        filled = take_from_database(key, rate)
    if filled <= rate.bucket:
        return Taken(
            is_allowed=True, left=(rate.bucket - filled) // rate.call, wait=seconds(filled)
        )
    return Taken(is_allowed=False, left=0, wait=seconds(filled - rate.bucket))


# How long, in seconds, a Redis that failed is left alone; the database counts meanwhile.
REST = 10.0
# How long, in seconds, a call waits for Redis.
PATIENCE = 0.25
# When Redis may be asked again, on the monotonic clock.
asks_again_at = 0.0


@cache
def script(url: str) -> Any:
    """Return the script on a server; the connections to it are kept for the process."""
    # Imported here, since most portals have no Redis and start faster without.
    from redis import Redis

    server = Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    return server.register_script(SCRIPT)


def take_from_redis(key: str, rate: Rate) -> int | None:
    """Do as `take_from_database`; return None if there is no Redis, or it does not answer."""
    global asks_again_at
    if not settings.CACHE_URL or time.monotonic() < asks_again_at:
        return None
    from redis import RedisError

    try:
        return int(script(settings.CACHE_URL)([f"portal:rate:{key}"], [rate.call, rate.bucket]))
    except RedisError as problem:
        asks_again_at = time.monotonic() + REST
        log.warning("Redis does not answer, so the database counts calls: %s", problem)
        return None


@contextmanager
def lightly() -> Iterator[str]:
    """Commit without waiting for the disk: counts may be lost when the power fails.

    Yield the end of the SELECT in TAKE. On SQLite the lock of the only writer is held for so short
    a time that calls hardly wait for each other. In a transaction of other work nothing changes.
    """
    if connection.in_atomic_block:
        yield "WHERE TRUE"
        return
    if connection.vendor == "postgresql":
        yield LIGHT
        return
    with without_the_disk():
        yield "WHERE TRUE"


def take_from_database(key: str, rate: Rate) -> int:
    """Return in how many microseconds the bucket is full, counting this call.

    More than the bucket holds if the call was refused, and so not taken. It is one statement in a
    transaction of its own, which no other work of the call makes longer.
    """
    values: dict[str, str | int] = {"key": key, "call": rate.call, "bucket": rate.bucket}
    with lightly() as light, connection.cursor() as cursor:
        cursor.execute(TAKES[connection.vendor, light], values)
        row = cursor.fetchone()
        if row is None:
            cursor.execute(WAITS[connection.vendor], values)
            row = cursor.fetchone()
            # Time has passed since the refusal, which this call does not get the benefit of.
            return max((row[0] if row else 0) + rate.call, rate.bucket + 1)
        return int(row[0])

"""The gate's one query: what it reads about the token of a key, on SQLite and on PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import connection

from portal.moments import SKEW

# The precision of "last used": a busy token costs one small UPDATE per minute.
STAMP_EVERY = timedelta(minutes=1)


# The only SQL of calls written by hand: the ORM takes five times as long to build this query as the
# database to answer it. It returns one row per key of the token, with the columns of Row. Whatever
# depends on the time is decided here, by the clock of the database.
#
# For SQLite, reading the clock and IN are expensive: a column that is mostly empty is looked at
# before it is compared, and the two modules that a call may be granted by are looked up one by one.
# PostgreSQL prepares every table, subquery and function for each call, even those that it does not
# run. So nothing is looked up that only a refusal tells, and moments are returned as stored.
LOOK_UP = """
SELECT k.digest, k.pepper,
       CASE WHEN k.retires_at IS NOT NULL AND k.retires_at <= {now} THEN 1 ELSE 0 END AS is_retired,
       t.account_id, t.status, a.side, a.is_active,
       t.extension AS extension_id,
       CASE WHEN t.expires_at IS NOT NULL AND t.expires_at <= {now} THEN 1 ELSE 0 END AS is_expired,
       CASE WHEN {granted} THEN 1 ELSE 0 END AS is_granted,
       CASE
           WHEN u.last_used_at > {stale} AND u.last_used_at <= {ahead} THEN 0
           ELSE 1
       END AS is_stale,
       CASE
           WHEN NOT EXISTS (SELECT 1 FROM tokens_iprule r WHERE r.account_id = t.account_id) THEN 0
           WHEN {outside_account} THEN 1
           WHEN {outside_token} THEN 2
           ELSE 0
       END AS is_outside,
       k.id,
       k.retires_at,
       k.replaced_at,
       CASE
           WHEN k.rehearsed_until IS NOT NULL AND k.rehearsed_until > {now} THEN k.rehearsed_until
       END AS rehearsed_until,
       CASE
           WHEN COALESCE(n.most_days, c.most_days) IS NULL THEN 0
           WHEN k.created_at <= {most_days_ago} THEN 1
           ELSE 0
       END AS is_aged,
       CASE
           WHEN COALESCE(n.idle_days, c.idle_days) IS NULL THEN 0
           WHEN COALESCE(u.last_used_at, t.created_at) <= {idle_days_ago}
           AND COALESCE(t.status_changed_at, t.created_at) <= {idle_days_ago}
           AND k.created_at <= {idle_days_ago} THEN 1
           ELSE 0
       END AS is_idle,
       CASE
           WHEN (n.rules_required OR c.rules_required) AND NOT EXISTS (
               SELECT 1 FROM tokens_iprule r WHERE r.scope IN (t.account_id, t.id)
           ) THEN 1
           ELSE 0
       END AS lacks_rules,
       COALESCE(t.rate, n.rate, c.rate) AS rate,
       COALESCE(t.burst, n.burst, c.burst) AS burst
FROM tokens_tokenkey k
JOIN tokens_token t ON t.id = k.token_id
JOIN accounts_account a ON a.id = t.account_id
LEFT JOIN tokens_tokenusage u ON u.token_id = t.id
LEFT JOIN tokens_policy c ON c.account_id = t.account_id
LEFT JOIN tokens_nextpolicy n ON n.policy_id = c.account_id AND n.starts_at <= {now}
WHERE k.token_id = %(token)s
"""


# Whether the address lies outside of all IP rules of a scope, if there are any. Rules of the same
# scope do not overlap, so only the last one that begins at the address or before it can have it.
OUTSIDE = """
EXISTS (SELECT 1 FROM tokens_iprule r WHERE r.scope = {scope})
AND COALESCE((
    SELECT r.last FROM tokens_iprule r WHERE r.scope = {scope} AND r.first <= %(address)s
    ORDER BY r.first DESC LIMIT 1
), '') < %(address)s
"""

# Whether the token has a module.
GRANTED = """
EXISTS (SELECT 1 FROM tokens_permission p WHERE p.token_id = t.id AND p.module {which})
"""


# SQLite stores times as text without a zone and compares them as text; "%%f" are the seconds with
# their thousandths. A last use further in the future than SKEW is noted again.
DIALECTS = {
    "sqlite": {
        "now": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
        "stale": f"DATETIME('NOW', '-{STAMP_EVERY.seconds} seconds')",
        "ahead": f"DATETIME('NOW', '+{SKEW.seconds} seconds')",
        "most_days_ago": "DATETIME('NOW', '-' || COALESCE(n.most_days, c.most_days) || ' days')",
        "idle_days_ago": "DATETIME('NOW', '-' || COALESCE(n.idle_days, c.idle_days) || ' days')",
        "granted": " OR ".join(
            GRANTED.format(which=which) for which in ("= %(module)s", "= 'MD-0000'")
        ),
    },
    "postgresql": {
        "now": "STATEMENT_TIMESTAMP()",
        "stale": f"STATEMENT_TIMESTAMP() - INTERVAL '{STAMP_EVERY.seconds} seconds'",
        "ahead": f"STATEMENT_TIMESTAMP() + INTERVAL '{SKEW.seconds} seconds'",
        "most_days_ago": (
            "STATEMENT_TIMESTAMP() - MAKE_INTERVAL(days => COALESCE(n.most_days, c.most_days))"
        ),
        "idle_days_ago": (
            "STATEMENT_TIMESTAMP() - MAKE_INTERVAL(days => COALESCE(n.idle_days, c.idle_days))"
        ),
        "granted": GRANTED.format(which="IN (%(module)s, 'MD-0000')"),
    },
}
QUERY = LOOK_UP.format(
    outside_account=OUTSIDE.format(scope="t.account_id"),
    outside_token=OUTSIDE.format(scope="t.id"),
    **DIALECTS[connection.vendor],
)


def seconds(moment: datetime | str) -> int:
    """Return a moment of a row as seconds since 1970. SQLite has it in UTC, without a zone."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


class Row(NamedTuple):
    """A row of the gate's query. Both databases return truth values as 0 and 1."""

    digest: bytes
    pepper: int
    is_retired: int
    account_id: str
    status: str
    side: str
    account_is_active: int
    extension_id: str
    is_expired: int
    is_granted: int
    is_stale: int
    # 1 if IP rules of the account refuse the address, 2 if only those of the token do.
    is_outside: int
    key_id: int
    # Of a key that was replaced by another one. `seconds()` reads what the database returns.
    retires_at: datetime | str | None
    replaced_at: datetime | str | None
    # Only while a rehearsal lasts.
    rehearsed_until: datetime | str | None
    # By the policies of the account.
    is_aged: int
    # Unless another key of the token is not.
    is_idle: int
    lacks_rules: int
    rate: int | None
    burst: int | None

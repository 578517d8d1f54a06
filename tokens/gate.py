"""The gate of the public API, which admits a call or answers it with 401 or 403.

It parses the raw header strictly, runs one indexed query and compares in constant time. Nothing
about a token is cached, so disabling, deleting or editing it takes effect with the next request, in
every process.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from typing import Any, NamedTuple

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import limits
from portal import api, logs
from portal.http import client_address
from portal.moments import SKEW
from tokens import keys
from tokens.catalog import Module
from tokens.models import TokenUsage
from tokens.standing import hindrances, refusal

log = logging.getLogger(__name__)


# A logger of its own, rate-limited in LOGGING, since anyone can cause these lines.
refusals = logging.getLogger("tokens.refusals")


# The precision of "last used": a busy token costs one small UPDATE per minute.
STAMP_EVERY = timedelta(minutes=1)


# The only SQL of calls written by hand: the ORM takes five times as long to build this query as the
# database to answer it. It returns one row per key of the token, with the columns of Row. Whatever
# depends on the time is decided here, by the clock of the database.
LOOK_UP = """
SELECT k.digest, k.pepper, CASE WHEN k.retires_at <= {now} THEN 1 ELSE 0 END,
       t.account_id, t.status, a.side, a.is_active,
       e.label, e.fixed_modules IS NULL,
       CASE WHEN t.expires_at <= {now} THEN 1 ELSE 0 END,
       CASE WHEN EXISTS (
           SELECT 1 FROM tokens_permission p
           WHERE p.token_id = t.id AND p.module IN (%s, 'MD-0000')
       ) THEN 1 ELSE 0 END,
       CASE WHEN u.last_used_at > {stale} AND u.last_used_at <= {ahead} THEN 0 ELSE 1 END
FROM tokens_tokenkey k
JOIN tokens_token t ON t.id = k.token_id
JOIN accounts_account a ON a.id = t.account_id
JOIN tokens_extension e ON e.id = t.extension
LEFT JOIN tokens_tokenusage u ON u.token_id = t.id
WHERE k.token_id = %s
"""


# SQLite stores times as text without a zone and compares them as text, so an expiration takes
# effect up to a second late. A last use further in the future than SKEW is noted again.
LOOK_UPS = {
    "sqlite": LOOK_UP.format(
        now="CURRENT_TIMESTAMP",
        stale=f"DATETIME('NOW', '-{STAMP_EVERY.seconds} seconds')",
        ahead=f"DATETIME('NOW', '+{SKEW.seconds} seconds')",
    ),
    "postgresql": LOOK_UP.format(
        now="STATEMENT_TIMESTAMP()",
        stale=f"STATEMENT_TIMESTAMP() - INTERVAL '{STAMP_EVERY.seconds} seconds'",
        ahead=f"STATEMENT_TIMESTAMP() + INTERVAL '{SKEW.seconds} seconds'",
    ),
}


View = Callable[..., HttpResponse]


class Row(NamedTuple):
    """A row of the gate's query. Both databases return truth values as 0 and 1."""

    digest: bytes
    pepper: int
    is_retired: int
    account_id: str
    status: str
    side: str
    account_is_active: int
    extension: str
    asks_permissions: int
    is_expired: int
    is_granted: int
    is_stale: int


class Caller(NamedTuple):
    """The token behind a call that passed the gate; views find it as `request.token`."""

    id: str
    account_id: str
    side: str


READS = frozenset({"GET", "HEAD", "OPTIONS"})


class ApiRequest(HttpRequest):
    """A request that passed the gate."""

    token: Caller


class Refused(Exception):
    """The call is refused; `response` says why."""

    def __init__(self, response: HttpResponse, reason: str, token_id: str = "") -> None:
        self.response, self.reason, self.token_id = response, reason, token_id


def gate(module: Module | None) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def inner(request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                request.token, stale = admit(request, module)
            except Refused as refused:
                response = refused.response
                note_refusal(request, refused)
            else:
                response = too_many_writes(request) or view(request, *args, **kwargs)
                if stale:
                    stamp(request.token.id)
            response.headers["Vary"] = "Authorization"
            response.headers["Cache-Control"] = "no-store"
            return response

        # The gate replaces the session here. Tests read `module` to prove that every view is gated.
        inner.login_required = False  # type: ignore[attr-defined]
        inner.module = module  # type: ignore[attr-defined]
        return inner

    return decorate


def too_many_writes(request: ApiRequest) -> HttpResponse | None:
    """Return a 429 for a write over the limits per minute of the token and its account.

    Reads are not counted.
    """
    if request.method in READS:
        return None
    try:
        limits.take(limits.writes_of_token(request.token.id, request.token.account_id))
    except limits.LimitReached as reached:
        text = _("%(reason)s Try again in %(n)s seconds.") % {
            "reason": reached.limit.reason,
            "n": reached.seconds,
        }
        response = api.error(429, "SYS_429", text)
        response.headers["Retry-After"] = str(reached.seconds)
        return response
    return None


def admit(request: HttpRequest, module: Module | None) -> tuple[Caller, bool]:
    """Return the caller, and whether its last use needs a new stamp. Raise Refused."""
    if settings.HTTPS and not request.is_secure():
        text = _("Keys must not be sent unencrypted. Use https, and replace the key that you sent.")
        raise Refused(api.error(403, "AUTH_004", text), text)
    header = request.META.get("HTTP_AUTHORIZATION", "")
    key = keys.parse(header)
    if key is None:
        raise unauthorized(
            _("The header Authorization must be: ApiKey SU-…:…")
            if header
            else _("The header Authorization is missing.")
        )

    with connection.cursor() as cursor:
        cursor.execute(LOOK_UPS[connection.vendor], (module or Module.ALL.value, key.token_id))
        rows = cursor.fetchall()

    found = next((row for row in rows if keys.matches(key, row[0], row[1])), None)
    if found is None:
        if not rows:
            keys.matches_nobody(key)
        # The same answer for an unknown token and a wrong secret; the checksum is of the text only.
        raise unauthorized(
            _("The key looks mistyped or cut off.")
            if key.looks_mistyped
            else _("The key is not valid."),
            key.token_id,
        )
    row = Row(*found)
    # Only somebody with the right key gets the details that these refusals tell.
    check_standing(key, row)
    check_retirement(key, row)
    check_grant(request, key, row, module)
    return Caller(key.token_id, row.account_id, row.side), bool(row.is_stale)


def check_standing(key: keys.Key, row: Row) -> None:
    """Raise Refused unless the token and its account are active and it has not expired."""
    found = hindrances(
        row.status,
        account_is_active=bool(row.account_is_active),
        is_expired=bool(row.is_expired),
    )
    if found:
        raise unauthorized(refusal(key.token_id, found), key.token_id)


def check_retirement(key: keys.Key, row: Row) -> None:
    """Raise Refused for a key that was retired, though others of its token may work."""
    if row.is_retired:
        raise unauthorized(
            _("This key of the token %(id)s is retired.") % {"id": key.token_id}, key.token_id
        )


def check_grant(request: HttpRequest, key: keys.Key, row: Row, module: Module | None) -> None:
    """Raise Refused unless the token was granted the module (or All)."""
    if module and not row.is_granted:
        text = no_grant(
            request,
            key.token_id,
            module,
            row.extension,
            can_be_granted=bool(row.asks_permissions),
        )
        raise Refused(api.error(403, "AUTH_003", text), text, key.token_id)


def no_grant(
    request: HttpRequest, token_id: str, module: Module, extension: str, *, can_be_granted: bool
) -> str:
    """Return a text that says which module a token lacks, and what can be done about it."""
    words = {"id": token_id, "module": module.label, "extension": extension}
    refused = _("The token %(id)s may not reach the module %(module)s.") % words
    if not can_be_granted:
        return refused + " " + _("The modules of a token for %(extension)s are fixed.") % words
    page = request.build_absolute_uri(reverse("tokens:permissions", args=(token_id,)))
    return (
        refused
        + " "
        + _("An administrator of the account can grant it on %(page)s") % {"page": page}
    )


def unauthorized(reason: str, token_id: str = "") -> Refused:
    response = api.error(401, "AUTH_001", "API request is unauthorized.", reason)
    response["WWW-Authenticate"] = keys.SCHEME
    return Refused(response, reason, token_id)


def note_refusal(request: HttpRequest, refused: Refused) -> None:
    """Log a refusal, at most once a minute for each reason and address.

    So an attack is visible, but does not fill the disk.
    """
    address = client_address(request)
    refusals.warning(
        "Refused call: address %s, token %s, request %s, status %s: %s",
        address,
        refused.token_id or "-",
        logs.request_id.get(),
        refused.response.status_code,
        refused.reason,
        extra={"key": (address, refused.reason)},
    )


def stamp(token_id: str) -> None:
    """Note the use of a token, at most once a minute, by one conditional UPDATE.

    Neither an error nor a lock of the database fails or delays the call.
    """
    now = timezone.now()
    fresh = Q(last_used_at__gt=now - STAMP_EVERY, last_used_at__lte=now + SKEW)
    try:
        with without_waiting(), transaction.atomic():
            # PostgreSQL skips a row that is locked.
            free = TokenUsage.objects.select_for_update(skip_locked=True)
            stale = free.filter(Q(last_used_at=None) | ~fresh, token=token_id)
            TokenUsage.objects.filter(pk__in=stale.values("pk")).update(last_used_at=now)
    except Error as problem:
        # Another process is writing, or the database has a problem: the next call notes its own
        # use.
        log.warning("The use of %s could not be noted: %s", token_id, problem)


@contextmanager
def without_waiting() -> Iterator[None]:
    """Give up at once instead of waiting for another writer: SQLite has one at a time."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            cursor.execute(
                f"PRAGMA busy_timeout = {connection.settings_dict['OPTIONS']['timeout'] * 1000}"
            )

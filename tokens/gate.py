"""The gate of the public API, which admits a call or answers it with 401 or 403.

It parses the raw header strictly, runs one indexed query and compares in constant time. Nothing
about a token is cached, so disabling, deleting or editing it takes effect with the next request, in
every process.
"""

import logging
import time
from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, NamedTuple

from django.conf import settings
from django.db import Error, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import limits
from accounts.models import digest
from portal import api, logs
from portal.addresses import packed
from portal.http import READS, View, client_address, client_agent, client_network
from portal.moments import SKEW
from portal.plans import fetch
from portal.store import in_passing, without_waiting
from portal.text import either
from tokens import days, keys, rates, refusals, uses
from tokens.catalog import Module
from tokens.hindrances import Hindrance, barriers, hindrance_text, hindrances
from tokens.lookup import QUERY, STAMP_EVERY, Row, seconds
from tokens.models import Extension, Grant, RefusedAddress, RingSecret, Token, TokenKey, TokenUsage

log = logging.getLogger(__name__)


# A logger of its own, rate-limited in LOGGING, since anyone can cause these lines.
refusals_log = logging.getLogger("tokens.refusals")


class Caller(NamedTuple):
    """The token behind a call that passed the gate; views find it as `request.token`."""

    id: str
    account_id: str
    side: str
    key_id: int = 0


class ApiRequest(HttpRequest):
    """A request that passed the gate."""

    token: Caller


class CallRefused(Exception):
    """Raised for a call that the gate does not admit; `response` says why.

    `row` is that of the key, once it was found to be right and its token to be in force.
    """

    def __init__(
        self, response: HttpResponse, reason: str, token_id: str = "", row: Row | None = None
    ) -> None:
        self.response, self.reason, self.token_id, self.row = response, reason, token_id, row


class FromElsewhere(CallRefused):
    """The call comes from an address that IP rules do not have."""


def gate(module: Module | None, *others: Module) -> Callable[[View], View]:
    """Return a decorator for views that need the module, or one of several; None needs none."""
    # Which of several modules opened the view is not known, so none is noted.
    noted = None if others else module

    def decorate(view: View) -> View:
        @wraps(view)
        def inner(request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response: HttpResponseBase
            row: Row | None
            try:
                request.token, row = admit(request, module, others)
                quota = check_limits(request, row)
            except CallRefused as refused:
                response, row = refused.response, refused.row
                note_refusal(request, refused)
                if row and (row.is_retired or row.rehearsed_until):
                    note_use(request, row, noted)
            else:
                days.count(request.token.id, answered=True)
                response = view(request, *args, **kwargs)
                for name, value in quota.items():
                    response.headers[name] = value
                if row.is_stale:
                    stamp(request.token.id)
                if row.pepper != max(settings.TOKEN_PEPPERS):
                    renew_digest(request, row)
                note_use(request, row, noted)
            if row:
                tell_end(request, response, row)
            response.headers["Vary"] = "Authorization"
            response.headers["Cache-Control"] = "no-store"
            return response

        # The gate replaces the session here. Tests read `module` to prove that every view is gated.
        inner.login_required = False  # type: ignore[attr-defined]
        inner.module, inner.others = module, others  # type: ignore[attr-defined]
        return inner

    return decorate


def check_limits(request: ApiRequest, row: Row) -> dict[str, str]:
    """Count the call, and return the headers that say how many are left.

    Raise CallRefused for one too many. It comes last, and what one limit refuses is not counted by
    the other. The limits of writes are per token and account; reads are not counted there.
    """
    caller = request.token
    if request.method in READS:
        return check_rate(caller, row)
    writes = limits.writes_of_token(caller.id, caller.account_id)
    try:
        limits.take(writes)
    except limits.LimitReached as reached:
        text = str(reached.limit.reason)
        raise CallRefused(too_many(text, reached.seconds), text, caller.id, row) from None
    try:
        return check_rate(caller, row)
    except CallRefused:
        limits.give_back(writes)
        raise


def admit(
    request: HttpRequest, module: Module | None, others: tuple[Module, ...] = ()
) -> tuple[Caller, Row]:
    """Return the caller, and the row of its key. Raise CallRefused."""
    if settings.HTTPS and not request.is_secure():
        text = _("Keys must not be sent unencrypted. Use https, and replace the key that you sent.")
        raise CallRefused(api.error(403, "AUTH_004", text), text)
    header = request.META.get("HTTP_AUTHORIZATION", "")
    key = keys.parse(header)
    if key is None:
        raise unauthorized(
            _("The header Authorization must be: ApiKey SU-…:…")
            if header
            else _("The header Authorization is missing.")
        )

    values = {
        "token": key.token_id,
        # Plain text: drivers take several times as long for a member of an enumeration.
        "module": (module or Module.ALL).value,
        "address": packed(client_address(request)),
    }
    rows = [Row(*each) for each in fetch(QUERY, values)]
    row = next((each for each in rows if keys.matches(key, each.digest, each.pepper)), None)
    if row is None:
        if not rows:
            keys.matches_nobody(key)
        check_guesses(request, key)
        # The same answer for an unknown token and a wrong secret; the checksum is of the text only.
        raise unauthorized(
            _("The key looks mistyped or cut off.")
            if key.looks_mistyped
            else _("The key is not valid."),
            key.token_id,
        )
    # Only somebody with the right key gets the details that these refusals tell.
    check_standing(key, row)
    check_retirement(key, row)
    check_address(request, key, row)
    check_policies(key, row, is_idle=all(each.is_idle for each in rows))
    check_grant(request, key, row, module, others)
    return Caller(key.token_id, row.account_id, row.side, row.key_id), row


def check_guesses(request: HttpRequest, key: keys.Key) -> None:
    """Count a wrong key. Raise CallRefused if its network has sent too many within a minute.

    Right keys from there still work, so that nobody locks out others behind the same address.
    """
    network = client_network(request.META)
    if not network:
        # Callers whose address is not known must not share one bucket.
        return
    most = settings.WRONG_KEYS_PER_ADDRESS
    try:
        with without_waiting():
            taken = rates.take(f"wrong:{digest(network)}", rates.Rate(most, most))
    except Error:
        # Another process is writing, or the database has a problem: this one is not counted.
        return
    if not taken.is_allowed:
        text = _("Too many wrong keys came from your network.")
        raise CallRefused(too_many(text, taken.wait), text, key.token_id)


def check_standing(key: keys.Key, row: Row) -> None:
    """Raise CallRefused unless the token and its account are active and it has not expired."""
    found = hindrances(
        row.status,
        account_is_active=bool(row.account_is_active),
        is_expired=bool(row.is_expired),
    )
    if found:
        code = "AUTH_005" if found == (Hindrance.EXPIRED,) else "AUTH_001"
        raise unauthorized(hindrance_text(key.token_id, found), key.token_id, code)


def check_retirement(key: keys.Key, row: Row) -> None:
    """Raise CallRefused for a retired or rehearsed key, though others of its token may work."""
    words = {"id": key.token_id}
    if row.is_retired:
        text = _("This key of the token %(id)s is retired.") % words
        raise unauthorized(text, key.token_id, "AUTH_006", row)
    if row.rehearsed_until:
        text = _(
            "This key of the token %(id)s is refused for a few minutes, as a rehearsal of its end. "
            "Use the new key."
        )
        refused = unauthorized(text % words, key.token_id, "AUTH_006", row)
        left = max(seconds(row.rehearsed_until) - int(time.time()), 1)
        refused.response["Retry-After"] = str(left)
        raise refused


def check_address(request: HttpRequest, key: keys.Key, row: Row) -> None:
    """Raise CallRefused for an address that the IP rules of account or token do not have."""
    if not row.is_outside:
        return
    address = client_address(request)
    words = {"address": address, "id": key.token_id}
    whose = _("the account") if row.is_outside == 1 else _("the token")
    text = (
        _("The token %(id)s may not be used from the address %(address)s.") % words
        if address
        else _("The token %(id)s may not be used from an address that is not known.") % words
    )
    text += " " + _("The IP rules of %(whose)s do not have it.") % {"whose": whose}
    raise FromElsewhere(api.error(403, "AUTH_007", text), text, key.token_id, row)


def check_policies(key: keys.Key, row: Row, *, is_idle: bool) -> None:
    """Raise CallRefused if a policy of the account stops the key or its token."""
    found = barriers(
        is_aged=bool(row.is_aged),
        is_idle=is_idle,
        lacks_rules=bool(row.lacks_rules),
    )
    if found:
        text = hindrance_text(key.token_id, found)
        raise CallRefused(api.error(403, "AUTH_008", text), text, key.token_id, row)


def check_grant(
    request: HttpRequest,
    key: keys.Key,
    row: Row,
    module: Module | None,
    others: tuple[Module, ...] = (),
) -> None:
    """Raise CallRefused unless the token was granted the module, another one of them, or All."""
    if module is None or row.is_granted:
        return
    if not (others and Grant.objects.filter(token=key.token_id, module__in=others).exists()):
        text = no_grant(request, key.token_id, (module, *others), row.extension_id)
        raise CallRefused(api.error(403, "AUTH_003", text), text, key.token_id, row)


def check_rate(caller: Caller, row: Row) -> dict[str, str]:
    """Count the call for the rate of its token. Return and raise as `check_limits`."""
    if row.rate is None or row.burst is None:
        return {}
    rate = rates.Rate(row.rate, row.burst)
    taken = rates.take(caller.id, rate)
    headers = {"RateLimit-Policy": rate.policy, "RateLimit": taken.header}
    if not taken.is_allowed:
        text = _("The token %(id)s may call %(rate)s times a minute.") % {
            "id": caller.id,
            "rate": f"{rate.rate:,}",
        }
        raise CallRefused(too_many(text, taken.wait, headers), text, caller.id, row)
    return headers


def too_many(
    text: str, wait: int, headers: Mapping[str, str] = MappingProxyType({})
) -> HttpResponse:
    """Return a 429 that says when to try again, in seconds."""
    again = ngettext("Try again in %(n)s second.", "Try again in %(n)s seconds.", wait)
    response = api.error(429, "SYS_429", f"{text} {again % {'n': wait}}")
    for name, value in {**headers, "Retry-After": str(wait)}.items():
        response.headers[name] = value
    return response


def no_grant(
    request: HttpRequest, token_id: str, modules: tuple[Module, ...], extension_id: str
) -> str:
    """Return a text that says which module a token lacks, and what can be done about it.

    The extension is looked up only here, so that calls that pass do not pay for it.
    """
    words = {"id": token_id, "modules": either([str(module.label) for module in modules])}
    refused = (
        _("The token %(id)s may not reach the module %(modules)s.")
        if len(modules) == 1
        else _("The token %(id)s may not reach any of the modules %(modules)s.")
    ) % words
    fixed = Extension.objects.filter(pk=extension_id, fixed_modules__isnull=False)
    if extension := fixed.values_list("label", flat=True).first():
        words = {"extension": extension}
        return refused + " " + _("The modules of a token for %(extension)s are fixed.") % words
    page = request.build_absolute_uri(reverse("tokens:permissions", args=(token_id,)))
    return (
        refused
        + " "
        + _("An administrator of the account can grant it on %(page)s") % {"page": page}
    )


def unauthorized(
    reason: str, token_id: str = "", code: str = "AUTH_001", row: Row | None = None
) -> CallRefused:
    response = api.error(401, code, "API request is unauthorized.", reason)
    response["WWW-Authenticate"] = keys.SCHEME
    return CallRefused(response, reason, token_id, row)


def tell_end(request: HttpRequest, response: HttpResponseBase, row: Row) -> None:
    """Tell the holder of an old key since when it is old (RFC 9745) and when it ends (RFC 8594)."""
    if row.retires_at is None:
        return
    if row.replaced_at is not None:
        response.headers["Deprecation"] = f"@{seconds(row.replaced_at)}"
    response.headers["Sunset"] = http_date(seconds(row.retires_at))
    page = request.build_absolute_uri(reverse("general:reference") + "#old-keys")
    response.headers["Link"] = ", ".join(
        f'<{page}>; rel="{relation}"; type="text/html"' for relation in ("deprecation", "sunset")
    )


def note_refusal(request: HttpRequest, refused: CallRefused) -> None:
    """Log a refusal, at most once a minute for each reason and address.

    So an attack is visible, but does not fill the disk.
    """
    address = client_address(request)
    if address and isinstance(refused, FromElsewhere):
        note_address(refused.token_id, address, client_agent(request))
    if refused.token_id:
        refusals.count(refused.token_id)
        days.count(refused.token_id, answered=False)
    refusals_log.warning(
        "Refused call: address %s, token %s, request %s, status %s: %s",
        address,
        refused.token_id or "-",
        logs.request_id.get(),
        refused.response.status_code,
        refused.reason,
        extra={"key": (address, refused.reason)},
    )


def note_address(token_id: str, address: str, agent: str) -> None:
    """Note that IP rules refused an address, for their page and the trail."""
    try:
        with without_waiting(), transaction.atomic():
            RefusedAddress.note(Token.objects.get(pk=token_id), address, agent)
    except Error as problem:
        log.warning("A refused call of %s could not be noted: %s", token_id, problem)


def stamp(token_id: str) -> None:
    """Note the use of a token, at most once a minute, by one conditional UPDATE.

    Neither an error nor a lock of the database fails or delays the call.
    """
    now = timezone.now()
    fresh = Q(last_used_at__gt=now - STAMP_EVERY, last_used_at__lte=now + SKEW)
    try:
        with in_passing():
            # PostgreSQL skips a row that is locked.
            free = TokenUsage.objects.select_for_update(skip_locked=True)
            stale = free.filter(Q(last_used_at=None) | ~fresh, token=token_id)
            TokenUsage.objects.filter(pk__in=stale.values("pk")).update(last_used_at=now)
    except Error as problem:
        # Another process is writing, or the database has a problem: the next call notes its own
        # use.
        log.warning("The use of %s could not be noted: %s", token_id, problem)


def note_use(request: HttpRequest, row: Row, module: Module | None) -> None:
    """Count the call for its key. Neither an error nor a lock fails or delays the call."""
    outcome = (
        uses.Outcome.REFUSED
        if row.is_retired
        else uses.Outcome.REHEARSED
        if row.rehearsed_until
        else uses.Outcome.ANSWERED
    )
    program = uses.Program(client_address(request) or "", client_agent(request))
    if not uses.count(row.key_id, program, module, outcome):
        return
    taken = uses.take(row.key_id)
    try:
        with in_passing():
            uses.write(taken)
    except Error as problem:
        uses.put_back(taken)
        log.warning("The calls with key %s could not be noted: %s", row.key_id, problem)


def renew_digest(request: HttpRequest, row: Row) -> None:
    """Store the digest of a key under the current pepper, so that its old one can be removed.

    Neither an error nor a lock of the database fails or delays the call; the next one tries again.
    """
    key = keys.parse(request.META["HTTP_AUTHORIZATION"])
    if key is None:
        return
    try:
        with without_waiting(), transaction.atomic():
            RingSecret.note()
            free = TokenKey.objects.select_for_update(skip_locked=True, no_key=True)
            found = free.filter(pk=row.key_id, digest=row.digest)
            digest = keys.digest(key)
            TokenKey.objects.filter(pk__in=found.values("pk")).update(
                digest=digest.value, pepper=digest.pepper
            )
    except (Error, RingSecret.Foreign) as problem:
        log.warning("The digest of %s could not be renewed: %s", key.token_id, problem)

"""Looking at the address of an endpoint while it is typed.

It connects as deliveries do, and through the same checks, but sends nothing. It never says more
than that an address is not public, whatever the name, so that nobody can look around in the
network of the portal with it.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

import pycurl
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import limits
from portal import text
from webhooks import safety
from webhooks.models.base import check_url
from webhooks.now import turn
from webhooks.outcomes import Outcome
from webhooks.send import OUT_OF_TIME, Result, Transfer
from webhooks.signing import Call, sendable

# Seconds for all of it, by the clock.
SECONDS = 5.0
# How many looks an account has in a minute.
LOOKS = 30
# A certificate that ends so soon should be renewed.
SOON = 14


class Verdict(NamedTuple):
    """What a look found. `level` is "ok", "warning" or "error"."""

    level: str
    sentence: str

    @property
    def icon(self) -> str:
        return "success" if self.level == "ok" else self.level


def look(url: str, account_id: str) -> Verdict:
    """Return what is to be said about an address."""
    try:
        check_url(url)
        safety.check_reach(url)
        parts = urlsplit(sendable(url, {}))
    except ValidationError as problem:
        return Verdict("error", " ".join(problem.messages))
    except ValueError:
        return Verdict("error", _("Enter a complete address, such as https://example.com/hook."))
    try:
        limits.take([looks(account_id)])
        with turn(account_id):
            result, days = connect(parts.geturl())
    except limits.LimitReached:
        return Verdict("warning", _("Too many addresses were looked at. Wait a moment."))
    outcome = result.outcome
    if outcome == Outcome.NO_ADDRESS:
        return Verdict("error", safety.no_public_address(parts.hostname or ""))
    named = {"host": text.isolate(reached(parts.hostname or "", result.address))}
    if outcome == Outcome.TOTAL_TIMEOUT:
        # Nothing was asked, so it cannot be the answer that took too long.
        outcome = Outcome.CONNECT_TIMEOUT
    if outcome != Outcome.OK:
        when = result.note if outcome in OUT_OF_TIME.values() else ""
        sentences = (str(outcome.sentence), when, str(outcome.advice))
        return Verdict("error", " ".join(filter(None, sentences)))
    if parts.scheme == "http":
        told = _("%(host)s can be reached. Calls are not encrypted: use https if you can.")
        return Verdict("warning", told % named)
    if days is None:
        return Verdict("ok", _("%(host)s can be reached.") % named)
    told = ngettext(
        "%(host)s can be reached. Its certificate ends in %(n)s day.",
        "%(host)s can be reached. Its certificate ends in %(n)s days.",
        days,
    )
    return Verdict("warning" if days <= SOON else "ok", told % {**named, "n": f"{days:,}"})


def looks(account_id: str) -> limits.Limit:
    return limits.Limit(f"address:{account_id}", LOOKS, timedelta(minutes=1), "")


def reached(host: str, address: str) -> str:
    """Return the name, with the address that it led to if that is public: others are private."""
    shows = address and address != host.strip("[]") and safety.is_public(ip_address(address))
    return f"{host} ({address})" if shows else host


def connect(url: str) -> tuple[Result, int | None]:
    """Connect to an address, with TLS for https.

    Return what came of it, and for how many days the certificate is valid; None if unknown.
    """
    transfer = Transfer(SECONDS)
    transfer.prepare(Call("GET", url, {}))
    transfer.curl.setopt(pycurl.CONNECT_ONLY, 1)
    try:
        transfer.curl.perform()
    except pycurl.error as problem:
        return transfer.result(*problem.args[:2]), None
    else:
        address = str(transfer.curl.getinfo(pycurl.PRIMARY_IP) or "")
        ends = next((each.ends for each in transfer.certificates()), None)
        days = max((ends - datetime.now(UTC)).days, 0) if ends else None
        return Result(Outcome.OK, address=address), days
    finally:
        transfer.close()

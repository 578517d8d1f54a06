"""Where tokens were called from recently, and whom IP rules would stop."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Max, Min, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account
from portal import text
from portal.addresses import Span, covers
from portal.moments import SKEW, within
from portal.text import isolate, join_some
from tokens.models import IPRule, KeyUse, Policy, RefusedAddress, Token
from tokens.standing import IN_USE

# An address that was used within this time is assumed to be still needed.
RECENT = timedelta(days=7)
# The most addresses that are looked at, the latest ones.
MOST = 5_000


class Caller(NamedTuple):
    """A token that was called from an address."""

    id: str
    name: str


class Origin:
    """An address that calls came from in the last 30 days."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.callers: list[Caller] = []
        self.calls = 0
        self.since = self.last_at = timezone.now()

    def add(self, caller: Caller, calls: int, since: datetime, last_at: datetime) -> None:
        self.since = min(self.since, since) if self.callers else since
        self.last_at = max(self.last_at, last_at) if self.callers else last_at
        self.callers.append(caller)
        self.calls += calls

    @property
    def is_recent(self) -> bool:
        return within(self.last_at, RECENT)

    @property
    def words(self) -> str:
        """Return `ERP Sync and Price List, 488 calls since 02/11/2026, last yesterday`."""
        calls = ngettext("%(n)s call since %(day)s", "%(n)s calls since %(day)s", self.calls)
        return _("%(names)s, %(calls)s, last %(ago)s") % {
            "names": join_some([isolate(caller.name) for caller in self.callers], 3),
            "calls": calls % {"n": f"{self.calls:,}", "day": text.day(self.since)},
            "ago": lower(text.ago(self.last_at)),
        }


def lower(words: str) -> str:
    """Return words for the middle of a sentence: `yesterday`."""
    return words[:1].lower() + words[1:]


def origins(account_id: str, token: Token | None = None) -> list[Origin]:
    """Return where live tokens of an account, or one of them, were called from, latest first."""
    now = timezone.now()
    uses = (
        KeyUse.objects.filter(
            key__token__account=account_id, last_at__range=(now - IN_USE, now + SKEW), calls__gt=0
        )
        .exclude(address="")
        .exclude(key__token__status=Token.Status.DELETED)
    )
    if token:
        uses = uses.filter(key__token=token)
    rows = (
        uses.values("address", "key__token", "key__token__name")
        .annotate(count=Sum("calls"), since=Min("first_at"), last=Max("last_at"))
        .order_by("-last", "address", "key__token")
    )
    found: dict[str, Origin] = {}
    for row in rows[:MOST]:
        address = row["address"]
        origin = found.setdefault(address, Origin(address))
        caller = Caller(row["key__token"], row["key__token__name"])
        origin.add(caller, row["count"], row["since"], row["last"])
    return [*found.values()]


def stopped(
    account_id: str, token: Token | None, before: Sequence[Span], after: Sequence[Span]
) -> list[Origin]:
    """Return the origins that a change of the rules of an account or a token would refuse."""
    if not after:
        return []
    return [
        origin
        for origin in origins(account_id, token)
        if not covers(after, origin.address) and (not before or covers(before, origin.address))
    ]


def without_rules(account: Account, token: Token | None) -> str:
    """Return what holds once an account or a token has no rules of its own."""
    others = token is not None and IPRule.objects.for_account(account.pk).exists()
    if others:
        return _("Without rules of its own, only those of the account apply to this token.")
    if Policy.of(account).rules_required:
        return (
            _("Without rules this token gets the answer 403, since a policy requires them.")
            if token
            else _(
                "Without rules tokens get the answer 403, since a policy requires them; those with "
                "rules of their own keep working."
            )
        )
    return (
        _("Without rules this token works from any address.")
        if token
        else _("Without rules tokens work from any address.")
    )


def count_callers(found: Collection[Origin]) -> int:
    """Return the number of tokens that were called from the addresses."""
    return len({caller.id for origin in found for caller in origin.callers})


def refused(account_id: str, token: Token | None = None) -> list[RefusedAddress]:
    """Return the addresses that calls were refused from in the last 30 days, latest first."""
    rows = RefusedAddress.objects.filter(
        token__account=account_id, last_at__gt=timezone.now() - IN_USE
    ).exclude(token__status=Token.Status.DELETED)
    if token:
        rows = rows.filter(token=token)
    return [*rows.select_related("token").order_by("-last_at", "-pk")[:MOST]]

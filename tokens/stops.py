"""What policies would stop, and when: what the page Policies shows before they are saved."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Exists, Max, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account
from portal import moments, text
from portal.moments import within
from tokens.models import IPRule, Policy, Token, TokenKey
from tokens.models.policy import loosest, strictly
from tokens.standing import IN_USE

# How far the page looks ahead, counted from the day on which the policies begin.
AHEAD = timedelta(days=30)
# How many tokens are looked at, and how many of those that stop are named.
LOOKED_AT = 10_000
NAMED = 10


class Stop(NamedTuple):
    """A token that policies stop: when, why, and when it was last used if that is recent."""

    token_id: str
    name: str
    at: datetime
    reasons: str
    used: str
    has_handle: bool


class Life(NamedTuple):
    """What policies go by: when the newest key was made, and the last signs of life.

    Among these, a key counts that works no longer.
    """

    id: str
    name: str
    created_at: datetime
    made_at: datetime | None
    last_made_at: datetime | None
    changed_at: datetime | None
    used_at: datetime | None
    expires_at: datetime | None
    has_rules: bool
    handle: bytes | None

    @property
    def noun(self) -> str:
        """The word for what people paste, as `Token.noun`."""
        return _("key") if self.handle is None else _("handle")

    @property
    def made(self) -> datetime:
        return self.made_at or self.created_at

    def ends(self, policy: Policy) -> tuple[datetime | None, ...]:
        """Return when it stops for its age, for being idle, and for lack of IP rules (always)."""
        alive = (self.last_made_at, self.created_at, self.changed_at, self.used_at)
        return (
            policy.last_end(self.made),
            policy.idle_end(max(moment for moment in alive if moment)),
            moments.FIRST if policy.rules_required and not self.has_rules else None,
        )


class Foresight:
    """What happens to the tokens of an account if policies are saved."""

    def __init__(self, account: Account, wanted: Mapping[str, Any], starts_at: datetime) -> None:
        self.account = account
        self.now = timezone.now()
        self.wanted = Policy(**wanted)
        # Looser policies apply at once.
        self.meanwhile = Policy(**loosest(wanted, Policy.of(account).values))
        begins = strictly(wanted, self.meanwhile.values)
        self.starts_at = starts_at if begins else None
        self.until = (self.starts_at or self.now) + AHEAD

    @cached_property
    def lives(self) -> list[Life]:
        rows = Token.objects.of_account(self.account.pk).filter(status=Token.Status.ACTIVE)
        live = Q(keys__retires_at=None) | Q(keys__retires_at__gt=self.now)
        newest = TokenKey.objects.filter(token=OuterRef("pk")).order_by("-version")
        columns = rows.annotate(
            made=Max("keys__created_at", filter=live),
            last_made=Max("keys__created_at"),
            has_rules=Exists(IPRule.objects.holding_for()),
            handle=Subquery(newest.values("handle")[:1]),
        ).values_list(
            *("id", "name", "created_at", "made", "last_made"),
            *("status_changed_at", "usage__last_used_at", "expires_at", "has_rules", "handle"),
        )
        return [Life(*row) for row in columns.order_by("id")[:LOOKED_AT]]

    @cached_property
    def stops(self) -> list[Stop]:
        """The tokens that stop until `until`, first those that stop first."""
        found = [stop for life in self.lives if (stop := self.stop(life))]
        return sorted(found, key=lambda stop: (stop.at, not stop.used, stop.name))

    def stop(self, life: Life) -> Stop | None:
        """Return when and why a token stops; None if it does not, or has stopped already."""
        present = [end for end in life.ends(self.meanwhile) if end]
        if any(end <= self.now for end in present):
            return None
        aged, idle, bare = life.ends(self.wanted)
        later = self.starts_at or self.now
        ends = [*present, *(max(end, later) for end in (aged, idle, bare) if end)]
        at = min(ends, default=None)
        if at is None or at > self.until or (life.expires_at and life.expires_at <= at):
            return None
        in_use = within(life.used_at, IN_USE)
        reasons = []
        if idle and idle <= at:
            reasons.append(
                _("no call since %(day)s") % {"day": text.day(life.used_at)}
                if life.used_at
                else _("never called")
            )
        if aged and aged <= at:
            days = (self.now - life.made).days
            reasons.append(
                ngettext(
                    "%(key)s made %(day)s: %(n)s day old",
                    "%(key)s made %(day)s: %(n)s days old",
                    days,
                )
                % {"key": life.noun, "day": text.day(life.made), "n": f"{days:,}"}
            )
        if bare:
            reasons.append(_("no IP rules"))
        used = _("Last used: %(ago)s.") % {"ago": text.ago(life.used_at)} if in_use else ""
        return Stop(life.id, life.name, at, "; ".join(reasons), used, life.handle is not None)

    # --- In words ---------------------------------------------------------------------------------

    @property
    def named(self) -> list[Stop]:
        return self.stops[:NAMED]

    @property
    def more(self) -> int:
        return len(self.stops) - len(self.named)

    @property
    def first_day(self) -> int:
        """How many stop when the policies begin."""
        return sum(stop.at == self.starts_at for stop in self.stops)

    @property
    def afterwards(self) -> int:
        return len(self.stops) - self.first_day

    @property
    def in_use(self) -> list[Stop]:
        return [stop for stop in self.stops if stop.used]

    @property
    def warning(self) -> str:
        """The bold part of the warning that tokens in use stop; `""` if none does."""
        count, total = len(self.in_use), len(self.stops)
        if not count:
            return ""
        words = ngettext(
            "%(n)s of the %(total)s is in use.", "%(n)s of the %(total)s are in use.", count
        )
        return words % {"n": f"{count:,}", "total": f"{total:,}"}

    @property
    def advice(self) -> str:
        names = text.join_some([text.isolate(stop.name) for stop in self.in_use], 3)
        words = {
            (False,): _("Give new keys to %(names)s before %(day)s."),
            (True,): _("Give new handles to %(names)s before %(day)s."),
            (False, True): _("Give new keys and handles to %(names)s before %(day)s."),
        }[(*sorted({stop.has_handle for stop in self.in_use}),)]
        return words % {"names": names, "day": text.day(self.in_use[0].at)}

    @property
    def summary(self) -> str:
        """The sentence about all tokens, which is read out when the form changes."""
        day, total = text.day(self.until), len(self.lives)
        if not self.stops:
            return _("No token stops before %(day)s.") % {"day": day}
        untouched = total - len(self.stops)
        words = ngettext(
            "%(n)s of %(total)s token is not affected before %(day)s.",
            "%(n)s of %(total)s tokens are not affected before %(day)s.",
            total,
        )
        return words % {"n": f"{untouched:,}", "total": f"{total:,}", "day": day}

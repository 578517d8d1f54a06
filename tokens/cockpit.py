"""The cockpit of a token with two keys: how far the programs are in moving to the new one.

Whatever a page says about the two keys comes from here, so that light, list and buttons agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import agents, moments, text
from portal.moments import within
from tokens.catalog import Module
from tokens.models import LONGEST_OVERLAP, KeyUse, Token, TokenKey

# The light is red if the old key was used within the last hour, amber within the last day.
RED, AMBER = timedelta(hours=1), timedelta(hours=24)
# How long General tells that an old key has ended.
TOLD = timedelta(days=7)


@dataclass(frozen=True)
class Program:
    """A line of the list of who uses a key."""

    use: KeyUse

    @property
    def name(self) -> str:
        """The program, or that these are all others."""
        if not self.use.address and not self.use.agent:
            return _("Other programs")
        return agents.in_words(self.use.agent) or _("Unnamed program")

    @property
    def calls(self) -> str:
        return f"{self.use.calls:,}"

    @property
    def calls_since(self) -> str:
        """How many calls it made since there are two keys."""
        return f"{self.use.calls_since:,}"

    @property
    def modules(self) -> str:
        known = [str(module.label) for module in Module if module in self.use.modules]
        return text.join_some(known) if known else "–"


@dataclass(frozen=True)
class Panel:
    """What the cockpit says about one of the two keys."""

    key: TokenKey
    is_new: bool
    uses: tuple[KeyUse, ...]

    @property
    def name(self) -> str:
        if self.key.has_handle:
            return _("New handle") if self.is_new else _("Old handle")
        return _("New key") if self.is_new else _("Old key")

    @property
    def calls(self) -> str:
        """How many calls it made since there are two keys."""
        return f"{sum(use.calls_since for use in self.uses):,}"

    @property
    def last(self) -> KeyUse | None:
        return self.uses[0] if self.uses else None

    @property
    def last_used_at(self) -> datetime | None:
        return self.last.last_at if self.last else None

    @property
    def addresses(self) -> str:
        count = len({use.address for use in self.uses if use.calls_since})
        return ngettext("from %(n)s address", "from %(n)s addresses", count) % {"n": count}


@dataclass(frozen=True)
class Cockpit:
    """The two keys of a token, as shown to one person."""

    token: Token
    old: TokenKey
    new: TokenKey
    # Why calls with either key are refused; `""` if the token can call.
    refused: str
    may_manage: bool

    @classmethod
    def of(cls, token: Token, refused: str, *, may_manage: bool) -> "Cockpit | None":
        """Return the cockpit of a token with two keys; None for any other."""
        old = token.old_key
        if old is None or token.is_deleted:
            return None
        return cls(token, old, token.live_keys[0], refused, may_manage)

    # --- Whether the old key works ----------------------------------------------------------------

    @property
    def why_refused(self) -> str:
        """Why calls with the old key are refused, apart from a rehearsal; `""` if they work."""
        stopped = _("The %(old)s has stopped.") % self.words
        return self.refused or (stopped if self.is_over else "")

    @property
    def title(self) -> str:
        if self.old.has_handle:
            return _("A New Handle")
        return _("Two Keys") if self.why_refused else _("Two Keys Are Live")

    @property
    def words(self) -> dict[str, str]:
        """What sentences call the two keys, and what people paste instead of the old one."""
        return {"old": self.old.as_old, "new": self.new.as_new, "noun": self.new.noun}

    @cached_property
    def uses(self) -> list[KeyUse]:
        """The programs that call with either key, latest first."""
        return [*KeyUse.objects.filter(key__in=(self.old.pk, self.new.pk)).order_by("-last_at")]

    @cached_property
    def panels(self) -> tuple[Panel, Panel]:
        return self.panel(self.new), self.panel(self.old)

    def panel(self, key: TokenKey) -> Panel:
        mine = tuple(use for use in self.uses if use.key_id == key.pk)
        return Panel(key, key.pk == self.new.pk, mine)

    # --- The light --------------------------------------------------------------------------------

    @cached_property
    def last_used_at(self) -> datetime | None:
        """When the old key was last used; None for never."""
        used = self.panel(self.old).last_used_at
        before, replaced = self.token.last_used_at, self.old.replaced_at
        if used is None and before and replaced and before <= replaced:
            # Before uses of keys were noted, there was only the last use of the token.
            used = before
        return used

    @property
    def light(self) -> str:
        if within(self.last_used_at, RED):
            return "red"
        return "amber" if within(self.last_used_at, AMBER) else "green"

    @property
    def headline(self) -> str:
        used = self.last_used_at
        if used is None:
            return _("Safe to retire: nobody has used the %(old)s.") % self.words
        ago = text.ago(used)
        ago = ago[0].lower() + ago[1:]
        if self.light == "red":
            return _("Wait: the %(old)s was used %(ago)s.") % {**self.words, "ago": ago}
        if self.light == "amber":
            return _("Not yet: the %(old)s was used %(ago)s.") % {**self.words, "ago": ago}
        words = _("Safe to retire: the %(old)s has been quiet for %(time)s.")
        quiet = text.duration(timezone.now() - used, parts=1)
        return words % {**self.words, "time": quiet}

    @property
    def advice(self) -> str:
        """The sentences below the headline."""
        if self.light == "green":
            last = self.panel(self.old).last
            if last is None or not last.address:
                return _("Nobody has tried it since.") if self.last_used_at else ""
            return _(
                "Its last call came from %(address)s on %(at)s. Nobody has tried it since."
            ) % {
                "address": last.address,
                "at": text.day_and_time(last.last_at),
            }
        count = len(self.still_using)
        still = (
            ngettext(
                "%(n)s program still calls with it. Give it the new %(noun)s;",
                "%(n)s programs still call with it. Give each of them the new %(noun)s;",
                count,
            )
            % {**self.words, "n": count}
            if count
            else _("Give the programs that call with it the new %(noun)s;") % self.words
        )
        return still + " " + _("this light turns green after 24 quiet hours.")

    @cached_property
    def still_using(self) -> list[Program]:
        """The programs that called with the old key; none while the light is green."""
        if self.light == "green":
            return []
        return [Program(use) for use in self.panel(self.old).uses]

    # --- Its time ---------------------------------------------------------------------------------

    @property
    def ends_at(self) -> datetime:
        """When the old key stops: by then, or earlier with the token or by a policy."""
        ends = (self.old.retires_at, self.token.key_end(self.old))
        return min((end for end in ends if end), default=timezone.now())

    @property
    def is_over(self) -> bool:
        """Whether the old key has stopped before its time."""
        return self.ends_at <= timezone.now()

    @property
    def end_note(self) -> str:
        """Why the old key stops before its time; `""` if it does not."""
        if self.ends_at == self.old.retires_at:
            return ""
        if self.ends_at == self.token.expires_at:
            return _("with the token")
        return _("by a policy of the account")

    @property
    def began_at(self) -> datetime:
        began: datetime = self.old.replaced_at or self.new.created_at
        return began

    @property
    def left(self) -> str:
        return text.duration(self.ends_at - timezone.now())

    @property
    def in_all(self) -> str:
        whole = text.duration(self.ends_at - self.began_at, parts=1)
        return _("%(time)s in all") % {"time": whole}

    @property
    def weekday(self) -> str:
        return text.weekday(self.ends_at)

    @property
    def passed(self) -> str:
        """The share of the time that has passed, as `62.1%`."""
        return f"{self.share:.1%}"

    @property
    def is_late(self) -> bool:
        """Whether it is the last tenth of the time."""
        return self.share >= 0.9

    @property
    def share(self) -> float:
        whole = (self.ends_at - self.began_at).total_seconds()
        passed = (timezone.now() - self.began_at).total_seconds()
        return min(max(passed / whole, 0), 1) if whole > 0 else 1

    @property
    def latest_end(self) -> datetime:
        """The latest end that the old key may have."""
        latest = min(self.began_at, moments.LAST - LONGEST_OVERLAP) + LONGEST_OVERLAP
        return min(latest, self.token.key_end(self.old) or latest)

    # --- Rehearsal and actions --------------------------------------------------------------------

    @property
    def is_rehearsed(self) -> bool:
        return self.old.is_rehearsed

    @property
    def rehearsal(self) -> str:
        """How the rehearsal goes, or went; `""` if there was none."""
        refused = sum(use.rehearsed for use in self.panel(self.old).uses)
        count = ngettext("%(n)s call was refused", "%(n)s calls were refused", refused) % {
            "n": f"{refused:,}"
        }
        if self.is_rehearsed and self.old.rehearsed_until:
            return _("It ends in %(left)s. %(count)s so far.") % {
                "left": text.duration(self.old.rehearsed_until - timezone.now(), parts=1),
                "count": count,
            }
        if self.old.rehearsed_until is None and not refused:
            return ""
        return (
            _("In the last rehearsal, %(count)s.") % {"count": count}
            if refused
            else _("In the last rehearsal, nobody tried the %(old)s.") % self.words
        )

    @property
    def offers_rehearsal(self) -> bool:
        """Whether a rehearsal can begin: it would show nothing while calls are refused anyway."""
        return self.may_manage and not self.is_rehearsed and not self.why_refused

    @property
    def offers_cancel(self) -> bool:
        """Whether the renewal can be cancelled: nobody has used the new key."""
        return self.may_manage and not self.panel(self.new).uses

    @property
    def first_new_call(self) -> datetime | None:
        """When the new key was first used, which ended the time to cancel; None for never."""
        return min((use.first_at for use in self.panel(self.new).uses), default=None)

    @property
    def offers_extend(self) -> bool:
        return self.may_manage and self.ends_at < self.latest_end - timedelta(minutes=1)


@dataclass(frozen=True)
class Ended:
    """An old key that has ended within the last days, and whether it was tried since."""

    key: TokenKey

    @classmethod
    def of(cls, token: Token) -> "Ended | None":
        """Return the key that ended last; None if there is none, or it is long ago."""
        retired = [
            key
            for key in token.keys.all()
            if key.is_retired and key.replaced_at and within(key.retires_at, TOLD)
        ]
        return cls(max(retired, key=lambda key: key.version)) if retired else None

    @cached_property
    def uses(self) -> list[KeyUse]:
        return [*self.key.uses.filter(refused__gt=0).order_by("-last_at")]

    @property
    def level(self) -> str:
        return "warning" if self.uses else "info"

    @property
    def headline(self) -> str:
        at = text.day_and_time(self.key.retires_at) if self.key.retires_at else ""
        return _("The %(old)s stopped on %(at)s.") % {"old": self.key.as_old, "at": at}

    @property
    def tried(self) -> str:
        """How often it was tried since, and by whom last; `""` for never."""
        if not self.uses:
            return ""
        count, last = sum(use.refused for use in self.uses), Program(self.uses[0])
        words = ngettext(
            "It was tried %(n)s time since, last by %(program)s from %(address)s.",
            "It was tried %(n)s times since, last by %(program)s from %(address)s.",
            count,
        )
        return words % {
            "n": f"{count:,}",
            "program": last.name,
            "address": last.use.address or _("an unknown address"),
        }


def programs(keys: Iterable[TokenKey]) -> list[Program]:
    """Return who uses any of the keys, by the number of calls."""
    rows = KeyUse.objects.filter(key__in=[key.pk for key in keys], calls__gt=0)
    return [Program(use) for use in rows.order_by("-calls", "pk")]

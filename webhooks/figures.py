"""What a webhook sent in the last 24 hours and 30 days, in numbers, and a bar for each day.

One query reads its newest deliveries, at most so many: what a page costs is bounded. Another one
finds the oldest of those that fail.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from statistics import median
from typing import NamedTuple

from django.db.models import Min, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import moments, text
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.outcomes import Outcome

DAYS = 30
MOST = 5000
# The sparkline, in units of its picture.
HEIGHT, STEP = 32, 5


class Sent(NamedTuple):
    """A delivery: what became of it so far, and how long its success took.

    One that waits for its first try was neither delivered, nor has it failed.
    """

    at: datetime
    failed: bool
    milliseconds: int | None
    delivered: bool
    # How many tries failed before.
    failures: int


class Bar(NamedTuple):
    """The bar of a day: what was delivered stands at the bottom, what failed on top of it."""

    x: int
    top: int
    failed: int
    middle: int
    delivered: int


@dataclass
class Span:
    """What was sent in a span of time."""

    rows: list[Sent]

    @property
    def events(self) -> str:
        return f"{len(self.rows):,}"

    @property
    def delivered(self) -> str:
        return f"{sum(row.delivered for row in self.rows):,}"

    @property
    def rate(self) -> str:
        """How many of a hundred that were tried arrived; all of them only if none failed."""
        failed = sum(row.failed for row in self.rows)
        tried = failed + sum(row.delivered for row in self.rows)
        if not tried:
            return "–"
        if not failed:
            return "100 %"
        return f"{min(100 * (tried - failed) / tried, 99.9):.1f} %"

    @property
    def quality(self) -> str:
        """The second line of what was delivered: the rate, and how many it took another try."""
        again = sum(row.delivered and row.failures > 0 for row in self.rows)
        if not again:
            return self.rate if self.rate != "–" else _("nothing was tried")
        told = _("%(rate)s, %(n)s of them after a retry")
        return told % {"rate": self.rate, "n": f"{again:,}"}

    @property
    def times(self) -> list[int]:
        """The milliseconds that endpoints took to accept an event, in their order."""
        return sorted(row.milliseconds for row in self.rows if row.milliseconds is not None)

    @property
    def time(self) -> str:
        """The middle one of the times."""
        return text.took(median(self.times)) if self.times else "–"

    @property
    def slowest(self) -> str:
        """The time that 5 in a hundred reached or exceeded; empty if there are none."""
        times = self.times
        return text.took(times[len(times) * 95 // 100]) if times else ""

    @property
    def spread(self) -> str:
        """The second line of the time to answer."""
        if not self.times:
            return _("nothing was answered")
        return _("in the middle; %(time)s for the slowest 5 %%") % {"time": self.slowest}

    @property
    def told(self) -> str:
        """The figures in a sentence."""
        if not self.rows:
            return _("None in the last 24 hours.")
        count = ngettext("%(n)s event", "%(n)s events", len(self.rows)) % {"n": self.events}
        parts = [count, _("%(n)s delivered") % {"n": self.delivered}]
        if self.times:
            parts.append(_("%(time)s to answer") % {"time": self.time})
        return _("In the last 24 hours: %(figures)s.") % {"figures": ", ".join(parts)}


def sent(at: datetime, state: str, failures: int, took: int | None) -> Sent:
    """Return what the columns of a delivery say."""
    delivered = state == Delivery.State.DELIVERED
    failed = not delivered and (failures > 0 or state == Delivery.State.FAILED)
    return Sent(at, failed, took if delivered else None, delivered, failures)


@dataclass
class Figures:
    """The figures of a webhook. Tests do not count."""

    webhook: Webhook
    now: datetime = field(default_factory=timezone.now)

    @cached_property
    def rows(self) -> list[Sent]:
        accepted = Attempt.objects.filter(
            delivery=OuterRef("pk"), outcome__in=(Outcome.OK, Outcome.OK_CUT)
        )
        since = self.now - timedelta(days=DAYS)
        found = (
            Delivery.objects.of_webhook(self.webhook)
            .filter(created_at__gt=since, event__is_test=False)
            .order_by("-created_at", "-id")
            .annotate(took=Subquery(accepted.order_by("-number").values("duration")[:1]))
            .values_list("created_at", "state", "failures", "took")[: MOST + 1]
        )
        return [sent(*row) for row in found]

    @property
    def is_cut(self) -> bool:
        """Whether there are more than the figures count."""
        return len(self.rows) > MOST

    @property
    def month(self) -> Span:
        return Span(self.rows[:MOST])

    @property
    def day(self) -> Span:
        since = self.now - timedelta(days=1)
        return Span([row for row in self.rows[:MOST] if row.at > since])

    @property
    def events(self) -> str:
        """How many there were, at least."""
        return f"{MOST:,}+" if self.is_cut else self.month.events

    @cached_property
    def oldest(self) -> str:
        """For how long the oldest delivery has been failing; empty if none is."""
        since = (
            Delivery.objects.of_webhook(self.webhook)
            .failing()
            .order_by()
            .aggregate(since=Min("failing_since"))["since"]
        )
        return text.duration(self.now - since, 1) if since else ""

    # --- The sparkline ----------------------------------------------------------------------------

    @cached_property
    def days(self) -> list[tuple[date, int, int]]:
        """Each day of the person's calendar with what was delivered and what failed on it."""
        today = moments.local(self.now).date()
        tried = (row for row in self.rows[:MOST] if row.failed or row.delivered)
        counts = Counter((moments.local(row.at).date(), row.failed) for row in tried)
        listed = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
        return [(day, counts[day, False], counts[day, True]) for day in listed]

    @property
    def bars(self) -> list[Bar]:
        most = max((good + bad for _day, good, bad in self.days), default=0) or 1
        bars = []
        for number, (_day, good, bad) in enumerate(self.days):
            # A single one can be seen too.
            delivered, failed = (max(n * HEIGHT // most, 1) if n else 0 for n in (good, bad))
            delivered = min(delivered, HEIGHT - failed)
            middle = HEIGHT - delivered
            bars.append(Bar(number * STEP, middle - failed, failed, middle, delivered))
        return bars

    @property
    def said(self) -> str:
        """The sparkline in words."""
        busiest, good, bad = max(self.days, key=lambda day: day[1] + day[2])
        failing = sum(bool(bad) for _day, _good, bad in self.days)
        most = {"day": text.day(busiest), "n": f"{good + bad:,}"}
        told = _("Deliveries of each of the last 30 days. Most on %(day)s: %(n)s.") % most
        failed = ngettext("Some failed on %(n)s day.", "Some failed on %(n)s days.", failing)
        return f"{told} {failed % {'n': failing} if failing else _('None failed.')}"

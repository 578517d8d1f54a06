"""What holds for a webhook and for a delivery now, in words.

Every page takes its sentences, marks and buttons from here, so that none contradicts another.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal import moments, text
from webhooks import retention, schedule
from webhooks.catalog import ObjectClass
from webhooks.models import Delivery, DeliveryWorker, Webhook, WebhookFields, WebhookHealth
from webhooks.models.delivery import MOST_AGAIN
from webhooks.outcomes import Outcome
from webhooks.schedule import TRIES

NEVER_CALLED = gettext_lazy("The portal keeps this webhook and never calls it.")


class Mark(NamedTuple):
    """A state as an icon, a word and a second line, which may be empty."""

    icon: str
    word: str
    note: str = ""


class Banner(NamedTuple):
    """The message above the tabs of a webhook. `level` is one of those of messages."""

    level: str
    headline: str
    advice: str
    offers_enable: bool = False
    offers_resume: bool = False


def fires_on(webhook: Webhook) -> tuple[str, str]:
    """Return the objects, and when: `("Usage file", "after every change")`."""
    return webhook.get_object_class_display(), text.within(webhook.get_type_display())


def kept_only(webhook: WebhookFields) -> Banner | None:
    """Return what a validation is for, which the portal never asks; None of what is called."""
    if webhook.fires:
        return None
    told = _(
        "It is a %(type)s: CloudBlue Connect asks it about an object before it goes on, and takes "
        "over what it answers. Programs that manage webhooks find it in the API."
    )
    kind = {"type": text.within(webhook.get_type_display())}
    return Banner("info", str(NEVER_CALLED), told % kind)


def product_words(webhook: Webhook) -> tuple[str, str]:
    """Return the product with its id, or that there is none in particular."""
    if webhook.product_id:
        return webhook.product_name or webhook.product_id, webhook.product_id
    classes = {each.value: each.has_product for each in ObjectClass}
    has_product = classes.get(webhook.object_class, False)
    return (_("All products") if has_product else _("Whole account")), ""


def held_back(webhook: Webhook, count: int = 1) -> str:
    """Return until when so many deliveries of a webhook wait; `""` if they go out now."""
    if webhook.state == Webhook.State.PAUSED:
        return ngettext(
            "It waits until the webhook is resumed.",
            "They wait until the webhook is resumed.",
            count,
        )
    if webhook.state == Webhook.State.DISABLED:
        return ngettext(
            "It waits until the webhook is enabled.",
            "They wait until the webhook is enabled.",
            count,
        )
    return ""


@dataclass
class DeliveryStanding:
    """A delivery: how far it is, and what came of its last try, which took so long."""

    delivery: Delivery
    milliseconds: int | None = None

    @property
    def outcome(self) -> Outcome | None:
        last = self.delivery.last_outcome
        return Outcome(last) if last in Outcome.values else None

    @property
    def answer(self) -> str:
        """What came back last: `503`, or `no answer in time` where nothing did."""
        return self.outcome.answer(self.delivery.last_code) if self.outcome else ""

    @property
    def timed_answer(self) -> str:
        """The same with the time that it took: `503 in 120 ms`."""
        if self.outcome is None:
            return ""
        return self.outcome.answer(self.delivery.last_code, self.milliseconds)

    @property
    def mark(self) -> Mark:
        failures, tries = self.delivery.failures, self.delivery.tries
        if self.delivery.state == Delivery.State.DELIVERED:
            words = ngettext("after a retry", "after %(n)s retries", failures) % {"n": failures}
            again = words if failures else ""
            return Mark(
                "active", _("Delivered"), ", ".join(filter(None, [self.timed_answer, again]))
            )
        if self.delivery.state == Delivery.State.FAILED:
            words = ngettext("after %(n)s try", "after %(n)s tries", tries) % {"n": f"{tries:,}"}
            return Mark("deleted", _("Given up"), f"{self.answer} {words if tries else ''}".strip())
        if failures:
            return Mark("expired", _("Failing"), self.timed_answer)
        return Mark("pending", _("Planned"), _("being sent") if self.delivery.claimed_by else "")

    @property
    def progress(self) -> str:
        """The second line of one that fails, in lists of webhooks: `503, try 4 of 10`."""
        count = _("try %(n)s of %(all)s") % {"n": self.delivery.failures, "all": TRIES}
        return ", ".join(filter(None, [self.answer, count]))

    @property
    def tries(self) -> tuple[str, str]:
        """How often it was tried, while it goes on of how many; and how often before that."""
        row = self.delivery
        if not row.is_pending:
            return f"{row.tries:,}", ""
        # A claim counts its try ahead; one that is sent anew begins to count again.
        earlier = row.tries - row.failures - bool(row.claimed_by)
        told = _("%(n)s of %(all)s") % {"n": row.failures, "all": TRIES}
        return told, _("%(n)s before") % {"n": f"{earlier:,}"} if earlier > 0 else ""

    @property
    def next_try(self) -> str:
        """When it is tried next; `–` if never again."""
        if not self.delivery.is_pending:
            return "–"
        if self.delivery.claimed_by:
            return _("Now")
        if not self.delivery.webhook.fires:
            return _("Never: the webhook is not called")
        if not self.delivery.webhook.sends:
            return (
                _("When the webhook is resumed")
                if self.delivery.webhook.active
                else _("When the webhook is enabled")
            )
        if self.delivery.due_at <= timezone.now():
            return _("As soon as possible")
        return text.clock(self.delivery.due_at)

    @property
    def next_note(self) -> str:
        due = self.delivery.due_at - timezone.now()
        if self.next_try != text.clock(self.delivery.due_at):
            return ""
        return _("in %(duration)s") % {"duration": text.duration(due, 1)}

    @property
    def verdict(self) -> str:
        """The first words about it: how many tries failed, if that is what it is about."""
        row = self.delivery
        if not row.failures or row.state == Delivery.State.DELIVERED:
            return self.sentence
        if row.is_pending:
            return _("%(n)s of %(all)s tries failed.") % {"n": row.failures, "all": TRIES}
        count = {"n": f"{row.failures:,}"}
        return ngettext("%(n)s try failed.", "%(n)s tries failed.", row.failures) % count

    @property
    def reasons(self) -> str:
        """What the first words leave out: the last answer, and when it is tried again."""
        words = [] if self.verdict == self.sentence else [self.last_answer]
        if words and self.outcome:
            words.append(self.sentence)
        return " ".join(filter(None, [*words, self.plan, self.advice]))

    @property
    def last_answer(self) -> str:
        code = self.delivery.last_code
        return _("The last answer was %(code)s.") % {"code": code} if code else ""

    @property
    def plan(self) -> str:
        """The next try and the last one, of a delivery that fails."""
        row = self.delivery
        if not row.is_pending or not row.failures or not row.webhook.fires:
            return ""
        if not self.next_note:
            return _("Next try: %(when)s.") % {"when": text.within(self.next_try)}
        if row.failures + 1 >= TRIES:
            return _("The next try, the last one, is %(soon)s.") % {"soon": self.next_note}
        last = text.day(schedule.last_try(row.failures, row.due_at))
        told = _("The next try is %(soon)s; the last one would be on %(day)s.")
        return told % {"soon": self.next_note, "day": last}

    @property
    def sentence(self) -> str:
        """What came of it so far."""
        if self.outcome is None:
            return _("It was not tried yet.")
        return str(self.outcome.sentence)

    @property
    def advice(self) -> str:
        if self.delivery.state == Delivery.State.DELIVERED or self.outcome is None:
            return ""
        return str(self.outcome.advice)

    @property
    def level(self) -> str:
        """The kind of message that says so."""
        levels = {"active": "success", "deleted": "error", "expired": "warning"}
        return levels.get(self.mark.icon, "info")

    @property
    def offers_redeliver(self) -> bool:
        """Whether sending it now would change anything."""
        return self.delivery.webhook.fires and (
            not self.delivery.is_pending
            or (self.delivery.failures > 0 and not self.delivery.claimed_by)
        )

    @property
    def offers_stop(self) -> bool:
        """Whether it waits, so that it can be given up."""
        return self.delivery.is_pending and not self.delivery.claimed_by

    @property
    def what(self) -> tuple[str, str]:
        """The object of its event, and what happened to it."""
        event = self.delivery.event
        if event.is_test:
            by = event.actor.name if event.actor else ""
            return _("Test event"), _("sent by %(name)s") % {"name": by} if by else ""
        return event.object_id, event.action


@dataclass
class Standing:
    """A webhook.

    `failing` and `waiting` are how many deliveries were tried in vain, and how many wait at all,
    the first since `oldest`; `last` is the latest delivery that was tried.
    """

    webhook: Webhook
    may_manage: bool = False
    failing: int = 0
    waiting: int = 0
    oldest: datetime | None = None
    last: Delivery | None = None

    @classmethod
    def of(cls, webhook: Webhook, *, may_manage: bool = False) -> "Standing":
        """Return the standing of one webhook, with what it takes counted."""
        deliveries = Delivery.objects.of_webhook(webhook)
        # Counted apart: SQLite would look through all that has arrived for both together.
        waiting = deliveries.unfinished().filter(claimed_by="").order_by("due_at")
        sent_now = deliveries.unfinished().filter(claimed_by__gt="")
        return cls(
            webhook,
            may_manage,
            deliveries.failing().count(),
            waiting.count() + sent_now.count(),
            waiting.values_list("due_at", flat=True).first(),
            deliveries.tried().select_related("event", "webhook").first(),
        )

    @property
    def status(self) -> Mark:
        state = self.webhook.state
        if state == Webhook.State.DISABLED:
            return Mark("inactive", str(state.label), self.why_inactive)
        note = _("%(n)s failing") % {"n": f"{self.failing:,}"} if self.failing else ""
        if state == Webhook.State.PAUSED:
            note = _("since %(at)s") % {"at": text.day_and_time(self.webhook.paused_at)}
        return Mark(
            state.value, str(state.label), note if self.webhook.fires else _("never called")
        )

    @property
    def why_inactive(self) -> str:
        reasons = {
            Webhook.Disabled.GONE: _("endpoint gone"),
            Webhook.Disabled.FAILING: _("by failures"),
        }
        return str(reasons.get(self.webhook.disabled_by, ""))  # type: ignore[call-overload]

    @property
    def since(self) -> str:
        """The second line of the status on the page of the webhook."""
        at = self.webhook.disabled_at
        if self.webhook.active or at is None:
            return self.status.note
        return ", ".join(filter(None, (self.why_inactive, text.day_and_time(at))))

    @property
    def last_delivery(self) -> Mark:
        if self.last is None:
            return Mark("", _("Never"))
        came = DeliveryStanding(self.last)
        if self.last.done_at:
            return came.mark._replace(note=text.ago(self.last.done_at))
        return came.mark._replace(note=came.progress) if self.last.failures else came.mark

    @property
    def fires_on(self) -> tuple[str, str]:
        return fires_on(self.webhook)

    @property
    def product(self) -> tuple[str, str]:
        return product_words(self.webhook)

    @property
    def health(self) -> WebhookHealth:
        return self.webhook.health

    @property
    def failure(self) -> str:
        """What the last failure was, and what to do about it.

        The last delivery may have arrived nevertheless, before those that fail.
        """
        last = self.health.last_failure_outcome
        if last not in Outcome.values:
            return ""
        return f"{Outcome(last).sentence} {Outcome(last).advice}".strip()

    @property
    def data(self) -> str:
        """The own data as JSON."""
        return text.json_text(self.webhook.data)

    @cached_property
    def missed(self) -> str:
        """How many deliveries were given up since the last success; `""` for none.

        Only of a webhook that was disabled because its endpoint failed: enabling it does not send
        them by itself.
        """
        if self.webhook.active or not self.why_inactive:
            return ""
        rows = Delivery.objects.missed_by(self.webhook).filter(state=Delivery.State.FAILED)
        count = rows.order_by()[: MOST_AGAIN + 1].count()
        return f"{MOST_AGAIN:,}+" if count > MOST_AGAIN else f"{count:,}" if count else ""

    @property
    def order(self) -> str:
        return _("Kept for each object") if self.webhook.keep_order else _("Not kept")

    @property
    def rate(self) -> str:
        """The limit of calls, if there is one."""
        most = self.webhook.rate_per_minute
        if most is None:
            return _("No limit")
        return ngettext("At most %(n)s call a minute", "At most %(n)s calls a minute", most) % {
            "n": f"{most:,}"
        }

    # --- What to do -------------------------------------------------------------------------------

    @property
    def offers_enable(self) -> bool:
        return self.may_manage and self.webhook.state == Webhook.State.DISABLED

    @property
    def offers_disable(self) -> bool:
        return self.may_manage and self.webhook.active

    @property
    def offers_pause(self) -> bool:
        """Validators are never called, so that there is nothing to pause."""
        return self.may_manage and self.webhook.sends and self.webhook.fires

    @property
    def offers_resume(self) -> bool:
        return self.may_manage and self.webhook.state == Webhook.State.PAUSED

    @property
    def offers_test(self) -> bool:
        """Validators are never called."""
        return self.may_manage and self.webhook.fires

    @property
    def kept(self) -> str:
        """The sentences about the events that wait while nothing is sent, and for how long."""
        paused = self.webhook.state == Webhook.State.PAUSED
        days = {"days": retention.KEPT.days}
        if self.oldest is None:
            return (
                _("Events are kept for %(days)d days and sent once it is resumed.") % days
                if paused
                else _("Events are kept for %(days)d days and sent once it is enabled.") % days
            )
        sent = (
            ngettext(
                "%(n)s event waits. It is sent when you resume it.",
                "%(n)s events wait. They are sent when you resume it, oldest first.",
                self.waiting,
            )
            if paused
            else ngettext(
                "%(n)s event waits. It is sent when you enable it.",
                "%(n)s events wait. They are sent when you enable it, oldest first.",
                self.waiting,
            )
        )
        kept = ngettext(
            "It is kept until %(at)s.", "The oldest is kept until %(at)s.", self.waiting
        )
        until = {"at": text.day_and_time(moments.later(self.oldest, retention.KEPT))}
        return f"{sent % {'n': f'{self.waiting:,}'}} {kept % until}"

    @cached_property
    def banner(self) -> Banner | None:
        if kept := kept_only(self.webhook):
            return kept
        if self.webhook.state == Webhook.State.DISABLED:
            return self.disabled_banner
        if self.webhook.state == Webhook.State.PAUSED:
            since = _("Paused since %(at)s.") % {"at": text.day_and_time(self.webhook.paused_at)}
            return Banner("info", since, self.kept, offers_resume=self.may_manage)
        if self.health.failing_since:
            at = {"at": text.day_and_time(self.health.failing_since)}
            return Banner("warning", _("Failing since %(at)s.") % at, self.failure)
        if self.waiting and not DeliveryWorker.is_running():
            advice = _("Tell the operator of the portal to start “manage.py deliver”.")
            return Banner("warning", _("Nothing is being sent: no worker is running."), advice)
        return None

    @property
    def disabled_banner(self) -> Banner:
        at = {"at": text.day_and_time(self.webhook.disabled_at)} if self.webhook.disabled_at else {}
        headlines = {
            Webhook.Disabled.GONE: _("Disabled on %(at)s: the endpoint said that it is gone."),
            Webhook.Disabled.FAILING: _("Disabled on %(at)s, after days without success."),
        }
        failed = self.webhook.disabled_by in headlines
        headline = headlines.get(self.webhook.disabled_by)  # type: ignore[call-overload]
        return Banner(
            "error" if failed else "info",
            headline % at if headline and at else _("This webhook is disabled."),
            self.kept,
            self.may_manage,
        )


def standings(webhooks: "list[Webhook]", *, may_manage: bool) -> dict[str, Standing]:
    """Return the standings of the webhooks of a page, by id, in two queries.

    Each has been annotated by `WebhookQuerySet.with_last()`.
    """
    ids = [webhook.pk for webhook in webhooks]
    counts = (
        Delivery.objects.filter(webhook__in=ids)
        .failing()
        .order_by()
        .values_list("webhook")
        .annotate(Count("pk"))
    )
    failing = dict(counts)
    last = Delivery.objects.select_related("event", "webhook").in_bulk(
        [webhook.last_delivery_id for webhook in webhooks if webhook.last_delivery_id]  # type: ignore[attr-defined]
    )
    return {
        webhook.pk: Standing(
            webhook,
            may_manage,
            failing.get(webhook.pk, 0),
            last=last.get(webhook.last_delivery_id),  # type: ignore[attr-defined]
        )
        for webhook in webhooks
    }

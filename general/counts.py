"""The numbers on General. Each leads to the list that has so many rows, or that adds up to it."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Q, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import Membership
from activity.actions import Action
from activity.models import Event
from portal.moments import day_bounds
from portal.text import isolate
from tokens import days
from tokens.models import EXPIRING, CallsOfDay, State, Token
from tokens.pages.filters import SPANS, used_within
from webhooks.models import Delivery, Webhook
from webhooks.models.webhook import IN_STATE
from webhooks.pages.filters import FAILING

# The most webhooks whose failing deliveries are counted one by one.
NAMED = 5


class Number(NamedTuple):
    """How many rows there are of something, and the address of their list."""

    label: str | Promise
    total: int
    url: str
    # That of a status, if it is the number of those that have it.
    icon: str = ""
    note: str | Promise = ""

    @property
    def sprite(self) -> str:
        return f"status-{self.icon}"

    @property
    def text(self) -> str:
        return f"{self.total:,}"


class Group(NamedTuple):
    """The numbers of a section of the portal."""

    label: str | Promise
    numbers: list[Number]


def groups(membership: Membership) -> list[Group]:
    """Return what there is to count in the account, in few queries."""
    return [
        Group(_("Tokens"), [*tokens(membership), *calls(membership), refusals(membership)]),
        Group(_("Webhooks"), [*webhooks(membership), *failing_deliveries(membership)]),
    ]


def tokens(membership: Membership) -> Iterator[Number]:
    """Yield the tokens by state, and those that were called lately."""
    counted = states(membership)
    page = reverse("tokens:list")
    for state in State:
        note = _("within 30 days") if state is State.EXPIRING else ""
        icon = State.ACTIVE if state is State.REVITALISED else state
        yield Number(state.label, counted[state], listed(page, status=state.value), icon, note)
    called = Token.objects.visible_to(membership).live().filter(used_within(SPANS["day"]))
    note = _("in the last 24 hours")
    yield Number(_("Called"), called.count(), listed(page, last_used="day"), note=note)


def states(membership: Membership) -> dict[State, int]:
    """Return how many tokens are in each state.

    The active ones are what is left, so that nothing but an index is read of most tokens.
    """
    mine = Token.objects.visible_to(membership)
    status = dict(mine.order_by().values_list("status").annotate(Count("pk")))
    ends = mine.filter(status=State.ACTIVE, expires_at__lte=timezone.now() + EXPIRING)
    of_ends = ends.aggregate(
        **{
            state.value: Count("pk", filter=Token.objects.meaning_of_states()[state])
            for state in (State.EXPIRING, State.EXPIRED)
        }
    )
    found = {
        State.REVITALISED: mine.in_states([State.REVITALISED]).count(),
        State.EXPIRING: of_ends["expiring"],
        State.EXPIRED: of_ends["expired"],
    }
    return {
        State.ACTIVE: status.get("active", 0) - sum(found.values()),
        **found,
        State.INACTIVE: status.get("inactive", 0),
        State.DELETED: status.get("deleted", 0),
    }


def calls(membership: Membership) -> Iterator[Number]:
    """Yield how many calls of the account's tokens were answered and refused today."""
    found = CallsOfDay.objects.filter(account=membership.account_id, day=days.today())
    total = found.aggregate(answered=Sum("answered"), refused=Sum("refused"))
    page, note = reverse("general:calls"), _("today (UTC)")
    yield Number(_("Calls"), total["answered"] or 0, page, note=note)
    yield Number(_("Refused calls"), total["refused"] or 0, f"{page}?sort=-refused", note=note)


def refusals(membership: Membership) -> Number:
    """Return how often an address was refused today for the first time."""
    today = timezone.localdate()
    events = Event.objects.visible_to(membership).filter(
        action=Action.ADDRESS_REFUSED, at__gte=day_bounds(today)[0]
    )
    url = listed(reverse("activity:list"), action=Action.ADDRESS_REFUSED.value, since=today)
    return Number(_("Addresses refused"), events.count(), url, note=_("today, by IP rules"))


def webhooks(membership: Membership) -> Iterator[Number]:
    active, paused = IN_STATE[Webhook.State.ACTIVE], IN_STATE[Webhook.State.PAUSED]
    counted = Webhook.objects.visible_to(membership).aggregate(
        sending=Count("pk", filter=active),
        failing=Count("pk", filter=active & Q(health__failing_since__isnull=False)),
        paused=Count("pk", filter=paused),
    )
    page = reverse("webhooks:list")
    yield Number(_("Active"), counted["sending"], listed(page, status="active"), "active")
    yield Number(_("Failing"), counted["failing"], listed(page, status=FAILING), "expired")
    if counted["paused"]:
        yield Number(_("Paused"), counted["paused"], listed(page, status="paused"), "paused")


def failing_deliveries(membership: Membership) -> list[Number]:
    """Return how many deliveries fail, in all and of each webhook, those with most first."""
    rows = (
        Delivery.objects.failing()
        .filter(webhook__in=Webhook.objects.visible_to(membership))
        .order_by()
        .values_list("webhook", "webhook__label")
        .annotate(count=Count("pk"))
    )
    found = Counter({(webhook, label): count for webhook, label, count in rows})
    everything = Number(
        _("Failing deliveries"),
        found.total(),
        listed(reverse("webhooks:list"), deliveries=FAILING),
        note=_("of all webhooks"),
    )
    return [
        everything,
        *(
            Number(
                _("Failing deliveries"),
                count,
                listed(reverse("webhooks:deliveries", args=(webhook,)), result=FAILING),
                note=isolate(label),
            )
            for (webhook, label), count in found.most_common(NAMED)
        ),
    ]


def listed(page: str, **query: object) -> str:
    return f"{page}?{urlencode(query)}"

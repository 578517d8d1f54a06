"""The people who have seen the key of a token."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Membership
from activity.actions import KEY_SEEN, Action
from activity.models import Event


class Viewer(NamedTuple):
    """A person who saw a key, with how often and when last.

    Only former members have `left_at`.
    """

    name: str
    viewed: int
    copied: int
    at: datetime
    address: str
    is_former: bool
    left_at: datetime | None

    @property
    def how(self) -> tuple[str, str]:
        """How often the key was seen, as `("Viewed 6 times", "copied 2 times")`."""
        views = ngettext("Viewed once", "Viewed %(n)s times", self.viewed) % {
            "n": f"{self.viewed:,}"
        }
        if not self.copied:
            return views, ""
        if not self.viewed:
            return ngettext("Copied once", "Copied %(n)s times", self.copied) % {
                "n": f"{self.copied:,}"
            }, ""
        return views, ngettext("copied once", "copied %(n)s times", self.copied) % {
            "n": f"{self.copied:,}"
        }


def who_has_seen(account: str, token: str) -> list[Viewer]:
    """Return everybody who saw the key of a token, latest first, in at most four queries."""
    events = Event.objects.filter(account=account, action__in=KEY_SEEN).about("token", token)
    counts: dict[str, dict[str, int]] = {}
    last: dict[str, int] = {}
    for actor, action, count, number in (
        events.order_by().values_list("actor_id", "action").annotate(Count("pk"), Max("number"))
    ):
        counts.setdefault(actor, {})[action] = count
        last[actor] = max(number, last.get(actor, 0))
    if not last:
        return []
    members = set(
        Membership.objects.filter(account=account, user__in=last).values_list("user", flat=True)
    )
    gone = Event.objects.filter(
        account=account, action=Action.MEMBER_REMOVED, subject_id__in=last.keys() - members
    )
    left = (
        dict(gone.order_by("number").values_list("subject_id", "at"))
        if last.keys() - members
        else {}
    )
    return [
        Viewer(
            event.actor_name or _("Unknown"),
            counts[event.actor_id].get(Action.KEY_VIEWED, 0),
            counts[event.actor_id].get(Action.KEY_COPIED, 0),
            event.at,
            event.address,
            event.actor_id not in members,
            left.get(event.actor_id),
        )
        for event in Event.objects.filter(account=account, number__in=last.values()).order_by(
            "-number"
        )
    ]

"""Reminders that tokens expire: 30, 14, 7 and 1 days before, by mail and as a banner.

Days are those of UTC, so that all tokens of an account that expire on one day are one mail. Nobody
is reminded of a token with two live keys: somebody is at work on it already.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import mails
from accounts.mails import Fact, Kind, Mail, Step
from accounts.models import Account
from activity.actions import Action
from activity.recording import record
from portal import text
from tokens.models import Token
from tokens.models.reminder import ENDED, THRESHOLDS, Reminder


class Due(NamedTuple):
    """A token, and the threshold of the reminder that is due."""

    token: Token
    days: int


# What else people are told of, by apps above: a name for the command, and the job.
ALSO: list[tuple[str, Callable[[], int]]] = []


def remind() -> int:
    """Send the reminders that are due; return the number of tokens.

    Several processes may do it at the same time: the rows of `Reminder` decide who sends.
    """
    groups: dict[tuple[str, date], list[Due]] = defaultdict(list)
    for due in found():
        groups[due.token.account_id, end_day(due.token)].append(due)
    return sum(send(group) for group in groups.values())


def found() -> Iterable[Due]:
    """Yield the tokens that somebody has to be reminded of, in the order of their ends."""
    now = timezone.now()
    live = Q(keys__retires_at=None) | Q(keys__retires_at__gt=now)
    tokens = (
        Token.objects.filter(
            status=Token.Status.ACTIVE,
            account__is_active=True,
            expires_at__gt=now,
            expires_at__lt=now + timedelta(days=max(THRESHOLDS) + 1),
        )
        .annotate(working_keys=Count("keys", filter=live))
        .filter(working_keys=1)
        .select_related("account", "usage", "extension")
        .prefetch_related("reminders")
        .order_by("expires_at", "pk")
    )
    for token in tokens.iterator(chunk_size=500):
        days = threshold(token)
        if days:
            yield Due(token, days)


def threshold(token: Token) -> int | None:
    """Return the smallest threshold that has passed; None if nothing is due.

    That is so if it was reminded of already, or the token was made later than that: whoever made it
    knows its end.
    """
    left = days_left(token)
    passed = [days for days in THRESHOLDS if left <= days]
    if not passed:
        return None
    days = min(passed)
    sent = {each.days for each in token.reminders.all() if each.expires_at == token.expires_at}
    made = token.created_at.astimezone(UTC).date()
    is_new = made >= end_day(token) - timedelta(days=days)
    return None if is_new or any(each <= days for each in sent) else days


def ends_at(token: Token) -> datetime:
    ends: datetime = token.expires_at  # type: ignore[assignment]  # it has an end
    return ends


def end_day(token: Token) -> date:
    """Return the day on which a token ends, in UTC."""
    return ends_at(token).astimezone(UTC).date()


def days_left(token: Token) -> int:
    return (end_day(token) - timezone.now().astimezone(UTC).date()).days


@transaction.atomic
def send(group: list[Due]) -> int:
    """Remind an account of tokens that end on the same day; return how many needed it."""
    tokens = [due.token for due in group if claim(due)]
    if tokens:
        account = tokens[0].account
        people = mails.administrators(account, Kind.EXPIRES)
        mails.send(Kind.EXPIRES, people, mail_about(account, tokens))
        for token in tokens:
            record(None, Action.TOKEN_REMINDED, token, {"expires_at": [None, token.expires_at]})
    return len(tokens)


def claim(due: Due) -> bool:
    """Note the reminder; return False if another process did so before."""
    return Reminder.objects.get_or_create(
        token=due.token, days=due.days, expires_at=due.token.expires_at
    )[1]


# --- Ends -----------------------------------------------------------------------------------------

# Ends of longer ago are not recorded, as after an update or a long standstill.
RECENT = timedelta(days=7)


def record_ends() -> int:
    """Record that tokens have expired, each end once; return how many there were.

    The clock is that of the database, by which the gate refuses calls. Several processes may do it
    at the same time.
    """
    ended = Token.objects.live().filter(
        account__is_active=True, expires_at__lte=Now(), expires_at__gt=Now() - RECENT
    )
    told = Reminder.objects.filter(
        token=OuterRef("pk"), expires_at=OuterRef("expires_at"), days=ENDED
    )
    return sum(record_end(token) for token in ended.exclude(Exists(told)).order_by("expires_at"))


@transaction.atomic
def record_end(token: Token) -> bool:
    """Record an end; return False if it is recorded, or was moved meanwhile."""
    rows = Token.objects.live().filter(pk=token.pk, expires_at=token.expires_at)
    if not rows.select_for_update(no_key=True).exists() or not claim(Due(token, ENDED)):
        return False
    record(None, Action.TOKEN_EXPIRED, token, {"expires_at": [None, token.expires_at]})
    return True


# --- What they say --------------------------------------------------------------------------------


def mail_about(account: Account, tokens: list[Token]) -> Mail:
    return about_one(account, tokens[0]) if len(tokens) == 1 else about_several(account, tokens)


def about_one(account: Account, token: Token) -> Mail:
    name = text.isolate(token.name)
    when, day, at = ends_in(token), text.day(end_day(token)), mails.in_utc(ends_at(token))
    words = {"name": name, "day": day, "at": at, "key": token.noun}
    return Mail(
        subject=_("%(name)s expires %(when)s") % {"name": name, "when": when},
        preview=_("On %(day)s its %(key)s stops.") % words + " " + used_words(token),
        state=_("Expires %(when)s") % {"when": when},
        title=_("%(name)s stops on %(day)s") % {"name": name, "day": day},
        text=_("On %(at)s its %(key)s ends. From then on every call gets the answer 401.") % words,
        facts=[
            Fact(_("Token"), name, token.pk),
            Fact(_("Account"), text.isolate(account.name), account.pk),
            Fact(_("In use"), used_words(token)),
            Fact(_("May reach"), str(token.access.summary)),
        ],
        steps=[
            Step(
                _("Still needed?"),
                _(
                    "In the portal open Tokens, %(name)s, Extend, and choose a later day. The "
                    "%(key)s stays the same."
                )
                % words,
            ),
            Step(_("Not needed?"), _("There is nothing to do.")),
        ],
        notes=next_reminder(days_left(token)),
    )


def about_several(account: Account, tokens: list[Token]) -> Mail:
    first, count = tokens[0], {"n": len(tokens)}
    when, day = ends_in(first), text.day(end_day(first))
    subject = ngettext("%(n)s token expires", "%(n)s tokens expire", len(tokens)) % count
    names = text.join_some([text.isolate(token.name) for token in tokens])
    return Mail(
        subject=f"{subject} {when}",
        preview=_("On %(day)s they stop: %(names)s.") % {"day": day, "names": names},
        state=_("Expire %(when)s") % {"when": when},
        title=_("%(n)s tokens stop on %(day)s") % {**count, "day": day},
        text=_("From then on every call of theirs gets the answer 401."),
        facts=[
            Fact(_("Account"), text.isolate(account.name), account.pk),
            *(
                Fact(token.pk, text.isolate(token.name), f"{at}. {used_words(token)}")
                for token in tokens
                if (at := mails.in_utc(ends_at(token)))
            ),
        ],
        steps=[
            Step(
                _("Still needed?"),
                _(
                    "In the portal open Tokens, the name of the token, Extend, and choose a later "
                    "day. Nothing else changes."
                ),
            ),
            Step(_("Not needed?"), _("There is nothing to do.")),
        ],
        notes=next_reminder(days_left(first)),
    )


def ends_in(token: Token) -> str:
    """Return `in 7 days`, `tomorrow` or `today`."""
    return text.in_days(days_left(token))


def used_words(token: Token) -> str:
    """Return when the token was used, so that people see whether it is still needed."""
    used = token.last_used_at
    if used is None:
        return _("It was never called.")
    days = (timezone.now() - used).days
    if days > 0:
        words = ngettext(
            "It was not called in %(n)s day.", "It was not called in %(n)s days.", days
        )
        return words % {"n": f"{days:,}"}
    return _("It was last called on %(at)s.") % {"at": mails.in_utc(used)}


def next_reminder(left: int) -> list[str]:
    days = max((days for days in THRESHOLDS if days < left), default=None)
    if days is None:
        return [_("This is the last reminder.")]
    words = ngettext(
        "The next reminder comes %(n)s day before.",
        "The next reminder comes %(n)s days before.",
        days,
    )
    return [words % {"n": days}]

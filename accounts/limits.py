"""Limits on how often something may be tried, with counters in the database for all processes.

A try is counted before it is made and given back if it succeeds, so that concurrent tries cannot
exceed a limit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import devices
from accounts.models import Counter, User, digest, fold_email
from portal.http import client_network


@dataclass(frozen=True)
class Limit:
    """At most `tries` within `wait`; after the last one, `wait` must pass before the next."""

    key: str
    tries: int
    wait: timedelta
    reason: str | Promise


class LimitReached(Exception):
    """Raised if no try is left until the moment `until`."""

    def __init__(self, limit: Limit, until: datetime) -> None:
        super().__init__(str(limit.reason))
        self.limit, self.until = limit, until

    @property
    def seconds(self) -> int:
        """Seconds to wait, at least one: the value of Retry-After."""
        return max(math.ceil((self.until - timezone.now()).total_seconds()), 1)


# --- Counting -----------------------------------------------------------------------------------


def take(limits: Sequence[Limit]) -> None:
    """Use up one try of every limit, or raise LimitReached and use up none.

    Limits with counters that requests share must come in the same order everywhere, or they
    deadlock: PostgreSQL locks each counter until the last one is taken.
    """
    with transaction.atomic():
        for limit in limits:
            if until := Counter.objects.take(limit.key, limit.tries, limit.wait):
                raise LimitReached(limit, until)


def give_back(limits: Sequence[Limit]) -> None:
    """Undo `take`."""
    with transaction.atomic():
        for limit in limits:
            Counter.objects.give_back(limit.key)


def check(limits: Sequence[Limit]) -> None:
    """Raise LimitReached for the used-up limit with the longest wait, if there is one."""
    full = [
        (counter.until, limit) for limit, counter in counted(limits) if counter.used >= limit.tries
    ]
    if full:
        until, limit = max(full, key=lambda pair: pair[0])
        raise LimitReached(limit, until)


def left(limits: Sequence[Limit]) -> int:
    """Return how many tries are left under all of the limits."""
    used = {limit.key: counter.used for limit, counter in counted(limits)}
    return max(min(limit.tries - used.get(limit.key, 0) for limit in limits), 0)


def counted(limits: Sequence[Limit]) -> list[tuple[Limit, Counter]]:
    """Return the limits that have a current counter, each with that counter."""
    now = timezone.now()
    counters = Counter.objects.in_bulk([limit.key for limit in limits])
    # See CounterQuerySet.take for the upper bound.
    return [
        (limit, counters[limit.key])
        for limit in limits
        if limit.key in counters and now < counters[limit.key].until <= now + 2 * limit.wait
    ]


# Wrong codes of one person: few in a short time, and not many more in an hour.
CODES = 5
CODES_WAIT = timedelta(minutes=5)
CODES_AN_HOUR = 20
# Invitations from one account in an hour.
INVITATIONS = 50
# Challenges for passkeys that one network may ask for before signing in.
CHALLENGES = 300


# --- Wrong passwords ----------------------------------------------------------------------------


def passwords(request: HttpRequest, email: str, user: User | None) -> list[Limit]:
    """Return the limits on wrong passwords for an e-mail address, from narrow to wide.

    `user` is its person, if there is one. On a device where they have signed in before, only the
    tries from that device count, so nobody else can lock them out (OWASP, "Slow Down Online
    Guessing Attacks with Device Cookies").
    """
    if device := devices.known(request, user or User()):
        return [
            Limit(
                f"device:{digest(device)}:{digest(email)}",
                settings.SIGN_IN_TRIES,
                timedelta(minutes=settings.SIGN_IN_WAIT_MINUTES),
                _("This browser sent too many wrong passwords for this e-mail address."),
            )
        ]
    return passwords_elsewhere(email, client_network(request.META))


def passwords_elsewhere(email: str, address: str) -> list[Limit]:
    """Return the limits for a browser in which the person has not signed in before."""
    name, wait = digest(email), timedelta(minutes=settings.SIGN_IN_WAIT_MINUTES)
    limits = [
        Limit(
            f"name:{name}:{digest(address)}",
            settings.SIGN_IN_TRIES,
            wait,
            _("Too many wrong passwords for this e-mail address came from your network."),
        ),
        Limit(
            f"name:{name}",
            settings.SIGN_IN_TRIES_PER_NAME,
            timedelta(minutes=settings.SIGN_IN_WAIT_MINUTES_PER_NAME),
            _("Too many wrong passwords for this e-mail address came from several places."),
        ),
        Limit(
            "all",
            settings.SIGN_IN_TRIES_IN_ALL,
            wait,
            _(
                "The portal is receiving very many wrong passwords at the moment, so people can "
                "sign in only on devices that it knows."
            ),
        ),
    ]
    if address:
        # People whose address is not known must not share one counter.
        limits.insert(
            1,
            Limit(
                f"address:{digest(address)}",
                settings.SIGN_IN_TRIES_PER_ADDRESS,
                wait,
                _("Too many wrong passwords came from your network."),
            ),
        )
    return limits


def tries_left(request: HttpRequest, typed: str) -> int:
    """Return how many more wrong passwords this e-mail address may have from this client."""
    email = fold_email(typed)
    return left(passwords(request, email, User.objects.filter(email=email).first()))


def second_steps(request: HttpRequest, user: User) -> list[Limit]:
    """Return the limits on wrong codes of a person, who has given the right password.

    On a device where they have signed in before, only the tries from that device count, so that
    somebody who stole the password cannot lock them out.
    """
    device = devices.known(request, user)
    whose = f"{user.pk}:{digest(device)}" if device else user.pk
    reason = _("Too many wrong codes were entered.")
    return [
        Limit(f"code:{whose}", CODES, CODES_WAIT, reason),
        Limit(f"codes:{whose}", CODES_AN_HOUR, timedelta(hours=1), reason),
    ]


def passkey_challenges(request: HttpRequest) -> list[Limit]:
    """Return the limit on challenges for people who are not signed in: each makes a session."""
    return [
        Limit(
            f"challenges:{digest(client_network(request.META))}",
            CHALLENGES,
            timedelta(minutes=settings.SIGN_IN_WAIT_MINUTES),
            _("Too many sign-ins with a passkey were begun in your network."),
        )
    ]


def invitations(account: str) -> list[Limit]:
    """Return the limit on mails with invitations from one account."""
    reason = _("Too many people were invited into this account.")
    return [Limit(f"invitations:{account}", INVITATIONS, timedelta(hours=1), reason)]


def forgive(limits: Sequence[Limit]) -> None:
    """Give the try back after a right password, and reset the narrowest limit.

    Wider limits keep their count of wrong passwords, or an attacker could reset that of an IP
    address by signing in as themselves.
    """
    with transaction.atomic():
        Counter.objects.filter(key=limits[0].key).delete()
        give_back(limits[1:])


def resets(request: HttpRequest) -> list[Limit]:
    """Return the limit on links for a new password that one network may ask for.

    In addition, a person gets only one in five minutes, see User.
    """
    address = client_network(request.META)
    if not address:
        return []
    wait = timedelta(minutes=settings.SIGN_IN_WAIT_MINUTES)
    return [
        Limit(
            f"reset:{digest(address)}",
            settings.RESETS_PER_ADDRESS,
            wait,
            _("Too many links for a new password were requested from your network."),
        )
    ]


# How many forms of people who are not signed in may be kept for one network.
KEPT_FORMS = 100


def may_keep_form(request: HttpRequest) -> bool:
    """Count a form to be kept in a new session; return False if its network has kept too many.

    Anybody who was signed in once has pages whose forms are kept, each in a new session row.
    """
    wait = timedelta(minutes=settings.SIGN_IN_WAIT_MINUTES)
    try:
        take(
            [
                Limit(
                    f"kept:{digest(client_network(request.META))}",
                    KEPT_FORMS,
                    wait,
                    _("Too many forms were kept."),
                )
            ]
        )
    except LimitReached:
        return False
    return True


# --- Work ---------------------------------------------------------------------------------------

MINUTE = timedelta(minutes=1)


def writes_of_person(person: str) -> list[Limit]:
    """Return the limit on how often a person may try to change something in a minute.

    People have their own counters, so that tokens and colleagues of an account cannot keep anybody
    from stopping them.
    """
    reason = _("You tried to make too many changes in a minute.")
    return [Limit(f"writes:{person}", settings.WRITES_PER_PERSON, MINUTE, reason)]


def writes_of_token(token: str, account: str) -> list[Limit]:
    """Return the limits on changes per minute by a token and by all tokens of its account together.

    Failed tries count too, since they cost as much.
    """
    own = _("The token tried to make too many changes in a minute.")
    shared = _("The tokens of the account tried to make too many changes in a minute.")
    # The narrow limit first: see take() about the order.
    return [
        Limit(f"writes:{token}", settings.WRITES_PER_TOKEN, MINUTE, own),
        Limit(f"writes:{account}", settings.WRITES_PER_ACCOUNT, MINUTE, shared),
    ]

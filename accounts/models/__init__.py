"""Models by noun: people and their accounts, sessions, counters of tries, queued mails."""

from accounts.models.counters import Counter, CounterQuerySet, digest
from accounts.models.mails import QueuedMail
from accounts.models.people import (
    RESET_EVERY,
    Account,
    Membership,
    MembershipQuerySet,
    User,
    UserManager,
    check_zone,
    fold_email,
)
from accounts.models.sessions import Session

__all__ = [
    "RESET_EVERY",
    "Account",
    "Counter",
    "CounterQuerySet",
    "Membership",
    "MembershipQuerySet",
    "QueuedMail",
    "Session",
    "User",
    "UserManager",
    "check_zone",
    "digest",
    "fold_email",
]

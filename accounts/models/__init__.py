"""Models by noun: people and their accounts, second steps, sessions, counters, queued mails."""

from accounts.models.counters import Counter, CounterQuerySet, digest
from accounts.models.drafts import Draft
from accounts.models.invitations import Invitation, Over
from accounts.models.mails import QueuedMail
from accounts.models.people import (
    RESET_EVERY,
    Account,
    LastAdministrator,
    Membership,
    MembershipQuerySet,
    User,
    UserManager,
    check_zone,
    fold_email,
)
from accounts.models.second_step import Authenticator, Passkey, SpareCode
from accounts.models.sessions import Session

__all__ = [
    "RESET_EVERY",
    "Account",
    "Authenticator",
    "Counter",
    "CounterQuerySet",
    "Draft",
    "Invitation",
    "LastAdministrator",
    "Membership",
    "MembershipQuerySet",
    "Over",
    "Passkey",
    "QueuedMail",
    "Session",
    "SpareCode",
    "User",
    "UserManager",
    "check_zone",
    "digest",
    "fold_email",
]

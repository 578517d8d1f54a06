"""Models of tokens, with the methods that change them."""

from tokens.models.base import (
    EXPIRING,
    AlreadyIssued,
    BadEnd,
    Changed,
    Deleted,
    InUse,
    NameTaken,
    NoOldKey,
    NotOffered,
    Replaced,
    State,
    Status,
    TokenError,
    TokenFields,
    TooManyTokens,
    TwoKeys,
)
from tokens.models.bucket import Bucket
from tokens.models.calendar import CalendarFeed
from tokens.models.draft import TokenDraft
from tokens.models.ending import RESTORABLE
from tokens.models.extension import Category, Extension, ExtensionVersion
from tokens.models.grant import Grant, known_modules
from tokens.models.guards import IPRule, IPRuleQuerySet, RefusedAddress
from tokens.models.icon import OwnIcon
from tokens.models.key import RingSecret, TokenKey
from tokens.models.policy import IdleNotice, NextPolicy, Policy, PolicyFields
from tokens.models.reminder import Reminder
from tokens.models.rotation import LONGEST_OVERLAP, REHEARSAL, SHORTEST_OVERLAP
from tokens.models.rules import check_extension, check_name
from tokens.models.token import Doer, Token, TokenQuerySet
from tokens.models.usage import CallsOfDay, KeyUse, TokenUsage

__all__ = (
    "EXPIRING",
    "LONGEST_OVERLAP",
    "REHEARSAL",
    "RESTORABLE",
    "SHORTEST_OVERLAP",
    "AlreadyIssued",
    "BadEnd",
    "Bucket",
    "CalendarFeed",
    "CallsOfDay",
    "Category",
    "Changed",
    "Deleted",
    "Doer",
    "Extension",
    "ExtensionVersion",
    "Grant",
    "IPRule",
    "IPRuleQuerySet",
    "IdleNotice",
    "InUse",
    "KeyUse",
    "NameTaken",
    "NextPolicy",
    "NoOldKey",
    "NotOffered",
    "OwnIcon",
    "Policy",
    "PolicyFields",
    "RefusedAddress",
    "Reminder",
    "Replaced",
    "RingSecret",
    "State",
    "Status",
    "Token",
    "TokenDraft",
    "TokenError",
    "TokenFields",
    "TokenKey",
    "TokenQuerySet",
    "TokenUsage",
    "TooManyTokens",
    "TwoKeys",
    "check_extension",
    "check_name",
    "known_modules",
)

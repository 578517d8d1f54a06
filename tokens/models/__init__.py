"""Models of tokens, with the methods that change them."""

from tokens.models.base import (
    EXPIRING,
    AlreadyIssued,
    Changed,
    Deleted,
    NameTaken,
    NotOffered,
    State,
    Status,
    TokenError,
    TokenFields,
    TooManyTokens,
)
from tokens.models.draft import TokenDraft
from tokens.models.extension import Extension
from tokens.models.grant import Permission, known_modules
from tokens.models.key import RingSecret, TokenKey
from tokens.models.token import Doer, Token, TokenQuerySet, check_extension, check_name
from tokens.models.usage import TokenUsage

__all__ = (
    "EXPIRING",
    "AlreadyIssued",
    "Changed",
    "Deleted",
    "Doer",
    "Extension",
    "NameTaken",
    "NotOffered",
    "Permission",
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
    "check_extension",
    "check_name",
    "known_modules",
)

"""What an account must not exceed: one token per name, and the number of tokens per extension."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from accounts.models import Account
from portal import text
from tokens.models.base import NameTaken, NotOffered, TooManyTokens
from tokens.models.extension import Extension
from tokens.models.policy import Policy


class Lifetime(NamedTuple):
    """How long tokens of an account live, in days; None without a rule."""

    proposed: int | None
    most: int | None


def lifetime(account: Account) -> Lifetime:
    """Return what the wizard proposes for a new token of the account, and what it allows."""
    policy = Policy.of(account)
    return Lifetime(proposed=policy.proposed_days, most=policy.most_days)


def check_name(account: Account, name: str, *, but: str = "") -> None:
    """Raise NameTaken if another token of the account has the name, ignoring case.

    A deleted token keeps its name as long as it can be restored. `but` is the id of a token that
    may have the name.
    """
    holder = account.token_set.holding(name).exclude(pk=but).first()
    if holder is None:
        return
    words = {"name": text.isolate(name)}
    until = holder.restorable_until
    if until is None:
        raise NameTaken(
            _("A token with the name “%(name)s” already exists. Choose another name.") % words
        )
    raise NameTaken(
        _(
            "A deleted token has the name “%(name)s” and can be restored until %(until)s. Choose "
            "another name, or restore that token."
        )
        % {**words, "until": text.day_and_time(until)}
    )


def claim_name(account: Account, name: str, *, but: str = "") -> None:
    """Raise NameTaken, or make the name free to be stored.

    Tokens that can no longer be restored are purged, since the database keeps their names
    reserved until then.
    """
    check_name(account, name, but=but)
    account.token_set.named(name).purge()


def check_extension(account: Account, extension: Extension) -> None:
    """Raise NotOffered or TooManyTokens if the account may not have one more token for it."""
    if not extension.is_offered_to(account):
        raise NotOffered(
            _("%(extension)s is not offered to this account.") % {"extension": extension.label}
        )
    check_cap(account, extension)


def check_cap(account: Account, extension: Extension) -> None:
    """Raise TooManyTokens if the account has as many tokens, for the extension, as it may."""
    live = account.token_set.live()
    Policy.of(account).check_count(live.count())
    cap = extension.most_tokens
    if live.filter(extension=extension).count() >= cap:
        raise TooManyTokens(
            _(
                "The account has %(cap)s tokens for %(extension)s, and may not have more. Delete "
                "one that is no longer needed."
            )
            % {"cap": f"{cap:,}", "extension": extension.label}
        )

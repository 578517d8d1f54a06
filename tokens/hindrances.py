"""Hindrances: the reasons why the gate refuses a valid key, and the words for them."""

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import text
from tokens.models import Token


class Hindrance(models.TextChoices):
    """Reasons why a valid key is refused, in words that follow "the token"."""

    DELETED = "deleted", gettext_lazy("is deleted")
    ACCOUNT_OFF = "account_off", gettext_lazy("belongs to an account that is switched off")
    DISABLED = "disabled", gettext_lazy("is disabled")
    EXPIRED = "expired", gettext_lazy("is expired")
    NO_KEY = "no_key", gettext_lazy("has no key")
    UNCHECKABLE = "uncheckable", gettext_lazy("has no key that this portal can check")
    AGED = "aged", gettext_lazy("has a key that is older than a policy of the account allows")
    IDLE = "idle", gettext_lazy("was not used for longer than a policy of the account allows")
    NO_RULES = "no_rules", gettext_lazy("has no IP rules, which a policy of the account requires")

    def of(self, token: Token) -> str:
        """Return the words for the people of a token: those with a handle never see a key."""
        return str(OF_HANDLES.get(self, self.label) if token.uses_handle else self.label)


OF_HANDLES = {
    Hindrance.NO_KEY: gettext_lazy("has no handle"),
    Hindrance.UNCHECKABLE: gettext_lazy("has no handle that this portal can check"),
    Hindrance.AGED: gettext_lazy("has a handle that is older than a policy of the account allows"),
}
# What has to happen before calls work, in words that follow "once".
REMEDIES = {
    Hindrance.ACCOUNT_OFF: gettext_lazy("its account is active again"),
    Hindrance.DISABLED: gettext_lazy("it is enabled"),
    Hindrance.EXPIRED: gettext_lazy("its expiration date is later"),
    Hindrance.NO_KEY: gettext_lazy("it has a %(key)s"),
    Hindrance.UNCHECKABLE: gettext_lazy("its %(key)s can be checked again"),
    Hindrance.AGED: gettext_lazy("it has a new %(key)s"),
    Hindrance.IDLE: gettext_lazy("it is enabled"),
    Hindrance.NO_RULES: gettext_lazy("there are IP rules for it"),
}
# Policies of the account: they are answered with 403, everything else with 401.
POLICIES = (Hindrance.AGED, Hindrance.IDLE, Hindrance.NO_RULES)
# Hindrances that neither the stored status nor the expiration date shows.
UNSEEN = (Hindrance.ACCOUNT_OFF, Hindrance.NO_KEY, Hindrance.UNCHECKABLE, *POLICIES)


def hindrances(
    status: str,
    *,
    account_is_active: bool,
    is_expired: bool,
    has_key: bool = True,
    can_check: bool = True,
) -> tuple[Hindrance, ...]:
    """Return what keeps a token from calling.

    A deleted token has no other hindrance, since it cannot be made to work again.
    """
    if status == Token.Status.DELETED:
        return (Hindrance.DELETED,)
    found = []
    if not account_is_active:
        found.append(Hindrance.ACCOUNT_OFF)
    if status == Token.Status.INACTIVE:
        found.append(Hindrance.DISABLED)
    if is_expired:
        found.append(Hindrance.EXPIRED)
    if not has_key:
        found.append(Hindrance.NO_KEY)
    elif not can_check:
        found.append(Hindrance.UNCHECKABLE)
    return tuple(found)


def barriers(*, is_aged: bool, is_idle: bool, lacks_rules: bool) -> tuple[Hindrance, ...]:
    """Return which policies of the account keep a token from calling."""
    found = []
    if is_aged:
        found.append(Hindrance.AGED)
    if is_idle:
        found.append(Hindrance.IDLE)
    if lacks_rules:
        found.append(Hindrance.NO_RULES)
    return tuple(found)


def hindrance_text(token_id: str, found: Iterable[Hindrance]) -> str:
    """Return the sentence that tells the holder of a key why the API refuses it."""
    return _("The token %(id)s %(why)s.") % {"id": token_id, "why": join(found)}


def hindered(token: Token, found: Iterable[Hindrance]) -> str:
    """Return the sentence that tells the people of a token why the API refuses it."""
    why = text.join([each.of(token) for each in found])
    return _("The token %(id)s %(why)s.") % {"id": token.pk, "why": why}


def join(found: Iterable[Hindrance]) -> str:
    return text.join([str(hindrance.label) for hindrance in found])

"""The standing of a token: everything that holds for it now, and the sentences that say so.

Every sentence, mark, button and refusal about a token comes from here, so that they all agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal import text
from portal.moments import within
from tokens.catalog import Access
from tokens.models import State, Token

# A token used within this time counts as in use when somebody wants to take access away from it.
IN_USE = timedelta(days=30)


class Hindrance(models.TextChoices):
    """Reasons why a valid key is answered with 401, in words that follow "the token"."""

    DELETED = "deleted", gettext_lazy("is deleted")
    ACCOUNT_OFF = "account_off", gettext_lazy("belongs to an account that is switched off")
    DISABLED = "disabled", gettext_lazy("is disabled")
    EXPIRED = "expired", gettext_lazy("is expired")
    NO_KEY = "no_key", gettext_lazy("has no key")
    UNCHECKABLE = "uncheckable", gettext_lazy("has no key that this portal can check")


# What has to happen before calls work, in words that follow "once".
REMEDIES = {
    Hindrance.ACCOUNT_OFF: gettext_lazy("its account is active again"),
    Hindrance.DISABLED: gettext_lazy("it is enabled"),
    Hindrance.EXPIRED: gettext_lazy("its expiration date is later"),
    Hindrance.NO_KEY: gettext_lazy("it has a key"),
    Hindrance.UNCHECKABLE: gettext_lazy("its key can be checked again"),
}
# Hindrances that neither the stored status nor the expiration date shows.
UNSEEN = (Hindrance.ACCOUNT_OFF, Hindrance.NO_KEY, Hindrance.UNCHECKABLE)


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
    holds = {
        Hindrance.ACCOUNT_OFF: not account_is_active,
        Hindrance.DISABLED: status == Token.Status.INACTIVE,
        Hindrance.EXPIRED: is_expired,
        Hindrance.NO_KEY: not has_key,
        Hindrance.UNCHECKABLE: has_key and not can_check,
    }
    return tuple(hindrance for hindrance, is_so in holds.items() if is_so)


def refusal(token_id: str, found: Iterable[Hindrance]) -> str:
    """Return the sentence that tells the holder of a key why the API refuses it."""
    return _("The token %(id)s %(why)s.") % {"id": token_id, "why": join(found)}


def join(found: Iterable[Hindrance]) -> str:
    return text.join([str(hindrance.label) for hindrance in found])


@dataclass(frozen=True)
class Standing:
    """The standing of a token, as shown to one person.

    `may_manage` says whether they manage the tokens of its account.
    """

    token: Token
    may_manage: bool = False

    @cached_property
    def hindrances(self) -> tuple[Hindrance, ...]:
        expires_at = self.token.expires_at
        return hindrances(
            self.token.status,
            account_is_active=self.token.account.is_active,
            is_expired=expires_at is not None and expires_at <= timezone.now(),
            has_key=any(not key.is_retired for key in self.token.keys.all()),
            can_check=bool(self.token.usable_keys),
        )

    # --- Calls ------------------------------------------------------------------------------------

    @property
    def can_call(self) -> bool:
        return not self.hindrances

    @property
    def calls(self) -> str:
        if self.can_call:
            return _("Calls with the key work.")
        return _("Calls with the key get the answer 401, because the token %(why)s.") % {
            "why": join(self.hindrances)
        }

    @property
    def refusal(self) -> str:
        return refusal(self.token.pk, self.hindrances)

    @property
    def in_use(self) -> bool:
        """Whether programs depend on it: it can call, and did so recently."""
        used = self.token.last_used_at
        return self.can_call and within(used, IN_USE)

    # --- Its status -------------------------------------------------------------------------------

    @cached_property
    def state(self) -> State:
        return self.token.state

    @property
    def mark(self) -> str:
        """The icon before the status.

        An active token that cannot call does not get the green one.
        """
        return (
            State.EXPIRED.value
            if any(hindrance in UNSEEN for hindrance in self.hindrances)
            else self.state.value
        )

    @property
    def note(self) -> str:
        """The line below the status: its day, and the hindrances that it does not show."""
        notes = [str(hindrance.label) for hindrance in self.hindrances if hindrance in UNSEEN]
        if self.token.expires_at and (
            self.state is State.EXPIRING or Hindrance.EXPIRED in self.hindrances
        ):
            words = _("expired on %(day)s") if self.state is State.INACTIVE else _("on %(day)s")
            notes.insert(0, words % {"day": text.day(self.token.expires_at)})
        return ", ".join(notes)

    @property
    def headline(self) -> str:
        """The headline of a token that cannot call or has no grants; `""` for any other."""
        if self.can_call:
            return "" if self.token.grants else _("This token may reach no module.")
        expired = (
            _("expired on %(day)s") % {"day": text.day(self.token.expires_at)}
            if self.token.expires_at
            else ""
        )
        clauses = [
            expired if each is Hindrance.EXPIRED else str(each.label) for each in self.hindrances
        ]
        return _("This token %(why)s.") % {"why": text.join(clauses)}

    @property
    def level(self) -> str:
        """The severity of the headline."""
        return "info" if self.can_call or self.token.is_deleted else "warning"

    @property
    def advice(self) -> str:
        """The sentences after the headline: the consequences, and what can be done."""
        if self.can_call:
            return _("It can read its own account only.")
        if Hindrance.DELETED in self.hindrances:
            return _("It is kept for reference.")
        sentences = [_("Every call with its key gets the answer 401.")]
        if Hindrance.UNCHECKABLE in self.hindrances:
            sentences.append(
                _(
                    "The portal's administrator can restore the pepper that is missing; otherwise "
                    "create a new token."
                )
            )
        if len(self.hindrances) > 1:
            sentences.append(_("It works again once %(remedies)s.") % {"remedies": self.remedies})
        return " ".join(sentences)

    @property
    def remedies(self) -> str:
        return text.join([str(REMEDIES[hindrance]) for hindrance in self.hindrances])

    # --- What it may reach ------------------------------------------------------------------------

    @cached_property
    def access(self) -> Access:
        return self.access_with(self.token.grants)

    def access_with(self, grants: Iterable[str]) -> Access:
        """Return what the token would reach with the given grants."""
        if self.can_call:
            condition = ""
        elif Hindrance.DELETED in self.hindrances:
            condition = _("Before it was deleted")
        else:
            condition = _("Once %(remedies)s") % {"remedies": self.remedies}
        return Access.of({*grants}, condition=condition)

    @property
    def module_marks(self) -> dict[bool, tuple[str, str]]:
        """Icon and word for a module, by whether it was granted.

        If the token cannot call, granted modules are not shown as enabled.
        """
        if self.can_call:
            return {True: ("enabled", _("Enabled")), False: ("disabled", _("Disabled"))}
        return {True: ("inactive", _("Granted")), False: ("disabled", _("Not granted"))}

    # --- The key ----------------------------------------------------------------------------------

    @property
    def offers_key(self) -> bool:
        """Whether the person can view and copy the key."""
        return self.may_manage and not self.key_hint

    @property
    def key_hint(self) -> str:
        """Why the key cannot be viewed; `""` if it can."""
        if Hindrance.DELETED in self.hindrances:
            return _("The key of a deleted token cannot be viewed.")
        if Hindrance.NO_KEY in self.hindrances:
            return _("This token has no key.")
        if not self.may_manage:
            return _("Only administrators of the account can view the key.")
        if Hindrance.UNCHECKABLE in self.hindrances:
            return _("This portal cannot check the key, so it does not show it.")
        key = self.token.usable_keys[0]
        if key.sealed is None:
            return _("No copy of this key is kept, so it cannot be viewed.") + " " + self.calls
        if not key.can_be_opened:
            return (
                _("The copy of this key cannot be opened, because its sealing key is missing.")
                + " "
                + self.calls
            )
        return ""

    @property
    def key_note(self) -> str:
        """A note on which key View shows; `""` if there is only one, or it cannot be viewed."""
        count = len(self.token.usable_keys)
        if not self.offers_key or count < 2:
            return ""
        words = ngettext(
            "The token has %(n)s key.", "The token has %(n)s keys; this is the newest.", count
        )
        return words % {"n": count}

    @property
    def offers_first_call(self) -> bool:
        """Whether the person can make a call: the token can call, and they can view its key."""
        return self.can_call and self.offers_key

    # --- Actions ----------------------------------------------------------------------------------

    @property
    def offers_edit(self) -> bool:
        return self.may_manage and not self.token.is_deleted

    offers_delete = offers_edit

    @property
    def mends_by_edit(self) -> bool:
        """Whether Edit can solve the headline's problem, by a later expiration date or modules."""
        may_choose = self.can_call and self.token.extension.asks_permissions and bool(self.headline)
        return self.offers_edit and (Hindrance.EXPIRED in self.hindrances or may_choose)

    @property
    def offers_enable(self) -> bool:
        return self.may_manage and Hindrance.DISABLED in self.hindrances

    @property
    def offers_disable(self) -> bool:
        return self.offers_edit and not self.offers_enable

"""What the models of this package share: states, errors, and the fields that people fill in."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account
from portal.fields import LineField, MomentField, ProseField
from portal.text import line, prose
from tokens import keys

if TYPE_CHECKING:
    from tokens.models.token import Token

# A token counts as expiring in its last thirty days.
EXPIRING = timedelta(days=30)


class TokenError(Exception):
    """An operation on a token was refused; the text says why."""


class NameTaken(TokenError):
    """Another live token of the account already has the name."""


class TooManyTokens(TokenError):
    """The account already has the maximum number of tokens for the extension."""


class NotOffered(TokenError):
    """The extension is not offered to accounts of this side."""


class AlreadyIssued(TokenError):
    """The wizard run has already created its token."""

    def __init__(self, token: "Token") -> None:
        super().__init__()
        self.token = token


class Changed(TokenError):
    """Somebody else changed the token after the person began to edit it."""


class Deleted(TokenError):
    """The token was deleted and cannot be changed any more."""


class Replaced(TokenError):
    """Somebody else made a new key after the person was asked what should happen to this one."""


class TwoKeys(TokenError):
    """The token has an old key already, which has to end before there can be another one."""


class NoOldKey(TokenError):
    """The old key ended in the meantime."""


class InUse(TokenError):
    """The new key was called already, so the renewal cannot be cancelled."""


class BadEnd(TokenError):
    """The old key may not live until then."""


class Status(models.TextChoices):
    """The stored part of a token's state. Deleted is final; the row stays as a tombstone."""

    ACTIVE = "active", gettext_lazy("Active")
    INACTIVE = "inactive", gettext_lazy("Inactive")
    DELETED = "deleted", gettext_lazy("Deleted")


class State(models.TextChoices):
    """The state that people and the API see, derived from status, expiration date and keys."""

    ACTIVE = "active", gettext_lazy("Active")
    # While an old key works beside the new one; called so by Connect.
    REVITALISED = "revitalised", gettext_lazy("Active, two keys")
    EXPIRING = "expiring", gettext_lazy("Expiring")
    EXPIRED = "expired", gettext_lazy("Expired")
    INACTIVE = "inactive", gettext_lazy("Inactive")
    DELETED = "deleted", gettext_lazy("Deleted")


def without_key(value: str) -> str:
    """Return a text that people typed. Raise ValidationError if there is a key in it."""
    if keys.is_in(value):
        raise ValidationError(
            _("Remove the key from this text: more people can read it than may have the key.")
        )
    return value


class Line(LineField):
    """A single-line text without keys."""

    rule = staticmethod(lambda value: without_key(line(value)))


class Prose(ProseField):
    """A multi-line text without keys."""

    rule = staticmethod(lambda value: without_key(prose(value)))


class TokenFields(models.Model):
    """The fields that people fill in, in the wizard (TokenDraft) and afterwards (Token)."""

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        db_index=False,
        editable=False,
        verbose_name=gettext_lazy("account"),
    )
    name = Line(gettext_lazy("Name"), max_length=128)
    external_id = Line(
        gettext_lazy("External ID"),
        max_length=128,
        blank=True,
        help_text=gettext_lazy("The identifier of this integration in your own system."),
    )
    description = Prose(gettext_lazy("Description"), max_length=255, blank=True)
    expires_at = MomentField(gettext_lazy("Expires"), null=True, blank=True)
    # No sealed copy of its keys is kept. It cannot be undone, since what was not kept is gone.
    show_once = models.BooleanField(gettext_lazy("Show the key only once"), default=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def check_said(self) -> None:
        """Normalise the fields that people fill in. Raise ValidationError for invalid values."""
        said = {"name", "external_id", "description", "extension", "expires_at"}
        self.clean_fields(exclude={field.name for field in self._meta.fields} - said)

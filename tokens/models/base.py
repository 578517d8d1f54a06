"""What the models of this package share: states, errors, and what a person says about a token."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy

from accounts.models import Account
from portal.fields import LineField, MomentField, ProseField

if TYPE_CHECKING:
    from tokens.models.token import Token

# A token counts as expiring in its last thirty days.
EXPIRING = timedelta(days=30)


class TokenError(Exception):
    """Something that a person may not do to a token, with a sentence that says why."""


class NameTaken(TokenError):
    """Another live token of the account has the name."""


class TooManyTokens(TokenError):
    """The account has as many tokens of the extension as it may have."""


class NotOffered(TokenError):
    """The extension is not for accounts of this side."""


class AlreadyIssued(TokenError):
    """The wizard run has made its token already."""

    def __init__(self, token: "Token") -> None:
        super().__init__()
        self.token = token


class Changed(TokenError):
    """Somebody else changed the token since the person began to edit it."""


class Deleted(TokenError):
    """The token was deleted; nothing can be done to it any more."""


class Status(models.TextChoices):
    """The stored part of the state. Deleted is final; the row stays as a tombstone."""

    ACTIVE = "active", gettext_lazy("Active")
    INACTIVE = "inactive", gettext_lazy("Inactive")
    DELETED = "deleted", gettext_lazy("Deleted")


class State(models.TextChoices):
    """What people and the API see: the stored status, and what the expiration date makes of it."""

    ACTIVE = "active", gettext_lazy("Active")
    EXPIRING = "expiring", gettext_lazy("Expiring")
    EXPIRED = "expired", gettext_lazy("Expired")
    INACTIVE = "inactive", gettext_lazy("Inactive")
    DELETED = "deleted", gettext_lazy("Deleted")


class TokenFields(models.Model):
    """What a person says about a token, in the wizard (TokenDraft) and afterwards (Token)."""

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        db_index=False,
        editable=False,
        verbose_name=gettext_lazy("account"),
    )
    name = LineField(gettext_lazy("Name"), max_length=128)
    external_id = LineField(
        gettext_lazy("External ID"),
        max_length=128,
        blank=True,
        help_text=gettext_lazy("The identifier of this integration in your own system."),
    )
    description = ProseField(gettext_lazy("Description"), max_length=255, blank=True)
    expires_at = MomentField(gettext_lazy("Expires"), null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def check_said(self) -> None:
        """Normalise what a person said, and raise ValidationError for what may not be stored."""
        said = {"name", "external_id", "description", "extension", "expires_at"}
        self.clean_fields(exclude={field.name for field in self._meta.fields} - said)

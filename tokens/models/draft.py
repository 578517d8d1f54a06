"""Runs of the wizard."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Draft
from tokens import keys
from tokens.catalog import Access, Module
from tokens.models.base import AlreadyIssued, TokenFields
from tokens.models.extension import Extension
from tokens.models.token import Token


class TokenDraft(Draft, TokenFields):
    """An unfinished run of the wizard for tokens. It holds no secret."""

    # Chosen in the second step, and again if the extension is deleted meanwhile.
    extension = models.ForeignKey(
        Extension,
        models.SET_NULL,
        null=True,
        db_column="extension",
        related_name="+",
        verbose_name=gettext_lazy("Extension"),
        error_messages={"blank": gettext_lazy("Choose an extension.")},
    )
    modules = models.JSONField(default=list)

    # The key of the token that this run has just created; never stored.
    key: keys.Key | None = None

    class Meta:
        indexes = (models.Index("owner", "created_at", name="drafts_of_a_person"),)

    @property
    def grants(self) -> list[str]:
        """The future grants: the extension's fixed modules, else those chosen so far."""
        if self.extension is None:
            return []
        if self.extension.fixed_modules is not None:
            return [*self.extension.fixed_modules]
        chosen = self.modules if isinstance(self.modules, list) else []
        return [module for module in chosen if module in Module.values]

    @property
    def access(self) -> Access:
        return Access.of(self.grants)

    def finish(self) -> Token:
        """Create the token and return it; keep its key as `key`.

        Repeated or simultaneous calls return the same token, and no key.

        Validate again what the forms validated, since time passes between the steps. Raise
        NameTaken, NotOffered, TooManyTokens and ValidationError.
        """
        try:
            Token.check_run(self.pk)
            token, self.key = self.issue()
        except AlreadyIssued as issued:
            return issued.token
        return token

    def issue(self) -> tuple[Token, keys.Key]:
        """Create the token and its key; see Token.issue()."""
        self.check_said()
        if self.expires_at and self.expires_at <= timezone.now():
            raise ValidationError(
                {
                    "expires_at": _(
                        "The token would have expired already. Choose a day in the future."
                    )
                }
            )
        if not self.grants:
            raise ValidationError({"modules": _("Choose at least one module.")})
        return Token.issue(
            account=self.account,
            modules=self.grants,
            by=self.owner,
            draft_id=self.pk,
            name=self.name,
            external_id=self.external_id,
            description=self.description,
            extension=self.extension,
            expires_at=self.expires_at,
            show_once=self.show_once,
        )

"""Runs of the wizard."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from portal.fields import MomentField
from tokens import keys
from tokens.catalog import Access, Module
from tokens.models.base import AlreadyIssued, TokenFields
from tokens.models.extension import Extension
from tokens.models.token import Token

# How long an unfinished draft is kept.
DRAFT_LASTS = timedelta(days=1)


class TokenDraft(TokenFields):
    """An unfinished run of the wizard.

    Its UUID is in the URL, so runs in several tabs do not interfere. It holds no secret.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
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
    owner = models.ForeignKey(User, models.CASCADE, related_name="+", editable=False)
    modules = models.JSONField(default=list)
    created_at = MomentField(default=timezone.now, editable=False)

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

    @classmethod
    def forget_old(cls, owner: User) -> None:
        """Delete the person's old drafts, and the oldest others to make room for a new one."""
        mine = cls.objects.filter(owner=owner)
        cls.old().filter(owner=owner).delete()
        newest = mine.order_by("-created_at", "pk").values_list("pk", flat=True)[
            : settings.DRAFTS_PER_PERSON - 1
        ]
        mine.exclude(pk__in=list(newest)).delete()

    @classmethod
    def old(cls) -> models.QuerySet["TokenDraft"]:
        """Return drafts older than a day.

        Drafts dated more than a day ahead are included: they would never grow old.
        """
        now = timezone.now()
        return cls.objects.exclude(created_at__range=(now - DRAFT_LASTS, now + DRAFT_LASTS))

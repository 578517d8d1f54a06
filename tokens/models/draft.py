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

# Drafts of the wizard that nobody finished.
DRAFT_LASTS = timedelta(days=1)


class TokenDraft(TokenFields):
    """A run of the wizard.

    Its UUID is in the address, so two runs never meet. It holds no secret.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Chosen in the second step; chosen again if it is deleted meanwhile.
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

    class Meta:
        indexes = (models.Index("owner", "created_at", name="drafts_of_a_person"),)

    @property
    def grants(self) -> list[str]:
        """What the token will be granted: the extension's fixed set, else the modules chosen so far."""
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
        """Make the token. Repeated or simultaneous calls give the same one.

        Checks again all that the forms checked, since time passes between the steps. Raises
        NameTaken, NotOffered, TooManyTokens and ValidationError.
        """
        try:
            Token.check_run(self.pk)
            token, _key = self.issue()
        except AlreadyIssued as issued:
            return issued.token
        return token

    def issue(self) -> tuple[Token, keys.Key]:
        """Make the token with its key; see Token.issue()."""
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
        )

    @classmethod
    def forget_old(cls, owner: User) -> None:
        """Drop the person's unfinished runs of yesterday and before, and of today's the oldest that are too many with a new one."""
        mine = cls.objects.filter(owner=owner)
        cls.old().filter(owner=owner).delete()
        newest = mine.order_by("-created_at", "pk").values_list("pk", flat=True)[
            : settings.DRAFTS_PER_PERSON - 1
        ]
        mine.exclude(pk__in=list(newest)).delete()

    @classmethod
    def old(cls) -> models.QuerySet["TokenDraft"]:
        """Unfinished runs of yesterday and before; one made ahead of the clock would never grow old."""
        now = timezone.now()
        return cls.objects.exclude(created_at__range=(now - DRAFT_LASTS, now + DRAFT_LASTS))

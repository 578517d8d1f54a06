"""How tokens stop, come back and end: disabling, deleting, restoring and purging."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import Account, User
from activity.actions import Action
from activity.recording import record
from portal.fields import MomentField, OwnedActorField
from tokens.models import base
from tokens.models.base import TokenFields
from tokens.models.key import TokenKey
from tokens.models.rules import check_cap

if TYPE_CHECKING:
    from tokens.models.extension import Extension
    from tokens.models.token import Token, TokenQuerySet

# How long a deleted token can be restored; then the sealed copies of its keys are destroyed.
RESTORABLE = timedelta(days=7)


class Ending(TokenFields):
    """The status of a token, and the verbs that change it.

    `by` is the actor: a person, a token, or None for the portal itself.
    """

    Status: TypeAlias = base.Status

    status = models.CharField(
        gettext_lazy("Status"), max_length=10, choices=Status, default=Status.ACTIVE, editable=False
    )
    status_changed_at = MomentField(null=True, editable=False)
    status_changed_by = OwnedActorField(gettext_lazy("Status changed by"))
    # The status that restoring a deleted token brings back.
    status_before = models.CharField(max_length=10, choices=Status, blank=True, editable=False)
    # When the sealed copies of a deleted token were destroyed; its name is free since then.
    purged_at = MomentField(null=True, editable=False)

    if TYPE_CHECKING:
        extension: models.ForeignKey[Extension, Extension]

    class Meta:
        abstract = True

    @property
    def is_deleted(self) -> bool:
        return self.status == self.Status.DELETED

    @property
    def restorable_until(self) -> datetime | None:
        """When the time to restore the token ends; None if it is not deleted, or that is over."""
        if not self.is_deleted or self.purged_at or self.status_changed_at is None:
            return None
        now = timezone.now()
        # A moment ahead of the clock counts as now: some clock was wrong.
        until: datetime = min(self.status_changed_at, now) + RESTORABLE
        return until if until > now else None

    @property
    def queryset(self) -> "TokenQuerySet":
        """The token alone, for conditional updates."""
        return cast("TokenQuerySet", type(self)._default_manager.filter(pk=self.pk))

    def disable(self, *, by: "User | Token | None") -> bool:
        """Stop the token: the next call is refused. Tell whether anything changed."""
        still = self.queryset.filter(status=self.Status.ACTIVE)
        return self.become(self.Status.INACTIVE, still, Action.TOKEN_DISABLED, by=by)

    def enable(self, *, by: "User | Token | None") -> bool:
        """Let the token's keys work again. Tell whether anything changed."""
        still = self.queryset.filter(status=self.Status.INACTIVE)
        return self.become(self.Status.ACTIVE, still, Action.TOKEN_ENABLED, by=by)

    def remove(self, *, by: "User | Token | None") -> bool:
        """Delete the token: its keys are refused at once. Tell whether anything changed.

        It can be restored for `RESTORABLE`; its name stays reserved until then.
        """
        return self.become(
            self.Status.DELETED,
            self.queryset.live(),
            Action.TOKEN_DELETED,
            by=by,
            status_before=F("status"),
        )

    def restore(self, *, by: "User | Token | None") -> bool:
        """Bring a deleted token back as it was. Tell whether anything changed.

        Raise TooManyTokens if the account has as many tokens for its extension as it may.
        """
        with transaction.atomic():
            # As when a token is made: what is counted queues here.
            account = Account.objects.select_for_update(no_key=True).get(pk=self.account_id)
            still = self.queryset.restorable()
            token = still.first()
            if token is None:
                return False
            check_cap(account, token.extension)
            status = base.Status(token.status_before or self.Status.INACTIVE)
            return self.become(status, still, Action.TOKEN_RESTORED, by=by, status_before="")

    def become(
        self,
        status: base.Status,
        still: "TokenQuerySet",
        action: Action,
        *,
        by: "User | Token | None",
        **values: Any,
    ) -> bool:
        """Change the status. Tell whether anything changed.

        It is one conditional UPDATE of `still`, which is empty if the token may not change, so that
        a repeated or late request changes nothing.
        """
        values |= {
            "status": status,
            "status_changed_at": timezone.now(),
            **OwnedActorField.columns("status_changed_by", by),
        }
        with transaction.atomic():
            before = self.queryset.values_list("status", flat=True).first()
            changed = still.update(**values) == 1
            if changed:
                self.refresh_from_db(fields=(*values,))
                labels = [base.Status(before or self.status).label, status.label]
                record(by, action, self, {"status": labels})
        return changed

    def purge(self) -> bool:
        """Destroy the sealed copies of the keys of a token that can no longer be restored.

        The row stays as a tombstone, and its name becomes free. Tell whether anything changed.
        """
        with transaction.atomic():
            changed = self.queryset.due_for_purge().update(purged_at=timezone.now()) == 1
            if changed:
                TokenKey.objects.filter(token=self.pk).update(sealed=None)
                record(None, Action.TOKEN_PURGED, self)
        return changed

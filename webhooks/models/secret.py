"""The secrets that sign the calls of a webhook."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from portal.fields import MomentField, OwnedActorField
from tokens import vault
from tokens.models import RingSecret
from webhooks import secrets
from webhooks.models.webhook import Webhook

if TYPE_CHECKING:
    from tokens.models import Doer

OVERLAP = timedelta(hours=24)


class WebhookSecret(models.Model):
    """A secret of a webhook, sealed. While a new one is taken over, the old one signs too.

    A JWT carries one signature, so only the newest secret of that kind signs.
    """

    class Kind(models.TextChoices):
        JWT = "jwt", gettext_lazy("JWT secret")
        STANDARD = "sw", gettext_lazy("Signing secret")

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="secrets", db_index=False)
    kind = models.CharField(max_length=3, choices=Kind)
    version = models.PositiveIntegerField(default=1)
    sealed = models.BinaryField()
    last_four = models.CharField(max_length=secrets.SHOWN)
    created_at = MomentField(default=timezone.now)
    created_by = OwnedActorField()
    # Until when it still signs beside a newer one; None for the newest.
    expires_at = MomentField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("webhook", "kind", "version"), name="one_secret_per_version"
            ),
        )

    def __str__(self) -> str:
        return f"{self.webhook_id} {self.kind} ({self.version})"

    @classmethod
    def put(
        cls, webhook: Webhook, kind: str, secret: str, version: int = 1, *, by: "Doer | None" = None
    ) -> "WebhookSecret":
        """Store a secret. Raise ValidationError, RingSecret.Foreign."""
        secrets.check(secret)
        RingSecret.note()
        return cls.objects.create(
            webhook=webhook,
            kind=kind,
            version=version,
            sealed=vault.seal(secret, webhook.account_id, webhook.pk, kind, version),
            last_four=secret[-secrets.SHOWN :],
            **OwnedActorField.columns("created_by", by),
        )

    @classmethod
    def replace(
        cls,
        webhook: Webhook,
        kind: str,
        secret: str,
        *,
        by: "Doer | None",
        until: datetime | None = None,
    ) -> bool:
        """Make a secret the newest of its kind; the old one signs `until` then, or no longer.

        Return False if it already is the newest. Raise ValidationError.
        """
        with transaction.atomic():
            newest = cls.newest(webhook, kind)
            if newest.opens_as(secret):
                return False
            cls.put(webhook, kind, secret, newest.version + 1, by=by)
            old = cls.objects.filter(webhook=webhook, kind=kind, version__lte=newest.version)
            if until is None:
                old.delete()
            else:
                old.filter(pk=newest.pk).update(expires_at=until)
                old.exclude(pk=newest.pk).delete()
            return True

    @classmethod
    def overlap(cls, kind: str) -> datetime | None:
        """Return until when an old secret signs beside one that is made now; None: not at all.

        A JWT carries one signature, so only the other secret can overlap with its successor.
        """
        return timezone.now() + OVERLAP if kind == cls.Kind.STANDARD else None

    @classmethod
    def newest(cls, webhook: Webhook, kind: str) -> "WebhookSecret":
        return cls.objects.filter(webhook=webhook, kind=kind).latest("version")

    @classmethod
    def live(cls, webhook: Webhook, kind: str) -> "list[WebhookSecret]":
        """Return the secrets that sign now, newest first."""
        rows = cls.objects.filter(webhook=webhook, kind=kind)
        return list(
            rows.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now())).order_by("-version")
        )

    @staticmethod
    def opened(account_id: str, webhook_id: str, sealed: Any, version: int) -> str | None:
        """Return a JWT secret, given its columns; None if it is missing or cannot be opened."""
        try:
            kind = WebhookSecret.Kind.JWT
            return vault.unseal(bytes(sealed), account_id, webhook_id, kind, version)
        except (TypeError, vault.SealBroken):
            return None

    def open(self) -> str:
        """Return the secret. Raise vault.SealBroken."""
        return vault.unseal(
            bytes(self.sealed), self.webhook.account_id, self.webhook_id, self.kind, self.version
        )

    def reseal(self) -> bool:
        """Seal the secret with the current sealing key. Tell whether it was there to be moved.

        Whoever changes it at the same time wins. Raise vault.SealBroken.
        """
        before = bytes(self.sealed)
        bound_to = self.webhook.account_id, self.webhook_id, self.kind, self.version
        after = vault.seal(vault.unseal(before, *bound_to), *bound_to)
        return WebhookSecret.objects.filter(pk=self.pk, sealed=before).update(sealed=after) == 1

    def opens_as(self, secret: str) -> bool:
        try:
            return self.open() == secret
        except vault.SealBroken:
            return False

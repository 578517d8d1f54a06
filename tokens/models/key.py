"""Keys of tokens as they are stored, and proof that the secrets in the settings belong to them."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models.functions import Substr
from django.utils import timezone

from portal.fields import MomentField
from tokens import keys, vault
from tokens.models.base import Status

if TYPE_CHECKING:
    from tokens.models.token import Token


# How many keys are tried with a secret whose fingerprint is not known.
SAMPLE = 5


class TokenKey(models.Model):
    """A key of a token, in the two forms it is stored in. A token may have several.

    Each opens the gate until the moment when it retires; the newest version is the one people see.
    """

    token = models.ForeignKey("tokens.Token", models.CASCADE, related_name="keys", db_index=False)
    version = models.PositiveSmallIntegerField(default=1)
    digest = models.BinaryField(max_length=32)
    pepper = models.PositiveSmallIntegerField()
    sealed = models.BinaryField(null=True)
    created_at = MomentField(default=timezone.now)
    retires_at = MomentField(null=True, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("token", "version"), name="one_key_per_version"),
        )

    def __str__(self) -> str:
        return f"{self.token_id} ({self.version})"

    @classmethod
    def put(cls, token: "Token", key: keys.Key, version: int = 1) -> "TokenKey":
        """Store a key: a digest to check it by, a sealed copy to view it.

        Raise RingSecret.Foreign.
        """
        RingSecret.note()
        digest = keys.digest(key)
        sealed = vault.seal(key.secret, token.account_id, token.pk, version)
        return cls.objects.create(
            token=token, version=version, digest=digest.value, pepper=digest.pepper, sealed=sealed
        )

    @property
    def is_retired(self) -> bool:
        return self.retires_at is not None and self.retires_at <= timezone.now()

    @property
    def can_be_checked(self) -> bool:
        return keys.can_check(self.pepper)

    @property
    def can_be_opened(self) -> bool:
        """Whether there is a copy, and a sealing key for it in the ring."""
        return self.sealed is not None and vault.can_open(bytes(self.sealed))

    def open(self) -> str:
        """The key as the value of the Authorization header. Raises vault.SealBroken."""
        if self.sealed is None:
            raise vault.SealBroken
        return keys.Key(
            self.token_id,
            vault.unseal(bytes(self.sealed), self.token.account_id, self.token_id, self.version),
        ).header

    def works_with(self, ring: str) -> bool | None:
        """Whether the secrets of a ring open (or check) the key;

        None if a key that cannot be opened cannot tell.
        """
        try:
            key = keys.parse(self.open())
        except vault.SealBroken:
            return False if ring == RingSecret.Ring.SEALING_KEYS else None
        return key is not None and (
            ring == RingSecret.Ring.SEALING_KEYS
            or keys.matches(key, bytes(self.digest), self.pepper)
        )


class RingSecret(models.Model):
    """Which secret stood under a number of a ring when keys were stored under it: its fingerprint, never the secret.

    So a portal notices that its rings are not those of its database. Keys of versions that noted nothing are tried instead.
    """

    class Ring(models.TextChoices):
        """The settings that hold the rings."""

        PEPPERS = "TOKEN_PEPPERS"
        SEALING_KEYS = "TOKEN_SEALING_KEYS"

    class Foreign(Exception):
        """The secret under the current number is another one than keys were stored under."""

    ring = models.CharField(max_length=32, choices=Ring)
    number = models.PositiveSmallIntegerField()
    fingerprint = models.BinaryField(max_length=32, null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("ring", "number"), name="one_secret_per_number"),
        )

    def __str__(self) -> str:
        return f"{self.ring} {self.number}"

    @classmethod
    def note(cls) -> None:
        """Note the secrets that a key is about to be stored under. Raise Foreign."""
        noted = {(row.ring, row.number): row for row in cls.objects.all()}
        for ring in cls.Ring:
            number, secret = max(getattr(settings, ring).items())
            fingerprint = keys.fingerprint(secret)
            row = (
                noted.get((ring, number)) or cls.objects.get_or_create(ring=ring, number=number)[0]
            )
            if row.fingerprint is None or bytes(row.fingerprint) != fingerprint:
                if not row.is_configured() and row.stored_keys().exists():
                    raise cls.Foreign(
                        f"The secret number {number} of {ring} is another one than keys were "
                        f"stored under."
                    )
                row.fingerprint = fingerprint
                row.save(update_fields=("fingerprint",))

    @property
    def configured(self) -> bytes | None:
        """The secret under the number in the settings."""
        secret: bytes | None = getattr(settings, self.ring).get(self.number)
        return secret

    def is_configured(self) -> bool:
        """Whether the settings hold the secret that the keys were stored under.

        Without any proof to the contrary they do.
        """
        if self.configured is None:
            return False
        if self.fingerprint is not None:
            return keys.fingerprint(self.configured) == bytes(self.fingerprint)
        sample = (
            self.stored_keys().exclude(sealed=None).select_related("token").order_by("-pk")[:SAMPLE]
        )
        tried = [result for key in sample if (result := key.works_with(self.ring)) is not None]
        return any(tried) or not tried

    def stored_keys(self) -> "models.QuerySet[TokenKey]":
        """Return the keys stored under the number; those of deleted tokens will never be asked for again."""
        live = TokenKey.objects.exclude(token__status=Status.DELETED)
        if self.ring == self.Ring.PEPPERS:
            return live.filter(pepper=self.number)
        return live.annotate(
            sealed_by=Substr("sealed", 1, 1, output_field=models.BinaryField())
        ).filter(sealed_by=bytes([self.number]))

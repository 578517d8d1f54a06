"""Stored keys, and the check that the secrets in the settings are those they were made with."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.fields import MomentField, OwnedActorField
from tokens import keys, vault
from tokens.models.policy import Policy

if TYPE_CHECKING:
    from tokens.models.token import Token

Row = TypeVar("Row", bound=models.Model)


# The number of the sealing key of a sealed copy, as one byte.
SEALED_BY = Substr("sealed", 1, 1, output_field=models.BinaryField())
# How many keys to try with a secret whose fingerprint is unknown.
SAMPLE = 5
# Models of layers above that keep sealed copies too, in a column `sealed`, and can `reseal()`.
ALSO_SEALED: "list[type[models.Model]]" = []


def sealed_by(rows: "models.QuerySet[Row]", number: int) -> "models.QuerySet[Row]":
    """Return the rows whose copy the sealing key of that number sealed."""
    found: models.QuerySet[Row] = rows.annotate(sealed_by=SEALED_BY)
    return found.filter(sealed_by=bytes([number]))


def with_number(rows: "models.QuerySet[Any]") -> Any:
    """Return the numbers of the sealing keys of rows, each as one byte."""
    return rows.annotate(sealed_by=SEALED_BY).values_list("sealed_by", flat=True)


class TokenKey(models.Model):
    """A key of a token, as a digest and a sealed copy. A token may have several.

    Each passes the gate until `retires_at`; people see the newest version.
    """

    token = models.ForeignKey("tokens.Token", models.CASCADE, related_name="keys", db_index=False)
    version = models.PositiveIntegerField(default=1)
    digest = models.BinaryField(max_length=32)
    pepper = models.PositiveSmallIntegerField()
    # Of the key, or of the handle that it is behind.
    sealed = models.BinaryField(null=True)
    # The digest of the handle, by which it is found, and what makes the key of it.
    handle = models.BinaryField(max_length=32, null=True, editable=False)
    salt = models.BinaryField(max_length=32, null=True, editable=False)
    # How people tell keys apart; empty for keys of older versions that could not be opened.
    last_four = models.CharField(max_length=keys.SHOWN, blank=True, default="")
    created_at = MomentField(default=timezone.now)
    made_by = OwnedActorField()
    # Set while the key is the old one of two: since when, and until when it works.
    replaced_at = MomentField(null=True, editable=False)
    retires_at = MomentField(null=True, editable=False)
    # While a rehearsal lasts, the key is refused as it will be once it is retired.
    rehearsed_until = MomentField(null=True, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("token", "version"), name="one_key_per_version"),
            models.UniqueConstraint(
                fields=("handle",), condition=Q(handle__isnull=False), name="one_key_per_handle"
            ),
            models.CheckConstraint(
                condition=Q(handle=None, salt=None) | Q(handle__isnull=False, salt__isnull=False),
                name="handle_of_key_has_salt",
            ),
        )
        # For the list of tokens that have two keys: few of them at any time.
        indexes = (
            models.Index(
                fields=("retires_at", "token"),
                condition=models.Q(retires_at__isnull=False),
                name="keys_that_retire",
            ),
        )

    def __str__(self) -> str:
        return f"{self.token_id} ({self.version})"

    @property
    def as_old(self) -> str:
        """What programs still call with after a renewal, in words that follow "the"."""
        return _("key of the old handle") if self.has_handle else _("old key")

    @property
    def as_new(self) -> str:
        """What programs call with instead, in words that follow "the"."""
        return _("key of the new handle") if self.has_handle else _("new key")

    @classmethod
    def make(cls, token: "Token", version: int = 1, *, by: Any = None) -> keys.Key:
        """Make a key, behind a handle if that is what the extension of the token takes.

        Raise RingSecret.Foreign.
        """
        if not token.extension.uses_handle:
            key = keys.mint(token.pk)
            cls.put(token, key, version, by=by)
            return key
        salt = keys.new_salt()
        key = keys.behind(keys.new_handle(), token.pk, salt)
        cls.put(token, key, version, by=by, handle=keys.handle_digest(key.handle), salt=salt)
        return key

    @classmethod
    def put(
        cls, token: "Token", key: keys.Key, version: int = 1, *, by: Any = None, **columns: Any
    ) -> "TokenKey":
        """Store a key, as a digest to check it and a sealed copy of what people see of it.

        The copy is left out if the keys of the token, or of its account, are shown only once. Raise
        RingSecret.Foreign.
        """
        RingSecret.note()
        digest = keys.digest(key)
        sealed = (
            None
            if token.show_once or Policy.of(token.account).show_once
            else vault.seal(key.handle or key.secret, token.account_id, token.pk, version)
        )
        return cls.objects.create(
            token=token,
            version=version,
            digest=digest.value,
            pepper=digest.pepper,
            sealed=sealed,
            last_four=key.last_four,
            **OwnedActorField.columns("made_by", by),
            **columns,
        )

    @property
    def has_handle(self) -> bool:
        """Whether people see a handle of it, and never the key itself."""
        return self.handle is not None

    @property
    def noun(self) -> str:
        """The word for what people paste."""
        return _("handle") if self.has_handle else _("key")

    def key_of(self, text: str) -> keys.Key | None:
        """Return the key that a text stands for, which is what `open` returns.

        Whether it is right shows only when it is compared.
        """
        if self.salt is None:
            return keys.parse(text)
        return keys.behind(text, self.token_id, bytes(self.salt))

    @property
    def is_retired(self) -> bool:
        return self.retires_at is not None and self.retires_at <= timezone.now()

    @property
    def is_old(self) -> bool:
        """Whether it works beside a newer key, until `retires_at`."""
        return self.retires_at is not None and not self.is_retired

    @property
    def is_rehearsed(self) -> bool:
        return self.rehearsed_until is not None and self.rehearsed_until > timezone.now()

    @property
    def can_be_checked(self) -> bool:
        return keys.can_check(self.pepper)

    @property
    def can_be_opened(self) -> bool:
        """Whether there is a copy, and the ring has its sealing key."""
        return self.sealed is not None and vault.can_open(bytes(self.sealed))

    def open(self) -> str:
        """Return the handle, or the key as the value of the header. Raise vault.SealBroken."""
        if self.sealed is None:
            raise vault.SealBroken
        text = vault.unseal(bytes(self.sealed), self.token.account_id, self.token_id, self.version)
        return text if self.has_handle else keys.Key(self.token_id, text).header

    def reseal(self) -> bool:
        """Seal the copy with the current sealing key. Tell whether it was there to be moved.

        Whoever changes the copy at the same time wins. Raise vault.SealBroken.
        """
        if self.sealed is None:
            return False
        before = bytes(self.sealed)
        bound_to = self.token.account_id, self.token_id, self.version
        after = vault.seal(vault.unseal(before, *bound_to), *bound_to)
        return TokenKey.objects.filter(pk=self.pk, sealed=before).update(sealed=after) == 1

    def works_with(self, ring: str) -> bool | None:
        """Tell whether the secrets of a ring open (or check) the key.

        Return None if that is unknown: peppers cannot be tried on a key that cannot be opened.
        """
        try:
            text = self.open()
        except vault.SealBroken:
            return False if ring == RingSecret.Ring.SEALING_KEYS else None
        key = self.key_of(text)
        return key is not None and (
            ring == RingSecret.Ring.SEALING_KEYS
            or keys.matches(key, bytes(self.digest), self.pepper)
        )


class RingSecret(models.Model):
    """The fingerprint of the secret that keys were stored under, by ring and number.

    It shows when the rings in the settings are not those of the database. It never holds the secret
    itself. Keys of older versions of the portal, which noted no fingerprint, are tried instead.
    """

    class Ring(models.TextChoices):
        """The settings that hold the rings."""

        PEPPERS = "TOKEN_PEPPERS"
        SEALING_KEYS = "TOKEN_SEALING_KEYS"

    class Foreign(Exception):
        """The secret under the current number is not the one that keys were stored under."""

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
        """Note the fingerprints of the secrets that a key is about to be stored under.

        Raise Foreign.
        """
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
                        f"The secret number {number} of {ring} is not the one that keys were "
                        "stored under."
                    )
                row.fingerprint = fingerprint
                row.save(update_fields=("fingerprint",))

    @property
    def configured(self) -> bytes | None:
        """The secret in the settings under this number; None if there is none."""
        secret: bytes | None = getattr(settings, self.ring).get(self.number)
        return secret

    def is_configured(self) -> bool:
        """Tell whether the settings hold the secret that the keys were stored under.

        Without evidence to the contrary, return True.
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
        """Return the keys that need the secret: those of purged tokens and retired keys do not."""
        now = timezone.now()
        live = TokenKey.objects.filter(
            Q(retires_at=None) | Q(retires_at__gt=now), token__purged_at=None
        )
        if self.ring == self.Ring.PEPPERS:
            return live.filter(pepper=self.number)
        return sealed_by(live, self.number)

    def count_needed(self) -> int:
        """Return how many keys, and other secrets that are kept sealed, need the secret."""
        count = self.stored_keys().count()
        if self.ring == self.Ring.PEPPERS:
            return count
        others = (sealed_by(model._default_manager.all(), self.number) for model in ALSO_SEALED)
        return count + sum(each.count() for each in others)

    @classmethod
    def all_needed(cls) -> "list[RingSecret]":
        """Return a row for every secret of the settings, and for others that keys need or needed.

        They are in the order of rings and numbers.
        """
        known: dict[tuple[str, int], RingSecret] = {
            (row.ring, row.number): row for row in cls.objects.all()
        }
        used = {
            cls.Ring.PEPPERS: TokenKey.objects.values_list("pepper", flat=True),
            cls.Ring.SEALING_KEYS: with_number(TokenKey.objects.exclude(sealed=None)),
        }
        also = {
            value
            for model in ALSO_SEALED
            for value in with_number(model._default_manager.all()).distinct()
        }
        for ring in cls.Ring:
            stored = {
                value if isinstance(value, int) else bytes(value)[0]
                for value in (*used[ring].distinct(), *(also if ring != cls.Ring.PEPPERS else ()))
            }
            for number in stored | {*getattr(settings, ring)}:
                known.setdefault((ring, number), cls(ring=ring, number=number))
        return [known[name] for name in sorted(known)]

    @property
    def is_current(self) -> bool:
        """Whether new keys are stored under it."""
        newest: int = max(getattr(settings, self.ring))
        return self.number == newest

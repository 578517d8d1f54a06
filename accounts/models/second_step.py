"""What a person signs in with besides the password: an app with codes, spare codes, passkeys."""

from collections.abc import Sequence
from datetime import datetime

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import totp
from accounts.models.people import User
from portal.fields import LineField, MomentField


class Authenticator(models.Model):
    """An authenticator app. Two-step sign-in is on for people who have one."""

    user = models.OneToOneField(User, models.CASCADE, related_name="authenticator")
    sealed = models.BinaryField(editable=False)
    # The 30 seconds of the last accepted code; no code of them or of earlier ones is accepted.
    last_step = models.BigIntegerField(default=0, editable=False)
    created_at = MomentField(default=timezone.now, editable=False)
    used_at = MomentField(null=True, editable=False)

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")

    def __str__(self) -> str:
        return str(self.user)

    @classmethod
    def switch_on(cls, user: User, secret: bytes, step: int, codes: Sequence[str]) -> None:
        """Switch on two-step sign-in, with the code of `step` used up and new spare codes."""
        now = timezone.now()
        with transaction.atomic():
            cls.objects.update_or_create(
                user=user,
                defaults={
                    "sealed": totp.seal(secret, user.pk),
                    "last_step": step,
                    "created_at": now,
                    "used_at": now,
                },
            )
            SpareCode.replace(user, codes)

    def switch_off(self) -> None:
        with transaction.atomic():
            self.user.spare_codes.all().delete()
            self.delete()

    def accepts(self, typed: str) -> bool:
        """Tell whether a code is right, and use it up. Safe in parallel: it is accepted once."""
        secret = totp.unseal(bytes(self.sealed), self.user_id)
        step = totp.matching_step(secret, typed) if secret else None
        if secret is None or step is None:
            return False
        return (
            Authenticator.objects.filter(pk=self.pk, last_step__lt=step).update(
                last_step=step,
                used_at=timezone.now(),
                # Under the current SECRET_KEY, so that an older one can be dropped.
                sealed=totp.seal(secret, self.user_id),
            )
            == 1
        )


class SpareCode(models.Model):
    """A code on paper that replaces the app once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="spare_codes")
    digest = models.CharField(max_length=64, editable=False)
    created_at = MomentField(default=timezone.now, editable=False)
    used_at = MomentField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.user} {self.created_at}"

    @classmethod
    def replace(cls, user: User, codes: Sequence[str]) -> None:
        """Replace all spare codes of a person."""
        with transaction.atomic():
            SpareCode.objects.filter(user=user).delete()
            SpareCode.objects.bulk_create(
                SpareCode(user=user, digest=next(totp.digests(code, user.pk))) for code in codes
            )

    @classmethod
    def accepts(cls, user: User, typed: str) -> bool:
        """Tell whether a code is an unused one, and use it up. Safe in parallel."""
        return (
            cls.objects.filter(
                user=user, used_at=None, digest__in=list(totp.digests(typed, user.pk))
            ).update(used_at=timezone.now())
            == 1
        )


class Passkey(models.Model):
    """A key pair of WebAuthn whose private half is in a device of the person."""

    user = models.ForeignKey(User, models.CASCADE, related_name="passkeys")
    name = LineField(_("name"), max_length=64)
    # The SHA-256 of the credential's id, which can be too long for an index.
    handle = models.CharField(max_length=64, unique=True, editable=False)
    # AttestedCredentialData: the credential's id and the public key.
    credential = models.BinaryField(editable=False)
    # Authenticators that count their signatures must count up; most passkeys stay at 0.
    counter = models.BigIntegerField(default=0, editable=False)
    created_at = MomentField(default=timezone.now, editable=False)
    used_at = MomentField(null=True, editable=False)

    class Meta:
        verbose_name = _("passkey")
        verbose_name_plural = _("passkeys")
        ordering = ("created_at", "pk")

    def __str__(self) -> str:
        return self.name

    def use(self, counter: int, at: datetime) -> bool:
        """Note a sign-in; return False if the counter says that the passkey was copied."""
        rows = Passkey.objects.filter(pk=self.pk)
        if counter or self.counter:
            rows = rows.filter(counter__lt=counter)
        return rows.update(counter=counter, used_at=at) == 1

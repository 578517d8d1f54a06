"""Invitations into an account, by a link that a mail carries."""

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Account, Membership, User, fold_email
from portal.fields import ActorField, MomentField

# How long an invitation can be accepted.
LASTS = timedelta(days=7)


class Over(Exception):
    """The invitation was accepted or withdrawn meanwhile, or its time is over."""


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> "InvitationQuerySet":
        """Return those that can be accepted.

        Whoever is no longer an administrator invites nobody: else people whom an account removes
        could come back by another address.
        """
        inviter = Membership.objects.filter(
            account=OuterRef("account"),
            user=OuterRef("invited_by_id"),
            role=Membership.Role.ADMINISTRATOR,
            user__is_active=True,
        )
        return self.filter(Exists(inviter), expires_at__gt=timezone.now(), account__is_active=True)

    def visible_to(self, membership: Membership) -> "InvitationQuerySet":
        """Return the open invitations into the account, for its administrators only."""
        return (
            self.open().filter(account=membership.account_id)
            if membership.is_admin
            else self.none()
        )

    def of(self, token: str) -> "Invitation | None":
        """Return the open invitation of a link."""
        return self.open().select_related("account").filter(digest=digest_of(token)).first()


class Invitation(models.Model):
    """An offer to one address to belong to an account. Its row goes when it is accepted."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Membership.Role)
    # Of the text in the link, which is in the mail only.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = ActorField(_("invited by"))
    created_at = MomentField(default=timezone.now, editable=False)
    expires_at = MomentField(editable=False)

    if TYPE_CHECKING:
        invited_by_id: str
        invited_by_name: str

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("email",)
        constraints = (
            models.UniqueConstraint(fields=("account", "email"), name="one_invitation_per_address"),
        )

    def __str__(self) -> str:
        return self.email

    @classmethod
    def issue(
        cls, account: Account, email: str, role: str, *, by: User
    ) -> "tuple[Invitation, str]":
        """Return a new invitation, which replaces an older one of the address, and its token."""
        token = secrets.token_urlsafe(32)
        with transaction.atomic():
            row, _made = cls.objects.update_or_create(
                account=account,
                email=fold_email(email),
                defaults={
                    "role": role,
                    "digest": digest_of(token),
                    "created_at": timezone.now(),
                    "expires_at": timezone.now() + LASTS,
                    **ActorField.columns("invited_by", by),
                },
            )
        return row, token

    def accept(self, user: User) -> Membership:
        """Make the person a member, once, and save them if they are new. Raise Over.

        Safe in parallel: whoever deletes the row has the invitation.
        """
        with transaction.atomic():
            # The digest is that of the link: a newer invitation has made this one void.
            mine = Invitation.objects.open().filter(pk=self.pk, digest=self.digest)
            if user.email != self.email or not mine.delete()[0]:
                raise Over
            if user._state.adding:
                user.save()
            membership, _made = Membership.objects.get_or_create(
                user=user, account=self.account, defaults={"role": self.role}
            )
            return membership


def digest_of(token: str) -> str:
    # The token is long and random, so a plain hash cannot be reversed.
    return hashlib.sha256(token.encode()).hexdigest()

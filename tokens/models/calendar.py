"""Private calendar feeds of what ends in an account."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from portal.fields import MomentField
from tokens import keys


class CalendarFeed(models.Model):
    """The address at which a calendar program reads what ends in an account, for one person.

    Whoever has the address can read the feed, so only a digest of it is stored, it can be replaced
    or withdrawn, and it ends with the membership.
    """

    membership = models.OneToOneField(
        Membership, models.CASCADE, primary_key=True, related_name="+"
    )
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = MomentField(gettext_lazy("created"), default=timezone.now)

    class Meta:
        verbose_name = gettext_lazy("calendar feed")
        verbose_name_plural = gettext_lazy("calendar feeds")

    def __str__(self) -> str:
        return str(self.membership)

    @classmethod
    def renew(cls, membership: Membership) -> str:
        """Make a new address, which replaces an earlier one; return its secret part.

        It exists in clear only here.
        """
        secret = keys.random_address()
        cls.objects.update_or_create(
            membership=membership,
            defaults={"digest": keys.address_digest(secret), "created_at": timezone.now()},
        )
        return secret

    @classmethod
    def at(cls, secret: str) -> Membership | None:
        """Return the person whose feed is at an address, if there is one and they may still act."""
        feed = cls.objects.filter(digest=keys.address_digest(secret)).first()
        if feed is None:
            return None
        return Membership.objects.usable().filter(pk=feed.membership_id).first()

"""What the records have in common. Each lies between a vendor and a distributor, and each side sees its own."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from portal.fields import MomentField

if TYPE_CHECKING:
    from tokens.gate import Caller


def new_uid() -> str:
    return str(uuid.uuid4())


def this_second() -> datetime:
    """Now, as exact as the API shows moments: who asks for what is later than the last one seen must not get that one again."""
    return timezone.now().replace(microsecond=0)


class RecordQuerySet(models.QuerySet[Any]):
    def visible_to(self, caller: "Caller") -> "RecordQuerySet":
        """The records of the account: as vendor or as distributor, as its id says."""
        return self.filter(vendor=caller.account_id) if caller.side == Account.Side.VENDOR else self.filter(provider=caller.account_id)


class Record(models.Model):
    """What all records between two companies have."""

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    vendor = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False, verbose_name=_("vendor"))
    provider = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False, verbose_name=_("distributor"))
    created_at = MomentField(_("created"), default=timezone.now)
    updated_at = MomentField(_("updated"), default=timezone.now)

    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ("-created_at", "-id")
        # The API's order for either side, so that the first page of a long resource costs no sorting.
        indexes = (
            models.Index("vendor", F("created_at").desc(), F("id").desc(), name="%(class)s_of_vendor"),
            models.Index("provider", F("created_at").desc(), F("id").desc(), name="%(class)s_of_provider"),
        )

    def __str__(self) -> str:
        return self.id


class OwnedQuerySet(models.QuerySet[Any]):
    """Records of one company, which no other sees."""

    def visible_to(self, caller: "Caller") -> "OwnedQuerySet":
        return self.filter(owner=caller.account_id)

"""The base of records between a vendor and a distributor, each of which sees only its own."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

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
    """Return the current time to the second, which is how the API shows it.

    With fractions, a query for records after the last one seen would find that one again.
    """
    return timezone.now().replace(microsecond=0)


class WrongState(Exception):
    """A move to a state that the current state does not allow; the message says why."""


class RecordQuerySet(models.QuerySet[Any]):
    def visible_to(self, caller: "Caller") -> "RecordQuerySet":
        """Return the records of the account, as vendor or distributor according to its side."""
        return (
            self.filter(vendor=caller.account_id)
            if caller.side == Account.Side.VENDOR
            else self.filter(provider=caller.account_id)
        )


class Record(models.Model):
    """A record between a vendor and a distributor."""

    id = models.CharField(_("ID"), primary_key=True, max_length=24)
    vendor = models.ForeignKey(
        Account, models.CASCADE, related_name="+", db_index=False, verbose_name=_("vendor")
    )
    provider = models.ForeignKey(
        Account, models.CASCADE, related_name="+", db_index=False, verbose_name=_("distributor")
    )
    created_at = MomentField(_("created"), default=timezone.now)
    updated_at = MomentField(_("updated"), default=timezone.now)

    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ("-created_at", "-id")
        # The API's order for either side, so that the first page of a long list needs no sorting.
        indexes: ClassVar[tuple[models.Index, ...]] = (
            models.Index(
                "vendor", F("created_at").desc(), F("id").desc(), name="%(class)s_of_vendor"
            ),
            models.Index(
                "provider", F("created_at").desc(), F("id").desc(), name="%(class)s_of_provider"
            ),
        )

    def __str__(self) -> str:
        return self.id


class SoldRecord(Record):
    """A record about a product that is sold in a marketplace, under a contract."""

    product = models.ForeignKey(
        "modules.Product", models.CASCADE, related_name="+", verbose_name=_("product")
    )
    contract = models.ForeignKey(
        "modules.Contract", models.CASCADE, related_name="+", verbose_name=_("contract")
    )
    marketplace = models.ForeignKey(
        "modules.Marketplace", models.CASCADE, related_name="+", verbose_name=_("marketplace")
    )

    class Meta(Record.Meta):
        abstract = True


class ConnectedRecord(SoldRecord):
    """A record about a product that is ordered through a connection."""

    connection = models.ForeignKey(
        "modules.Connection", models.CASCADE, related_name="+", verbose_name=_("connection")
    )
    # [{"id": "domain", "title": "Domain", "type": "text", "value": "ruiz.example", …}]
    params = models.JSONField(_("parameters"), default=list, editable=False)

    class Meta(SoldRecord.Meta):
        abstract = True


class OwnedQuerySet(models.QuerySet[Any]):
    """Records of one company, which no other company sees."""

    def visible_to(self, caller: "Caller") -> "OwnedQuerySet":
        return self.filter(owner=caller.account_id)

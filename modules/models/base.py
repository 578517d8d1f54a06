"""The base of records between a vendor and a distributor, each of which sees only its own."""

import uuid
from collections.abc import Mapping
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

    @property
    def parties(self) -> set[str]:
        """The ids of the companies that are told of changes."""
        return {self.vendor_id, self.provider_id}


def numbered(model: type[models.Model], stem: str) -> str:
    """Return the next id below a stem: `numbered(Model, "PR-1-2")` -> `PR-1-2-003`.

    Lock what the stem stands for before, or two processes may get the same.
    """
    rows = model._default_manager
    number = rows.filter(pk__startswith=f"{stem}-").count() + 1
    while rows.filter(pk=f"{stem}-{number:03}").exists():
        number += 1
    return f"{stem}-{number:03}"


class Request(Record):
    """A record by which one side asks the other for something, and which moves on until it is done.

    Models say in `MOVES` from which statuses a request may move to which, and in `PROGRESS` the
    field that has the status.
    """

    MOVES: ClassVar[Mapping[Any, tuple[Any, ...]]]
    PROGRESS: ClassVar[str] = "status"

    class Meta(Record.Meta):
        abstract = True

    def step(self, status: str) -> None:
        """Take the status, without saving. Raise WrongState if that is not allowed now."""
        now = getattr(self, self.PROGRESS)
        if now not in self.MOVES[status]:
            raise WrongState(
                _("A request that is %(now)s cannot become %(then)s.")
                % {"now": now, "then": status}
            )
        setattr(self, self.PROGRESS, status)
        self.updated_at = this_second()


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

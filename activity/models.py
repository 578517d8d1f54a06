"""The trail: what happened in an account, in order, with each entry sealing the one before it.

Rows are added by `activity.recording.record()` and never change: the database refuses UPDATE,
DELETE and TRUNCATE (see `activity.triggers`). `manage.py forget_activity` is the only way to
delete old ones; `manage.py verify_activity` finds changes that bypassed the portal.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from activity.actions import OF_HANDLES, Action
from portal.addresses import Span, packed
from portal.fields import ActorField, FoldedField, MomentField, PackedField
from portal.text import fold

# The columns that the hash of an entry covers, besides the previous hash. Those that were added
# later count only if they have a value, so that older entries keep their hashes.
SEALED = (
    *("account", "number", "at", "actor_id", "actor_name", "action"),
    *("subject_kind", "subject_id", "subject_name", "changes", "address", "agent", "request_id"),
)
SEALED_LATER = ("confirmed_at", "confirmed_by")


def seal(entry: Mapping[str, Any], previous: str) -> str:
    """Return the hash of an entry, given its columns by name and the hash of the entry before."""
    values = {name: entry[name] for name in SEALED}
    values |= {name: entry[name] for name in SEALED_LATER if entry.get(name)}
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=in_utc)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def in_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class Subject(NamedTuple):
    """What an action was done to, as it was then: the name of its model, its id and its name."""

    kind: str
    id: str
    name: str

    @classmethod
    def of(cls, row: models.Model) -> "Subject":
        return cls(row._meta.model_name or "", str(row.pk), str(row)[:NAME])


# Changes that only entries about handles have.
HANDLES = ("handle", "old_handle_ends_at")
# Maximum lengths of the names of subjects and of programs, in characters.
NAME = 300
AGENT = 200


class Chain(models.Model):
    """The ends of an account's trail: its last entry, and the last one that was forgotten.

    There is one row per account (`""` is the portal itself). `record()` locks it, so that entries
    of one account are written one after the other. The database lets an entry be deleted only if
    its number is at most `forgotten`.
    """

    account = models.CharField(max_length=24, primary_key=True)
    number = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")
    forgotten = models.PositiveBigIntegerField(default=0)
    # The hash of the last forgotten entry, which the first kept entry seals.
    anchor = models.CharField(max_length=64, default="")
    # The last check of the whole trail, and the number of the first entry that did not fit.
    checked_at = MomentField(null=True)
    broken = models.PositiveBigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.account} {self.number}"

    @property
    def length(self) -> int:
        """The number of entries kept."""
        return self.number - self.forgotten

    # Texts of the page about a broken chain.

    @property
    def broken_text(self) -> str:
        return f"{self.broken or 0:,}"

    @property
    def first_text(self) -> str:
        return f"{self.forgotten + 1:,}"

    @property
    def last_whole(self) -> int:
        """The number of the entry before the first one that does not fit; 0 if there is none."""
        last = (self.broken or 0) - 1
        return last if last > self.forgotten else 0

    @property
    def last_whole_text(self) -> str:
        return f"{self.last_whole:,}"

    @classmethod
    def locked(cls, account: str) -> "Chain":
        """Return the chain, locked until the end of the transaction.

        Whoever else records for the account waits until then.
        """
        # Without the key, so that inserts that reference the row do not wait.
        return cls.objects.select_for_update(no_key=True).get_or_create(account=account)[0]

    def append(self, **entry: Any) -> "Event":
        """Add an entry at the end. The chain must be locked."""
        entry = {"account": self.account, "number": self.number + 1, **entry}
        event = Event(**entry, hash=seal(entry, self.hash))
        event.save(force_insert=True)
        self.number, self.hash = event.number, event.hash
        self.save(update_fields=("number", "hash"))
        return event


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, membership: Membership) -> "EventQuerySet":
        """Return the trail of the account that a person acts for."""
        return self.filter(account=membership.account_id)

    def search(self, text: str) -> "EventQuerySet":
        """Return entries whose actor or subject has the text in its name or id, ignoring case."""
        return self.filter(words__contains=fold(text))

    def sent_from(self, span: Span) -> "EventQuerySet":
        """Return the entries of requests from a range of addresses."""
        return self.filter(packed_address__range=(packed(str(span.first)), packed(str(span.last))))

    def about(self, kind: str, id: str) -> "EventQuerySet":
        """Return the entries about one subject."""
        return self.filter(subject_kind=kind, subject_id=id)


class Event(models.Model):
    """An entry of the trail.

    It has no foreign keys: accounts, actors and subjects are kept by id and name. It never holds a
    secret.
    """

    account = models.CharField(_("account"), max_length=24, blank=True)
    number = models.PositiveBigIntegerField(_("number"))
    at = MomentField(_("time"))
    actor = ActorField(_("by"))
    action = models.CharField(_("action"), max_length=40)
    subject_kind = models.CharField(_("kind"), max_length=40, blank=True)
    subject_id = models.CharField(_("ID"), max_length=64, blank=True)
    subject_name = models.CharField(_("name"), max_length=NAME, blank=True)
    # What changed: {"name": ["before", "after"]}; null for a missing value.
    changes = models.JSONField(_("changes"), default=dict, blank=True)
    address = models.CharField(_("address"), max_length=39, blank=True)
    agent = models.CharField(_("program"), max_length=AGENT, blank=True)
    request_id = models.CharField(_("request"), max_length=32, blank=True)
    # How and when the person last proved who they are, if shortly before; see accounts.proofs.
    confirmed_at = MomentField(_("confirmed"), null=True, blank=True)
    confirmed_by = models.CharField(_("confirmed by"), max_length=20, blank=True, default="")
    hash = models.CharField(_("hash"), max_length=64)
    # For searching. Not sealed, since they only repeat sealed columns.
    words = FoldedField(source="names")
    packed_address = PackedField(source="address", default="")

    actor_id: str
    actor_name: str

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=("account", "number"), name="one_entry_per_number"),
        )
        # For the filters of the page. Within an account, entries are sorted by number.
        indexes = (
            models.Index("account", "at", name="activity_by_time"),
            models.Index("account", "action", F("number").desc(), name="activity_by_action"),
            models.Index("account", "actor_id", F("number").desc(), name="activity_by_actor"),
            models.Index("account", "subject_id", F("number").desc(), name="activity_by_subject"),
            models.Index(
                "account", "packed_address", F("number").desc(), name="activity_by_address"
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.action}"

    @property
    def label(self) -> str:
        """The action in words; its value if it is unknown to this version of the portal."""
        if self.action not in Action:
            return self.action
        action = Action(self.action)
        return str(OF_HANDLES.get(action, action.label) if self.is_about_handle else action.label)

    @property
    def is_about_handle(self) -> bool:
        """Whether it is about a handle, of which the entry has the last digits or the end."""
        return isinstance(self.changes, dict) and not {*self.changes}.isdisjoint(HANDLES)

    @property
    def names(self) -> str:
        """The text that searches look in."""
        return " ".join((self.subject_name, self.subject_id, self.actor_name, self.actor_id))

    @property
    def subject(self) -> Subject | None:
        return (
            Subject(self.subject_kind, self.subject_id, self.subject_name)
            if self.subject_kind
            else None
        )

    def before(self) -> str | None:
        """Return the hash of the previous entry; None if it is missing."""
        chain = Chain.objects.filter(pk=self.account).first()
        if chain and chain.forgotten == self.number - 1:
            return chain.anchor
        return (
            Event.objects.filter(account=self.account, number=self.number - 1)
            .values_list("hash", flat=True)
            .first()
        )

    def fits(self, previous: str) -> bool:
        """Tell whether the entry is unchanged and follows the one with the hash `previous`."""
        return seal(vars(self), previous) == self.hash

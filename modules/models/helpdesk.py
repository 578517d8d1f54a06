"""Support cases."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from modules.models.base import Record, WrongState, this_second
from portal.fields import Actor, LineField, MomentField, OwnedActorField, ProseField, PublicIdField


class Case(Record):
    """A support case between a vendor and a distributor.

    `move` changes its state and records who did it.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        INQUIRING = "inquiring", _("Inquiring")
        RESOLVED = "resolved", _("Resolved")
        CLOSED = "closed", _("Closed")

    class Type(models.TextChoices):
        TECHNICAL = "technical", _("Technical")
        BUSINESS = "business", _("Business")

    class Priority(models.IntegerChoices):
        LOW = 0, _("Low")
        MEDIUM = 1, _("Medium")
        HIGH = 2, _("High")
        URGENT = 3, _("Urgent")

    class Rating(models.IntegerChoices):
        VERY_POOR = 1, _("Very poor")
        POOR = 2, _("Poor")
        FAIR = 3, _("Fair")
        GOOD = 4, _("Good")
        VERY_GOOD = 5, _("Very good")

    # State -> the states from which a case may move to it.
    MOVES = {
        State.PENDING: (State.INQUIRING, State.RESOLVED),
        State.INQUIRING: (State.PENDING,),
        State.RESOLVED: (State.PENDING,),
        State.CLOSED: (State.RESOLVED,),
    }

    id = PublicIdField(_("ID"), groups=(3, 3, 3), prefix="CA")
    subject = LineField(_("subject"), max_length=300)
    description = ProseField(_("description"), max_length=10_000)
    type = models.CharField(_("type"), max_length=16, choices=Type)
    priority = models.PositiveSmallIntegerField(
        _("priority"), choices=Priority, default=Priority.LOW
    )
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.PENDING)
    product = models.ForeignKey(
        "modules.Product",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("product"),
    )
    issuer = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("issuer"))
    issuer_agent = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("agent of the issuer"),
    )
    receiver = models.ForeignKey(
        Account, models.CASCADE, related_name="+", verbose_name=_("receiver")
    )
    receiver_agent = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("agent of the receiver"),
    )
    rating = models.PositiveSmallIntegerField(_("rating"), choices=Rating, null=True, blank=True)
    feedback = ProseField(_("feedback"), max_length=10_000, blank=True)
    pending_at = MomentField(_("pending since"), null=True, blank=True)
    inquiring_at = MomentField(_("inquiring since"), null=True, blank=True)
    resolved_at = MomentField(_("resolved"), null=True, blank=True)
    closed_at = MomentField(_("closed"), null=True, blank=True)
    created_by = OwnedActorField(_("created by"))
    updated_by = OwnedActorField(_("updated by"))
    pending_by = OwnedActorField(_("pending by"))
    inquiring_by = OwnedActorField(_("inquiring by"))
    resolved_by = OwnedActorField(_("resolved by"))
    closed_by = OwnedActorField(_("closed by"))

    class Meta(Record.Meta):
        verbose_name = _("case")
        verbose_name_plural = _("cases")

    def __str__(self) -> str:
        return self.subject

    def move(self, state: State, by: Actor) -> None:
        """Move to the state and note who did and when. Raises WrongState."""
        if self.state not in self.MOVES[state]:
            raise WrongState(
                _("A case that is %(now)s cannot become %(then)s.")
                % {"now": self.state, "then": state}
            )
        now = this_second()
        self.state = state
        setattr(self, f"{state}_at", now)
        self.touch(by, now, state)

    def touch(self, by: Actor, now: datetime, *what: str) -> None:
        """Note a change, under `updated` and whatever else it was, and save."""
        self.updated_at = now
        for each in ("updated", *what):
            setattr(self, f"{each}_by", by)
        self.save()

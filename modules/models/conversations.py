"""Conversations: what two companies write to each other about a record between them."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Exists, Max, OuterRef
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from modules.models.base import Record, RecordQuerySet, this_second
from modules.models.helpdesk import Case
from modules.models.listings import ListingRequest
from modules.models.subscriptions import FulfillmentRequest
from modules.models.tier_config import TierConfigRequest
from portal.fields import Actor, LineField, MomentField, OwnedActorField, ProseField, PublicIdField
from tokens.catalog import Module
from tokens.models import Grant

if TYPE_CHECKING:
    from tokens.gate import Caller

# Model -> the module that its records and their conversations belong to.
DISCUSSED: dict[type[Record], Module] = {
    Case: Module.HELPDESK,
    ListingRequest: Module.LISTINGS,
    FulfillmentRequest: Module.SUBSCRIPTIONS,
    TierConfigRequest: Module.TIER_CONFIG,
}
# Six groups make an id longer than other ids.
GROUPS = (3,) * 6


class ConversationFull(Exception):
    """A message too many; the message says how many there can be."""


class ConversationQuerySet(RecordQuerySet):
    def visible_to(self, caller: "Caller") -> "ConversationQuerySet":
        """Return those of the account that are about records of modules the token may reach."""
        granted = Grant.objects.filter(
            token=caller.id, module__in=(Module.ALL.value, OuterRef("module"))
        )
        return super().visible_to(caller).filter(Exists(granted))  # type: ignore[return-value]


class Conversation(Record):
    """The conversation about a record: it begins with the record and ends with it."""

    MOST = 1000

    id = PublicIdField(_("ID"), groups=GROUPS, prefix="CO")
    instance_id = models.CharField(_("about"), max_length=32, unique=True)
    module = models.CharField(_("module"), max_length=8, editable=False)
    topic = LineField(_("topic"), max_length=300)
    created_by = OwnedActorField(_("created by"))

    objects: ClassVar[Any] = ConversationQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")

    def __str__(self) -> str:
        return self.topic

    @classmethod
    def about(cls, record: Record) -> "Conversation":
        """Return the conversation with which a record begins, not saved yet."""
        kind = str(record._meta.verbose_name)
        made = cls(
            instance_id=record.pk,
            module=DISCUSSED[type(record)].value,
            vendor_id=record.vendor_id,
            provider_id=record.provider_id,
            topic=getattr(record, "subject", "") or f"{kind[:1].upper()}{kind[1:]} {record.pk}",
            created_at=record.created_at,
            updated_at=record.created_at,
        )
        made.created_by = beginner(record)
        return made

    def say(self, text: str, by: Actor) -> "Message":
        """Add a message. Lock the conversation before. Raise ConversationFull."""
        # Not by the count: an administrator of the portal can delete one.
        number = (self.messages.aggregate(last=Max("number"))["last"] or 0) + 1
        if number > self.MOST:
            raise ConversationFull(
                _("The conversation has %s messages, which is the most there can be.")
                % f"{self.MOST:,}"
            )
        self.updated_at = this_second()
        self.save(update_fields=("updated_at",))
        made = Message(
            conversation=self,
            number=number,
            account_id=by.account,
            text=text,
            created_at=self.updated_at,
        )
        made.created_by = by
        made.save(force_insert=True)
        return made


class Message(models.Model):
    """A message of one company, which both can read."""

    id = PublicIdField(_("ID"), groups=GROUPS, prefix="ME")
    conversation = models.ForeignKey(
        Conversation,
        models.CASCADE,
        related_name="messages",
        db_index=False,
        verbose_name=_("conversation"),
    )
    # Its place in the conversation: several messages can have the same second.
    number = models.PositiveIntegerField(_("number"))
    account = models.ForeignKey(
        Account, models.CASCADE, related_name="+", verbose_name=_("written by")
    )
    text = ProseField(_("text"), max_length=4096)
    created_at = MomentField(_("created"), default=this_second)
    created_by = OwnedActorField(_("created by"))

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=("conversation", "number"), name="one_message_a_place"),
        )

    def __str__(self) -> str:
        return str(self.pk)


def beginner(record: Any) -> Actor:
    """Return who made a record; its distributor, where that is all that is known."""
    if found := getattr(record, "created_by", None):
        return found  # type: ignore[no-any-return]
    company = record.provider
    return Actor(company.pk, company.name, company.pk)


def begin(sender: Any, instance: Any, created: bool, raw: bool, **kwargs: Any) -> None:  # noqa: FBT001
    if created and not raw:
        Conversation.about(instance).save()


def end(sender: Any, instance: Any, **kwargs: Any) -> None:
    Conversation.objects.filter(instance_id=instance.pk).delete()


for model in DISCUSSED:
    post_save.connect(begin, sender=model)
    post_delete.connect(end, sender=model)

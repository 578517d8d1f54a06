"""`/public/v1/conversations`: the modules of the records that the conversations are about."""

from typing import Any

from django.db.models import Case, CharField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from api.answers import no_such
from api.bodies import ApiError
from api.resource import Resource
from api.shapes import Rows, actor, reference
from modules.actors import acting, told
from modules.models import Conversation, ConversationFull, Message
from portal.fields import ActorField
from tokens.catalog import Module
from tokens.gate import Caller

OTHERS = (Module.LISTINGS, Module.SUBSCRIPTIONS, Module.TIER_CONFIG)
# Connect has a second kind, which its own changes of states write.
KINDS = (("message", _("Message")), ("state_change", _("State change")))

# Messages within a conversation: a list of a thousand conversations must not have all of theirs.
LATEST = 10


def conversations(caller: Caller) -> "QuerySet[Conversation]":
    """Return the conversations, with what chooses and signs the messages inside.

    That is the account that looks, and the number of the latest message.
    """
    latest = Message.objects.filter(conversation=OuterRef("pk")).order_by("-number")
    found: QuerySet[Conversation] = told(
        caller, Conversation.objects.visible_to(caller), "created_by"
    )
    return found.annotate(
        viewer=Value(caller.account_id, CharField(max_length=24)),
        number=Subquery(latest.values("number")[:1]),
    )


def signed(found: "QuerySet[Message]", viewer: Any) -> "QuerySet[Message]":
    """Return messages with who wrote them, as much as the viewer's account may know about it.

    A person is named to both sides. Of a token, the other side learns only the company.
    """
    foreign = Q(created_by_id__startswith="SU-") & ~Q(account=viewer)
    return found.annotate(
        # PostgreSQL does not know the type of a bare text within a JSON object.
        kind=Cast(Value("message"), CharField(max_length=16, choices=KINDS)),
        **{
            f"created_by_actor_{part}": Case(
                When(foreign, then=f"account{path}"),
                default=f"created_by_{part}",
                output_field=CharField(max_length=ActorField.lengths[part]),
            )
            for part, path in (("id", "_id"), ("name", "__name"))
        },
    )


def messages(caller: Caller, parent: str) -> "QuerySet[Message]":
    """Return the messages of a conversation, in the order in which they were written."""
    inside = Message.objects.filter(conversation__in=called(caller, parent))
    return signed(inside, Value(caller.account_id))


def called(caller: Caller, name: str) -> "QuerySet[Conversation]":
    """Return the conversation with the id, or that about the record with the id."""
    visible: QuerySet[Conversation] = Conversation.objects.visible_to(caller)
    return visible.filter(CONVERSATIONS.called(name))


MESSAGE = {
    "id": "id",
    "conversation": "conversation_id",
    "account": reference("account"),
    "created": "created_at",
    "creator": actor("created_by"),
    "text": "text",
    "type": "kind",
    "events": {"created": {"at": "created_at", "by": actor("created_by")}},
}

CONVERSATIONS = Resource(
    "conversations",
    Module.HELPDESK,
    conversations,
    others=OTHERS,
    known_as="instance_id",
    about="What a vendor and a distributor write to each other about a case, a fulfillment "
    "request, a tier config request or a listing request. Each has one conversation, which needs "
    "the same module as the record.",
    fields={
        "id": "id",
        "instance_id": "instance_id",
        "created": "created_at",
        "topic": "topic",
        "messages": Rows(
            signed(
                Message.objects.filter(
                    conversation=OuterRef("pk"), number__gt=OuterRef("number") - LATEST
                ),
                OuterRef("viewer"),
            ),
            MESSAGE,
        ),
        "creator": actor("created_by"),
        "events": {
            "created": {"at": "created_at", "by": actor("created_by")},
            "updated": {"at": "updated_at"},
        },
    },
    also={"updated": "events.updated.at"},
    search=("id", "instance_id", "topic"),
)

MESSAGES = Resource(
    "conversations/<parent>/messages",
    Module.HELPDESK,
    messages,
    others=OTHERS,
    parent=CONVERSATIONS,
    about="The messages of a conversation, oldest first. The address takes the id of the "
    "conversation, or that of the record it is about.",
    fields=MESSAGE,
    search=("id", "text"),
)


@MESSAGES.creates("text", required=("text",))
def create(caller: Caller, parent: str, values: dict[str, Any]) -> str:
    """Write a message. Both companies can read it, and nobody can change it."""
    found = called(caller, parent).select_for_update(of=("self",), no_key=True).first()
    if found is None:
        raise ApiError(no_such(parent), code="NFND_000", status=404)
    try:
        return str(found.say(values["text"], by=acting(caller)).pk)
    except ConversationFull as problem:
        raise ApiError(str(problem), code="CNV_001") from None

"""Conversations about cases and requests."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from demo.companies import People
from demo.records.base import add, sample_id, seeded, somebody
from modules.models import (
    Case,
    Conversation,
    FulfillmentRequest,
    ListingRequest,
    Message,
    Record,
    TierConfigRequest,
)

# What is written about records of a model, by the two companies in turn. The one that was asked for
# something begins.
TALKS: dict[type[Record], tuple[tuple[str, ...], ...]] = {
    Case: (
        (
            "Can you tell us since when this happens, and in which marketplace?",
            "Since Monday morning, in all of them.",
            "Thank you. We have found the cause and will write again once it is fixed.",
        ),
        ("We are looking into it and will answer by tomorrow.", "Thank you, that is early enough."),
        ("Please send a screenshot, with the time at which you took it.",),
    ),
    FulfillmentRequest: (
        (
            "The domain in the parameters belongs to another customer. Is it spelled right?",
            "There was a letter missing. It is corrected now.",
        ),
        ("The supplier has a delay of two days.", "Thank you, we have told the customer."),
        ("We activate it as soon as the customer has confirmed the first administrator.",),
    ),
    TierConfigRequest: (
        (
            "Which partner number does the reseller have with you?",
            "It has none yet. Please make up a new one.",
        ),
        ("The new number will be in the parameters today.",),
    ),
    ListingRequest: (
        (
            "The product page is ready. When should it go online?",
            "On the first of next month, together with the price list.",
        ),
        ("Deployed to the test marketplace. Please have a look.", "Looks right, thank you."),
    ),
}


def conversations(records: Iterable[Record], people: People) -> None:
    """Add the conversations about the records, and what was written in every other one."""
    found = list(records)
    add(opened(found))
    kept = {each.instance_id: each for each in Conversation.objects.all()}
    add(
        message
        for number, record in enumerate(found)
        if number % 2 == 0
        for message in said(number // 2, record, kept[record.pk], people)
    )


def opened(records: Iterable[Record]) -> Iterator[Conversation]:
    for number, record in enumerate(records):
        made = Conversation.about(record)
        made.pk = sample_id(seeded(f"conversation about {record.pk}"), "CO", *(3,) * 6)
        if number % 2 == 0:
            talk = talk_about(number // 2, record)
            made.updated_at = record.created_at + len(talk) * timedelta(minutes=55)
        yield made


def talk_about(number: int, record: Record) -> tuple[str, ...]:
    talks = TALKS[type(record)]
    return talks[number % len(talks)]


def said(number: int, record: Record, of: Conversation, people: People) -> Iterator[Message]:
    """Yield the messages of a conversation, the first one by the company that was asked."""
    draw = seeded(f"messages about {record.pk}")
    asked = record.receiver_id if isinstance(record, Case) else record.vendor_id
    if isinstance(record, ListingRequest):
        asked = record.provider_id
    (other,) = {record.vendor_id, record.provider_id} - {asked}
    for place, text in enumerate(talk_about(number, record)):
        account = (asked, other)[place % 2]
        message = Message(
            id=sample_id(draw, "ME", *(3,) * 6),
            conversation=of,
            number=place + 1,
            account_id=account,
            text=text,
            created_at=record.created_at + (place + 1) * timedelta(minutes=55),
        )
        message.created_by = somebody(draw, people, account)
        yield message

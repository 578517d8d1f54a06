"""Support cases."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from random import Random

from demo.companies import PAIRS, Pair, People
from demo.records.base import day, sample_id, seeded, somebody, spread
from demo.records.listings import Offer
from modules.models import Case, Contract, Product

CASES = 20
TECHNICAL, BUSINESS = Case.Type
TOPICS = (
    # subject, description, type, whether it is about a product
    (
        "Purchase requests stay pending",
        "Three purchase requests from this morning have not moved for hours. Is anything wrong on "
        "our side?",
        TECHNICAL,
        True,
    ),
    (
        "Wrong currency in the price list",
        "The new edition shows prices in a currency other than the marketplace's.",
        BUSINESS,
        True,
    ),
    (
        "Activation mail does not arrive",
        "A customer is waiting for the administrator's invitation. The address is correct.",
        TECHNICAL,
        True,
    ),
    (
        "Usage file was rejected",
        "Last month's file was rejected although each record names a subscription. What is "
        "missing?",
        TECHNICAL,
        True,
    ),
    (
        "Date of the next contract review",
        "When can we meet to go over the terms for next year?",
        BUSINESS,
        False,
    ),
    (
        "Listing in a second marketplace",
        "We would like to offer the product in another marketplace too. What do you need from us?",
        BUSINESS,
        True,
    ),
    (
        "Suspended by mistake",
        "A subscription was suspended although the invoice had been paid. Please resume it.",
        TECHNICAL,
        True,
    ),
    (
        "Change of the contact person",
        "Someone else will handle our orders from next month. Please note the new address.",
        BUSINESS,
        False,
    ),
    (
        "Quantity of users cannot be lowered",
        "Changing from 40 to 25 users fails every time, without a reason.",
        TECHNICAL,
        True,
    ),
    (
        "Logo on the product page",
        "The product page shows our old logo. Where can we replace it?",
        BUSINESS,
        True,
    ),
    (
        "Invoice without an order number",
        "The last invoice has no order number, so our accounting department cannot book it.",
        BUSINESS,
        False,
    ),
    (
        "Test connection answers with an error",
        "Since the last release, the test connection has refused every request.",
        TECHNICAL,
        True,
    ),
    (
        "Training for resellers",
        "Two resellers have asked for an introduction to the product. Is there one this quarter?",
        BUSINESS,
        True,
    ),
    (
        "Tax number of a customer is not accepted",
        "The form rejects a valid tax number with letters at the end.",
        TECHNICAL,
        False,
    ),
)
FEEDBACK = ("Quick and clear.", "", "It took a week to get an answer.", "Solved for good.", "")


def cases(contracts: Iterable[Contract], offers: Iterable[Offer], people: People) -> Iterator[Case]:
    """Cases between partners, opened by either side in turn."""
    partners = {(each.provider_id, each.vendor_id) for each in contracts}
    products: dict[Pair, list[Product]] = defaultdict(list)
    for offer in offers:
        products[offer.sold.pair].append(offer.product)
    for number in range(3 * CASES):
        if PAIRS[number % 3] in partners:
            yield case(number, products[PAIRS[number % 3]], people)


NEWER = (
    Case.State.CLOSED,
    Case.State.PENDING,
    Case.State.RESOLVED,
    Case.State.INQUIRING,
    Case.State.PENDING,
    Case.State.INQUIRING,
)


def case(number: int, products: Sequence[Product], people: People) -> Case:
    draw = seeded(f"case {number}")
    id = sample_id(draw, "CA", 3, 3, 3)
    provider, vendor = PAIRS[number % 3]
    issuer, receiver = ((provider, vendor), (vendor, provider))[number // 3 % 2]
    asks, answers = somebody(draw, people, issuer), somebody(draw, people, receiver)
    subject, description, kind, about_product = TOPICS[(number // 3 + number % 3 * 5) % len(TOPICS)]
    states = Case.State
    # The older ones are closed; of the newer ones, two thirds are still open.
    newer = number // 3 - (CASES - 12)
    state = NEWER[newer % len(NEWER)] if newer >= 0 else states.CLOSED
    path = steps_to(state, draw)
    created = at = spread(number, day(2023, 2, 6, 8, 40), timedelta(days=10, hours=1, minutes=23))
    row = Case(
        id=id,
        vendor_id=vendor,
        provider_id=provider,
        subject=subject,
        description=description,
        type=kind,
        priority=draw.choices(list(Case.Priority), (3, 4, 2, 1))[0],
        state=state,
        product=draw.choice(products) if about_product and products else None,
        issuer_id=issuer,
        issuer_agent=asks,
        receiver_id=receiver,
        # A case that has not been answered yet has no agent on the other side.
        receiver_agent=None if path == [states.PENDING] else answers,
        created_at=created,
    )
    row.created_by = asks
    for step in path:
        by = answers if step in {states.INQUIRING, states.RESOLVED} else asks
        setattr(row, f"{step}_at", at)
        setattr(row, f"{step}_by", by)
        row.updated_at, row.updated_by = at, by
        at += timedelta(hours=draw.randint(1, 40), minutes=draw.randint(0, 59))
    if state == states.CLOSED:
        row.rating = draw.choices([None, *Case.Rating], (2, 1, 1, 2, 4, 3))[0]
        row.feedback = draw.choice(FEEDBACK) if row.rating else ""
    return row


def steps_to(state: Case.State, draw: Random) -> list[Case.State]:
    """Return the states that a case went through, ending with its current one."""
    states = Case.State
    steps = [states.PENDING]
    if state == states.INQUIRING or draw.random() < 0.4:
        steps.append(states.INQUIRING)
        if state != states.INQUIRING:
            steps.append(states.PENDING)
    if state in {states.RESOLVED, states.CLOSED}:
        steps.append(states.RESOLVED)
    if state == states.CLOSED:
        steps.append(states.CLOSED)
    return steps

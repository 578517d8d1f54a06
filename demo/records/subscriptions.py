"""Subscriptions with their items, and the requests that led to their status."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from demo.companies import PAIRS, Pair, People
from demo.records.base import add, day, sample_id, sample_uid, seeded, somebody, spread, stored
from demo.records.listings import Offer
from modules.models import Asset, AssetItem, Connection, Customer, FulfillmentRequest, Item, Product

# The number of subscriptions for each pair of companies.
ASSETS = 22
A, R = Asset.Status, FulfillmentRequest.Status
PURCHASE, CHANGE, SUSPEND, RESUME, CANCEL = FulfillmentRequest.Type


def subscriptions(
    offers: Iterable[Offer],
    customers: Iterable[Customer],
    lines: Mapping[tuple[str, str], Connection],
) -> dict[int, Asset]:
    """Add the subscriptions of each pair's customers in their countries; return them by number."""
    buyers: dict[Pair, list[Customer]] = defaultdict(list)
    for each in customers:
        if each.type == Customer.Type.CUSTOMER and each.vendor_id:
            buyers[each.provider_id, each.vendor_id].append(each)
    choices: dict[Pair, list[tuple[Offer, list[Customer]]]] = defaultdict(list)
    for offer in offers:
        near = [
            each
            for each in buyers[offer.sold.pair]
            if each.country.upper() in offer.sold.place.countries
        ]
        if near and offer.product.status == Product.Status.PUBLISHED:
            choices[offer.sold.pair].append((offer, near))
    rows = {
        number: asset(number, choices[PAIRS[number % 3]], lines)
        for number in range(3 * ASSETS)
        if choices[PAIRS[number % 3]]
    }
    add(rows.values())
    return dict(zip(rows, stored(list(rows.values())), strict=True))


def parameters(domain: str, email: str) -> list[dict[str, Any]]:
    """Return the values that a buyer gave."""
    site = f"{domain}.{email.partition('@')[2]}"
    return [
        parameter("domain", "Domain", "Where the users sign in.", "text", site),
        parameter("admin_email", "Administrator", "Who gets the first invitation.", "email", email),
    ]


def asset(
    number: int,
    choices: Sequence[tuple[Offer, Sequence[Customer]]],
    lines: Mapping[tuple[str, str], Connection],
) -> Asset:
    draw = seeded(f"asset {number}")
    id = sample_id(draw, "AS", 4, 4, 4)
    # The older ones are settled; the newer ones cover every status.
    newer = number // 3 - (ASSETS - 12)
    status = (
        list(A)[newer % len(A)]
        if newer >= 0
        else draw.choices((A.ACTIVE, A.SUSPENDED, A.TERMINATED), (8, 1, 2))[0]
    )
    days, minutes, uid, domain = (
        draw.randint(40, 300),
        draw.randint(0, 900),
        sample_uid(draw),
        draw.choice(("cloud", "office", "work")),
    )
    (listing, product, sold), near = draw.choice(choices)
    buyer = draw.choice(near)
    begun = max(listing.created_at, buyer.created_at) + timedelta(days=2)
    created = max(
        begun, spread(number // 3, day(2021, 3, 1, 8, 5), timedelta(days=49, hours=2, minutes=11))
    ) + timedelta(hours=number % 3)
    trial = buyer.environment != Customer.Environment.PRODUCTION
    return Asset(
        id=id,
        vendor_id=product.vendor_id,
        provider_id=sold.contract.provider_id,
        status=status,
        external_id=str(1_001_000 + number),
        external_uid=uid,
        product=product,
        connection=lines[product.pk, sold.place.staging if trial else sold.place.hub],
        contract=sold.contract,
        marketplace=sold.place.marketplace,
        customer=buyer,
        reseller_id=buyer.parent_id,
        params=parameters(domain, buyer.email),
        created_at=created,
        updated_at=created + timedelta(days=days, minutes=minutes),
    )


def parameter(id: str, title: str, description: str, kind: str, value: str) -> dict[str, Any]:
    return {
        "id": id,
        "name": id,
        "title": title,
        "description": description,
        "type": kind,
        "value": value,
        "value_error": "",
    }


def asset_items(assets: Iterable[Asset], items: Iterable[Item]) -> None:
    """Add the items of each subscription: always users, often others too."""
    of_product: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.status == Item.Status.PUBLISHED:
            of_product[item.product_id].append(item)
    rows = []
    for asset in assets:
        draw = seeded(f"items of {asset.pk}")
        for place, item in enumerate(of_product[asset.product_id]):
            quantity = (
                draw.randint(1, 250) if item.period == Item.Period.MONTHLY else draw.randint(1, 5)
            )
            if place == 0 or draw.random() < 0.7:
                # Pay-as-you-go items start at zero.
                rows.append(
                    AssetItem(
                        asset=asset,
                        item=item,
                        quantity=0 if item.type == Item.Type.PAY_AS_YOU_GO else quantity,
                    )
                )
    add(rows)


def history(
    number: int, asset: Asset
) -> list[tuple[FulfillmentRequest.Type, FulfillmentRequest.Status]]:
    """Return the requests that led to the status of a subscription, the latest one last."""
    draw = seeded(f"history {asset.pk}")
    before = draw.choice(
        (
            [],
            [],
            [],
            [],
            [(CHANGE, R.APPROVED)],
            [(CHANGE, R.FAILED)],
            [(SUSPEND, R.APPROVED), (RESUME, R.APPROVED)],
        )
    )
    open = draw.choice((R.PENDING, R.PENDING, R.INQUIRING))
    bought = [(PURCHASE, R.APPROVED), *before]
    match asset.status:
        case A.DRAFT:
            return [(PURCHASE, R.DRAFT)]
        case A.PROCESSING:
            # If the vendor lacks data about the reseller, the reseller provides it first.
            return [(PURCHASE, R.TIERS_SETUP if asset.reseller_id and number % 2 else open)]
        case A.ACTIVE:
            if draw.random() < 0.2:
                return [*bought, (CHANGE, open)]
            planned = PLANNED.get(number)
            return [*bought, (CHANGE, planned)] if planned else bought
        case A.SUSPENDED:
            return [
                *bought,
                (SUSPEND, R.APPROVED),
                *([(RESUME, open)] if draw.random() < 0.3 else []),
            ]
        case A.TERMINATING:
            return [*bought, (CANCEL, open)]
        case _:
            return (
                [*bought, (CANCEL, R.APPROVED)] if draw.random() < 0.7 else [(PURCHASE, R.FAILED)]
            )


# What became of changes that were planned for a later day, by the number of the subscription.
PLANNED = {6: R.REVOKED, 24: R.SCHEDULED, 27: R.REVOKING}
REASONS = {
    (PURCHASE, R.FAILED): "The domain already belongs to another subscription.",
    (CHANGE, R.FAILED): "There are more users than the new quantity allows.",
    (CHANGE, R.REVOKING): "The customer no longer needs the change.",
    (CHANGE, R.REVOKED): "The customer no longer needs the change.",
    (CANCEL, R.PENDING): "The customer moves to another product.",
    (CANCEL, R.INQUIRING): "The customer moves to another product.",
    (CANCEL, R.APPROVED): "The customer closed the office.",
    (SUSPEND, R.APPROVED): "An invoice is overdue.",
}
READY = "The subscription is ready. Its administrator has been invited by e-mail."
NOTES = {
    R.TIERS_SETUP: "Waiting for the reseller's data.",
    R.INQUIRING: "Please confirm the domain of the administrator.",
}


def asset_requests(number: int, asset: Asset, people: People) -> Iterator[FulfillmentRequest]:
    draw = seeded(f"requests of {asset.pk}")
    steps = history(number, asset)
    minutes = max(int((asset.updated_at - asset.created_at).total_seconds()) // 60, 0)
    for place, (kind, status) in enumerate(steps):
        created = asset.created_at + timedelta(minutes=minutes * place // len(steps))
        waited = (
            timedelta(0)
            if status == R.DRAFT
            else min(
                timedelta(minutes=draw.randint(20, 2880)), timedelta(minutes=minutes // len(steps))
            )
        )
        approved = status == R.APPROVED
        yield FulfillmentRequest(
            id=f"PR-{asset.pk.removeprefix('AS-')}-{place + 1:03}",
            vendor_id=asset.vendor_id,
            provider_id=asset.provider_id,
            type=kind,
            status=status,
            asset=asset,
            note=NOTES.get(status, ""),
            reason=REASONS.get((kind, status), ""),
            planned_date=created + timedelta(days=14) if status in PLANNED.values() else None,
            activation_key=READY if approved and kind == PURCHASE else "",
            assignee=None
            if status in {R.DRAFT, R.TIERS_SETUP} or draw.random() < 0.3
            else somebody(draw, people, asset.vendor_id),
            created_at=created,
            updated_at=created + waited,
        )

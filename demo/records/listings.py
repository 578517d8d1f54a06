"""Price lists, listings, and the connections to hubs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from demo.companies import Pair
from demo.records.base import add, day, keep, sample_id, seeded, stored
from demo.records.contracts import Sold
from demo.records.marketplaces import Place
from modules.models import Connection, Contract, Listing, PriceList, Product


def price_lists(sold: Sequence[Sold], products: Iterable[Product]) -> dict[str, PriceList]:
    """Add three editions for each vendor in each marketplace: previous, current and next.

    Returns the current ones by contract id.
    """
    editions: dict[str, list[PriceList]] = {}
    for number, (of, place) in enumerate(sold):
        following = (PriceList.Status.SCHEDULED, PriceList.Status.DRAFT)[number % 2]
        editions[of.pk] = keep(
            price_list(of, place, edition, status)
            for edition, status in enumerate(
                (PriceList.Status.TERMINATED, PriceList.Status.ACTIVE, following), start=1
            )
        )
    priced = PriceList.products.through
    add(
        priced(pricelist_id=each.pk, product_id=product.pk)
        for listed in editions.values()
        for each in listed
        for product in products
        if product.vendor_id == each.vendor_id and product.status != Product.Status.DRAFT
    )
    return {
        id: each
        for id, listed in editions.items()
        for each in listed
        if each.status == PriceList.Status.ACTIVE
    }


def price_list(of: Contract, place: Place, edition: int, status: PriceList.Status) -> PriceList:
    draw = seeded(f"price list {of.vendor_id} {place.marketplace.pk} {edition}")
    created = day(2020 + edition, 11, draw.randint(2, 27), draw.randint(7, 16), 20)
    in_force = (
        day(2021 + edition, 1, 1, 0)
        if status in {PriceList.Status.ACTIVE, PriceList.Status.TERMINATED}
        else None
    )
    return PriceList(
        id=sample_id(draw, "PL", 3, 3, 3),
        vendor_id=of.vendor_id,
        provider_id=of.provider_id,
        owner_id=of.provider_id,
        name=f"{place.marketplace.name} Prices, Edition {edition}",
        description=f"Monthly prices for resellers, in {place.marketplace.currency}.",
        status=status,
        currency=place.marketplace.currency,
        activated_at=in_force,
        created_at=created,
        updated_at=day(2022 + edition, 1, 1, 0)
        if status == PriceList.Status.TERMINATED
        else in_force or created + timedelta(days=2),
    )


class Offer(NamedTuple):
    """A product that is listed in a marketplace."""

    listing: Listing
    product: Product
    sold: Sold


def listings(
    sold: Sequence[Sold], products: Sequence[Product], prices: Mapping[str, PriceList]
) -> list[Offer]:
    """Add each product, except drafts, to each marketplace of its vendor's distributors.

    Products that are no longer sold are unlisted there.
    """
    met: set[Pair] = set()
    offers = []
    for each in sold:
        for of in products:
            if of.vendor_id == each.contract.vendor_id and of.status != Product.Status.DRAFT:
                # Each published product is on sale in at least one marketplace of each distributor.
                offers.append(
                    Offer(
                        listing(
                            of, each, prices.get(each.contract.pk), anyway=each.pair not in met
                        ),
                        of,
                        each,
                    )
                )
        met.add(each.pair)
    add(offer.listing for offer in offers)
    found = {row.pk: row for row in stored([offer.listing for offer in offers])}
    return [offer._replace(listing=found[offer.listing.pk]) for offer in offers]


def listing(of: Product, sold: Sold, prices: PriceList | None, *, anyway: bool) -> Listing:
    draw = seeded(f"listing {sold.contract.pk} {of.pk}")
    on_sale = of.status == Product.Status.PUBLISHED and (draw.random() < 0.85 or anyway)
    signed, published = (
        sold.contract.signed_at or sold.contract.created_at,
        of.published_at or of.created_at,
    )
    created = max(signed, published) + timedelta(
        days=draw.randint(2, 60), minutes=draw.randint(0, 600)
    )
    return Listing(
        id=sample_id(draw, "LST", 3, 3, 3),
        vendor_id=of.vendor_id,
        provider_id=sold.contract.provider_id,
        status=Listing.Status.LISTED if on_sale else Listing.Status.UNLISTED,
        contract=sold.contract,
        product=of,
        price_list=prices if on_sale else None,
        created_at=created,
        updated_at=created + timedelta(days=draw.randint(0, 700)),
    )


def connections(offers: Iterable[Offer]) -> dict[tuple[str, str], Connection]:
    """Add connections of products to the hubs of their marketplaces; return them by both ids."""
    rows: dict[tuple[str, str], Connection] = {}
    for listing, product, sold in offers:
        for hub in (sold.place.hub, sold.place.staging):
            draw = seeded(f"connection {product.pk} {hub}")
            rows.setdefault(
                (product.pk, hub),
                Connection(
                    id=sample_id(draw, "CT", 4, 4, 4),
                    vendor_id=product.vendor_id,
                    provider_id=sold.contract.provider_id,
                    type=Connection.Type.TEST
                    if hub == sold.place.staging
                    else Connection.Type.PRODUCTION,
                    product=product,
                    hub_id=hub,
                    created_at=listing.created_at,
                    updated_at=listing.created_at + timedelta(days=draw.randint(0, 90)),
                ),
            )
    add(rows.values())
    return dict(zip(rows, stored(list(rows.values())), strict=True))

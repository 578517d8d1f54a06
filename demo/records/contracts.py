"""Agreements and contracts."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from demo.companies import PAIRS, Pair, People
from demo.records.base import day, sample_id, seeded, somebody, spread
from demo.records.marketplaces import MARKETPLACES, Place
from modules.models import Agreement, Contract

REGIONS = (
    "Iberia",
    "Benelux",
    "Nordics",
    "DACH",
    "Italy",
    "France",
    "Ireland",
    "Poland",
    "Baltics",
    "Greece",
    "Czechia",
    "Austria",
)
LINES = (
    "Cloud Backup",
    "Endpoint Security",
    "Managed Kubernetes",
    "Business Mail",
    "Contract Archive",
    "Video Meetings",
    "Object Storage",
    "Identity Hub",
    "Log Search",
    "Device Management",
)


def agreement(number: int) -> Agreement:
    draw = seeded(f"agreement {number}")
    provider, vendor = PAIRS[number % 3]
    kind = (Agreement.Type.DISTRIBUTION, Agreement.Type.PROGRAM, Agreement.Type.SERVICE)[
        number // 3 % 3
    ]
    prefix = {
        Agreement.Type.DISTRIBUTION: "AGD",
        Agreement.Type.PROGRAM: "AGP",
        Agreement.Type.SERVICE: "AGS",
    }[kind]
    noun = {
        Agreement.Type.DISTRIBUTION: "Distribution",
        Agreement.Type.PROGRAM: "Partner Program",
        Agreement.Type.SERVICE: "Service",
    }[kind]
    created = spread(number % 400, day(2019, 2, 4, 8, 15), timedelta(days=5, hours=3, minutes=7))
    id = sample_id(draw, prefix, 3, 3, 3)
    return Agreement(
        id=id,
        vendor_id=vendor,
        provider_id=provider,
        # Service agreements are offered by the vendor, the others by the distributor.
        owner_id=vendor if kind == Agreement.Type.SERVICE else provider,
        type=kind,
        title=f"{draw.choice(LINES)} {noun} Agreement, {draw.choice(REGIONS)}",
        description=f"Terms of {noun.lower()} between the two companies.",
        marketplace_id=draw.choice([id for id, _, owner, *_ in MARKETPLACES if owner == provider]),
        link=f"https://documents.example/{id.lower()}.pdf",
        active=draw.random() < 0.85,
        auto_accept=draw.random() < 0.2,
        version=draw.randint(1, 5),
        created_at=created,
        updated_at=created + timedelta(days=draw.randint(0, 300), minutes=draw.randint(0, 900)),
    )


CONTRACT_NOTES = {
    Contract.Status.PENDING: "Waiting for the other side's signature.",
    Contract.Status.REJECTED: "The payment terms could not be agreed on.",
    Contract.Status.TERMINATED: "Ended by both sides at the end of the year.",
}


def contract(number: int, of: Agreement, people: People) -> Contract:
    draw = seeded(f"contract {number}")
    status = (
        Contract.Status.ACTIVE
        if number < 9
        else draw.choices(Contract.Status.values, (1, 2, 8, 1, 2))[0]
    )
    created = of.created_at + timedelta(days=draw.randint(1, 40), minutes=draw.randint(0, 900))
    signed = status in {Contract.Status.ACTIVE, Contract.Status.TERMINATED}
    partner = of.vendor_id if of.owner_id == of.provider_id else of.provider_id
    return Contract(
        id=sample_id(draw, {"AGD": "CRD", "AGP": "CRP", "AGS": "CRS"}[of.id[:3]], 5, 5, 5),
        vendor_id=of.vendor_id,
        provider_id=of.provider_id,
        name=of.title.replace("Agreement", "Contract"),
        type=of.type,
        status=status,
        agreement=of,
        owner_id=partner,
        issuer_id=of.owner_id,
        marketplace_id=of.marketplace_id,
        version=of.version,
        enrolled_at=created,
        signed_at=created + timedelta(days=draw.randint(1, 14)) if signed else None,
        created_at=created,
        updated_at=created + timedelta(days=draw.randint(15, 200)),
        # The partner enrols and signs.
        creator=somebody(draw, people, partner),
        signee=somebody(draw, people, partner) if signed else None,
        note=CONTRACT_NOTES.get(Contract.Status(status), ""),
    )


class Sold(NamedTuple):
    """A distribution contract under which products are sold, and the place of sale."""

    contract: Contract
    place: Place

    @property
    def pair(self) -> Pair:
        return self.contract.provider_id, self.contract.vendor_id


def sold_under(
    contracts: Iterable[Contract], places: Mapping[str | None, Place]
) -> Iterable[Contract]:
    """Return the first active distribution contract of each vendor in each marketplace."""
    first: dict[tuple[str, str | None], Contract] = {}
    for each in contracts:
        active = each.type == Agreement.Type.DISTRIBUTION and each.status == Contract.Status.ACTIVE
        if active and each.marketplace_id in places:
            first.setdefault((each.vendor_id, each.marketplace_id), each)
    return first.values()

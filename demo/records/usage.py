"""Usage files."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from demo.companies import PAIRS, Pair, People
from demo.records.base import day, sample_id, seeded, somebody
from demo.records.listings import Offer
from modules.models import Customer, UsageFile

USAGE_FILES = 20
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def usage_files(offers: Iterable[Offer], people: People) -> Iterator[UsageFile]:
    """Yield a file for each pair of companies and month, from January 2023 on."""
    choices: dict[Pair, list[Offer]] = defaultdict(list)
    for offer in offers:
        choices[offer.sold.pair].append(offer)
    for number in range(3 * USAGE_FILES):
        if choices[PAIRS[number % 3]]:
            yield usage_file(number, choices[PAIRS[number % 3]], people)


def usage_file(number: int, choices: Sequence[Offer], people: People) -> UsageFile:
    draw = seeded(f"usage file {number}")
    year, month = 2023 + number // 3 // 12, number // 3 % 12 + 1
    id = sample_id(draw, f"UF-{year}-{month:02}", 4, 4)
    statuses = UsageFile.Status
    # The older ones are settled; the newer ones cover every status.
    newer = number // 3 - (USAGE_FILES - len(statuses))
    status = (
        list(statuses)[-1 - newer]
        if newer >= 0
        else draw.choice((statuses.CLOSED, statuses.CLOSED, statuses.ACCEPTED))
    )
    _, product, sold = draw.choice(choices)
    begin = day(year, month, 1)
    end = day(year + month // 12, month % 12 + 1, 1)
    created = end + timedelta(days=draw.randint(0, 3), minutes=draw.randint(0, 480))
    submitted = created + timedelta(hours=draw.randint(1, 20)) if status in SUBMITTED else None
    accepted = (
        submitted + timedelta(days=draw.randint(1, 4))
        if submitted and status in {statuses.ACCEPTED, statuses.CLOSED}
        else None
    )
    return UsageFile(
        id=id,
        vendor_id=product.vendor_id,
        provider_id=sold.contract.provider_id,
        name=f"{product.name}, {MONTHS[month - 1]} {year}",
        description=f"Extra storage, {sold.place.marketplace.name}.",
        external_id=f"{year}{month:02}-{product.external_id}"[:64],
        status=status,
        schema=list(UsageFile.Schema)[draw.choice((0, 1, 2, 2, 2, 3))],
        environment=draw.choices(list(Customer.Environment), (18, 1, 1))[0],
        product=product,
        contract=sold.contract,
        marketplace=sold.place.marketplace,
        currency=sold.place.marketplace.currency,
        period_from=begin.date(),
        period_to=(end - timedelta(days=1)).date(),
        records=0 if status in {statuses.DRAFT, statuses.UPLOADING} else draw.randint(5, 900),
        rejection_note="Two records name a subscription that had already ended."
        if status == statuses.REJECTED
        else "",
        creator=somebody(draw, people, product.vendor_id),
        submitted_at=submitted,
        accepted_at=accepted,
        created_at=created,
        updated_at=accepted or submitted or created + timedelta(minutes=draw.randint(0, 240)),
    )


SUBMITTED = {
    UsageFile.Status.PENDING,
    UsageFile.Status.REJECTED,
    UsageFile.Status.ACCEPTED,
    UsageFile.Status.CLOSED,
}

"""Customers and resellers."""

from datetime import timedelta
from random import Random

from demo.companies import MICK, PAIRS, SOUTHPAW
from demo.records.base import day, sample_id, sample_uid, seeded, spread
from demo.records.marketplaces import HUB_OF, STAGING
from modules.models import Customer

FIRST_NAMES = (
    "Marta",
    "Jonas",
    "Ines",
    "Luca",
    "Greta",
    "Pablo",
    "Elena",
    "Noah",
    "Sofia",
    "Mateo",
    "Clara",
    "Emil",
)
LAST_NAMES = (
    "Ruiz",
    "Berg",
    "Moreau",
    "Conti",
    "Novak",
    "Silva",
    "Keller",
    "Larsen",
    "Costa",
    "Vidal",
    "Horvat",
    "Dahl",
)
TRADES = (
    "Logistics",
    "Foods",
    "Design",
    "Clinics",
    "Tools",
    "Legal",
    "Travel",
    "Printing",
    "Optics",
    "Energy",
)
STREETS = ("Harbour Street", "Mill Lane", "Station Road", "Market Square")
CITIES = (
    ("Valencia", "es", "+34"),
    ("Porto", "pt", "+351"),
    ("Ghent", "be", "+32"),
    ("Turin", "it", "+39"),
    ("Graz", "at", "+43"),
    ("Lyon", "fr", "+33"),
)
# Cities of the customers from number 96 on, by distributor: those of its marketplaces.
HOME_CITIES = {
    MICK: (
        ("London", "gb", "+44"),
        ("Leeds", "gb", "+44"),
        ("Cork", "ie", "+353"),
        ("Utrecht", "nl", "+31"),
        ("Seville", "es", "+34"),
        ("Lisbon", "pt", "+351"),
    ),
    SOUTHPAW: (
        ("Malmö", "se", "+46"),
        ("Bergen", "no", "+47"),
        ("Aarhus", "dk", "+45"),
        ("Turku", "fi", "+358"),
        ("Leipzig", "de", "+49"),
        ("Basel", "ch", "+41"),
    ),
}


def reseller_of(number: int, draw: Random, *, is_reseller: bool) -> str | None:
    """Return the id of the reseller through which a customer buys, if there is one.

    Most customers buy through one of the first nine resellers; from 96 on, through the one of their
    pair, which is itself below another reseller.
    """
    if is_reseller:
        return None if number < 96 else str(customer(number - 96).pk)
    if number < 96:
        if draw.random() < 0.25:
            return None
        return str(customer(number % 3 + 3 * draw.randrange(3)).pk)
    return str(customer(96 + number % 3).pk) if draw.random() < 0.75 else None


def customer(number: int) -> Customer:
    draw = seeded(f"customer {number}")
    provider, vendor = PAIRS[number % 3]
    first, last = draw.choice(FIRST_NAMES), draw.choice(LAST_NAMES)
    city, country, phone = draw.choice(CITIES if number < 96 else HOME_CITIES[provider])
    # The first nine are resellers, three for each pair of companies. From 96 on, the first of each
    # pair is a reseller, and every fifth customer has bought nothing yet.
    reseller = number < 9 or 96 <= number < 99
    company = f"{last} {'IT Services' if reseller else draw.choice(TRADES)}"
    created = spread(number, day(2020, 3, 2, 7, 40), timedelta(days=9, hours=5))
    parent = reseller_of(number, draw, is_reseller=reseller)
    id = sample_id(draw, "TA", 4, 4, 4)
    trial = Customer.Environment.TEST if number < 96 else Customer.Environment.PREVIEW
    environment = Customer.Environment.PRODUCTION if draw.random() < 0.9 else trial
    return Customer(
        id=id,
        vendor_id=None if number >= 99 and number // 3 % 5 == 0 else vendor,
        provider_id=provider,
        name=company,
        type=Customer.Type.RESELLER if reseller else Customer.Type.CUSTOMER,
        environment=environment,
        external_id=str(10_000 + number),
        external_uid=sample_uid(draw),
        tax_id=f"{country.upper()}{draw.randrange(10**8):08}",
        parent_id=parent,
        hub_id=STAGING[provider]
        if environment == trial
        else HUB_OF.get((provider, country.upper())),
        address=f"{draw.choice(STREETS)} {draw.randint(1, 120)}",
        city=city,
        postal_code=f"{draw.randrange(10_000, 99_999)}",
        country=country,
        first_name=first,
        last_name=last,
        email=f"{first}.{last}@{company.split()[0]}-{company.split()[-1]}.example".lower(),
        phone_country=phone,
        phone_area=str(draw.randint(10, 99)),
        phone_number=f"{draw.randrange(10**6):06}",
        created_at=created,
        updated_at=created + timedelta(days=draw.randint(0, 400)),
    )

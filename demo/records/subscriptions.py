"""The business records of `manage.py demo`: the same every time, and they belong together.

`load()` goes from what others need to what needs others. Each step adds the records that are missing and goes on with all of
them as they are stored, so that new ones fit what people have changed in the meantime.
"""

import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from django.db.models import Model
from django.utils import timezone

from accounts.models import User
from modules.models import (
    Agreement,
    Asset,
    AssetItem,
    Case,
    Category,
    Connection,
    Contract,
    Country,
    Customer,
    Environment,
    FulfillmentRequest,
    Hub,
    Item,
    Listing,
    Locale,
    Marketplace,
    MarketplaceHub,
    PriceList,
    Product,
    Report,
    ReportTemplate,
    Service,
    TierConfig,
    UsageFile,
)

MICK, FRONT_STREET, BAYSIDE, SOUTHPAW = "PA-063-101", "VA-044-420", "VA-571-206", "PA-318-774"
# Where the pairs of companies meet: each of the two main companies has two partners.
PAIRS = ((MICK, FRONT_STREET), (MICK, BAYSIDE), (SOUTHPAW, FRONT_STREET))

# Who acts for a company: account id -> its people.
People = Mapping[str, Sequence[User]]
Pair = tuple[str, str]
Row = TypeVar("Row", bound=Model)

# How many there are for each pair of companies.
ASSETS, USAGE_FILES, CASES = 22, 20, 20


def load(per_account: int, people: People) -> None:
    """Add the records that are missing, with `per_account` agreements for each main account."""
    countries_and_locales()
    places = marketplaces()
    # Two of the three pairs concern each main account.
    agreements = [agreement(number) for number in range(-(-per_account * 3 // 2))]
    add(agreements)
    contracts = keep(contract(number, of, people) for number, of in enumerate(stored(agreements[:108])))
    category_ids = categories()
    products = keep(product(number, category_ids) for number in range(24))
    items = keep(item for number, of in enumerate(products) for item in product_items(number, of))
    customers = keep(customer(number) for number in range(144))

    sold = [Sold(of, places[of.marketplace_id]) for of in sold_under(contracts, places)]
    prices = price_lists(sold, products)
    offers = [offer for offer in listings(sold, products, prices) if offer.listing.status == Listing.Status.LISTED]
    lines = connections(offers)
    assets = subscriptions(offers, customers, lines)
    asset_items(assets.values(), items)
    requests = keep(request for number, asset in assets.items() for request in asset_requests(number, asset, people))
    keep(tier_configs(assets.values(), {each.pk: each for each in customers}, requests))
    keep(usage_files(offers, people))
    keep(cases(contracts, offers, people))
    reports(people)
    services(products)


def add(rows: Iterable[Row]) -> list[Row]:
    """Add the rows that are missing."""
    rows = list(rows)
    if rows:
        type(rows[0])._default_manager.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    return rows


def stored(rows: Sequence[Row]) -> list[Row]:
    """The rows as they are stored, in the same order."""
    if not rows:
        return []
    found = type(rows[0])._default_manager.in_bulk([row.pk for row in rows])
    return [found[row.pk] for row in rows if row.pk in found]


def keep(rows: Iterable[Row]) -> list[Row]:
    """Add the rows that are missing; all of them as they are stored."""
    return stored(add(rows))


def seeded(of: str) -> random.Random:
    return random.Random(of)  # noqa: S311 (sample data, the same every time)


def sample_id(draw: random.Random, prefix: str, *groups: int) -> str:
    return "-".join((prefix, *(f"{draw.randrange(10**digits):0{digits}}" for digits in groups)))


def sample_uid(draw: random.Random) -> str:
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def day(year: int, month: int, date: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(year, month, date, hour, minute, tzinfo=UTC)


def spread(number: int, first: datetime, step: timedelta) -> datetime:
    return first + number * step


def somebody(draw: random.Random, people: People, account: str) -> User | None:
    """One of the people of the company, if it has any."""
    return draw.choice(people[account]) if people.get(account) else None


# --- Marketplaces ---------------------------------------------------------------------------------

COUNTRIES = {
    "AT": "Austria",
    "BE": "Belgium",
    "CH": "Switzerland",
    "DE": "Germany",
    "DK": "Denmark",
    "ES": "Spain",
    "FI": "Finland",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "IT": "Italy",
    "LU": "Luxembourg",
    "NL": "Netherlands",
    "NO": "Norway",
    "PT": "Portugal",
    "SE": "Sweden",
}
LOCALES = (
    ("CA-ES", "Catalan (Spain)", "català (Espanya)", False),
    ("DA-DK", "Danish (Denmark)", "dansk (Danmark)", True),
    ("DE-AT", "German (Austria)", "Deutsch (Österreich)", True),
    ("DE-CH", "German (Switzerland)", "Deutsch (Schweiz)", True),
    ("DE-DE", "German (Germany)", "Deutsch (Deutschland)", True),
    ("EN-GB", "English (United Kingdom)", "English (United Kingdom)", True),
    ("ES-ES", "Spanish (Spain)", "español (España)", True),
    ("FI-FI", "Finnish (Finland)", "suomi (Suomi)", True),
    ("FR-BE", "French (Belgium)", "français (Belgique)", True),
    ("FR-FR", "French (France)", "français (France)", True),
    ("IT-IT", "Italian (Italy)", "italiano (Italia)", True),
    ("LB-LU", "Luxembourgish (Luxembourg)", "Lëtzebuergesch (Lëtzebuerg)", False),
    ("NB-NO", "Norwegian Bokmål (Norway)", "norsk bokmål (Norge)", True),
    ("NL-BE", "Dutch (Belgium)", "Nederlands (België)", True),
    ("NL-NL", "Dutch (Netherlands)", "Nederlands (Nederland)", True),
    ("PT-PT", "Portuguese (Portugal)", "português (Portugal)", True),
    ("SV-SE", "Swedish (Sweden)", "svenska (Sverige)", True),
)
# The last hub of each distributor is the one to try things out with: it serves all of its marketplaces.
HUBS = (
    ("HB-1010-0001", "Southern Commerce", MICK, Hub.Type.API, "26.1", "Orders from Spain and Portugal."),
    ("HB-1010-0002", "Northern Commerce", MICK, Hub.Type.API, "26.1", "Orders from the Benelux countries, Great Britain and Ireland."),
    ("HB-1010-0009", "Commerce Staging", MICK, Hub.Type.OA, "25.4", "Trial orders before a product goes on sale."),
    ("HB-3180-0001", "Nordic Storefront", SOUTHPAW, Hub.Type.OA, "25.4", "Orders from the Nordic countries."),
    ("HB-3180-0002", "Alpine Storefront", SOUTHPAW, Hub.Type.API, "26.0", "Orders from Germany, Austria and Switzerland."),
    ("HB-3180-0009", "Storefront Staging", SOUTHPAW, Hub.Type.API, "26.0", "Trial orders before a product goes on sale."),
)
STAGING = {MICK: "HB-1010-0009", SOUTHPAW: "HB-3180-0009"}
MARKETPLACES = (
    # id, name, owner, currency, hub, countries, locales
    ("MP-10101", "Iberia", MICK, "EUR", "HB-1010-0001", ("ES", "PT"), ("ES-ES", "CA-ES", "PT-PT")),
    ("MP-10102", "Benelux", MICK, "EUR", "HB-1010-0002", ("BE", "NL", "LU"), ("NL-NL", "NL-BE", "FR-BE", "LB-LU")),
    ("MP-10103", "United Kingdom", MICK, "GBP", "HB-1010-0002", ("GB", "IE"), ("EN-GB",)),
    ("MP-31801", "Nordics", SOUTHPAW, "SEK", "HB-3180-0001", ("SE", "NO", "DK", "FI"), ("SV-SE", "NB-NO", "DA-DK", "FI-FI")),
    ("MP-31802", "DACH", SOUTHPAW, "EUR", "HB-3180-0002", ("DE", "AT", "CH"), ("DE-DE", "DE-AT", "DE-CH")),
)
# Where a distributor takes orders from a country.
HUB_OF = {(owner, country): hub for _, _, owner, _, hub, countries, _ in MARKETPLACES for country in countries}


class Place(NamedTuple):
    """A marketplace as it is stored, with where people can buy and what takes the orders."""

    marketplace: Marketplace
    countries: tuple[str, ...]
    hub: str
    staging: str


def countries_and_locales() -> None:
    add(Country(id=id, name=name) for id, name in COUNTRIES.items())
    add(Locale(id=id, name=name, local_name=local, auto_translation=automatic) for id, name, local, automatic in LOCALES)


def marketplaces() -> dict[str | None, Place]:
    """The hubs and marketplaces; the marketplaces by id."""
    add(
        Hub(
            id=id,
            name=name,
            description=description,
            owner_id=owner,
            instance_id=sample_uid(seeded(f"hub {id}")),
            instance_type=kind,
            version=version,
            created_at=spread(number, day(2018, 6, 4, 10), timedelta(days=45)),
            updated_at=spread(number, day(2023, 9, 11, 6), timedelta(days=3)),
        )
        for number, (id, name, owner, kind, version, description) in enumerate(HUBS)
    )
    rows = keep(
        Marketplace(
            id=id,
            name=name,
            description=f"Countries: {', '.join(COUNTRIES[country] for country in countries)}.",
            owner_id=owner,
            currency=currency,
            created_at=spread(number, day(2018, 9, 3, 9, 30), timedelta(days=28)),
            updated_at=spread(number, day(2023, 10, 2, 14), timedelta(days=7)),
        )
        for number, (id, name, owner, currency, _, countries, _) in enumerate(MARKETPLACES)
    )
    serving, selling, speaking = [], [], []
    for id, _, owner, _, hub, countries, locales in MARKETPLACES:
        for each in (hub, STAGING[owner]):
            serving.append(MarketplaceHub(marketplace_id=id, hub_id=each, external_id=f"{id[3:]}-{each[-1]}"))
        selling += [Marketplace.countries.through(marketplace_id=id, country_id=country) for country in countries]
        speaking += [Marketplace.locales.through(marketplace_id=id, locale_id=locale) for locale in locales]
    add(serving)
    add(selling)
    add(speaking)
    by_id = {row.pk: row for row in rows}
    return {id: Place(by_id[id], countries, hub, STAGING[owner]) for id, _, owner, _, hub, countries, _ in MARKETPLACES}


# --- Agreements and contracts ---------------------------------------------------------------------

REGIONS = ("Iberia", "Benelux", "Nordics", "DACH", "Italy", "France", "Ireland", "Poland", "Baltics", "Greece", "Czechia", "Austria")
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
    kind = (Agreement.Type.DISTRIBUTION, Agreement.Type.PROGRAM, Agreement.Type.SERVICE)[number // 3 % 3]
    prefix = {Agreement.Type.DISTRIBUTION: "AGD", Agreement.Type.PROGRAM: "AGP", Agreement.Type.SERVICE: "AGS"}[kind]
    noun = {Agreement.Type.DISTRIBUTION: "Distribution", Agreement.Type.PROGRAM: "Partner Program", Agreement.Type.SERVICE: "Service"}[kind]
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
    Contract.Status.PENDING: "Waits for the signature of the other side.",
    Contract.Status.REJECTED: "The terms of payment could not be agreed on.",
    Contract.Status.TERMINATED: "Ended by both sides at the close of the year.",
}


def contract(number: int, of: Agreement, people: People) -> Contract:
    draw = seeded(f"contract {number}")
    status = Contract.Status.ACTIVE if number < 9 else draw.choices(Contract.Status.values, (1, 2, 8, 1, 2))[0]
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
    """A contract of distribution under which products are sold, and where."""

    contract: Contract
    place: Place

    @property
    def pair(self) -> Pair:
        return self.contract.provider_id, self.contract.vendor_id


def sold_under(contracts: Iterable[Contract], places: Mapping[str | None, Place]) -> Iterable[Contract]:
    """The first active contract of distribution for each vendor in each marketplace."""
    first: dict[tuple[str, str | None], Contract] = {}
    for each in contracts:
        active = each.type == Agreement.Type.DISTRIBUTION and each.status == Contract.Status.ACTIVE
        if active and each.marketplace_id in places:
            first.setdefault((each.vendor_id, each.marketplace_id), each)
    return first.values()


# --- Products -------------------------------------------------------------------------------------

# In the order of the ids; the first four are as old as the products.
CATEGORIES = ("Communication", "Infrastructure", "Productivity", "Security", "Analytics", "Business Applications", "Developer Tools")
# What each vendor sells besides.
MORE_LINES = ("Web Firewall", "Data Warehouse")


def categories() -> dict[str, str]:
    """The ids of the categories by name: those that are there keep theirs."""
    ids = dict(Category.objects.order_by("-pk").values_list("name", "pk"))
    taken = set(ids.values())
    free = (id for id in (f"CAT-{number:05}" for number in range(1, 100_000)) if id not in taken)
    missing = {name: next(free) for name in CATEGORIES if name not in ids}
    add(Category(id=id, name=name) for name, id in missing.items())
    return ids | missing


def product(number: int, category_ids: Mapping[str, str]) -> Product:
    draw = seeded(f"product {number}")
    vendor, line = [(vendor, line) for lines in (LINES, MORE_LINES) for vendor in (FRONT_STREET, BAYSIDE) for line in lines][number]
    edition = draw.choice(("Standard", "Business", "Enterprise"))
    created = spread(number, day(2019, 1, 14, 10), timedelta(days=31, hours=1))
    status = draw.choices(Product.Status.values, (1, 6, 1))[0]
    return Product(
        id=sample_id(draw, "PRD", 3, 3, 3),
        name=f"{line} {edition}",
        status=status,
        vendor_id=vendor,
        category_id=category_ids[draw.choice(("Security", "Infrastructure", "Productivity", "Communication"))],
        external_id=f"{''.join(word[0] for word in line.split())}-{1001 + number}".lower(),
        short_description=f"{line} for companies of any size.",
        detailed_description=f"{line} in the edition {edition}, billed by the month, with support in working hours.",
        monthly_price=Decimal(draw.randrange(290, 9990, 10)) / 100,
        version=draw.randint(1, 4),
        published_at=created + timedelta(days=20) if status != Product.Status.DRAFT else None,
        created_at=created,
        updated_at=created + timedelta(days=draw.randint(21, 500)),
    )


ITEMS = (
    # name, description, type, precision, period, unit
    ("User", "One person who works with it.", Item.Type.RESERVATION, Item.Precision.INTEGER, Item.Period.MONTHLY, "Users"),
    ("Extra Storage", "What is stored beyond the basic volume.", Item.Type.PAY_AS_YOU_GO, Item.Precision.DECIMAL, Item.Period.MONTHLY, "Gigabytes"),
    ("Premium Support", "Answers within an hour, at night too.", Item.Type.RESERVATION, Item.Precision.INTEGER, Item.Period.YEARLY, "Contracts"),
    ("Guided Set-up", "A day with a consultant.", Item.Type.RESERVATION, Item.Precision.INTEGER, Item.Period.ONE_TIME, "Days"),
)


def product_items(number: int, of: Product) -> Iterator[Item]:
    draw = seeded(f"items {number}")
    for place, (name, description, kind, precision, period, unit) in enumerate(ITEMS[: draw.randint(2, 4)], start=1):
        # Each product that is sold has something to reserve and something to use; what came later may be new or going.
        settled = place <= 2 or of.status != Product.Status.PUBLISHED or draw.random() < 0.6
        created = of.created_at + timedelta(days=place)
        yield Item(
            id=f"{of.pk}-{place:04}",
            product=of,
            name=name,
            description=description,
            mpn=f"{''.join(word[0] for word in of.name.split())}-{name.split()[-1]}-{1001 + number}".upper(),
            type=kind,
            precision=precision,
            period=period,
            unit=unit,
            status=of.status if settled else draw.choice((Item.Status.DRAFT, Item.Status.ENDOFSALE)),
            position=place * 10_000,
            created_at=created,
            updated_at=created + timedelta(days=draw.randint(0, 120)),
        )


# --- Customers ------------------------------------------------------------------------------------

FIRST_NAMES = ("Marta", "Jonas", "Ines", "Luca", "Greta", "Pablo", "Elena", "Noah", "Sofia", "Mateo", "Clara", "Emil")
LAST_NAMES = ("Ruiz", "Berg", "Moreau", "Conti", "Novak", "Silva", "Keller", "Larsen", "Costa", "Vidal", "Horvat", "Dahl")
TRADES = ("Logistics", "Foods", "Design", "Clinics", "Tools", "Legal", "Travel", "Printing", "Optics", "Energy")
CITIES = (
    ("Valencia", "es", "+34"),
    ("Porto", "pt", "+351"),
    ("Ghent", "be", "+32"),
    ("Turin", "it", "+39"),
    ("Graz", "at", "+43"),
    ("Lyon", "fr", "+33"),
)
# Of the customers from number 96 on, by distributor: where its marketplaces are.
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


def customer(number: int) -> Customer:
    draw = seeded(f"customer {number}")
    provider, vendor = PAIRS[number % 3]
    first, last = draw.choice(FIRST_NAMES), draw.choice(LAST_NAMES)
    city, country, phone = draw.choice(CITIES if number < 96 else HOME_CITIES[provider])
    # The first nine are resellers, three for each pair of companies; most others buy through one of theirs. From 96 on the
    # first of each pair is a reseller below another, through which the rest buys, and every fifth has bought nothing yet.
    reseller = number < 9 or 96 <= number < 99
    company = f"{last} {'IT Services' if reseller else draw.choice(TRADES)}"
    created = spread(number, day(2020, 3, 2, 7, 40), timedelta(days=9, hours=5))
    if number < 96:
        parent = None if reseller or draw.random() < 0.25 else customer(number % 3 + 3 * draw.randrange(3)).pk
    else:
        parent = customer(number - 96).pk if reseller else customer(96 + number % 3).pk if draw.random() < 0.75 else None
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
        hub_id=STAGING[provider] if environment == trial else HUB_OF.get((provider, country.upper())),
        address=f"{draw.choice(('Harbour Street', 'Mill Lane', 'Station Road', 'Market Square'))} {draw.randint(1, 120)}",
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


# --- Prices and listings --------------------------------------------------------------------------


def price_lists(sold: Sequence[Sold], products: Iterable[Product]) -> dict[str, PriceList]:
    """Three editions for each vendor in each marketplace: the last one, the one in force, the next. Those in force, by contract."""
    editions: dict[str, list[PriceList]] = {}
    for number, (of, place) in enumerate(sold):
        following = (PriceList.Status.SCHEDULED, PriceList.Status.DRAFT)[number % 2]
        editions[of.pk] = keep(
            price_list(of, place, edition, status)
            for edition, status in enumerate((PriceList.Status.TERMINATED, PriceList.Status.ACTIVE, following), start=1)
        )
    priced = PriceList.products.through
    add(
        priced(pricelist_id=each.pk, product_id=product.pk)
        for listed in editions.values()
        for each in listed
        for product in products
        if product.vendor_id == each.vendor_id and product.status != Product.Status.DRAFT
    )
    return {id: each for id, listed in editions.items() for each in listed if each.status == PriceList.Status.ACTIVE}


def price_list(of: Contract, place: Place, edition: int, status: PriceList.Status) -> PriceList:
    draw = seeded(f"price list {of.vendor_id} {place.marketplace.pk} {edition}")
    created = day(2020 + edition, 11, draw.randint(2, 27), draw.randint(7, 16), 20)
    in_force = day(2021 + edition, 1, 1, 0) if status in {PriceList.Status.ACTIVE, PriceList.Status.TERMINATED} else None
    return PriceList(
        id=sample_id(draw, "PL", 3, 3, 3),
        vendor_id=of.vendor_id,
        provider_id=of.provider_id,
        owner_id=of.provider_id,
        name=f"{place.marketplace.name} Prices, Edition {edition}",
        description=f"What resellers pay a month, in {place.marketplace.currency}.",
        status=status,
        currency=place.marketplace.currency,
        activated_at=in_force,
        created_at=created,
        updated_at=day(2022 + edition, 1, 1, 0) if status == PriceList.Status.TERMINATED else in_force or created + timedelta(days=2),
    )


class Offer(NamedTuple):
    """A product that is listed in a marketplace."""

    listing: Listing
    product: Product
    sold: Sold


def listings(sold: Sequence[Sold], products: Sequence[Product], prices: Mapping[str, PriceList]) -> list[Offer]:
    """Each product in each marketplace of its vendor's distributors, drafts apart. What is out of sale is listed no more."""
    met: set[Pair] = set()
    offers = []
    for each in sold:
        for of in products:
            if of.vendor_id == each.contract.vendor_id and of.status != Product.Status.DRAFT:
                # Each product that is published is on sale in at least one marketplace of each distributor.
                offers.append(Offer(listing(of, each, prices.get(each.contract.pk), anyway=each.pair not in met), of, each))
        met.add(each.pair)
    add(offer.listing for offer in offers)
    found = {row.pk: row for row in stored([offer.listing for offer in offers])}
    return [offer._replace(listing=found[offer.listing.pk]) for offer in offers]


def listing(of: Product, sold: Sold, prices: PriceList | None, *, anyway: bool) -> Listing:
    draw = seeded(f"listing {sold.contract.pk} {of.pk}")
    on_sale = of.status == Product.Status.PUBLISHED and (draw.random() < 0.85 or anyway)
    signed, published = sold.contract.signed_at or sold.contract.created_at, of.published_at or of.created_at
    created = max(signed, published) + timedelta(days=draw.randint(2, 60), minutes=draw.randint(0, 600))
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
    """A line from each product to each hub of the marketplaces that list it, by product and hub."""
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
                    type=Connection.Type.TEST if hub == sold.place.staging else Connection.Type.PRODUCTION,
                    product=product,
                    hub_id=hub,
                    created_at=listing.created_at,
                    updated_at=listing.created_at + timedelta(days=draw.randint(0, 90)),
                ),
            )
    add(rows.values())
    return dict(zip(rows, stored(list(rows.values())), strict=True))


# --- Subscriptions --------------------------------------------------------------------------------

A, R = Asset.Status, FulfillmentRequest.Status
PURCHASE, CHANGE, SUSPEND, RESUME, CANCEL = FulfillmentRequest.Type


def subscriptions(offers: Iterable[Offer], customers: Iterable[Customer], lines: Mapping[tuple[str, str], Connection]) -> dict[int, Asset]:
    """What customers of each pair of companies bought in the marketplaces of their countries, by number."""
    buyers: dict[Pair, list[Customer]] = defaultdict(list)
    for each in customers:
        if each.type == Customer.Type.CUSTOMER and each.vendor_id:
            buyers[each.provider_id, each.vendor_id].append(each)
    choices: dict[Pair, list[tuple[Offer, list[Customer]]]] = defaultdict(list)
    for offer in offers:
        near = [each for each in buyers[offer.sold.pair] if each.country.upper() in offer.sold.place.countries]
        if near and offer.product.status == Product.Status.PUBLISHED:
            choices[offer.sold.pair].append((offer, near))
    rows = {number: asset(number, choices[PAIRS[number % 3]], lines) for number in range(3 * ASSETS) if choices[PAIRS[number % 3]]}
    add(rows.values())
    return dict(zip(rows, stored(list(rows.values())), strict=True))


def asset(number: int, choices: Sequence[tuple[Offer, Sequence[Customer]]], lines: Mapping[tuple[str, str], Connection]) -> Asset:
    draw = seeded(f"asset {number}")
    id = sample_id(draw, "AS", 4, 4, 4)
    # The older ones have come to rest, the newer ones are in every state.
    newer = number // 3 - (ASSETS - 12)
    status = list(A)[newer % len(A)] if newer >= 0 else draw.choices((A.ACTIVE, A.SUSPENDED, A.TERMINATED), (8, 1, 2))[0]
    days, minutes, uid, domain = draw.randint(40, 300), draw.randint(0, 900), sample_uid(draw), draw.choice(("cloud", "office", "work"))
    (listing, product, sold), near = draw.choice(choices)
    buyer = draw.choice(near)
    begun = max(listing.created_at, buyer.created_at) + timedelta(days=2)
    created = max(begun, spread(number // 3, day(2021, 3, 1, 8, 5), timedelta(days=49, hours=2, minutes=11))) + timedelta(hours=number % 3)
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
        params=[
            parameter("domain", "Domain", "Where the users sign in.", "text", f"{domain}.{buyer.email.partition('@')[2]}"),
            parameter("admin_email", "Administrator", "Who gets the first invitation.", "email", buyer.email),
        ],
        created_at=created,
        updated_at=created + timedelta(days=days, minutes=minutes),
    )


def parameter(id: str, title: str, description: str, kind: str, value: str) -> dict[str, Any]:
    return {"id": id, "name": id, "title": title, "description": description, "type": kind, "value": value, "value_error": ""}


def asset_items(assets: Iterable[Asset], items: Iterable[Item]) -> None:
    """What each subscription has of its product: users always, something else often."""
    of_product: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.status == Item.Status.PUBLISHED:
            of_product[item.product_id].append(item)
    rows = []
    for asset in assets:
        draw = seeded(f"items of {asset.pk}")
        for place, item in enumerate(of_product[asset.product_id]):
            quantity = draw.randint(1, 250) if item.period == Item.Period.MONTHLY else draw.randint(1, 5)
            if place == 0 or draw.random() < 0.7:
                # What is paid as it is used counts from nothing.
                rows.append(AssetItem(asset=asset, item=item, quantity=0 if item.type == Item.Type.PAY_AS_YOU_GO else quantity))
    add(rows)


def history(number: int, asset: Asset) -> list[tuple[FulfillmentRequest.Type, FulfillmentRequest.Status]]:
    """The requests that brought a subscription to its status, the latest last."""
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
            # A reseller whose data the vendor lacks gives them first.
            return [(PURCHASE, R.TIERS_SETUP if asset.reseller_id and number % 2 else open)]
        case A.ACTIVE:
            return [*bought, (CHANGE, open)] if draw.random() < 0.2 else bought
        case A.SUSPENDED:
            return [*bought, (SUSPEND, R.APPROVED), *([(RESUME, open)] if draw.random() < 0.3 else [])]
        case A.TERMINATING:
            return [*bought, (CANCEL, open)]
        case _:
            return [*bought, (CANCEL, R.APPROVED)] if draw.random() < 0.7 else [(PURCHASE, R.FAILED)]


REASONS = {
    (PURCHASE, R.FAILED): "The domain belongs to another subscription already.",
    (CHANGE, R.FAILED): "There are more users than the new quantity allows.",
    (CANCEL, R.PENDING): "The customer moves to another product.",
    (CANCEL, R.INQUIRING): "The customer moves to another product.",
    (CANCEL, R.APPROVED): "The customer closed the office.",
    (SUSPEND, R.APPROVED): "An invoice is overdue.",
}
NOTES = {
    R.TIERS_SETUP: "Waits for the data of the reseller.",
    R.INQUIRING: "Please confirm the domain of the administrator.",
}


def asset_requests(number: int, asset: Asset, people: People) -> Iterator[FulfillmentRequest]:
    draw = seeded(f"requests of {asset.pk}")
    steps = history(number, asset)
    minutes = max(int((asset.updated_at - asset.created_at).total_seconds()) // 60, 0)
    for place, (kind, status) in enumerate(steps):
        created = asset.created_at + timedelta(minutes=minutes * place // len(steps))
        waited = timedelta(0) if status == R.DRAFT else min(timedelta(minutes=draw.randint(20, 2880)), timedelta(minutes=minutes // len(steps)))
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
            activation_key="The subscription is ready. Its administrator has got an invitation by e-mail." if approved and kind == PURCHASE else "",
            assignee=None if status in {R.DRAFT, R.TIERS_SETUP} or draw.random() < 0.3 else somebody(draw, people, asset.vendor_id),
            created_at=created,
            updated_at=created + waited,
        )


def tier_configs(assets: Iterable[Asset], customers: Mapping[str, Customer], requests: Iterable[FulfillmentRequest]) -> Iterable[TierConfig]:
    """What vendors know of the resellers of subscriptions, one for each product and reseller; of those above them too."""
    waiting = {request.asset_id for request in requests if request.status == R.TIERS_SETUP}
    rows: dict[tuple[str, str], TierConfig] = {}
    # Those that a purchase waits for come first, since they decide.
    for asset in sorted(assets, key=lambda asset: asset.pk not in waiting):
        reseller = customers.get(asset.reseller_id or "")
        above = customers.get(reseller.parent_id or "") if reseller else None
        for level, each in zip(TierConfig.Level, (reseller, above), strict=True):
            if each and (each.pk, asset.product_id) not in rows:
                status = TierConfig.Status.PROCESSING if asset.pk in waiting else TierConfig.Status.ACTIVE
                rows[each.pk, asset.product_id] = tier_config(asset, each, level, status)
    return rows.values()


def tier_config(asset: Asset, of: Customer, level: TierConfig.Level, status: TierConfig.Status) -> TierConfig:
    draw = seeded(f"tier config {of.pk} {asset.product_id}")
    number = f"P-{draw.randrange(10**6):06}"
    return TierConfig(
        id=sample_id(draw, "TC", 3, 3, 3),
        vendor_id=asset.vendor_id,
        provider_id=asset.provider_id,
        name=f"Configuration of {of.name} for {asset.product.name}",
        status=status,
        tier_level=level,
        customer=of,
        product_id=asset.product_id,
        connection_id=asset.connection_id,
        contract_id=asset.contract_id,
        marketplace_id=asset.marketplace_id,
        params=[
            parameter(
                "partner_number",
                "Partner number",
                "The reseller's number with the vendor.",
                "text",
                number if status == TierConfig.Status.ACTIVE else "",
            )
        ],
        created_at=asset.created_at,
        updated_at=asset.created_at + timedelta(hours=draw.randint(1, 72)),
    )


# --- Usage ----------------------------------------------------------------------------------------

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
    """A file for each pair of companies in each month, from January 2023 on."""
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
    states = UsageFile.Status
    # The older ones are settled, the newer ones are in every state.
    newer = number // 3 - (USAGE_FILES - len(states))
    status = list(states)[-1 - newer] if newer >= 0 else draw.choice((states.CLOSED, states.CLOSED, states.ACCEPTED))
    _, product, sold = draw.choice(choices)
    begin = day(year, month, 1)
    end = day(year + month // 12, month % 12 + 1, 1)
    created = end + timedelta(days=draw.randint(0, 3), minutes=draw.randint(0, 480))
    submitted = created + timedelta(hours=draw.randint(1, 20)) if status in SUBMITTED else None
    accepted = submitted + timedelta(days=draw.randint(1, 4)) if submitted and status in {states.ACCEPTED, states.CLOSED} else None
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
        records=0 if status in {states.DRAFT, states.UPLOADING} else draw.randint(5, 900),
        rejection_note="Two records name a subscription that had ended." if status == states.REJECTED else "",
        creator=somebody(draw, people, product.vendor_id),
        submitted_at=submitted,
        accepted_at=accepted,
        created_at=created,
        updated_at=accepted or submitted or created + timedelta(minutes=draw.randint(0, 240)),
    )


SUBMITTED = {UsageFile.Status.PENDING, UsageFile.Status.REJECTED, UsageFile.Status.ACCEPTED, UsageFile.Status.CLOSED}

# --- Helpdesk -------------------------------------------------------------------------------------

TECHNICAL, BUSINESS = Case.Type
TOPICS = (
    # subject, description, type, whether it is about a product
    (
        "Purchase requests stay pending",
        "Three purchase requests of this morning have not moved for hours. Is anything wrong on our side?",
        TECHNICAL,
        True,
    ),
    ("Wrong currency in the price list", "The new edition shows prices in another currency than that of the marketplace.", BUSINESS, True),
    ("Activation mail does not arrive", "A customer waits for the invitation of the administrator. The address is right.", TECHNICAL, True),
    ("Usage file was rejected", "The file of last month was rejected although each record names a subscription. What is missing?", TECHNICAL, True),
    ("Date of the next contract review", "When shall we meet to go through the terms of the coming year?", BUSINESS, False),
    ("Listing in a second marketplace", "We should like to offer the product in another marketplace too. What do you need from us?", BUSINESS, True),
    ("Suspended by mistake", "A subscription was suspended though the invoice had been paid. Please resume it.", TECHNICAL, True),
    ("Change of the contact person", "From next month on somebody else answers for our orders. Please note the new address.", BUSINESS, False),
    ("Quantity of users cannot be lowered", "A change from 40 to 25 users fails each time, without a reason.", TECHNICAL, True),
    ("Logo on the product page", "The product page shows our former logo. Where can we replace it?", BUSINESS, True),
    ("Invoice without an order number", "The last invoice names no order number, so our accounting cannot book it.", BUSINESS, False),
    ("Test connection answers with an error", "Since the last release the test connection refuses every request.", TECHNICAL, True),
    ("Training for resellers", "Two resellers ask for an introduction to the product. Is there one this quarter?", BUSINESS, True),
    ("Tax number of a customer is not accepted", "The form refuses a valid tax number with letters at the end.", TECHNICAL, False),
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


def case(number: int, products: Sequence[Product], people: People) -> Case:
    draw = seeded(f"case {number}")
    id = sample_id(draw, "CA", 3, 3, 3)
    provider, vendor = PAIRS[number % 3]
    issuer, receiver = ((provider, vendor), (vendor, provider))[number // 3 % 2]
    asks, answers = somebody(draw, people, issuer), somebody(draw, people, receiver)
    subject, description, kind, about_product = TOPICS[(number // 3 + number % 3 * 5) % len(TOPICS)]
    states = Case.State
    # The older ones are done, of the newer ones two thirds are not.
    newer = number // 3 - (CASES - 12)
    state = (
        (states.CLOSED, states.PENDING, states.RESOLVED, states.INQUIRING, states.PENDING, states.INQUIRING)[newer % 6]
        if newer >= 0
        else states.CLOSED
    )
    path = [states.PENDING]
    if state == states.INQUIRING or draw.random() < 0.4:
        path.append(states.INQUIRING)
        if state != states.INQUIRING:
            path.append(states.PENDING)
    if state in {states.RESOLVED, states.CLOSED}:
        path.append(states.RESOLVED)
    if state == states.CLOSED:
        path.append(states.CLOSED)
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
        # Somebody takes a case up when there is something to answer.
        receiver_agent=None if path == [states.PENDING] else answers,
        created_at=created,
        actors={"created": actor(asks)},
    )
    for step in path:
        by = actor(answers if step in {states.INQUIRING, states.RESOLVED} else asks)
        setattr(row, f"{step}_at", at)
        row.actors |= {step.value: by, "updated": by}
        row.updated_at = at
        at += timedelta(hours=draw.randint(1, 40), minutes=draw.randint(0, 59))
    if state == states.CLOSED:
        row.rating = draw.choices([None, *Case.Rating], (2, 1, 1, 2, 4, 3))[0]
        row.feedback = draw.choice(FEEDBACK) if row.rating else ""
    return row


def actor(person: User | None) -> dict[str, str]:
    """A person as the events of a case name them."""
    return {"id": person.pk, "name": person.name} if person else {}


# --- Reports --------------------------------------------------------------------------------------

TEMPLATES = (
    ("TPL-100-000-001", "Listings", "Which product is on sale in which marketplace.", ReportTemplate.Type.SYSTEM, "listings"),
    ("TPL-100-000-002", "Fulfillment Requests", "Requests of a period with their outcome.", ReportTemplate.Type.SYSTEM, "fulfillment_requests"),
    ("TPL-100-000-003", "Subscriptions", "Subscriptions with customers and quantities.", ReportTemplate.Type.SYSTEM, "subscriptions"),
    ("TPL-100-000-004", "Usage Files", "Usage files of a period with their amounts.", ReportTemplate.Type.SYSTEM, "usage_files"),
    ("TPL-200-000-001", "Review of the Quarter", "Figures for the talk with partners.", ReportTemplate.Type.CUSTOM, "quarter_review"),
)
FAILURES = ("The report took longer than an hour and was stopped.", "The period holds no records.")


def reports(people: People) -> None:
    """Five reports of each company, one of each status. Those under way look alive: they count back from the first run."""
    add(ReportTemplate(id=id, name=name, description=text, type=kind, local_id=local) for id, name, text, kind, local in TEMPLATES)
    now = timezone.now().replace(microsecond=0)
    add(report(account, number, now) for account in people for number in range(5))


def report(account: str, number: int, now: datetime) -> Report:
    draw = seeded(f"report {account} {number}")
    states = Report.Status
    status = (states.SUCCEEDED, states.FAILED, states.RUNNING, states.DEPLOYING, states.PENDING)[number]
    template, name, description, kind, _ = TEMPLATES[(number + int(account[-1])) % len(TEMPLATES)]
    monthly = kind == ReportTemplate.Type.SYSTEM
    ended = status in {states.SUCCEEDED, states.FAILED}
    timeout = status == states.FAILED and draw.random() < 0.5
    created = day(2024, draw.randint(1, 9), draw.randint(1, 28), 5, 30) if ended else now - timedelta(minutes=12 - 2 * number)
    started = created + timedelta(minutes=3) if ended or status == states.RUNNING else None
    terminated = created + timedelta(minutes=63 if timeout else draw.randint(4, 30)) if ended else None
    return Report(
        id=sample_id(draw, "REP", 3, 3, 3),
        name=f"Monthly {name}" if monthly else name,
        description=description,
        owner_id=account,
        template_id=template,
        schedule_id=sample_id(draw, "SCH", 3, 3, 3),
        schedule_name="First day of the month" if monthly else "First day of the quarter",
        status=status,
        renderer=draw.choice(("xlsx", "xlsx", "csv", "json")),
        size=draw.randint(8_000, 900_000) if status == states.SUCCEEDED else None,
        timeout=timeout,
        failure_output=FAILURES[0 if timeout else 1] if status == states.FAILED else "",
        created_at=created,
        updated_at=terminated or started or created,
        started_at=started,
        terminated_at=terminated,
    )


# --- Services -------------------------------------------------------------------------------------

SERVICES = (
    # owner, type, name, description, category
    (MICK, Service.Type.HUB, "Storefront Orders", "Passes orders of the storefront on and brings their outcome back.", "Commerce"),
    (MICK, Service.Type.TRANSFORMATIONS, "Price Rounding", "Rounds the prices of vendors to what the storefront shows.", "Pricing"),
    (MICK, Service.Type.MULTIACCOUNT, "Partner Letter", "Tells partners each week what is new in the marketplaces.", "Communication"),
    (FRONT_STREET, Service.Type.PRODUCTS, "Tenant Set-up", "Makes and changes tenants as requests come in.", "Fulfillment"),
    (FRONT_STREET, Service.Type.TRANSFORMATIONS, "Usage Splitter", "Splits usage by subscription before it is reported.", "Usage"),
    (FRONT_STREET, Service.Type.MULTIACCOUNT, "Trial Reminder", "Reminds distributors of trials that end soon.", "Communication"),
    (BAYSIDE, Service.Type.PRODUCTS, "Domain Check", "Checks domains before a purchase is approved.", "Fulfillment"),
    (BAYSIDE, Service.Type.MULTIACCOUNT, "Case Router", "Sends support cases to the team that knows the product.", "Helpdesk"),
    (SOUTHPAW, Service.Type.HUB, "Nordic Orders", "Passes orders of the storefront on and brings their outcome back.", "Commerce"),
    (SOUTHPAW, Service.Type.TRANSFORMATIONS, "Currency Columns", "Adds prices in the currencies of the neighbours.", "Pricing"),
)
SITES = {MICK: "mightymicks", FRONT_STREET: "frontstreet", BAYSIDE: "bayside", SOUTHPAW: "southpaw"}


def services(products: Sequence[Product]) -> None:
    """The extensions that companies run, each with its three environments. Those of vendors work for products of theirs."""
    rows = [service(number) for number in range(len(SERVICES))]
    add(rows)
    add(place for number, row in enumerate(rows) for place in environments(number, row))
    add(
        Service.products.through(service_id=row.pk, product_id=each.pk)
        for row in rows
        for each in [of for of in products if of.vendor_id == row.owner_id and of.status == Product.Status.PUBLISHED][:3]
        if row.type != Service.Type.MULTIACCOUNT
    )


def service(number: int) -> Service:
    owner, kind, name, description, category = SERVICES[number]
    draw = seeded(f"service {number}")
    created = spread(number, day(2022, 2, 14, 11, 5), timedelta(days=63, hours=2))
    return Service(
        id=sample_id(draw, "SRVC", 4, 4),
        type=kind,
        name=name,
        description=description,
        package_id=f"{SITES[owner]}.{name.lower().replace(' ', '_').replace('-', '')}",
        extension_id=sample_id(draw, "EXT", 3, 3),
        owner_id=owner,
        category=category,
        website=f"https://{SITES[owner]}.example/{name.lower().replace(' ', '-')}",
        created_at=created,
        updated_at=created + timedelta(days=draw.randint(10, 300)),
    )


def environments(number: int, of: Service) -> Iterator[Environment]:
    """One to develop in, on the developer's machine, and two in the cloud."""
    draw = seeded(f"environments {number}")
    states, tag = Environment.Status, f"{draw.randint(1, 4)}.{draw.randint(0, 12)}"
    usual = (
        (states.CONNECTED, states.DISCONNECTED, states.UNINITIALIZED)[number % 3],
        (states.RUNNING, states.STOPPED, states.ERRORED)[number % 3],
        (states.RUNNING, states.RUNNING, states.RUNNING, states.UNINITIALIZED)[number % 4],
    )
    for place, (kind, status) in enumerate(zip(Environment.Type, usual, strict=True), start=1):
        yield Environment(
            id=f"ENV-{of.pk.removeprefix('SRVC-')}-{place:02}",
            service=of,
            type=kind,
            runtime=Environment.Runtime.LOCAL if kind == Environment.Type.DEVELOPMENT else Environment.Runtime.CLOUD,
            external_id=sample_uid(draw),
            status=status,
            git_url=f"https://code.example/{of.package_id.replace('.', '/')}",
            git_tag=f"{tag}.{3 - place}",
            git_commit=f"{draw.getrandbits(160):040x}",
        )

"""Marketplaces, with hubs, countries and locales."""

from datetime import timedelta
from typing import NamedTuple

from demo.companies import MICK, SOUTHPAW
from demo.records.base import add, day, keep, sample_uid, seeded, spread
from modules.models import Country, Hub, Locale, Marketplace, MarketplaceHub

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
# The last hub of each distributor is for trials and serves all of its marketplaces.
HUBS = (
    (
        "HB-1010-0001",
        "Southern Commerce",
        MICK,
        Hub.Type.API,
        "26.1",
        "Orders from Spain and Portugal.",
    ),
    (
        "HB-1010-0002",
        "Northern Commerce",
        MICK,
        Hub.Type.API,
        "26.1",
        "Orders from the Benelux countries, Great Britain and Ireland.",
    ),
    (
        "HB-1010-0009",
        "Commerce Staging",
        MICK,
        Hub.Type.OA,
        "25.4",
        "Trial orders before a product goes on sale.",
    ),
    (
        "HB-3180-0001",
        "Nordic Storefront",
        SOUTHPAW,
        Hub.Type.OA,
        "25.4",
        "Orders from the Nordic countries.",
    ),
    (
        "HB-3180-0002",
        "Alpine Storefront",
        SOUTHPAW,
        Hub.Type.API,
        "26.0",
        "Orders from Germany, Austria and Switzerland.",
    ),
    (
        "HB-3180-0009",
        "Storefront Staging",
        SOUTHPAW,
        Hub.Type.API,
        "26.0",
        "Trial orders before a product goes on sale.",
    ),
)
STAGING = {MICK: "HB-1010-0009", SOUTHPAW: "HB-3180-0009"}
MARKETPLACES = (
    # id, name, owner, currency, hub, countries, locales
    ("MP-10101", "Iberia", MICK, "EUR", "HB-1010-0001", ("ES", "PT"), ("ES-ES", "CA-ES", "PT-PT")),
    (
        "MP-10102",
        "Benelux",
        MICK,
        "EUR",
        "HB-1010-0002",
        ("BE", "NL", "LU"),
        ("NL-NL", "NL-BE", "FR-BE", "LB-LU"),
    ),
    ("MP-10103", "United Kingdom", MICK, "GBP", "HB-1010-0002", ("GB", "IE"), ("EN-GB",)),
    (
        "MP-31801",
        "Nordics",
        SOUTHPAW,
        "SEK",
        "HB-3180-0001",
        ("SE", "NO", "DK", "FI"),
        ("SV-SE", "NB-NO", "DA-DK", "FI-FI"),
    ),
    (
        "MP-31802",
        "DACH",
        SOUTHPAW,
        "EUR",
        "HB-3180-0002",
        ("DE", "AT", "CH"),
        ("DE-DE", "DE-AT", "DE-CH"),
    ),
)
# The hub that takes a distributor's orders from a country.
HUB_OF = {
    (owner, country): hub
    for _, _, owner, _, hub, countries, _ in MARKETPLACES
    for country in countries
}


class Place(NamedTuple):
    """A stored marketplace, with the countries it sells in and the hubs that take its orders."""

    marketplace: Marketplace
    countries: tuple[str, ...]
    hub: str
    staging: str


def countries_and_locales() -> None:
    add(Country(id=id, name=name) for id, name in COUNTRIES.items())
    add(
        Locale(id=id, name=name, local_name=local, auto_translation=automatic)
        for id, name, local, automatic in LOCALES
    )


def marketplaces() -> dict[str | None, Place]:
    """Add the hubs and marketplaces; return the marketplaces by id."""
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
            serving.append(
                MarketplaceHub(marketplace_id=id, hub_id=each, external_id=f"{id[3:]}-{each[-1]}")
            )
        selling += [
            Marketplace.countries.through(marketplace_id=id, country_id=country)
            for country in countries
        ]
        speaking += [
            Marketplace.locales.through(marketplace_id=id, locale_id=locale) for locale in locales
        ]
    add(serving)
    add(selling)
    add(speaking)
    by_id = {row.pk: row for row in rows}
    return {
        id: Place(by_id[id], countries, hub, STAGING[owner])
        for id, _, owner, _, hub, countries, _ in MARKETPLACES
    }

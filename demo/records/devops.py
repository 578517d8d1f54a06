"""Extensions that companies run."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from demo.companies import BAYSIDE, FRONT_STREET, MICK, SOUTHPAW
from demo.records.base import add, day, sample_id, sample_uid, seeded, spread
from modules.models import Environment, Product, Service

SERVICES = (
    # owner, type, name, description, category
    (
        MICK,
        Service.Type.HUB,
        "Storefront Orders",
        "Forwards storefront orders and returns their results.",
        "Commerce",
    ),
    (
        MICK,
        Service.Type.TRANSFORMATIONS,
        "Price Rounding",
        "Rounds vendor prices to what the storefront shows.",
        "Pricing",
    ),
    (
        MICK,
        Service.Type.MULTIACCOUNT,
        "Partner Letter",
        "Sends partners weekly news about the marketplaces.",
        "Communication",
    ),
    (
        FRONT_STREET,
        Service.Type.PRODUCTS,
        "Tenant Set-up",
        "Creates and updates tenants as requests come in.",
        "Fulfillment",
    ),
    (
        FRONT_STREET,
        Service.Type.TRANSFORMATIONS,
        "Usage Splitter",
        "Splits usage by subscription before it is reported.",
        "Usage",
    ),
    (
        FRONT_STREET,
        Service.Type.MULTIACCOUNT,
        "Trial Reminder",
        "Reminds distributors of trials that end soon.",
        "Communication",
    ),
    (
        BAYSIDE,
        Service.Type.PRODUCTS,
        "Domain Check",
        "Checks domains before a purchase is approved.",
        "Fulfillment",
    ),
    (
        BAYSIDE,
        Service.Type.MULTIACCOUNT,
        "Case Router",
        "Sends support cases to the team that knows the product.",
        "Helpdesk",
    ),
    (
        SOUTHPAW,
        Service.Type.HUB,
        "Nordic Orders",
        "Forwards storefront orders and returns their results.",
        "Commerce",
    ),
    (
        SOUTHPAW,
        Service.Type.TRANSFORMATIONS,
        "Currency Columns",
        "Adds prices in the currencies of neighbouring countries.",
        "Pricing",
    ),
)
SITES = {MICK: "mightymicks", FRONT_STREET: "frontstreet", BAYSIDE: "bayside", SOUTHPAW: "southpaw"}


def services(products: Sequence[Product]) -> None:
    """Add the extensions that companies run, each with three environments.

    Those of vendors are for their own products.
    """
    rows = [service(number) for number in range(len(SERVICES))]
    add(rows)
    add(place for number, row in enumerate(rows) for place in environments(number, row))
    add(
        Service.products.through(service_id=row.pk, product_id=each.pk)
        for row in rows
        for each in [
            of
            for of in products
            if of.vendor_id == row.owner_id and of.status == Product.Status.PUBLISHED
        ][:3]
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
    """Yield an environment for development, which runs locally, and two in the cloud."""
    draw = seeded(f"environments {number}")
    statuses, tag = Environment.Status, f"{draw.randint(1, 4)}.{draw.randint(0, 12)}"
    usual = (
        (statuses.CONNECTED, statuses.DISCONNECTED, statuses.UNINITIALIZED)[number % 3],
        (statuses.RUNNING, statuses.STOPPED, statuses.ERRORED)[number % 3],
        (statuses.RUNNING, statuses.RUNNING, statuses.RUNNING, statuses.UNINITIALIZED)[number % 4],
    )
    for place, (kind, status) in enumerate(zip(Environment.Type, usual, strict=True), start=1):
        yield Environment(
            id=f"ENV-{of.pk.removeprefix('SRVC-')}-{place:02}",
            service=of,
            type=kind,
            runtime=Environment.Runtime.LOCAL
            if kind == Environment.Type.DEVELOPMENT
            else Environment.Runtime.CLOUD,
            external_id=sample_uid(draw),
            status=status,
            git_url=f"https://code.example/{of.package_id.replace('.', '/')}",
            git_tag=f"{tag}.{3 - place}",
            git_commit=f"{draw.getrandbits(160):040x}",
        )

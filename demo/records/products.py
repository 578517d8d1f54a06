"""Products, their categories and their items."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal

from demo.companies import BAYSIDE, FRONT_STREET
from demo.records.base import add, day, sample_id, seeded, spread
from demo.records.contracts import LINES
from modules.models import Category, Item, Product

# In the order of their ids. Products use only the first four.
CATEGORIES = (
    "Communication",
    "Infrastructure",
    "Productivity",
    "Security",
    "Analytics",
    "Business Applications",
    "Developer Tools",
)
# Products that each vendor sells in addition.
MORE_LINES = ("Web Firewall", "Data Warehouse")


def categories() -> dict[str, str]:
    """Add the missing categories and return the ids of all by name; stored ones keep theirs."""
    ids = dict(Category.objects.order_by("-pk").values_list("name", "pk"))
    taken = set(ids.values())
    free = (id for id in (f"CAT-{number:05}" for number in range(1, 100_000)) if id not in taken)
    missing = {name: next(free) for name in CATEGORIES if name not in ids}
    add(Category(id=id, name=name) for name, id in missing.items())
    return ids | missing


def product(number: int, category_ids: Mapping[str, str]) -> Product:
    draw = seeded(f"product {number}")
    vendor, line = [
        (vendor, line)
        for lines in (LINES, MORE_LINES)
        for vendor in (FRONT_STREET, BAYSIDE)
        for line in lines
    ][number]
    edition = draw.choice(("Standard", "Business", "Enterprise"))
    created = spread(number, day(2019, 1, 14, 10), timedelta(days=31, hours=1))
    status = draw.choices(Product.Status.values, (1, 6, 1))[0]
    return Product(
        id=sample_id(draw, "PRD", 3, 3, 3),
        name=f"{line} {edition}",
        status=status,
        vendor_id=vendor,
        category_id=category_ids[
            draw.choice(("Security", "Infrastructure", "Productivity", "Communication"))
        ],
        external_id=f"{''.join(word[0] for word in line.split())}-{1001 + number}".lower(),
        short_description=f"{line} for companies of any size.",
        detailed_description=(
            f"{line}, {edition} edition, billed monthly, with support during business hours."
        ),
        monthly_price=Decimal(draw.randrange(290, 9990, 10)) / 100,
        version=draw.randint(1, 4),
        published_at=created + timedelta(days=20) if status != Product.Status.DRAFT else None,
        created_at=created,
        updated_at=created + timedelta(days=draw.randint(21, 500)),
    )


ITEMS = (
    # name, description, type, precision, period, unit
    (
        "User",
        "One person who uses the product.",
        Item.Type.RESERVATION,
        Item.Precision.INTEGER,
        Item.Period.MONTHLY,
        "Users",
    ),
    (
        "Extra Storage",
        "Storage beyond the included volume.",
        Item.Type.PAY_AS_YOU_GO,
        Item.Precision.DECIMAL,
        Item.Period.MONTHLY,
        "Gigabytes",
    ),
    (
        "Premium Support",
        "Response within an hour, day and night.",
        Item.Type.RESERVATION,
        Item.Precision.INTEGER,
        Item.Period.YEARLY,
        "Contracts",
    ),
    (
        "Guided Set-up",
        "A day with a consultant.",
        Item.Type.RESERVATION,
        Item.Precision.INTEGER,
        Item.Period.ONE_TIME,
        "Days",
    ),
)


def product_items(number: int, of: Product) -> Iterator[Item]:
    draw = seeded(f"items {number}")
    initials = "".join(word[0] for word in of.name.split())
    for place, (name, description, kind, precision, period, unit) in enumerate(
        ITEMS[: draw.randint(2, 4)], start=1
    ):
        # Each product on sale has an item to reserve and an item to use. Later items may still be
        # drafts, or no longer on sale.
        settled = place <= 2 or of.status != Product.Status.PUBLISHED or draw.random() < 0.6
        created = of.created_at + timedelta(days=place)
        yield Item(
            id=f"{of.pk}-{place:04}",
            product=of,
            name=name,
            description=description,
            mpn=f"{initials}-{name.split()[-1]}-{1001 + number}".upper(),
            type=kind,
            precision=precision,
            period=period,
            unit=unit,
            status=of.status
            if settled
            else draw.choice((Item.Status.DRAFT, Item.Status.ENDOFSALE)),
            position=place * 10_000,
            created_at=created,
            updated_at=created + timedelta(days=draw.randint(0, 120)),
        )

"""The resource `/public/v1/products`, what is below a product, and `/categories`."""

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)

from api.resource import Resource
from api.shapes import Constant, events, reference
from modules.models import Category, Item, Listing, Product
from tokens.catalog import Module
from tokens.gate import Caller

ICON = "product.svg"


def products(caller: Caller) -> QuerySet[Product]:
    """Return the products the account can see, and why it can see each."""
    listed = Listing.objects.filter(
        Q(provider=caller.account_id) | Q(vendor=caller.account_id),
        product=OuterRef("pk"),
        status=Listing.Status.LISTED,
    )
    return Product.objects.visible_to(caller).annotate(
        visible_as_owner=Case(
            When(vendor=caller.account_id, then=Value(value=True)),
            default=Value(value=False),
            output_field=BooleanField(),
        ),
        visible_by_listing=Exists(listed),
        visible_by_syndication=Value(value=False, output_field=BooleanField()),
        purchase_model=Value("transactable", CharField(max_length=16)),
        published=Case(
            When(status=Product.Status.PUBLISHED, then=Value(value=True)),
            default=Value(value=False),
            output_field=BooleanField(),
        ),
        visible_in_catalog=Value(value=False, output_field=BooleanField()),
    )


PRODUCTS = Resource(
    "products",
    Module.PRODUCTS,
    products,
    about=(
        "Products of vendors. A distributor sees those of the vendors it has an active "
        "distribution contract with."
    ),
    fields={
        "id": "id",
        "name": "name",
        "external_id": "external_id",
        "status": "status",
        "version": "version",
        "latest": Constant(value=True),
        # One public picture for all products: see urls.py.
        "icon": Constant(f"/public/{ICON}"),
        "short_description": "short_description",
        "detailed_description": "detailed_description",
        "category": reference("category"),
        "owner": reference("vendor"),
        "configurations": {
            "suspend_resume_supported": Constant(value=True),
            "requires_reseller_information": Constant(value=False),
        },
        "customer_ui_settings": {
            "description": "short_description",
            "getting_started": Constant(""),
            "download_links": Constant([]),
            "documents": Constant([]),
        },
        # Missing capabilities are listed too, since `ccli product export` reads each.
        "capabilities": {
            "subscription": {
                "schema": Constant("explicit"),
                "change": {"editable_ordering_parameters": Constant(value=False)},
            },
            "tiers": {"validation": Constant(value=False)},
            "reservation": {"consumption": Constant(value=False)},
            "cart": {"validation": Constant(value=False)},
            "inquiring": {"validation": Constant(value=False)},
        },
        "visibility": {
            "owner": "visible_as_owner",
            "listing": "visible_by_listing",
            "syndication": "visible_by_syndication",
            "catalog": "visible_in_catalog",
        },
        "stats": {"versions": "version"},
        "public": "published",
        "purchase_model": "purchase_model",
        "published_at": "published_at",
        "events": events(created="created_at", updated="updated_at", published="published_at"),
    },
    # In Connect, only archived copies of a product have a version; the product on sale has none.
    nulls=("version",),
    foreign={"status": ("deleted", "indevelopment", "initializationfailed", "oncertification")},
    search=("id", "name", "owner.id", "owner.name"),
)

ITEMS = Resource(
    "products/<parent>/items",
    Module.PRODUCTS,
    lambda caller, product_id: Item.objects.filter(
        product__in=Product.objects.visible_to(caller).filter(pk=product_id)
    ),
    parent=PRODUCTS,
    about="Units of a product that are ordered or metered, and billed.",
    fields={
        "id": "id",
        "name": "name",
        "display_name": "name",
        "mpn": "mpn",
        "local_id": "mpn",
        "description": "description",
        "type": "type",
        "precision": "precision",
        "period": "period",
        "unit": {"id": "unit", "name": "unit"},
        "commitment": {"count": Constant(1)},
        "ui": {"visibility": Constant(value=True)},
        "status": "status",
        "position": "position",
        "events": events(created="created_at", updated="updated_at"),
    },
    search=("id", "name", "mpn"),
)

VERSIONS = Resource(
    "products/<parent>/versions",
    Module.PRODUCTS,
    lambda caller, product_id: Product.objects.visible_to(caller).filter(pk=product_id),
    parent=PRODUCTS,
    detail=False,
    about="Versions of a product. This portal keeps the newest, so there is one.",
    fields={
        "id": "id",
        "name": "name",
        "status": "status",
        "version": "version",
        "latest": Constant(value=True),
        "events": events(created="created_at", updated="updated_at", published="published_at"),
    },
)

CATEGORIES = Resource(
    "categories",
    Module.PRODUCTS,
    lambda caller: Category.objects.all(),
    about="Categories of products.",
    fields={"id": "id", "name": "name"},
    search=("id", "name"),
)

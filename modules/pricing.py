"""The resource `/public/v1/pricing/lists`."""

from django.db.models import IntegerField, OuterRef, Value

from api.resource import Resource
from api.shapes import Constant, CountOf, Rows, events, reference
from modules.models import Listing, PriceList, Product
from tokens.catalog import Module

PRICE_LISTS = Resource(
    "pricing/lists",
    Module.PRICING,
    lambda caller: PriceList.objects.visible_to(caller).annotate(
        listings_count=CountOf(
            Listing.objects.visible_to(caller).filter(price_list=OuterRef("pk"))
        ),
        listings_alt_count=Value(0, IntegerField()),
        products_count=CountOf(Product.objects.filter(price_lists=OuterRef("pk"))),
    ),
    about="Prices that distributors charge for the products of vendors.",
    fields={
        "id": "id",
        "name": "name",
        "description": "description",
        "currency": "currency",
        "precision": Constant(0.01),
        "status": "status",
        "owner": reference("owner"),
        # The columns of a price list. Here, each product has one price.
        "attributes": Constant(
            [{"id": "price", "name": "Price", "description": "The monthly price of one unit."}]
        ),
        "products": Rows(
            Product.objects.filter(price_lists=OuterRef("pk")),
            {"id": "id", "name": "name", "description": "short_description"},
        ),
        "stats": {
            "products": "products_count",
            "listings": "listings_count",
            "listings_alt": "listings_alt_count",
        },
        "events": events(created="created_at", updated="updated_at", activated="activated_at"),
    },
    also={"product.id": "products.id", "product.name": "products.name"},
    search=("id",),
)

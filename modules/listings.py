"""The resource `/public/v1/listings`."""

from api.resource import Resource
from api.shapes import reference
from modules.models import Listing
from tokens.catalog import Module

LISTINGS = Resource(
    "listings",
    Module.LISTINGS,
    lambda caller: Listing.objects.visible_to(caller),
    about="Products of vendors in the marketplaces of distributors.",
    fields={
        "id": "id",
        "status": "status",
        "contract": {
            "id": "contract_id",
            "type": "contract__type",
            "name": "contract__name",
            "marketplace": reference("contract__marketplace"),
        },
        "product": {
            "id": "product_id",
            "name": "product__name",
            "status": "product__status",
            "category": reference("product__category"),
            "description": "product__short_description",
        },
        "vendor": reference("vendor"),
        "provider": reference("provider"),
        "pricelist": {
            "id": "price_list_id",
            "name": "price_list__name",
            "status": "price_list__status",
        },
        "created": "created_at",
        "updated": "updated_at",
    },
    # Connect's own report filters by `state`, and by the marketplace without the contract.
    also={
        "state": "status",
        "marketplace.id": "contract.marketplace.id",
        "marketplace.name": "contract.marketplace.name",
    },
    ordering=(
        "product.name",
        "vendor.name",
        "provider.name",
        "contract.marketplace.name",
        "marketplace.name",
        "updated",
    ),
    search=("product.name", "marketplace.name"),
)

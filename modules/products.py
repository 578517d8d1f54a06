"""`/public/v1/products`"""

from django.http import HttpResponse

from modules.models import Product
from modules.rest import Collection, Column, detail, listing, reference
from tokens.catalog import Module
from tokens.permissions import ApiRequest, requires_module

PRODUCTS = Collection(
    Product.objects.all().visible_to,
    {
        "id": "id",
        "name": "name",
        "status": "status",
        "version": "version",
        "latest": True,
        "short_description": "short_description",
        "detailed_description": "detailed_description",
        "category": {"name": "category"},
        "owner": reference("vendor"),
        "visibility": {
            "owner": True,
            "listing": Column("status", lambda status: status == Product.Status.PUBLISHED),
            "syndication": False,
            "catalog": False,
        },
        "stats": {"versions": "version"},
        "public": Column("status", lambda status: status == Product.Status.PUBLISHED),
        "published_at": "published_at",
        "events": {"created": {"at": "created_at"}, "updated": {"at": "updated_at"}},
    },
)


@requires_module(Module.PRODUCTS)
def products(request: ApiRequest) -> HttpResponse:
    return listing(request, PRODUCTS)


@requires_module(Module.PRODUCTS)
def product(request: ApiRequest, pk: str) -> HttpResponse:
    return detail(request, PRODUCTS, pk)

"""Lists below a product that Connect has and this portal keeps empty.

Without them, `ccli product export` would fail.
"""

from api.resource import Resource
from modules.models import Item
from modules.products import PRODUCTS
from tokens.catalog import Module


def of_product(name: str, about: str) -> Resource:
    """Return an empty list below a product, for callers that can see the product."""
    return Resource(
        f"products/<parent>/{name}",
        Module.PRODUCTS,
        lambda caller, product_id: Item.objects.none(),
        parent=PRODUCTS,
        detail=False,
        about=about,
        fields={"id": "id"},
    )


OF_PRODUCTS = (
    of_product(
        "media", "Pictures and videos of a product. This portal keeps none, so the list is empty."
    ),
    of_product(
        "templates",
        "Texts for subscriptions to a product. This portal keeps none, so the list is empty.",
    ),
    of_product(
        "parameters",
        "Parameters to fill in for an order. This portal keeps none, so the list is empty.",
    ),
    of_product(
        "actions", "Links that a product offers. This portal keeps none, so the list is empty."
    ),
    of_product(
        "configurations",
        "Parameter values of a product. This portal keeps none, so the list is empty.",
    ),
    of_product(
        "connections",
        "Connections of a product to hubs. This portal keeps none, so the list is empty.",
    ),
    of_product(
        "messages",
        "Messages of a product to its users. This portal keeps none, so the list is empty.",
    ),
)

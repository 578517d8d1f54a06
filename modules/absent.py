"""What the original keeps of a product and this portal does not: empty lists, so that `ccli product export` comes to an end."""

from api.resource import Resource
from modules.models import Item
from modules.products import PRODUCTS
from tokens.catalog import Module


def of_product(name: str, about: str) -> Resource:
    """A list below a product that exists for the caller, without a record."""
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
    of_product("media", "Pictures and videos of a product. This portal keeps none, so the list is empty."),
    of_product("templates", "Texts for subscriptions to a product. This portal keeps none, so the list is empty."),
    of_product("parameters", "What is asked for with an order. This portal keeps none, so the list is empty."),
    of_product("actions", "Links that a product offers. This portal keeps none, so the list is empty."),
    of_product("configurations", "Values of parameters of a product. This portal keeps none, so the list is empty."),
    of_product("messages", "Texts of a product for people. This portal keeps none, so the list is empty."),
)

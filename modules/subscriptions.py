"""The resources `/public/v1/assets` and `/requests`: the module Subscriptions."""

from typing import Any

from django.db.models import CharField, OuterRef, QuerySet, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from api.bodies import ApiError
from api.resource import Resource
from api.shapes import Constant, Rows, Shape, events, reference
from modules.customers import CONTACT_INFO
from modules.models import Asset, AssetItem, FulfillmentRequest, WrongState
from tokens.catalog import Module
from tokens.gate import Caller


def tier(column: str) -> Shape:
    """Return the shape of a customer or reseller with all its details."""
    return {
        **reference(column),
        "external_id": f"{column}__external_id",
        "external_uid": f"{column}__external_uid",
        "tax_id": f"{column}__tax_id",
        "contact_info": below(column, CONTACT_INFO),
    }


def below(column: str, shape: Shape) -> Shape:
    """Return the shape of a record, applied to the record that `column` refers to."""
    return {
        name: f"{column}__{value}" if isinstance(value, str) else below(column, value)
        for name, value in shape.items()
    }


def product(column: str) -> Shape:
    return {**reference(column), "status": f"{column}__status"}


def connection(column: str) -> Shape:
    return {
        "id": f"{column}_id",
        "type": f"{column}__type",
        "provider": reference(f"{column}__provider"),
        "vendor": reference(f"{column}__vendor"),
        "hub": reference(f"{column}__hub"),
    }


def contract(column: str) -> Shape:
    return {**reference(column), "type": f"{column}__type"}


def items(asset: str) -> "QuerySet[AssetItem]":
    """Return the items of the asset that the column `asset` refers to.

    Their quantities are strings (`text`, `before`) in requests and numbers in assets.
    """
    return AssetItem.objects.filter(asset=OuterRef(asset)).annotate(
        text=Cast("quantity", CharField()), before=Cast(Value("0"), CharField())
    )


ITEM = {
    "id": "item__mpn",
    "global_id": "item_id",
    "mpn": "item__mpn",
    "quantity": "quantity",
    "type": "item__unit",
    "display_name": "item__name",
    "period": "item__period",
    "item_type": "item__type",
}
PARAMS = {"type": "array", "items": {"type": "object"}}

ASSETS = Resource(
    "assets",
    Module.SUBSCRIPTIONS,
    lambda caller: Asset.objects.visible_to(caller),
    about="Subscriptions of customers to products.",
    fields={
        "id": "id",
        "status": "status",
        "external_id": "external_id",
        "external_uid": "external_uid",
        "product": product("product"),
        "connection": connection("connection"),
        "events": events(created="created_at", updated="updated_at"),
        "items": Rows(items("pk"), ITEM),
        "params": "params",
        "tiers": {"customer": tier("customer"), "tier1": tier("reseller")},
        "marketplace": reference("marketplace"),
        "contract": contract("contract"),
        "configuration": Constant({"params": []}),
    },
    also={
        "created": "events.created.at",
        "updated": "events.updated.at",
        "hub.id": "connection.hub.id",
        "hub.name": "connection.hub.name",
    },
    ordering=(
        "updated",
        "product.name",
        "marketplace.id",
        "marketplace.name",
        "tiers.customer.id",
        "tiers.customer.name",
    ),
    search=(
        "id",
        "status",
        "external_id",
        "product.id",
        "product.name",
        "connection.provider.id",
        "connection.provider.name",
        "connection.vendor.id",
        "connection.vendor.name",
        "marketplace.id",
        "marketplace.name",
        "tiers.customer.id",
        "tiers.customer.name",
        "tiers.customer.external_id",
        "tiers.customer.external_uid",
    ),
)

REQUESTS = Resource(
    "requests",
    Module.SUBSCRIPTIONS,
    lambda caller: FulfillmentRequest.objects.visible_to(caller),
    about="Requests to change subscriptions, which vendors fulfil.",
    fields={
        "id": "id",
        "type": "type",
        "status": "status",
        "note": "note",
        "reason": "reason",
        "created": "created_at",
        "updated": "updated_at",
        "assignee": "assignee_id",
        "activation_key": "activation_key",
        "marketplace": reference("asset__marketplace"),
        "contract": contract("asset__contract"),
        "asset": {
            "id": "asset_id",
            "status": "asset__status",
            "external_id": "asset__external_id",
            "external_uid": "asset__external_uid",
            "product": product("asset__product"),
            "connection": connection("asset__connection"),
            "events": events(created="asset__created_at", updated="asset__updated_at"),
            "items": Rows(items("asset"), {**ITEM, "quantity": "text", "old_quantity": "before"}),
            "params": "asset__params",
            "tiers": {"customer": tier("asset__customer"), "tier1": tier("asset__reseller")},
            "configuration": Constant({"params": []}),
            "marketplace": reference("asset__marketplace"),
            "contract": reference("asset__contract"),
        },
    },
    also={
        "asset_id": "asset.id",
        "product_id": "asset.product.id",
        "asset.connection.environment": "asset.connection.type",
    },
    foreign={
        "type": ("adjustment", "renew", "transfer"),
        "status": ("scheduled", "revoking", "revoked"),
    },
    ordering=(
        "updated",
        "marketplace.name",
        "asset.product.name",
        "asset.connection.hub.name",
        "asset.marketplace.name",
        "asset.tiers.customer.id",
        "asset.tiers.customer.name",
    ),
)


@REQUESTS.acts("approve")
def approve(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Approve a pending request, as its vendor. Its subscription changes with it."""
    move(caller, request, FulfillmentRequest.Status.APPROVED)


@REQUESTS.acts("fail", "reason", required=("reason",))
def fail(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Fail a pending or inquiring request, as its vendor, with the reason."""
    move(caller, request, FulfillmentRequest.Status.FAILED, **values)


@REQUESTS.acts("inquire")
def inquire(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Ask for more information about a pending request, as its vendor."""
    move(caller, request, FulfillmentRequest.Status.INQUIRING)


@REQUESTS.acts("pend")
def pend(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Return an inquiring request to pending."""
    move(caller, request, FulfillmentRequest.Status.PENDING)


def move(
    caller: Caller, request: FulfillmentRequest, status: FulfillmentRequest.Status, **fields: str
) -> None:
    """Move a request. Raise ApiError if the caller is not its vendor, or it has another status."""
    if status != FulfillmentRequest.Status.PENDING and request.vendor_id != caller.account_id:
        raise ApiError(_("Only the vendor can do that."), code="AUTH_005", status=403)
    try:
        request.move(status, **fields)
    except WrongState as problem:
        raise ApiError(str(problem), code="REQ_003") from None

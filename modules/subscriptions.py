"""The resources `/public/v1/assets` and `/requests`: the module Subscriptions."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import (
    CharField,
    EmailField,
    F,
    JSONField,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _

from accounts.models import Account
from api.bodies import ApiError, convert
from api.resource import Resource
from api.shapes import Constant, Rows, Shape, events, reference
from modules.actors import colleague, only
from modules.actors import move as moved
from modules.customers import CONTACT_INFO, below
from modules.models import Asset, AssetItem, FulfillmentRequest, RequestItem, this_second
from portal.fields import ProseField
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

    Their quantities are strings (`text`, `before`) in requests and numbers in assets. A request
    shows the quantities that it asks for, where it asks for others.
    """
    found = AssetItem.objects.filter(asset=OuterRef(asset))
    if asset == "pk":
        return found
    asked = RequestItem.objects.filter(request=OuterRef(OuterRef("pk")), item=OuterRef("item"))
    return found.annotate(
        text=Cast(Coalesce(Subquery(asked.values("quantity")), F("quantity")), CharField()),
        before=Cast(Coalesce(Subquery(asked.values("old_quantity")), Value(0)), CharField()),
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
        "planned_date": "planned_date",
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
    foreign={"type": ("adjustment", "renew", "transfer")},
)


PARAMETERS = JSONField(name="params", default=list, blank=True)
TEXT = ProseField(name="value", max_length=2048, blank=True)
PLANNED = FulfillmentRequest._meta.get_field("planned_date")
REASON = FulfillmentRequest._meta.get_field("reason")
PERSON: dict[str, Any] = {
    "id": CharField(name="person_id", max_length=24),
    "email": EmailField(name="email"),
}


@REQUESTS.updates("note", takes={"asset.params": PARAMETERS})
def update(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Set values and errors of parameters, or the note, of a request that is not done yet."""
    if request.status not in request.OPEN:
        raise ApiError(
            _("A request that is %(now)s cannot be changed.") % {"now": request.status},
            code="REQ_003",
        )
    if "asset.params" in values:
        asset = request.asset
        asset.params = filled(asset.params, values["asset.params"], "asset.params")
        asset.save()
    request.note, request.updated_at = values.get("note", request.note), this_second()
    request.save()


@REQUESTS.acts("purchase")
def purchase(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Send a draft to its vendor, as the distributor."""
    only(caller, Account.Side.DISTRIBUTOR)
    expect(request, FulfillmentRequest.Status.DRAFT)
    moved(request, "REQ_003", FulfillmentRequest.Status.PENDING)


@REQUESTS.acts("approve", takes={"activation_tile": ProseField(name="activation_tile")})
def approve(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Approve a pending request, as its vendor. Its subscription changes with it."""
    only(caller, Account.Side.VENDOR)
    tile = values.get("activation_tile", request.activation_key)
    moved(request, "REQ_003", FulfillmentRequest.Status.APPROVED, activation_key=tile)


@REQUESTS.acts("fail", "reason", required=("reason",))
def fail(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Fail a pending or inquiring request, as its vendor, with the reason."""
    only(caller, Account.Side.VENDOR)
    moved(request, "REQ_003", FulfillmentRequest.Status.FAILED, **values)


@REQUESTS.acts("inquire")
def inquire(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Ask for more information about a pending request, as its vendor."""
    only(caller, Account.Side.VENDOR)
    moved(request, "REQ_003", FulfillmentRequest.Status.INQUIRING)


@REQUESTS.acts("pend")
def pend(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Return an inquiring request to pending, or a scheduled one as its vendor."""
    if request.status == FulfillmentRequest.Status.SCHEDULED:
        only(caller, Account.Side.VENDOR)
    else:
        expect(request, FulfillmentRequest.Status.INQUIRING)
    moved(request, "REQ_003", FulfillmentRequest.Status.PENDING, planned_date=None)


@REQUESTS.acts("schedule", takes=dict.fromkeys(("planned_date", "data"), PLANNED))
def schedule(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Plan a pending request for another day, as its vendor.

    The day is `planned_date`, or `data`, as CloudBlue's SDK calls it.
    """
    only(caller, Account.Side.VENDOR)
    day = either(values, "planned_date").replace(microsecond=0)
    moved(request, "REQ_003", FulfillmentRequest.Status.SCHEDULED, planned_date=day)


@REQUESTS.acts("revoke", "reason", takes={"data": REASON})
def revoke(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Take back a scheduled request, as its distributor. Its vendor has to confirm that.

    The reason is `reason`, or `data`, as CloudBlue's SDK calls it.
    """
    only(caller, Account.Side.DISTRIBUTOR)
    reason = either(values, "reason")
    moved(request, "REQ_003", FulfillmentRequest.Status.REVOKING, reason=reason)


@REQUESTS.acts("confirm")
def confirm(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Confirm that a request is revoked, as its vendor. It is over, as a failed one."""
    only(caller, Account.Side.VENDOR)
    moved(request, "REQ_003", FulfillmentRequest.Status.REVOKED)


def either(values: dict[str, Any], name: str) -> Any:
    """Return what the body has under the name, or under `data`. Raise ApiError for neither."""
    if found := values.get(name) or values.get("data"):
        return found
    raise ApiError(f"{name}: " + _("This field is required."))


@REQUESTS.acts("assign", takes=PERSON)
def assign(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Assign a request to a person of its vendor, named by id or email."""
    only(caller, Account.Side.VENDOR)
    request.assignee, request.updated_at = colleague(caller, values), this_second()
    request.save()


@REQUESTS.acts("unassign")
def unassign(caller: Caller, request: FulfillmentRequest, values: dict[str, Any]) -> None:
    """Take a request from the person it is assigned to, as its vendor."""
    only(caller, Account.Side.VENDOR)
    request.assignee, request.updated_at = None, this_second()
    request.save()


def expect(request: FulfillmentRequest, status: FulfillmentRequest.Status) -> None:
    """Raise ApiError unless the request has the status."""
    if request.status != status:
        raise ApiError(
            _("Only a request that is %(status)s can do that; this one is %(now)s.")
            % {"status": status, "now": request.status},
            code="REQ_003",
        )


def filled(kept: list[dict[str, Any]], sent: list[Any], name: str) -> list[dict[str, Any]]:
    """Return the parameters with the values and errors that were sent. Raise ApiError."""
    known = {each["id"]: dict(each) for each in kept}
    for number, each in enumerate(sent):
        if (pk := str(each.get("id"))) not in known:
            raise ApiError(f"{name}[{number}].id: " + _("There is no such parameter."))
        for part in ("value", "value_error"):
            if part in each:
                known[pk][part] = parameter_text(each[part], f"{name}[{number}].{part}")
    return list(known.values())


def parameter_text(value: Any, name: str) -> str:
    """Return the text of a parameter. Raise ApiError if it is none, or is too long."""
    try:
        return str(convert(TEXT, value))
    except ValidationError as problem:
        raise ApiError(*(f"{name}: {text}" for text in problem.messages)) from None

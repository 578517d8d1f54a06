"""`/public/v1/subscriptions/assets` and `/subscriptions/requests`: the module Subscriptions."""

from collections.abc import Iterable
from typing import Any

from django.core.validators import MinValueValidator
from django.db.models import CharField, FloatField, JSONField
from django.utils.translation import gettext as _

from accounts.models import Account
from api.bodies import ApiError
from api.resource import Resource
from api.shapes import Rows, Shape, actor, events, reference
from modules.actors import acting, told
from modules.customers import below
from modules.models import Asset, AssetItem, BillingRequest, this_second
from modules.subscriptions import ASSETS, ITEM, connection, items, product, tier
from portal.fields import MomentField
from tokens.catalog import Module
from tokens.gate import Caller

ASSET: Shape = {
    "id": "id",
    "status": "status",
    "external_id": "external_id",
    "external_uid": "external_uid",
    "product": product("product"),
    "connection": connection("connection"),
    "events": events(created="created_at", updated="updated_at"),
    "params": "params",
    "tiers": {"customer": tier("customer"), "tier1": tier("reseller")},
    "marketplace": reference("marketplace"),
    "contract": reference("contract"),
}

RECURRING_ASSETS = Resource(
    "subscriptions/assets",
    Module.SUBSCRIPTIONS,
    ASSETS.queryset,
    about="Subscriptions of customers to products, as those see them who bill them.",
    fields={**ASSET, "items": Rows(items("pk"), ITEM)},
)

BILLING_REQUESTS = Resource(
    "subscriptions/requests",
    Module.SUBSCRIPTIONS,
    lambda caller: told(
        caller, BillingRequest.objects.visible_to(caller), "created_by", "updated_by"
    ),
    about="What is to be billed for subscriptions. Those of distributors are not shown to vendors.",
    fields={
        "id": "id",
        "type": "type",
        "asset": below("asset", ASSET),
        "items": "items",
        "attributes": "attributes",
        "period": {
            "from": "period_from",
            "to": "period_to",
            "delta": "period_delta",
            "uom": "period_unit",
        },
        "events": {
            "created": {"at": "created_at", "by": actor("created_by")},
            "updated": {"at": "updated_at", "by": actor("updated_by")},
        },
    },
)

ID: "CharField[str, str]" = CharField(name="asset_id", max_length=100)
# Clients nest what Connect's description names in one word, so both are read.
PERIOD: dict[str, Any] = {
    "from": MomentField(name="from"),
    "to": MomentField(name="to"),
    "delta": FloatField(name="delta", validators=[MinValueValidator(0)]),
    "uom": BillingRequest._meta.get_field("period_unit"),
}
ATTRIBUTES: dict[str, Any] = {
    side: JSONField(name=side, default=dict, blank=True) for side in ("vendor", "provider")
}
NESTED = {
    **{f"asset_{name}": f"asset.{name}" for name in ("id", "external_uid")},
    **{f"period_{name}": f"period.{name}" for name in PERIOD},
}
TAKES: dict[str, Any] = {
    **dict.fromkeys(("asset_id", "asset_external_uid", "asset.id", "asset.external_uid"), ID),
    **{f"period{mark}{name}": field for mark in "._" for name, field in PERIOD.items()},
    "items": JSONField(name="items", default=list),
    **{f"attributes.{side}": field for side, field in ATTRIBUTES.items()},
}


@BILLING_REQUESTS.creates("type", required=("items",), takes=TAKES)
def create(caller: Caller, values: dict[str, Any]) -> str:
    """Ask for the billing of items of a subscription over a period.

    The subscription is found by `asset_id` or `asset_external_uid`. Its items are named by `id`,
    with a `quantity` if it is another than that of the subscription.
    """
    type = own_type(caller)
    if values.get("type", type) != type:
        raise ApiError("type: " + _("Requests of your account have the type %s.") % type)
    sent = {NESTED.get(name, name): value for name, value in values.items()}
    period = {name: sent[f"period.{name}"] for name in PERIOD if f"period.{name}" in sent}
    if missing := [name for name in PERIOD if name not in period]:
        raise ApiError(*(f"period_{name}: " + _("This field is required.") for name in missing))
    if period["from"] >= period["to"]:
        raise ApiError("period_to: " + _("The period must end after it begins."))
    asset, by = found(caller, sent), acting(caller)
    request = BillingRequest(
        type=type,
        vendor_id=asset.vendor_id,
        provider_id=asset.provider_id,
        asset=asset,
        items=billed(asset.items.select_related("item"), values["items"]),
        attributes={type: values.get(f"attributes.{type}", {})},
        period_from=period["from"],
        period_to=period["to"],
        period_delta=period["delta"],
        period_unit=period["uom"],
        created_at=(now := this_second()),
        updated_at=now,
    )
    request.created_by = request.updated_by = by
    request.save(force_insert=True)
    return str(request.pk)


@BILLING_REQUESTS.acts(
    "attributes",
    takes=ATTRIBUTES,
    method="PUT",
)
def attributes(caller: Caller, request: BillingRequest, values: dict[str, Any]) -> None:
    """Replace the attributes that the account's own side keeps, under `vendor` or `provider`."""
    side = own_type(caller)
    if set(values) - {side}:
        raise ApiError(
            _("Your account can change only the attributes of the %s.") % side,
            code="AUTH_009",
            status=403,
        )
    request.attributes = {**request.attributes, **values}
    request.updated_at, request.updated_by = this_second(), acting(caller)
    request.save()


def own_type(caller: Caller) -> str:
    """Return the type of the requests that the account makes, which is also its side's name."""
    is_vendor = caller.side == Account.Side.VENDOR
    return str(BillingRequest.Type.VENDOR if is_vendor else BillingRequest.Type.PROVIDER)


def found(caller: Caller, sent: dict[str, Any]) -> Asset:
    """Return the subscription that a body names. Raise ApiError."""
    for name in ("id", "external_uid"):
        if wanted := sent.get(f"asset.{name}"):
            asset = Asset.objects.visible_to(caller).filter(**{name: wanted}).first()
            if asset is None:
                raise ApiError(f"asset_{name}: " + _("Your account has no such subscription."))
            return asset  # type: ignore[no-any-return]
    raise ApiError("asset_id: " + _("This field is required."))


def billed(bought: Iterable[AssetItem], sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items to bill, as records show them. Raise ApiError."""
    known = {name: each for each in bought for name in (each.item_id, each.item.mpn)}
    if not sent:
        raise ApiError("items: " + _("Name at least one item."))
    rows = {}
    for number, each in enumerate(sent):
        part = known.get(str(each.get("id")))
        if part is None:
            raise ApiError(f"items[{number}].id: " + _("The subscription has no such item."))
        quantity = each.get("quantity", part.quantity)
        if not isinstance(quantity, int | float) or isinstance(quantity, bool) or quantity < 0:
            raise ApiError(f"items[{number}].quantity: " + _("Must be a number of at least 0."))
        rows[part.item_id] = line(part, quantity)
    return list(rows.values())


def line(of: AssetItem, quantity: float) -> dict[str, Any]:
    """Return an item as a billing request keeps and shows it."""
    return {
        "id": of.item.mpn,
        "global_id": of.item_id,
        "mpn": of.item.mpn,
        "display_name": of.item.name,
        "item_type": of.item.type,
        "period": of.item.period,
        "quantity": quantity,
        "type": of.item.unit,
    }

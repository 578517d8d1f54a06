"""`POST /public/v1/requests`: distributors order subscriptions, change them and end them."""

from typing import Any

from django.db.models import CharField, JSONField
from django.utils.translation import gettext as _

from accounts.models import Account
from api.bodies import ApiError, clean
from modules.actors import only
from modules.customers import CUSTOMERS, REQUIRED, WRITABLE, columns, save
from modules.models import (
    Asset,
    Connection,
    Customer,
    FulfillmentRequest,
    Item,
    Listing,
    Product,
    RequestItem,
    TierConfig,
    new_uid,
    numbered,
    this_second,
)
from modules.subscriptions import PARAMETERS, parameter_text
from modules.subscriptions import REQUESTS as REQUESTS
from tokens.gate import Caller

Type, Status = FulfillmentRequest.Type, FulfillmentRequest.Status
# The most items and parameters of a request, and the largest quantity.
MOST, LARGEST = 50, 1_000_000
# What a subscription has to be for a request that is not a purchase.
BEFORE = {
    Type.CHANGE: (Asset.Status.ACTIVE,),
    Type.SUSPEND: (Asset.Status.ACTIVE,),
    Type.RESUME: (Asset.Status.SUSPENDED,),
    Type.CANCEL: (Asset.Status.ACTIVE, Asset.Status.SUSPENDED),
}
TAKES: dict[str, Any] = {
    "asset.id": CharField(name="asset_id", max_length=24),
    "asset.external_id": Asset._meta.get_field("external_id"),
    "asset.external_uid": Asset._meta.get_field("external_uid"),
    "asset.connection.id": CharField(name="connection_id", max_length=24),
    "asset.items": JSONField(name="items", default=list),
    "asset.params": PARAMETERS,
    **{f"asset.tiers.{tier}": JSONField(name=tier, default=dict) for tier in ("customer", "tier1")},
}
NOW = ("draft", "pending")


@REQUESTS.creates("type", "note", "status", required=("type",), takes=TAKES)
def create(caller: Caller, values: dict[str, Any]) -> str:
    """Order a subscription (`purchase`), or ask to change, suspend, resume or cancel one.

    A purchase names a connection, items, parameters and the customer, who is found by its id or
    external UID, or is made. With the status `draft`, the vendor waits until it is sent.
    """
    only(caller, Account.Side.DISTRIBUTOR)
    kind = Type(values["type"])
    if values.get("status", "pending") not in NOW:
        raise ApiError("status: " + _("A new request is a draft, or pending."))
    if kind != Type.PURCHASE:
        asset = present(caller, values, kind)
        request = made(asset, kind, Status.PENDING, values)
        if kind == Type.CHANGE:
            order(request, asset.product_id, values.get("asset.items", []))
        if kind == Type.CANCEL:
            asset.status, asset.updated_at = Asset.Status.TERMINATING, request.created_at
            asset.save()
        return request.pk
    asset, items = bought(caller, values)
    status = Status(values.get("status", "pending"))
    if status == Status.PENDING and is_waiting(asset):
        status = Status.TIERS_SETUP
    request = made(asset, kind, status, values)
    order(request, asset.product_id, items)
    return request.pk


def made(
    asset: Asset,
    kind: FulfillmentRequest.Type,
    status: FulfillmentRequest.Status,
    values: dict[str, Any],
) -> FulfillmentRequest:
    """Return the new request for a subscription."""
    now = this_second()
    return FulfillmentRequest.objects.create(  # type: ignore[no-any-return]
        id=numbered(FulfillmentRequest, f"PR-{asset.pk.removeprefix('AS-')}"),
        type=kind,
        status=status,
        asset=asset,
        vendor_id=asset.vendor_id,
        provider_id=asset.provider_id,
        note=values.get("note", ""),
        created_at=now,
        updated_at=now,
    )


def present(caller: Caller, values: dict[str, Any], kind: FulfillmentRequest.Type) -> Asset:
    """Return the subscription that a body names, locked. Raise ApiError."""
    assets = Asset.objects.visible_to(caller).select_for_update(of=("self",), no_key=True)
    asset = assets.filter(pk=values.get("asset.id", "")).first()
    if asset is None:
        raise ApiError("asset.id: " + _("Your account has no such subscription."))
    if asset.status not in BEFORE[kind]:
        raise ApiError(
            _("A subscription that is %(now)s cannot get a request of the type %(type)s.")
            % {"now": asset.status, "type": kind},
            code="REQ_001",
        )
    if FulfillmentRequest.objects.filter(asset=asset, status__in=FulfillmentRequest.OPEN).exists():
        raise ApiError(_("The subscription has a request that is not done yet."), code="REQ_002")
    return asset  # type: ignore[no-any-return]


def bought(caller: Caller, values: dict[str, Any]) -> tuple[Asset, list[dict[str, Any]]]:
    """Return the new subscription of a purchase, and the items that were sent. Raise ApiError."""
    lines = Connection.objects.visible_to(caller).select_related("product")
    line = lines.filter(pk=values.get("asset.connection.id", "")).first()
    if line is None:
        raise ApiError("asset.connection.id: " + _("Your account has no such connection."))
    listing = (
        Listing.objects.filter(
            product=line.product_id,
            provider=caller.account_id,
            status=Listing.Status.LISTED,
            contract__marketplace__hubs=line.hub_id,
            product__status=Product.Status.PUBLISHED,
        )
        .select_related("contract")
        .order_by("pk")
        .first()
    )
    if listing is None:
        raise ApiError(
            "asset.connection.id: " + _("The product is not on sale through this connection.")
        )
    if not values.get("asset.items"):
        raise ApiError("asset.items: " + _("Name at least one item."))
    buyer = tier(caller, values, "customer", Customer.Type.CUSTOMER, line.vendor_id)
    if buyer is None:
        raise ApiError("asset.tiers.customer: " + _("This field is required."))
    now = this_second()
    asset = Asset.objects.create(
        status=Asset.Status.DRAFT
        if values.get("status") == Status.DRAFT
        else Asset.Status.PROCESSING,
        external_id=values.get("asset.external_id") or new_uid(),
        external_uid=values.get("asset.external_uid") or new_uid(),
        vendor_id=line.vendor_id,
        provider_id=caller.account_id,
        product=line.product,
        connection=line,
        contract=listing.contract,
        marketplace_id=listing.contract.marketplace_id,
        customer=buyer,
        reseller=tier(caller, values, "tier1", Customer.Type.RESELLER, line.vendor_id),
        params=parameters(values.get("asset.params", [])),
        created_at=now,
        updated_at=now,
    )
    return asset, values["asset.items"]


def tier(
    caller: Caller, values: dict[str, Any], name: str, kind: Customer.Type, vendor_id: str
) -> Customer | None:
    """Return the customer or reseller that a body names, or makes; None if there is none."""
    sent = values.get(f"asset.tiers.{name}")
    if not sent:
        return None
    own = Customer.objects.filter(provider=caller.account_id, type=kind)
    for key in ("id", "external_uid"):
        if isinstance(sent.get(key), str) and (found := own.filter(**{key: sent[key]}).first()):
            if found.vendor_id is None:
                found.vendor_id = vendor_id
                found.save()
            return found  # type: ignore[no-any-return]
    if "id" in sent:
        raise ApiError(f"asset.tiers.{name}.id: " + _("Your account has no such customer."))
    fields = CUSTOMERS.writes["POST"].fields
    try:
        read = clean(sent, {each: fields[each] for each in WRITABLE if each != "type"}, REQUIRED)
        now = this_second()
        made = Customer(
            provider_id=caller.account_id,
            vendor_id=vendor_id,
            type=kind,
            created_at=now,
            updated_at=now,
            **columns(read),
        )
        save(made)
    except ApiError as problem:
        raise ApiError(*(f"asset.tiers.{name}.{text}" for text in problem.messages)) from None
    return made


def parameters(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parameters of a new subscription, as records show them. Raise ApiError."""
    if len(sent) > MOST:
        raise ApiError("asset.params: " + _("There can be at most %s.") % MOST)
    rows = {}
    for number, each in enumerate(sent):
        at = f"asset.params[{number}]"
        if not (pk := parameter_text(each.get("id"), f"{at}.id")):
            raise ApiError(f"{at}.id: " + _("This field is required."))
        rows[pk] = {
            "id": pk,
            "name": pk,
            "title": pk,
            "description": "",
            "type": "text",
            "value": parameter_text(each.get("value"), f"{at}.value"),
            "value_error": "",
        }
    return list(rows.values())


def order(request: FulfillmentRequest, product_id: str, sent: list[dict[str, Any]]) -> None:
    """Add the items that a request asks for. Raise ApiError.

    The subscription gets those that it lacks with the quantity 0: it has them once the request is
    approved.
    """
    if not 0 < len(sent) <= MOST:
        raise ApiError("asset.items: " + _("There must be 1 to %s items.") % MOST)
    on_sale = Item.objects.filter(product=product_id, status=Item.Status.PUBLISHED)
    known = {name: item for item in on_sale for name in (item.pk, item.mpn)}
    wanted = {}
    for number, each in enumerate(sent):
        item, quantity = known.get(str(each.get("id"))), each.get("quantity")
        if item is None:
            raise ApiError(f"asset.items[{number}].id: " + _("The product has no such item."))
        if isinstance(quantity, str) and quantity.isascii() and quantity.isdigit():
            quantity = int(quantity[:20])
        if not isinstance(quantity, int | float) or isinstance(quantity, bool):
            raise ApiError(f"asset.items[{number}].quantity: " + _("Must be a whole number."))
        if quantity != int(quantity) or not 0 <= quantity <= LARGEST:
            raise ApiError(
                f"asset.items[{number}].quantity: "
                + _("Must be a whole number from 0 to %s.") % f"{LARGEST:,}"
            )
        wanted[item] = int(quantity)
    for item, quantity in wanted.items():
        part = request.asset.items.get_or_create(item=item, defaults={"quantity": 0})[0]
        RequestItem.objects.create(
            request=request, item=item, quantity=quantity, old_quantity=part.quantity
        )


def is_waiting(asset: Asset) -> bool:
    """Tell whether the reseller's data for the product is still being set up."""
    return TierConfig.objects.filter(
        customer=asset.reseller_id, product=asset.product_id, status=TierConfig.Status.PROCESSING
    ).exists()

"""`/public/v1/listings` and `/listing-requests`: the module Listings."""

from typing import Any

from django.db.models import CharField
from django.utils.translation import gettext as _

from accounts.models import Account
from api.bodies import ApiError
from api.resource import Resource
from api.shapes import actor, reference
from modules.actors import acting, move, only, told
from modules.customers import below, product
from modules.models import (
    Agreement,
    Contract,
    Listing,
    ListingRequest,
    Product,
    numbered,
    this_second,
)
from portal.fields import Actor
from tokens.catalog import Module
from tokens.gate import Caller

LISTING = {
    "id": "id",
    "status": "status",
    "contract": {
        "id": "contract_id",
        "type": "contract__type",
        "name": "contract__name",
        "marketplace": reference("contract__marketplace"),
    },
    "product": product("product"),
    "vendor": reference("vendor"),
    "provider": reference("provider"),
    "pricelist": {
        "id": "price_list_id",
        "name": "price_list__name",
        "status": "price_list__status",
    },
    "created": "created_at",
    "updated": "updated_at",
}

LISTINGS = Resource(
    "listings",
    Module.LISTINGS,
    lambda caller: Listing.objects.visible_to(caller),
    about="Products of vendors in the marketplaces of distributors.",
    fields=LISTING,
    # Connect's own report filters by `state`, and by the marketplace without the contract.
    also={
        "state": "status",
        "marketplace.id": "contract.marketplace.id",
        "marketplace.name": "contract.marketplace.name",
    },
    search=("product.name", "marketplace.name"),
)

LISTING_REQUESTS = Resource(
    "listing-requests",
    Module.LISTINGS,
    lambda caller: told(
        caller, ListingRequest.objects.visible_to(caller), "created_by", "updated_by", "assigned_to"
    ),
    about="Requests of vendors to list their products, which distributors deploy and complete.",
    fields={
        "id": "id",
        "type": "type",
        "state": "state",
        "product": product("listing__product"),
        "listing": below("listing", LISTING),
        "creator": actor("created_by"),
        "assignee": actor("assigned_to"),
        "created": "created_at",
        "updated": "updated_at",
        "events": {
            "created": {"at": "created_at", "by": actor("created_by")},
            "updated": {"at": "updated_at", "by": actor("updated_by")},
        },
    },
    also={
        "status": "state",
        "contract.id": "listing.contract.id",
        "contract.name": "listing.contract.name",
        "marketplace.id": "listing.contract.marketplace.id",
        "marketplace.name": "listing.contract.marketplace.name",
        "listing.marketplace.id": "listing.contract.marketplace.id",
        "listing.marketplace.name": "listing.contract.marketplace.name",
        "provider.id": "listing.provider.id",
        "provider.name": "listing.provider.name",
        "vendor.id": "listing.vendor.id",
        "vendor.name": "listing.vendor.name",
    },
    search=(
        "id",
        "type",
        "status",
        "listing.contract.id",
        "listing.contract.name",
        "listing.product.id",
        "listing.product.name",
        "listing.vendor.id",
        "listing.vendor.name",
    ),
)
State = ListingRequest.State
TAKES = {
    "note": ListingRequest._meta.get_field("note"),
    **{
        name: CharField(name=name, max_length=24)
        for name in ("listing_id", "product_id", "contract_id")
    },
}


@LISTING_REQUESTS.creates("type", required=("type",), takes=TAKES)
def create(caller: Caller, values: dict[str, Any]) -> str:
    """Draft a listing request, as the vendor.

    It names a listing by `listing_id`, or by `product_id` and `contract_id`; with the type `new`,
    these two make the listing.
    """
    only(caller, Account.Side.VENDOR)
    is_new = values["type"] == ListingRequest.Type.NEW
    listing = named(caller, values, is_new=is_new)
    if is_new == (listing.status == Listing.Status.LISTED):
        text = _("The product is listed already.") if is_new else _("The product is not listed.")
        raise ApiError(text, code="LST_001")
    if listing.requests.filter(state__in=ListingRequest.OPEN).exists():
        raise ApiError(_("The listing has a request that is not done yet."), code="LST_002")
    by = acting(caller)
    request = ListingRequest(
        id=numbered(ListingRequest, f"LSTR-{listing.pk.removeprefix('LST-')}"),
        type=values["type"],
        note=values.get("note", ""),
        vendor_id=listing.vendor_id,
        provider_id=listing.provider_id,
        listing=listing,
        created_at=(now := this_second()),
        updated_at=now,
    )
    request.created_by = request.updated_by = by
    request.save(force_insert=True)
    return request.pk


def named(caller: Caller, values: dict[str, Any], *, is_new: bool) -> Listing:
    """Return the vendor's listing that a body names, locked. Raise ApiError."""
    listings = Listing.objects.visible_to(caller).select_for_update(of=("self",), no_key=True)
    if wanted := values.get("listing_id"):
        if (listing := listings.filter(pk=wanted).first()) is None:
            raise ApiError("listing_id: " + _("Your account has no such listing."))
        return listing  # type: ignore[no-any-return]
    for name in ("product_id", "contract_id"):
        if not values.get(name):
            raise ApiError(f"{name}: " + _("This field is required."))
    of = Product.objects.visible_to(caller).filter(pk=values["product_id"]).first()
    if of is None or (is_new and of.status != Product.Status.PUBLISHED):
        raise ApiError("product_id: " + _("Your account has no such product on sale."))
    # Two requests at the same moment wait for each other here, and make one listing.
    contract = (
        Contract.objects.visible_to(caller)
        .filter(pk=values["contract_id"], type=Agreement.Type.DISTRIBUTION)
        .filter(status=Contract.Status.ACTIVE)
        .select_for_update(of=("self",), no_key=True)
        .first()
    )
    if contract is None:
        raise ApiError(
            "contract_id: " + _("Your account has no such distribution contract in force.")
        )
    listing = listings.filter(product=of, contract=contract).first()
    if listing is None and not is_new:
        raise ApiError("product_id: " + _("The product is not listed under this contract."))
    return listing or Listing.objects.create(  # type: ignore[no-any-return]
        vendor_id=caller.account_id,
        provider_id=contract.provider_id,
        status=Listing.Status.UNLISTED,
        contract=contract,
        product=of,
        created_at=(now := this_second()),
        updated_at=now,
    )


@LISTING_REQUESTS.acts("submit")
def submit(caller: Caller, request: ListingRequest, values: dict[str, Any]) -> None:
    """Send a draft to the distributor, as the vendor."""
    only(caller, Account.Side.VENDOR)
    move(request, "LST_003", State.REVIEWING, by=acting(caller))


@LISTING_REQUESTS.acts("refine")
def refine(caller: Caller, request: ListingRequest, values: dict[str, Any]) -> None:
    """Send a request back to its vendor, as the distributor that reviews it."""
    only(caller, Account.Side.DISTRIBUTOR)
    move(request, "LST_003", State.DRAFT, by=acting(caller))


@LISTING_REQUESTS.acts("deploy")
def deploy(caller: Caller, request: ListingRequest, values: dict[str, Any]) -> None:
    """Mark a reviewed request as being deployed, as the distributor."""
    only(caller, Account.Side.DISTRIBUTOR)
    move(request, "LST_003", State.DEPLOYING, by=acting(caller))


@LISTING_REQUESTS.acts("complete")
def complete(caller: Caller, request: ListingRequest, values: dict[str, Any]) -> None:
    """Complete a deployed request, as the distributor. The listing changes with it."""
    only(caller, Account.Side.DISTRIBUTOR)
    move(request, "LST_003", State.COMPLETED, by=acting(caller))


@LISTING_REQUESTS.acts("cancel")
def cancel(caller: Caller, request: ListingRequest, values: dict[str, Any]) -> None:
    """Cancel a request: the vendor its draft, the distributor what it reviews or deploys."""
    is_draft = request.state == State.DRAFT
    only(caller, Account.Side.VENDOR if is_draft else Account.Side.DISTRIBUTOR)
    move(request, "LST_003", State.CANCELED, by=acting(caller))


@LISTING_REQUESTS.acts("assign")
def assign(caller: Caller, request: ListingRequest, values: dict[str, Any]) -> None:
    """Take on a request, as the distributor. Its assignee is the token that calls."""
    hand_over(caller, request, acting(caller))


@LISTING_REQUESTS.acts("unassign")
def unassign(caller: Caller, request: ListingRequest, values: dict[str, Any]) -> None:
    """Hand a request back, as the distributor, so that it has no assignee."""
    hand_over(caller, request, None)


def hand_over(caller: Caller, request: ListingRequest, to: Actor | None) -> None:
    """Change the assignee of a request that is not done yet, as the distributor."""
    only(caller, Account.Side.DISTRIBUTOR)
    if request.state not in request.OPEN:
        raise ApiError(_("The request is done."), code="LST_003")
    request.assigned_to, request.updated_by = to, acting(caller)
    request.updated_at = this_second()
    request.save()

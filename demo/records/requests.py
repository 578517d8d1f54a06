"""Requests about customers, tier configurations, listings and billing."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from demo.records.base import seeded
from modules.billing import line
from modules.models import (
    Asset,
    AssetItem,
    BillingRequest,
    FulfillmentRequest,
    Listing,
    ListingRequest,
    RequestItem,
    TierAccountRequest,
    TierConfig,
    TierConfigRequest,
)


def account_requests(assets: Iterable[Asset]) -> Iterator[TierAccountRequest]:
    """Yield one for every third active subscription: the customer has moved."""
    states = TierAccountRequest.Status
    statuses = (states.ACCEPTED, states.PENDING, states.IGNORED, states.UNSUPPORTED)
    active = [asset for asset in assets if asset.status == Asset.Status.ACTIVE]
    for number, asset in enumerate(active[::3]):
        status = statuses[number % 4]
        at = asset.updated_at + timedelta(days=3)
        yield TierAccountRequest(
            id=f"TAR-{asset.customer_id.removeprefix('TA-')}-001-{number + 1:03}",
            vendor_id=asset.vendor_id,
            provider_id=asset.provider_id,
            status=status,
            account_id=asset.customer_id,
            product_id=asset.product_id,
            version=1,
            reason="The address is not used." if status == states.IGNORED else "",
            created_at=at,
            updated_at=at if status == states.PENDING else at + timedelta(hours=5),
        )


def config_requests(configs: Iterable[TierConfig]) -> Iterator[TierConfigRequest]:
    """Yield the set-up of each configuration, and a later request about each that is active."""
    types, statuses = TierConfigRequest.Type, TierConfigRequest.Status
    later = (
        (types.UPDATE, statuses.INQUIRING),
        (types.ADJUSTMENT, statuses.APPROVED),
        (types.UPDATE, statuses.FAILED),
        (types.UPDATE, statuses.TIERS_SETUP),
        (types.UPDATE, statuses.DRAFT),
        (types.UPDATE, statuses.PENDING),
    )
    active = 0
    for config in configs:
        is_done = config.status == TierConfig.Status.ACTIVE
        yield TierConfigRequest(
            id=f"TCR-{config.pk.removeprefix('TC-')}-001",
            vendor_id=config.vendor_id,
            provider_id=config.provider_id,
            type=TierConfigRequest.Type.SETUP,
            status=statuses.APPROVED if is_done else statuses.PENDING,
            configuration=config,
            params=config.params,
            notes="Please fill in the partner number.",
            created_at=config.created_at,
            updated_at=config.updated_at if is_done else config.created_at,
        )
        if is_done:
            type, status = later[active % len(later)]
            active += 1
            yield TierConfigRequest(
                id=f"TCR-{config.pk.removeprefix('TC-')}-002",
                vendor_id=config.vendor_id,
                provider_id=config.provider_id,
                type=type,
                status=status,
                configuration=config,
                params=config.params,
                notes="The partner number has changed.",
                created_at=config.updated_at,
                updated_at=config.updated_at + timedelta(hours=3),
            )


def listing_requests(listings: Iterable[Listing]) -> Iterator[ListingRequest]:
    """Yield the completed request that led to each listing, and some that are in the works."""
    states = ListingRequest.State
    for number, of in enumerate(listings):
        digits = of.pk.removeprefix("LST-")
        pair = {"vendor_id": of.vendor_id, "provider_id": of.provider_id}
        yield ListingRequest(
            id=f"LSTR-{digits}-001",
            type=ListingRequest.Type.NEW,
            state=states.COMPLETED,
            listing=of,
            created_at=of.created_at,
            updated_at=of.created_at + timedelta(hours=20),
            **pair,
        )
        if number % 4 == 0:
            at = of.created_at + timedelta(days=200)
            yield ListingRequest(
                id=f"LSTR-{digits}-002",
                type=ListingRequest.Type.REMOVE,
                state=(states.REVIEWING, states.CANCELED, states.DRAFT, states.DEPLOYING)[
                    number // 4 % 4
                ],
                listing=of,
                created_at=at,
                updated_at=at + timedelta(hours=2),
                **pair,
            )


def billing_requests(assets: Iterable[Asset]) -> Iterator[BillingRequest]:
    """Yield one of each side for every other active subscription."""
    types = BillingRequest.Type
    bought: dict[str, list[AssetItem]] = {}
    for each in AssetItem.objects.select_related("item").order_by("item"):
        bought.setdefault(each.asset_id, []).append(each)
    active = [asset for asset in assets if asset.status == Asset.Status.ACTIVE]
    for asset in active[::2]:
        draw = seeded(f"billing {asset.pk}")
        begins = asset.created_at + timedelta(days=30)
        for type, prefix in ((types.VENDOR, "BRV"), (types.PROVIDER, "BRP")):
            yield BillingRequest(
                id=f"{prefix}-{asset.pk.removeprefix('AS-')}-0001",
                vendor_id=asset.vendor_id,
                provider_id=asset.provider_id,
                type=type,
                asset=asset,
                items=[line(each, each.quantity) for each in bought.get(asset.pk, [])],
                attributes={str(type): {"invoice": f"{draw.randrange(10**6):06}"}},
                period_from=begins,
                period_to=begins + timedelta(days=30),
                period_delta=1,
                period_unit=BillingRequest.Unit.MONTHLY,
                created_at=begins,
                updated_at=begins,
            )


def request_items(requests: Iterable[FulfillmentRequest]) -> Iterator[RequestItem]:
    """Yield what the open requests for changes ask for: more of the first item."""
    for request in requests:
        if request.type == FulfillmentRequest.Type.CHANGE and request.status in request.OPEN:
            part = request.asset.items.order_by("item")[0]
            yield RequestItem(
                request=request,
                item_id=part.item_id,
                quantity=part.quantity + 10,
                old_quantity=part.quantity,
            )

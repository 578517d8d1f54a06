"""Tier configurations."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from demo.records.base import sample_id, seeded
from demo.records.subscriptions import R, parameter
from modules.models import Asset, Customer, FulfillmentRequest, TierConfig


def tier_configs(
    assets: Iterable[Asset],
    customers: Mapping[str, Customer],
    requests: Iterable[FulfillmentRequest],
) -> Iterable[TierConfig]:
    """Return one for each product and reseller of subscriptions.

    Resellers above these resellers have them too.
    """
    waiting = {request.asset_id for request in requests if request.status == R.TIERS_SETUP}
    rows: dict[tuple[str, str], TierConfig] = {}
    # Subscriptions waiting for one come first, since they determine its status.
    for asset in sorted(assets, key=lambda asset: asset.pk not in waiting):
        reseller = customers.get(asset.reseller_id or "")
        above = customers.get(reseller.parent_id or "") if reseller else None
        for level, each in zip(TierConfig.Level, (reseller, above), strict=True):
            if each and (each.pk, asset.product_id) not in rows:
                status = (
                    TierConfig.Status.PROCESSING
                    if asset.pk in waiting
                    else TierConfig.Status.ACTIVE
                )
                rows[each.pk, asset.product_id] = tier_config(asset, each, level, status)
    return rows.values()


def tier_config(
    asset: Asset, of: Customer, level: TierConfig.Level, status: TierConfig.Status
) -> TierConfig:
    draw = seeded(f"tier config {of.pk} {asset.product_id}")
    number = f"P-{draw.randrange(10**6):06}"
    return TierConfig(
        id=sample_id(draw, "TC", 3, 3, 3),
        vendor_id=asset.vendor_id,
        provider_id=asset.provider_id,
        name=f"Configuration of {of.name} for {asset.product.name}",
        status=status,
        tier_level=level,
        customer=of,
        product_id=asset.product_id,
        connection_id=asset.connection_id,
        contract_id=asset.contract_id,
        marketplace_id=asset.marketplace_id,
        params=[
            parameter(
                "partner_number",
                "Partner number",
                "The reseller's number with the vendor.",
                "text",
                number if status == TierConfig.Status.ACTIVE else "",
            )
        ],
        created_at=asset.created_at,
        updated_at=asset.created_at + timedelta(hours=draw.randint(1, 72)),
    )

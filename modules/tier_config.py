"""The resource `/public/v1/tier/configs`: the module Tier Config."""

from api.resource import Resource
from api.shapes import Constant, events, reference
from modules.models import TierConfig
from modules.subscriptions import connection, contract, product, tier
from tokens.catalog import Module

TIER_CONFIGS = Resource(
    "tier/configs",
    Module.TIER_CONFIG,
    lambda caller: TierConfig.objects.visible_to(caller),
    about=(
        "What a vendor needs to know about a reseller before it can serve the reseller's customers."
    ),
    fields={
        "id": "id",
        "name": "name",
        "status": "status",
        "account": tier("customer"),
        "product": product("product"),
        "tier_level": "tier_level",
        "connection": connection("connection"),
        "events": events(created="created_at", updated="updated_at"),
        "params": "params",
        "configuration": Constant({"params": []}),
        "contract": contract("contract"),
        "marketplace": reference("marketplace"),
    },
    also={
        "created": "events.created.at",
        "updated": "events.updated.at",
        "account.company_name": "account.name",
    },
    ordering=(
        "tier_level",
        "account.id",
        "account.company_name",
        "product.id",
        "product.name",
        "connection.id",
        "contract.id",
        "marketplace.id",
        "marketplace.name",
        "updated",
    ),
    search=(
        "id",
        "account.id",
        "account.company_name",
        "product.id",
        "product.name",
        "connection.id",
        "contract.id",
        "marketplace.id",
        "marketplace.name",
    ),
)

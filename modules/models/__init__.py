"""The business records behind the gate, one file per noun."""

from modules.models.agreements import Agreement
from modules.models.base import (
    OwnedQuerySet,
    Record,
    RecordQuerySet,
    WrongState,
    new_uid,
    this_second,
)
from modules.models.contracts import Contract
from modules.models.customers import Customer
from modules.models.devops import Environment, Service
from modules.models.helpdesk import Case
from modules.models.integrations import ModuleEntry
from modules.models.listings import Connection, Listing
from modules.models.marketplaces import Country, Hub, Locale, Marketplace, MarketplaceHub
from modules.models.pricing import PriceList
from modules.models.products import Category, Item, Product
from modules.models.reports import Report, ReportTemplate
from modules.models.subscriptions import Asset, AssetItem, FulfillmentRequest
from modules.models.tier_config import TierConfig
from modules.models.usage import UsageFile

__all__ = (
    "Agreement",
    "Asset",
    "AssetItem",
    "Case",
    "Category",
    "Connection",
    "Contract",
    "Country",
    "Customer",
    "Environment",
    "FulfillmentRequest",
    "Hub",
    "Item",
    "Listing",
    "Locale",
    "Marketplace",
    "MarketplaceHub",
    "ModuleEntry",
    "OwnedQuerySet",
    "PriceList",
    "Product",
    "Record",
    "RecordQuerySet",
    "Report",
    "ReportTemplate",
    "Service",
    "TierConfig",
    "UsageFile",
    "WrongState",
    "new_uid",
    "this_second",
)

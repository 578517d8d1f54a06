"""The business records behind the gate, one file per noun."""

from modules.models.agreements import Agreement
from modules.models.base import (
    OwnedQuerySet,
    Record,
    RecordQuerySet,
    Request,
    WrongState,
    new_uid,
    numbered,
    this_second,
)
from modules.models.billing import BillingRequest
from modules.models.contracts import Contract
from modules.models.conversations import DISCUSSED, Conversation, ConversationFull, Message
from modules.models.customers import Customer, TierAccountRequest
from modules.models.devops import Environment, Service
from modules.models.helpdesk import Case
from modules.models.integrations import ModuleEntry
from modules.models.listings import Connection, Listing, ListingRequest
from modules.models.marketplaces import Country, Hub, Locale, Marketplace, MarketplaceHub
from modules.models.pricing import PriceList
from modules.models.products import Category, Item, Product
from modules.models.reports import Report, ReportTemplate
from modules.models.subscriptions import Asset, AssetItem, FulfillmentRequest, RequestItem
from modules.models.tier_config import TierConfig, TierConfigRequest
from modules.models.usage import UsageFile

__all__ = (
    "DISCUSSED",
    "Agreement",
    "Asset",
    "AssetItem",
    "BillingRequest",
    "Case",
    "Category",
    "Connection",
    "Contract",
    "Conversation",
    "ConversationFull",
    "Country",
    "Customer",
    "Environment",
    "FulfillmentRequest",
    "Hub",
    "Item",
    "Listing",
    "ListingRequest",
    "Locale",
    "Marketplace",
    "MarketplaceHub",
    "Message",
    "ModuleEntry",
    "OwnedQuerySet",
    "PriceList",
    "Product",
    "Record",
    "RecordQuerySet",
    "Report",
    "ReportTemplate",
    "Request",
    "RequestItem",
    "Service",
    "TierAccountRequest",
    "TierConfig",
    "TierConfigRequest",
    "UsageFile",
    "WrongState",
    "new_uid",
    "numbered",
    "this_second",
)

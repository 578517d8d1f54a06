"""The admin pages of the sample records."""

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import URLField
from django.http import HttpRequest

from modules.models import (
    Agreement,
    Asset,
    AssetItem,
    BillingRequest,
    Case,
    Category,
    Connection,
    Contract,
    Conversation,
    Country,
    Customer,
    Environment,
    FulfillmentRequest,
    Hub,
    Item,
    Listing,
    ListingRequest,
    Locale,
    Marketplace,
    MarketplaceHub,
    Message,
    PriceList,
    Product,
    Report,
    ReportTemplate,
    RequestItem,
    Service,
    TierAccountRequest,
    TierConfig,
    TierConfigRequest,
    UsageFile,
)
from portal.admin import BoundedInline


class Searched(BaseModelAdmin):
    """An admin that finds related records by typing: a select could have thousands of choices."""

    # Assume https for a URL without a scheme, which is Django's default from version 6 on.
    formfield_overrides = {URLField: {"assume_scheme": "https"}}

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        return [
            field.name
            for field in (*self.opts.fields, *self.opts.many_to_many)
            if field.is_relation
        ]


class SampleAdmin(Searched, admin.ModelAdmin):
    show_full_result_count = False


class SampleInline(Searched, BoundedInline):
    pass


class MarketplaceHubInline(SampleInline):
    model = MarketplaceHub


class ItemOfAssetInline(SampleInline):
    model = AssetItem


class EnvironmentInline(SampleInline):
    model = Environment


@admin.register(Agreement, Contract, Customer)
class RecordAdmin(SampleAdmin):
    list_display = ("id", "__str__", "type", "vendor", "provider", "created_at")
    list_filter = ("type",)
    search_fields = ("id", "vendor__name", "provider__name")
    list_select_related = ("vendor", "provider")


@admin.register(PriceList)
class PriceListAdmin(SampleAdmin):
    list_display = ("id", "name", "status", "currency", "vendor", "provider", "created_at")
    list_filter = ("status", "currency")
    search_fields = ("id", "name", "vendor__name", "provider__name")
    list_select_related = ("vendor", "provider")


@admin.register(Listing)
class ListingAdmin(SampleAdmin):
    list_display = ("id", "product", "status", "vendor", "provider", "created_at")
    list_filter = ("status",)
    search_fields = ("id", "product__name", "vendor__name", "provider__name")
    list_select_related = ("product", "vendor", "provider")


@admin.register(Connection)
class ConnectionAdmin(SampleAdmin):
    list_display = ("id", "product", "hub", "type", "vendor", "provider", "created_at")
    list_filter = ("type",)
    search_fields = ("id", "product__name", "hub__name")
    list_select_related = ("product", "hub", "vendor", "provider")


@admin.register(Asset)
class AssetAdmin(SampleAdmin):
    list_display = ("id", "product", "customer", "status", "vendor", "provider", "created_at")
    list_filter = ("status",)
    search_fields = ("id", "external_id", "product__name", "customer__name")
    list_select_related = ("product", "customer", "vendor", "provider")
    inlines = (ItemOfAssetInline,)


@admin.register(FulfillmentRequest)
class FulfillmentRequestAdmin(SampleAdmin):
    list_display = ("id", "asset", "type", "status", "vendor", "provider", "created_at")
    list_filter = ("type", "status")
    search_fields = ("id", "asset__product__name", "asset__customer__name")
    list_select_related = ("asset", "vendor", "provider")


@admin.register(TierConfig)
class TierConfigAdmin(SampleAdmin):
    list_display = ("id", "name", "tier_level", "status", "vendor", "provider", "created_at")
    list_filter = ("status", "tier_level")
    search_fields = ("id", "name")
    list_select_related = ("vendor", "provider")


@admin.register(TierConfigRequest)
class TierConfigRequestAdmin(SampleAdmin):
    list_display = ("id", "configuration", "type", "status", "vendor", "provider", "created_at")
    list_filter = ("status", "type")
    search_fields = ("id", "configuration__name")
    list_select_related = ("configuration", "vendor", "provider")


@admin.register(TierAccountRequest)
class TierAccountRequestAdmin(SampleAdmin):
    list_display = ("id", "account", "product", "status", "vendor", "provider", "created_at")
    list_filter = ("status",)
    search_fields = ("id", "account__name", "product__name")
    list_select_related = ("account", "product", "vendor", "provider")


@admin.register(ListingRequest)
class ListingRequestAdmin(SampleAdmin):
    list_display = ("id", "listing", "type", "state", "vendor", "provider", "created_at")
    list_filter = ("state", "type")
    search_fields = ("id", "listing__product__name")
    list_select_related = ("listing", "vendor", "provider")


@admin.register(BillingRequest)
class BillingRequestAdmin(SampleAdmin):
    list_display = ("id", "asset", "type", "period_from", "period_to", "vendor", "provider")
    list_filter = ("type",)
    search_fields = ("id", "asset__id", "asset__product__name")
    list_select_related = ("asset", "vendor", "provider")


@admin.register(UsageFile)
class UsageFileAdmin(SampleAdmin):
    list_display = ("id", "name", "status", "records", "vendor", "provider", "created_at")
    list_filter = ("status", "schema")
    search_fields = ("id", "name")
    list_select_related = ("vendor", "provider")


@admin.register(Case)
class CaseAdmin(SampleAdmin):
    list_display = (
        "id",
        "subject",
        "state",
        "type",
        "priority",
        "issuer",
        "receiver",
        "created_at",
    )
    list_filter = ("state", "type", "priority")
    search_fields = ("id", "subject", "issuer__name", "receiver__name")
    list_select_related = ("issuer", "receiver")


@admin.register(Conversation)
class ConversationAdmin(SampleAdmin):
    list_display = ("id", "instance_id", "topic", "vendor", "provider", "created_at")
    search_fields = ("id", "instance_id", "topic", "vendor__name", "provider__name")
    list_select_related = ("vendor", "provider")


@admin.register(Message)
class MessageAdmin(SampleAdmin):
    list_display = ("id", "conversation", "number", "account", "created_by", "created_at")
    search_fields = ("id", "conversation__id", "conversation__instance_id")
    list_select_related = ("conversation", "account")


@admin.register(Product)
class ProductAdmin(SampleAdmin):
    list_display = ("id", "name", "status", "vendor", "monthly_price", "currency")
    list_filter = ("status",)
    search_fields = ("id", "name")
    list_select_related = ("vendor",)


@admin.register(Item)
class ItemAdmin(SampleAdmin):
    list_display = ("id", "name", "product", "type", "period", "status")
    list_filter = ("status", "type", "period")
    search_fields = ("id", "name", "mpn", "product__name")
    list_select_related = ("product",)


@admin.register(Marketplace)
class MarketplaceAdmin(SampleAdmin):
    list_display = ("id", "name", "owner", "currency")
    list_filter = ("zone",)
    search_fields = ("id", "name")
    list_select_related = ("owner",)
    inlines = (MarketplaceHubInline,)


@admin.register(Hub)
class HubAdmin(SampleAdmin):
    list_display = ("id", "name", "owner", "instance_type", "version")
    list_filter = ("instance_type",)
    search_fields = ("id", "name", "instance_id")
    list_select_related = ("owner",)


@admin.register(Report)
class ReportAdmin(SampleAdmin):
    list_display = ("id", "name", "status", "owner", "template", "created_at")
    list_filter = ("status",)
    search_fields = ("id", "name", "owner__name")
    list_select_related = ("owner", "template")


@admin.register(Service)
class ServiceAdmin(SampleAdmin):
    list_display = ("id", "name", "type", "owner", "created_at")
    list_filter = ("type",)
    search_fields = ("id", "name", "package_id")
    list_select_related = ("owner",)
    inlines = (EnvironmentInline,)


@admin.register(AssetItem, Environment, MarketplaceHub, RequestItem)
class PartAdmin(SampleAdmin):
    """Parts of a record, which can also be edited on its page while it has few of them."""

    search_fields = ("id",)


@admin.register(Category, Country, Locale, ReportTemplate)
class NameAdmin(SampleAdmin):
    list_display = ("id", "name")
    search_fields = ("id", "name")

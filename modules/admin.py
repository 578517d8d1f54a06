"""Sample records for administrators of the portal."""

from django.contrib import admin

from modules.models import Agreement, Contract, Customer, Marketplace, Product


@admin.register(Agreement, Contract, Customer)
class RecordAdmin(admin.ModelAdmin):
    list_display = ("id", "__str__", "type", "vendor", "provider", "created_at")
    list_filter = ("type",)
    search_fields = ("id", "vendor__name", "provider__name")
    list_select_related = ("vendor", "provider")
    autocomplete_fields = ("vendor", "provider")
    show_full_result_count = False


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ("id", "name", "status", "vendor", "monthly_price", "currency")
    list_filter = ("status",)
    search_fields = ("id", "name")
    autocomplete_fields = ("vendor",)


@admin.register(Marketplace)
class MarketplaceAdmin(admin.ModelAdmin):
    list_display = ("id", "name", "owner", "currency")
    search_fields = ("id", "name")
    autocomplete_fields = ("owner",)

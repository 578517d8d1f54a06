"""Every address below `/public/`. A new collection is one line here."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from modules import (
    account,
    agreements,
    contracts,
    customers,
    devops,
    helpdesk,
    integrations,
    listings,
    marketplaces,
    openapi,
    partners,
    pricing,
    products,
    reports,
    subscriptions,
    tier_config,
    usage,
)
from portal.views import page_not_found

app_name = "api"

# In the order of the modules, which is that of the page API.
COLLECTIONS = (
    account.ACCOUNTS,
    account.USERS,
    agreements.AGREEMENTS,
    contracts.CONTRACTS,
    customers.CUSTOMERS,
    devops.SERVICES,
    integrations.TOKENS,
    integrations.PERMISSIONS,
    integrations.EXTENSIONS,
    integrations.MODULES,
    helpdesk.CASES,
    listings.LISTINGS,
    marketplaces.MARKETPLACES,
    marketplaces.HUBS,
    marketplaces.LOCALES,
    partners.PARTNERS,
    pricing.PRICE_LISTS,
    products.PRODUCTS,
    products.ITEMS,
    products.CATEGORIES,
    reports.REPORTS,
    subscriptions.ASSETS,
    subscriptions.REQUESTS,
    tier_config.TIER_CONFIGS,
    usage.USAGE_FILES,
)


@login_not_required
@csrf_exempt
def nothing(request: HttpRequest) -> HttpResponse:
    """What is no collection: JSON, never the portal's page."""
    return page_not_found(request)


urlpatterns = [
    *(pattern for collection in COLLECTIONS for pattern in collection.urls()),
    re_path(r"^v1//?openapi\.json/?$", openapi.show, {"collections": COLLECTIONS}, name="openapi"),
    re_path(r"^.*$", nothing, name="nothing"),
]

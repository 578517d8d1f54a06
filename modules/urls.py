"""All URLs below `/public/`. A new resource is one line here."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from api import openapi
from api.resource import ID
from modules import (
    absent,
    account,
    agreements,
    billing,
    contracts,
    conversations,
    customers,
    deliveries,
    devops,
    extensions,
    helpdesk,
    integrations,
    ip_rules,
    listings,
    marketplaces,
    ordering,
    partners,
    pricing,
    products,
    replays,
    reports,
    subscriptions,
    tier_config,
    translations,
    usage,
    webhooks,
)
from portal.views import page_not_found

app_name = "api"

# In the order of the modules, which is that of the API Reference page.
RESOURCES = (
    account.ACCOUNTS,
    account.USERS,
    account.USERS_OF_ACCOUNT,
    agreements.AGREEMENTS,
    contracts.CONTRACTS,
    customers.CUSTOMERS,
    customers.ACCOUNT_REQUESTS,
    devops.SERVICES,
    integrations.TOKENS,
    integrations.PERMISSIONS,
    extensions.EXTENSIONS,
    extensions.MODULES,
    webhooks.WEBHOOKS,
    deliveries.DELIVERIES,
    replays.REPLAYS,
    helpdesk.CASES,
    conversations.CONVERSATIONS,
    conversations.MESSAGES,
    listings.LISTINGS,
    listings.LISTING_REQUESTS,
    marketplaces.MARKETPLACES,
    marketplaces.HUBS,
    marketplaces.LOCALES,
    partners.PARTNERS,
    pricing.PRICE_LISTS,
    products.PRODUCTS,
    products.ITEMS,
    products.VERSIONS,
    *absent.OF_PRODUCTS,
    translations.TRANSLATIONS,
    products.CATEGORIES,
    reports.REPORTS,
    subscriptions.ASSETS,
    ordering.REQUESTS,
    billing.RECURRING_ASSETS,
    billing.BILLING_REQUESTS,
    tier_config.TIER_CONFIGS,
    tier_config.CONFIG_REQUESTS,
    usage.USAGE_FILES,
)


PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="96" height="96" '
    'fill="none" stroke="#4d5761" stroke-width="1.5">'
    '<path d="M12 3 4 7v10l8 4 8-4V7zM4 7l8 4 8-4M12 11v10"/></svg>'
)


@login_not_required
def nothing(request: HttpRequest) -> HttpResponse:
    """Answer 404 where there is no resource: in JSON, never with the portal's page."""
    return page_not_found(request)


@login_not_required
@require_safe
@cache_control(public=True, max_age=86400)
def icon(request: HttpRequest) -> HttpResponse:
    """Return the picture of all products. It is public, since clients fetch it without a key."""
    return HttpResponse(PICTURE, content_type="image/svg+xml")


urlpatterns = [
    path(products.ICON, icon, name="icon"),
    re_path(
        rf"^v1//?localization/translations/(?P<pk>{ID})/attributes/?$",
        translations.attributes,
        name="localization/translations/<id>/attributes",
    ),
    re_path(
        rf"^v1//?modules/(?P<pk>{ID})/settings/?$",
        ip_rules.settings,
        name="modules/<id>/settings",
    ),
    *(pattern for resource in RESOURCES for pattern in resource.urls()),
    re_path(r"^v1//?openapi\.json/?$", openapi.show, {"resources": RESOURCES}, name="openapi"),
    re_path(r"^.*$", nothing, name="nothing"),
]

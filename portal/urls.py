"""The URLs of the portal."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, register_converter

from portal import views
from portal.converters import DeliveryId, ExtensionId, RuleId, TokenId, WebhookId

register_converter(TokenId, "token_id")
register_converter(RuleId, "rule_id")
register_converter(WebhookId, "webhook_id")
register_converter(ExtensionId, "extension_id")
register_converter(DeliveryId, "delivery_id")

admin.autodiscover()

shell = (
    [
        path("", views.home, name="home"),
        path("start-over/", views.start_over, name="start_over"),
    ],
    "portal",
)

urlpatterns = [
    # First, because API calls are more frequent than page views.
    path("public/", include("modules.urls")),
    path("", include(shell)),
    path("", include("accounts.urls")),
    path("integrations/", include("tokens.pages.urls")),
    path("integrations/", include("tokens.pages.rules.urls")),
    path("integrations/", include("webhooks.pages.urls")),
    path("integrations/", include("extensions.pages.urls")),
    path("integrations/", include("activity.urls")),
    path("integrations/", include("general.urls")),
    *([path("demo/", include("demo.urls"))] if settings.DEMO else []),
    path("admin/login/", views.admin_sign_in, name="admin_sign_in"),
    path("admin/", admin.site.urls),
]

handler400 = views.bad_request
handler403 = views.permission_denied
handler404 = views.page_not_found
handler500 = views.server_error

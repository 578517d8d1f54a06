"""Webhooks in the admin, for administrators of the portal: to look at and to disable.

Secrets, own data and the values of headers are never shown.
"""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from portal import text
from portal.admin import ReadOnly
from webhooks.models import Webhook
from webhooks.standing import Standing


@admin.register(Webhook)
class WebhookAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("label", "id", "account", "object_class", "endpoint_host", "active")
    list_filter = ("active", "disabled_by", "object_class")
    list_select_related = ("account",)
    search_fields = ("id", "label_key", "account__name", "account__id")
    fields = readonly_fields = (
        "id",
        "account",
        "label",
        "description",
        "object_class",
        "type",
        "product_id",
        "condition",
        "http_method",
        "endpoint_host",
        "header_names",
        "rate_per_minute",
        "keep_order",
        "state",
        "paused_at",
        "disabled_at",
        "last_delivery",
        "failing_since",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
    )
    actions = ("force_disable",)

    @admin.display(description=_("endpoint"))
    def endpoint_host(self, webhook: Webhook) -> str:
        """Return the host alone: paths of endpoints are often secrets."""
        return webhook.endpoint_host

    @admin.display(description=_("headers"))
    def header_names(self, webhook: Webhook) -> str:
        return ", ".join(sorted(webhook.headers))

    @admin.display(description=_("status"))
    def state(self, webhook: Webhook) -> str:
        mark = Standing.of(webhook).status
        return f"{mark.word} ({mark.note})" if mark.note else mark.word

    @admin.display(description=_("last delivery"))
    def last_delivery(self, webhook: Webhook) -> str:
        mark = Standing.of(webhook).last_delivery
        return f"{mark.word} ({mark.note})" if mark.note else mark.word

    @admin.display(description=_("failing since"))
    def failing_since(self, webhook: Webhook) -> str:
        since = webhook.health.failing_since
        return text.day_and_time(since) if since else ""

    def has_disable_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("webhooks.change_webhook")

    @admin.action(description=_("Disable the selected webhooks at once"), permissions=["disable"])
    def force_disable(self, request: HttpRequest, webhooks: QuerySet[Webhook]) -> None:
        # Only signed-in staff reach the admin, so `request.user` is a User.
        count = sum(webhook.disable(by=request.user) for webhook in webhooks)  # type: ignore[arg-type]
        if not count:
            self.message_user(
                request, _("Nothing was changed: none of them was active."), messages.WARNING
            )
            return
        told = ngettext(
            "%(n)s webhook is disabled. Its events wait.",
            "%(n)s webhooks are disabled. Their events wait.",
            count,
        )
        self.message_user(request, told % {"n": count}, messages.SUCCESS)

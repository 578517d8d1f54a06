"""Tokens for administrators of the portal: metadata and a way to shut one down. Never a key."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tokens.models import Permission, Token, TokenEvent


class ReadOnly:
    """Rows that people in the admin may see but not write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PermissionInline(ReadOnly, admin.TabularInline):
    model = Permission
    fields = readonly_fields = ("module", "granted_at", "granted_by")
    extra = 0


class EventInline(ReadOnly, admin.TabularInline):
    model = TokenEvent
    fields = readonly_fields = ("at", "action", "by", "address", "changes")
    extra = 0


@admin.register(Token)
class TokenAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("name", "id", "account", "extension", "state", "expires_at", "created_at", "created_by", "last_used")
    list_filter = ("status", "extension")
    search_fields = ("id", "name_key", "external_id_key", "account__name", "account__id")
    list_select_related = ("account", "created_by", "usage")
    fields = readonly_fields = (
        "id",
        "account",
        "name",
        "external_id",
        "description",
        "extension",
        "status",
        "status_changed_at",
        "status_changed_by",
        "expires_at",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "last_used",
    )
    inlines = (PermissionInline, EventInline)
    actions = ("force_disable",)

    @admin.display(description=_("status"), ordering="status")
    def state(self, token: Token) -> Any:
        return token.state.label

    @admin.display(description=_("last used"))
    def last_used(self, token: Token) -> Any:
        return token.last_used_at

    def has_disable_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tokens.disable_token")

    @admin.action(description=_("Disable the selected tokens at once"), permissions=["disable"])
    def force_disable(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        count = sum(token.disable(by=request.user) for token in tokens)  # type: ignore[arg-type]  # the admin is private
        text = ngettext("%(n)s token is disabled. Its next call gets 401.", "%(n)s tokens are disabled. Their next calls get 401.", count)
        self.message_user(request, text % {"n": count}, messages.SUCCESS if count else messages.WARNING)


@admin.register(TokenEvent)
class TokenEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "token", "action", "by", "address")
    list_filter = ("action",)
    search_fields = ("token__id", "token__name_key", "by__name")
    list_select_related = ("token", "by")

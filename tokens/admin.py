"""Tokens for administrators of the portal: metadata and a way to shut one down. Never a key."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from portal.admin import BoundedInline, ReadOnly
from tokens.models import Actor, Permission, Token, TokenEvent, TokenQuerySet
from tokens.standing import Standing


def linked(actor: Actor | None, name: str = "") -> SafeString | None:
    """The person or the token with its id, as a link to its page in the admin; under the name of then, if that is given."""
    if actor is None:
        return None
    url = reverse(f"admin:{actor._meta.app_label}_{actor._meta.model_name}_change", args=(actor.pk,))
    return format_html('<a href="{}">{} ({})</a>', url, name or actor.name, actor.pk)


class PermissionInline(ReadOnly, BoundedInline):
    model = Permission
    fk_name = "token"
    fields = readonly_fields = ("module", "granted_at", "granter")
    list_select_related = ("granted_by", "granted_by_token")

    @admin.display(description=_("granted by"))
    def granter(self, permission: Permission) -> SafeString | None:
        return linked(permission.granter)


class EventInline(ReadOnly, BoundedInline):
    model = TokenEvent
    fk_name = "token"
    fields = readonly_fields = ("at", "action", "actor", "address", "changes")
    newest = ("-at", "-pk")
    list_select_related = ("by", "by_token")

    @admin.display(description=_("by"))
    def actor(self, event: TokenEvent) -> SafeString | None:
        return linked(event.actor, event.actor_name)


@admin.register(Token)
class TokenAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("name", "id", "account", "extension", "state", "expires_at", "created_at", "creator", "last_used")
    list_filter = ("status", "extension")
    search_fields = ("id", "name_key", "external_id_key", "account__name", "account__id")
    fields = readonly_fields = (
        "id",
        "account",
        "name",
        "external_id",
        "description",
        "extension",
        "state",
        "calls",
        "status_changed_at",
        "status_changer",
        "expires_at",
        "created_at",
        "creator",
        "updated_at",
        "updater",
        "last_used",
    )
    inlines = (PermissionInline, EventInline)
    actions = ("force_disable",)

    @admin.display(description=_("status"), ordering="status")
    def state(self, token: Token) -> Any:
        standing = Standing(token)
        return f"{standing.state.label} ({standing.note})" if standing.note else standing.state.label

    @admin.display(description=_("calls"))
    def calls(self, token: Token) -> str:
        return Standing(token).calls

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        tokens = cast(TokenQuerySet, super().get_queryset(request))
        return tokens.with_people()

    @admin.display(description=_("last used"))
    def last_used(self, token: Token) -> Any:
        return token.last_used_at

    @admin.display(description=_("created by"))
    def creator(self, token: Token) -> SafeString | None:
        return linked(token.creator)

    @admin.display(description=_("updated by"))
    def updater(self, token: Token) -> SafeString | None:
        return linked(token.updater)

    @admin.display(description=_("status changed by"))
    def status_changer(self, token: Token) -> SafeString | None:
        return linked(token.status_changer)

    def has_disable_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tokens.disable_token")

    @admin.action(description=_("Disable the selected tokens at once"), permissions=["disable"])
    def force_disable(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        count = sum(token.disable(by=request.user) for token in tokens)  # type: ignore[arg-type]  # the admin is private
        text = ngettext("%(n)s token is disabled. Its next call gets 401.", "%(n)s tokens are disabled. Their next calls get 401.", count)
        self.message_user(request, text % {"n": count}, messages.SUCCESS if count else messages.WARNING)


@admin.register(TokenEvent)
class TokenEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "token", "action", "actor", "address")
    list_filter = ("action",)
    search_fields = ("token__id", "token__name_key", "actor_id", "actor_name")
    list_select_related = ("token", "by", "by_token")

    @admin.display(description=_("by"))
    def actor(self, event: TokenEvent) -> SafeString | None:
        return linked(event.actor, event.actor_name)

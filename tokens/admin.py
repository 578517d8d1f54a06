"""Tokens in the admin, for administrators of the portal: metadata and disabling, never a key."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from activity.admin import latest
from portal.admin import BoundedInline, ReadOnly
from portal.fields import Actor
from tokens.models import Grant, Token, TokenQuerySet
from tokens.standing import Standing


def linked(actor: Actor | None) -> SafeString | None:
    """Return the recorded name of a person or token, as a link to its page in the admin."""
    if actor is None:
        return None
    url = reverse(
        f"admin:{'tokens_token' if actor.is_token else 'accounts_user'}_change", args=(actor.id,)
    )
    return format_html('<a href="{}">{}</a>', url, actor)


class GrantInline(ReadOnly, BoundedInline):
    model = Grant
    fk_name = "token"
    fields = readonly_fields = ("module", "granted_at", "granted_by")

    @admin.display(description=_("granted by"))
    def granted_by(self, grant: Grant) -> SafeString | None:
        return linked(grant.granted_by)


@admin.register(Token)
class TokenAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "name",
        "id",
        "account",
        "extension",
        "state",
        "expires_at",
        "created_at",
        "created_by",
        "last_used",
    )
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
        "status_changed_by",
        "expires_at",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "last_used",
        "activity",
    )
    inlines = (GrantInline,)
    actions = ("force_disable",)

    @admin.display(description=_("status"), ordering="status")
    def state(self, token: Token) -> Any:
        standing = Standing(token)
        return f"{standing.label} ({standing.note})" if standing.note else standing.label

    @admin.display(description=_("calls"))
    def calls(self, token: Token) -> str:
        return Standing(token).calls

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        tokens = cast(TokenQuerySet, super().get_queryset(request))
        return tokens.with_standing()

    @admin.display(description=_("last used"))
    def last_used(self, token: Token) -> Any:
        return token.last_used_at

    @admin.display(description=_("created by"))
    def created_by(self, token: Token) -> SafeString | None:
        return linked(token.created_by)

    @admin.display(description=_("updated by"))
    def updated_by(self, token: Token) -> SafeString | None:
        return linked(token.updated_by)

    @admin.display(description=_("status changed by"))
    def status_changed_by(self, token: Token) -> SafeString | None:
        return linked(token.status_changed_by)

    @admin.display(description=_("activity"))
    def activity(self, token: Token) -> SafeString:
        return latest(token.events)

    def has_disable_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tokens.disable_token")

    @admin.action(description=_("Disable the selected tokens at once"), permissions=["disable"])
    def force_disable(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        # Only signed-in staff reach the admin, so `request.user` is a User.
        count = sum(token.disable(by=request.user) for token in tokens)  # type: ignore[arg-type]
        if not count:
            self.message_user(
                request, _("Nothing was changed: none of them was active."), messages.WARNING
            )
            return
        text = ngettext(
            "%(n)s token is disabled. Its next call gets 401.",
            "%(n)s tokens are disabled. Their next calls get 401.",
            count,
        )
        self.message_user(request, text % {"n": count}, messages.SUCCESS)

"""The details of a token: its tabs, and Summary right after its creation."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest, get_visible_or_404
from accounts.models import Membership
from accounts.shown import SecretField
from portal.api import endpoint
from portal.filters import Chip, with_values, without
from portal.http import posts_from
from portal.tables import save_layout
from tokens import first_call, handles, keys
from tokens.catalog import Module
from tokens.html import actor
from tokens.models import Token, TokenKey, TokenQuerySet
from tokens.origins import refused, without_rules
from tokens.pages.filters import ModuleFilter
from tokens.pages.rules.tables import TokenRuleTable
from tokens.pages.tables import ModuleRow, PermissionTable
from tokens.standing import Standing


@require_safe
@for_members
def detail(request: PersonRequest, token_id: str) -> HttpResponse:
    return show_detail(request, find(request, token_id))


@require_safe
@for_members
def permissions(request: PersonRequest, token_id: str) -> HttpResponse:
    """Show the Permissions tab: every module, and whether the token may reach it."""
    token = find(request, token_id)
    grants = {grant.module: grant for grant in token.permissions.all()}
    standing = Standing(token, request.membership.is_admin)
    form = ModuleFilter(request.GET, standing=standing)
    wanted = form.cleaned_data if form.is_valid() else {"q": "", "status": ""}
    rows = [
        row
        for row in (ModuleRow(module, grants, standing) for module in Module)
        if wanted["q"].casefold() in f"{row.label} {row.module.covers}".casefold()
        and wanted["status"] in {"", "enabled" if row.enabled else "disabled"}
    ]
    table = PermissionTable(rows)
    table.configure(request, request.user.choices("permissions"), paginate=False)
    chips = [
        Chip(
            str(form.fields[name].label),
            str(form.statuses[value]) if name == "status" else value,
            without(request.GET, name),
        )
        for name, value in wanted.items()
        if value
    ]
    return render(
        request,
        "tokens/detail.html",
        {
            **token_header(request, token),
            **table.template_context(),
            "tab": "permissions",
            "find_form": form,
            "filters_open": "filter" in request.GET or not form.is_valid(),
            "open_url": with_values(request.GET, filter="open"),
            "close_url": without(request.GET, "filter"),
            "chips": chips,
            "clear_url": without(request.GET, "q", "status"),
        },
    )


@posts_from("tokens:permissions")
@for_members
def save_permissions_layout(request: PersonRequest, token_id: str) -> HttpResponse:
    """Remember the columns of the Permissions tab."""
    token = find(request, token_id)
    return save_layout(
        request, "permissions", PermissionTable, reverse("tokens:permissions", args=(token.pk,))
    )


def find(request: PersonRequest, token_id: str) -> Token:
    """Return the token with all that its pages show. Raise Http404 for other accounts' tokens."""

    def visible(membership: Membership) -> TokenQuerySet:
        return Token.objects.visible_to(membership).with_standing()

    return get_visible_or_404(request, visible, token_id)


def token_header(request: PersonRequest, token: Token) -> dict[str, Any]:
    """Return the context of the header above the pages of a token."""
    changed = (
        {"by": actor(token.status_changed_by, token), "at": token.status_changed_at}
        if token.status_changed_at
        else None
    )
    return {
        "token": token,
        "standing": Standing(token, request.membership.is_admin),
        "status_change": changed,
        "extension": token.extension,
        "last_used_at": token.last_used_at,
        "endpoint": endpoint(request),
        "first_calls": first_call.examples(endpoint(request), token.grants),
    }


@dataclass(frozen=True)
class KeyField(SecretField):
    """The field of a key of a token."""

    standing: Standing
    stored: TokenKey | None
    page: str
    endpoint: str

    @property
    def id(self) -> str:
        old = self.standing.cockpit and self.stored == self.standing.cockpit.old
        return "key-old" if old else "key"

    @property
    def is_handle(self) -> bool:
        return self.stored.has_handle if self.stored else self.standing.uses_handle

    @property
    def noun(self) -> str:
        return self.name.lower() or (_("handle") if self.is_handle else _("key"))

    @property
    def prefix(self) -> str:
        return "" if self.is_handle else f"{keys.SCHEME} {self.standing.token.pk}:"

    @property
    def suffix(self) -> str:
        return f"@{self.endpoint}" if self.is_handle else ""

    @property
    def words(self) -> dict[str, str]:
        if not self.is_handle:
            return super().words
        return {
            "once": _("The handle is shown only this once. Copy it now: no copy of it is kept."),
            "copied": _("Handle copied."),
            "selected": _("Copying is not possible here. The handle is selected: press Ctrl+C."),
            "kept": _("The handle stays visible until you hide it or leave the page."),
            "gone": _("The handle is hidden."),
            "refused": _(
                "Copying is not possible here. Press View, and copy the handle from the page."
            ),
        }

    @property
    def last_four(self) -> str:
        return self.stored.last_four if self.stored else ""

    @property
    def dots(self) -> str:
        return "•" * 8 if self.name else super().dots

    @property
    def version(self) -> int:
        return self.stored.version if self.stored else 0

    @property
    def can_be_viewed(self) -> bool:
        return self.standing.may_manage and not self.why_not

    @property
    def why_not(self) -> str:
        return self.standing.hint_for_all or self.standing.hint_for(self.stored)

    @property
    def is_only_time(self) -> bool:
        return self.stored is not None and self.stored.sealed is None

    @property
    def hint(self) -> str:
        """The sentences under the masked key."""
        if self.name:
            return self.why_not
        if self.why_not:
            return self.why_not
        if self.is_handle:
            said = _(
                "Viewing and copying are recorded. A handle opens nothing by itself; one that is "
                "shown hides again after 60 seconds."
            )
        elif self.page == "summary":
            said = _("Keep it like a password. You can view it again later on the details page.")
        else:
            said = _(
                "Viewing and copying ask for your password, unless you gave it in the last 5 "
                "minutes, and are recorded. A key that is shown hides again after 60 seconds."
            )
        return f"{self.standing.key_note} {said}".strip()

    @property
    def home_url(self) -> str:
        return reverse(f"tokens:{self.page}", args=(self.standing.token.pk,))

    @property
    def reveal_url(self) -> str:
        return reverse("tokens:reveal", args=(self.standing.token.pk,))

    @property
    def copy_url(self) -> str:
        return reverse("tokens:copy", args=(self.standing.token.pk,))

    @property
    def destroy_url(self) -> str:
        offered = self.standing.offers_destroying and self.page == "detail" and not self.name
        return reverse("tokens:destroy_copy", args=(self.standing.token.pk,)) if offered else ""


def as_pasted(request: PersonRequest, text: str) -> str:
    """Return a key as it is, and a handle with the address where it is exchanged."""
    return f"{text}@{endpoint(request)}" if keys.handle_in(text) else text


def key_fields(
    context: dict[str, Any], page: str, version: int | None = None, **shown: Any
) -> list[KeyField]:
    """Return the fields of the keys of a token: one, or both while there are two.

    `context` is that of `token_header`. `shown` has the key itself, or the password form, for the
    key of that version.
    """
    standing = context["standing"]
    usable = standing.token.usable_keys
    named: list[tuple[TokenKey | None, str]] = [(usable[0] if usable else None, "")]
    if standing.cockpit:
        named = [(panel.key, panel.name) for panel in standing.cockpit.panels]
    # Without a version it is the newest, which comes first.
    wanted = named[0][0].version if version is None and named[0][0] else version
    return [
        KeyField(
            standing,
            stored,
            page,
            context["endpoint"],
            name=name,
            **(shown if stored and stored.version == wanted else {}),
        )
        for stored, name in named
    ]


def show_detail(
    request: PersonRequest, token: Token, *, dialog: dict[str, Any] | None = None, **shown: Any
) -> HttpResponse:
    """Show General. `shown` is as for key_fields(); a dialog stands over the page."""
    context = token_header(request, token)
    standing = context["standing"]
    fields = key_fields(context, "detail", **shown)
    context |= {"tab": "general", "page": "detail", "field": fields[0], "fields": fields}
    if standing.uses_handle:
        context["exchanges"] = handles.latest(token)
    if standing.own_rules:
        context |= rules_of(request, token)
    return render(request, "tokens/detail.html", {**context, "dialog": dialog})


def rules_of(request: PersonRequest, token: Token) -> dict[str, Any]:
    """Return the context of the card with the token's own IP rules."""
    may_manage = Standing(token, request.membership.is_admin).offers_edit
    table = TokenRuleTable(token, may_manage=may_manage)
    table.configure(request, {}, paginate=False)
    return {
        "rule_table": table,
        "rule_refused": refused(token.account_id, token),
        "without_rules": without_rules(token.account, token),
    }

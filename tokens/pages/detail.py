"""The details of a token: its tabs, and Summary right after its creation."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest, get_visible_or_404
from accounts.models import Membership
from portal.api import endpoint
from portal.filters import Chip, with_values, without
from portal.http import posts_from
from portal.tables import save_layout
from tokens import first_call, keys
from tokens.catalog import Module
from tokens.html import actor
from tokens.models import Token, TokenQuerySet
from tokens.pages.filters import ModuleFilter
from tokens.pages.tables import PermissionRow, PermissionTable
from tokens.pages.wizard import Step, just_created
from tokens.standing import Standing

# Length of the random mark by which a session recognises a form that has shown a key.
ONCE = 12


@require_safe
@for_members
def detail(request: PersonRequest, token_id: str) -> HttpResponse:
    return show_detail(request, find(request, token_id))


@require_safe
@for_members
def permissions(request: PersonRequest, token_id: str) -> HttpResponse:
    """Show the Permissions tab: every module, and whether the token may reach it."""
    token = find(request, token_id)
    grants = {permission.module: permission for permission in token.permissions.all()}
    standing = Standing(token, request.membership.is_admin)
    form = ModuleFilter(request.GET, standing=standing)
    wanted = form.cleaned_data if form.is_valid() else {"q": "", "status": ""}
    rows = [
        row
        for row in (PermissionRow(module, grants, standing) for module in Module)
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
            **frame(request, token),
            **table.state(),
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


@require_safe
@for_members
def summary(request: PersonRequest, token_id: str) -> HttpResponse:
    """Show step 4 of the wizard to the session that has just created the token.

    Redirect everybody else to the details.
    """
    token = find(request, token_id)
    return (
        show_summary(request, token)
        if has_summary(request, token)
        else redirect("tokens:detail", token.pk)
    )


def has_summary(request: PersonRequest, token: Token) -> bool:
    """Tell whether Summary still applies: the token is new to this session, and can call."""
    return just_created(request, token) and Standing(token).can_call


def find(request: PersonRequest, token_id: str) -> Token:
    """Return the token with all that its pages show. Raise Http404 for other accounts' tokens."""

    def visible(membership: Membership) -> TokenQuerySet:
        return Token.objects.visible_to(membership).with_standing()

    return get_visible_or_404(request, visible, token_id)


def frame(request: PersonRequest, token: Token) -> dict[str, Any]:
    """Return the context of the header of the details."""
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


def key_field(token: Token, page: str, **shown: Any) -> dict[str, Any]:
    """Return the context of the key field on a page.

    `shown` has the key itself, or the password form, after View or Copy was pressed.
    """
    return {
        "key": None,
        "key_confirm": None,
        "viewed": None,
        "page": page,
        "masked_prefix": f"{keys.SCHEME} {token.pk}:",
        "once": get_random_string(ONCE),
        **shown,
    }


def show_detail(request: PersonRequest, token: Token, **shown: Any) -> HttpResponse:
    return render(
        request,
        "tokens/detail.html",
        {**frame(request, token), "tab": "general", **key_field(token, "detail", **shown)},
    )


def show_summary(request: PersonRequest, token: Token, **shown: Any) -> HttpResponse:
    answers = {
        Step.GENERAL: token.name,
        Step.EXTENSION: token.extension.label,
        Step.PERMISSIONS: token.access.summary,
    }
    steps = [
        {
            "number": step.number,
            "label": step.label,
            "state": "current" if step is Step.SUMMARY else "done",
            "url": None,
            "answer": answers.get(step, ""),
        }
        for step in Step
    ]
    context = {**frame(request, token), "steps": steps, **key_field(token, "summary", **shown)}
    return render(request, "tokens/summary.html", context)

"""The list of tokens."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from portal import tables
from portal.http import posts_from
from tokens.models import Token
from tokens.pages import reminders
from tokens.pages.filters import TokenFilter
from tokens.pages.tables import DeletedTable, TokenTable


@require_safe
@for_members
def index(request: PersonRequest) -> HttpResponse:
    """Show the list as the URL says.

    For what the URL leaves out, the person's remembered choices apply.
    """
    tokens = Token.objects.visible_to(request.membership)
    found = tokens.with_standing().annotate(newest_reminder=reminders.newest(request))
    filters = TokenFilter(request, found)
    kind = DeletedTable if filters.only_deleted else TokenTable
    table = kind(filters.matching, may_manage=request.membership.is_admin)
    choices = request.user.choices("tokens")
    # Deleted tokens have columns and an order of their own, which nobody's choices replace.
    shared = ("per_page",) if filters.only_deleted else (*choices,)
    table.configure(request, {name: choices[name] for name in shared if name in choices})
    empty = ""
    if not table.page.object_list:
        empty = "invalid" if not filters.is_valid() else "no_match" if tokens.exists() else "none"
    return render(
        request,
        "tokens/list.html",
        {
            **table.template_context(),
            **filters.template_context(),
            "empty": empty,
            "no_match_text": filters.no_match_text if empty == "no_match" else "",
            "all_statuses_url": filters.all_statuses_url
            if empty == "no_match" and "status" not in request.GET
            else None,
            "reminded": reminders.banner(request, table),
            "may_manage": request.membership.is_admin,
            "refresh_url": request.get_full_path(),
            "layout_url": reverse("tokens:save_layout"),
            "kept_query": {
                name: values for name, values in request.GET.lists() if name not in {"q", "page"}
            },
        },
    )


@posts_from("tokens:list")
@for_members
def save_layout(request: PersonRequest) -> HttpResponse:
    """Remember the person's layout of the list, and redirect to a URL with it, for sharing."""
    return tables.save_layout(request, "tokens", TokenTable, reverse("tokens:list"))

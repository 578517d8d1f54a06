"""The catalog, and what the account uses of it."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Max
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from accounts.models import Membership
from extensions import catalog
from extensions.catalog import Card
from extensions.pages.forms import CATEGORIES, SIDES, CatalogForm
from extensions.pages.tables import Installed, InstalledTable
from portal.filters import with_values
from portal.moments import FIRST
from tokens.models import Extension, Token


@require_safe
@for_members
def index(request: PersonRequest) -> HttpResponse:
    """Show the catalog. As with every list, the URL holds the whole state."""
    form = CatalogForm(request.GET)
    wanted = form.wanted
    listed = [
        card
        for card in catalog.cards(request.membership)
        if card.matches(wanted.get("q", ""))
        and (not wanted.get("side") or card.extension.is_for(wanted["side"]))
    ]
    shelves = catalog.shelves(listed, wanted.get("category", "")) if form.is_valid() else []
    context = {
        "tab": "catalog",
        "filter_form": form,
        "shelves": shelves,
        "segments": {
            name: [
                {
                    "label": label,
                    "url": with_values(request.GET, **{name: value}),
                    "current": request.GET.get(name, "") == value,
                }
                for value, label in choices
            ]
            for name, choices in choices_of(form, listed).items()
        },
        "kept_query": {
            name: [value] for name in ("category", "side") if (value := request.GET.get(name))
        },
        "list_url": reverse("extensions:list"),
        "nothing": nothing(form),
    }
    return render(request, "extensions/list.html", context)


def choices_of(form: CatalogForm, listed: list[Card]) -> dict[str, list[tuple[str, Any]]]:
    """Return what can be chosen above the catalog: no category that nothing stands in."""
    filled = {"", form.data.get("category", "")}
    filled |= {category.value for card in listed for category in card.extension.shelves}
    return {
        "side": SIDES,
        "category": [choice for choice in CATEGORIES if choice[0] in filled],
    }


def nothing(form: CatalogForm) -> str:
    """Say in a sentence what nothing was found for."""
    if not form.is_valid():
        return " ".join(str(message) for messages in form.errors.values() for message in messages)
    if form.wanted["q"]:
        return _("No extension matches “%(text)s”.") % {"text": form.wanted["q"]}
    return _("No extension matches.")


@require_safe
@for_members
def installed(request: PersonRequest) -> HttpResponse:
    """Show what the account's tokens are for."""
    table = InstalledTable(installed_by(request.membership))
    table.configure(request, {}, paginate=False)
    return render(request, "extensions/installed.html", {"tab": "installed", "table": table})


def installed_by(membership: Membership) -> list[Installed]:
    """Return what the live tokens of an account are for, the latest used first."""
    tokens = Token.objects.visible_to(membership).live()
    # One query: an account can have a hundred thousand tokens.
    made: dict[str, list[tuple[str, int, datetime | None]]] = {}
    for extension, name, count, at in (
        tokens.values_list("extension", "created_by_name")
        .annotate(Count("pk"), Max("usage__last_used_at"))
        .order_by("extension", "created_by_name")
    ):
        made.setdefault(extension, []).append((name, count, at))
    rows = [
        Installed(
            Card(extension, membership.account, sum(count for _name, count, _at in found)),
            [name for name, _count, _at in found if name],
            max((at for _name, _count, at in found if at), default=None),
        )
        for extension in Extension.objects.filter(pk__in=made).in_order()
        for found in (made[extension.pk],)
    ]
    return sorted(rows, key=lambda row: row.last_call or FIRST, reverse=True)

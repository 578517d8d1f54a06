"""The page of an extension: what it does, what it may reach, how to connect it, who uses it."""

from urllib.parse import urlsplit

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest, get_visible_or_404
from accounts.models import Membership
from extensions.catalog import Card
from extensions.markdown import render as html
from extensions.pages.tables import UsersTable
from portal.api import endpoint
from portal.text import join
from tokens.catalog import labels
from tokens.models import Extension, Token
from tokens.models.extension import ExtensionQuerySet

# How many tokens and versions the page shows; a link leads to the list of all tokens.
SHOWN = 10


@require_safe
@for_members
def detail(request: PersonRequest, extension_id: str) -> HttpResponse:
    extension = find(request, extension_id)
    tokens = Token.objects.visible_to(request.membership).live().filter(extension=extension)
    newest = tokens.with_standing().order_by("-created_at", "-pk")
    table = UsersTable([*newest[:SHOWN]], may_manage=False)
    table.configure(request, {}, paginate=False)
    card = Card(extension, request.membership.account, tokens.count())
    context = {
        "extension": extension,
        "card": card,
        "may_create": request.membership.is_admin and not card.why_no_token,
        "categories": join([str(category.label) for category in extension.shelves]),
        "modules": join(labels(extension.fixed_modules)) if extension.fixed_modules else "",
        "overview": html(extension.overview or extension.subtitle),
        "versions": [
            {"row": version, "notes": html(version.notes)}
            for version in extension.versions.all()[:SHOWN]
        ],
        "website": urlsplit(extension.website).netloc or extension.website,
        "table": table,
        "more": card.tokens > SHOWN,
        "endpoint": endpoint(request),
    }
    return render(request, "extensions/detail.html", context)


def find(request: PersonRequest, extension_id: str) -> Extension:
    """Return an extension that the person may read about. Raise Http404 for others."""

    def visible(membership: Membership) -> ExtensionQuerySet:
        rows = Extension.objects.visible_to(membership.account_id)
        return rows.select_related("owner")

    return get_visible_or_404(request, visible, extension_id)

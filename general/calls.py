"""The page Calls: how often each token of the account called today."""

from collections.abc import Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from portal.html import two_lines
from portal.tables import Table
from tokens import days
from tokens.models import CallsOfDay

# How many tokens the page shows.
SHOWN = 100


class CallsTable(Table):
    """The tokens that called today, those with most calls first."""

    token = tables.Column(gettext_lazy("Token"), orderable=False)
    answered = tables.Column(gettext_lazy("Calls"), order_by=("answered", "pk"))
    refused = tables.Column(gettext_lazy("Refused calls"), order_by=("refused", "pk"))

    default_columns: ClassVar[Sequence[str]] = ("token", "answered", "refused")
    default_sort = "-answered"
    kind = "calls"
    page_sizes: ClassVar[Sequence[int]] = (SHOWN,)

    def choose_columns(self, chosen: Any) -> None:
        # Those of the class, whatever the address says.
        super().choose_columns(None)

    def render_token(self, record: CallsOfDay) -> SafeString:
        link = format_html(
            '<a href="{}">{}</a>',
            reverse("tokens:detail", args=(record.token_id,)),
            record.token.name,
        )
        return two_lines(link, record.token_id)

    def render_answered(self, record: CallsOfDay) -> str:
        return f"{record.answered:,}"

    def render_refused(self, record: CallsOfDay) -> str:
        return f"{record.refused:,}"


@require_safe
@for_members
def calls(request: PersonRequest) -> HttpResponse:
    day = days.today()
    rows: QuerySet[CallsOfDay] = CallsOfDay.objects.filter(
        account=request.membership.account_id, day=day
    )
    table = CallsTable(rows.select_related("token"))
    table.configure(request, {})
    context = {"table": table, "day": day, "shown": SHOWN, "total": rows.count()}
    return render(request, "general/calls.html", context)

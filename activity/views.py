"""Pages of the trail."""

from functools import partial
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.decorators import for_administrators, for_members
from accounts.http import PersonRequest
from activity import chain
from activity import export as file
from activity.actions import Action
from activity.filters import EventFilter
from activity.models import Chain, Event
from activity.recording import record
from activity.tables import EventTable
from portal import background
from portal.http import posts_from
from portal.moments import within
from portal.notices import fail, inform, succeed
from portal.tables import save_layout as save

# Trails of up to this many entries are checked while the person waits.
AT_ONCE = 5_000


@require_safe
@for_members
def index(request: PersonRequest) -> HttpResponse:
    """Show the trail of the account, filtered and sorted as the URL says."""
    events = Event.objects.visible_to(request.membership)
    filters = EventFilter(request, events)
    table = EventTable(filters.matching)
    table.configure(request, request.user.choices("activity"))
    empty = ""
    if not table.page.object_list:
        empty = "invalid" if not filters.is_valid() else "no_match" if filters.chips else "none"
    context = {
        **table.template_context(),
        **lead(request),
        **filters.template_context(),
        "empty": empty,
        "refresh_url": request.get_full_path(),
        "layout_url": reverse("activity:save_layout"),
        "kept_query": {
            name: values
            for name, values in request.GET.lists()
            if name not in {"q", "page", "open"}
        },
    }
    return render(request, "activity/list.html", context)


def lead(request: PersonRequest) -> dict[str, Any]:
    """Return what the page says about the trail as a whole: its length and its last check."""
    ends = Chain.objects.filter(pk=request.membership.account_id).first()
    first = (
        Event.objects.visible_to(request.membership)
        .order_by("number")
        .values_list("at", flat=True)
        .first()
    )
    return {
        "chain": ends,
        "entries": ends.length if ends else 0,
        "entries_text": f"{ends.length:,}" if ends else "0",
        "first_at": first,
        "may_check": request.membership.is_admin,
    }


@posts_from("activity:list")
@for_members
def save_layout(request: PersonRequest) -> HttpResponse:
    """Remember the order and the number of rows per page."""
    return save(request, "activity", EventTable, reverse("activity:list"))


@posts_from("activity:list")
@for_administrators
def check(request: PersonRequest) -> HttpResponse:
    """Check the whole trail of the account; a long one in the background."""
    account = request.membership.account_id
    ends = Chain.objects.filter(pk=account).first()
    if ends is None or within(ends.checked_at, chain.FRESH):
        inform(request, _("The trail was checked just now."))
    elif not begin_check(ends):
        inform(request, _("The trail is being checked."), _("Refresh the page in a moment."))
    elif Chain.objects.filter(pk=account, broken=None).exists():
        succeed(request, _("The trail is checked."), _("Every entry is as it was written."))
    return redirect("activity:list")


def begin_check(ends: Chain) -> bool:
    """Check a trail, a long one after the response. Tell whether it is done."""
    if ends.length > AT_ONCE:
        background.later(partial(chain.verify, ends.account))
        return False
    chain.verify(ends.account)
    return True


@posts_from("activity:list")
@for_members
def export(request: PersonRequest) -> HttpResponseBase:
    """Download what the filter shows as a file, and record that.

    The filter is in the URL, as on the page, which shows what is wrong with it.
    """
    back = f"{reverse('activity:list')}?{request.GET.urlencode()}"
    events = Event.objects.visible_to(request.membership)
    filters = EventFilter(request, events)
    count = filters.matching.order_by()[: file.MOST + 1].count()
    if not count:
        if filters.is_valid():
            inform(request, _("No entry matches, so there is nothing to export."))
        return redirect(back)
    if count > file.MOST:
        fail(
            request,
            _("More than %(n)s entries match.") % {"n": f"{file.MOST:,}"},
            _("Export them in parts: filter by days."),
        )
        return redirect(back)
    ends = Chain.objects.get(pk=request.membership.account_id)
    if not within(ends.checked_at, chain.FRESH):
        begin_check(ends)
    shown = [f"{chip.name}: {chip.value}" for chip in filters.chips]
    record(
        request.user,
        Action.TRAIL_EXPORTED,
        account=ends.account,
        changes={"entries": [None, count], **({"filter": [None, shown]} if shown else {})},
    )
    response = StreamingHttpResponse(
        # The entry about the export is not in it.
        file.lines(filters.matching.filter(number__lte=ends.number)),
        content_type="text/csv; charset=utf-8",
    )
    name = f"activity-{ends.account}-{timezone.localdate()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response

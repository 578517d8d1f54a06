"""The table of the trail."""

from collections.abc import Sequence
from typing import Any

import django_tables2 as tables
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership, User
from activity import words
from activity.models import Chain, Event
from portal import agents
from portal.html import day_and_time, icon, two_lines
from portal.http import whole
from portal.tables import Table

# Pages of subjects, by kind. URL names only, since their apps are in higher layers.
PAGES = {"token": "tokens:detail", "webhook": "webhooks:detail"}
KINDS = {
    "user": gettext_lazy("Person"),
    "membership": gettext_lazy("Membership"),
    "account": gettext_lazy("Account"),
    "iprule": gettext_lazy("IP rule"),
    "webhook": gettext_lazy("Webhook"),
}


class EventTable(Table):
    """Entries, newest first. `?open=12407` shows the details of one below its row."""

    when = tables.Column(gettext_lazy("When"), order_by=("number",))
    what = tables.Column(gettext_lazy("What"), orderable=False)
    subject = tables.Column(gettext_lazy("Token or object"), orderable=False)
    who = tables.Column(gettext_lazy("Who"), orderable=False)
    origin = tables.Column(gettext_lazy("From"), orderable=False)

    always: Sequence[str] = ("when", "what", "subject", "who", "origin")
    default_columns = always
    default_sort = "-when"
    row_header = "what"
    kind = "trail"
    detail_template = "activity/entry.html"

    def configure(self, request: HttpRequest, choices: Any, *, paginate: bool = True) -> None:
        self.request = request
        self.open_number = whole(request.GET.get("open"), 0)
        super().configure(request, choices, paginate=paginate)

    # --- The opened entry -------------------------------------------------------------------------

    @cached_property
    def opened(self) -> Event | None:
        """The entry of this page that is shown with its details, if any."""
        shown = (row.record for row in self.page.object_list)
        return next((event for event in shown if event.number == self.open_number), None)

    @cached_property
    def entry(self) -> dict[str, Any]:
        """The context of the opened entry's details; empty if none is open."""
        event = self.opened
        if event is None:
            return {}
        before = event.before()
        last = Chain.objects.filter(pk=event.account).values_list("number", flat=True).first()
        return {
            "event": event,
            "number": f"{event.number:,}",
            "of": f"{last or event.number:,}",
            "proof": words.proof(event),
            "changes": words.changes(event),
            "fits": before is not None and event.fits(before),
            "hash": digits(event.hash),
            "follows": digits(before) if before else "",
        }

    # --- Cells ------------------------------------------------------------------------------------

    def render_when(self, record: Event) -> SafeString:
        return two_lines(day_and_time(record.at))

    def render_what(self, record: Event) -> SafeString:
        is_open = record.number == self.open_number
        query = self.request.GET.copy()
        query.pop("open", None)
        if not is_open:
            query["open"] = str(record.number)
        url = f"?{query.urlencode()}"
        return format_html(
            '<a class="disclose" id="open-{0}" href="{1}#open-{0}" hx-get="{1}" role="button" '
            'aria-expanded="{2}">{3}{4}</a>',
            record.number,
            url,
            "true" if is_open else "false",
            icon("chevron-right", 16),
            two_lines(record.label, words.note(record)),
        )

    def render_subject(self, record: Event) -> SafeString | str:
        if record.subject is None:
            return "–"
        kind, id, name = record.subject
        if url := page_of(kind, id):
            return format_html(
                '<span class="two"><a class="one" href="{}">{}</a>'
                '<span class="sub">{}</span></span>',
                url,
                name,
                id,
            )
        return two_lines(name, id if kind == "user" else KINDS.get(kind, kind.capitalize()))

    def render_who(self, record: Event) -> SafeString:
        return two_lines(words.who(record), self.roles.get(record.actor_id, record.actor_id))

    def render_origin(self, record: Event) -> SafeString | str:
        if not record.address:
            return "–"
        return two_lines(
            format_html('<span class="mono">{}</span>', record.address),
            agents.in_words(record.agent),
        )

    @cached_property
    def roles(self) -> dict[str, str]:
        """The current roles of the people on this page in the account, by id."""
        events = [row.record for row in self.page.object_list]
        ids = {event.actor_id for event in events if event.actor_id.startswith("UR-")}
        if not ids:
            return {}
        members = Membership.objects.filter(account=events[0].account, user__in=ids)
        staff = User.objects.filter(pk__in=ids, is_staff=True).values_list("pk", flat=True)
        return {
            **dict.fromkeys(ids, _("Former member")),
            **dict.fromkeys(staff, _("Administrator of the portal")),
            **{member.user_id: member.get_role_display() for member in members},
        }


class SubjectTrailTable(EventTable):
    """The entries about one thing, on its page."""

    subject = None

    always = ("when", "what", "who", "origin")


def page_of(kind: str, id: str) -> str:
    """Return the URL of a subject's page; `""` if there is none."""
    try:
        return reverse(PAGES[kind], args=(id,))
    except (KeyError, NoReverseMatch):
        return ""


def digits(hash: str) -> str:
    """Return enough of a hash to compare it by eye, as `9c4e 01d7 b2aa`."""
    return " ".join((hash[:4], hash[4:8], hash[8:12]))

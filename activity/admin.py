"""The trails of all accounts, read-only, for administrators of the portal."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from activity import words
from activity.actions import Action
from activity.models import Event
from portal.admin import SHOWN, ReadOnly
from portal.html import day_and_time

# Pages of actors and subjects in the admin, by the prefix of their ids.
PAGES = {"UR": "admin:accounts_user_change", "SU": "admin:tokens_token_change"}


def linked(id: str, name: str) -> SafeString | str:
    """Return the recorded name with the id, as a link if the admin has a page for it."""
    if not id:
        return "–"
    try:
        url = reverse(PAGES[id.partition("-")[0]], args=(id,))
    except (KeyError, NoReverseMatch):
        return f"{name} ({id})"
    return format_html('<a href="{}">{} ({})</a>', url, name, id)


def latest(events: QuerySet[Event]) -> SafeString:
    """Return a table of the newest entries, with a link to the rest if there are more."""
    shown = list(events[: SHOWN + 1])
    if not shown:
        return format_html("{}", "–")
    cells = (
        (
            day_and_time(event.at),
            event.label,
            linked(event.actor_id, event.actor_name),
            event.address or "–",
        )
        for event in shown[:SHOWN]
    )
    table = format_html(
        "<table>{}</table>",
        format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", cells),
    )
    if len(shown) <= SHOWN:
        return table
    url = f"{reverse('admin:activity_event_changelist')}?subject_id__exact={shown[0].subject_id}"
    return format_html('{}<p><a href="{}">{}</a></p>', table, url, _("All entries"))


class ActionFilter(admin.SimpleListFilter):
    title = gettext_lazy("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(action.value, str(action.label)) for action in Action]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "account", "number", "what", "subject", "who", "address")
    list_filter = (ActionFilter,)
    search_fields = ("=account", "=subject_id", "=actor_id", "words")
    fields = readonly_fields = (
        "account",
        "number",
        "at",
        "what",
        "subject",
        "who",
        "changed",
        "address",
        "agent",
        "request_id",
        "confirmed_at",
        "confirmed_by",
        "hash",
    )
    show_full_result_count = False

    @admin.display(description=gettext_lazy("action"))
    def what(self, event: Event) -> str:
        return event.label

    @admin.display(description=gettext_lazy("what it was done to"))
    def subject(self, event: Event) -> SafeString | str:
        return linked(event.subject_id, event.subject_name)

    @admin.display(description=gettext_lazy("by"))
    def who(self, event: Event) -> SafeString | str:
        return linked(event.actor_id, event.actor_name)

    @admin.display(description=gettext_lazy("changes"))
    def changed(self, event: Event) -> SafeString | str:
        told = ((words.sentence(change),) for change in words.changes(event))
        return format_html_join("", "<p>{}</p>", told) or "–"

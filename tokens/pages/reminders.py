"""The banner over the list of tokens that reminds administrators of tokens that expire."""

from typing import Any

from django.db.models import QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.decorators import for_administrators
from accounts.http import PersonRequest
from portal.http import next_url, posts_from, whole
from tokens.models.reminder import Reminder
from tokens.pages.tables import TokenTable

# The remembered choices of a person in which the last reminder that they dismissed is kept, by
# account.
TOPIC = "reminders"
# The most tokens that the banner counts.
MOST = 100


def fresh(request: PersonRequest) -> QuerySet[Reminder]:
    """Return the reminders of the account that the person did not dismiss."""
    account = request.membership.account_id
    seen = request.user.choices(TOPIC).get(account)
    return Reminder.current(account).filter(pk__gt=seen if isinstance(seen, int) else 0)


def newest(request: PersonRequest) -> Subquery:
    """Return a column for the rows of a list that says whether there is a banner to show.

    So a list without one costs no query more.
    """
    return Subquery(fresh(request).order_by("-pk").values("pk")[:1])


def banner(request: PersonRequest, table: TokenTable) -> dict[str, Any] | None:
    """Return what the banner says; None if there is nothing to say, or no administrator to act."""
    last = next((row.record.newest_reminder for row in table.page.object_list), None)
    if last is None or not request.membership.is_admin:
        return None
    tokens = {reminder.token_id: reminder.token for reminder in fresh(request)[:MOST]}
    return {"tokens": [*tokens.values()], "newest": last}


@posts_from("tokens:list")
@for_administrators
def dismiss(request: PersonRequest) -> HttpResponse:
    """Hide the banner until the next reminder."""
    newest = whole(request.POST.get("newest"), 0)
    request.user.remember(TOPIC, **{request.membership.account_id: newest})
    return redirect(next_url(request, reverse("tokens:list")))

"""Pages and commands survive whatever moment any row of ours holds, policies included."""

from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Invitation
from activity.models import Event
from portal.fields import MomentField
from tests.conftest import Person
from tests.factories import TokenFactory
from tokens.models import CalendarFeed, Policy, Token

OURS = ("accounts", "activity", "tokens")
MOMENTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]
TOKEN_PAGES = (
    "",
    "permissions/",
    "activity/",
    "edit/",
    "extend/",
    "delete/",
    "key/new/",
    "key/extend/",
    "key/retire/",
    "key/rehearse/",
    "key/destroy/",
    "ip-rules/add/",
)
PAGES = (
    "/integrations/tokens/?status=any",
    "/integrations/tokens/?status=deleted",
    "/integrations/policies/",
    "/integrations/policies/?preview=on&ends=on&most_days=30&idles=on&idle_days=30&warn_days=7",
    "/integrations/ip-rules/",
    "/integrations/calendar/",
    "/integrations/activity/",
    "/account/people/",
    "/account/security/",
    "/account/notifications/",
)


def set_all(moment: datetime) -> None:
    """Give every row of ours this moment in every field for one."""
    for model in apps.get_models():
        # The trail refuses changes, and has a test of its own.
        if model._meta.app_label not in OURS or model is Event:
            continue
        for field in model._meta.get_fields():
            # Only deleted tokens may be purged.
            if isinstance(field, MomentField) and field.name != "purged_at":
                model._base_manager.update(**{field.name: moment})
    Token.objects.filter(status=Token.Status.DELETED).update(purged_at=moment)


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_pages_and_commands_survive_any_moment_under_policies(
    michael: Person, moment: datetime, zone: str
) -> None:
    Policy.objects.create(account=michael.account, most_days=30, idle_days=30, warn_days=7)
    ends_at = timezone.now() + timedelta(days=9)
    renewed, removed = (
        TokenFactory(account=michael.account, by=michael.user, expires_at=ends_at) for _ in "ab"
    )
    renewed.renew(by=None, until=timezone.now() + timedelta(days=2))
    renewed.rehearse(by=None)
    removed.remove(by=None)
    secret = CalendarFeed.renew(michael.membership)
    Invitation.issue(michael.account, "new@mightymicks.example", "admin", by=michael.user)
    michael.user.time_zone = zone
    michael.user.save()
    set_all(moment)
    of_tokens = [
        f"/integrations/tokens/{token.pk}/{path}"
        for token in (renewed, removed)
        for path in TOKEN_PAGES
    ]
    for page in (*PAGES, *of_tokens, f"/integrations/calendar/{secret}.ics"):
        assert michael.client.get(page, follow=True).status_code == 200, page
    for command in ("remind", "settle_policies", "purge", "prune"):
        call_command(command)

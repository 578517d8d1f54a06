"""Pages and commands survive whatever moment any row of ours holds, policies included."""

from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Invitation
from activity.models import Event
from portal.fields import MomentField
from tests.conftest import Person, confirmed
from tests.factories import ZAPIER, TokenFactory
from tests.webhooks.factories import delivered, failing, given_up, make_delivery, make_webhook
from tokens.models import CalendarFeed, ExtensionVersion, Policy, Token
from webhooks.models import Webhook

OURS = ("accounts", "activity", "tokens", "webhooks")
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
HOOK_PAGES = ("", "edit/", "delete/", "activity/", "deliveries/", "?object=PR-3")
HOOK_ACTIONS = (
    "deliveries/redeliver/",
    "deliveries/recover/",
    "resume/",
    "pause/",
    "disable/",
    "enable/",
)
HOOK_COLUMNS = "?columns=label,fires,endpoint,last_delivery,status,created,updated"
PAGES = (
    "/integrations/",
    "/integrations/self-test/",
    "/integrations/extensions/",
    "/integrations/extensions/installed/",
    f"/integrations/extensions/{ZAPIER}/",
    f"/integrations/webhooks/{HOOK_COLUMNS}",
    "/integrations/webhooks/?sort=-last_delivery",
    "/integrations/webhooks/?sort=updated&status=failing",
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
            # Only deleted tokens may be purged, and only active webhooks paused.
            if isinstance(field, MomentField) and field.name not in {"purged_at", "paused_at"}:
                model._base_manager.update(**{field.name: moment})
    Token.objects.filter(status=Token.Status.DELETED).update(purged_at=moment)
    Webhook.objects.exclude(paused_at=None).update(paused_at=moment)


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


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
@pytest.mark.parametrize("state", ["active", "paused", "given up"])
def test_webhooks_and_extensions_survive_any_moment(
    michael: Person, moment: datetime, zone: str, state: str
) -> None:
    TokenFactory(account=michael.account, extension_id=ZAPIER)
    ExtensionVersion.objects.create(extension_id=ZAPIER, number="9.9", notes="First")
    hook = make_webhook(michael.account)
    rows = [make(hook) for make in (make_delivery, delivered, failing, given_up)]
    hook.renew_secret("sw", by=michael.user, until=timezone.now())
    if state == "paused":
        hook.pause(by=michael.user)
    elif state == "given up":
        hook.disable(by=michael.user, reason=Webhook.Disabled.FAILING)
    michael.user.time_zone = zone
    michael.user.save()
    set_all(moment)
    of_hook = f"/integrations/webhooks/{hook.pk}/"
    paths = [f"{of_hook}{path}" for path in HOOK_PAGES]
    paths += [f"{of_hook}deliveries/{row.pk}/" for row in rows]
    for page in (*PAGES, *paths):
        assert michael.client.get(page, follow=True).status_code == 200, page
    client = confirmed(michael.client)
    actions = [f"{of_hook}{path}" for path in HOOK_ACTIONS]
    actions += [
        f"{of_hook}deliveries/{row.pk}/{verb}/" for row in rows for verb in ("stop", "redeliver")
    ]
    for page in actions:
        set_all(moment)
        response = client.post(page, {"missed": "1"}, follow=True)
        assert response.status_code == 200, page

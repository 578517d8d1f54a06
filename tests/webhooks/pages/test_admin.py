"""Webhooks in the admin: to look at and to disable, without any secret."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tests.conftest import Person, confirmed, stale
from tests.webhooks.factories import failing, make_webhook
from webhooks.models import Webhook, WebhookSecret

LIST = "/admin/webhooks/webhook/"
DISABLE = {"action": "force_disable"}


@pytest.fixture
def staff(michael: Person) -> Client:
    michael.user.is_staff = michael.user.is_superuser = True
    michael.user.save()
    return confirmed(michael.client)


@pytest.fixture
def hook(michael: Person) -> Webhook:
    return make_webhook(
        michael.account,
        external_url="https://erp.example/hooks/hush-path",
        headers={"X-Key": "hush-header"},
        data={"key": "hush-data"},
    )


def test_no_secret_is_shown(staff: Client, hook: Webhook) -> None:
    failing(hook)
    secrets = [secret.open() for secret in WebhookSecret.objects.all()]
    for page in (LIST, f"{LIST}?q=erp", f"{LIST}{hook.pk}/change/"):
        response = staff.get(page)
        assert response.status_code == 200
        assert "hush" not in response.text
        assert not any(secret in response.text for secret in secrets)
    page = staff.get(f"{LIST}{hook.pk}/change/").text
    assert "X-Key" in page
    assert "Active (1 failing)" in page


def test_nothing_can_be_added_changed_or_deleted(staff: Client, hook: Webhook) -> None:
    assert staff.get(f"{LIST}add/").status_code == 403
    assert staff.post(f"{LIST}{hook.pk}/change/", {"label": "x"}).status_code == 403
    assert staff.post(f"{LIST}{hook.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Webhook.objects.get().label == "Orders to ERP"


def test_webhooks_can_be_disabled_at_once(staff: Client, hook: Webhook) -> None:
    chosen = {**DISABLE, "_selected_action": [hook.pk]}
    assert "1 webhook is disabled. Its events wait." in staff.post(LIST, chosen, follow=True).text
    hook.refresh_from_db()
    assert not hook.active
    assert "none of them was active" in staff.post(LIST, chosen, follow=True).text


def test_disabling_asks_for_the_password(staff: Client, hook: Webhook) -> None:
    stale(staff)
    response = staff.post(LIST, {**DISABLE, "_selected_action": [hook.pk]})
    assert "Confirm That It Is You" in response.text
    hook.refresh_from_db()
    assert hook.active


def test_looking_needs_the_right_and_disabling_another(michael: Person, hook: Webhook) -> None:
    michael.user.is_staff = True
    michael.user.save()
    client = confirmed(michael.client)
    assert client.get(LIST).status_code == 403
    michael.user.user_permissions.add(Permission.objects.get(codename="view_webhook"))
    assert client.get(LIST).status_code == 200
    client.post(LIST, {**DISABLE, "_selected_action": [hook.pk]})
    hook.refresh_from_db()
    assert hook.active

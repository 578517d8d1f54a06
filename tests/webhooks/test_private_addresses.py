"""An address that is certainly private is refused when it is saved, wherever that happens."""

from ipaddress import ip_network

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from accounts.models import Account
from tests.conftest import Person
from tests.webhooks.conftest import SECRET, Hooks, make
from webhooks import safety
from webhooks.models import Webhook, WebhookDraft

PRIVATE = (
    *("10.0.0.1", "10.1", "0xa000001", "167772161", "012.0.0.1", "169.254.169.254", "100.64.0.1"),
    *("[::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "[fe80::1%25eth0]", "１０.0.0.1", "10.0.0.1."),
    *("localhost", "LOCALHOST.", "a.localhost", "erp.local", "erp.internal", "nas.home.arpa"),
    *("erp", "erp.corp", "erp.lan"),
)
PUBLIC = ("erp.example", "8.8.8.8", "[2606:4700:4700::1111]", "local.example", "bücher.example")
SENTENCE = "has no public address. Check the spelling; private ones are refused."


@pytest.fixture(autouse=True)
def nothing_allowed(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []


@pytest.mark.parametrize("host", PRIVATE)
def test_it_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(ValidationError, match="has no public address"):
        safety.check_reach(f"https://{host}:8443/hook")


@pytest.mark.parametrize("host", PUBLIC)
def test_others_are_not(host: str) -> None:
    safety.check_reach(f"https://{host}/hook")


def test_what_the_operator_allows_can_be_saved(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    safety.check_reach("http://localhost:8000/")
    # Loopback is no network with names.
    for host in ("10.0.0.1", "erp.local", "erp"):
        with pytest.raises(ValidationError):
            safety.check_reach(f"http://{host}/")
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("10.0.0.0/16")]
    for host in ("10.0.0.1", "erp.local", "erp"):
        safety.check_reach(f"http://{host}/")
    for host in ("10.1.0.1", "localhost"):
        with pytest.raises(ValidationError):
            safety.check_reach(f"http://{host}/")


def test_the_wizard_keeps_it_as_typed_and_stores_nothing(michael: Person) -> None:
    run = michael.client.post("/integrations/webhooks/new/", {"label": "ERP", "active": "on"})
    typed = {"external_url": "https://10.0.0.1/", "http_method": "POST", "own_secret": ""}
    response = michael.client.post(run["Location"], typed)
    assert response.status_code == 200
    assert f"10.0.0.1 {SENTENCE}" in response.text
    assert 'value="https://10.0.0.1/"' in response.text
    draft = WebhookDraft.objects.get()
    assert draft.external_url == ""
    # Nor does an older draft get through.
    draft.external_url, draft.object_class = "https://10.0.0.1/", "token"
    draft.save()
    with pytest.raises(ValidationError) as problem:
        draft.finish()
    assert problem.value.message_dict == {"external_url": [f"10.0.0.1 {SENTENCE}"]}
    assert not Webhook.objects.exists()


def test_neither_edit_nor_the_api_saves_it(
    michael: Person, account: Account, hooks: Hooks, settings: Settings
) -> None:
    webhook = make(account)
    form = {"label": "ERP", "active": "on", "object_class": "token", "http_method": "POST"}
    url = f"/integrations/webhooks/{webhook.pk}/edit/"
    typed = {**form, "version": "1", "external_url": "http://erp.local/"}
    assert f"erp.local {SENTENCE}" in michael.client.post(url, typed).text
    bad = {"external_url": "http://localhost:6379/"}
    created = {**form, **bad, "active": True, "jwt_secret": SECRET}
    for response in (hooks("put", f"/{webhook.pk}", bad), hooks("post", body=created)):
        assert response.status_code == 400
        assert response.json()["errors"] == [f"external_url: localhost {SENTENCE}"]
    assert [each.external_url for each in Webhook.objects.all()] == [webhook.external_url]


def test_what_was_stored_while_its_network_was_allowed_can_still_be_edited(
    michael: Person, account: Account, hooks: Hooks, settings: Settings
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("10.0.0.0/8")]
    webhook = make(account, external_url="http://10.0.0.1/")
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert hooks("put", f"/{webhook.pk}", {"active": False}).status_code == 200
    form = {"label": "ERP", "object_class": "token", "http_method": "POST", "version": "2"}
    url = f"/integrations/webhooks/{webhook.pk}/edit/"
    typed = {**form, "external_url": webhook.external_url}
    assert michael.client.post(url, typed).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.label, webhook.active) == ("ERP", False)

"""The details of a webhook: General, its secrets, and Activity."""

import html
import re

import pytest
from django.utils import timezone

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from tests.conftest import Person, stale
from tests.webhooks.factories import failing, make_delivery, make_webhook
from webhooks.models import DeliveryWorker, Webhook, WebhookHealth, WebhookSecret
from webhooks.outcomes import Outcome

KINDS = list(WebhookSecret.Kind)


def page_of(webhook: Webhook, path: str = "") -> str:
    return f"/integrations/webhooks/{webhook.pk}/{path}"


def text_of(somebody: Person, webhook: Webhook, path: str = "") -> str:
    return " ".join(somebody.client.get(page_of(webhook, path)).content.decode().split())


def test_headers_are_shown_to_members_without_their_values(
    michael: Person, adrian: Person, account: Account
) -> None:
    webhook = make_webhook(account, headers={"X-Key": "hush-hush"})
    assert "X-Key: hush-hush" in text_of(michael, webhook)
    seen = text_of(adrian, webhook)
    assert "X-Key" in seen
    assert "hush-hush" not in seen


def test_hidden_characters_in_the_data_reorder_no_page(michael: Person, account: Account) -> None:
    """Where people read the data, they are written as JSON can write any character."""
    data = {"next": "\u202e\x7f", "team": "Söder 👩\u200d🚀"}
    webhook = make_webhook(account, data=data)
    for path in ("", "edit/"):
        seen = html.unescape(text_of(michael, webhook, path))
        assert r'{"next": "\u202e\u007f", "team": "Söder 👩' + "\u200d🚀" in seen
        assert "\u202e" not in seen


def test_the_page_of_a_member_offers_nothing(adrian: Person, webhook: Webhook) -> None:
    seen = text_of(adrian, webhook)
    for words in ("Send Test Event", "New Secret…", "Delete…", "secret-jwt-view", "/edit/"):
        assert words not in seen
    assert "Only administrators of the account can view it." in seen


@pytest.mark.parametrize(
    ("reason", "headline"),
    [
        ("person", "This webhook is disabled."),
        ("failing", "after days without success."),
        ("gone", "the endpoint said that it is gone."),
    ],
)
def test_the_banner_says_why_it_is_disabled_and_what_waits(
    michael: Person, webhook: Webhook, reason: str, headline: str
) -> None:
    make_delivery(webhook)
    webhook.disable(by=None, reason=reason)
    seen = text_of(michael, webhook)
    assert headline in seen
    assert "1 event waits. It is sent when you enable it." in seen


def test_the_banner_says_since_when_it_fails_and_what_to_do(
    michael: Person, webhook: Webhook
) -> None:
    failing(webhook)
    failed = {"failing_since": timezone.now(), "last_failure_outcome": Outcome.SERVER_ERROR}
    WebhookHealth.objects.filter(webhook=webhook).update(**failed)
    seen = text_of(michael, webhook)
    assert "Failing since" in seen
    assert "The endpoint reported an error of its own." in seen
    assert "Look at the log of the endpoint" in seen


def test_the_banner_says_when_nothing_is_sent_for_want_of_a_worker(
    michael: Person, webhook: Webhook
) -> None:
    assert "no worker is running" not in text_of(michael, webhook)
    make_delivery(webhook)
    assert "no worker is running" in text_of(michael, webhook)
    DeliveryWorker.beat("one")
    assert "no worker is running" not in text_of(michael, webhook)


# --- Secrets --------------------------------------------------------------------------------------


def secret_of(webhook: Webhook, kind: str) -> str:
    return WebhookSecret.newest(webhook, kind).open()


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_are_masked_and_no_page_has_them(
    michael: Person, webhook: Webhook, kind: str
) -> None:
    secret = secret_of(webhook, kind)
    for path in ("", "edit/", "deliveries/", "activity/", f"secrets/{kind}/new/"):
        assert secret[:20] not in text_of(michael, webhook, path)
    assert f"</span>{secret[-4:]}</span>" in text_of(michael, webhook)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["", "copy/"])
def test_view_shows_the_secret_and_records_it(
    michael: Person, webhook: Webhook, kind: str, path: str
) -> None:
    """Copy without htmx does the same."""
    response = michael.client.post(page_of(webhook, f"secrets/{kind}/{path}"), {"once": "a" * 12})
    shown = re.sub(r"<wbr>|</?span[^>]*>", "", response.content.decode())
    assert secret_of(webhook, kind) in shown
    assert "no-store" in response["Cache-Control"]
    [entry] = Event.objects.filter(action=Action.WEBHOOK_SECRET_SEEN)
    assert entry.actor_id == michael.user.pk
    assert entry.changes == {"kind": [None, WebhookSecret.Kind(kind).label]}


def test_reloading_the_page_with_the_secret_shows_it_no_more(
    michael: Person, webhook: Webhook
) -> None:
    url, once = page_of(webhook, "secrets/jwt/"), {"once": "a" * 12}
    michael.client.post(url, once)
    response = michael.client.post(url, once)
    assert response["Location"] == page_of(webhook)
    assert Event.objects.filter(action=Action.WEBHOOK_SECRET_SEEN).count() == 1


def test_copy_hands_out_the_bare_secret(michael: Person, webhook: Webhook) -> None:
    response = michael.client.post(
        page_of(webhook, "secrets/jwt/copy/"), headers={"HX-Request": "true"}
    )
    assert response.content.decode() == secret_of(webhook, "jwt")
    assert response["Content-Type"].startswith("text/plain")


# The portal makes it up.
MADE = {"own_secret": ""}


@pytest.mark.parametrize("path", ["secrets/jwt/", "secrets/sw/copy/", "secrets/jwt/new/"])
def test_without_a_recent_password_it_is_asked_for(
    michael: Person, webhook: Webhook, path: str
) -> None:
    stale(michael.client)
    before = secret_of(webhook, "jwt")
    response = michael.client.post(page_of(webhook, path), MADE)
    page = response.content.decode()
    assert "Confirm That It Is You" in page
    assert before not in page
    assert secret_of(webhook, "jwt") == before
    assert not Event.objects.filter(action=Action.WEBHOOK_SECRET_SEEN).exists()


@pytest.mark.parametrize("path", ["secrets/jwt/", "secrets/jwt/copy/", "secrets/jwt/new/"])
def test_members_and_strangers_get_no_secret(
    adrian: Person, stranger: Person, webhook: Webhook, path: str
) -> None:
    before = secret_of(webhook, "jwt")
    assert adrian.client.post(page_of(webhook, path), MADE).status_code == 403
    assert stranger.client.post(page_of(webhook, path), MADE).status_code == 404
    assert secret_of(webhook, "jwt") == before


def test_a_kind_that_does_not_exist_is_404(michael: Person, webhook: Webhook) -> None:
    for path in ("secrets/nope/", "secrets/nope/copy/", "secrets/nope/new/"):
        assert michael.client.post(page_of(webhook, path)).status_code == 404


def test_a_secret_that_cannot_be_opened_says_what_to_do(michael: Person, webhook: Webhook) -> None:
    WebhookSecret.objects.update(sealed=b"\x01broken")
    response = michael.client.post(page_of(webhook, "secrets/jwt/"), follow=True)
    assert b"The secret cannot be opened." in response.content
    assert not Event.objects.filter(action=Action.WEBHOOK_SECRET_SEEN).exists()


def test_a_new_jwt_secret_takes_the_place_of_the_old_one(michael: Person, webhook: Webhook) -> None:
    before = secret_of(webhook, "jwt")
    michael.client.post(page_of(webhook, "secrets/jwt/new/"), MADE)
    [live] = WebhookSecret.live(webhook, "jwt")
    assert live.open() != before
    assert Event.objects.filter(action=Action.WEBHOOK_SECRET_CHANGED).count() == 1


OWN = "JWT-of-my-own-program-since-long-ago"


def test_an_own_jwt_secret_can_be_given(michael: Person, webhook: Webhook) -> None:
    url = page_of(webhook, "secrets/jwt/new/")
    michael.client.post(url, {"own_secret": OWN})
    assert secret_of(webhook, "jwt") == OWN
    response = michael.client.post(url, {"own_secret": OWN}, follow=True)
    assert b"Nothing was changed." in response.content


def test_the_old_signing_secret_signs_too_for_a_day(michael: Person, webhook: Webhook) -> None:
    before = secret_of(webhook, "sw")
    michael.client.post(page_of(webhook, "secrets/sw/new/"))
    new, old = WebhookSecret.live(webhook, "sw")
    assert old.open() == before
    assert new.open() != before
    assert f"The one that ends in {old.last_four} signs too" in text_of(michael, webhook)


# --- Activity -------------------------------------------------------------------------------------


def test_the_tab_activity_shows_what_happened_to_this_webhook(
    michael: Person, webhook: Webhook
) -> None:
    make_webhook(webhook.account, "Another")
    webhook.disable(by=michael.user)
    seen = text_of(michael, webhook, "activity/")
    assert "Webhook created" in seen
    assert "Webhook disabled" in seen
    assert "2 entries about this webhook, of" in seen

"""What a call carries, checked with libraries that are not ours."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from tests.webhooks.engine.conftest import MakeWebhook, deliver, happen
from tests.webhooks.engine.receiver import Got, Receiver
from webhooks import secrets
from webhooks.models import Attempt, Webhook, WebhookSecret
from webhooks.signing import sendable


def secret(webhook: Webhook, kind: str) -> str:
    return WebhookSecret.newest(webhook, kind).open()


def claims(got: Got, key: str) -> dict[str, object]:
    scheme, _blank, token = got.headers["authorization"].partition(" ")
    assert scheme == "Bearer"
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    found: dict[str, object] = jwt.decode(
        token, key, algorithms=["HS256"], options={"require": ["exp", "iat", "jti"]}
    )
    return found


def test_the_jwt_is_the_one_that_receivers_of_connect_check(
    webhook: Webhook, receiver: Receiver
) -> None:
    (delivery,) = happen(webhook)
    deliver()
    (got,) = receiver.calls
    found = claims(got, secret(webhook, "jwt"))
    now = timezone.now().timestamp()
    assert found["webhook_id"] == webhook.pk
    assert found["jti"] == delivery.pk == got.headers["webhook-id"]
    assert found["body_sha256"] == hashlib.sha256(got.body).hexdigest()
    assert isinstance(found["exp"], int)
    assert abs(found["exp"] - now - 600) < 30
    with pytest.raises(jwt.InvalidSignatureError):
        claims(got, "another secret, which is long enough")


def test_the_jwt_is_where_the_mulesoft_connector_looks_for_it(
    make_webhook: MakeWebhook, receiver: Receiver
) -> None:
    happen(make_webhook(receiver.url))
    happen(make_webhook(receiver.url, headers={"authentication": "theirs, and no JWT"}))
    deliver()
    both = sorted(call.headers["authentication"] for call in receiver.calls)
    bearers = [call.headers["authorization"] for call in receiver.calls]
    assert both[0] in bearers
    assert both[1] == "theirs, and no JWT"
    kept = [attempt.request_headers for attempt in Attempt.objects.all()]
    assert {"authentication": "… JWT"}.items() <= (kept[0] | kept[1]).items()
    assert f"Bearer …{both[0][-4:]}" in {each.get("Authentication") for each in kept}


def test_standard_webhooks_verify_the_signature(webhook: Webhook, receiver: Receiver) -> None:
    happen(webhook)
    deliver()
    (got,) = receiver.calls
    verifier = Verifier(secret(webhook, "sw"))
    assert verifier.verify(got.body, got.headers) == json.loads(got.body)
    with pytest.raises(WebhookVerificationError):
        verifier.verify(got.body + b" ", got.headers)
    with pytest.raises(WebhookVerificationError):
        verifier.verify(got.body, {**got.headers, "webhook-id": "WHD-0000-0000-0000"})


def test_while_a_secret_is_taken_over_both_sign(webhook: Webhook, receiver: Receiver) -> None:
    old, new = secret(webhook, "sw"), secrets.new_standard()
    soon = timezone.now() + timedelta(hours=1)
    WebhookSecret.replace(webhook, "sw", new, by=None, until=soon)
    happen(webhook)
    deliver()
    WebhookSecret.objects.filter(webhook=webhook, kind="sw", version=1).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    happen(webhook)
    deliver()
    both, one = receiver.calls
    for key in (old, new):
        Verifier(key).verify(both.body, both.headers)
    Verifier(new).verify(one.body, one.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(old).verify(one.body, one.headers)


def test_the_body_is_that_of_connect_and_an_event_beside_it(
    webhook: Webhook, receiver: Receiver
) -> None:
    webhook.edit(by=None, data={"shop": 7}, label="Ünï")
    (delivery,) = happen(webhook, object_status="active")
    deliver()
    body = json.loads(receiver.calls[0].body)
    event = body.pop("event")
    sent = datetime.fromisoformat(body.pop("triggered_at"))
    assert abs((timezone.now() - sent).total_seconds()) < 30
    assert body == {
        "webhook_id": webhook.pk,
        "webhook_name": "Ünï",
        "object_class": "token",
        "account_id": webhook.account_id,
        "product_id": None,
        "api_url": "http://127.0.0.1:8000/public/v1",
        "last_success_at": None,
        "last_failure_at": None,
        "processing_timeout": 600,
        "data": {"shop": 7},
    }
    assert event == {
        "id": delivery.pk,
        "type": "token.created",
        "action": "created",
        "object": {
            "id": "SU-160-984-311",
            "status": "active",
            "href": "/public/v1/auth/tokens/SU-160-984-311",
        },
        "occurred_at": delivery.event.at.astimezone(UTC).isoformat(timespec="seconds"),
        "schema_version": 1,
        "test": False,
    }


def test_a_get_says_in_its_query_what_it_is_about(
    make_webhook: MakeWebhook, receiver: Receiver
) -> None:
    webhook = make_webhook(f"{receiver.url}?shop=7", http_method="GET")
    (delivery,) = happen(webhook)
    deliver()
    (got,) = receiver.calls
    assert (got.method, got.body) == ("GET", b"")
    assert got.path == (
        f"/hook?shop=7&webhook_id={webhook.pk}&object_class=token&event_id={delivery.pk}"
        "&event_type=token.created&object_id=SU-160-984-311"
    )
    found = claims(got, secret(webhook, "jwt"))
    assert found["body_sha256"] == hashlib.sha256(b"").hexdigest()
    with pytest.raises(json.JSONDecodeError):
        # The library verifies first, and then reads the body.
        Verifier(secret(webhook, "sw")).verify(b"", got.headers)


def test_headers_of_the_webhook_are_sent_but_never_instead_of_ours(
    make_webhook: MakeWebhook, receiver: Receiver
) -> None:
    webhook = make_webhook(
        receiver.url, headers={"X-Key": "öpen sesame", "X-Empty": "", "content-type": "text/x"}
    )
    happen(webhook)
    deliver()
    got = receiver.calls[0].headers
    assert got["x-key"].encode("latin-1").decode("latin-1") == "öpen sesame"
    assert got["x-empty"] == ""
    assert got["content-type"] == "text/x"
    assert got["user-agent"].startswith("IntegrationsPortal-Webhooks/")
    assert "expect" not in got


def test_the_log_of_tries_keeps_no_secret(make_webhook: MakeWebhook, receiver: Receiver) -> None:
    webhook = make_webhook(receiver.url, headers={"X-Key": "a-password-of-theirs", "X-Pin": "1234"})
    happen(webhook)
    deliver()
    kept = Attempt.objects.get().request_headers
    got = receiver.calls[0].headers
    assert kept["Authorization"] == f"Bearer …{got['authorization'][-4:]}"
    assert kept["webhook-signature"] == f"v1,…{got['webhook-signature'][-4:]}"
    assert (kept["X-Key"], kept["X-Pin"]) == ("…eirs", "…")
    assert kept["webhook-id"] == got["webhook-id"]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        (
            "https://bücher.example:8443/ü?q=ä b",
            "https://xn--bcher-kva.example:8443/%C3%BC?q=%C3%A4%20b",
        ),
        ("https://example.com", "https://example.com/"),
        ("https://example.com?a=%20", "https://example.com/?a=%20"),
    ],
)
def test_addresses_with_letters_of_all_languages_can_be_called(typed: str, sent: str) -> None:
    assert sendable(typed, {}) == sent

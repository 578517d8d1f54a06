"""The call that a try of a delivery makes: its address, headers, body and signatures.

Two schemes sign it. Connect's own is a JWT in Authorization, to which the portal adds the digest of
the body; CloudBlue's connector for MuleSoft reads it in Authentication. Standard Webhooks
(https://www.standardwebhooks.com) signs id, time and body.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import orjson
from django.conf import settings
from django.utils import timezone
from django.utils.encoding import iri_to_uri

from portal.api import PREFIX
from portal.text import json_bytes, json_text
from tokens import vault
from webhooks.catalog import COLLECTIONS, SAMPLE_IDS, Method, ObjectClass
from webhooks.models import (
    Delivery,
    Webhook,
    WebhookEvent,
    WebhookFields,
    WebhookHealth,
    WebhookSecret,
)

# Seconds within which the receiver may use the JWT; Connect calls it the time of processing.
PROCESSING = 600
SCHEMA_VERSION = 1
AGENT = "IntegrationsPortal-Webhooks/1"
JWT_HEAD = {"alg": "HS256", "typ": "JWT"}
# The headers with the JWT.
BEARERS = ("Authorization", "Authentication")
# Characters of a secret value that the log of deliveries shows.
SHOWN = 4


@dataclass(frozen=True)
class Secrets:
    """The secrets that sign the calls of a webhook now, newest first."""

    jwt: str
    standard: tuple[str, ...]

    @classmethod
    def of(cls, rows: "Iterable[WebhookSecret]", account_id: str) -> "Secrets":
        """Open the live secrets of a webhook. Raise vault.SealBroken."""
        newest = sorted(rows, key=lambda row: -row.version)
        opened = [(row.kind, open_once(row, account_id)) for row in newest]
        jwt = next((text for kind, text in opened if kind == WebhookSecret.Kind.JWT), "")
        standard = (text for kind, text in opened if kind == WebhookSecret.Kind.STANDARD)
        return cls(jwt, tuple(standard))


@dataclass
class Call:
    """One HTTP request, ready to be sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""
    # The names of headers that the webhook brought itself.
    own: frozenset[str] = field(default_factory=frozenset)

    def lines(self) -> list[bytes]:
        """Return the headers as libcurl takes them; without a value, one ends in a semicolon."""
        return [
            (f"{name}: {value}" if value.strip() else f"{name};").encode("latin-1", "replace")
            for name, value in self.headers.items()
        ]

    def shown_headers(self) -> dict[str, str]:
        """Return the headers for the log: of secrets, only the last characters."""
        return dict(self.shown())

    def shown(self) -> Iterator[tuple[str, str]]:
        for name, value in self.headers.items():
            if name in self.own:
                if name.lower() != "content-type":
                    # It may be a password.
                    value = f"…{value[-SHOWN:]}" if len(value) > 3 * SHOWN else "…"
            elif name in BEARERS:
                value = f"Bearer …{value[-SHOWN:]}"
            elif name == "webhook-signature":
                value = " ".join(f"v1,…{part[-SHOWN:]}" for part in value.split())
            yield name, value


def make_call(
    delivery: Delivery, webhook: Webhook, health: WebhookHealth, secrets: Secrets, now: datetime
) -> Call:
    """Return the call of a try that begins now."""
    posts = webhook.http_method == Method.POST
    content = payload(delivery, webhook, health, now)
    body = json_bytes(content) if posts else b""
    seconds = int(now.timestamp())
    message = delivery.message_id
    bearer = f"Bearer {jwt(secrets.jwt, webhook.pk, message, seconds, body)}"
    names = {name.lower() for name in webhook.headers}
    ours = {
        "User-Agent": AGENT,
        **{name: bearer for name in BEARERS if name.lower() not in names},
        "webhook-id": message,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(
            standard_signature(secret, message, seconds, body) for secret in secrets.standard
        ),
    }
    if posts and "content-type" not in names:
        ours["Content-Type"] = "application/json"
    return Call(
        method=webhook.http_method,
        url=sendable(webhook.external_url, {} if posts else query(content)),
        headers=webhook.headers | ours,
        body=body,
        own=frozenset(webhook.headers),
    )


# --- What it says ---------------------------------------------------------------------------------


def payload(
    delivery: Delivery, webhook: Webhook, health: WebhookHealth, now: datetime
) -> dict[str, Any]:
    """Return the body as Connect sends it, and what the portal adds: the event."""
    return {
        "webhook_id": webhook.pk,
        "webhook_name": webhook.label,
        "object_class": webhook.object_class,
        "account_id": webhook.account_id,
        "product_id": delivery.event.product_id or webhook.product_id or None,
        "api_url": f"{settings.PORTAL_URL}{PREFIX}v1",
        "triggered_at": moment(now),
        "last_success_at": moment(health.last_success_at),
        "last_failure_at": moment(health.last_failure_at),
        "processing_timeout": PROCESSING,
        "data": webhook.data,
        "event": described(delivery.event, delivery.message_id),
    }


class Sample(NamedTuple):
    """A call as it would be made, with an object made up and without its signatures."""

    method: str
    url: str
    headers: dict[str, str]
    body: str


def sample(webhook: WebhookFields) -> Sample:
    """Return a call as the webhook would make it when an object is created."""
    kind = ObjectClass(webhook.object_class or ObjectClass.FULFILLMENT_REQUEST)
    now = timezone.now()
    event = WebhookEvent(object_class=kind, action="created", object_id=SAMPLE_IDS[kind], at=now)
    names = ("account_id", "label", "product_id", "data", "external_url", "http_method", "headers")
    likeness = Webhook(
        id="WH-…", object_class=kind, **{name: getattr(webhook, name) for name in names}
    )
    if not isinstance(likeness.headers, dict):
        likeness.headers = {}
    delivery = Delivery(id="WHD-…", event=event)
    call = make_call(delivery, likeness, WebhookHealth(), Secrets("", ("",)), now)
    unsigned = {
        **dict.fromkeys(BEARERS, "Bearer …"),
        "webhook-signature": "v1,…",
    }
    return Sample(
        call.method,
        # An ellipsis is no part of an address, which a query would spell out.
        call.url.replace(quote("…"), "…") if webhook.external_url else "",
        {
            name: value if name in call.own else unsigned.get(name, value)
            for name, value in call.headers.items()
        },
        json_text(json.loads(call.body), indent=2) if call.body else "",
    )


def described(event: WebhookEvent, message: str) -> dict[str, Any]:
    """Return the event as it was when it happened, under the id that all tries share."""
    collection = COLLECTIONS[ObjectClass(event.object_class)]
    path = f"{collection}/{event.object_id}" if event.object_id else collection
    return {
        "id": message,
        "type": f"{event.object_class}.{event.action}",
        "action": event.action,
        "object": {
            "id": event.object_id or None,
            "status": event.object_status or None,
            "href": f"{PREFIX}v1/{path}",
        },
        "occurred_at": moment(event.at),
        "schema_version": SCHEMA_VERSION,
        "test": event.is_test,
    }


def moment(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat(timespec="seconds") if value else None


def query(content: dict[str, Any]) -> dict[str, str]:
    """Return what a GET says, which has no body."""
    event = content["event"]
    return {
        "webhook_id": content["webhook_id"],
        "object_class": content["object_class"],
        "event_id": event["id"],
        "event_type": event["type"],
        "object_id": event["object"]["id"] or "",
    }


def sendable(url: str, more: dict[str, str]) -> str:
    """Return an address with ASCII characters alone, and with more in its query."""
    parts = urlsplit(url)
    host = parts.netloc
    if not host.isascii():
        name, colon, port = host.partition(":")
        host = name.encode("idna").decode() + colon + port
    added = "&".join(filter(None, (parts.query, urlencode(more))))
    return iri_to_uri(parts._replace(netloc=host, path=parts.path or "/", query=added).geturl())


# --- Signatures -----------------------------------------------------------------------------------


def jwt(secret: str, webhook_id: str, message: str, seconds: int, body: bytes) -> str:
    """Return Connect's JWT (RFC 7519, HS256), which also says what the body is."""
    claims = {
        "webhook_id": webhook_id,
        "exp": seconds + PROCESSING,
        "iat": seconds,
        "jti": message,
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }
    signed = b".".join((unpadded(orjson.dumps(JWT_HEAD)), unpadded(orjson.dumps(claims))))
    signature = hmac.digest(secret.encode(), signed, "sha256")
    return b".".join((signed, unpadded(signature))).decode()


def unpadded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def standard_signature(secret: str, message: str, seconds: int, body: bytes) -> str:
    """Return a signature of the Standard Webhooks specification, 1.0."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message}.{seconds}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def open_once(row: WebhookSecret, account_id: str) -> str:
    return opened(bytes(row.sealed), account_id, row.webhook_id, row.kind, row.version)


@lru_cache(maxsize=10_000)
def opened(sealed: bytes, *bound_to: object) -> str:
    """Open a sealed secret. Its row never changes, so a worker opens it once."""
    return vault.unseal(sealed, *bound_to)

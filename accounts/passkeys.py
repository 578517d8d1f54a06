"""Passkeys (WebAuthn): adding them, and checking what a browser signs with them.

The browser gets options with a fresh challenge, which the session keeps, and posts what the
authenticator answered. A challenge is good for one answer to the purpose that it was made for.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.models import Counter, Passkey, User, digest
from portal.http import seconds_since

# Where the session keeps the challenge.
KEY = "passkey"
# How long a challenge is good, in seconds.
LASTS = 5 * 60
# How many passkeys a person may have.
MOST = 20


class NotProven(ValidationError):
    """What the browser sent does not prove who the person is."""


def not_proven() -> NotProven:
    return NotProven(_("The passkey was not accepted. Try again, or use another way."))


def server(request: HttpRequest) -> Fido2Server:
    """Return the checker for the host of the request; passkeys of other hosts do not work here."""
    host = request.get_host()
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    origin = f"{request.scheme}://{host}"
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=name, name=settings.BRAND),
        verify_origin=lambda given: given == origin,
    )


def credentials_of(user: User) -> list[AttestedCredentialData]:
    return [AttestedCredentialData(bytes(each.credential)) for each in user.passkeys.all()]


def keep(request: HttpRequest, purpose: str, state: Any) -> None:
    request.session[KEY] = {"purpose": purpose, "state": state, "at": time.time()}


def take(request: HttpRequest, purpose: str) -> Any:
    """Return what was kept for the purpose, once. Raise NotProven."""
    kept = request.session.pop(KEY, None)
    age = seconds_since(kept, "at")
    if age is None or age > LASTS or kept["purpose"] != purpose:
        raise not_proven()
    # Requests in parallel have read the session before it was changed.
    challenge = digest(str(kept["state"]["challenge"]))
    if Counter.objects.take(f"challenge:{challenge}", 1, timedelta(seconds=2 * LASTS)):
        raise not_proven()
    return kept["state"]


def parsed(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise not_proven() from None
    if not isinstance(answer, dict):
        raise not_proven()
    return answer


# --- Adding one -----------------------------------------------------------------------------------


def options_to_add(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return the options for `navigator.credentials.create`."""
    options, state = server(request).register_begin(
        PublicKeyCredentialUserEntity(id=user.pk.encode(), name=user.email, display_name=user.name),
        credentials_of(user),
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    keep(request, "add", state)
    return dict(options)


def add(request: HttpRequest, user: User, name: str, answer: str) -> Passkey:
    """Store the passkey that a browser has made. Raise NotProven."""
    state = take(request, "add")
    if user.passkeys.count() >= MOST:
        raise NotProven(_("You have the maximum number of passkeys. Remove one first."))
    given = parsed(answer)
    try:
        data = server(request).register_complete(state, given)
        credential = data.credential_data
    except Exception as problem:
        # The library's decoders raise whatever comes up.
        raise not_proven() from problem
    if credential is None:
        raise not_proven()
    row, is_new = Passkey.objects.get_or_create(
        handle=handle_of(credential.credential_id),
        defaults={
            "user": user,
            "name": name,
            "credential": bytes(credential),
            "counter": data.counter,
        },
    )
    if not is_new:
        raise NotProven(_("This passkey was added before."))
    return row


def handle_of(credential_id: bytes) -> str:
    return hashlib.sha256(credential_id).hexdigest()


# --- Proving who one is ---------------------------------------------------------------------------


def options_to_prove(request: HttpRequest, purpose: str, user: User | None) -> dict[str, Any]:
    """Return the options for `navigator.credentials.get`; without a user, any passkey will do."""
    known: Sequence[AttestedCredentialData] | None = credentials_of(user) if user else None
    options, state = server(request).authenticate_begin(
        known, user_verification=UserVerificationRequirement.REQUIRED
    )
    keep(request, purpose, state)
    return dict(options)


def prove(request: HttpRequest, purpose: str, answer: str, user: User | None = None) -> User:
    """Return the person whose passkey signed the challenge. Raise NotProven.

    With `user`, only that person's passkeys are good.
    """
    state = take(request, purpose)
    given = parsed(answer)
    try:
        response = AuthenticationResponse.from_dict(given)
        handle = handle_of(response.raw_id)
        counter = response.response.authenticator_data.counter
    except Exception as problem:
        # The library's decoders raise whatever comes up.
        raise not_proven() from problem
    row = Passkey.objects.select_related("user").filter(handle=handle).first()
    if row is None or not row.user.is_active or (user is not None and row.user != user):
        raise not_proven()
    try:
        server(request).authenticate_complete(
            state, [AttestedCredentialData(bytes(row.credential))], response
        )
    except Exception as problem:
        raise not_proven() from problem
    if not row.use(counter, timezone.now()):
        raise not_proven()
    return row.user

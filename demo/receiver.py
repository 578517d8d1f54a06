"""`/demo/receiver/…`: endpoints for webhooks that check each call and say what arrived.

One accepts, the others fail, are slow or are gone. The answer is kept with the delivery, where
people can read it.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from tokens import vault
from webhooks.models import Webhook, WebhookSecret

View = Callable[[HttpRequest], HttpResponse]

RIGHT = "Both signatures are right."
# Seconds that the slow receiver takes, and that a call may be old.
SLOW = 8
TOLERANCE = 300


class Unsigned(Exception):
    """The call does not come from the portal; the message says why."""


def signed(view: View) -> View:
    """Let only calls of the portal reach the view; it answers others itself."""

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        try:
            check(request)
        except Unsigned as problem:
            return JsonResponse({"verdict": str(problem)}, status=401)
        return view(request)

    return inner


@signed
def receive(request: HttpRequest) -> HttpResponse:
    """Accept the call."""
    return told(request)


@signed
def fail(request: HttpRequest) -> HttpResponse:
    """Fail, to show how the portal tries again."""
    return told(request, " This address always fails.", 500)


@signed
def be_slow(request: HttpRequest) -> HttpResponse:
    """Accept the call after a while."""
    time.sleep(SLOW)
    return told(request)


@signed
def be_gone(request: HttpRequest) -> HttpResponse:
    """Say that nobody wants calls at this address any more, which disables the webhook."""
    return told(request, " This address is gone.", 410)


def told(request: HttpRequest, more: str = "", status: int = 200) -> HttpResponse:
    """Answer that the signatures are right, and with what arrived."""
    arrived = {
        "method": request.method,
        "webhook-id": request.headers["webhook-id"],
        "said": json.loads(request.body) if request.body else request.GET.dict(),
    }
    answer = {"verdict": RIGHT + more, "arrived": arrived}
    return JsonResponse(answer, status=status, json_dumps_params={"indent": 2})


def check(request: HttpRequest) -> None:
    """Raise Unsigned unless both signatures are right."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    head, _dot, mark = token.rpartition(".")
    try:
        claims = json.loads(decoded(head.partition(".")[2]))
        # Databases refuse some texts that are no ids.
        if not re.fullmatch(r"WH-[0-9-]+", claims["webhook_id"]):
            raise ValueError
        webhook = Webhook.objects.get(pk=claims["webhook_id"])
        expires = int(claims["exp"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, Webhook.DoesNotExist):
        raise Unsigned("The call has no JWT of a webhook.") from None
    ours = [hmac.new(key, head.encode(), hashlib.sha256).digest() for key in keys(webhook, "jwt")]
    if not any(same(encoded(each), mark) for each in ours):
        raise Unsigned("The JWT was signed with another secret.")
    if expires < time.time():
        raise Unsigned("The JWT has expired.")
    check_standard(request, webhook)


def check_standard(request: HttpRequest, webhook: Webhook) -> None:
    """Raise Unsigned unless the signature of the Standard Webhooks specification is right."""
    sent = [request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp")]
    text = ".".join(sent).encode() + b"." + request.body
    given = request.headers.get("webhook-signature", "").split()
    for secret in keys(webhook, "sw"):
        key = base64.b64decode(secret.removeprefix(b"whsec_"))
        ours = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        if any(same(f"v1,{ours}", each) for each in given):
            break
    else:
        raise Unsigned("The signature of the body is wrong.")
    if not sent[1].isdecimal() or abs(time.time() - int(sent[1])) > TOLERANCE:
        raise Unsigned("The call is too old.")


def keys(webhook: Webhook, kind: str) -> list[bytes]:
    """Return the secrets that sign for a webhook."""
    try:
        return [secret.open().encode() for secret in WebhookSecret.live(webhook, kind)]
    except vault.SealBroken:
        return []


def same(ours: str, given: str) -> bool:
    """Compare signatures; as bytes, since a given one may have letters of any language."""
    return hmac.compare_digest(ours.encode(), given.encode(errors="replace"))


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

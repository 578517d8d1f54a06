"""Devices on which a person has signed in before, known by a signed cookie that outlives sessions.

The cookie grants no access. It only keeps other people's wrong passwords from locking her out.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User

SALT = "accounts.devices"
# How long a device is known after the last sign-in on it, in seconds.
LASTS = 180 * 24 * 3600
# For how many people one device may be remembered.
PEOPLE = 5


def known(request: HttpRequest, user: User) -> str | None:
    """Return the id of the device if this person signed in on it with the current password."""
    device, marks = read(request)
    expected = [mark_of(user, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return (
        device
        if any(constant_time_compare(mark, one) for mark in marks for one in expected)
        else None
    )


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Remember the device of a person who has just proved their identity."""
    device, marks = read(request)
    mark = mark_of(user, settings.SECRET_KEY)
    # A new id for a person who is new on this device, so that tries with an older, stolen cookie do
    # not count against it.
    if mark not in marks:
        device = secrets.token_hex(16)
    marks = [mark, *(other for other in marks if other != mark)][:PEOPLE]
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps([device, marks], salt=SALT),
        max_age=LASTS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def read(request: HttpRequest) -> tuple[str, list[str]]:
    """Return the id and the marks in the device's cookie; empty if it is missing, old or forged."""
    try:
        value: Any = signing.loads(
            request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=LASTS
        )
    except signing.BadSignature:
        return "", []
    device, marks = value
    return device, marks


def mark_of(user: User, key: str) -> str:
    """Return the mark of a person in the cookie.

    It depends on the password, so a new password invalidates stolen cookies.
    """
    return salted_hmac(
        SALT, f"{user.pk}:{user.password}", secret=key, algorithm="sha256"
    ).hexdigest()[:32]

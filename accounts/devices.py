"""Devices on which a person has signed in before: a signed cookie that lives longer than sessions.

It opens nothing. It only keeps strangers' wrong passwords from being counted against her.
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
# How many people one device may be known for.
PEOPLE = 5


def known(request: HttpRequest, user: User) -> str | None:
    """The id of the device if this person has signed in on it with the password of today."""
    device, marks = read(request)
    expected = [mark_of(user, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return device if any(constant_time_compare(mark, one) for mark in marks for one in expected) else None


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Know the device from now on: the person has just proved who they are."""
    device, marks = read(request)
    mark = mark_of(user, settings.SECRET_KEY)
    # A new id for a person who is new here, so that tries under an older, stolen cookie do not count here.
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
    """Id and marks of the device's cookie; empty for none, an old one and one that is not ours."""
    try:
        value: Any = signing.loads(request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return "", []
    device, marks = value
    return device, marks


def mark_of(user: User, key: str) -> str:
    """What stands for a person in the cookie. A new password makes it another one, so stolen cookies end with it."""
    return salted_hmac(SALT, f"{user.pk}:{user.password}", secret=key, algorithm="sha256").hexdigest()[:32]

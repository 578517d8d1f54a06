"""Devices on which a person has signed in before, known by a signed cookie that outlives sessions.

The cookie grants no access. It only keeps wrong passwords of others from locking the person out.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from accounts import mails
from accounts.mails import Fact, Mail, Step
from accounts.models import User
from portal import agents
from portal.http import client_address, client_agent

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


def tell_if_new(request: HttpRequest, user: User) -> None:
    """Mail a person who has just signed in on a device that is not known, unless it is the first.

    Call it before `remember`, and before `last_login` is renewed.
    """
    if user.last_login is None or known(request, user):
        return
    text = _("Somebody signed in as %(email)s, with your password or a passkey.")
    tell(request, user, _("You signed in from a new device"), text % {"email": user.email})


def tell(request: HttpRequest, user: User, title: str, text: str) -> None:
    """Mail a person that something about their sign-in was done, and from where."""
    mail = Mail(
        subject=title,
        preview=_("If it was you, there is nothing to do."),
        title=title,
        text=text,
        facts=facts(request),
        steps=[
            Step(_("Was it you?"), _("There is nothing to do.")),
            Step(
                _("Was it not?"),
                _(
                    "Open the portal, Forgotten password. A new password signs out every other "
                    "device. Then tell your administrator."
                ),
            ),
        ],
    )
    mails.tell(user, mail)


def facts(request: HttpRequest) -> list[Fact]:
    """Return when, from where and with what something is done, for a mail about it."""
    program = agents.in_words(client_agent(request))
    return [
        Fact(_("When"), mails.in_utc(timezone.now())),
        Fact(_("From"), client_address(request) or _("an unknown address")),
        Fact(_("With"), program or _("an unknown program")),
    ]


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

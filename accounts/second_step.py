"""The second step of a sign-in, between the right password and the session of the person.

Until it is done nobody is signed in: the session only keeps whose password was right.
"""

import time

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts import devices, limits, proofs, signals
from accounts.models import SpareCode, User
from accounts.signals import SecondStep
from portal.http import seconds_since

KEY = "second_step"
# How long the right password counts, in seconds.
LASTS = 10 * 60
BACKEND = "accounts.backends.EmailBackend"


def begin(request: HttpRequest, user: User, page: str) -> None:
    """Keep whose password was right, in a session with a new key; `page` is where to go after."""
    request.session.cycle_key()
    request.session[KEY] = {
        "user": user.pk,
        # Changes with the password, so that a new one ends what was begun with the old one.
        "hash": user.get_session_auth_hash(),
        "page": page,
        "at": time.time(),
    }


def pending(request: HttpRequest) -> tuple[User, str] | None:
    """Return the person who has to do the second step now, and the page to go to after it."""
    kept = request.session.get(KEY)
    age = seconds_since(kept, "at")
    if not kept or age is None or age > LASTS:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != kept["hash"]:
        return None
    return user, kept["page"]


def accepts(request: HttpRequest, user: User, code: str) -> bool:
    """Tell whether a code of the app or a spare one is right, and use it up.

    Raise LimitReached after too many wrong ones.
    """
    tries = limits.second_steps(request, user)
    limits.check(tries)
    # Counted before the code is checked, so that concurrent guesses cannot exceed the limit.
    limits.take(tries)
    if user.has_two_step and user.authenticator.accepts(code):
        limits.forgive(tries)
        return True
    if SpareCode.accepts(user, code):
        limits.forgive(tries)
        tell(request, user, SecondStep.CODE_USED)
        return True
    signals.second_step_refused.send(User, request=request, user=user)
    return False


def complete(
    request: HttpRequest, user: User, page: str, by: str = proofs.PASSWORD
) -> HttpResponse:
    """Sign the person in, after every step that is asked of them, and go to the page."""
    devices.tell_if_new(request, user)
    request.session.pop(KEY, None)
    # It gives the session a new key.
    login(request, user, backend=BACKEND)
    proofs.confirm(request, by)
    response = redirect(page)
    devices.remember(request, response, user)
    return response


def tell(request: HttpRequest, user: User, change: SecondStep, name: str = "") -> None:
    """Record a change of how a person signs in, and mail them about it."""
    signals.second_step_changed.send(User, user=user, change=change)
    title = str(change.label)
    devices.tell(request, user, title, f"{title}: {name}." if name else f"{title}.")

"""Authentication by e-mail address and password."""

import logging
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts import hashing, limits, signals
from accounts.models import Membership, User, fold_email
from portal.http import client_address

log = logging.getLogger(__name__)


class EmailBackend(ModelBackend):
    """Checks e-mail and password within the limits on guessing. No other code checks passwords."""

    def authenticate(  # type: ignore[override]  # the person is ours
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Return the person, or None.

        Raise LimitReached or Busy, which RefusedTriesMiddleware handles. An unknown e-mail address
        takes the same steps as a known one, so that timing does not give it away.
        """
        if username is None or password is None:
            return None
        request = request or HttpRequest()
        email = fold_email(username)
        user = User.objects.filter(email=email).first()
        try:
            right = self.is_right(request, email, user, password)
        except (limits.LimitReached, hashing.Busy) as reason:
            log.warning(
                "Refused to check a password: %s (%s)",
                describe(request, user),
                type(reason).__name__,
            )
            raise
        if right:
            log.info("Right password: %s", describe(request, user))
            return user
        log.warning("Wrong password: %s", describe(request, user))
        signals.wrong_password.send(User, request=request, user=user)
        limits.check(limits.passwords(request, email, user))
        return None

    def is_right(self, request: HttpRequest, email: str, user: User | None, password: str) -> bool:
        """Tell whether the person may sign in with this password. Raise LimitReached or Busy."""
        tries = limits.passwords(request, email, user)
        limits.check(tries)
        with hashing.turn():
            # Counted before the password is checked, so that concurrent guesses cannot exceed the
            # limit.
            limits.take(tries)
            if user:
                right = user.check_password(password) and self.user_can_authenticate(user)
            else:
                User().set_password(password)
                right = False
        if right:
            limits.forgive(tries)
        return right

    def get_user(self, user_id: str) -> User | None:
        """Return the person of a session with their usable memberships, or None.

        Every page needs both, so one query fetches both.
        """
        memberships = list(Membership.objects.usable().filter(user=user_id))
        if not memberships:
            # Administrators of the portal may belong to no account.
            return User.objects.filter(pk=user_id, is_active=True).first()
        user = memberships[0].user
        user.usable_memberships = memberships
        return user


def describe(request: HttpRequest, user: User | None) -> str:
    """Describe for the log who tried, of which accounts, from where and on which page.

    The name that was typed is left out, since it may be a password.
    """
    accounts = (
        Membership.objects.filter(user=user.pk if user else "")
        .order_by("account")
        .values_list("account", flat=True)
    )
    companies = ", ".join(accounts) or "no account"
    who = f"{user.pk} of {companies}" if user else "an unknown name"
    match = getattr(request, "resolver_match", None)
    address = client_address(request) or "an unknown address"
    return f"{who}, from {address}, at {match.view_name if match else 'no page'}."

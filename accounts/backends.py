"""How a person is recognised."""

import logging
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts import hashing, limits
from accounts.models import Membership, User, fold_email
from portal.http import client_address

log = logging.getLogger(__name__)


class EmailBackend(ModelBackend):
    """E-mail and password, within the limits of guessing: the one place where passwords are checked."""

    def authenticate(  # type: ignore[override]  # the person is ours
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The person, or None. Raises LimitReached and Busy, which RefusedTriesMiddleware answers.

        An unknown name takes every step that a known one takes.
        """
        if username is None or password is None:
            return None
        request = request or HttpRequest()
        email = fold_email(username)
        user = User.objects.filter(email=email).first()
        try:
            right = self.is_right(request, email, user, password)
        except (limits.LimitReached, hashing.Busy) as reason:
            log.warning("Refused to check a password: %s (%s)", describe(request, user), type(reason).__name__)
            raise
        if right:
            log.info("Right password: %s", describe(request, user))
            return user
        log.warning("Wrong password: %s", describe(request, user))
        limits.check(limits.passwords(request, email, user))
        return None

    def is_right(self, request: HttpRequest, email: str, user: User | None, password: str) -> bool:
        """Whether the person may come in with this password. Raises LimitReached and Busy."""
        tries = limits.passwords(request, email, user)
        limits.check(tries)
        with hashing.turn():
            # Counted before the password is looked at: of many guesses at once no more are checked than are allowed.
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
        """The person of a session, with their usable memberships: every page needs both, so one query brings both."""
        memberships = list(Membership.objects.usable().filter(user=user_id))
        if not memberships:
            # Administrators of the portal may belong to no account.
            return User.objects.filter(pk=user_id, is_active=True).first()
        user = memberships[0].user
        user.usable_memberships = memberships
        return user


def describe(request: HttpRequest, user: User | None) -> str:
    """Who, of which accounts, from where and at which form, for the log. What was typed as a name may be a password."""
    accounts = Membership.objects.filter(user=user.pk if user else "").order_by("account").values_list("account", flat=True)
    companies = ", ".join(accounts) or "no account"
    who = f"{user.pk} of {companies}" if user else "an unknown name"
    match = getattr(request, "resolver_match", None)
    return f"{who}, from {client_address(request) or 'an unknown address'}, at {match.view_name if match else 'no page'}."

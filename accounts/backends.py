"""How a person is recognised."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts import hashing, limits
from accounts.models import Membership, User, fold_email


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
        email = fold_email(username)
        user = User.objects.filter(email=email).first()
        tries = limits.passwords(request or HttpRequest(), email, user)
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
            return user
        limits.check(tries)
        return None

    def get_user(self, user_id: str) -> User | None:
        """The person of a session, with their usable memberships: every page needs both, so one query brings both."""
        memberships = list(Membership.objects.usable().filter(user=user_id))
        if not memberships:
            # Administrators of the portal may belong to no account.
            return User.objects.filter(pk=user_id, is_active=True).first()
        user = memberships[0].user
        user.usable_memberships = memberships
        return user

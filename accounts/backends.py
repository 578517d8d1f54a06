"""How a person is recognised."""

from django.contrib.auth.backends import ModelBackend

from accounts.models import Membership, User


class EmailBackend(ModelBackend):
    """E-mail and password. Unknown names cost the same time as wrong passwords (ModelBackend hashes for them too)."""

    def get_user(self, user_id: str) -> User | None:
        """The person of a session, with their usable memberships: every page needs both, so one query brings both."""
        memberships = list(Membership.objects.usable().filter(user=user_id))
        if not memberships:
            # Administrators of the portal may belong to no account.
            return User.objects.filter(pk=user_id, is_active=True).first()
        user = memberships[0].user
        user.usable_memberships = memberships
        return user

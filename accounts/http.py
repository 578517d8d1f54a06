"""The request of a signed-in person."""

from accounts.models import Membership, User
from portal.http import Request


class PersonRequest(Request):
    """What AuthenticationMiddleware and MembershipMiddleware put on a request of a private page."""

    user: User
    membership: Membership
    memberships: list[Membership]

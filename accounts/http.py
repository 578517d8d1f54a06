"""The request of a signed-in person, and look-up of rows that they may see."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404

from accounts.models import Account, Membership, User
from accounts.sessions import SessionLeft
from portal.http import Request


class PersonRequest(Request):
    """A request of a private page, after AuthenticationMiddleware and accounts.middleware."""

    user: User
    membership: Membership
    memberships: list[Membership]
    session_left: SessionLeft


class OfAnotherAccount(Http404):
    """Raised for a row of another account of the same person; the 404 page offers to switch."""

    def __init__(self, account: Account) -> None:
        super().__init__()
        self.account = account


Row = TypeVar("Row", bound=Model)


def get_visible_or_404(
    request: PersonRequest, visible: Callable[[Membership], QuerySet[Row]], pk: Any
) -> Row:
    """Return the row that the person may see in the account they act for.

    Raise OfAnotherAccount if they may see it in another of their accounts, else Http404, so that
    nobody else learns that it exists.
    """
    row = visible(request.membership).filter(pk=pk).first()
    if row is not None:
        return row
    for membership in request.memberships:
        if membership != request.membership and visible(membership).filter(pk=pk).exists():
            raise OfAnotherAccount(membership.account)
    raise Http404

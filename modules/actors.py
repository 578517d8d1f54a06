"""Who acts on the records between two companies, and how much of that the other company is told."""

from typing import Any

from django.db.models import Case, CharField, F, Q, QuerySet, When
from django.utils.translation import gettext as _

from accounts.models import Account, User
from api.bodies import ApiError
from api.shapes import actors
from modules.models import WrongState
from portal.fields import Actor, ActorField
from tokens.gate import Caller
from tokens.models import Token


def acting(caller: Caller) -> Actor:
    """Return the token as records name it, with its account."""
    name = Token.objects.values_list("name", flat=True).get(pk=caller.id)
    return Actor(caller.id, name, caller.account_id)


def told(caller: Caller, visible: "QuerySet[Any]", *names: str) -> "QuerySet[Any]":
    """Return the records with who did what, as much as the account may know about it.

    A person is named to both sides. Of a token, the other side learns only the company.
    """
    partner = "provider" if caller.side == Account.Side.VENDOR else "vendor"
    own = actors(*names)
    found: QuerySet[Any] = visible.annotate(
        **{
            (column := f"{name}_actor_{part}"): Case(
                When(is_foreign(name, caller.account_id), then=F(partner + path)),
                default=own[column],
                output_field=CharField(max_length=ActorField.lengths[part], null=True),
            )
            for name in names
            for part, path in (("id", "_id"), ("name", "__name"))
        }
    )
    return found


def is_foreign(name: str, account_id: str) -> Q:
    """Return the condition that a token of the other side did it."""
    account = f"{name}_account"
    return ~Q(**{account: ""}) & ~Q(**{account: account_id})


def only(caller: Caller, side: Account.Side) -> None:
    """Raise ApiError unless the caller is on that side."""
    if caller.side != side:
        text = (
            _("Only the vendor can do that.")
            if side == Account.Side.VENDOR
            else _("Only the distributor can do that.")
        )
        raise ApiError(text, code="AUTH_009", status=403)


def move(request: Any, code: str, *args: Any, **fields: Any) -> None:
    """Move a request on. Raise ApiError with the code if its present status does not allow it."""
    try:
        request.move(*args, **fields)
    except WrongState as problem:
        raise ApiError(str(problem), code=code) from None


def colleague(caller: Caller, values: dict[str, Any]) -> User:
    """Return the person of the caller's company whom `id` or `email` names. Raise ApiError."""
    people = User.objects.filter(memberships__account=caller.account_id)
    if "id" in values:
        found = people.filter(pk=values["id"]).first()
    elif "email" in values:
        found = people.filter(email__iexact=values["email"]).first()
    else:
        raise ApiError(_("Name the person by id or email."))
    if found is None:
        raise ApiError(_("There is no such person in your company."))
    return found

"""`/public/v1/accounts`, `/users`: the company of the token and its people."""

from django.db.models import Case, CharField, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from api.resource import Resource
from api.shapes import events
from tokens.catalog import Module
from tokens.gate import Caller

# What Connect calls the type of an account, besides its role.
TYPE = Case(
    When(side=Account.Side.VENDOR, then=Value("vendor")),
    default=Value("provider"),
    output_field=CharField(
        max_length=16, choices=(("vendor", _("Vendor")), ("provider", _("Provider")))
    ),
)

ACCOUNTS = Resource(
    "accounts",
    None,
    lambda caller: Account.objects.filter(pk=caller.account_id).annotate(type=TYPE),
    about=(
        "The company that the token belongs to. Open to every valid token, since programs often "
        "read it first."
    ),
    fields={
        "id": "id",
        "name": "name",
        "type": "type",
        "role": "side",
        "events": events(created="created_at"),
    },
    foreign={"role": ("reseller",)},
    search=("id",),
)

PERSON = {
    "id": "id",
    "name": "name",
    "email": "email",
    "active": "is_active",
    "timezone": "time_zone",
    "status": "status",
    "events": events(created="created_at"),
}


def people(caller: Caller, account_id: str) -> QuerySet[User]:
    """Return the people of an account if it is the caller's; none for any other."""
    return User.objects.filter(
        memberships__account=caller.account_id, memberships__account_id=account_id
    ).annotate(status=Value("joined", CharField(max_length=16)))


USERS = Resource(
    "users",
    Module.ACCOUNT,
    lambda caller: people(caller, caller.account_id),
    about="The people of the company.",
    fields=PERSON,
    search=("id", "name", "email"),
)

USERS_OF_ACCOUNT = Resource(
    "accounts/<parent>/users",
    Module.ACCOUNT,
    people,
    parent=ACCOUNTS,
    about="The people of the company, at the address that some programs ask for them.",
    fields=PERSON,
    search=("id", "name", "email"),
)

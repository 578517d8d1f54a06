"""`/public/v1/accounts`: the account of the token. Open to every valid token: clients ask it first of all."""

from django.http import HttpResponse

from accounts.models import Account
from modules.rest import Collection, Column, detail, listing
from tokens.permissions import ApiRequest, requires_token

ACCOUNTS = Collection(
    lambda account_id: Account.objects.filter(pk=account_id),
    {
        "id": "id",
        "name": "name",
        "type": Column("role", lambda role: "vendor" if role == Account.Role.VENDOR else "provider"),
        "role": "role",
        "events": {"created": {"at": "created_at"}},
    },
)


@requires_token
def accounts(request: ApiRequest) -> HttpResponse:
    return listing(request, ACCOUNTS)


@requires_token
def account(request: ApiRequest, pk: str) -> HttpResponse:
    return detail(request, ACCOUNTS, pk)

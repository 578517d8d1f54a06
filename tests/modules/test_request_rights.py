"""Requests between companies are closed to other companies, and to tokens without the module."""

import pytest
from django.core.management import call_command

from accounts.models import Account
from modules.models import (
    BillingRequest,
    FulfillmentRequest,
    ListingRequest,
    TierAccountRequest,
    TierConfigRequest,
)
from tests.factories import AccountFactory, TokenFactory
from tests.modules.conftest import Send
from tokens.catalog import Module

VENDOR = "VA-044-420"


@pytest.fixture(autouse=True)
def demo_records(db: None) -> None:
    call_command("demo", verbosity=0)


COLLECTIONS = {
    "requests": (FulfillmentRequest, "approve"),
    "tier/account-requests": (TierAccountRequest, "accept"),
    "tier/config-requests": (TierConfigRequest, "approve"),
    "listing-requests": (ListingRequest, "submit"),
    "subscriptions/requests": (BillingRequest, ""),
}


@pytest.mark.parametrize("path", COLLECTIONS)
def test_a_stranger_finds_none_and_a_token_without_the_module_is_refused(
    send: Send, path: str
) -> None:
    model, action = COLLECTIONS[path]
    pk = model.objects.values_list("pk", flat=True)[0]
    other = TokenFactory(account=AccountFactory(side="vendor"), modules=(Module.ALL,))
    bare = TokenFactory(account=Account.objects.get(pk=VENDOR), modules=(Module.AGREEMENTS,))
    calls = [("get", f"{path}/{pk}"), ("post", path)]
    if action:
        calls.append(("post", f"{path}/{pk}/{action}"))
    for method, address in calls:
        assert send(method, address, None, bare).status_code == 403
    for method, address in (calls[0], *calls[2:]):
        assert send(method, address, None, other).status_code == 404

"""The first call that a page offers proves what the token was granted."""

import pytest

from tests.conftest import Call, Person
from tests.factories import TokenFactory, header
from tokens import first_call
from tokens.catalog import Module

pytestmark = pytest.mark.django_db

ENDPOINT = "http://testserver/public/v1"


@pytest.mark.parametrize("module", Module)
def test_it_reads_a_list_of_the_module(module: Module, call: Call) -> None:
    token = TokenFactory(modules=(module,))
    assert call(first_call.path(token.grants), token).status_code == 200


@pytest.mark.parametrize("module", Module.single())
def test_it_is_refused_without_the_module(module: Module, call: Call) -> None:
    other = Module.USAGE if module is not Module.USAGE else Module.PRICING
    assert call(module.path, TokenFactory(modules=(other,))).status_code == 403


def test_a_token_without_a_module_reads_its_account(call: Call) -> None:
    token = TokenFactory(modules=())
    assert first_call.path(token.grants) == "accounts"
    assert call("accounts", token).status_code == 200


def test_the_details_show_it_in_four_languages(michael: Person) -> None:
    token = TokenFactory(account=michael.account, modules=(Module.CUSTOMERS,))
    page = michael.client.get(f"/integrations/tokens/{token.pk}/").content.decode()
    for text in (
        f"{ENDPOINT}/tier/accounts?limit=10",
        "client(&quot;tier&quot;).accounts.all().count()",
        f"await fetch(&quot;{ENDPOINT}/tier/accounts?limit=10&quot;",
        "ccli customer export",
    ):
        assert text in page
    assert header(token).split(":")[1] not in page

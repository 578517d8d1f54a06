"""Resources of the API: shape, pages, and which account sees what."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Account
from modules.models import Agreement, Contract
from tests.conftest import Call, Person, Response
from tests.factories import (
    AccountFactory,
    AgreementFactory,
    ContractFactory,
    MembershipFactory,
    ProductFactory,
    TokenFactory,
)
from tokens.catalog import Module
from tokens.models import Token


@pytest.fixture
def all_token(account: Account) -> Token:
    return TokenFactory(account=account, modules=(Module.ALL,))


@pytest.fixture
def agreements(account: Account) -> list[Agreement]:
    start = datetime(2024, 1, 31, 10, 20, 30, 123456, tzinfo=UTC)
    return [
        AgreementFactory(provider=account, created_at=start + timedelta(hours=n)) for n in range(25)
    ]


def ids(response: Response) -> list[str]:
    return [row["id"] for row in response.json()]


@pytest.mark.parametrize(
    ("query", "rows", "content_range"),
    [
        ("", 25, "items 0-24/25"),
        ("?limit=10", 10, "items 0-9/25"),
        ("?limit=10&offset=20", 5, "items 20-24/25"),
        ("?limit=0", 0, "items 0-0/25"),
        ("?limit=0&offset=7", 0, "items 0-0/25"),
        ("?offset=40", 0, "items 40-40/25"),
        ("?offset=25", 0, "items 25-25/25"),
        ("?limit=5000", 25, "items 0-24/25"),
        ("?limit=-1", 25, "items 0-24/25"),
        ("?limit=ten&offset=x", 25, "items 0-24/25"),
        ("?limit=99999999999999999999", 25, "items 0-24/25"),
        ("?offset=999999999999999", 0, "items 999999999999999-999999999999999/25"),
        ("?limit=²", 25, "items 0-24/25"),
        ("?nope=1&limit=1", 1, "items 0-0/25"),
    ],
)
def test_pages_and_their_content_range(
    call: Call, token: Token, agreements: list[Agreement], query: str, rows: int, content_range: str
) -> None:
    response = call(f"agreements{query}", token)
    assert response.status_code == 200
    assert len(response.json()) == rows
    assert response["Content-Range"] == content_range


def test_an_empty_collection_is_an_empty_array(call: Call, token: Token) -> None:
    response = call("agreements", token)
    assert (response.json(), response["Content-Range"]) == ([], "items 0-0/0")


def test_no_page_is_longer_than_a_thousand(call: Call, token: Token, account: Account) -> None:
    AgreementFactory.create_batch(1001, provider=account, vendor=AccountFactory(side="vendor"))
    response = call("agreements?limit=2000", token)
    assert len(response.json()) == 1000
    assert response["Content-Range"] == "items 0-999/1001"
    assert len(call("agreements", token).json()) == 100


def test_the_newest_come_first_and_pages_hold_each_once(
    call: Call, token: Token, agreements: list[Agreement]
) -> None:
    Agreement.objects.update(created_at=datetime(2024, 1, 1, tzinfo=UTC))
    seen = [
        id
        for offset in (0, 10, 20)
        for id in ids(call(f"agreements?limit=10&offset={offset}", token))
    ]
    assert sorted(seen, reverse=True) == seen
    assert len(set(seen)) == 25


def test_moments_are_to_the_second_with_an_offset(
    call: Call, token: Token, agreements: list[Agreement]
) -> None:
    assert (
        call("agreements?limit=1&offset=24", token).json()[0]["created"]
        == "2024-01-31T10:20:30+00:00"
    )


@pytest.mark.parametrize("path", ["agreements", "agreements/", "/agreements", "/agreements/"])
def test_slashes_make_no_difference_and_nothing_redirects(
    call: Call, token: Token, agreements: list[Agreement], path: str
) -> None:
    assert len(call(path, token).json()) == 25


def test_a_record_by_its_id(
    call: Call, token: Token, agreements: list[Agreement], account: Account
) -> None:
    wanted = agreements[3]
    body = call(f"agreements/{wanted.pk}", token).json()
    assert body["id"] == wanted.pk
    assert body["owner"] == {"id": account.pk, "name": account.name}
    assert "marketplace" not in body
    assert call(f"agreements/{wanted.pk}/", token).json() == body


@pytest.mark.parametrize("pk", ["AGD-404-404-404", "x", "1" * 64])
def test_a_record_that_does_not_exist_is_404_in_json(call: Call, token: Token, pk: str) -> None:
    response = call(f"agreements/{pk}", token)
    assert response.status_code == 404
    assert response.json() == {"error_code": "NFND_000", "errors": [f"Object `{pk}` not found."]}


def test_each_side_sees_its_own_records_only(
    call: Call, agreements: list[Agreement], token: Token
) -> None:
    theirs = AgreementFactory()
    assert theirs.pk not in ids(call("agreements", token))
    assert call(f"agreements/{theirs.pk}", token).status_code == 404
    vendor = TokenFactory(account=theirs.vendor)
    assert ids(call("agreements", vendor)) == [theirs.pk]
    assert call(f"agreements/{agreements[0].pk}", vendor).status_code == 404


def test_the_own_account(call: Call, all_token: Token, account: Account, stranger: Person) -> None:
    body = call("accounts", all_token).json()
    assert [row["id"] for row in body] == [account.pk]
    assert (body[0]["name"], body[0]["type"], body[0]["role"]) == (
        account.name,
        "provider",
        "distributor",
    )
    assert call(f"accounts/{account.pk}", all_token).json() == body[0]
    assert call(f"accounts/{stranger.account.pk}", all_token).status_code == 404


def test_a_list_below_a_record_that_is_not_there_is_404(call: Call, all_token: Token) -> None:
    response = call("products/PRD-404-404-404/items", all_token)
    assert response.status_code == 404
    assert response.json()["errors"] == ["Object `PRD-404-404-404` not found."]
    assert call("products/PRD-404-404-404/items/PRD-404-404-404-0001", all_token).status_code == 404


def test_an_empty_list_below_a_record_is_empty(
    call: Call, account: Account, all_token: Token
) -> None:
    product = ProductFactory(vendor=ContractFactory(provider=account).vendor)
    response = call(f"products/{product.pk}/items", all_token)
    assert (response.json(), response["Content-Range"]) == ([], "items 0-0/0")


def test_a_distributor_sees_products_of_vendors_it_has_an_active_contract_with(
    call: Call, account: Account, all_token: Token
) -> None:
    product = ProductFactory()
    assert call("products", all_token).json() == []
    contract = ContractFactory(provider=account, vendor=product.vendor)
    assert [row["id"] for row in call("products", all_token).json()] == [product.pk]
    assert call("products?visibility.owner=true", all_token).json() == []
    Contract.objects.filter(pk=contract.pk).update(status=Contract.Status.TERMINATED)
    assert call("products", all_token).json() == []


@pytest.mark.parametrize("given", [None, "a password of my own"])
def test_the_password_of_the_demo_is_random_or_given_and_printed_once(
    db: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    from django.core.management import call_command

    from accounts.models import User

    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    if given:
        monkeypatch.setenv("DEMO_PASSWORD", given)
    call_command("demo")
    out = capsys.readouterr().out
    password = (
        given or next(line for line in out.splitlines() if "shown this once" in line).split(": ")[1]
    )
    assert User.objects.get(email="robert@frontstreet.example").check_password(password)
    call_command("demo")
    assert password not in capsys.readouterr().out
    monkeypatch.setenv("DEMO_PASSWORD", "another password")
    call_command("demo")
    assert User.objects.get(email="michael@mightymicks.example").check_password("another password")


def test_the_people_of_an_account_are_only_those_of_ones_own(
    call: Call, michael: Person, adrian: Person, stranger: Person
) -> None:
    token = TokenFactory(account=michael.account, modules=(Module.ACCOUNT,))
    own = call(f"accounts/{michael.account.pk}/users?ordering(id)", token)
    assert own.json() == call("users?ordering(id)", token).json()
    assert {row["id"] for row in own.json()} == {michael.user.pk, adrian.user.pk}
    person = call(f"accounts/{michael.account.pk}/users/{adrian.user.pk}", token)
    assert person.json()["email"] == adrian.user.email
    for path in (
        f"accounts/{stranger.account.pk}/users",
        f"accounts/{stranger.account.pk}/users/{stranger.user.pk}",
        f"accounts/{michael.account.pk}/users/{stranger.user.pk}",
        "accounts/VA-000-000/users",
    ):
        assert call(path, token).status_code == 404, path


def test_somebody_of_two_accounts_is_shown_once_and_only_to_each(
    call: Call, michael: Person, stranger: Person
) -> None:
    MembershipFactory(user=stranger.user, account=michael.account)
    token = TokenFactory(account=michael.account, modules=(Module.ACCOUNT,))
    rows = call(f"accounts/{michael.account.pk}/users", token).json()
    assert sorted(row["id"] for row in rows) == sorted((michael.user.pk, stranger.user.pk))
    assert call(f"accounts/{stranger.account.pk}/users", token).status_code == 404


def test_the_version_of_a_product_is_the_one_on_sale(call: Call, account: Account) -> None:
    vendor = AccountFactory(side="vendor")
    product = ProductFactory(vendor=vendor, version=3)
    token = TokenFactory(account=vendor, modules=(Module.PRODUCTS,))
    (version,) = call(f"products/{product.pk}/versions", token).json()
    assert (version["id"], version["version"], version["latest"]) == (product.pk, 3, True)
    assert call(f"products/{product.pk}/connections", token).json() == []
    stranger = TokenFactory(account=account, modules=(Module.PRODUCTS,))
    assert call(f"products/{product.pk}/versions", stranger).status_code == 404

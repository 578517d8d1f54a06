"""Claims that hold for every resource, checked on the demo data."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, User
from api.resource import Resource
from modules import models
from modules.models import Contract, Product
from modules.urls import RESOURCES
from tokens.models import Extension, Token
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "resource", [each for each in RESOURCES if each.detail and not each.parent], ids=str
)
def test_a_record_is_the_same_in_the_list_and_by_its_id(
    demo: dict[str, str], client: Client, resource: Resource
) -> None:
    for key in demo.values():
        for record in client.get(
            f"/public/v1/{resource.path}?limit=3", headers={"authorization": key}
        ).json():
            assert (
                client.get(
                    f"/public/v1/{resource.path}/{record['id']}", headers={"authorization": key}
                ).json()
                == record
            )


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_a_list_costs_three_queries_and_a_record_two_however_many_there_are(
    demo: dict[str, str], client: Client, resource: Resource
) -> None:
    """The gate, the page, and the total if the page is full; nested objects cost nothing."""
    for key in demo.values():
        headers = {"authorization": key}
        path = f"/public/v1/{resource.path}".replace("<parent>", parent_of(resource, key))
        client.get(path, headers=headers)  # records the use of the token, which takes one more
        for query, most in (
            ("", 3),
            ("?limit=2", 3),
            ("?limit=2&offset=1", 3),
            ("?limit=1000", 3),
            ("?limit=0", 3),
            ("?search=o&limit=1", 3),
        ):
            with CaptureQueriesContext(connection) as queries:
                response = client.get(path + query, headers=headers)
            assert response.status_code == 200
            assert len(queries) <= most, query
        rows = client.get(path, headers=headers).json()
        if resource.detail and rows:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(f"{path}/{rows[0]['id']}", headers=headers).json() == rows[0]
            assert len(queries) == 2


def parent_of(resource: Resource, key: str) -> str:
    """Return the id of a parent that has records: a product with items, the token and so on."""
    if resource.path.startswith("products/"):
        return Product.objects.filter(items__isnull=False, vendor="VA-044-420", status="published")[
            0
        ].pk
    token_id = key.split(" ")[1].split(":")[0]
    if resource.path.startswith("accounts/"):
        return str(Token.objects.get(pk=token_id).account_id)
    account = Token.objects.get(pk=token_id).account
    if resource.path.startswith("conversations/"):
        talked = models.Message.objects.filter(account=account, number=2)
        return str(talked[0].conversation_id)
    if resource.path.startswith("notifications/"):
        told = Webhook.objects.filter(account=account, replays__isnull=False)
        return str(told.distinct()[0].pk)
    return token_id


def side(model: type[Model]) -> Callable[[str], QuerySet[Any]]:
    """Return a function to the records between two companies, of which the account is either."""
    return lambda account: model._default_manager.filter(Q(vendor=account) | Q(provider=account))


def partners(account: str) -> set[str]:
    """Return the companies with which the account has an active contract."""
    pairs = Contract.objects.filter(
        Q(vendor=account) | Q(provider=account), status="active"
    ).values_list("vendor", "provider")
    return {company for pair in pairs for company in pair} - {account}


def owned(model: type[Model]) -> Callable[[str], QuerySet[Any]]:
    return lambda account: model._default_manager.filter(owner=account)


# Resource -> what an account may see, taken from the models and not from the resource.
MAY_SEE: dict[str, Callable[[str], QuerySet[Any]]] = {
    "accounts": lambda account: Account.objects.filter(pk=account),
    "users": lambda account: User.objects.filter(memberships__account=account),
    "agreements": side(models.Agreement),
    "contracts": side(Contract),
    "tier/accounts": side(models.Customer),
    "tier/account-requests": side(models.TierAccountRequest),
    "devops/services": owned(models.Service),
    "auth/tokens": lambda account: Token.objects.filter(account=account),
    "extensions": lambda account: Extension.objects.filter(
        Q(status="published") | Q(pk__in=Token.objects.filter(account=account).values("extension"))
    ),
    "modules": lambda account: models.ModuleEntry.objects.all(),
    "notifications/webhooks": lambda account: Webhook.objects.filter(account=account),
    "helpdesk/cases": side(models.Case),
    "conversations": side(models.Conversation),
    "listings": side(models.Listing),
    "listing-requests": side(models.ListingRequest),
    "marketplaces": lambda account: models.Marketplace.objects.filter(
        owner__in={account} | (partners(account) if account[:2] == "VA" else set())
    ),
    "hubs": owned(models.Hub),
    "localization/locales": lambda account: models.Locale.objects.all(),
    "partners": lambda account: Account.objects.filter(pk__in=partners(account)),
    "pricing/lists": side(models.PriceList),
    "products": lambda account: Product.objects.filter(
        vendor__in={account}
        if account[:2] == "VA"
        else Contract.objects.filter(
            provider=account, status="active", type="distribution"
        ).values_list("vendor", flat=True)
    ),
    "localization/translations": lambda account: MAY_SEE["products"](account),
    "categories": lambda account: models.Category.objects.all(),
    "reporting/reports": owned(models.Report),
    "assets": side(models.Asset),
    "requests": side(models.FulfillmentRequest),
    "subscriptions/assets": side(models.Asset),
    "subscriptions/requests": lambda account: models.BillingRequest.objects.filter(
        Q(vendor=account, type="vendor") | Q(provider=account)
    ),
    "tier/configs": side(models.TierConfig),
    "tier/config-requests": side(models.TierConfigRequest),
    "usage/files": side(models.UsageFile),
}


def test_it_is_written_down_who_may_see_what() -> None:
    assert set(MAY_SEE) == {resource.path for resource in RESOURCES if not resource.parent}


@pytest.mark.parametrize("path", sorted(MAY_SEE))
def test_an_account_sees_what_it_may_and_nothing_else(
    demo: dict[str, str], client: Client, path: str
) -> None:
    for account, key in demo.items():
        headers = {"authorization": key}
        allowed = set(MAY_SEE[path](account).values_list("pk", flat=True))
        assert {
            row["id"] for row in client.get(f"/public/v1/{path}?limit=1000", headers=headers).json()
        } == allowed
        others = set(MAY_SEE[path](account).model.objects.values_list("pk", flat=True)) - allowed
        for id in sorted(others)[:3]:
            assert client.get(f"/public/v1/{path}/{id}", headers=headers).status_code == 404


def test_what_is_nested_tells_nothing_of_others(demo: dict[str, str], client: Client) -> None:
    """Counts and lists inside a record cover only the caller's own dealings."""
    vendor = "VA-044-420"
    for row in client.get(
        "/public/v1/marketplaces", headers={"authorization": demo[vendor]}
    ).json():
        assert (
            row["stats"]["contracts"]
            == Contract.objects.filter(
                marketplace=row["id"], vendor=vendor, status="active"
            ).count()
        )
    for key in demo.values():
        assert (
            b"MP-"
            not in client.get(
                "/public/v1/localization/locales", headers={"authorization": key}
            ).content
        )


def test_the_queries_of_the_examples_find_records(demo: dict[str, str], client: Client) -> None:
    """In the amount of data that `make run` loads, so that people who try them see something."""
    examples = (settings.BASE_DIR / "docs" / "api.md").read_text()
    (since,) = re.findall(r'created\.ge\("([^"]+)"\)', examples)
    for query in (
        "and(eq(type,program),eq(active,true))",
        f"and(ge(created,{since}),like(title,*Cloud*))",
    ):
        assert client.get(
            f"/public/v1/agreements?{query}", headers={"authorization": demo["PA-063-101"]}
        ).json()


def test_a_price_list_says_what_its_columns_are(demo: dict[str, str], client: Client) -> None:
    """At least one, named as in the original."""
    for key in demo.values():
        rows = client.get("/public/v1/pricing/lists", headers={"authorization": key}).json()
        assert rows
        for row in rows:
            assert re.fullmatch(
                r"Price|Suggested T[012] Price|v\..{1,98}", row["attributes"][0]["name"]
            )

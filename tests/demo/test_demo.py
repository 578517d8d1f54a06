"""`manage.py demo`: consistent records for every resource, which stay as they are."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.db.models import Count, DateTimeField, Exists, F, Field, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import Account, Membership, User
from api.resource import Resource
from modules.absent import OF_PRODUCTS
from modules.models import (
    Agreement,
    Asset,
    AssetItem,
    Case,
    Category,
    Connection,
    Contract,
    Customer,
    Environment,
    FulfillmentRequest,
    Hub,
    Item,
    Listing,
    Marketplace,
    MarketplaceHub,
    PriceList,
    Product,
    Report,
    Service,
    TierConfig,
    UsageFile,
)
from modules.urls import RESOURCES
from tests.conftest import forget_trail
from tokens.gate import Caller
from tokens.models import Token

MICK, FRONT_STREET, BAYSIDE, SOUTHPAW = "PA-063-101", "VA-044-420", "VA-571-206", "PA-318-774"
CALLERS = {
    MICK: Caller("SU-000-000-001", MICK, Account.Side.DISTRIBUTOR),
    FRONT_STREET: Caller("SU-000-000-002", FRONT_STREET, Account.Side.VENDOR),
}
MODELS = [
    model
    for model in apps.get_models(include_auto_created=True)
    if model._meta.app_label in {"accounts", "modules"}
]
SAMPLES = [model for model in MODELS if model._meta.app_label == "modules"]


def load(**options: Any) -> None:
    call_command("demo", verbosity=0, stdout=StringIO(), **options)


@pytest.fixture(scope="module", autouse=True)
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Load the demo once; the tests below change it only within transactions."""
    with django_db_blocker.unblock():
        load()
        try:
            yield
        finally:
            forget_trail()
            call_command("flush", interactive=False, verbosity=0)


pytestmark = pytest.mark.django_db


def rows(model: type[Model]) -> list[str]:
    """Return all rows of a model as text, in a fixed order."""
    return [repr(sorted(row.items())) for row in model._default_manager.order_by("pk").values()]


def fingerprint(models: Iterable[type[Model]]) -> dict[str, tuple[int, str]]:
    """Return how many rows each model has, and a checksum of their values."""
    return {
        model.__name__: (len(listed), hashlib.sha256("\n".join(listed).encode()).hexdigest())
        for model in models
        if (listed := rows(model))
    }


def odd(queryset: QuerySet[Any]) -> list[Any]:
    """Return the ids of rows that should not be there."""
    return list(queryset.values_list("pk", flat=True))


# --- Again and elsewhere --------------------------------------------------------------------------


def test_every_model_has_samples() -> None:
    assert [model.__name__ for model in SAMPLES if not model._default_manager.exists()] == []


def test_a_second_run_changes_nothing() -> None:
    before = fingerprint([*MODELS, Token])
    load()
    assert fingerprint([*MODELS, Token]) == before


def test_people_that_a_later_version_adds_get_a_password_that_is_shown_as_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    before = dict(
        User.objects.exclude(email="mary@bayside.example").values_list("email", "password")
    )
    User.objects.get(email="mary@bayside.example").delete()
    out = StringIO()
    call_command("demo", stdout=out)
    line = next(line for line in out.getvalue().splitlines() if "shown this once" in line)
    whose, password = line.split(": ")
    assert whose == "The password of mary@bayside.example, shown this once"
    assert User.objects.get(email="mary@bayside.example").check_password(password)
    assert (
        dict(User.objects.exclude(email="mary@bayside.example").values_list("email", "password"))
        == before
    )


def test_what_people_changed_stays() -> None:
    asset = Asset.objects.filter(status="active")[0]
    Asset.objects.filter(pk=asset.pk).update(external_id="changed by hand")
    Case.objects.filter(state="pending").update(state="inquiring", subject="Changed by hand")
    Customer.objects.update(name="Changed by hand")
    before = fingerprint(MODELS)
    load()
    assert fingerprint(MODELS) == before


@pytest.mark.parametrize(
    "model", [Case, Connection, Contract, Customer, Environment, Item, Listing, Service, UsageFile]
)
def test_what_is_missing_comes_back_as_it_was(model: type[Model]) -> None:
    moving = {Report}  # running reports count back from the run that creates them
    before = fingerprint([each for each in SAMPLES if each not in moving])
    ids = set(model._default_manager.values_list("pk", flat=True))
    model._default_manager.all().delete()
    load()
    assert set(model._default_manager.values_list("pk", flat=True)) == ids
    # Rows of many-to-many tables have ids of their own from the database.
    linked = {
        "AssetItem",
        "MarketplaceHub",
        *(each.__name__ for each in SAMPLES if each._meta.auto_created),
    }
    after = fingerprint([each for each in SAMPLES if each not in moving])
    assert {name: (count, name in linked or text) for name, (count, text) in after.items()} == {
        name: (count, name in linked or text) for name, (count, text) in before.items()
    }


def test_an_empty_database_gets_the_same_records_every_time() -> None:
    unfinished = Report.objects.exclude(status__in=("succeeded", "failed"))
    unfinished.delete()
    before = fingerprint(
        [each for each in SAMPLES if each._meta.pk.get_internal_type() != "BigAutoField"]
    )
    Account.objects.all().delete()
    Product.objects.all().delete()
    Category.objects.all().delete()
    load()
    unfinished.delete()
    assert (
        fingerprint(
            [each for each in SAMPLES if each._meta.pk.get_internal_type() != "BigAutoField"]
        )
        == before
    )


# People and programs may have noted ids of the demo's first version: their number, and a checksum
# of them.
@pytest.mark.parametrize(
    ("model", "number", "checksum"),
    [
        (Agreement, 108, "259accf0cd96261f"),
        (Contract, 108, "83efb0a513678071"),
        (Customer, 96, "e2d852764a6609b4"),
        (Product, 20, "2c6f4bbd9b3fb88d"),
    ],
)
def test_ids_of_the_first_version_stay(model: type[Model], number: int, checksum: str) -> None:
    # There are more customers and products now; the first ones are recognized by their external
    # ids.
    order = "external_id" if model is Customer else "created_at" if model is Product else "pk"
    ids = sorted(model._default_manager.order_by(order).values_list("pk", flat=True)[:number])
    assert len(ids) == number
    assert hashlib.sha256(" ".join(ids).encode()).hexdigest()[:16] == checksum


def test_categories_that_are_there_keep_their_ids() -> None:
    Product.objects.all().delete()
    Category.objects.all().delete()
    # As the migration creates them: numbered in the order of the names in use, one of which
    # (Backup) is not in the demo.
    for number, name in enumerate(
        ("Backup", "Communication", "Infrastructure", "Productivity", "Security"), start=1
    ):
        Category.objects.create(id=f"CAT-{number:05}", name=name)
    load()
    assert Category.objects.get(name="Security").pk == "CAT-00005"
    assert Category.objects.get(pk="CAT-00001").name == "Backup"
    assert Category.objects.filter(name="Analytics").exists()
    assert set(
        Category.objects.values_list("name").annotate(n=Count("pk")).values_list("n", flat=True)
    ) == {1}
    assert not odd(Product.objects.filter(category__name="Backup"))
    assert Product.objects.count() == 24


def test_records_of_smaller_demos_stay_consistent_when_it_grows() -> None:
    Account.objects.all().delete()
    for number in (0, 1, 4, 20, 72):
        load(records=number)
        assert not odd(AssetItem.objects.exclude(item__product=F("asset__product")))
        assert not odd(without_listing(Asset.objects.all()))
        assert not odd(
            Contract.objects.exclude(
                vendor=F("agreement__vendor"), provider=F("agreement__provider")
            )
        )
    assert (
        Agreement.objects.filter(provider=MICK).count()
        == Agreement.objects.filter(vendor=FRONT_STREET).count()
        == 72
    )


def test_1200_records_are_more_than_a_thousand_agreements_of_each_main_account() -> None:
    load(records=1200)
    assert Agreement.objects.visible_to(CALLERS[MICK]).count() >= 1200
    assert Agreement.objects.visible_to(CALLERS[FRONT_STREET]).count() >= 1200


# --- What each account sees -----------------------------------------------------------------------


def parents(resource: Resource, account: str) -> Iterable[str | None]:
    """Return the ids of the parents of the resource for an account; None if it has no parent."""
    return (
        resource.parent.visible(CALLERS[account], None).values_list("pk", flat=True)
        if resource.parent
        else [None]
    )


@pytest.mark.parametrize("account", [MICK, FRONT_STREET])
@pytest.mark.parametrize(
    "resource",
    [each for each in RESOURCES if each not in OF_PRODUCTS],
    ids=lambda resource: resource.path,
)
def test_each_main_account_sees_something_of_every_collection(
    resource: Resource, account: str
) -> None:
    seen = any(
        resource.visible(CALLERS[account], parent).exists() for parent in parents(resource, account)
    )
    assert seen is not (resource.path == "hubs" and account == FRONT_STREET)


@pytest.mark.parametrize("account", [MICK, FRONT_STREET])
@pytest.mark.parametrize(
    "path", ["assets", "requests", "listings", "helpdesk/cases", "usage/files", "tier/configs"]
)
def test_each_main_account_has_enough_to_turn_a_page(path: str, account: str) -> None:
    resource = next(each for each in RESOURCES if each.path == path)
    assert 25 <= resource.visible(CALLERS[account], None).count() <= 80


@pytest.mark.parametrize(
    "model",
    [
        Agreement,
        Contract,
        Customer,
        PriceList,
        Listing,
        Connection,
        Asset,
        FulfillmentRequest,
        TierConfig,
        UsageFile,
        Case,
    ],
)
def test_each_main_account_has_records_with_both_of_its_partners(model: type[Any]) -> None:
    assert set(
        model.objects.visible_to(CALLERS[MICK])
        .exclude(vendor=None)
        .values_list("vendor", flat=True)
    ) == {FRONT_STREET, BAYSIDE}
    assert set(
        model.objects.visible_to(CALLERS[FRONT_STREET]).values_list("provider", flat=True)
    ) == {MICK, SOUTHPAW}


def test_vendors_have_a_dozen_products_with_two_to_four_items() -> None:
    assert Counter(Product.objects.values_list("vendor", flat=True)) == {
        FRONT_STREET: 12,
        BAYSIDE: 12,
    }
    numbers = Product.objects.annotate(n=Count("items")).values_list("n", flat=True)
    assert (min(numbers), max(numbers)) == (2, 4)


def test_companies_have_reports_and_services() -> None:
    assert set(Counter(Report.objects.values_list("owner", flat=True)).values()) == {5}
    assert set(Counter(Service.objects.values_list("owner", flat=True)).values()) == {2, 3}


# --- Values ---------------------------------------------------------------------------------------

# The columns of enums: the state of a record, and what kind of record it is.
STATES = [
    (model, field)
    for model in SAMPLES
    for field in model._meta.fields
    if field.choices
    and field.name
    in {
        "status",
        "state",
        "type",
        "priority",
        "rating",
        "tier_level",
        "schema",
        "environment",
        "period",
        "runtime",
    }
]


@pytest.mark.parametrize(
    ("model", "field"), STATES, ids=lambda part: getattr(part, "__name__", None) or part.name
)
def test_every_status_occurs(model: type[Model], field: "Field[Any, Any]") -> None:
    assert {value for value, _ in field.flatchoices} <= set(
        model._default_manager.values_list(field.name, flat=True)
    )


def test_the_enums_with_a_status_are_found() -> None:
    assert {model for model, field in STATES if field.name in {"status", "state"}} >= {
        Contract,
        Product,
        Item,
        PriceList,
        Listing,
        Asset,
        Case,
    }


PATTERNS = {
    Asset: r"AS-\d{4}-\d{4}-\d{4}",
    Case: r"CA-\d{3}-\d{3}-\d{3}",
    Category: r"CAT-\d{5}",
    Connection: r"CT-\d{4}-\d{4}-\d{4}",
    Customer: r"TA-\d{4}-\d{4}-\d{4}",
    Environment: r"ENV-\d{4}-\d{4}-0[123]",
    FulfillmentRequest: r"PR-\d{4}-\d{4}-\d{4}-00\d",
    Hub: r"HB-\d{4}-\d{4}",
    Item: r"PRD-\d{3}-\d{3}-\d{3}-000\d",
    Listing: r"LST-\d{3}-\d{3}-\d{3}",
    Marketplace: r"MP-\d{5}",
    PriceList: r"PL-\d{3}-\d{3}-\d{3}",
    Product: r"PRD-\d{3}-\d{3}-\d{3}",
    Service: r"SRVC-\d{4}-\d{4}",
    TierConfig: r"TC-\d{3}-\d{3}-\d{3}",
    UsageFile: r"UF-\d{4}-\d{2}-\d{4}-\d{4}",
}


@pytest.mark.parametrize("model", PATTERNS)
def test_ids_have_the_shape_of_the_original(model: type[Model]) -> None:
    assert [
        id
        for id in model._default_manager.values_list("pk", flat=True)
        if not re.fullmatch(PATTERNS[model], id)
    ] == []


def test_ids_of_children_hold_those_of_their_parents() -> None:
    assert not [
        item.pk for item in Item.objects.all() if not item.pk.startswith(f"{item.product_id}-")
    ]
    assert not [
        each.pk for each in FulfillmentRequest.objects.all() if each.pk[3:17] != each.asset_id[3:]
    ]
    assert not [
        each.pk for each in Environment.objects.all() if each.pk[4:13] != each.service_id[5:]
    ]


@pytest.mark.parametrize("model", SAMPLES)
def test_moments_are_whole_seconds_in_the_past(model: type[Model]) -> None:
    now = timezone.now()
    for field in model._meta.fields:
        if isinstance(field, DateTimeField):
            moments: list[datetime] = list(
                model._default_manager.exclude(**{field.name: None}).values_list(
                    field.name, flat=True
                )
            )
            assert [moment for moment in moments if moment.microsecond or moment > now] == [], (
                field.name
            )


@pytest.mark.parametrize(
    "model",
    [
        model
        for model in SAMPLES
        if {"created_at", "updated_at"} <= {field.name for field in model._meta.fields}
    ],
)
def test_nothing_is_updated_before_it_is_created(model: type[Model]) -> None:
    assert not odd(model._default_manager.filter(updated_at__lt=F("created_at")))


@pytest.mark.parametrize("model", SAMPLES)
def test_every_sample_is_valid(model: type[Model]) -> None:
    for row in model._default_manager.all():
        row.full_clean(validate_unique=False, validate_constraints=False)


# --- What belongs together ------------------------------------------------------------------------


def without_listing(records: QuerySet[Any]) -> QuerySet[Any]:
    """Return the records whose product is not on sale under their contract."""
    return records.exclude(
        Exists(
            Listing.objects.filter(
                status="listed", contract=OuterRef("contract"), product=OuterRef("product")
            )
        )
    )


@pytest.mark.parametrize(
    "model",
    [model for model in SAMPLES if "vendor" in {field.name for field in model._meta.fields}],
)
def test_vendors_are_vendors_and_distributors_distributors(model: type[Model]) -> None:
    assert not odd(model._default_manager.filter(vendor__side="distributor"))
    if hasattr(model, "provider"):
        assert not odd(model._default_manager.exclude(provider__side="distributor"))


def test_contracts_follow_their_agreement() -> None:
    same = {name: F(f"agreement__{name}") for name in ("vendor", "provider", "marketplace", "type")}
    assert not odd(Contract.objects.exclude(**same))


def test_contracts_are_made_and_signed_by_people_of_the_partner() -> None:
    theirs = Membership.objects.filter(account=OuterRef("owner"))
    assert not odd(Contract.objects.exclude(Exists(theirs.filter(user=OuterRef("creator")))))
    signed = Q(status__in=("active", "terminated"))
    assert not odd(
        Contract.objects.filter(signed).exclude(
            Exists(theirs.filter(user=OuterRef("signee"))), signed_at__isnull=False
        )
    )
    assert not odd(Contract.objects.exclude(signed).exclude(signee=None, signed_at=None))


def test_hubs_of_marketplaces_belong_to_the_same_distributor() -> None:
    assert not odd(MarketplaceHub.objects.exclude(hub__owner=F("marketplace__owner")))
    assert not odd(Marketplace.objects.filter(Q(hubs=None) | Q(countries=None) | Q(locales=None)))


def test_marketplaces_belong_to_the_distributor_of_what_they_are_named_in() -> None:
    for model in (Agreement, Contract, Asset, TierConfig, UsageFile):
        assert not odd(model.objects.exclude(marketplace__owner=F("provider"))), model


def test_customers_buy_through_resellers_of_the_same_pair() -> None:
    children = Customer.objects.exclude(parent=None)
    assert children.exists()
    assert not odd(children.exclude(parent__type="reseller", parent__provider=F("provider")))
    assert not odd(children.exclude(vendor=None).exclude(parent__vendor=F("vendor")))
    assert Customer.objects.filter(type="reseller").exclude(parent=None).exists()


def test_hubs_of_customers_belong_to_their_distributor() -> None:
    assert not odd(Customer.objects.exclude(hub=None).exclude(hub__owner=F("provider")))
    assert Customer.objects.exclude(hub=None).exists()


def test_some_customers_have_bought_nothing_so_that_no_vendor_sees_them() -> None:
    new = Customer.objects.filter(vendor=None)
    assert new.exists()
    assert not Asset.objects.filter(customer__in=new).exists()


def test_listings_are_under_active_contracts_of_distribution_with_the_vendor_of_the_product() -> (
    None
):
    right = Q(
        contract__type="distribution",
        contract__status="active",
        contract__provider=F("provider"),
        contract__vendor=F("vendor"),
    )
    assert not odd(Listing.objects.exclude(right, product__vendor=F("vendor")))


def test_listed_are_published_products_with_a_price_list_in_force() -> None:
    listed = Listing.objects.filter(status="listed")
    assert not odd(listed.exclude(product__status="published"))
    in_force = Q(
        price_list__status="active",
        price_list__vendor=F("vendor"),
        price_list__provider=F("provider"),
    )
    assert not odd(
        listed.exclude(in_force, price_list__currency=F("contract__marketplace__currency"))
    )
    assert not odd(
        listed.exclude(
            Exists(
                PriceList.products.through.objects.filter(
                    pricelist=OuterRef("price_list"), product=OuterRef("product")
                )
            )
        )
    )
    assert not odd(Listing.objects.filter(product__status="draft"))


def test_each_published_product_is_listed_with_each_distributor_of_its_vendor() -> None:
    for provider, vendor in ((MICK, FRONT_STREET), (MICK, BAYSIDE), (SOUTHPAW, FRONT_STREET)):
        listed = Listing.objects.filter(status="listed", provider=provider, product=OuterRef("pk"))
        assert not odd(
            Product.objects.filter(vendor=vendor, status="published").exclude(Exists(listed))
        )


def test_price_lists_belong_to_the_distributor_and_hold_products_of_the_vendor() -> None:
    assert not odd(PriceList.objects.exclude(owner=F("provider")))
    assert not odd(PriceList.objects.filter(products=None))
    assert not odd(
        PriceList.products.through.objects.exclude(product__vendor=F("pricelist__vendor"))
    )
    in_force = Q(status__in=("active", "terminated"))
    assert not odd(PriceList.objects.filter(in_force, activated_at=None))
    assert not odd(PriceList.objects.exclude(in_force).exclude(activated_at=None))


def test_connections_join_a_product_of_the_vendor_and_a_hub_of_the_distributor() -> None:
    assert not odd(
        Connection.objects.exclude(product__vendor=F("vendor"), hub__owner=F("provider"))
    )


def test_the_contract_of_a_subscription_is_active_and_of_its_pair_and_marketplace() -> None:
    right = Q(
        contract__type="distribution",
        contract__status="active",
        contract__provider=F("provider"),
        contract__vendor=F("vendor"),
    )
    for model in (Asset, TierConfig, UsageFile):
        assert not odd(model.objects.exclude(right, contract__marketplace=F("marketplace"))), model


def test_the_product_of_a_subscription_is_listed_under_its_contract() -> None:
    for model in (Asset, TierConfig, UsageFile):
        assert not odd(model.objects.exclude(product__vendor=F("vendor"))), model
        assert not odd(without_listing(model.objects.all())), model


def test_the_connection_of_a_subscription_is_of_its_product_and_a_hub_of_its_marketplace() -> None:
    for model in (Asset, TierConfig):
        serving = MarketplaceHub.objects.filter(
            marketplace=OuterRef("marketplace"), hub=OuterRef("connection__hub")
        )
        assert not odd(
            model.objects.exclude(
                Exists(serving),
                connection__product=F("product"),
                connection__provider=F("provider"),
            )
        ), model


def test_only_customers_for_tests_use_a_connection_for_tests() -> None:
    production = Q(customer__environment="production")
    assert not odd(Asset.objects.filter(production).exclude(connection__type="production"))
    assert not odd(Asset.objects.exclude(production).exclude(connection__type="test"))


def test_a_customer_subscribes_in_a_marketplace_of_its_country() -> None:
    assert not odd(
        Asset.objects.exclude(
            customer__type="customer",
            customer__vendor=F("vendor"),
            customer__provider=F("provider"),
        )
    )
    countries = {
        id: set(Marketplace.objects.get(pk=id).countries.values_list("pk", flat=True))
        for id in Marketplace.objects.values_list("pk", flat=True)
    }
    assert [
        asset.pk
        for asset in Asset.objects.select_related("customer")
        if asset.customer.country.upper() not in countries[asset.marketplace_id]
    ] == []


def test_the_first_tier_of_a_subscription_is_the_reseller_of_its_customer() -> None:
    assert not odd(
        Asset.objects.exclude(customer__parent=None).exclude(reseller=F("customer__parent"))
    )
    assert not odd(Asset.objects.filter(customer__parent=None).exclude(reseller=None))
    assert Asset.objects.exclude(reseller=None).exists()


def test_nothing_is_bought_before_it_can_be() -> None:
    assert not odd(Asset.objects.filter(created_at__lt=F("customer__created_at")))
    assert not odd(Asset.objects.filter(created_at__lt=F("connection__created_at")))
    assert not odd(
        Listing.objects.filter(
            Q(created_at__lt=F("contract__signed_at"))
            | Q(created_at__lt=F("product__published_at"))
        )
    )


def test_a_subscription_has_items_of_its_product_that_are_on_sale() -> None:
    assert not odd(
        AssetItem.objects.exclude(item__product=F("asset__product"), item__status="published")
    )
    assert not odd(Asset.objects.filter(items=None))
    assert not odd(AssetItem.objects.filter(item__type="reservation", quantity=0))


def test_requests_are_between_the_companies_of_their_subscription() -> None:
    assert not odd(
        FulfillmentRequest.objects.exclude(vendor=F("asset__vendor"), provider=F("asset__provider"))
    )
    assert not odd(FulfillmentRequest.objects.filter(created_at__lt=F("asset__created_at")))
    people = Membership.objects.filter(account=OuterRef("vendor"), user=OuterRef("assignee"))
    assert not odd(FulfillmentRequest.objects.exclude(assignee=None).exclude(Exists(people)))


OPEN = ("pending", "inquiring")


@pytest.mark.parametrize("status", Asset.Status.values)
def test_the_requests_of_a_subscription_lead_to_its_status(status: str) -> None:
    for asset in Asset.objects.filter(status=status):
        requests = list(
            FulfillmentRequest.objects.filter(asset=asset)
            .order_by("created_at", "pk")
            .values_list("type", "status")
        )
        (first, outcome), last = requests[0], requests[-1]
        assert first == "purchase", asset
        assert [kind for kind, _ in requests].count("purchase") == 1, asset
        # One after the other: only the last one can be pending.
        assert all(each in {"approved", "failed"} for _, each in requests[:-1]), asset
        done = [kind for kind, each in requests if each == "approved"]
        pauses = [kind for kind in done if kind in {"suspend", "resume"}]
        assert pauses == (["suspend", "resume"] * len(pauses))[: len(pauses)], asset
        if status == "draft":
            assert requests == [("purchase", "draft")], asset
        elif status == "processing":
            assert len(requests) == 1, asset
            assert outcome in {"pending", "inquiring", "tiers_setup"}, asset
        elif status == "active":
            assert outcome == "approved", asset
            assert pauses[-1:] != ["suspend"], asset
            assert "cancel" not in {kind for kind, _ in requests}, asset
        elif status == "suspended":
            assert pauses[-1:] == ["suspend"], asset
            assert "cancel" not in {kind for kind, _ in requests}, asset
        elif status == "terminating":
            assert outcome == "approved", asset
            assert last[0] == "cancel", asset
            assert last[1] in OPEN, asset
        else:
            assert last == ("cancel", "approved") or requests == [("purchase", "failed")], asset


def test_tier_configurations_are_of_resellers_above_a_subscription_to_the_product() -> None:
    first = Asset.objects.filter(product=OuterRef("product"), reseller=OuterRef("customer"))
    second = Asset.objects.filter(
        product=OuterRef("product"), reseller__parent=OuterRef("customer")
    )
    assert not odd(TierConfig.objects.exclude(customer__type="reseller"))
    assert not odd(TierConfig.objects.filter(tier_level=1).exclude(Exists(first)))
    assert not odd(TierConfig.objects.filter(tier_level=2).exclude(Exists(second)))
    assert not odd(
        TierConfig.objects.exclude(customer__vendor=F("vendor"), customer__provider=F("provider"))
    )


def test_a_purchase_that_waits_for_a_reseller_has_a_configuration_in_the_works() -> None:
    waiting = FulfillmentRequest.objects.filter(status="tiers_setup")
    works = TierConfig.objects.filter(
        status="processing",
        product=OuterRef("asset__product"),
        customer=OuterRef("asset__reseller"),
    )
    assert waiting.exists()
    assert not odd(waiting.exclude(Exists(works)))


def test_usage_files_are_of_a_month_and_in_the_currency_of_the_marketplace() -> None:
    assert not odd(UsageFile.objects.exclude(currency=F("marketplace__currency")))
    for usage in UsageFile.objects.all():
        assert usage.period_from.day == 1
        assert (usage.period_from.year, usage.period_from.month) == (
            usage.period_to.year,
            usage.period_to.month,
        )
        assert usage.pk.startswith(f"UF-{usage.period_from:%Y-%m}-")
        assert usage.created_at.date() > usage.period_to
    people = Membership.objects.filter(account=OuterRef("vendor"), user=OuterRef("creator"))
    assert not odd(UsageFile.objects.exclude(Exists(people)))


def test_the_history_of_a_usage_file_fits_its_status() -> None:
    submitted, accepted = (
        Q(status__in=("pending", "rejected", "accepted", "closed")),
        Q(status__in=("accepted", "closed")),
    )
    assert not odd(UsageFile.objects.filter(submitted, submitted_at=None))
    assert not odd(UsageFile.objects.exclude(submitted).exclude(submitted_at=None))
    assert not odd(UsageFile.objects.filter(accepted, accepted_at=None))
    assert not odd(UsageFile.objects.exclude(accepted).exclude(accepted_at=None))
    assert not odd(UsageFile.objects.filter(accepted_at__lt=F("submitted_at")))
    assert not odd(UsageFile.objects.filter(status="rejected", rejection_note=""))


def test_cases_are_between_partners() -> None:
    assert not odd(
        Case.objects.exclude(
            Q(issuer=F("vendor"), receiver=F("provider"))
            | Q(issuer=F("provider"), receiver=F("vendor"))
        )
    )
    partners = Contract.objects.filter(vendor=OuterRef("vendor"), provider=OuterRef("provider"))
    assert not odd(Case.objects.exclude(Exists(partners)))
    assert not odd(Case.objects.exclude(product=None).exclude(product__vendor=F("vendor")))
    assert {None} < set(Case.objects.values_list("product", flat=True))


def test_agents_of_cases_are_people_of_their_companies() -> None:
    for side in ("issuer", "receiver"):
        people = Membership.objects.filter(account=OuterRef(side), user=OuterRef(f"{side}_agent"))
        assert not odd(Case.objects.exclude(**{f"{side}_agent": None}).exclude(Exists(people)))
    assert not odd(Case.objects.filter(issuer_agent=None))
    # Whoever answered is recorded.
    assert not odd(Case.objects.exclude(state="pending").filter(receiver_agent=None))


def test_the_history_of_a_case_fits_its_state() -> None:
    people = dict(User.objects.values_list("pk", "name"))
    for case in Case.objects.all():
        moments = {state: getattr(case, f"{state}_at") for state in Case.State.values}
        happened = {state: at for state, at in moments.items() if at}
        assert max(happened, key=happened.__getitem__) == case.state, case.pk
        assert case.updated_at == happened[case.state], case.pk
        assert min(happened.values()) >= case.created_at, case.pk
        actors = {
            event: getattr(case, f"{event}_by")
            for event in ("created", "updated", *Case.State.values)
        }
        actors = {event: who for event, who in actors.items() if who}
        assert {"created", "updated", *happened} == set(actors), case.pk
        assert "resolved" in happened or case.state != "closed", case.pk
        for who in actors.values():
            assert who == (who.id, people[who.id], ""), case.pk
            assert who.id in {case.issuer_agent_id, case.receiver_agent_id}, case.pk
        assert case.rating is None or case.state == "closed", case.pk
        assert not case.feedback or case.rating, case.pk


def test_the_history_of_a_report_fits_its_status() -> None:
    started, ended = (
        Q(status__in=("running", "succeeded", "failed")),
        Q(status__in=("succeeded", "failed")),
    )
    assert not odd(Report.objects.filter(started, started_at=None))
    assert not odd(Report.objects.exclude(started).exclude(started_at=None))
    assert not odd(Report.objects.filter(ended, terminated_at=None))
    assert not odd(Report.objects.exclude(ended).exclude(terminated_at=None))
    assert not odd(
        Report.objects.filter(
            Q(started_at__lt=F("created_at")) | Q(terminated_at__lt=F("started_at"))
        )
    )
    assert not odd(Report.objects.filter(status="succeeded", size=None))
    assert not odd(Report.objects.filter(status="failed", failure_output=""))


def test_services_have_three_environments_and_work_for_products_of_their_owner() -> None:
    assert not odd(Service.objects.annotate(n=Count("environments")).exclude(n=3))
    assert not odd(Service.products.through.objects.exclude(product__vendor=F("service__owner")))
    assert not odd(Service.objects.filter(type="products", products=None))
    assert not odd(Environment.objects.filter(runtime="local").exclude(type="development"))


# --- Admin ----------------------------------------------------------------------------------------


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(
        User.objects.get(email="admin@portal.example"), backend="accounts.backends.EmailBackend"
    )
    return client


@pytest.mark.parametrize("model", [model for model in SAMPLES if model in admin.site._registry])
def test_samples_open_in_the_admin_without_long_selects(model: type[Model], staff: Client) -> None:
    page = f"/admin/modules/{model._meta.model_name}/"
    assert staff.get(page).status_code == 200
    assert staff.get(page, {"q": "a"}).status_code == 200
    for form in (f"{page}add/", f"{page}{model._default_manager.all()[0].pk}/change/"):
        response = staff.get(form)
        assert response.status_code == 200
        # Other records are found by typing: the page contains only the selected ones.
        for select in re.findall(r"<select.*?</select>", response.text, re.DOTALL):
            assert select.count("<option") <= 30 or "admin-autocomplete" in select


@pytest.mark.parametrize("model", [model for model in SAMPLES if model in admin.site._registry])
def test_what_is_found_by_typing_can_be_searched(model: type[Model], staff: Client) -> None:
    pages = admin.site._registry
    for place in (pages[model], *(inline(model, admin.site) for inline in pages[model].inlines)):
        for field in place.get_autocomplete_fields(HttpRequest()):
            found = pages[place.model._meta.get_field(field).related_model]
            assert found.search_fields, f"{place}: {field}"
            where = {
                "app_label": place.opts.app_label,
                "model_name": str(place.opts.model_name),
                "field_name": field,
                "term": "a",
            }
            assert staff.get("/admin/autocomplete/", where).status_code == 200


def test_all_samples_that_people_would_change_are_in_the_admin() -> None:
    inside = {MarketplaceHub, AssetItem, Environment}  # edited on the page of their parent
    kept = {"ModuleEntry"}
    missing = [
        each
        for each in SAMPLES
        if each not in admin.site._registry and each not in inside and not each._meta.auto_created
    ]
    assert {each.__name__ for each in missing} == kept

"""`manage.py demo`: consistent records for every resource, which stay as they are."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from io import StringIO
from typing import Any

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db.models import Count, F, Model
from django.http import HttpRequest
from django.test import Client

from accounts.models import Account, User
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
    Item,
    Listing,
    MarketplaceHub,
    PriceList,
    Product,
    Report,
    Service,
    TierConfig,
    UsageFile,
)
from modules.urls import RESOURCES
from tests.demo.conftest import load
from tests.demo.samples import (
    BAYSIDE,
    CALLERS,
    FRONT_STREET,
    MICK,
    MODELS,
    SAMPLES,
    SOUTHPAW,
    odd,
    without_listing,
)
from tokens.models import Token

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
        "RequestItem",
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

"""The hierarchy of resellers: no write makes a cycle, and a stored one does no harm."""

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.models import Account
from modules.models import Customer
from tests.conftest import Call, Response, confirmed, person
from tests.factories import CustomerFactory, TokenFactory
from tokens.catalog import Module

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(account: Account) -> tuple[Customer, Customer, Customer]:
    """Make three resellers, each below the one before."""
    top = CustomerFactory(provider=account, type="reseller")
    middle = CustomerFactory(provider=account, type="reseller", parent=top)
    return top, middle, CustomerFactory(provider=account, type="reseller", parent=middle)


@pytest.fixture
def circle(chain: tuple[Customer, Customer, Customer]) -> tuple[Customer, Customer, Customer]:
    """Store a cycle, as was possible before it was checked."""
    top, _middle, bottom = chain
    Customer.objects.filter(pk=top.pk).update(parent=bottom)
    return chain


def test_the_model_refuses_a_circle(chain: tuple[Customer, Customer, Customer]) -> None:
    for below in chain:
        top = Customer.objects.get(pk=chain[0].pk)
        top.parent = below
        with pytest.raises(ValidationError, match="below itself"):
            top.save()
        with pytest.raises(ValidationError, match="below itself"):
            top.full_clean()
    assert Customer.objects.get(pk=chain[0].pk).parent is None


def test_the_model_refuses_a_parent_that_is_no_reseller_or_of_somebody_else(
    account: Account, chain: tuple[Customer, Customer, Customer]
) -> None:
    for parent in (CustomerFactory(provider=account), CustomerFactory(type="reseller")):
        with pytest.raises(ValidationError, match="no such reseller"):
            CustomerFactory(provider=account, parent=parent)


def test_a_reseller_that_has_customers_stays_one(
    chain: tuple[Customer, Customer, Customer],
) -> None:
    chain[0].type = "customer"
    with pytest.raises(ValidationError, match="still has customers below it"):
        chain[0].save()


def test_the_admin_refuses_a_circle_with_an_error_at_the_field(
    chain: tuple[Customer, Customer, Customer],
) -> None:
    top, _middle, bottom = chain
    staff = person(user__is_staff=True, user__is_superuser=True)
    confirmed(staff.client)
    data = {field.name: field.value_from_object(top) or "" for field in Customer._meta.fields}
    data |= {
        "created_at_0": "2026-01-01",
        "created_at_1": "10:00",
        "updated_at_0": "2026-01-01",
        "updated_at_1": "10:00",
        "parent": bottom.pk,
    }
    response = staff.client.post(reverse("admin:modules_customer_change", args=(top.pk,)), data)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors == {
        "parent": ["A reseller cannot be placed below itself."]
    }
    assert Customer.objects.get(pk=top.pk).parent is None


def test_a_circle_that_is_stored_holds_nobody_up(
    call: Call, account: Account, circle: tuple[Customer, Customer, Customer]
) -> None:
    """Its records are read and written like any others, and the cycle can be opened."""
    token = TokenFactory(account=account, modules=(Module.ALL,))

    def put(customer: Customer, body: dict[str, Any]) -> Response:
        return call(
            f"tier/accounts/{customer.pk}",
            token,
            "put",
            data=json.dumps(body),
            content_type="application/json",
        )

    assert len(call("tier/accounts", token).json()) == 3
    assert put(circle[0], {"name": "Renamed"}).status_code == 200
    outside = CustomerFactory(provider=account)
    assert put(outside, {"parent": {"id": circle[0].pk}}).status_code == 200
    assert put(circle[0], {"parent": {"id": circle[1].pk}}).status_code == 400
    assert put(circle[0], {"parent": None}).status_code == 200
    assert put(circle[1], {"parent": {"id": circle[2].pk}}).status_code == 400

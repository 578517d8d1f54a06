"""Programs create, change and delete customers."""

import pytest

from accounts.models import Account
from modules.models import Asset, Customer, Hub
from tests.factories import (
    AccountFactory,
    ContractFactory,
    CustomerFactory,
    ProductFactory,
    TokenFactory,
)
from tests.modules.conftest import Send
from tests.modules.test_writes import NEW, changed, refused, without
from tokens.catalog import Module


def test_a_customer_is_made_as_it_was_sent(send: Send, account: Account) -> None:
    response = send("post", "tier/accounts", NEW)
    assert response.status_code == 201
    body = response.json()
    assert body["id"].startswith("TA-")
    assert body["owner"] == {"id": account.pk, "name": account.name}
    assert {name: body[name] for name in ("name", "type", "external_id")} == {
        name: NEW[name] for name in ("name", "type", "external_id")
    }
    assert body["contact_info"]["contact"] == NEW["contact_info"]["contact"]
    assert body["external_uid"]
    assert send("get", f"tier/accounts/{body['id']}").json() == body


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("name", "", "cannot be blank"),
        ("name", "   ", "cannot be blank"),
        ("name", None, "may not be null"),
        ("name", 7, "Must be a string."),
        ("name", ["x"], "Must be a string."),
        ("name", "x" * 256, "at most 255 characters; it has 256"),
        ("name", "a\0b", "Null characters"),
        ("name", "abc\u202edef", "hidden characters"),
        ("type", "supplier", "not a valid choice"),
        ("environment", "moon", "not a valid choice"),
        ("contact_info", "text", "contact_info: Must be an object."),
        ("contact_info", [], "contact_info: Must be an object."),
        ("contact_info.contact", 7, "contact_info.contact: Must be an object."),
        ("contact_info.contact.email", "nobody", "valid email address"),
        ("contact_info.contact.phone_number.country_code", "+" * 26, "at most 25 characters"),
        ("parent.id", "TA-0000-0000-0000", "no such reseller"),
        ("hub.id", "HB-0000-0000", "no such hub"),
    ],
)
def test_a_mistake_is_named_with_its_field_and_nothing_is_made(
    send: Send, name: str, value: str | int | list[str] | None, text: str
) -> None:
    response = send("post", "tier/accounts", changed(name, value))
    refused(response, text)
    assert response.json()["errors"][0].startswith(f"{name}: ")
    assert Customer.objects.count() == 0


@pytest.mark.parametrize(
    "name", ["name", "contact_info.city", "contact_info.contact.email", "contact_info"]
)
def test_what_is_missing_is_named(send: Send, name: str) -> None:
    response = send("post", "tier/accounts", without(name))
    refused(response, f"{name}", "This field is required.")


def test_every_mistake_is_told_at_once(send: Send) -> None:
    body = changed("contact_info.contact.email", "nobody") | {"name": "", "type": "x"}
    errors = send("post", "tier/accounts", body).json()["errors"]
    assert [error.split(":")[0] for error in errors] == [
        "type",
        "name",
        "contact_info.contact.email",
    ]


def test_read_only_and_unknown_fields_are_ignored_never_written(
    send: Send, account: Account
) -> None:
    other = AccountFactory()
    body = {
        **NEW,
        "id": "TA-1111-1111-1111",
        "version": 99,
        "owner": {"id": other.pk},
        "provider": other.pk,
        "provider_id": other.pk,
        "vendor_id": other.pk,
        "created_at": "2001-01-01T00:00:00+00:00",
        "events": {"created": {"at": "2001-01-01T00:00:00+00:00"}},
        "scopes": ["tier1"],
        "__class__": "x",
    }
    made = send("post", "tier/accounts", body).json()
    customer = Customer.objects.get()
    assert (customer.pk, customer.provider_id, customer.vendor_id, customer.version) == (
        made["id"],
        account.pk,
        None,
        1,
    )
    assert made["id"] != "TA-1111-1111-1111"
    assert not made["events"]["created"]["at"].startswith("2001")
    send(
        "put",
        f"tier/accounts/{customer.pk}",
        {"owner": {"id": other.pk}, "version": 99, "id": "TA-2"},
    )
    customer.refresh_from_db()
    assert (customer.provider_id, customer.version) == (account.pk, 2)


def test_an_update_changes_what_was_sent_and_keeps_the_rest(send: Send, account: Account) -> None:
    customer = CustomerFactory(provider=account, vendor=None)
    response = send(
        "put",
        f"tier/accounts/{customer.pk}",
        {"name": "Ruiz Group", "contact_info": {"city": "Porto"}, "tax_id": None},
    )
    assert response.status_code == 200
    body = response.json()
    assert (
        body["name"],
        body["contact_info"]["city"],
        body["contact_info"]["country"],
        body["version"],
    ) == ("Ruiz Group", "Porto", "es", 2)
    assert body["tax_id"] == ""


def test_who_asks_for_what_is_later_than_the_last_one_seen_does_not_get_it_again(
    send: Send,
) -> None:
    seen = send("post", "tier/accounts", NEW).json()["events"]["created"]["at"]
    assert send("get", f"tier/accounts?gt(events.created.at,{seen})").json() == []
    assert len(send("get", f"tier/accounts?eq(events.created.at,{seen})").json()) == 1


def test_an_update_is_all_or_nothing(send: Send, account: Account) -> None:
    customer = CustomerFactory(provider=account)
    refused(
        send("put", f"tier/accounts/{customer.pk}", {"name": "Other", "type": "moon"}), "type: "
    )
    customer.refresh_from_db()
    assert customer.name == "Ruiz Foods"


def test_a_reseller_of_the_same_distributor_can_be_the_parent(send: Send, account: Account) -> None:
    reseller = CustomerFactory(provider=account, type="reseller")
    theirs = CustomerFactory(type="reseller")
    end = CustomerFactory(provider=account)
    made = send("post", "tier/accounts", changed("parent.id", reseller.pk)).json()
    assert made["parent"] == {"id": reseller.pk, "name": reseller.name, "external_id": ""}
    for wrong in (theirs, end):
        refused(send("post", "tier/accounts", changed("parent.id", wrong.pk)), "parent.id: ")
    # Neither itself nor an account below it.
    below = CustomerFactory(provider=account, type="reseller", parent=reseller)
    for wrong in (reseller, below):
        refused(
            send("put", f"tier/accounts/{reseller.pk}", {"parent": {"id": wrong.pk}}), "parent.id: "
        )
    third = CustomerFactory(provider=account, type="reseller", parent=below)
    refused(
        send("put", f"tier/accounts/{reseller.pk}", {"parent": {"id": third.pk}}), "parent.id: "
    )
    # An account with others below it is not an end customer.
    refused(send("put", f"tier/accounts/{below.pk}", {"type": "customer"}), "type: ")
    # No parent at all.
    assert "parent" not in send("put", f"tier/accounts/{below.pk}", {"parent": None}).json()


def test_a_hub_is_the_distributors_own(send: Send, account: Account) -> None:
    hub = Hub.objects.create(
        pk="HB-1111-1111", name="Hub", owner=account, instance_id="1", version="1"
    )
    other = Hub.objects.create(
        pk="HB-2222-2222", name="Hub", owner=AccountFactory(), instance_id="1", version="1"
    )
    assert send("post", "tier/accounts", changed("hub.id", hub.pk)).json()["hub"] == {
        "id": hub.pk,
        "name": "Hub",
    }
    refused(send("post", "tier/accounts", changed("hub.id", other.pk)), "hub.id: ")


def test_a_vendor_reads_customers_and_writes_none(send: Send) -> None:
    customer = CustomerFactory()
    vendor = TokenFactory(account=customer.vendor, modules=(Module.CUSTOMERS,))
    assert send("get", f"tier/accounts/{customer.pk}", key=vendor).status_code == 200
    for method, path, body in (
        ("post", "tier/accounts", NEW),
        ("put", f"tier/accounts/{customer.pk}", {}),
        ("delete", f"tier/accounts/{customer.pk}", None),
    ):
        refused(send(method, path, body, key=vendor), "distributors", status=403, code="AUTH_009")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_another_accounts_customer_does_not_exist(send: Send, method: str) -> None:
    customer = CustomerFactory()
    refused(
        send(method, f"tier/accounts/{customer.pk}", None if method == "get" else {}),
        customer.pk,
        status=404,
        code="NFND_000",
    )
    assert Customer.objects.filter(pk=customer.pk, name="Ruiz Foods").exists()


def test_a_customer_without_subscriptions_is_deleted(send: Send, account: Account) -> None:
    customer = CustomerFactory(provider=account)
    response = send("delete", f"tier/accounts/{customer.pk}")
    assert (response.status_code, response.content) == (204, b"")
    assert not Customer.objects.exists()
    assert send("get", f"tier/accounts/{customer.pk}").status_code == 404


def test_a_customer_with_a_subscription_stays(send: Send, account: Account) -> None:
    customer = CustomerFactory(provider=account)
    subscription(customer)
    refused(send("delete", f"tier/accounts/{customer.pk}"), "subscriptions", code="TRA_001")
    assert Customer.objects.filter(pk=customer.pk).exists()


def subscription(customer: Customer) -> Asset:
    from modules.models import Connection, Marketplace

    sides = {"vendor": customer.vendor, "provider": customer.provider}
    product, contract = ProductFactory(vendor=customer.vendor), ContractFactory(**sides)
    hub = Hub.objects.create(
        pk="HB-1111-1111", name="Hub", owner=customer.provider, instance_id="1", version="1"
    )
    market = Marketplace.objects.create(
        pk="MP-11111", name="Iberia", owner=customer.provider, currency="EUR"
    )
    connection = Connection.objects.create(
        pk="CT-1111-1111-1111", product=product, hub=hub, **sides
    )
    return Asset.objects.create(
        pk="AS-1111-1111-1111",
        status="active",
        external_id="1",
        product=product,
        connection=connection,
        contract=contract,
        marketplace=market,
        customer=customer,
        **sides,
    )

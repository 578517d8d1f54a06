"""What programs may write: bodies in general, customers and support cases."""

import json
from typing import Any, Protocol

import pytest

from accounts.models import Account
from modules.models import Asset, Case, Customer, Hub
from tests.conftest import Call, Response
from tests.factories import (
    AccountFactory,
    ContractFactory,
    CustomerFactory,
    MembershipFactory,
    ProductFactory,
    TokenFactory,
)
from tokens.catalog import Module
from tokens.models import Token

NEW: dict[str, Any] = {
    "name": "Ruiz Foods",
    "type": "customer",
    "external_id": "10001",
    "contact_info": {
        "address_line1": "Mill Lane 1",
        "city": "Valencia",
        "postal_code": "46001",
        "country": "es",
        "contact": {
            "first_name": "Marta",
            "last_name": "Ruiz",
            "email": "marta@ruiz-foods.example",
            "phone_number": {
                "country_code": "+34",
                "area_code": "96",
                "phone_number": "555123",
                "extension": "",
            },
        },
    },
}


def without(name: str) -> dict[str, Any]:
    """Return NEW without a dotted name."""
    body: dict[str, Any] = json.loads(json.dumps(NEW))
    *way, last = name.split(".")
    inside = body
    for part in way:
        inside = inside[part]
    del inside[last]
    return body


def changed(name: str, value: Any) -> dict[str, Any]:
    """Return NEW with another value at a dotted name."""
    body: dict[str, Any] = json.loads(json.dumps(NEW))
    *way, last = name.split(".")
    inside = body
    for part in way:
        inside = inside.setdefault(part, {})
    inside[last] = value
    return body


class Send(Protocol):
    """A call as the distributor's token, or with another key."""

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        key: Token | str | None = ...,
        **kwargs: Any,
    ) -> Response: ...


@pytest.fixture
def all_token(account: Account) -> Token:
    return TokenFactory(account=account, name="ERP Sync", modules=(Module.ALL,))


@pytest.fixture
def send(call: Call, all_token: Token) -> Send:
    """Return a function that calls as the distributor's token.

    For example `send("post", "tier/accounts", {...})`.
    """

    def do(
        method: str, path: str, body: Any = None, key: Token | str | None = all_token, **kwargs: Any
    ) -> Response:
        if body is None and method == "post":
            # As the official client posts an action: without a body or a content type.
            kwargs |= {"data": b"", "content_type": ""}
        elif body is not None:
            kwargs |= {
                "data": body if isinstance(body, bytes) else json.dumps(body),
                "content_type": "application/json",
            }
        return call(path, key, method=method, **kwargs)

    return do


def refused(response: Response, *texts: str, status: int = 400, code: str = "VAL_001") -> None:
    assert response.status_code == status, response.content
    body = response.json()
    assert body["error_code"] == code
    assert all(isinstance(error, str) for error in body["errors"])
    for text in texts:
        assert any(text in error for error in body["errors"]), body


# --- Bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[",
        b"nonsense",
        b'{"name": NaN}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b"[" * 30_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"\x00",
    ],
    ids=[
        "open",
        "open list",
        "word",
        "NaN",
        "bad UTF-8",
        "half a letter",
        "deep",
        "deep objects",
        "NUL",
    ],
)
def test_a_body_that_is_no_json_is_400(send: Send, body: bytes) -> None:
    refused(send("post", "tier/accounts", body), "not valid JSON")


@pytest.mark.parametrize("body", [[], [NEW], "text", 7, None, True])
def test_a_body_that_is_no_object_is_400(
    send: Send, body: list[dict[str, Any]] | str | int | None
) -> None:
    refused(send("post", "tier/accounts", json.dumps(body).encode()), "must be a JSON object")


def test_a_body_over_64_kilobytes_is_413_and_one_below_is_read(send: Send) -> None:
    big = {**NEW, "note": "x" * (64 * 1024)}
    refused(send("post", "tier/accounts", big), "64 KB", status=413, code="VAL_003")
    assert Customer.objects.count() == 0
    fits = {**NEW, "note": "x" * (60 * 1024)}
    assert send("post", "tier/accounts", fits).status_code == 201


def test_a_body_over_what_django_reads_is_413_as_well(send: Send) -> None:
    refused(
        send("post", "tier/accounts", b'{"a": "' + b"x" * 300_000 + b'"}'),
        status=413,
        code="VAL_003",
    )


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
    ],
)
def test_a_body_of_another_type_is_415(call: Call, all_token: Token, content_type: str) -> None:
    response = call(
        "tier/accounts", all_token, method="post", data=json.dumps(NEW), content_type=content_type
    )
    refused(response, "application/json", status=415, code="VAL_002")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_json_may_be_named_with_a_charset_and_in_capitals(
    call: Call, all_token: Token, content_type: str
) -> None:
    assert (
        call(
            "tier/accounts",
            all_token,
            method="post",
            data=json.dumps(NEW),
            content_type=content_type,
        ).status_code
        == 201
    )


def test_an_empty_body_lacks_what_is_required(send: Send) -> None:
    refused(
        send("post", "tier/accounts"),
        "name: This field is required.",
        "contact_info.contact.email: This field is required.",
    )


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("put", "tier/accounts", "GET, HEAD, POST"),
        ("delete", "tier/accounts", "GET, HEAD, POST"),
        ("patch", "tier/accounts", "GET, HEAD, POST"),
        ("trace", "agreements", "GET, HEAD"),
        ("post", "tier/accounts/TA-1", "DELETE, GET, HEAD, PUT"),
        ("post", "agreements", "GET, HEAD"),
        ("put", "agreements/AGD-1", "GET, HEAD"),
        ("delete", "agreements/AGD-1", "GET, HEAD"),
        ("options", "agreements", "GET, HEAD"),
        ("get", "helpdesk/cases/CA-1/close", "POST"),
        ("delete", "helpdesk/cases/CA-1", "GET, HEAD, PUT"),
        ("put", "auth/tokens/SU-1/permissions", "DELETE, GET, HEAD, POST"),
    ],
)
def test_a_method_that_is_not_there_is_405_in_json_and_says_which_are(
    send: Send, method: str, path: str, allow: str
) -> None:
    response = send(method, path)
    assert response.status_code == 405
    assert response["Content-Type"] == "application/json"
    assert isinstance(response.json()["errors"][0], str)
    if allow:
        assert response["Allow"] == allow


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nope",
        "agreements/AGD-1/nope",
        "helpdesk/cases/CA-1/nope",
        "v2",
        "tier",
        "agreements/%0a",
    ],
)
def test_an_address_that_is_none_is_404_in_json(send: Send, path: str) -> None:
    response = send("post", path, {})
    assert response.status_code == 404
    assert response["Content-Type"] == "application/json"
    assert set(response.json()) == {"error_code", "errors"}


@pytest.mark.parametrize(
    "path", ["tier/accounts", "tier/accounts/", "/tier/accounts", "/tier/accounts/"]
)
def test_writes_too_take_either_slash_and_never_redirect(send: Send, path: str) -> None:
    assert send("post", path, NEW).status_code == 201


# --- Customers ------------------------------------------------------------------------------------


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
        refused(send(method, path, body, key=vendor), "distributors", status=403, code="AUTH_005")
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


# --- Cases ----------------------------------------------------------------------------------------


@pytest.fixture
def partner(account: Account) -> Account:
    """Make a vendor that has a contract with the distributor."""
    return ContractFactory(provider=account).vendor


@pytest.fixture
def new_case(partner: Account) -> dict[str, Any]:
    return {
        "subject": "Orders hang",
        "description": "Since Monday.",
        "type": "technical",
        "receiver": {"account": {"id": partner.pk}},
    }


def test_a_case_is_opened_by_the_token_and_seen_by_both_sides(
    send: Send, account: Account, partner: Account, new_case: dict[str, Any], all_token: Token
) -> None:
    response = send("post", "helpdesk/cases", {**new_case, "priority": 2})
    assert response.status_code == 201
    case = response.json()
    assert case["id"].startswith("CA-")
    assert (case["state"], case["priority"], case["type"], case["subject"]) == (
        "pending",
        2,
        "technical",
        "Orders hang",
    )
    assert case["issuer"]["account"] == {"id": account.pk, "name": account.name}
    assert case["receiver"]["account"]["id"] == partner.pk
    for event in ("created", "updated", "pending"):
        assert case["events"][event]["by"] == {"id": all_token.pk, "name": "ERP Sync"}
    assert "product" not in case
    theirs = TokenFactory(account=partner, modules=(Module.HELPDESK,))
    seen = send("get", f"helpdesk/cases/{case['id']}", key=theirs).json()
    assert {**seen, "events": None} == {**case, "events": None}
    # The partner sees whose token it was.
    assert seen["events"]["created"] == {
        "at": case["events"]["created"]["at"],
        "by": {"id": account.pk, "name": account.name},
    }


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("subject", "x" * 301, "at most 300"),
        ("description", "x" * 10_001, "at most 10000"),
        ("type", "legal", "not a valid choice"),
        ("priority", 4, "not a valid choice"),
        ("priority", "2", "Must be a whole number."),
        ("priority", True, "Must be a whole number."),
        ("priority", 10**30, "priority: "),
        ("priority", None, "may not be null"),
        ("product", {"id": "PRD-000-000-999"}, "no such product"),
        ("receiver", {"account": {"id": "VA-000-000"}}, "no such partner"),
        ("receiver", {"account": {"id": None}}, "no such partner"),
    ],
)
def test_a_case_with_a_mistake_is_not_opened(
    send: Send,
    new_case: dict[str, Any],
    name: str,
    value: str | int | dict[str, Any] | None,
    text: str,
) -> None:
    refused(send("post", "helpdesk/cases", {**new_case, name: value}), text)
    assert Case.objects.count() == 0


def test_a_case_can_name_a_product_and_a_person_of_the_partner(
    send: Send, account: Account, partner: Account, new_case: dict[str, Any]
) -> None:
    product, somebody = ProductFactory(vendor=partner), MembershipFactory(account=partner).user
    body = {
        **new_case,
        "product": {"id": product.pk},
        "receiver": {"account": {"id": partner.pk}, "agent": {"id": somebody.pk}},
    }
    case = send("post", "helpdesk/cases", body).json()
    assert case["product"] == {"id": product.pk, "name": product.name}
    assert case["receiver"]["agent"] == {"id": somebody.pk, "name": somebody.name}
    # Not an asset of another vendor, although the distributor sees it: the case would reveal its
    # name.
    other = ProductFactory(vendor=ContractFactory(provider=account).vendor)
    refused(send("post", "helpdesk/cases", {**body, "product": {"id": other.pk}}), "product.id: ")
    foreign = MembershipFactory().user
    body["receiver"]["agent"]["id"] = foreign.pk
    refused(send("post", "helpdesk/cases", body), "receiver.agent.id: ")


MOVES = {
    ("pending", "inquire"): "inquiring",
    ("pending", "resolve"): "resolved",
    ("inquiring", "pend"): "pending",
    ("resolved", "pend"): "pending",
    ("resolved", "close"): "closed",
}


@pytest.mark.parametrize("state", Case.State.values)
@pytest.mark.parametrize("action", ["pend", "inquire", "resolve", "close"])
def test_a_case_moves_as_the_original_says_and_no_other_way(
    send: Send, new_case: dict[str, Any], state: str, action: str, all_token: Token
) -> None:
    case = send("post", "helpdesk/cases", new_case).json()["id"]
    Case.objects.update(state=state)
    response = send("post", f"helpdesk/cases/{case}/{action}")
    if (state, action) in MOVES:
        then = MOVES[state, action]
        assert response.status_code == 200
        assert response.json()["state"] == then
        assert response.json()["events"][then]["by"]["id"] == all_token.pk
    else:
        refused(response, state, code="HLP_001")
        assert Case.objects.get().state == state


def test_closing_takes_a_rating_and_a_word(send: Send, new_case: dict[str, Any]) -> None:
    case = send("post", "helpdesk/cases", new_case).json()["id"]
    send("post", f"helpdesk/cases/{case}/resolve")
    for rating in (0, 6, "5", 1.5):
        refused(send("post", f"helpdesk/cases/{case}/close", {"rating": rating}), "rating: ")
    assert Case.objects.get().state == "resolved"
    closed = send(
        "post", f"helpdesk/cases/{case}/close", {"rating": 5, "feedback": "Quick."}
    ).json()
    assert (closed["state"], closed["rating"], closed["feedback"]) == ("closed", 5, "Quick.")


def test_only_who_opened_a_case_rates_it(
    send: Send, partner: Account, new_case: dict[str, Any]
) -> None:
    case = send("post", "helpdesk/cases", new_case).json()["id"]
    theirs = TokenFactory(account=partner, modules=(Module.HELPDESK,))
    send("post", f"helpdesk/cases/{case}/resolve", key=theirs)
    refused(
        send("post", f"helpdesk/cases/{case}/close", {"rating": 5}, key=theirs),
        status=403,
        code="AUTH_005",
    )
    assert send("post", f"helpdesk/cases/{case}/close", key=theirs).json()["state"] == "closed"


def test_a_company_without_an_active_contract_is_no_partner(
    send: Send, account: Account, new_case: dict[str, Any]
) -> None:
    from modules.models import Contract

    Contract.objects.update(status=Contract.Status.REJECTED)
    refused(send("post", "helpdesk/cases", new_case), "receiver.account.id: ")
    assert send("get", "partners").json() == []


def test_who_opened_a_case_changes_it_until_it_is_closed(
    send: Send, partner: Account, new_case: dict[str, Any]
) -> None:
    case = send("post", "helpdesk/cases", new_case).json()["id"]
    assert (
        send(
            "put",
            f"helpdesk/cases/{case}",
            {"subject": "Orders fail", "state": "closed", "rating": 5},
        ).json()["subject"]
        == "Orders fail"
    )
    kept = Case.objects.get()
    assert (kept.state, kept.rating) == ("pending", None)
    theirs = TokenFactory(account=partner, modules=(Module.HELPDESK,))
    refused(
        send("put", f"helpdesk/cases/{case}", {"subject": "x"}, key=theirs),
        status=403,
        code="AUTH_005",
    )
    # Either side may answer it.
    assert send("post", f"helpdesk/cases/{case}/inquire", key=theirs).json()["state"] == "inquiring"
    Case.objects.update(state="closed")
    refused(send("put", f"helpdesk/cases/{case}", {"subject": "x"}), "closed", code="HLP_001")


def test_a_case_of_others_does_not_exist(send: Send, new_case: dict[str, Any]) -> None:
    case = send("post", "helpdesk/cases", new_case).json()["id"]
    stranger = TokenFactory(account=AccountFactory(side="vendor"), modules=(Module.ALL,))
    for method, path in (("get", ""), ("put", ""), ("post", "/resolve")):
        refused(
            send(
                method,
                f"helpdesk/cases/{case}{path}",
                {} if method != "get" else None,
                key=stranger,
            ),
            status=404,
            code="NFND_000",
        )

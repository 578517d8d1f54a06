"""Programs open cases and move them on."""

from typing import Any

import pytest

from accounts.models import Account
from modules.models import Case
from tests.factories import (
    AccountFactory,
    ContractFactory,
    MembershipFactory,
    ProductFactory,
    TokenFactory,
)
from tests.modules.conftest import Send
from tests.modules.test_writes import refused
from tokens.catalog import Module
from tokens.models import Token


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
        code="AUTH_009",
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
        code="AUTH_009",
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

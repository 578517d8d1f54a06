"""What is not a filter, and what a filter reveals to whom."""

import json
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest

from accounts.models import Account
from api.queries import MAX_IGNORED
from modules.models import Case
from tests.conftest import Call
from tests.factories import AgreementFactory, ContractFactory, TokenFactory, UserFactory
from tokens.catalog import Module
from tokens.models import Token

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("requests", "like(assignee.email,*)"),
        ("requests", "eq(assignee.name,x)"),
        ("tier/accounts", "eq(parent.parent.id,x)"),
        ("contracts", "eq(agreement.description,x)"),
        ("users", "eq(password,x)"),
        ("auth/tokens", "eq(keys.digest,x)"),
        ("helpdesk/cases", "eq(created_by_id,x)"),
        ("helpdesk/cases", "like(issuer.agent.email,*)"),
    ],
)
def test_what_is_not_shown_cannot_be_filtered_or_ordered_by_and_is_reported(
    call: Call, account: Account, path: str, query: str
) -> None:
    token = TokenFactory(account=account, modules=(Module.ALL,))
    response = call(f"{path}?{query}", token)
    name = query.split("(")[1].split(",")[0]
    assert response.status_code == 200
    assert response["X-Ignored-Filters"] == name
    assert call(f"{path}?ordering({name})", token).status_code == 400


@pytest.fixture
def case(account: Account) -> tuple[Token, Token]:
    """Make a case that a token of the distributor opened and a token of its partner took up."""
    contract = ContractFactory(provider=account, vendor__name="Front Street Inc")
    mine = TokenFactory(account=account, modules=(Module.ALL,), name="Secret Project Sync")
    theirs = TokenFactory(account=contract.vendor, modules=(Module.ALL,), name="Their Bot")
    return mine, theirs


def test_the_partner_sees_whose_token_acted_and_not_which(
    call: Call, case: tuple[Token, Token]
) -> None:
    mine, theirs = case
    body = {
        "subject": "x",
        "description": "y",
        "type": "business",
        "receiver": {"account": {"id": theirs.account_id}},
    }
    made = call(
        "helpdesk/cases", mine, "post", data=json.dumps(body), content_type="application/json"
    ).json()
    assert (
        call(
            f"helpdesk/cases/{made['id']}/resolve", theirs, "post", content_type="application/json"
        ).status_code
        == 200
    )
    own = call(f"helpdesk/cases/{made['id']}", mine).json()["events"]
    seen = call(f"helpdesk/cases/{made['id']}", theirs).json()["events"]
    assert own["created"]["by"] == {"id": mine.pk, "name": mine.name}
    assert own["resolved"]["by"] == {"id": theirs.account_id, "name": "Front Street Inc"}
    assert seen["created"]["by"] == {"id": mine.account_id, "name": mine.account.name}
    assert seen["resolved"]["by"] == seen["updated"]["by"] == {"id": theirs.pk, "name": theirs.name}
    for path in ("helpdesk/cases", f"helpdesk/cases/{made['id']}"):
        assert mine.pk not in call(path, theirs).content.decode()
        assert mine.name not in call(path, theirs).content.decode()


@pytest.mark.parametrize("event", ["created", "updated", "pending"])
def test_no_filter_tells_the_partner_which_token_acted(
    call: Call, case: tuple[Token, Token], event: str
) -> None:
    mine, theirs = case
    body = {
        "subject": "x",
        "description": "y",
        "type": "business",
        "receiver": {"account": {"id": theirs.account_id}},
    }
    call("helpdesk/cases", mine, "post", data=json.dumps(body), content_type="application/json")
    for query, own, others in (
        (f"eq(events.{event}.by.id,{mine.pk})", 1, 0),
        (f"like(events.{event}.by.name,Secret*)", 1, 0),
        (f"eq(events.{event}.by.id,{mine.account_id})", 0, 1),
        (f"ne(events.{event}.by.id,{mine.pk})", 0, 1),
        (f'eq(events.{event}.by.name,"{mine.account.name}")', 0, 1),
    ):
        assert (
            len(call(f"helpdesk/cases?{query}", mine).json()),
            len(call(f"helpdesk/cases?{query}", theirs).json()),
        ) == (own, others), query


def test_a_person_is_named_to_both_sides(call: Call, case: tuple[Token, Token]) -> None:
    mine, theirs = case
    person = UserFactory(name="Elena Ruiz")
    # The type checker does not know that a model has such a field.
    made: dict[str, Any] = {"created_by": person}
    Case.objects.create(
        subject="x",
        description="y",
        type="business",
        vendor=theirs.account,
        provider=mine.account,
        issuer=mine.account,
        receiver=theirs.account,
        **made,
    )
    for token in case:
        (row,) = call("helpdesk/cases?eq(events.created.by.name,Elena Ruiz)", token).json()
        assert row["events"]["created"]["by"] == {"id": person.pk, "name": "Elena Ruiz"}
        assert "by" not in row["events"].get("resolved", {})


def test_actors_of_stored_cases_become_columns_and_tokens_get_their_account() -> None:
    with_account = import_module("modules.migrations.0005_accounts_of_actors").with_account
    columns = import_module("modules.migrations.0007_actors_of_cases").columns
    stored = {
        "created": {"id": "SU-1", "name": "A"},
        "updated": {"id": "UR-1", "name": "B"},
        "pending": {"id": "SU-000-000-000", "name": "C"},
    }
    found = columns(
        {event: with_account(actor, {"SU-1": "PA-063-101"}) for event, actor in stored.items()}
    )
    assert {column: text for column, text in found.items() if text} == {
        "created_by_id": "SU-1",
        "created_by_name": "A",
        "created_by_account": "PA-063-101",
        "updated_by_id": "UR-1",
        "updated_by_name": "B",
    }


def test_sums_over_dealings_count_the_own_alone(call: Call, account: Account) -> None:
    token = TokenFactory(account=account, modules=(Module.ALL,))
    agreement = AgreementFactory(provider=account)
    ContractFactory(agreement=agreement, provider=account, vendor=agreement.vendor)
    ContractFactory(agreement=agreement)
    assert call(f"agreements/{agreement.pk}", token).json()["stats"]["contracts"] == 1


# --- Names that are not filters -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "ignored"),
    [
        ("", None),
        ("type=program&limit=1&offset=0", None),
        ("nope=1", "nope"),
        ("or(nope=1,a.b=2)&in(c,(1,2))&ilike(nope,*x*)", "nope, a.b, c"),
        ("ne%C3%A9=1", "ne%C3%A9"),
        ("a" * 500 + "=1", "a" * 64),
        ("&".join(f"n{n}=1" for n in range(40)), ", ".join(f"n{n}" for n in range(MAX_IGNORED))),
    ],
)
def test_names_that_are_no_filters_are_told(
    call: Call, token: Token, query: str, ignored: str | None
) -> None:
    for _ in range(2):  # the second answer comes from a kept plan
        response = call(f"agreements?{query}", token)
        assert response.status_code == 200
        assert response.headers.get("X-Ignored-Filters") == ignored


def test_a_search_where_nothing_is_searched_is_told(call: Call, account: Account) -> None:
    token = TokenFactory(account=account, modules=(Module.ALL,))
    assert call("requests?search=x", token)["X-Ignored-Filters"] == "search"


# --- Moments --------------------------------------------------------------------------------------


def test_moments_are_compared_as_they_are_shown(call: Call, account: Account, token: Token) -> None:
    """They are shown to the second and stored to the microsecond.

    Asking for what is later than the last record seen must not return that record again.
    """
    AgreementFactory(
        provider=account, created_at=datetime(2024, 1, 31, 10, 20, 30, 123456, tzinfo=UTC)
    )
    seen = call("agreements", token).json()[0]["created"]
    for query, count in (("eq", 1), ("ne", 0), ("ge", 1), ("gt", 0), ("le", 1), ("lt", 0)):
        assert len(call(f"agreements?{query}(created,{seen})", token).json()) == count, query
    assert len(call(f"agreements?in(created,({seen}))", token).json()) == 1

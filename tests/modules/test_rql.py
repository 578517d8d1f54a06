"""What a query can ask of a resource, and what it cannot."""

from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from api.resource import Resource
from modules.models import Agreement, Contract
from modules.urls import RESOURCES
from tests.conftest import Call
from tests.factories import (
    AccountFactory,
    AgreementFactory,
    ContractFactory,
    CustomerFactory,
    TokenFactory,
)
from tokens.catalog import Module
from tokens.models import Token

# Titles, by the last digit of the id.
TITLES = ("Cloud Backup", "Cloud Mail", "Söder & Söhne, (Iberia)", "100% Storage*", "two words", "")


@pytest.fixture
def agreements(account: Account) -> list[Agreement]:
    start = datetime(2024, 1, 31, 10, 20, 30, tzinfo=UTC)
    vendor = AccountFactory(side="vendor", name="Front Street Inc")
    kinds = ("distribution", "program", "service", "distribution", "program", "service")
    return [
        AgreementFactory(
            id=f"AGD-000-000-00{n}",
            provider=account,
            vendor=vendor,
            owner=vendor if kinds[n] == "service" else account,
            title=title,
            type=kinds[n],
            active=n != 1,
            created_at=start + timedelta(days=n),
            updated_at=start - timedelta(days=n),
        )
        for n, title in enumerate(TITLES)
    ]


class Find(Protocol):
    """Gives the last digits of the ids that a query finds, in order."""

    def __call__(self, query: str, expected: int = 200) -> str: ...


@pytest.fixture
def found(call: Call, token: Token, agreements: list[Agreement]) -> Find:
    """Return the last digits of the ids that a query finds, in order."""

    def do(query: str, expected: int = 200) -> str:
        response = call(f"agreements?{query}", token)
        assert response.status_code == expected, response.content
        return "".join(row["id"][-1] for row in response.json())

    return do


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", "543210"),
        # Three notations of the same query.
        ("type=service", "52"),
        ("eq(type,service)", "52"),
        ("type=eq=service", "52"),
        ("ne(type,service)", "4310"),
        ("active=false", "1"),
        # An enum ignores case; values that only the original has find nothing.
        ("type=Service", "52"),
        ("in(type,(service,syndication))", "52"),
        # A single value, as CloudBlue's connector for MuleSoft writes it.
        ("in(type,service)", "52"),
        ("out(type,service)", "4310"),
        ('in(title,"Cloud Mail")', "1"),
        ("not(in(type,service))", "4310"),
        ("type=syndication", ""),
        ("in(id,(AGD-000-000-000,AGD-000-000-005))", "50"),
        ("out(id,(AGD-000-000-000,AGD-000-000-005))", "4321"),
        ("ge(created,2024-02-03T10:20:30+00:00)", "543"),
        ("gt(created,2024-02-03T10:20:30+00:00)", "54"),
        ("le(created,2024-02-01T10:20:30+00:00)", "10"),
        ("lt(created,2024-02-01T10:20:30+00:00)", "0"),
        # Another time zone, no time zone (UTC is assumed), no time.
        ("lt(created,2024-02-01T12:20:30+02:00)", "0"),
        ("ge(created,2024-02-03T10:20:30)", "543"),
        ("ge(created,2024-02-03)", "543"),
        ("like(title,Cloud*)", "10"),
        ("like(title,*Mail)", "1"),
        ("like(title,*a*)", "3210"),
        ("like(title,Cloud Mail)", "1"),
        ("like(title,C*d*l)", "1"),
        ("ilike(title,cloud*)", "10"),
        ("ilike(title,*BACK*)", "0"),
        (r"like(title,*Storage\*)", "3"),
        ("and(eq(type,service),like(title,S*))", "2"),
        ("or(eq(type,service),eq(active,false))", "521"),
        ("not(eq(type,service))", "4310"),
        ("type=service&like(title,S*)", "2"),
        ("(type=service|active=false)", "521"),
        ("(type=service;active=false)", "521"),
        ("eq(owner.name,Front Street Inc)", "52"),
        ("owner__name=Front Street Inc", "52"),
        ("eq(marketplace.id,null())", "543210"),
        ("ne(marketplace.id,null())", ""),
        ("ordering(created)", "012345"),
        ("ordering(-created)", "543210"),
        ("ordering(updated)", "543210"),
        ("type=service&ordering(created)&limit=1", "2"),
        ("search=cloud", "10"),
        ("search=two+words", "4"),
        ("search=two%20words", "4"),
        ("search=front street", "52"),
        ("search=front+street", "52"),
        # A search term needs no quotes, whatever it contains.
        ("search=100%25", "3"),
        ("search=%26", "2"),
        ("search=(", "2"),
        ("search=,%20(", "2"),
        ("search=%22cloud%22", "10"),
        ("search=" + quote("\"Söder\" & 'x'"), ""),
        ("search=%F0%9F%99%82", ""),
        ("search=cloud&search=mail", "1"),
        # As a form encodes it: plus is a space, and percent-encoded characters need no quotes.
        ("title=two+words", "4"),
        ("title=eq=two+words", "4"),
        ("title=ne=two+words&title=ne=Cloud+Mail", "53 20".replace(" ", "")),
        ("title=S%C3%B6der+%26+S%C3%B6hne%2C+%28Iberia%29", "2"),
        ("title=100%25+Storage*", "3"),
        ("owner.name=Front+Street+Inc", "52"),
        ("created=ge=2024-02-03T10:20:30+00:00", "543"),
        ("created=ge=2024-02-03T10%3A20%3A30%2B00%3A00", "543"),
        ("created=2024-02-03T10:20:30+00:00&title=Cloud+Backup", ""),
        ("eq(title,two+words)", ""),
        # Encoded as a whole, as by CloudBlue's connector for MuleSoft.
        ("limit%3D2%26offset%3D1", "43"),
        ("eq%28title%2Ctwo+words%29%26limit%3D2", "4"),
        ("like%28title%2C*wo+wor*%29%26ordering%28created%29", "4"),
        ("%28eq%28title%2Ctwo+words%29%7Ceq%28title%2CCloud+Backup%29%29", "40"),
        ("ge%28created%2C2024-02-03T10%3A20%3A30%2B00%3A00%29", "543"),
        # Names that need quotes.
        ('title="' + quote("Söder & Söhne, (Iberia)") + '"', "2"),
        ("title='100%25 Storage*'", "3"),
        ("like(title,*" + quote("ö") + "*)", "2"),
        # Unknown names are ignored.
        ("nope=1&type=service", "52"),
        ("in(nope,(1,2))", "543210"),
        ("limit=2&offset=1&type=program", "1"),
        ("type=program&offset=1", "1"),
    ],
)
def test_a_query_finds(found: Find, query: str, ids: str) -> None:
    assert found(query) == ids


def test_a_zone_with_a_plus_survives_the_way_that_clients_send_it(
    found: Find,
) -> None:
    # `+` arrives unescaped; reading it as a space, as in forms, would break every date.
    assert (
        found("and(ge(created,2024-02-01T10:20:30+00:00),lt(created,2024-02-02T10:20:30+00:00))")
        == "1"
    )


@pytest.mark.parametrize(
    "query",
    [
        "and(eq(type,service)",
        "eq(type)",
        "like(title,**)",
        "ordering(nope)",
        "ordering(created)&ordering(updated)",
        "ordering(created,updated,created,updated,created,updated)",
        "select(nope)",
        "select(-title)&select(-id)",
        "type=nope",
        "in(type,(program,nope))",
        "in(type,nope)",
        "in(type,)",
        "in(type)",
        "in(type,())",
        "in(type,program,service)",
        "in(type,((program)))",
        "active=perhaps",
        "ge(title,A)",
        "title=%22a%22+b%27",
        "ge(created,yesterday)",
        "ge(created,2024-13-45)",
        "eq(title,null())",
        "limit=1&limit=2",
        "limit=1&limit=2&offset=0",
        "limit=1&limit=2&offset=0&offset=0",
        "gt(limit,1)",
        "name=C&D,",
        "a&&b",
        "=",
        "(",
        "type=service)",
        "x=t(a=1)",
        "a=1\0",
        'eq(title,"a%00b")',
    ],
)
def test_a_query_that_is_wrong_is_400_with_a_reason(
    call: Call, token: Token, agreements: list[Agreement], query: str
) -> None:
    response = call(f"agreements?{query}", token)
    assert response.status_code == 400
    body = response.json()
    assert body["error_code"] == "VAL_001"
    assert len(body["errors"]) == 1
    assert isinstance(body["errors"][0], str)
    assert body["errors"][0]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("like(description,Since*Mon*here)", True),
        ("like(description,*Mon*day*)", True),
        ("like(description,*day*Mon*)", False),
        ("like(description,Mon*day*here)", False),
        ("like(description,S*e*M*e)", True),
        ("like(description,S*e*M*ex)", False),
        ("ilike(description,since*mon*HERE)", True),
        (r"like(description,Since*\**here)", False),
    ],
)
def test_a_star_stands_for_any_letters_line_ends_too(
    call: Call, account: Account, query: str, found: bool
) -> None:
    from modules.models import Case

    vendor = AccountFactory(side="vendor")
    sides = {"vendor": vendor, "provider": account, "issuer": account, "receiver": vendor}
    Case.objects.create(subject="x", description="Since\nMonday here", type="business", **sides)
    token = TokenFactory(account=account, modules=(Module.HELPDESK,))
    assert len(call(f"helpdesk/cases?{query}", token).json()) == found


def test_a_moment_beyond_the_ends_of_time_is_told(call: Call, token: Token) -> None:
    assert call("agreements?le(created,9999-12-31T23:59:59-14:00)", token).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "like(title,t(a=b))",
        "ilike(title,t(like(a,b)))",
        "in(type,(t(a=1)))",
        "in(type,t(a=1))",
        "eq(title,t(a=b))",
    ],
)
def test_a_tuple_where_a_value_belongs_is_no_failure(call: Call, token: Token, query: str) -> None:
    assert call(f"agreements?{query}", token).status_code in {200, 400}


@pytest.mark.parametrize(
    "query",
    [
        "ge(created,0001-01-01T00:00:00+14:00)",
        "le(created,9999-12-31T23:59:59-14:00)",
        "in(created,(0001-01-01T00:00:00+14:00,9999-12-31T23:59:59-14:00))",
    ],
)
def test_moments_at_the_ends_of_time_never_fail(
    call: Call, token: Token, agreements: list[Agreement], query: str
) -> None:
    assert call(f"agreements?{query}", token).status_code in {200, 400}


@pytest.mark.parametrize(
    "number", ["99999999999999999999", "-99999999999999999999", "9" * 4000, "NaN", "1.5", "²"]
)
@pytest.mark.parametrize("name", ["stats.contracts", "priority"])
def test_numbers_no_column_can_hold_never_fail(
    call: Call, account: Account, number: str, name: str
) -> None:
    token = TokenFactory(account=account, modules=(Module.ALL,))
    for path in ("marketplaces", "helpdesk/cases"):
        for look_up in ("eq", "ne", "ge", "lt", "in"):
            value = f"({number})" if look_up == "in" else number
            assert call(f"{path}?{look_up}({name},{value})", token).status_code in {200, 400}


def test_empty_texts_can_be_asked_for(call: Call, account: Account) -> None:
    token = TokenFactory(account=account, modules=(Module.ALL,))
    with_id, without = (
        CustomerFactory(provider=account, external_id="7"),
        CustomerFactory(provider=account),
    )
    assert [row["id"] for row in call("tier/accounts?eq(external_id,empty())", token).json()] == [
        without.pk
    ]
    assert [row["id"] for row in call("tier/accounts?ne(external_id,empty())", token).json()] == [
        with_id.pk
    ]


def test_select_leaves_out_and_keeps(call: Call, token: Token, agreements: list[Agreement]) -> None:
    whole = call("agreements?limit=1", token).json()[0]
    assert {"owner", "stats", "title"} <= set(whole)
    less = call("agreements?select(-owner,-stats.versions,title)&limit=1", token).json()[0]
    assert set(less) == set(whole) - {"owner"}
    assert less["stats"] == {"contracts": whole["stats"]["contracts"]}
    # The id always stays, and hiding a field that does not exist is allowed.
    assert "id" in call("agreements?select(-id,-nope.x)&limit=1", token).json()[0]


def test_ties_are_ordered_by_the_id_so_that_pages_hold_each_record_once(
    call: Call, token: Token, agreements: list[Agreement]
) -> None:
    Agreement.objects.update(created_at=datetime(2024, 1, 1, tzinfo=UTC))
    for order in ("ordering(created)", "ordering(-created)", ""):
        seen = [
            call(f"agreements?{order}&limit=1&offset={n}", token).json()[0]["id"] for n in range(6)
        ]
        assert len(set(seen)) == 6


def test_a_filter_over_many_rows_finds_each_record_once(call: Call, account: Account) -> None:
    token = TokenFactory(
        account=account, modules=(Module.AGREEMENTS, Module.CONTRACTS, Module.INTEGRATIONS)
    )
    response = call("auth/tokens?in(permissions.id,(MD-9001,MD-9002,MD-0007))", token)
    assert [row["id"] for row in response.json()] == [token.pk]
    assert response["Content-Range"] == "items 0-0/1"


def test_what_one_account_asked_is_never_answered_to_another(
    call: Call, token: Token, agreements: list[Agreement]
) -> None:
    """Compiled queries are kept and shared; the account must not be."""
    other = AgreementFactory(title="Cloud of others")
    theirs = TokenFactory(account=other.provider)
    vendors = TokenFactory(account=other.vendor)
    for query in ("", "like(title,Cloud*)", "like(title,Cloud*)&limit=5&offset=0", "search=cloud"):
        mine = {row["id"] for row in call(f"agreements?{query}", token).json()}
        assert mine
        assert other.pk not in mine
        assert [row["id"] for row in call(f"agreements?{query}", theirs).json()] == [other.pk]
        assert [row["id"] for row in call(f"agreements?{query}", vendors).json()] == [other.pk]


def test_a_value_cannot_pose_as_the_account(
    call: Call, token: Token, agreements: list[Agreement]
) -> None:
    other = AgreementFactory()
    for value in ("PA-%00account", '"PA-%00account"', "VA-%00account"):
        assert call(f"agreements?eq(owner.id,{value})", token).status_code == 400
    assert call(f"agreements?eq(owner.id,{other.owner_id})", token).json() == []


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_every_filter_ordering_and_search_of_every_collection_works(
    call: Call, account: Account, resource: Resource
) -> None:
    token = TokenFactory(account=account, modules=(Module.ALL,))
    path = resource.path.replace("<parent>", token.pk)
    others = ("products/", "accounts/", "conversations/", "notifications/webhooks/")
    missing = 404 if resource.path.startswith(others) else 200

    def asked(*queries: str) -> set[int]:
        answers = {call(f"{path}?{query}", token).status_code for query in queries}
        assert answers <= {missing, 400}, queries
        return answers

    for name in resource.filter_names:
        # Each name accepts at least one of these.
        assert missing in asked(
            f"{name}=x",
            f"ilike({name},*a*)",
            f"in({name},(a,b))",
            f"ge({name},2024-01-01)",
            f"ge({name},1)",
            f"{name}=true",
        ), name
    for query in (*(f"ordering({name})" for name in resource.ordering), "search=a"):
        if query != "search=a" or resource.search:
            assert asked(query) == {missing}, query


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.text(max_size=60),
        st.from_regex(
            r"(and|or|not|eq|in|like|select|ordering|t|null|limit)?[a-z(),=&|;*\"'+.\-0-9]{0,40}"
        ),
    )
)
def test_no_query_whatever_is_a_server_error(call: Call, token: Token, query: str) -> None:
    response = call(f"agreements?{quote(query, safe='(),=&|;*+')}", token)
    assert response.status_code in {200, 400}
    assert response["Content-Type"] == "application/json"


def test_counts_are_of_what_the_filter_leaves(
    call: Call, token: Token, agreements: list[Agreement]
) -> None:
    assert call("agreements?type=service&limit=1&offset=0", token)["Content-Range"] == "items 0-0/2"
    assert call("agreements?type=service&limit=0&offset=0", token)["Content-Range"] == "items 0-0/2"
    assert call("agreements?title=nope", token)["Content-Range"] == "items 0-0/0"


def test_filters_by_a_count_and_by_a_nested_record(call: Call, account: Account) -> None:
    contract = ContractFactory(provider=account, agreement__title="Cloud Backup", status="active")
    token = TokenFactory(account=account, modules=(Module.ALL,))
    assert call("contracts?agreement.name=Cloud Backup", token).json()[0]["id"] == contract.pk
    assert call("contracts?agreement__name=Cloud Backup", token).json()[0]["id"] == contract.pk
    assert (
        call(f"partners?ge(stats.contracts.{contract.type},1)", token).json()[0]["id"]
        == contract.vendor_id
    )
    Contract.objects.update(status="terminated")
    assert call(f"partners?ge(stats.contracts.{contract.type},1)", token).json() == []

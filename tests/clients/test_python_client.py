"""connect-openapi-client, unmodified: both its clients get what they ask for.

That is, the synchronous and the asynchronous one.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import pytest

from tests.clients.asking import ADDRESS, BAD_QUERY, Ask, ids, rows_at
from tests.clients.conftest import (
    AGREEMENTS,
    DISTRIBUTOR,
    VENDOR,
    Api,
    ClientError,
    Row,
    Script,
)

# --- Pages ----------------------------------------------------------------------------------------


def test_a_loop_over_a_collection_meets_each_row_once(ask: Ask, api: Api) -> None:
    rows = ask("client.agreements.all()")
    assert len(rows) == AGREEMENTS
    assert rows == api.rows("agreements")


@pytest.mark.parametrize("limit", [1, 7, 72, 1000])
def test_the_size_of_the_pages_makes_no_difference(ask: Ask, api: Api, limit: int) -> None:
    assert ask("client.contracts.all().limit(limit)", limit=limit) == api.rows("contracts")


def test_the_size_of_the_pages_may_be_larger_than_what_the_portal_gives_at_once(
    ask: Ask, api: Api
) -> None:
    assert ask("client.contracts.all().limit(5000)") == api.rows("contracts")


@pytest.mark.parametrize(
    "path",
    [
        "agreements",
        "contracts",
        "products",
        "tier/accounts",
        "helpdesk/cases",
        "hubs",
        "auth/tokens",
    ],
)
def test_counts(ask: Ask, api: Api, path: str) -> None:
    assert ask(f"{rows_at(path)}.count()") == len(api.rows(path))


def test_counts_what_a_filter_leaves_and_nothing(ask: Ask, api: Api) -> None:
    assert ask("client.agreements.filter(type='program').count()") == len(
        [row for row in api.rows("agreements") if row["type"] == "program"]
    )
    assert ask("client.agreements.filter(id='AGD-000-000-000').count()") == 0


@pytest.mark.parametrize(
    ("first", "last"), [(2, 7), (0, 100), (95, 260), (300, 1000), (5000, 5010)]
)
def test_slices(ask: Ask, api: Api, first: int, last: int) -> None:
    assert (
        ask("client.agreements.all()[first:last]", first=first, last=last)
        == api.rows("agreements")[first:last]
    )


def test_the_first_row_and_none_of_nothing(ask: Ask, api: Api) -> None:
    assert ask("client.agreements.all().first()") == api.rows("agreements")[0]
    assert ask("client.agreements.filter(id='AGD-000-000-000').first()") is None


def test_a_collection_without_rows_is_an_empty_one(ask: Ask, api: Api) -> None:
    assert ask("client.hubs.all()", key=api.vendor) == []
    assert ask("client.hubs.all().count()", key=api.vendor) == 0


def test_an_endpoint_with_a_final_slash_will_do(ask: Ask, api: Api) -> None:
    assert ask("client.contracts.all()", endpoint=f"{api.endpoint}/") == api.rows("contracts")


def test_one_row_and_whether_it_exists(ask: Ask, api: Api) -> None:
    row = api.rows("agreements")[-1]
    assert ask("client.agreements[id].get()", id=row["id"]) == row
    assert ask("client.agreements[id].exists()", id=row["id"]) is True
    assert ask("client.agreements['AGD-000-000-000'].exists()") is False


def test_chosen_values(ask: Ask, api: Api) -> None:
    assert ask("client.contracts.all().values_list('id', 'agreement.name')") == [
        {"id": row["id"], "agreement.name": row["agreement"]["name"]}
        for row in api.rows("contracts")
    ]


def test_two_companies_see_what_is_theirs(ask: Ask, api: Api) -> None:
    seen = {
        account: set(ids(ask("client.agreements.all()", key=key)))
        for account, key in ((DISTRIBUTOR, api.distributor), (VENDOR, api.vendor))
    }
    assert seen[DISTRIBUTOR] & seen[VENDOR]
    assert seen[DISTRIBUTOR] - seen[VENDOR]
    assert seen[VENDOR] - seen[DISTRIBUTOR]
    assert ask("client.accounts.all().first()")["id"] == DISTRIBUTOR
    assert ask("client.accounts.all().first()", key=api.vendor)["id"] == VENDOR


# --- Filters --------------------------------------------------------------------------------------

# The resource, the filter, and which of its records match.
FILTERS = (
    # Each operator, as a keyword or as a method.
    ("agreements", "filter(type='program')", lambda row: row["type"] == "program"),
    ("agreements", "filter(active=True)", itemgetter("active")),
    ("agreements", "filter(R().active.eq(False))", lambda row: not row["active"]),
    ("agreements", "filter(R().type.ne('program'))", lambda row: row["type"] != "program"),
    (
        "agreements",
        "filter(created__ge='2021-06-30T19:03:00+00:00')",
        lambda row: row["created"] >= "2021-06-30T19:03:00+00:00",
    ),
    (
        "agreements",
        "filter(R().created.gt('2021-06-30T19:03:00+00:00'))",
        lambda row: row["created"] > "2021-06-30T19:03:00+00:00",
    ),
    (
        "agreements",
        "filter(R().created.le('2021-06-30T19:03:00+00:00'))",
        lambda row: row["created"] <= "2021-06-30T19:03:00+00:00",
    ),
    (
        "agreements",
        "filter(R().created.lt('2021-06-30T19:03:00+00:00'))",
        lambda row: row["created"] < "2021-06-30T19:03:00+00:00",
    ),
    ("agreements", "filter(created__lt='2021-07-01')", lambda row: row["created"] < "2021-07-01"),
    ("helpdesk/cases", "filter(priority__ge=2)", lambda row: row["priority"] >= 2),
    ("helpdesk/cases", "filter(priority__lt=2)", lambda row: row["priority"] < 2),
    (
        "agreements",
        "filter(type__in=('program', 'service'))",
        lambda row: row["type"] in {"program", "service"},
    ),
    (
        "agreements",
        "filter(R().type.oneof(['program', 'service']))",
        lambda row: row["type"] in {"program", "service"},
    ),
    ("agreements", "filter(R().type.in_(['program']))", lambda row: row["type"] == "program"),
    (
        "agreements",
        "filter(type__out=('program', 'service'))",
        lambda row: row["type"] not in {"program", "service"},
    ),
    ("agreements", "filter(title__like='Cloud*')", lambda row: row["title"].startswith("Cloud")),
    (
        "agreements",
        "filter(R().title.like('*Iberia'))",
        lambda row: row["title"].endswith("Iberia"),
    ),
    (
        "agreements",
        "filter(R().title.ilike('*PROGRAM agree*'))",
        lambda row: "program agree" in row["title"].lower(),
    ),
    (
        "agreements",
        "filter(R().title.like('Cloud Backup*Nordics'))",
        lambda row: row["title"].startswith("Cloud Backup") and "Nordics" in row["title"],
    ),
    # Nested names, in three notations.
    (
        "agreements",
        "filter(owner__id='VA-044-420')",
        lambda row: row["owner"]["id"] == "VA-044-420",
    ),
    (
        "agreements",
        "filter(R().owner.name.eq('Front Street Inc'))",
        lambda row: row["owner"]["name"] == "Front Street Inc",
    ),
    ("hubs", "filter(instance__type='OA')", lambda row: row["instance"]["type"] == "OA"),
    (
        "agreements",
        "filter(R().n('marketplace.name').like('*lux'))",
        lambda row: row["marketplace"]["name"] == "Benelux",
    ),
    # And, or, not.
    (
        "agreements",
        "filter(type='program', active=True)",
        lambda row: row["type"] == "program" and row["active"],
    ),
    (
        "agreements",
        "filter(R(type='program') | R(active=False))",
        lambda row: row["type"] == "program" or not row["active"],
    ),
    (
        "agreements",
        "filter(R(active=True) & ~R(type='program'))",
        lambda row: row["active"] and row["type"] != "program",
    ),
    (
        "agreements",
        "filter((R(type='program') | R(type='service')) & (R(active=False) | "
        "R().owner.id.eq('VA-044-420')))",
        lambda row: (
            row["type"] in {"program", "service"}
            and (not row["active"] or row["owner"]["id"] == "VA-044-420")
        ),
    ),
    (
        "agreements",
        "filter(type='program').filter(active=False)",
        lambda row: row["type"] == "program" and not row["active"],
    ),
    # Missing values, and values that are an empty string.
    ("helpdesk/cases", "filter(product__id__null=True)", lambda row: "product" not in row),
    ("helpdesk/cases", "filter(R().product.id.null(False))", lambda row: "product" in row),
    (
        "helpdesk/cases",
        "filter(R().events.resolved.at.null(True))",
        lambda row: "resolved" not in row["events"],
    ),
    ("tier/accounts", "filter(R().parent.id.null(True))", lambda row: "parent" not in row),
    ("auth/tokens", "filter(external_id__empty=True)", lambda row: row["external_id"] == ""),
    ("auth/tokens", "filter(R().external_id.empty(False))", lambda row: row["external_id"] != ""),
    (
        "auth/tokens",
        "filter(R().expiration_date.null(False))",
        lambda row: "expiration_date" in row,
    ),
    # Hand-written RQL.
    (
        "agreements",
        "filter('eq(type,program)', 'eq(active,true)')",
        lambda row: row["type"] == "program" and row["active"],
    ),
    (
        "agreements",
        "filter('(type=program|type=service)')",
        lambda row: row["type"] in {"program", "service"},
    ),
    (
        "agreements",
        "filter('''eq(owner.name,\"Mighty Mick's LLC\")''')",
        lambda row: row["owner"]["name"] == "Mighty Mick's LLC",
    ),
    # An unknown name is ignored, as in the original.
    ("agreements", "filter(nonsense='x')", lambda row: True),
    (
        "requests",
        "filter(status__in=('approved', 'revoked'))",
        lambda row: row["status"] in {"approved", "revoked"},
    ),
    # A type that no record can have finds nothing: the client's own reports ask for some that only
    # the original has.
    (
        "contracts",
        "filter(type__in=('program', 'syndication'))",
        lambda row: row["type"] == "program",
    ),
    # Words that a form would encode with a plus.
    ("agreements", "search('Cloud Backup')", lambda row: "Cloud Backup" in row["title"]),
    # Characters that have a meaning in RQL or in a URL.
    (
        "agreements",
        "search('Mighty Mick\\'s')",
        lambda row: row["owner"]["name"] == "Mighty Mick's LLC",
    ),
    (
        "agreements",
        "search('front street')",
        lambda row: row["owner"]["name"] == "Front Street Inc",
    ),
    (
        "agreements",
        "filter(type='service').search('Front Street')",
        lambda row: row["type"] == "service" and row["owner"]["name"] == "Front Street Inc",
    ),
)


@pytest.mark.parametrize(
    ("path", "asked", "wanted"), FILTERS, ids=[asked for _, asked, _ in FILTERS]
)
def test_a_filter_leaves_the_rows_that_it_names(
    ask: Ask, api: Api, path: str, asked: str, wanted: Callable[[Row], Any]
) -> None:
    everything = api.rows(path)
    left = [row for row in everything if wanted(row)]
    assert left, "The demo data has no such row."
    assert ask(f"{rows_at(path)}.{asked}") == left


ORDERS = (
    ("agreements", ("created",), itemgetter("created")),
    ("contracts", ("agreement.name",), lambda row: row["agreement"]["name"]),
    (
        "helpdesk/cases",
        ("priority", "events.created.at"),
        lambda row: (row["priority"], row["events"]["created"]["at"]),
    ),
    (
        "helpdesk/cases",
        ("-priority", "events.created.at"),
        lambda row: (-row["priority"], row["events"]["created"]["at"]),
    ),
)


@pytest.mark.parametrize(("path", "names", "key"), ORDERS)
def test_order(
    ask: Ask, api: Api, path: str, names: tuple[str, ...], key: Callable[[Row], Any]
) -> None:
    rows = ask(f"{rows_at(path)}.order_by(*names).limit(9)", names=names)
    assert [key(row) for row in rows] == sorted(key(row) for row in api.rows(path))
    assert sorted(ids(rows)) == sorted(ids(api.rows(path)))


def test_select_leaves_out_and_leaves_in(ask: Ask, api: Api) -> None:
    (row,) = ask(
        "client.agreements.all().select('-owner', '-version.link', '-nonsense', 'marketplace')[0:1]"
    )
    (whole,) = api.rows("agreements")[:1]
    del whole["owner"], whole["version"]["link"]
    assert row == whole


# --- Values that need care ------------------------------------------------------------------------

NAMES = (
    "Blå, Grøn & Søn (Nørrebro)",
    "100% Ärger + 50 = 漢字; [x] {y} <z>",
    'Die "Größe"/Maße | a^b `c` ~d!',
    r"C:\Möbel\1 ?a=b:c@d $e 😀",
)


@pytest.fixture(scope="module")
def odd_names(python_client: Script, api: Api) -> list[str]:
    """Make customers whose names need quotes in a query."""
    for name in NAMES:
        made = {"name": name, "contact_info": ADDRESS}
        code = "client.ns('tier').accounts.create(made)"
        python_client.ask(
            code=code,
            kind="ConnectClient",
            key=api.distributor,
            endpoint=api.endpoint,
            specs=None,
            names={"made": made},
        )
    return list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_quotes_finds_itself(ask: Ask, odd_names: list[str], name: str) -> None:
    quote = "'" if '"' in name else '"'
    for query in (
        f"eq(name,{quote}{name}{quote})",
        f"in(name,(nobody,{quote}{name}{quote}))",
        f"like(name,{quote}*{name[2:-2]}*{quote})",
        f"and(ne(name,nobody),eq(name,{quote}{name}{quote}))",
    ):
        assert ask("client.ns('tier').accounts.filter(query).values_list('name')", query=query) == [
            {"name": name}
        ], query


SEARCHES = (
    "Söder & Söhne, (Iberia)",
    "100% \"quoted\" 'twice'",
    "a;b|c=d",
    "🙂 (",
    "%",
    "&",
    "(",
    ",",
    '"',
)


@pytest.mark.parametrize("text", SEARCHES)
def test_a_search_holds_any_signs_or_its_error_says_how_to_write_them(
    ask: Ask, api: Api, text: str
) -> None:
    """The asynchronous client sends an & unescaped, which ends the term."""
    made = ask(
        "client.ns('tier').accounts.create(wanted)",
        wanted={"name": f"<{text}>", "contact_info": ADDRESS},
    )
    errors, found = None, []
    try:
        found = ask("client.ns('tier').accounts.all().search(text).values_list('id')", text=text)
    except ClientError as refused:
        errors = refused.errors
    ask("client.ns('tier').accounts[id].delete()", id=made["id"])
    assert {"id": made["id"]} in found or ("&" in text and errors == [BAD_QUERY])


# --- With the description of the API --------------------------------------------------------------


@pytest.fixture
def specs(api: Api) -> str:
    return f"{api.endpoint}/openapi.json"


def test_with_the_description_every_collection_is_known(ask: Ask, api: Api, specs: str) -> None:
    for path in (
        "agreements",
        "tier/accounts",
        "helpdesk/cases",
        "localization/locales",
        "auth/tokens",
    ):
        assert ask(f"{rows_at(path)}.limit(1000)", specs=specs) == api.rows(path)
    token = api.rows("auth/tokens")[-1]
    assert ask(
        "client.ns('auth').tokens[id].permissions.all()", specs=specs, id=token["id"]
    ) == api.rows(f"auth/tokens/{token['id']}/permissions")


def test_with_the_description_an_unknown_address_is_refused_without_a_request(
    ask: Ask, specs: str
) -> None:
    ask("client.accounts.all().first()", specs=specs)
    before = ask("log.requests")
    for code in (
        "client.nonsense.all().first()",
        "client.agreements.create({'title': 'Mine'})",
        "client.ns('helpdesk').cases['CA-000-000-000']('reopen').post()",
        "client.agreements['AGD-000-000-000'].delete()",
    ):
        with pytest.raises(ClientError, match="does not exist") as refused:
            ask(code, specs=specs)
        assert refused.value.status is None
    assert ask("log.requests") == before


def test_with_the_description_help_tells_what_there_is(ask: Ask, specs: str) -> None:
    assert "helpdesk" in ask("client.help()", specs=specs)
    assert "tokens" in ask("client.ns('auth').help()", specs=specs)
    assert "Contract templates that partners enrol in." in ask(
        "client.agreements.help()", specs=specs
    )
    case = ask("client.ns('helpdesk').cases['CA-000-000-000'].help()", specs=specs)
    assert all(action in case for action in ("pend", "inquire", "resolve", "close"))

"""connect-openapi-client, unmodified: both its clients get what they ask for.

That is, the synchronous and the asynchronous one.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any
from uuid import uuid4

import pytest

from tests.clients.conftest import AGREEMENTS, DISTRIBUTOR, VENDOR, Api, ClientError, Row, Script

Ask = Callable[..., Any]
NOBODY = "ApiKey SU-000-000-000:" + 40 * "0"


@pytest.fixture(scope="module")
def program(script: Callable[[str], Script]) -> Script:
    return script("python_client.py")


@pytest.fixture(params=["ConnectClient", "AsyncConnectClient"])
def ask(request: pytest.FixtureRequest, program: Script, api: Api) -> Ask:
    """Return a function: `ask("client.agreements.all().count()")` returns the client's answer.

    Names in the expression are passed as keyword arguments.
    """

    def ask(
        code: str,
        *,
        key: str = api.distributor,
        specs: str | None = None,
        endpoint: str = api.endpoint,
        **names: Any,
    ) -> Any:
        return program.ask(
            code=code, kind=request.param, key=key, endpoint=endpoint, specs=specs, names=names
        )

    return ask


def unused(name: str) -> str:
    """Return a name that no token has; that of a deleted one stays reserved."""
    return f"{name} {uuid4()}"


def ids(rows: list[Row]) -> list[str]:
    return [row["id"] for row in rows]


def rows_at(path: str) -> str:
    """Turn `tier/accounts` into `client.ns('tier').collection('accounts').all()`."""
    *spaces, name = path.split("/")
    return f"client{''.join(f'.ns({space!r})' for space in spaces)}.collection({name!r}).all()"


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
    # A status that no record can have finds nothing: the client's own reports ask for statuses that
    # only the original has.
    (
        "requests",
        "filter(status__in=('approved', 'revoked'))",
        lambda row: row["status"] == "approved",
    ),
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

CONTACT = {"first_name": "Åse", "last_name": "Sørensen", "email": "aase@example.com"}
ADDRESS = {
    "address_line1": "Nørregade 1",
    "city": "København",
    "postal_code": "1165",
    "country": "dk",
    "contact": CONTACT,
}
NAMES = (
    "Blå, Grøn & Søn (Nørrebro)",
    "100% Ärger + 50 = 漢字; [x] {y} <z>",
    'Die "Größe"/Maße | a^b `c` ~d!',
    r"C:\Möbel\1 ?a=b:c@d $e 😀",
)


@pytest.fixture(scope="module")
def odd_names(program: Script, api: Api) -> list[str]:
    """Make customers whose names need quotes in a query."""
    for name in NAMES:
        made = {"name": name, "contact_info": ADDRESS}
        code = "client.ns('tier').accounts.create(made)"
        program.ask(
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


# --- Mistakes -------------------------------------------------------------------------------------

BAD_QUERY = (
    "Bad filter query. Quote a value that has anything but letters, digits, spaces and -_.:+@*, "
    'and write & in it as %26: name="Ruiz %26 Sons".'
)
MISTAKES = (
    ("client.agreements.all().first()", NOBODY, 401, "AUTH_001", "API request is unauthorized."),
    (
        "client.agreements['AGD-000-000-000'].get()",
        None,
        404,
        "NFND_000",
        "Object `AGD-000-000-000` not found.",
    ),
    ("client.nonsense.all().first()", None, 404, "NFND_000", "There is no such address."),
    ("client.agreements.filter('eq(title,').count()", None, 400, "VAL_001", BAD_QUERY),
    (
        "client.agreements.filter(created__ge='yesterday').count()",
        None,
        400,
        "VAL_001",
        "created: ge cannot be used with the value yesterday.",
    ),
    (
        "client.agreements.all().order_by('nonsense').count()",
        None,
        400,
        "VAL_001",
        "Bad ordering filter: nonsense.",
    ),
    (
        "client.ns('tier').accounts.create({'type': 'customer'})",
        None,
        400,
        "VAL_001",
        "name: This field is required.",
    ),
    (
        "client.agreements.create({'title': 'Mine'})",
        None,
        405,
        "SYS_405",
        "The method is not allowed here.",
    ),
)


@pytest.mark.parametrize(("code", "key", "status", "error_code", "error"), MISTAKES)
def test_a_mistake_is_raised_at_once_with_its_reason(
    ask: Ask, api: Api, code: str, key: str | None, status: int, error_code: str, error: str
) -> None:
    before = ask("log.requests")
    with pytest.raises(ClientError) as refused:
        ask(code, key=key or api.distributor)
    assert (refused.value.status, refused.value.code) == (status, error_code)
    assert refused.value.errors
    assert refused.value.errors[0] == error
    assert f"{status} " in refused.value.text
    assert f"{error_code} - " in refused.value.text
    assert ask("log.requests") == before + 1


def test_existence_that_may_not_be_known_is_an_error(ask: Ask) -> None:
    with pytest.raises(ClientError) as refused:
        ask("client.agreements['AGD-000-000-000'].exists()", key=NOBODY)
    assert refused.value.status == 401


# --- Writing --------------------------------------------------------------------------------------


def test_a_customer_from_its_first_day_to_its_last(ask: Ask, api: Api) -> None:
    wanted = {
        "type": "customer",
        "name": "Søren & Søn, A/S",
        "external_id": "erp-4711",
        "tax_id": "DK-1",
        "contact_info": ADDRESS,
    }
    made = ask("client.ns('tier').accounts.create(wanted)", wanted=wanted)
    id = made["id"]
    assert made | {"contact_info": ADDRESS} == made | wanted
    assert made["contact_info"]["city"] == "København"
    assert made["contact_info"]["contact"]["first_name"] == "Åse"
    assert made["owner"] == {"id": DISTRIBUTOR, "name": "Mighty Mick's LLC"}
    assert ask("client.ns('tier').accounts[id].get()", id=id) == made
    assert ids(ask("client.ns('tier').accounts.filter(external_id='erp-4711')")) == [id]

    changed = ask(
        "client.ns('tier').accounts[id].update({'name': 'Søren ApS', 'contact_info': {'city': "
        "'Århus'}})",
        id=id,
    )
    assert (changed["name"], changed["contact_info"]["city"], changed["version"]) == (
        "Søren ApS",
        "Århus",
        2,
    )
    assert changed["contact_info"]["contact"] == made["contact_info"]["contact"]
    with pytest.raises(ClientError) as refused:
        ask("client.ns('tier').accounts[id].update({'name': 7})", id=id)
    assert (refused.value.status, refused.value.errors) == (400, ["name: Must be a string."])

    assert ask("client.ns('tier').accounts[id].delete()", id=id) is None
    assert ask("client.ns('tier').accounts[id].exists()", id=id) is False


def test_a_vendor_cannot_write_customers(ask: Ask, api: Api) -> None:
    with pytest.raises(ClientError) as refused:
        ask(
            "client.ns('tier').accounts.create(wanted)",
            key=api.vendor,
            wanted={"name": "Mine", "contact_info": ADDRESS},
        )
    assert (refused.value.status, refused.value.code) == (403, "AUTH_005")


def test_a_case_is_opened_worked_on_and_closed(ask: Ask, api: Api) -> None:
    wanted = {
        "subject": "Blå skærm",
        "description": "Since (Monday)",
        "type": "technical",
        "priority": 1,
        "receiver": {"account": {"id": VENDOR}},
    }
    case = ask("client.ns('helpdesk').cases.create(wanted)", wanted=wanted)
    id = case["id"]
    assert (case["state"], case["subject"], case["priority"]) == ("pending", "Blå skærm", 1)
    assert (case["issuer"]["account"]["id"], case["receiver"]["account"]["id"]) == (
        DISTRIBUTOR,
        VENDOR,
    )
    assert ask("client.ns('helpdesk').cases[id].update({'priority': 3})", id=id)["priority"] == 3
    # Each of its two sides: who acts, and what becomes of the case.
    for action, key, state in (
        ("inquire", api.vendor, "inquiring"),
        ("pend", api.distributor, "pending"),
        ("resolve", api.vendor, "resolved"),
        ("pend", api.distributor, "pending"),
        ("resolve", api.vendor, "resolved"),
    ):
        case = ask("client.ns('helpdesk').cases[id](action).post()", id=id, action=action, key=key)
        assert (case["state"], case["events"][state]["by"]["name"]) == (state, "Clients")
    case = ask(
        "client.ns('helpdesk').cases[id]('close').post({'rating': 5, 'feedback': 'Tak'})", id=id
    )
    assert (case["state"], case["rating"], case["feedback"]) == ("closed", 5, "Tak")
    seen = ask("client.ns('helpdesk').cases[id].get()", id=id, key=api.vendor)
    # The other side learns whose token acted, not which one.
    assert {**seen, "events": None} == {**case, "events": None}
    assert seen["events"]["closed"] == {
        "at": case["events"]["closed"]["at"],
        "by": {"id": DISTRIBUTOR, "name": "Mighty Mick's LLC"},
    }


def test_an_action_out_of_turn_is_refused(ask: Ask, api: Api) -> None:
    pending = ask("client.ns('helpdesk').cases.filter(state='pending').first()")
    with pytest.raises(ClientError) as refused:
        ask("client.ns('helpdesk').cases[id]('close').post()", id=pending["id"])
    assert (refused.value.status, refused.value.code) == (400, "HLP_001")
    assert ask("client.ns('helpdesk').cases[id].get()", id=pending["id"]) == pending


def test_a_token_from_its_first_call_to_its_last(ask: Ask, api: Api) -> None:
    token = ask(
        "client.ns('auth').tokens.create({'name': name, 'extension': {'id': 'EXT-000'}})",
        name=unused("Made by a client"),
    )
    id, key = token["id"], f"ApiKey {token['id']}:{token['token']}"
    tokens = "client.ns('auth').tokens[id]"

    def status(path: str = "agreements") -> int:
        try:
            ask(f"{rows_at(path)}.count()", key=key)
        except ClientError as refused:
            return refused.status or 0
        return 200

    assert (status("accounts"), status("agreements")) == (200, 403)
    assert ask("client.accounts.all().first()", key=key)["id"] == DISTRIBUTOR
    assert "token" not in ask(f"{tokens}.get()", id=id)

    assert ask(f"{tokens}.permissions.create({{'id': 'MD-9001'}})", id=id)["id"] == "MD-9001"
    assert ids(ask(f"{tokens}.permissions.all()", id=id)) == ["MD-9001"]
    assert (status("agreements"), status("contracts")) == (200, 403)

    assert ask(f"{tokens}('deactivate').post()", id=id)["status"] == "inactive"
    assert (status("agreements"), status("accounts")) == (401, 401)
    assert ask(f"{tokens}('activate').post()", id=id)["status"] == "active"
    assert status("agreements") == 200

    name = unused("Named by a client")
    renamed = ask(f"{tokens}.update({{'name': name, 'description': 'x'}})", id=id, name=name)
    assert renamed["name"] == name
    assert ask(f"{tokens}.permissions.bulk_delete([{{'id': 'MD-9001'}}])", id=id) is None
    assert ask(f"{tokens}.permissions.all()", id=id) == []
    assert (status("agreements"), status("accounts")) == (403, 200)

    assert ask(f"{tokens}.delete()", id=id) is None
    assert status("accounts") == 401
    assert ask(f"{tokens}.get()", id=id)["status"] == "deleted"


def test_a_token_without_a_module_learns_which_one_it_lacks(ask: Ask) -> None:
    token = ask(
        "client.ns('auth').tokens.create({'name': name, 'extension': {'id': 'EXT-000'}})",
        name=unused("Without a module"),
    )
    before = ask("log.requests")
    with pytest.raises(ClientError) as refused:
        ask("client.agreements.all().first()", key=f"ApiKey {token['id']}:{token['token']}")
    assert (refused.value.status, refused.value.code) == (403, "AUTH_003")
    assert "Agreements" in refused.value.text
    assert ask("log.requests") == before + 1
    ask("client.ns('auth').tokens[id].delete()", id=token["id"])


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

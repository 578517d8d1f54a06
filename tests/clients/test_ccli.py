"""connect-cli, unmodified: its commands and the reports that come with it."""

import re
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import DISTRIBUTOR, VENDOR, Api, Row, Script, python

Ccli = Callable[..., str]


@pytest.fixture(scope="module")
def program(script: Callable[[str], Script]) -> Script:
    if subprocess.run(
        [python(), "-c", "import sys; sys.exit(sys.version_info >= (3, 12))"], check=False
    ).returncode:
        pytest.skip("connect-cli runs on Python 3.10 and 3.11 only")
    return script("ccli.py")


@pytest.fixture(scope="module")
def config(program: Script, api: Api, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a configuration folder in which both companies are set up."""
    folder = tmp_path_factory.mktemp("ccli")
    for account, name, key in (
        (VENDOR, "Front Street Inc", api.vendor),
        (DISTRIBUTOR, "Mighty Mick's LLC", api.distributor),
    ):
        printed = program.ask(
            task="command", arguments=["-c", str(folder), "account", "add", key, "-e", api.endpoint]
        )
        assert f"New account added: {account} - {name}" in printed
    return folder


@pytest.fixture
def ccli(program: Script, config: Path) -> Ccli:
    """Return a function that runs a command: `ccli("product", "list")` returns what it prints.

    It exits with 0 even when it fails, so the tests look at its output.
    """

    def ccli(*arguments: str, typed: str = "") -> str:
        printed: str = program.ask(
            task="command", arguments=["-c", str(config), *arguments], typed=typed
        )
        return printed

    return ccli


@pytest.fixture(params=[DISTRIBUTOR, VENDOR])
def company(request: pytest.FixtureRequest, ccli: Ccli, api: Api) -> str:
    """Activate each of the two companies in the command line; return its key."""
    assert f"Current active account is: {request.param}" in ccli(
        "account", "activate", request.param
    )
    return api.distributor if request.param == DISTRIBUTOR else api.vendor


@pytest.fixture
def distributor(ccli: Ccli) -> None:
    ccli("account", "activate", DISTRIBUTOR)


# --- Commands -------------------------------------------------------------------------------------


def test_accounts_are_listed(ccli: Ccli) -> None:
    printed = ccli("account", "list")
    assert "Mighty Mick's LLC" in printed
    assert "Front Street Inc" in printed


@pytest.mark.parametrize(
    "key", ["ApiKey SU-000-000-000:" + 40 * "0", "ApiKey nonsense", "nonsense"]
)
def test_a_wrong_key_is_unauthorized(ccli: Ccli, api: Api, key: str) -> None:
    assert "Unauthorized: the provided api key is invalid." in ccli(
        "account", "add", key, "-e", api.endpoint
    )
    assert "nonsense" not in ccli("account", "list")


def test_products_are_listed_page_by_page(ccli: Ccli, api: Api, company: str) -> None:
    wanted = api.rows(
        "products?eq(visibility.owner,true)"
        if company == api.vendor
        else "products?eq(visibility.listing,true)",
        company,
    )
    assert len(wanted) > 5
    printed = ccli("-p", "5", "product", "list", typed="c\n" * 10)
    assert "Press 'c' to continue or 'q' to quit" in printed
    assert [row["id"] for row in wanted] == re.findall(r"│ (PRD-[\d-]+) ", printed)
    assert all(row["name"] in printed for row in wanted)


def test_products_can_be_searched_by_rql(ccli: Ccli, api: Api, company: str) -> None:
    product = api.rows("products", company)[0]
    printed = ccli("-y", "product", "list", "-q", f"eq(id,{product['id']})")
    assert product["name"] in printed
    assert printed.count("PRD-") == 1


def test_locales_are_listed(ccli: Ccli, api: Api, company: str) -> None:
    printed = ccli("-y", "locale", "list")
    assert [row["id"] for row in api.rows("localization/locales", company)] == re.findall(
        r"│ ([A-Z]{2}-[A-Z]{2}) ", printed
    )
    assert "Luxembourgish (Luxembourg)" in printed


# --- Customers in a workbook ----------------------------------------------------------------------

COLUMNS = (
    "id",
    "external_id",
    "external_uid",
    "action",
    "hub",
    "criteria",
    "parent",
    "type",
    "tax_id",
    "name",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "zip",
    "country",
    "first_name",
    "last_name",
    "email",
    "phone",
)
NUMBER = {name: number for number, name in enumerate(COLUMNS, 1)}


class Workbook:
    """An export of customers."""

    def __init__(self, program: Script, path: Path) -> None:
        self.program, self.path = program, str(path)

    def rows(self) -> list[Row]:
        return [
            dict(zip(COLUMNS, cells, strict=True))
            for cells in self.program.ask(task="sheet", path=self.path, number=0)[1:]
        ]

    def fill(self, number: int, **values: Any) -> None:
        """Write the named cells of the customer at an index that counts from 0."""
        cells = {NUMBER[name]: value for name, value in values.items()}
        self.program.ask(task="fill", path=self.path, row=number + 2, cells=cells)


@pytest.fixture
def export(program: Script, ccli: Ccli, tmp_path: Path) -> Callable[[], Workbook]:
    """Export the customers of the active account."""

    def export() -> Workbook:
        path = tmp_path / "customers.xlsx"
        assert "have been successfully exported" in ccli("customer", "export", "-o", str(path))
        return Workbook(program, path)

    return export


def test_each_customer_is_exported_with_its_contact(
    api: Api, company: str, export: Callable[[], Workbook]
) -> None:
    exported, customers = export().rows(), api.rows("tier/accounts", company)
    assert [row["id"] for row in exported] == [customer["id"] for customer in customers]
    for row, customer in zip(exported, customers, strict=True):
        info, contact = customer["contact_info"], customer["contact_info"]["contact"]
        assert row["hub"] == customer.get("hub", {}).get("id", "-")
        assert row["parent"] == customer.get("parent", {}).get("id", "-")
        assert (row["phone"] or "") == "".join(contact["phone_number"].values())
        for names, there in (
            (("external_id", "external_uid", "type", "tax_id", "name"), customer),
            (("address_line1", "city", "country"), info),
            (("first_name", "last_name", "email"), contact),
        ):
            # An empty cell has no value.
            assert {name: row[name] or "" for name in names} == {
                name: there[name] for name in names
            }


def test_a_workbook_changes_and_makes_customers(
    ccli: Ccli, api: Api, distributor: None, export: Callable[[], Workbook]
) -> None:
    workbook = export()
    rows = workbook.rows()
    place = next(
        number
        for number, row in enumerate(rows)
        if row["type"] == "customer" and row["hub"] == "HB-1010-0001"
    )
    reseller = next(row for row in rows if row["type"] == "reseller")
    # State and zip have to be filled in by hand: the program requires both, and reads `zip` where
    # the API has a postal code.
    common = {"state": "Andalucía", "zip": "41001"}
    workbook.fill(place, action="update", name="Ruiz & Hijas, S.A.", city="Córdoba", **common)
    person = {
        "first_name": "Ana",
        "last_name": "Núñez",
        "email": "ana@nuevo.example",
        "phone": "+34 954 123 456",
    }
    address = {"address_line1": "Calle 1", "city": "Sevilla", "country": "ES", **common}
    parent = {"criteria": "external_id", "parent": reseller["external_id"]}
    workbook.fill(
        len(rows),
        action="create",
        external_id="new-1",
        type="customer",
        name="Nuevo",
        **parent,
        **address,
        **person,
    )
    workbook.fill(
        len(rows) + 1,
        action="create",
        external_id="new-2",
        type="customer",
        name="Mal",
        **parent,
        **address,
        **person | {"email": "ana"},
    )
    printed = ccli("customer", "sync", workbook.path, typed="y\n")
    assert counts(printed) == {
        "Processed": len(rows) + 2,
        "Created": 1,
        "Updated": 1,
        "Skipped": len(rows) - 1,
        "Errors": 1,
    }
    assert (
        "Error when creating account: 400 Bad Request: VAL_001 - contact_info.contact.email: "
        "Enter a valid email address." in printed
    )

    customers = {customer["id"]: customer for customer in api.rows("tier/accounts")}
    assert len(customers) == len(rows) + 1
    changed = customers[rows[place]["id"]]
    assert (changed["name"], changed["contact_info"]["city"], changed["version"]) == (
        "Ruiz & Hijas, S.A.",
        "Córdoba",
        2,
    )
    assert (changed["external_id"], changed["hub"]["id"]) == (
        rows[place]["external_id"],
        "HB-1010-0001",
    )
    made = customers[workbook.rows()[len(rows)]["id"]]
    assert (made["name"], made["external_id"], made["parent"]["id"]) == (
        "Nuevo",
        "new-1",
        reseller["id"],
    )
    assert made["contact_info"]["contact"]["phone_number"] == {
        "country_code": "+34",
        "area_code": "",
        "phone_number": "954123456",
        "extension": "-",
    }

    again = counts(ccli("customer", "sync", workbook.path))
    assert (again["Created"], again["Updated"]) == (0, 0)


def counts(printed: str) -> dict[str, int]:
    """Return the table that a synchronization prints at its end."""
    table = [line.strip("│").split("│") for line in printed.splitlines() if line.count("│") > 4]
    names, numbers = ([cell.strip() for cell in cells] for cells in table)
    return {
        name: int(number)
        for name, number in zip(names, numbers, strict=True)
        if number.isdigit() and name != "Deleted"
    }


# --- The reports that come with it ----------------------------------------------------------------

Cells = dict[str, Callable[[Row], Any]]


def as_reports_print(text: str) -> str:
    """Return a moment as the reports print it."""
    return datetime.fromisoformat(text).replace(tzinfo=None).isoformat()


def at(*names: str) -> Callable[[Row], Any]:
    """Return the value at a path of a record, or `-`."""

    def cell(row: Row) -> Any:
        value: Any = row
        for name in names:
            value = value.get(name, {})
        return "-" if value == {} else value

    return cell


def dated(*names: str) -> Callable[[Row], Any]:
    def cell(row: Row) -> Any:
        value = at(*names)(row)
        return value if value == "-" else as_reports_print(value)

    return cell


def tiers(*names: str) -> Cells:
    """Return the columns about the customer and its resellers."""
    return {
        "customer_id": at(*names, "customer", "id"),
        "customer_name": at(*names, "customer", "name"),
        "customer_external_id": at(*names, "customer", "external_id"),
        "tier_1_name": at(*names, "tier1", "name"),
    }


PARTIES: Cells = {
    "vendor_id": at("asset", "connection", "vendor", "id"),
    "vendor_name": at("asset", "connection", "vendor", "name"),
    "provider_name": at("asset", "connection", "provider", "name"),
    "product_id": at("asset", "product", "id"),
    "product_name": at("asset", "product", "name"),
    "asset_id": at("asset", "id"),
    "transaction_type": at("asset", "connection", "type"),
    "hub_id": at("asset", "connection", "hub", "id"),
}
REQUEST: Cells = {
    "request_id": at("id"),
    "request_type": at("type"),
    "created_at": dated("created"),
    "updated_at": dated("updated"),
    **tiers("asset", "tiers"),
    **PARTIES,
}
# The resource, which of its records the report covers, and some of the report's columns.
REPORTS: dict[str, tuple[str, Callable[[Row], bool], Cells]] = {
    "contract_list": (
        "contracts?ordering(-status)",
        lambda row: True,
        {
            "contract_id": at("id"),
            "type": at("type"),
            "version": at("version"),
            "agreement_id": at("agreement", "id"),
            "agreement": at("agreement", "name"),
            "issuer": at("issuer", "name"),
            "creation_date": dated("events", "created", "at"),
            "marketplace": at("marketplace", "name"),
            "signee": at("events", "signed", "by", "name"),
            "signature_date": dated("events", "signed", "at"),
        },
    ),
    "listing_list": (
        "listings?ordering(-created)",
        lambda row: row["status"] in {"listed", "unlisted"},
        {
            "listing_id": at("id"),
            "status": at("status"),
            "created_at": dated("created"),
            "updated_at": dated("updated"),
            "contract_id": at("contract", "id"),
            "product_name": at("product", "name"),
            "provider_name": at("provider", "name"),
            "vendor_name": at("vendor", "name"),
        },
    ),
    "customers_list": (
        "tier/accounts?ordering(-events.created.at)",
        lambda row: True,
        {
            "account_id": at("id"),
            "external_id": at("external_id"),
            "customer_scope": lambda row: "Yes" if row["type"] == "customer" else "-",
            "tier_1_scope": lambda row: "Yes" if row["type"] == "reseller" else "-",
            "name": at("name"),
            "tax_id": at("tax_id"),
            "provider_id": lambda row: row["owner"]["id"] if "hub" in row else "-",
            "provider_name": lambda row: row["owner"]["name"] if "hub" in row else "-",
            "city": at("contact_info", "city"),
            "postal_code": at("contact_info", "postal_code"),
            "contact_email": at("contact_info", "contact", "email"),
            "contact_phone_number": lambda row: "".join(
                row["contact_info"]["contact"]["phone_number"].values()
            ),
        },
    ),
    "helpdesk": (
        "helpdesk/cases",
        lambda row: True,
        {
            "case_id": at("id"),
            "type": at("type"),
            "status": at("state"),
            "created_at": dated("events", "created", "at"),
            "resolved_at": dated("events", "resolved", "at"),
            "subject": at("subject"),
            "priority": lambda row: ("Low", "Medium", "High", "Urgent")[row["priority"]],
            "issuer_account_id": at("issuer", "account", "id"),
            "issuer_name": at("issuer", "account", "name"),
            "issuer_user_name": at("issuer", "agent", "name"),
            "receiver_name": at("receiver", "account", "name"),
        },
    ),
    "fulfillment_requests": (
        "requests",
        lambda row: row["status"] in {"tiers_setup", "inquiring", "pending", "approved", "failed"},
        {
            **REQUEST,
            "request_status": at("status"),
            "marketplace_name": at("asset", "marketplace", "name"),
            "asset_status": at("asset", "status"),
        },
    ),
    "fulfillment_requests_failed": (
        "requests",
        lambda row: row["status"] == "failed",
        {**REQUEST, "vendor_note": at("reason")},
    ),
    "tier_configuration_list": (
        "tier/configs?ordering(-created)",
        lambda row: row["status"] in {"active", "processing"},
        {
            "tier_configuration_id": at("id"),
            "tier_level": at("tier_level"),
            "created_at": dated("events", "created", "at"),
            "status": at("status"),
            "environment": at("connection", "type"),
            "name": at("account", "name"),
            "tier_external_id": at("account", "external_id"),
            "vendor_name": at("connection", "vendor", "name"),
            "product_name": at("product", "name"),
            "hub_name": at("connection", "hub", "name"),
            "contract_id": at("contract", "id"),
            "marketplace": at("marketplace", "name"),
        },
    ),
}


@pytest.fixture
def report(program: Script, config: Path, tmp_path: Path) -> Callable[..., Any]:
    """Return a function: `report("helpdesk")` returns the rows of that report.

    Every box of its form is ticked unless it is named.
    """

    def report(name: str, format: str = "json", **form: Any) -> Any:
        return program.ask(
            task="report",
            config=str(config),
            name=name,
            format=format,
            output=str(tmp_path),
            form=form,
        )

    return report


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_says_what_the_api_says(
    report: Callable[..., Any], api: Api, company: str, name: str
) -> None:
    path, belongs, cells = REPORTS[name]
    rows = [row for row in api.rows(path, company) if belongs(row)]
    assert rows
    printed = report(name)
    assert [{column: row[column] for column in cells} for row in printed] == [
        {column: cell(row) for column, cell in cells.items()} for row in rows
    ]
    for column in cells:
        assert {row[column] for row in printed} - {"-", ""}, f"{column} is empty in every row"


def test_the_report_of_items_has_a_row_for_each(
    report: Callable[..., Any], api: Api, company: str
) -> None:
    printed = report("fulfillment_requests_line_item")
    shown = {"tiers_setup", "inquiring", "pending", "approved", "failed"}
    wanted = [
        (row["id"], item)
        for row in api.rows("requests", company)
        if row["status"] in shown
        for item in row["asset"]["items"]
    ]
    assert [
        (row["request_id"], row["item_mpn"], row["item_name"], row["quantity"]) for row in printed
    ] == [(id, item["mpn"], item["display_name"], item["quantity"]) for id, item in wanted]


def test_the_report_of_late_requests_is_a_workbook(
    report: Callable[..., Any], api: Api, company: str
) -> None:
    pending = api.rows("requests?eq(status,pending)&ordering(created)", company)
    printed = [
        row
        for row in report("sla", format="xlsx", offset_yellow_days="5", offset_red_days="10")
        if str(row[0]).startswith("PR-")
    ]
    assert [(row[0], row[2], row[4], row[6], row[15]) for row in printed] == [
        (
            row["id"],
            row["asset"]["product"]["name"],
            row["asset"]["connection"]["vendor"]["name"],
            row["asset"]["connection"]["provider"]["name"],
            row["asset"]["tiers"]["customer"]["name"],
        )
        for row in pending
    ]


def test_a_report_can_be_narrowed(report: Callable[..., Any], api: Api, company: str) -> None:
    listings = api.rows("listings?ordering(-created)", company)
    product = listings[0]["product"]["id"]
    assert [row["listing_id"] for row in report("listing_list", product=[product])] == [
        row["id"] for row in listings if row["product"]["id"] == product
    ]
    unlisted = [row["id"] for row in listings if row["status"] == "unlisted"]
    assert 0 < len(unlisted) < len(listings)
    assert [row["listing_id"] for row in report("listing_list", rr_status=["unlisted"])] == unlisted
    # The portal knows only some kinds of contracts and states of requests.
    programs = [
        row["id"]
        for row in api.rows("contracts?ordering(-status)", company)
        if row["type"] == "program"
    ]
    assert [
        row["contract_id"] for row in report("contract_list", type=["program", "syndication"])
    ] == programs
    waiting = [row["id"] for row in api.rows("requests", company) if row["status"] == "pending"]
    assert [
        row["request_id"]
        for row in report("fulfillment_requests", rr_status=["pending", "scheduled", "revoking"])
    ] == waiting


def test_what_the_portal_has_not_is_said_by_the_report(
    ccli: Ccli, distributor: None, program: Script, config: Path, tmp_path: Path
) -> None:
    printed = ccli(
        "report", "execute", "subscription_list", "-f", "json", "-o", str(tmp_path / "none")
    )
    assert (
        "Error returned by Connect when executing the report: 404 Not Found: NFND_000 - There is "
        "no such address." in printed
    )


# Sheets that are empty in the workbook of a product: media, templates, three kinds of parameters,
# actions, configuration, messages.
EMPTY_SHEETS = (3, 4, 6, 7, 8, 9, 10, 13)


def test_a_product_is_exported(
    program: Script, ccli: Ccli, company: str, api: Api, tmp_path: Path
) -> None:
    """With everything that the portal stores of it, and an empty sheet for the rest."""
    product = next(
        row
        for row in api.rows("products", company)
        if api.rows(f"products/{row['id']}/items", company)
    )
    items = api.rows(f"products/{product['id']}/items", company)
    path = tmp_path / "product.xlsx"
    assert f"The product {product['id']} has been successfully exported" in ccli(
        "product", "export", product["id"], "-o", str(path)
    )

    def sheet(number: int) -> list[list[Any]]:
        rows: list[list[Any]] = program.ask(task="sheet", path=str(path), number=number)
        return rows

    assert ["Product Name", product["name"]] in [row[:2] for row in sheet(0)]
    assert [row[0] for row in sheet(5)[1:]] == [item["id"] for item in items]
    assert sheet(11)[1][2:4] == [product["id"], product["name"]]
    assert ["short_description", product["short_description"]] in [row[:2] for row in sheet(12)]
    for number in EMPTY_SHEETS:
        assert len(sheet(number)) == 1
    assert (tmp_path / "media" / f"{product['id']}.svg").read_text().startswith("<svg")

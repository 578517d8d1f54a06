"""The reports that come with CloudBlue's command line."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Api, Ccli, Row, Script

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
def report(command_line: Script, config: Path, tmp_path: Path) -> Callable[..., Any]:
    """Return a function: `report("helpdesk")` returns the rows of that report.

    Every box of its form is ticked unless it is named.
    """

    def report(name: str, format: str = "json", **form: Any) -> Any:
        return command_line.ask(
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


def test_the_reports_of_subscriptions_and_billing_list_their_ids(
    report: Callable[..., Any], api: Api, company: str
) -> None:
    for name, path, column in (
        ("subscription_list", "subscriptions/assets", "subscription_id"),
        ("billing_requests", "subscriptions/requests", "billing_request_id"),
    ):
        printed = report(name)
        assert printed
        assert {row[column] for row in printed} <= {row["id"] for row in api.rows(path, company)}


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
    # The portal knows only some kinds of contracts.
    programs = [
        row["id"]
        for row in api.rows("contracts?ordering(-status)", company)
        if row["type"] == "program"
    ]
    assert [
        row["contract_id"] for row in report("contract_list", type=["program", "syndication"])
    ] == programs
    statuses = ["pending", "scheduled", "revoking"]
    waiting = [row["id"] for row in api.rows("requests", company) if row["status"] in statuses]
    assert [
        row["request_id"] for row in report("fulfillment_requests", rr_status=statuses)
    ] == waiting


def test_the_report_says_what_the_portal_does_not_have(
    ccli: Ccli, distributor: None, command_line: Script, config: Path, tmp_path: Path
) -> None:
    printed = ccli(
        "report", "execute", "usage_in_subscription", "-f", "json", "-o", str(tmp_path / "none")
    )
    assert (
        "Error returned by Connect when executing the report: 404 Not Found: NFND_000 - There is "
        "no such address." in printed
    )


# Sheets that are empty in the workbook of a product: media, templates, three kinds of parameters,
# actions, configuration, messages.
EMPTY_SHEETS = (3, 4, 6, 7, 8, 9, 10, 13)


def test_a_product_is_exported(
    command_line: Script, ccli: Ccli, company: str, api: Api, tmp_path: Path
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
        rows: list[list[Any]] = command_line.ask(task="sheet", path=str(path), number=number)
        return rows

    assert ["Product Name", product["name"]] in [row[:2] for row in sheet(0)]
    assert [row[0] for row in sheet(5)[1:]] == [item["id"] for item in items]
    assert sheet(11)[1][2:4] == [product["id"], product["name"]]
    assert ["short_description", product["short_description"]] in [row[:2] for row in sheet(12)]
    for number in EMPTY_SHEETS:
        assert len(sheet(number)) == 1
    assert (tmp_path / "media" / f"{product['id']}.svg").read_text().startswith("<svg")

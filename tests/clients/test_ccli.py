"""connect-cli, unmodified: its commands and the reports that come with it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import (
    Api,
    Ccli,
    Row,
    Script,
)

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

    def __init__(self, command_line: Script, path: Path) -> None:
        self.program, self.path = command_line, str(path)

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
def export(command_line: Script, ccli: Ccli, tmp_path: Path) -> Callable[[], Workbook]:
    """Export the customers of the active account."""

    def export() -> Workbook:
        path = tmp_path / "customers.xlsx"
        assert "have been successfully exported" in ccli("customer", "export", "-o", str(path))
        return Workbook(command_line, path)

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


SEVILLE = {"address_line1": "Calle 1", "city": "Sevilla", "country": "ES"}
ANA = {
    "first_name": "Ana",
    "last_name": "Núñez",
    "email": "ana@nuevo.example",
    "phone": "+34 954 123 456",
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
    parent = {"criteria": "external_id", "parent": reseller["external_id"]}
    new = {"action": "create", "type": "customer", **parent, **SEVILLE, **common}
    workbook.fill(len(rows), external_id="new-1", name="Nuevo", **new | ANA)
    workbook.fill(len(rows) + 1, external_id="new-2", name="Mal", **new | ANA | {"email": "ana"})
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

    check_stored(api, workbook, rows, place, reseller)

    again = counts(ccli("customer", "sync", workbook.path))
    assert (again["Created"], again["Updated"]) == (0, 0)


def check_stored(
    api: Api, workbook: "Workbook", rows: list[Row], place: int, reseller: Row
) -> None:
    """Check that one customer is changed and one is new."""
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


def counts(printed: str) -> dict[str, int]:
    """Return the table that a synchronization prints at its end."""
    table = [line.strip("│").split("│") for line in printed.splitlines() if line.count("│") > 4]
    names, numbers = ([cell.strip() for cell in cells] for cells in table)
    return {
        name: int(number)
        for name, number in zip(names, numbers, strict=True)
        if number.isdigit() and name != "Deleted"
    }

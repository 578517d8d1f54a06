"""What the tests of the Python client share."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

BAD_QUERY = (
    "Bad filter query. Quote a value that has anything but letters, digits, spaces and -_.:+@*, "
    'and write & in it as %26: name="Ruiz %26 Sons".'
)


Ask = Callable[..., Any]


NOBODY = "ApiKey SU-000-000-000:" + 40 * "0"


def unused(name: str) -> str:
    """Return a name that no token has; that of a deleted one stays reserved."""
    return f"{name} {uuid4()}"


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def rows_at(path: str) -> str:
    """Turn `tier/accounts` into `client.ns('tier').collection('accounts').all()`."""
    *spaces, name = path.split("/")
    return f"client{''.join(f'.ns({space!r})' for space in spaces)}.collection({name!r}).all()"


CONTACT = {"first_name": "Åse", "last_name": "Sørensen", "email": "aase@example.com"}
ADDRESS = {
    "address_line1": "Nørregade 1",
    "city": "København",
    "postal_code": "1165",
    "country": "dk",
    "contact": CONTACT,
}
ADDRESS = {
    "address_line1": "Nørregade 1",
    "city": "København",
    "postal_code": "1165",
    "country": "dk",
    "contact": CONTACT,
}

"""What programs may write: bodies in general, customers and support cases."""

import json
from typing import Any

import pytest

from modules.models import Customer
from tests.conftest import Call, Response
from tests.modules.conftest import Send
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

"""The OpenAPI document and the API agree, in both directions."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from accounts.models import Account
from api import conventions, openapi, schemas
from modules import absent
from modules.urls import RESOURCES, urlpatterns
from tests.conftest import Call
from tests.factories import TokenFactory, header
from tokens.catalog import Module
from tokens.models import Token

URL = "/public/v1/openapi.json"
METHODS = ("GET", "POST", "PUT", "DELETE")
DOCUMENT = json.loads(openapi.text(RESOURCES, "https://portal.example/public/v1"))
# Method, path, description.
OPERATIONS = [
    (method.upper(), path, about)
    for path, item in DOCUMENT["paths"].items()
    for method, about in item.items()
    if method != "summary"
]
LISTS = {name: resource for resource in RESOURCES for name in [openapi.schema_name(resource)]}
COMPANIES = ("PA-063-101", "VA-044-420")


def every(part: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects of the document, outermost first."""
    if isinstance(part, dict):
        yield part
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from every(each)


def resolve(reference: str) -> dict[str, Any]:
    part: dict[str, Any] = DOCUMENT
    for key in reference.removeprefix("#/").split("/"):
        part = part[key.replace("~1", "/")]
    return part


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Return a validator that finds what the schema forbids or does not mention."""
    return Draft202012Validator(
        {"components": DOCUMENT["components"], **schema}, format_checker=FormatChecker()
    )


def closed(schema: Any) -> Any:
    """Return the schema with additional properties forbidden."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {
        key: each if key in ("examples", "const", "enum") else closed(each)
        for key, each in schema.items()
    }
    return {**parts, "additionalProperties": False} if "properties" in schema else parts


# --- The address ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [URL, f"{URL}/", "/public/v1//openapi.json", "/public/v1//openapi.json/"]
)
def test_everybody_gets_the_document_without_a_query(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert set(response["Cache-Control"].split(", ")) == {"public", "max-age=300"}
    # The same for everybody, compressed or not.
    assert response.headers.get("Vary", "Accept-Encoding") == "Accept-Encoding"
    assert not response.cookies
    assert client.head(path).status_code == 200
    assert response.json()["servers"] == [{"url": "http://testserver/public/v1"}]
    assert response.json()["info"]["version"] == "1.0.0"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_the_document_can_only_be_read(method: str) -> None:
    from django.test import Client

    response = Client(enforce_csrf_checks=True).generic(method, URL)
    assert response.status_code == 405
    assert response["Content-Type"] == "application/json"
    assert response.json()["error_code"] == "SYS_405"


def test_the_document_is_ascii_since_the_official_client_decodes_it_in_pieces(
    client: Client,
) -> None:
    assert client.get(URL).content.isascii()


# --- The document by itself -----------------------------------------------------------------------


def test_it_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_every_reference_leads_somewhere() -> None:
    for part in every(DOCUMENT):
        if "$ref" in part:
            assert resolve(part["$ref"]), part["$ref"]


def test_every_component_is_used() -> None:
    used = {part["$ref"] for part in every(DOCUMENT) if "$ref" in part}
    for kind in ("parameters", "headers", "responses", "schemas"):
        for name in DOCUMENT["components"][kind]:
            assert f"#/components/{kind}/{name}" in used


def test_operation_ids_are_unique_and_tell_the_official_client_what_they_are() -> None:
    ids = [about["operationId"] for _, _, about in OPERATIONS]
    assert len(set(ids)) == len(ids)
    for method, path, about in OPERATIONS:
        kind = about["operationId"].rsplit("_", 2)[-2]
        assert (kind in ("list", "retrieve")) == (method == "GET"), about["operationId"]
        assert not path.endswith("/")
        if method == "GET":
            assert kind == ("retrieve" if path.endswith("/{id}") else "list")


def test_every_operation_has_a_tag_and_every_module_is_one() -> None:
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    assert {str(module.label) for module in Module.single()} <= tags
    assert {name for _, _, about in OPERATIONS for name in about["tags"]} == tags


def test_every_error_can_be_met() -> None:
    for method, path, about in OPERATIONS:
        assert {"400", "401", "403"} <= set(about["responses"]), (method, path)
        may_miss = "{" in path or (method, path) == ("POST", "/auth/tokens")
        assert ("404" in about["responses"]) == may_miss, (method, path)
        assert ("415" in about["responses"]) == (
            method in ("POST", "PUT") or "requestBody" in about
        ), (method, path)


def test_the_examples_are_what_the_schemas_say() -> None:
    for part in every(DOCUMENT):
        if "examples" in part and ("type" in part or "enum" in part):
            for example in part["examples"]:
                assert not list(validator(part).iter_errors(example))


def test_the_examples_look_like_records() -> None:
    for name in LISTS:
        text = json.dumps(DOCUMENT["components"]["schemas"][name]["examples"])
        assert "null" not in text
        assert '"string"' not in text


def test_what_cannot_be_written_is_marked() -> None:
    schema = DOCUMENT["components"]["schemas"]["tier.accounts"]["properties"]
    assert schema["id"]["readOnly"]
    assert "readOnly" not in schema["name"]
    assert "readOnly" not in schema["parent"]
    assert schema["parent"]["properties"]["name"]["readOnly"]
    assert DOCUMENT["components"]["schemas"]["agreements"]["readOnly"]


def test_a_body_says_what_it_needs_and_how_long_it_may_be() -> None:
    body = DOCUMENT["paths"]["/tier/accounts"]["post"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    assert body["required"]
    assert schema["required"] == ["name", "contact_info"]
    assert schema["properties"]["name"] == {
        "type": "string",
        "maxLength": 255,
        "minLength": 1,
        "examples": ["Taller Ruiz S.L."],
    }
    assert schema["properties"]["type"]["enum"] == ["customer", "reseller"]
    assert schema["properties"]["parent"]["type"] == ["object", "null"]
    assert schema["properties"]["contact_info"]["properties"]["contact"]["required"] == [
        "first_name",
        "last_name",
        "email",
    ]


def test_a_filter_says_what_it_knows() -> None:
    parameters = {
        each["name"]: each
        for each in DOCUMENT["paths"]["/agreements"]["get"]["parameters"]
        if "name" in each
    }
    assert parameters["type"]["schema"]["enum"] == [
        "distribution",
        "program",
        "service",
        "referral",
        "syndication",
    ]
    assert (
        parameters["created"]["description"]
        == "Filter for: created\n\n**lookups:** eq, ne, gt, ge, lt, le, in, "
        "out\n\n**ordering:** true"
    )
    assert parameters["created"]["schema"] == {"type": "string", "format": "date-time"}


# --- The document and the API ---------------------------------------------------------------------


def test_the_document_has_every_address_of_the_api_and_no_other() -> None:
    served = {pattern.name for pattern in urlpatterns} - {
        "openapi",
        "icon",
        "localization/translations/<id>/attributes",
        "modules/<id>/settings",
        "nothing",
    }
    assert {
        "/" + str(name).replace("<parent>", "{parent_id}").replace("<id>", "{id}")
        for name in served
    } == set(DOCUMENT["paths"])


@pytest.fixture
def reader(db: None) -> Token:
    return TokenFactory(modules=(Module.ALL,))


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_an_address_has_the_methods_that_are_described_and_no_other(
    call: Call, reader: Token, path: str
) -> None:
    described = {method for method, at, _ in OPERATIONS if at == path}
    concrete = re.sub(r"{\w+}", "none-such", path).removeprefix("/")
    for method in METHODS:
        response = call(concrete, reader, method=method.lower())
        assert (response.status_code == 405) == (method not in described), method
        if response.status_code == 405:
            assert set(response["Allow"].split(", ")) - {"HEAD"} == described


@pytest.mark.parametrize("name", LISTS)
def test_every_filter_takes_every_operator_that_is_documented_for_it(
    call: Call, reader: Token, name: str
) -> None:
    resource = LISTS[name]
    path = resource.path.replace(
        "<parent>",
        TokenFactory(account=reader.account).pk if "tokens" in resource.path else "none-such",
    )
    for each in resource.filter_names:
        value = json.dumps(
            schemas.answered(openapi.filter_field(resource, each), each)["examples"][0],
            ensure_ascii=False,
        ).replace("null", "x")
        terms = [term(operator, each, value) for operator in openapi.lookups(resource, each)]
        response = call(f"{path}?{'&'.join(terms)}", reader)
        assert response.status_code in ((200, 404) if resource.parent else (200,)), (
            terms,
            response.content,
        )
    for each in resource.ordering:
        assert call(f"{path}?ordering(-{each})", reader).status_code in (
            (200, 404) if resource.parent else (200,)
        )
    if resource.search:
        assert call(f"{path}?search=x", reader).status_code in (
            (200, 404) if resource.parent else (200,)
        )


def term(operator: str, name: str, value: str) -> str:
    return {
        "in": f"in({name},({value}))",
        "out": f"out({name},({value}))",
        "null": f"ne({name},null())",
    }.get(operator, f"{operator}({name},{value})")


def test_the_operators_of_the_introduction_work_as_written(call: Call, reader: Token) -> None:
    for operator in conventions.OPERATORS:
        assert call(f"agreements?{operator.example}", reader).status_code == 200, operator.example


def test_records_are_what_the_schemas_say_and_nothing_else(client: Client, db: None) -> None:
    call_command("demo", verbosity=0)
    seen = set()
    for company in COMPANIES:
        headers = {
            "authorization": header(
                TokenFactory(
                    account=Account.objects.get(pk=company), name="Reader", modules=(Module.ALL,)
                )
            )
        }
        for name, resource in LISTS.items():
            check = validator(
                closed({"$ref": f"#/components/schemas/{name}"})
                | {"components": closed(DOCUMENT["components"])}
            )
            parents = [None]
            if resource.parent:
                parents = [
                    row["id"]
                    for row in client.get(
                        f"/public/v1/{resource.parent.path}", headers=headers
                    ).json()
                ]
            for parent in parents:
                path = "/public/v1/" + resource.path.replace("<parent>", str(parent))
                response = client.get(path, headers=headers)
                assert response.status_code == 200
                assert re.fullmatch(
                    DOCUMENT["components"]["headers"]["Content-Range"]["schema"]["pattern"],
                    response["Content-Range"],
                )
                for record in response.json():
                    assert not list(check.iter_errors(record)), record
                    seen.add(name)
                if resource.detail and response.json():
                    one = client.get(f"{path}/{response.json()[0]['id']}", headers=headers)
                    assert not list(check.iter_errors(one.json()))
    assert seen == set(LISTS) - {openapi.schema_name(each) for each in absent.OF_PRODUCTS}


@pytest.mark.parametrize(
    ("method", "path", "about"),
    [each for each in OPERATIONS if "requestBody" in each[2]],
    ids=lambda each: str(each)[:40],
)
def test_a_body_without_what_it_needs_is_refused_by_name(
    call: Call, reader: Token, method: str, path: str, about: dict[str, Any]
) -> None:
    if "{" in path:
        return
    schema = about["requestBody"]["content"]["application/json"]["schema"]
    # What a POST may do instead, with another body, comes after it.
    schema = schema.get("oneOf", [schema])[0]
    response = call(
        path.removeprefix("/"),
        reader,
        method=method.lower(),
        data={},
        content_type="application/json",
    )
    assert response.status_code == (400 if about["requestBody"]["required"] else 201)
    needed = [name.name for name in schemas.flat(schema) if name.required]
    assert {error.split(":")[0] for error in response.json()["errors"]} >= {
        name for name in needed if "." not in name
    }

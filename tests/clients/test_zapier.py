"""The calls of CloudBlue's app for Zapier, replayed: addresses, bodies and the fields it reads.

The app runs at Zapier, so its calls stand here as facts. Each carries the header that it sends.
"""

import html
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any
from uuid import uuid4

import pytest

from tests.clients.conftest import PASSWORD, VENDOR, Api
from tests.webhooks.engine.receiver import receiving

# The company of the demo that made the extension of Zapier.
MAKER = "PA-318-774"
# A Zap polls with the last moment that it saw, in milliseconds.
SINCE = "2015-01-31T10:20:30.123Z"
# What a Zap lists, and the fields of a row that it needs.
POLLED = (
    ("requests", ("id", "type", "status", "created", "asset.id")),
    ("assets", ("id", "status", "product.id")),
    ("subscriptions/assets", ("id", "status")),
    ("subscriptions/requests", ("id", "type")),
    ("tier/configs", ("id", "status", "account.id")),
    ("tier/config-requests", ("id", "type", "status")),
    ("tier/account-requests", ("id", "type", "status")),
    ("listing-requests", ("id", "type")),
    ("helpdesk/cases", ("id", "subject", "state")),
    ("conversations", ("id", "instance_id", "created", "topic", "creator.id", "creator.name")),
    ("hubs", ("id", "name")),
)
OBJECTS = (
    "fulfillment_request",
    "tier_config_request",
    "tier_account_request",
    "listing_request",
    "billing_request",
)


def call(api: Api, key: str, method: str, path: str, body: Any = None) -> tuple[int, Any, str]:
    """Send a call as the app does; return the status, the JSON and the Content-Range."""
    request = urllib.request.Request(
        f"{api.endpoint}/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": key,
            "Content-Type": "application/json",
            "x-zapier-fulfillment-stepid": str(uuid4()),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read().decode()
            return answer.status, json.loads(text or "null"), answer.headers["Content-Range"] or ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read().decode()), ""


def value(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = row[name]
    return row


def rows(api: Api, key: str, path: str) -> list[Any]:
    status, found, position = call(api, key, "GET", path)
    assert status == 200, found
    assert position
    assert isinstance(found, list)
    return found


# --- Connection -----------------------------------------------------------------------------------


def test_the_connection_is_named_after_the_account(api: Api) -> None:
    for key, kind in ((api.distributor, "distributor"), (api.vendor, "vendor")):
        first = rows(api, key, "accounts")[0]
        assert first["id"]
        assert first["name"]
        assert first["type"] in {kind, "provider", "vendor"}


def test_products_are_found_by_filters_with_names_that_do_not_exist(api: Api) -> None:
    query = (
        "or(eq(product.visibility.listing,true),eq(product.visibility.syndication,true),"
        "eq(product.visibility.owner,true))"
    )
    for key in (api.distributor, api.vendor):
        assert {"id", "name"} <= set(rows(api, key, f"products?{query}&limit=100&offset=0")[0])


@pytest.fixture(scope="module")
def maker(api: Api) -> str:
    """Return the key of a token of Zapier's maker."""
    return api.new_key(MAKER)


class Browser:
    """A person of the demo at the portal, without scripts: pages, links and forms."""

    def __init__(self, api: Api, email: str) -> None:
        self.url = api.url
        jar = urllib.request.HTTPCookieProcessor()
        self.open = urllib.request.build_opener(jar).open
        assert "Sign Out" in self.send("/sign-in/", username=email, password=PASSWORD)

    def read(self, path: str) -> str:
        with self.open(self.url + path, timeout=20) as page:
            self.at = urllib.parse.urlsplit(page.url).path
            text: str = page.read().decode()
            return text

    def send(self, path: str, to: str = "", **fields: str) -> str:
        """Fill in the form of a page and return the page that it leads to."""
        mark = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.read(path))
        assert mark
        data = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": mark[1]}).encode()
        with self.open(self.url + (to or path), data, timeout=20) as page:
            self.at = urllib.parse.urlsplit(page.url).path
            text: str = page.read().decode()
            return text


def link(page: str, pattern: str) -> str:
    found = re.search(f'href="({pattern})"', page)
    assert found, pattern
    return html.unescape(found[1])


def subscription(product_id: str, url: str) -> dict[str, Any]:
    """Return the webhook that a Zap creates."""
    return {
        "label": "[Zap-1] New Product Event",
        "product_id": product_id,
        "external_url": url,
        "object_class": "fulfillment_request",
        "jwt_secret": f"JWT-{uuid4()}",
        "active": True,
        "description": "Made by Zapier.",
        "http_method": "POST",
        "data": {},
        "headers": {"Content-Type": "application/json"},
    }


def test_a_person_connects_zapier_with_a_handle_and_a_zap_is_told(api: Api, maker: str) -> None:
    robert = Browser(api, "robert@frontstreet.example")
    # Find Zapier in the catalog, and create its token.
    catalog = robert.read("/integrations/extensions/?q=zapier")
    detail = robert.read(link(catalog, "/integrations/extensions/EXT-651-883/"))
    robert.send(link(detail, r"/integrations/tokens/new/[^\"]*"), name="My Zaps", expires="never")
    robert.send(robert.at, extension="EXT-651-883")
    robert.send(robert.at)
    assert robert.at.endswith("/summary/")
    # Read the handle.
    token = robert.at.split("/")[-3]
    shown = robert.send(robert.at, f"/integrations/tokens/{token}/reveal/", page="summary")
    pasted = re.search(r"([0-9a-f]{40})</span><span [^>]*>@(http://[^<]+)</span>", shown)
    assert pasted
    handle, endpoint = pasted[1], pasted[2]
    assert endpoint == api.endpoint
    # Zapier exchanges it, as its maker.
    status, told, _ = call(api, maker, "POST", "auth/tokens", {"handle": handle})
    assert (status, told.keys()) == (200, {"id", "token"}), told
    assert told["id"] == token
    key = f"ApiKey {told['id']}:{told['token']}"
    assert rows(api, key, "accounts")[0]["id"] == VENDOR
    # A Zap subscribes, and is told.
    asked = rows(api, key, "requests?eq(status,pending)&limit=100&offset=0")[-1]
    with receiving() as zapier:
        hook = subscription(asked["asset"]["product"]["id"], zapier.url)
        status, made, _ = call(api, key, "POST", "notifications/webhooks", hook)
        assert status == 201, made
        path = f"requests/{asked['id']}"
        status, told, _ = call(api, key, "POST", f"{path}/inquire", {"template_id": "TL-1"})
        assert (status, told["status"]) == (200, "inquiring")
        deadline = time.monotonic() + 60
        while not zapier.calls and time.monotonic() < deadline:
            time.sleep(0.1)
        assert json.loads(zapier.calls[0].body)["webhook_id"] == made["id"]
        status, _, _ = call(api, key, "DELETE", f"notifications/webhooks/{made['id']}")
        assert status == 204
    call(api, key, "POST", f"{path}/pend", {})
    # The exchange is on the page of the token; a new handle ends the old one and its key.
    assert "By Southpaw Distribution, from 127.0.0.1." in robert.read(
        f"/integrations/tokens/{token}/"
    )
    new = f"/integrations/tokens/{token}/key/new/"
    version = re.search(r'name="version" value="(\d+)"', robert.read(new))
    assert version
    robert.send(new, what="rotate", version=version[1])
    assert call(api, maker, "POST", "auth/tokens", {"handle": handle})[0] == 404
    assert call(api, key, "GET", "accounts")[0] == 401


def test_the_maker_of_the_demo_is_documented(api: Api, maker: str) -> None:
    """The token by which a replay of the exchange works belongs to the maker of Zapier."""
    (found,) = [row for row in rows(api, api.vendor, "extensions") if row["name"] == "zapier"]
    assert found["owner"]["id"] == MAKER
    named = [row["name"] for row in rows(api, maker, "auth/tokens?limit=100")]
    assert "Zapier Exchange" in named


def test_a_wrong_handle_opens_nothing(api: Api) -> None:
    status, told, _ = call(api, api.vendor, "POST", "auth/tokens", {"handle": "0" * 40})
    assert (status, told["error_code"]) == (404, "NFND_000")
    assert "token" not in told
    status, told, _ = call(api, "", "POST", "auth/tokens", {"handle": "0" * 40})
    assert (status, told["error_code"]) == (401, "AUTH_001")


# --- Triggers that poll ---------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "fields"), POLLED, ids=[path for path, _ in POLLED])
def test_a_trigger_polls_pages_and_finds_what_it_reads(
    api: Api, path: str, fields: tuple[str, ...]
) -> None:
    key = max(
        (api.distributor, api.vendor), key=lambda each: len(rows(api, each, f"{path}?limit=100"))
    )
    found = rows(api, key, f"{path}?limit=100&offset=0")
    assert found
    for name in fields:
        assert value(found[0], name) is not None, name
    assert rows(api, key, f"{path}?limit=100&offset=100000") == []


@pytest.mark.parametrize(
    ("path", "moment"),
    [("requests", "created"), ("requests", "updated"), ("tier/config-requests", "created")],
)
def test_a_trigger_asks_for_what_is_newer_in_the_order_of_time(
    api: Api, path: str, moment: str
) -> None:
    quoted = urllib.parse.quote(SINCE)
    newer = rows(
        api, api.vendor, f"{path}?gt({moment},{quoted})&ordering(-{moment})&limit=100&offset=0"
    )
    assert newer
    moments = [value(row, moment if moment in row else f"events.{moment}.at") for row in newer]
    assert moments == sorted(moments, reverse=True)
    assert rows(api, api.vendor, f"{path}?lt({moment},{quoted})&limit=100") == []


def test_a_search_for_cases_takes_a_text(api: Api) -> None:
    subject = rows(api, api.distributor, "helpdesk/cases?limit=10&offset=0")[0]["subject"]
    text = urllib.parse.quote(subject)
    found = rows(api, api.distributor, f"helpdesk/cases?search={text}&limit=10&offset=0")
    assert subject in {row["subject"] for row in found}


# --- Triggers that subscribe ----------------------------------------------------------------------


@pytest.mark.parametrize("object_class", OBJECTS)
def test_a_zap_subscribes_when_it_is_switched_on_and_unsubscribes(
    api: Api, object_class: str
) -> None:
    product = rows(api, api.vendor, "products?limit=100&offset=0")[0]["id"]
    body = {
        "label": f"[Zap-{uuid4()}] New Product Event",
        "product_id": product,
        "external_url": "https://hooks.zapier.com/hooks/standard/1/2/",
        "object_class": object_class,
        "jwt_secret": f"JWT-{uuid4()}",
        "active": True,
        "description": "Made by Zapier.",
        "http_method": "POST",
        "data": {},
        "headers": {"Content-Type": "application/json"},
    }
    status, made, _ = call(api, api.vendor, "POST", "notifications/webhooks", body)
    assert status == 201, made
    assert made["id"].startswith("WH-")
    status, _, _ = call(api, api.vendor, "DELETE", f"notifications/webhooks/{made['id']}")
    assert status == 204
    assert call(api, api.vendor, "GET", f"notifications/webhooks/{made['id']}")[0] == 404


# --- What a Zap writes ----------------------------------------------------------------------------


def test_a_zap_creates_answers_and_closes_a_case(api: Api) -> None:
    body = {
        "subject": "A Zap asks",
        "description": "Something is missing.",
        "priority": 1,
        "type": "technical",
        "receiver": {"account": {"id": VENDOR}},
    }
    status, case, _ = call(api, api.distributor, "POST", "helpdesk/cases", body)
    assert status == 201, case
    assert (case["subject"], case["state"]) == ("A Zap asks", "pending")
    changed = {"subject": "A Zap asks again"}
    status, case, _ = call(api, api.distributor, "PUT", f"helpdesk/cases/{case['id']}", changed)
    assert (status, case["subject"]) == (200, "A Zap asks again")
    for key, verb, state in (
        (api.vendor, "inquire", "inquiring"),
        (api.distributor, "pend", "pending"),
        (api.vendor, "resolve", "resolved"),
    ):
        status, told, _ = call(api, key, "POST", f"helpdesk/cases/{case['id']}/{verb}", {})
        assert (status, told["state"]) == (200, state)
    thanks = {"rating": 5, "feedback": "Thank you."}
    address = f"helpdesk/cases/{case['id']}/close"
    status, told, _ = call(api, api.distributor, "POST", address, thanks)
    assert (status, told["state"], told["rating"]) == (200, "closed", 5)


def test_a_zap_orders_and_the_vendor_answers(api: Api) -> None:
    asked = rows(api, api.vendor, "requests?eq(status,pending)&limit=100&offset=0")
    assert asked
    request = f"requests/{asked[0]['id']}"
    inquiry = {"template_id": "TL-1"}
    status, told, _ = call(api, api.vendor, "POST", f"{request}/inquire", inquiry)
    assert (status, told["status"]) == (200, "inquiring")
    status, told, _ = call(api, api.vendor, "POST", f"{request}/pend", {})
    assert (status, told["status"]) == (200, "pending")
    status, told, _ = call(api, api.vendor, "POST", f"{request}/approve", {})
    assert (status, told["status"]) == (200, "approved")

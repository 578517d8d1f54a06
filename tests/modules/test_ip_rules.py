"""IP rules over the API: `/modules/<id>/settings`, as Connect describes it."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from activity.models import Event
from portal.addresses import read_span
from tests.conftest import Call, Response
from tests.factories import AccountFactory, TokenFactory, header
from tests.tokens.test_policies import impose
from tokens.catalog import Module
from tokens.models import IPRule, Token

HOME = "127.0.0.1"


@pytest.fixture
def manager(account: Account) -> Token:
    return TokenFactory(account=account, name="Manager", modules=(Module.INTEGRATIONS,))


def rules_of(account: Account) -> list[tuple[str, str]]:
    rules = IPRule.objects.for_account(account.pk).order_by("name_key")
    return [(rule.name, str(rule.span)) for rule in rules]


def put(call: Call, token: Token, ips: Any, **more: Any) -> Response:
    return call(
        "modules/integrations/settings",
        token,
        "put",
        data=json.dumps({"acl": {"ips": ips}, **more}),
        content_type="application/json",
    )


@pytest.mark.parametrize("name", ["MD-0007", "integrations", "MD-0007/", "integrations/"])
def test_the_settings_are_shown_as_connect_does(
    call: Call, manager: Token, account: Account, name: str
) -> None:
    path = f"modules/{name.rstrip('/')}/settings{'/' if name.endswith('/') else ''}"
    assert call(path, manager).json() == {"acl": {"ips": []}}
    IPRule.add(account, None, [("Here", read_span("127.0.0.0/30"))], by=None)
    IPRule.add(account, manager, [("Its own", read_span(HOME))], by=None)
    IPRule.add(AccountFactory(), None, [("Elsewhere", read_span("192.0.2.1"))], by=None)
    assert call(path, manager).json() == {
        "acl": {"ips": [{"name": "Here", "ip_range": ["127.0.0.0", "127.0.0.3"]}]}
    }


@pytest.mark.parametrize("name", ["MD-0001", "MD-9999", "account"])
def test_other_modules_have_no_settings_here(call: Call, manager: Token, name: str) -> None:
    assert call(f"modules/{name}/settings", manager).status_code == 404


@pytest.mark.parametrize("method", ["get", "put"])
def test_the_settings_need_the_module_integrations(call: Call, token: Token, method: str) -> None:
    assert call("modules/integrations/settings", token, method).status_code == 403


def test_a_token_replaces_the_rules_and_the_trail_says_so(
    call: Call, manager: Token, account: Account
) -> None:
    stays = {"name": "Here", "ip_range": [HOME, HOME]}
    assert put(call, manager, [stays, {"name": "Old", "ip_range": ["192.0.2.0/30"]}]).json() == {
        "acl": {
            "ips": [
                {"name": "Here", "ip_range": [HOME, HOME]},
                {"name": "Old", "ip_range": ["192.0.2.0", "192.0.2.3"]},
            ]
        }
    }
    [here] = IPRule.objects.filter(name="Here")
    new = {"name": "New", "ip_range": ["2001:db8::1", "2001:db8::9"]}
    assert put(call, manager, [{**stays, "name": "Home"}, new]).status_code == 200
    assert rules_of(account) == [("Home", HOME), ("New", "2001:db8::1 – 2001:db8::9")]
    assert IPRule.objects.get(name="Home").pk == here.pk
    entries = Event.objects.filter(action__startswith="rules.").order_by("number")
    assert [(entry.action, entry.actor_id) for entry in entries] == [
        (f"rules.{verb}", manager.pk) for verb in ("added", "added", "deleted", "changed", "added")
    ]
    assert put(call, manager, []).json() == {"acl": {"ips": []}}


def test_a_token_cannot_lock_itself_out_unless_it_insists(
    call: Call, manager: Token, account: Account
) -> None:
    ips = [{"name": "Elsewhere", "ip_range": ["192.0.2.1"]}]
    response = put(call, manager, ips)
    assert response.status_code == 400
    assert "which come from 127.0.0.1" in response.json()["errors"][0]
    assert put(call, manager, ips, force="true").status_code == 400
    assert rules_of(account) == []
    assert put(call, manager, ips, force=True).status_code == 200
    assert call("modules/integrations/settings", manager).json()["error_code"] == "AUTH_007"


def test_an_unknown_address_counts_as_locked_out(
    client: Client, manager: Token, account: Account
) -> None:
    body = json.dumps({"acl": {"ips": [{"name": "Here", "ip_range": [HOME]}]}})
    response = client.put(
        "/public/v1/modules/integrations/settings",
        body,
        content_type="application/json",
        headers={"authorization": header(manager)},
        REMOTE_ADDR="",
    )
    assert response.status_code == 400
    assert rules_of(account) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "acl.ips: Must be a list of rules."),
        ({"acl": 7}, "acl.ips: Must be a list of rules."),
        ({"acl": {"ips": {}}}, "acl.ips: Must be a list of rules."),
        ({"acl": {"ips": [7]}}, "acl.ips[0]: Must be an object."),
        ({"acl": {"ips": [{"name": "A"}]}}, "acl.ips[0].ip_range: Must be a list"),
        (
            {"acl": {"ips": [{"name": "A", "ip_range": [1, 2]}]}},
            "acl.ips[0].ip_range: Must be a list",
        ),
        (
            {"acl": {"ips": [{"name": "A", "ip_range": ["x"]}]}},
            "acl.ips[0].ip_range: Enter an address",
        ),
        (
            {"acl": {"ips": [{"name": "A", "ip_range": [HOME, "127.0.0.0"]}]}},
            "acl.ips[0].ip_range: The last address comes before the first.",
        ),
        ({"acl": {"ips": [{"ip_range": [HOME]}]}}, "acl.ips[0].name: Enter a name"),
        (
            {"acl": {"ips": [{"name": "a\u200bb", "ip_range": [HOME]}]}},
            "acl.ips[0].name: Remove the hidden characters",
        ),
        (
            {"acl": {"ips": [{"name": "x" * 65, "ip_range": [HOME]}]}},
            "acl.ips: Ensure this value has at most 64 characters",
        ),
        (
            {"acl": {"ips": [{"name": name, "ip_range": [HOME]} for name in "AB"]}},
            "acl.ips[1].ip_range: 127.0.0.1 is listed twice.",
        ),
        (
            {"acl": {"ips": [{"name": "A", "ip_range": [end]} for end in (HOME, "192.0.2.1")]}},
            "acl.ips: An IP rule with the name “A” already exists.",
        ),
        (
            {"acl": {"ips": [{"name": "A", "ip_range": ["0.0.0.0/0"]}]}},
            "acl.ips: This is the whole Internet.",
        ),
    ],
)
def test_a_body_with_a_mistake_is_400_and_changes_nothing(
    call: Call, manager: Token, account: Account, body: Any, problem: str
) -> None:
    IPRule.add(account, None, [("Before", read_span("127.0.0.0/30"))], by=None)
    response = call(
        "modules/integrations/settings",
        manager,
        "put",
        data=json.dumps(body),
        content_type="application/json",
    )
    assert (response.status_code, response.json()["error_code"]) == (400, "VAL_001")
    assert response.json()["errors"][0].startswith(problem)
    assert rules_of(account) == [("Before", "127.0.0.0/30")]


def test_other_methods_are_refused(call: Call, manager: Token) -> None:
    response = call("modules/integrations/settings", manager, "post")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, PUT")


def test_names_may_be_swapped_and_used_again(call: Call, manager: Token, account: Account) -> None:
    here = {"name": "Here", "ip_range": [HOME]}
    there = {"name": "There", "ip_range": ["192.0.2.1"]}
    assert put(call, manager, [here, there]).status_code == 200
    before = dict(IPRule.objects.values_list("pk", "first"))
    swapped = [{**here, "name": "there"}, {**there, "name": "HERE"}]
    assert put(call, manager, swapped).status_code == 200
    assert rules_of(account) == [("HERE", "192.0.2.1"), ("there", HOME)]
    assert dict(IPRule.objects.values_list("pk", "first")) == before
    again = [{**here, "name": "Here"}, {"name": "there", "ip_range": ["192.0.2.9"]}]
    assert put(call, manager, again).status_code == 200
    assert rules_of(account) == [("Here", HOME), ("there", "192.0.2.9")]


def test_without_rules_that_a_policy_requires_a_token_would_lock_itself_out(
    call: Call, manager: Token, account: Account
) -> None:
    assert put(call, manager, [{"name": "Here", "ip_range": [HOME]}]).status_code == 200
    impose(account, rules_required=True)
    response = put(call, manager, [])
    assert response.status_code == 400
    assert "a policy of the account would refuse your own calls" in response.json()["errors"][0]
    assert put(call, manager, [], force=True).status_code == 200
    assert call("accounts", manager).json()["error_code"] == "AUTH_008"
    IPRule.add(account, manager, [("Its own", read_span(HOME))], by=None)
    assert put(call, manager, []).status_code == 200


def test_many_rules_are_looked_at_together(
    call: Call, manager: Token, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """So that nobody else waits long for the lock."""
    ips = [{"name": f"Host {n}", "ip_range": [f"127.0.0.{n}"]} for n in range(1, 101)]
    with django_assert_max_num_queries(20 + 7 * len(ips)):
        assert put(call, manager, ips).status_code == 200
    assert len(put(call, manager, ips).json()["acl"]["ips"]) == 100

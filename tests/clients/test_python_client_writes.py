"""CloudBlue's Python client creates, changes and deletes records, and reports mistakes."""

import pytest

from tests.clients.asking import ADDRESS, BAD_QUERY, NOBODY, Ask, ids, rows_at, unused
from tests.clients.conftest import DISTRIBUTOR, VENDOR, Api, ClientError

# --- Mistakes -------------------------------------------------------------------------------------

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
    assert (refused.value.status, refused.value.code) == (403, "AUTH_009")


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

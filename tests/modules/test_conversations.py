"""Programs read what companies write to each other about a record, and answer."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import Account
from modules.models import (
    Case,
    Conversation,
    FulfillmentRequest,
    ListingRequest,
    Message,
    TierConfigRequest,
)
from tests.factories import AccountFactory, ContractFactory, TokenFactory, UserFactory
from tests.modules.conftest import Send
from tests.modules.test_writes import refused
from tokens.catalog import Module
from tokens.models import Token

VENDOR, DISTRIBUTOR = "VA-044-420", "PA-063-101"
# What is discussed -> the module of its conversation.
ABOUT = {
    Case: Module.HELPDESK,
    FulfillmentRequest: Module.SUBSCRIPTIONS,
    ListingRequest: Module.LISTINGS,
    TierConfigRequest: Module.TIER_CONFIG,
}


@pytest.fixture
def theirs(account: Account) -> Token:
    """Make a token of a vendor that has a contract with the distributor."""
    vendor = ContractFactory(provider=account, vendor__name="Front Street Inc").vendor
    return TokenFactory(account=vendor, name="Their Bot", modules=(Module.ALL,))


@pytest.fixture
def case(send: Send, theirs: Token) -> str:
    """Open a case with the vendor and return its id."""
    body = {
        "subject": "Orders hang",
        "description": "Since Monday.",
        "type": "technical",
        "receiver": {"account": {"id": theirs.account_id}},
    }
    return str(send("post", "helpdesk/cases", body).json()["id"])


@pytest.fixture
def talk(send: Send, case: str) -> str:
    """Return the id of the conversation about the case."""
    (found,) = send("get", f"conversations?instance_id={case}").json()
    return str(found["id"])


def test_a_case_begins_with_a_conversation_that_both_sides_see(
    send: Send, case: str, theirs: Token, all_token: Token
) -> None:
    (mine,) = send("get", f"conversations?instance_id={case}").json()
    assert mine["id"].startswith("CO-")
    assert (mine["instance_id"], mine["topic"], mine["messages"]) == (case, "Orders hang", [])
    assert mine["creator"] == {"id": all_token.pk, "name": "ERP Sync"}
    (seen,) = send("get", f"conversations?instance_id={case}", key=theirs).json()
    assert seen["id"] == mine["id"]
    assert seen["creator"] == {"id": all_token.account_id, "name": all_token.account.name}


def test_a_message_is_read_by_both_sides_in_the_order_of_writing(
    send: Send, talk: str, theirs: Token
) -> None:
    first = send("post", f"conversations/{talk}/messages", {"text": "Since when?"}, theirs)
    assert first.status_code == 201
    assert first.json()["id"].startswith("ME-")
    second = send("post", f"conversations/{talk}/messages", {"text": "Since Monday.\nAll day."})
    assert second.json()["text"] == "Since Monday.\nAll day."
    for key in (None, theirs):
        kwargs: Any = {} if key is None else {"key": key}
        rows = send("get", f"conversations/{talk}/messages", **kwargs).json()
        assert [row["text"] for row in rows] == ["Since when?", "Since Monday.\nAll day."]
        assert {(row["conversation"], row["type"]) for row in rows} == {(talk, "message")}
        assert send("get", f"conversations/{talk}", **kwargs).json()["messages"] == rows
        one = send("get", f"conversations/{talk}/messages/{rows[0]['id']}", **kwargs)
        assert one.json() == rows[0]


def test_of_a_token_the_other_side_learns_only_the_company(
    send: Send, talk: str, theirs: Token, all_token: Token
) -> None:
    send("post", f"conversations/{talk}/messages", {"text": "Hello"})
    for path, inside in (
        (f"conversations/{talk}/messages", "creator"),
        (f"conversations/{talk}", "messages.creator"),
    ):
        name = f"{inside}.name"
        for query, own, other in (
            (f"eq({name},ERP Sync)", 1, 0),
            (f"eq({inside}.id,{all_token.pk})", 1, 0),
            (f"eq({inside}.id,{all_token.account_id})", 0, 1),
        ):
            listed = path if path.endswith("messages") else "conversations"
            found = [
                len(send("get", f"{listed}?{query}", key=key).json()) for key in (all_token, theirs)
            ]
            assert found == [own, other], query
        assert all_token.pk not in send("get", path, key=theirs).text
        assert "ERP Sync" not in send("get", path, key=theirs).text
        assert all_token.account.name in send("get", path, key=theirs).text


def test_a_person_is_named_to_both_sides(send: Send, talk: str, theirs: Token) -> None:
    person = UserFactory(name="Elena Ruiz")
    message = Message(conversation_id=talk, number=1, account_id=theirs.account_id, text="By hand.")
    message.created_by = person
    message.save()
    for kwargs in ({}, {"key": theirs}):
        (row,) = send("get", f"conversations/{talk}/messages", **kwargs).json()
        assert row["creator"] == {"id": person.pk, "name": "Elena Ruiz"}
        assert row["account"] == {"id": theirs.account_id, "name": "Front Street Inc"}


def test_the_id_of_the_record_stands_for_that_of_its_conversation(
    send: Send, case: str, talk: str
) -> None:
    """Zapier's app writes about cases to that address."""
    assert send("get", f"conversations/{case}/messages").json() == []
    made = send("post", f"conversations/{case}/messages", {"text": "Hello"}).json()
    assert made["conversation"] == talk
    assert send("get", f"conversations/{case}/messages").json() == [made]
    assert send("get", f"conversations/{case}").json()["id"] == talk


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (None, "text: "),
        ("", "text: "),
        (" \n ", "text: "),
        ("a" * 4097, "4096"),
        ("pay\u202ekcab", "text: "),
        ("nul\x00", "text: "),
        (["a"], "text: "),
        ({"a": 1}, "text: "),
    ],
)
def test_a_message_that_is_none_is_refused_and_not_kept(
    send: Send, talk: str, text: Any, wrong: str
) -> None:
    body = {} if text is None else {"text": text}
    refused(send("post", f"conversations/{talk}/messages", body), wrong)
    assert not Message.objects.exists()


def test_messages_cannot_be_changed_or_deleted(send: Send, talk: str) -> None:
    path = f"conversations/{talk}/messages"
    made = send("post", path, {"text": "Hello"}).json()["id"]
    for method in ("put", "delete"):
        assert send(method, f"{path}/{made}", {"text": "x"}).status_code == 405
        assert send(method, f"conversations/{talk}", {"topic": "x"}).status_code == 405


def test_a_conversation_shows_its_latest_messages_and_has_all_beside_it(
    send: Send, talk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"conversations/{talk}/messages"
    for number in range(12):
        send("post", path, {"text": f"{number}"})
    said = [row["text"] for row in send("get", path).json()]
    assert said == [f"{number}" for number in range(12)]
    shown = send("get", f"conversations/{talk}").json()["messages"]
    assert [row["text"] for row in shown] == said[2:]


def test_a_conversation_goes_on_after_one_of_its_messages_was_deleted(
    send: Send, talk: str
) -> None:
    path = f"conversations/{talk}/messages"
    for text in ("one", "two", "three"):
        send("post", path, {"text": text})
    Message.objects.get(text="one").delete()
    assert send("post", path, {"text": "four"}).status_code == 201
    assert [row["text"] for row in send("get", path).json()] == ["two", "three", "four"]


def test_a_conversation_has_an_end(send: Send, talk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conversation, "MOST", 2)
    path = f"conversations/{talk}/messages"
    assert [send("post", path, {"text": "x"}).status_code for _ in range(3)] == [201, 201, 400]
    refused(send("post", path, {"text": "x"}), "2 messages", code="CNV_001")
    assert Message.objects.count() == 2


def test_messages_count_as_writes(send: Send, talk: str, settings: Settings) -> None:
    settings.WRITES_PER_TOKEN = 3
    path = f"conversations/{talk}/messages"
    statuses = [send("post", path, {"text": "x"}).status_code for _ in range(4)]
    # The case was one of the three.
    assert statuses == [201, 201, 429, 429]
    assert send("get", path).status_code == 200


def test_other_companies_find_nothing(send: Send, talk: str, case: str) -> None:
    other = TokenFactory(account=AccountFactory(side="vendor"), modules=(Module.ALL,))
    assert send("get", "conversations", key=other).json() == []
    for path in (f"conversations/{talk}", f"conversations/{case}"):
        assert send("get", path, key=other).status_code == 404
        assert send("get", f"{path}/messages", key=other).status_code == 404
        assert send("post", f"{path}/messages", {"text": "x"}, other).status_code == 404
    assert not Message.objects.exists()


def test_a_new_message_is_found_by_the_moment_of_the_last_change(send: Send, talk: str) -> None:
    Conversation.objects.update(updated_at="2024-01-31T10:20:30Z")
    since = "gt(updated,2024-01-31T10:20:30.000Z)&ordering(-updated)"
    assert send("get", f"conversations?{since}").json() == []
    send("post", f"conversations/{talk}/messages", {"text": "x"})
    assert [row["id"] for row in send("get", f"conversations?{since}").json()] == [talk]


def test_a_conversation_ends_with_its_record(send: Send, talk: str, case: str) -> None:
    send("post", f"conversations/{talk}/messages", {"text": "x"})
    Case.objects.get(pk=case).delete()
    assert not Conversation.objects.exists()
    assert not Message.objects.exists()


# --- Modules --------------------------------------------------------------------------------------


@pytest.fixture
def demo_records(db: None) -> None:
    call_command("demo", verbosity=0)


Key = Callable[..., Token]


@pytest.fixture
def key(demo_records: None) -> Key:
    return lambda *modules: TokenFactory(account=Account.objects.get(pk=VENDOR), modules=modules)


@pytest.mark.parametrize("model", ABOUT)
def test_a_token_reaches_the_conversations_of_its_modules_alone(
    send: Send, key: Key, model: type[Any]
) -> None:
    token = key(ABOUT[model], Module.AGREEMENTS)
    records = model.objects.filter(vendor=VENDOR)
    wanted = set(records.values_list("pk", flat=True))
    rows = send("get", "conversations?limit=1000", key=token).json()
    assert wanted
    assert {row["instance_id"] for row in rows} == wanted
    assert any(len(row["messages"]) > 1 for row in rows)
    path = f"conversations/{rows[0]['id']}/messages"
    assert send("post", path, {"text": "Hello"}, token).status_code == 201
    hidden = Conversation.objects.filter(vendor=VENDOR).exclude(instance_id__in=wanted)[0]
    for name in (hidden.pk, hidden.instance_id):
        assert send("get", f"conversations?instance_id={name}", key=token).json() == []
        assert send("get", f"conversations/{name}", key=token).status_code == 404
        path = f"conversations/{name}/messages"
        assert send("get", path, key=token).status_code == 404
        assert send("post", path, {"text": "Hello"}, token).status_code == 404


def test_a_token_without_any_of_the_modules_is_refused_and_told_which_would_do(
    send: Send, key: Key
) -> None:
    token = key(Module.AGREEMENTS)
    for method, path in (
        ("get", "conversations"),
        ("get", "conversations/CO-1"),
        ("get", "conversations/CO-1/messages"),
        ("post", "conversations/CO-1/messages"),
    ):
        response = send(method, path, {"text": "x"} if method == "post" else None, token)
        assert (response.status_code, response.json()["error_code"]) == (403, "AUTH_003")
        assert "Helpdesk, Listings, Subscriptions or Tier Config" in response.json()["errors"][0]


def test_a_module_that_is_revoked_closes_its_conversations_at_once(send: Send, key: Key) -> None:
    token = key(Module.HELPDESK, Module.LISTINGS)
    path = f"conversations?instance_id={Case.objects.filter(vendor=VENDOR)[0].pk}"
    assert len(send("get", path, key=token).json()) == 1
    token.permissions.filter(module=Module.HELPDESK).delete()
    assert send("get", path, key=token).json() == []


def test_records_that_were_there_before_get_the_conversation_that_new_ones_begin_with(
    demo_records: None,
) -> None:
    columns = [
        *("instance_id", "module", "topic", "vendor_id", "provider_id", "created_at"),
        *(f"created_by_{part}" for part in ("id", "name", "account")),
    ]
    before = set(Conversation.objects.values_list(*columns))
    Conversation.objects.all().delete()
    import_module("modules.migrations.0010_conversations").begin(apps, None)
    assert set(Conversation.objects.values_list(*columns)) == before

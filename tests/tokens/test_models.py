"""What the database itself refuses, and the words for access."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account
from activity.actions import Action
from activity.models import Chain
from portal.text import isolate
from tests.conftest import Clock, Person
from tests.factories import CUSTOM, TokenFactory
from tokens.catalog import Access, Module
from tokens.models import (
    EXPIRING,
    Changed,
    Deleted,
    Extension,
    Grant,
    NameTaken,
    State,
    Token,
    TokenDraft,
    TokenUsage,
)


@pytest.mark.parametrize(
    "fields",
    [{"name": "erp agreements SYNC"}, {"status": "expired"}, {"draft": True}],
    ids=["name", "status", "draft"],
)
def test_the_database_refuses(token: Token, account: Account, fields: dict[str, Any]) -> None:
    import uuid

    run = uuid.uuid4()
    Token.objects.filter(pk=token.pk).update(draft_id=run)
    fields = {"name": "Another", **fields}
    if fields.pop("draft", False):
        fields["draft_id"] = run
    with pytest.raises(IntegrityError), transaction.atomic():
        Token.objects.create(account=account, **{"extension_id": CUSTOM, **fields})


def test_the_database_refuses_an_unknown_extension(account: Account) -> None:
    with transaction.atomic():
        Token.objects.create(account=account, name="Another", extension_id="EXT-999")
        # Foreign keys are checked at the end of a transaction.
        with pytest.raises(IntegrityError):
            connection.check_constraints()
        transaction.set_rollback(True)


def test_the_database_refuses_a_second_grant_of_a_module_and_a_second_key_of_a_version(
    token: Token,
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.create(token=token, module=Module.AGREEMENTS)
    with pytest.raises(IntegrityError), transaction.atomic():
        token.keys.create(version=1, digest=b"", pepper=1)


def test_a_token_that_cannot_be_made_whole_is_not_made_at_all(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(Chain, "append", fail)
    with pytest.raises(RuntimeError):
        TokenFactory(account=account)
    assert not Token.objects.exists()
    assert not TokenUsage.objects.exists()


def test_an_edit_that_cannot_be_made_whole_changes_nothing(token: Token, account: Account) -> None:
    TokenFactory(account=account, name="Taken")
    with pytest.raises(NameTaken):
        token.edit(by=None, version=1, modules={Module.USAGE}, name="taken")
    assert Token.objects.get(pk=token.pk).grants == {Module.AGREEMENTS}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 129),
        ("external_id", "x" * 129),
        ("description", "x" * 256),
        ("expires_at", datetime(2150, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_token_is_not_made_with_what_its_fields_do_not_take(
    account: Account, field: str, value: object
) -> None:
    with pytest.raises(ValidationError) as refused:
        TokenFactory(account=account, **{field: value})
    assert {*refused.value.message_dict} == {field}


def test_an_edit_tells_when_and_how_often_the_token_was_changed(token: Token) -> None:
    Token.objects.update(updated_at=timezone.now() - timedelta(days=1))
    token.edit(by=None, version=1, modules=None, name="Renamed")
    fresh = Token.objects.get()
    assert fresh.version == 2
    assert timezone.now() - fresh.updated_at < timedelta(minutes=1)


def test_a_token_that_follows_its_extension_says_when_and_who_changed_it(
    token: Token, michael: Person, clock: Clock
) -> None:
    before = Token.objects.values().get()
    clock.move(minutes=1)
    assert token.follow({Module.USAGE, Module.PRICING}, by=michael.user) is True
    assert Token.objects.values().get() == before | {
        "version": 2,
        "updated_at": clock.now,
        "updated_by_id": michael.user.pk,
        "updated_by_name": michael.user.name,
    }
    event = token.events[0]
    assert (event.action, event.actor_id) == (Action.TOKEN_CHANGED, michael.user.pk)
    assert event.changes == {"modules": [["Agreements"], ["Pricing", "Usage"]]}
    assert token.follow({Module.PRICING}, by=None) is True
    assert token.events[0].changes == {"modules": [["Pricing", "Usage"], ["Pricing"]]}
    assert token.follow({Module.PRICING}, by=None) is False
    token.remove(by=None)
    assert token.follow({Module.USAGE}, by=None) is False
    assert [str(grant) for grant in Grant.objects.all()] == ["Pricing"]
    assert Token.objects.get().version == 3
    assert token.events.filter(action=Action.TOKEN_CHANGED).count() == 2


def test_what_an_extension_gains_comes_to_that_token_only_and_from_whoever_chose_it(
    token: Token, michael: Person
) -> None:
    token.edit(by=michael.user, version=None, modules=None, description="Nightly")
    other = TokenFactory(account=token.account, name="Other")
    assert token.follow({Module.AGREEMENTS, Module.USAGE}, by=michael.user) is True
    gained = Grant.objects.get(module=Module.USAGE)
    assert gained.token == token
    assert gained.granted_by
    assert gained.granted_by.id == michael.user.pk
    assert Token.objects.get(pk=other.pk).version == 1
    token.follow({Module.USAGE}, by=None)
    assert Token.objects.get(pk=token.pk).updated_by is None


def test_the_trail_tells_of_a_new_token_what_was_said_of_it_and_no_more(account: Account) -> None:
    event = TokenFactory(account=account, name="Nightly").events.get()
    assert event.action == Action.TOKEN_CREATED
    extension = Extension.objects.get(pk=CUSTOM).label
    assert event.changes == {
        "name": [None, "Nightly"],
        "extension": [None, extension],
        "modules": [None, ["Agreements"]],
    }


def test_the_trail_tells_of_modules_that_came_and_of_those_that_went(token: Token) -> None:
    token.add_grant(Module.USAGE, by=None)
    assert token.events[0].changes == {"modules": [["Agreements"], ["Agreements", "Usage"]]}
    token.remove_grants(Module.AGREEMENTS, by=None)
    assert token.events[0].changes == {"modules": [["Agreements", "Usage"], ["Usage"]]}


def test_only_a_deleted_token_is_restored(token: Token) -> None:
    token.disable(by=None)
    assert token.restore(by=None) is False
    assert Token.objects.get().status == Token.Status.INACTIVE


def test_the_trail_of_a_new_token_says_all_that_it_was_made_with(account: Account) -> None:
    said = {"name": "Sync", "external_id": "erp-7", "description": "Nightly", "show_once": True}
    expires_at = timezone.now() + timedelta(days=90)
    token = TokenFactory(account=account, expires_at=expires_at, **said)
    more = {
        "extension": token.extension.label,
        "modules": ["Agreements"],
        "expires_at": expires_at.isoformat(),
    }
    changes = {name: [None, value] for name, value in (said | more).items()}
    assert token.events.get().changes == changes


def test_what_was_empty_is_empty_in_the_record_of_an_edit(token: Token) -> None:
    expires_at = timezone.now() + timedelta(days=90)
    token.edit(by=None, version=1, modules=None, description="Nightly", expires_at=expires_at)
    token.edit(by=None, version=2, modules=None, description="", expires_at=None)
    filled, emptied = (
        each.changes for each in token.events.filter(action=Action.TOKEN_CHANGED).order_by("number")
    )
    assert filled == {"description": ["", "Nightly"], "expires_at": [None, expires_at.isoformat()]}
    assert emptied == {"description": ["Nightly", ""], "expires_at": [expires_at.isoformat(), None]}


def test_what_may_not_be_done_is_explained_in_a_sentence(token: Token, account: Account) -> None:
    other = TokenFactory(account=account, name="Taken")
    with pytest.raises(NameTaken) as told:
        token.edit(by=None, version=1, modules=None, name="taken")
    name = isolate("taken")
    taken = f"A token with the name “{name}” already exists. Choose another name."
    assert str(told.value) == taken
    with pytest.raises(Changed) as changed:
        token.edit(by=None, version=7, modules=None, name="Mine")
    assert str(changed.value) == "Somebody else changed this token in the meantime."
    other.remove(by=None)
    with pytest.raises(Deleted) as deleted:
        other.edit(by=None, version=1, modules=None, name="Mine")
    assert str(deleted.value) == "The token was deleted in the meantime."


STATES = [(), *((state,) for state in State), (State.EXPIRED, State.DELETED), tuple(State)]


@pytest.mark.parametrize("states", STATES, ids=str)
def test_the_states_of_a_list_are_those_of_its_tokens(
    account: Account, states: tuple[State, ...]
) -> None:
    now = timezone.now()
    for days in (None, -1, 1, EXPIRING.days + 1):
        for status in Token.Status:
            for keys in (1, 2):
                token = TokenFactory(account=account)
                if keys == 2:
                    token.renew(by=None, until=now + timedelta(days=1))
                expires_at = days and now + timedelta(days=days)
                Token.objects.filter(pk=token.pk).update(status=status, expires_at=expires_at)
    found = Token.objects.in_states(states)
    assert set(found) == {token for token in Token.objects.all() if token.state in states}
    assert bool(states) == bool(found)


def test_a_list_by_module_has_the_tokens_that_reach_it(account: Account) -> None:
    named = TokenFactory(account=account, modules=(Module.USAGE, Module.PRICING))
    everything = TokenFactory(account=account, modules=(Module.ALL,))
    TokenFactory(account=account, modules=(Module.AGREEMENTS,))
    assert set(Token.objects.reaching(Module.USAGE)) == {named, everything}
    assert set(Token.objects.reaching(Module.DEVOPS)) == {everything}


def draft(michael: Person, **fields: Any) -> TokenDraft:
    fields = {"name": "Nightly", "extension_id": CUSTOM, "modules": [], **fields}
    return TokenDraft.objects.create(owner=michael.user, account=michael.account, **fields)


@pytest.mark.parametrize("junk", [7, None, True, {}, "MD-0003", [], ["MD-9999", 7, None]], ids=str)
def test_a_draft_grants_nothing_that_is_no_list_of_modules(michael: Person, junk: object) -> None:
    run = draft(michael)
    run.modules = junk
    assert run.grants == []
    with pytest.raises(ValidationError, match="Choose at least one module") as refused:
        run.finish()
    assert [*refused.value.message_dict] == ["modules"]


def test_a_draft_grants_nothing_until_it_has_an_extension(michael: Person) -> None:
    run = draft(michael, extension_id=None, modules=[Module.AGREEMENTS])
    assert run.grants == []
    assert run.access == Access.of([])


def test_a_draft_makes_no_token_that_expires_this_very_moment(
    michael: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    run = draft(michael, expires_at=now, modules=[Module.AGREEMENTS])
    monkeypatch.setattr(timezone, "now", lambda: now)
    with pytest.raises(ValidationError, match="would have expired already") as refused:
        run.finish()
    assert [*refused.value.message_dict] == ["expires_at"]


def test_of_too_many_drafts_the_oldest_go_in_whatever_order_their_ids_come(
    michael: Person, settings: Settings
) -> None:
    settings.DRAFTS_PER_PERSON = 6
    drafts = [draft(michael, created_at=timezone.now() - timedelta(minutes=n)) for n in range(20)]
    TokenDraft.forget_old(michael.user)
    assert set(TokenDraft.objects.all()) == set(drafts[:5])


def test_ids_have_the_shape_of_the_real_product(
    token: Token, account: Account, michael: Person
) -> None:
    import re

    assert re.fullmatch(r"SU-\d{3}-\d{3}-\d{3}", token.pk)
    assert re.fullmatch(r"PA-\d{3}-\d{3}", account.pk)
    assert re.fullmatch(r"UR-\d{3}-\d{3}-\d{3}", michael.user.pk)


def test_the_catalog_has_the_known_ids_and_the_order_of_the_article() -> None:
    labels = [str(module.label) for module in Module]
    assert labels[:9] == [
        "All",
        "Account",
        "Agreements",
        "Contracts",
        "Customers",
        "DevOps",
        "Integrations",
        "Helpdesk",
        "Listings",
    ]
    assert labels[9:] == [
        "Marketplaces",
        "Partners",
        "Pricing",
        "Products",
        "Reports",
        "Subscriptions",
        "Tier Config",
        "Usage",
    ]
    known = {
        "All": "MD-0000",
        "Account": "MD-0001",
        "Integrations": "MD-0007",
        "Helpdesk": "MD-0023",
        "DevOps": "MD-0024",
    }
    assert {
        str(module.label): module.value for module in Module if str(module.label) in known
    } == known
    assert len(set(Module.values)) == len(Module)


@pytest.mark.parametrize(
    ("grants", "everything", "reach"),
    [
        ((), False, []),
        ((Module.ALL,), True, [str(module.label) for module in Module.single()]),
        ((Module.ALL, Module.USAGE), True, [str(module.label) for module in Module.single()]),
        ((Module.USAGE, Module.AGREEMENTS), False, ["Agreements", "Usage"]),
    ],
)
def test_access_is_what_may_be_reached_and_the_rest(
    grants: tuple[Module, ...], everything: bool, reach: list[str]
) -> None:
    access = Access.of(grants)
    assert (access.all, access.reach) == (everything, reach)
    assert sorted([*access.reach, *access.rest]) == sorted(
        str(module.label) for module in Module.single()
    )


def test_access_counts() -> None:
    access = Access.of({Module.USAGE})
    assert (access.reach_count, access.total, access.badge, access.summary) == (
        1,
        len(Module.single()),
        "1",
        f"1 of {len(Module.single())} modules",
    )
    assert Access.of({Module.ALL}).badge == "All"

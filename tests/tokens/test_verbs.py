"""What each verb of a token changes, refuses and records: of this token only, to the moment."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.models import Account
from activity.actions import Action
from portal.fields import Actor
from tests.conftest import Clock, Person
from tests.factories import CUSTOM, AccountFactory, TokenFactory, deleted
from tests.tokens.test_policies import impose, use
from tests.tokens.test_rotation import DAY, old_key, renewed
from tokens.catalog import Module
from tokens.models import (
    EXPIRING,
    RESTORABLE,
    AlreadyIssued,
    Deleted,
    Grant,
    NameTaken,
    State,
    Token,
    TokenKey,
)

TICK = timedelta(microseconds=1)


@pytest.fixture
def other(account: Account, token: Token) -> Token:
    return TokenFactory(account=account, name="Another")


def stored(token: Token) -> Token:
    return Token.objects.get(pk=token.pk)


def row(token: Token) -> dict[str, Any]:
    return dict(Token.objects.filter(pk=token.pk).values().get())


def who(actor: Actor | None) -> str:
    return actor.id if actor else ""


def actions(token: Token) -> list[str]:
    return [event.action for event in token.events]


def ends(token: Token, **columns: Any) -> Token:
    Token.objects.filter(pk=token.pk).update(**columns)
    return stored(token)


# --- Status ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "prepare", "action", "words"),
    [
        (Token.disable, None, Action.TOKEN_DISABLED, ["Active", "Inactive"]),
        (Token.enable, Token.disable, Action.TOKEN_ENABLED, ["Inactive", "Active"]),
        (Token.remove, None, Action.TOKEN_DELETED, ["Active", "Deleted"]),
        (Token.restore, Token.remove, Action.TOKEN_RESTORED, ["Deleted", "Active"]),
    ],
)
def test_a_verb_changes_and_records_the_status_once_and_of_its_token_only(
    token: Token,
    other: Token,
    michael: Person,
    clock: Clock,
    verb: Callable[..., bool],
    prepare: Callable[..., bool] | None,
    action: Action,
    words: list[str],
) -> None:
    if prepare:
        prepare(token, by=None)
        prepare(other, by=None)
    before = row(other)
    clock.move(minutes=1)
    assert verb(token, by=michael.user) is True
    assert (token.status_changed_at, who(token.status_changed_by)) == (clock.now, michael.user.pk)
    assert (stored(token).status, stored(token).status_changed_at) == (token.status, clock.now)
    event = token.events[0]
    assert (event.action, event.actor_id, event.changes) == (
        action,
        michael.user.pk,
        {"status": words},
    )
    clock.move(minutes=1)
    assert verb(token, by=michael.user) is False
    assert token.events[0] == event
    assert stored(token).status_changed_at == token.status_changed_at
    assert row(other) == before


def test_a_deleted_token_remembers_its_status_until_it_is_restored(token: Token) -> None:
    token.disable(by=None)
    token.remove(by=None)
    assert (token.status, token.status_before) == ("deleted", "inactive")
    assert (token.disable(by=None), token.enable(by=None)) == (False, False)
    token.restore(by=None)
    assert (token.status, token.status_before) == ("inactive", "")


def test_a_token_of_before_statuses_were_remembered_is_restored_disabled(token: Token) -> None:
    token.remove(by=None)
    Token.objects.update(status_before="")
    assert token.restore(by=None)
    assert token.status == "inactive"


def test_a_deleted_token_can_be_restored_for_seven_days_to_the_moment(
    token: Token, other: Token, clock: Clock
) -> None:
    token.remove(by=None)
    ends = clock.now + timedelta(days=7)
    assert token.restorable_until == ends
    clock.now = ends - TICK
    assert stored(token).restorable_until == ends
    assert [*Token.objects.restorable()] == [token]
    assert [*Token.objects.due_for_purge()] == []
    assert token.purge() is False
    assert token.keys.get().can_be_opened
    clock.now = ends
    assert stored(token).restorable_until is None
    assert [*Token.objects.restorable()] == []
    assert [*Token.objects.due_for_purge()] == [token]
    assert token.restore(by=None) is False
    assert token.purge() is True
    assert token.purge() is False
    assert stored(token).purged_at == clock.now
    assert actions(token)[:2] == [Action.TOKEN_PURGED, Action.TOKEN_DELETED]
    assert [key.sealed is None for key in TokenKey.objects.order_by("token__name")] == [False, True]
    assert stored(other).purged_at is None


def test_a_purged_token_can_neither_be_restored_nor_purged_again_by_a_clock_put_back(
    token: Token, clock: Clock
) -> None:
    token.remove(by=None)
    clock.move(days=7)
    token.purge()
    clock.move(days=-7)
    assert stored(token).restorable_until is None
    assert not Token.objects.restorable().exists()
    assert not Token.objects.due_for_purge().exists()


def test_a_token_deleted_ahead_of_the_clock_is_restorable_for_seven_days_from_now(
    token: Token, clock: Clock
) -> None:
    token.remove(by=None)
    Token.objects.update(status_changed_at=clock.now + DAY)
    assert stored(token).restorable_until == clock.now + RESTORABLE


def test_only_a_deleted_token_has_a_time_to_restore_it(token: Token) -> None:
    token.disable(by=None)
    assert token.restorable_until is None


def test_a_token_deleted_at_an_unknown_time_is_due_to_be_purged(token: Token) -> None:
    token.remove(by=None)
    Token.objects.update(status_changed_at=None)
    assert stored(token).restorable_until is None
    assert Token.objects.all().purge() == 1
    assert Token.objects.all().purge() == 0


def test_all_that_is_due_is_purged_and_counted(token: Token, other: Token) -> None:
    for each in (token, other):
        deleted(each, days=8)
    assert Token.objects.all().purge() == 2


def test_a_name_is_held_by_live_tokens_and_those_that_can_be_restored(
    token: Token, other: Token
) -> None:
    name = "ERP AGREEMENTS sync"
    assert [*Token.objects.holding(name)] == [token]
    deleted(token)
    assert [*Token.objects.holding(name)] == [token]
    deleted(ends(token, status="active"), days=8)
    assert not Token.objects.holding(name).exists()
    assert [*Token.objects.named(name)] == [token]


# --- State ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "state"),
    [
        (None, State.ACTIVE),
        (timedelta(0), State.EXPIRED),
        (TICK, State.EXPIRING),
        (EXPIRING, State.EXPIRING),
        (EXPIRING + TICK, State.ACTIVE),
    ],
)
def test_the_state_follows_the_expiration_to_the_moment(
    token: Token, clock: Clock, left: timedelta | None, state: State
) -> None:
    token = ends(token, expires_at=left if left is None else clock.now + left)
    assert token.state == state
    assert [each for each in State if Token.objects.in_states([each]).exists()] == [state]


def test_a_token_is_revitalised_until_the_very_moment_in_which_its_old_key_ends(
    token: Token, clock: Clock
) -> None:
    renewed(token)
    at = old_key(token).retires_at
    assert at
    clock.now = at - TICK
    for state in (State.REVITALISED, State.ACTIVE):
        assert stored(token).state == state
        assert [each for each in State if Token.objects.in_states([each]).exists()] == [state]
        clock.now = at
    token = ends(token, expires_at=at)
    clock.now = at - TICK
    assert token.state == State.REVITALISED
    assert Token.objects.in_states([State.REVITALISED]).exists()


def test_no_state_finds_no_token_and_several_find_the_tokens_of_each(
    token: Token, other: Token
) -> None:
    other.disable(by=None)
    assert not Token.objects.in_states([]).exists()
    assert {*Token.objects.in_states([State.ACTIVE, State.INACTIVE])} == {token, other}


@pytest.mark.parametrize(
    "text", ["agreements", " Erp ", "ERP-77", "erp-77", "{id}", " {id} ", "{small}"]
)
def test_a_token_is_found_by_a_part_of_its_name_its_id_or_the_other_system_s(
    token: Token, other: Token, text: str
) -> None:
    token.edit(by=None, version=None, modules=None, external_id="x-Erp-77-y")
    typed = text.format(id=token.pk, small=token.pk.lower())
    assert [*Token.objects.search(typed)] == [token]


# --- Making one -----------------------------------------------------------------------------------


def test_a_run_of_the_wizard_makes_one_token(account: Account) -> None:
    run = uuid.uuid4()
    made = TokenFactory(account=account, draft_id=run, name="Nightly")
    with pytest.raises(AlreadyIssued) as issued:
        TokenFactory(account=account, draft_id=run, name="Nightly")
    assert issued.value.token == made
    Token.check_run(None)
    Token.check_run(uuid.uuid4())
    assert TokenFactory(account=account, draft_id=uuid.uuid4()) != made
    assert TokenFactory(account=account) != TokenFactory(account=account)


def test_a_token_is_never_made_in_the_row_of_another(token: Token, account: Account) -> None:
    before = row(token)
    with pytest.raises(IntegrityError):
        TokenFactory(account=account, id=token.pk, name="New")
    assert row(token) == before


def test_a_new_token_has_one_key_and_says_who_made_it(account: Account, michael: Person) -> None:
    token, key = Token.issue(
        account=account,
        name="New",
        extension_id=CUSTOM,
        modules={Module.USAGE, Module.ALL},
        by=michael.user,
    )
    kept = token.keys.get()
    assert (kept.version, kept.open(), who(kept.made_by)) == (1, key.header, michael.user.pk)
    assert (who(token.created_by), who(token.updated_by)) == (michael.user.pk, michael.user.pk)
    assert token.last_used_at is None
    grant = token.permissions.get()
    assert (grant.module, who(grant.granted_by)) == (Module.ALL, michael.user.pk)
    assert token.events.get().actor_id == michael.user.pk


@pytest.mark.parametrize("whose", ["token", "account", "neither"])
def test_a_copy_of_a_new_key_is_kept_unless_it_is_shown_once(account: Account, whose: str) -> None:
    if whose == "account":
        impose(account, show_once=True)
    token = TokenFactory(account=account, show_once=whose == "token")
    assert token.show_once is (whose != "neither")
    assert token.keys.get().can_be_opened is (whose == "neither")


def test_a_new_token_ends_as_policies_allow(account: Account, clock: Clock) -> None:
    impose(account, most_days=30)
    TokenFactory(account=account, expires_at=clock.now + 30 * DAY)
    with pytest.raises(ValidationError, match="A policy of the account"):
        TokenFactory(account=account, expires_at=clock.now + 32 * DAY)


# --- Grants ---------------------------------------------------------------------------------------


def test_grants_come_and_go_one_by_one_and_all_takes_the_place_of_the_others(
    token: Token, other: Token, michael: Person
) -> None:
    assert token.grants == {Module.AGREEMENTS}
    assert token.add_grant(Module.USAGE, by=michael.user)
    assert not stored(token).add_grant(Module.USAGE, by=None)
    assert stored(token).grants == {Module.AGREEMENTS, Module.USAGE}
    assert who(Grant.objects.get(module=Module.USAGE).granted_by) == michael.user.pk
    assert stored(token).remove_grants(Module.USAGE, Module.PRICING, by=None)
    assert not stored(token).remove_grants(Module.USAGE, by=None)
    assert stored(token).grants == {Module.AGREEMENTS}
    assert stored(token).add_grant(Module.ALL, by=None)
    assert stored(token).grants == {Module.ALL}
    assert stored(token).remove_grants(Module.ALL, by=None)
    assert stored(token).grants == set()
    assert stored(other).grants == {Module.AGREEMENTS}
    removed = token.events[0].changes
    assert removed == {"modules": [["All"], []]}


def test_a_grant_tells_what_was_added_and_removed_and_shows_in_the_token(token: Token) -> None:
    assert token.grants == {Module.AGREEMENTS}
    wanted = {Module.USAGE, Module.PRICING}
    assert token.grant(wanted, by=None) == (wanted, {Module.AGREEMENTS})
    assert token.grants == wanted
    assert token.grant(wanted, by=None) == (set(), set())


@pytest.mark.parametrize(
    ("grants", "modules", "left", "ahead", "widens"),
    [
        ({Module.USAGE}, None, 5, 5, False),
        ({Module.USAGE}, set(), 5, 5, False),
        ({Module.USAGE}, {Module.USAGE}, 5, 5, False),
        ({Module.USAGE}, {Module.USAGE, Module.PRICING}, 5, 5, True),
        ({Module.USAGE}, {Module.ALL}, 5, 5, True),
        ({Module.ALL}, {Module.USAGE}, 5, 5, False),
        ({Module.USAGE}, None, 5, 4, False),
        ({Module.USAGE}, None, 5, 6, True),
        ({Module.USAGE}, None, 5, None, True),
        ({Module.USAGE}, None, None, 5, False),
        ({Module.USAGE}, None, None, None, False),
    ],
)
def test_an_edit_widens_if_it_reaches_more_or_lasts_longer(
    account: Account,
    clock: Clock,
    grants: set[Module],
    modules: set[Module] | None,
    left: int | None,
    ahead: int | None,
    widens: bool,
) -> None:
    def moment(days: int | None) -> Any:
        return None if days is None else clock.now + days * DAY

    token = TokenFactory(account=account, modules=grants, expires_at=moment(left))
    assert token.widens(modules, moment(ahead)) is widens


# --- Editing --------------------------------------------------------------------------------------


def test_an_edit_counts_its_changes_and_touches_nothing_else(
    token: Token, other: Token, michael: Person, clock: Clock
) -> None:
    before, theirs = row(token), row(other)
    clock.move(minutes=1)
    count = token.edit(
        by=michael.user,
        version=1,
        modules={Module.USAGE},
        name="New name",
        external_id="",
        description="Nightly",
    )
    assert count == 4
    assert row(token) == {
        **before,
        "name": "New name",
        "name_key": "new name",
        "description": "Nightly",
        "version": 2,
        "updated_at": clock.now,
        "updated_by_id": michael.user.pk,
        "updated_by_name": michael.user.name,
    }
    event = token.events[0]
    assert (event.action, event.actor_id) == (Action.TOKEN_CHANGED, michael.user.pk)
    assert event.changes == {
        "name": ["ERP Agreements Sync", "New name"],
        "description": ["", "Nightly"],
        "modules": [["Agreements"], ["Usage"]],
    }
    assert row(other) == theirs
    assert token.keys.get().can_be_opened


def test_an_edit_that_changes_nothing_leaves_no_trace(token: Token, clock: Clock) -> None:
    before, told = row(token), actions(token)
    clock.move(minutes=1)
    assert token.edit(by=None, version=1, modules={Module.AGREEMENTS}, name=token.name) == 0
    assert token.edit(by=None, version=None, modules=None) == 0
    assert (row(token), actions(token)) == (before, told)


def test_an_edit_keeps_an_end_that_is_later_than_a_new_policy_allows(
    token: Token, clock: Clock
) -> None:
    token = ends(token, expires_at=clock.now + 90 * DAY)
    impose(token.account, most_days=30)
    stored(token).edit(by=None, version=None, modules=None, description="Nightly")
    stored(token).edit(by=None, version=None, modules=None, expires_at=token.expires_at)
    with pytest.raises(ValidationError, match="A policy of the account"):
        stored(token).edit(by=None, version=None, modules=None, expires_at=clock.now + 89 * DAY)


def test_a_key_that_is_shown_once_stays_so_and_only_its_copies_are_destroyed(
    token: Token, other: Token
) -> None:
    token.edit(by=None, version=None, modules=None, show_once=True)
    assert token.keys.get().sealed is None
    assert other.keys.get().can_be_opened
    stored(token).edit(by=None, version=None, modules=None, show_once=False, description="Said")
    assert (stored(token).show_once, stored(token).description) == (True, "Said")
    stored(token).edit(by=None, version=None, modules=None, description="Said again")
    assert stored(token).description == "Said again"


def test_a_token_may_keep_its_name_and_change_its_case(token: Token, other: Token) -> None:
    assert token.edit(by=None, version=None, modules=None, name=token.name.upper()) == 1
    with pytest.raises(NameTaken):
        token.edit(by=None, version=None, modules=None, name=other.name)
    deleted(other, days=8)
    assert token.edit(by=None, version=None, modules=None, name=other.name) == 1


def test_a_name_is_taken_within_an_account_only(token: Token) -> None:
    assert TokenFactory(account=AccountFactory(), name=token.name)


def test_nothing_of_a_deleted_token_can_be_changed(token: Token) -> None:
    token.remove(by=None)
    before, told = row(token), actions(token)
    verbs: list[Callable[[], object]] = [
        lambda: token.add_grant(Module.USAGE, by=None),
        lambda: token.remove_grants(Module.AGREEMENTS, by=None),
        lambda: token.rotate(by=None),
        lambda: token.retire(by=None),
    ]
    for verb in verbs:
        with pytest.raises(Deleted):
            verb()
    assert (row(token), actions(token), stored(token).grants) == (
        before,
        told,
        {Module.AGREEMENTS},
    )


# --- Idle -----------------------------------------------------------------------------------------


def test_a_token_is_disabled_once_it_is_idle_to_the_moment_and_enabling_it_is_a_sign_of_life(
    token: Token, other: Token, clock: Clock
) -> None:
    impose(token.account, idle_days=30)
    clock.now = token.keys.get().created_at + 30 * DAY - TICK
    assert (stored(token).is_idle, stored(token).disable_idle()) == (False, False)
    clock.now = stored(token).keys.get().created_at + 30 * DAY
    token = stored(token)
    assert (token.is_idle, token.disable_idle()) == (True, True)
    assert actions(token)[0] == Action.TOKEN_IDLED
    assert (stored(token).status, stored(other).status) == ("inactive", "active")
    assert (stored(token).is_idle, stored(token).disable_idle()) == (False, False)
    assert stored(token).enable(by=None)
    assert not stored(token).is_idle


def test_enabling_an_idle_token_that_nothing_has_disabled_yet_starts_it_anew(
    token: Token, clock: Clock
) -> None:
    impose(token.account, idle_days=30)
    use(token, 31)
    clock.move(days=31)
    assert stored(token).is_idle
    assert stored(token).enable(by=None)
    assert actions(token)[:2] == [Action.TOKEN_ENABLED, Action.TOKEN_IDLED]
    assert (stored(token).status, stored(token).is_idle) == ("active", False)

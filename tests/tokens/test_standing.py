"""What pages and the API say about a token, for every state, page and role.

The gate itself decides what is true.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from django.utils.html import escape

from accounts.models import Account, User
from tests.conftest import Call, Person, Response, confirmed, just_made, undone
from tests.factories import CUSTOM, ZAPIER, AccountFactory, TokenFactory, deleted, header
from tests.portal.routes import address, routes
from tokens import keys
from tokens.catalog import Module
from tokens.hindrances import POLICIES, Hindrance
from tokens.models import Policy, State, Token, TokenDraft, TokenKey, TokenUsage
from tokens.standing import Standing

IN_NO_RING = 7

# What brings a token into a state, and what opens a page of it.
Step = Callable[[Token], object]
Opening = Callable[[Client, Token], Response]


def nothing(token: Token) -> None:
    pass


def ends_in_days(days: int) -> Step:
    return lambda token: Token.objects.filter(pk=token.pk).update(
        expires_at=timezone.now() + timedelta(days=days)
    )


def disable(token: Token) -> None:
    token.disable(by=None)


def remove(token: Token) -> None:
    token.remove(by=None)


def purge(token: Token) -> None:
    deleted(token, days=8).purge()


def close_account(token: Token) -> None:
    Account.objects.filter(pk=token.account_id).update(is_active=False)


def lose_key(token: Token) -> None:
    token.keys.all().delete()


def lose_pepper(token: Token) -> None:
    token.keys.update(pepper=IN_NO_RING)


def lose_copy(token: Token) -> None:
    token.keys.update(sealed=None)


def lose_sealing_key(token: Token) -> None:
    token.keys.update(sealed=bytes([IN_NO_RING]) + b"0" * 60)


def retire_key(token: Token) -> None:
    token.keys.update(retires_at=timezone.now() - timedelta(minutes=1))


def rotate(token: Token) -> None:
    retire_key(token)
    second_key(token)


def second_key(token: Token) -> None:
    TokenKey.put(token, keys.mint(token.pk), version=2)


def renew(token: Token) -> None:
    token.renew(by=None, until=timezone.now() + timedelta(days=2))


def rehearse(token: Token) -> None:
    renew(token)
    token.rehearse(by=None)


def retire(token: Token) -> None:
    renew(token)
    token.retire(by=None)


def cancel(token: Token) -> None:
    renew(token)
    token.cancel_renewal(by=None)


def bind(token: Token, **policies: Any) -> None:
    Policy.objects.update_or_create(account_id=token.account_id, defaults=policies)
    long_ago = timezone.now() - timedelta(days=100)
    token.keys.update(created_at=long_ago)
    Token.objects.filter(pk=token.pk).update(created_at=long_ago)
    TokenUsage.objects.filter(token=token).update(last_used_at=None)


def outlive(token: Token) -> None:
    bind(token, most_days=30)


def idle(token: Token) -> None:
    bind(token, idle_days=30)


def require_rules(token: Token) -> None:
    bind(token, rules_required=True)


def show_once(token: Token) -> None:
    bind(token, show_once=True)


def both(*steps: Step) -> Step:
    return lambda token: [step(token) for step in steps]


class Row(NamedTuple):
    """A state.

    It says how a token gets into it, what hinders the token, whether a copy of its key can be
    shown, and its grants.
    """

    prepare: Step = nothing
    hindrances: tuple[Hindrance, ...] = ()
    has_copy: bool = True
    modules: tuple[Module, ...] = (Module.AGREEMENTS, Module.USAGE)
    extension: str = CUSTOM


STATES = {
    "active": Row(),
    "all modules": Row(modules=(Module.ALL,)),
    "no modules": Row(modules=()),
    "fixed modules": Row(
        modules=(Module.CUSTOMERS, Module.HELPDESK, Module.SUBSCRIPTIONS), extension=ZAPIER
    ),
    "expiring": Row(ends_in_days(3)),
    "expired": Row(ends_in_days(-3), (Hindrance.EXPIRED,)),
    "disabled": Row(disable, (Hindrance.DISABLED,)),
    "disabled, all modules": Row(disable, (Hindrance.DISABLED,), modules=(Module.ALL,)),
    "disabled, no modules": Row(disable, (Hindrance.DISABLED,), modules=()),
    "disabled and expired": Row(
        both(disable, ends_in_days(-3)), (Hindrance.DISABLED, Hindrance.EXPIRED)
    ),
    "deleted": Row(remove, (Hindrance.DELETED,)),
    "deleted while disabled": Row(both(disable, remove), (Hindrance.DELETED,)),
    "purged": Row(purge, (Hindrance.DELETED,), has_copy=False),
    "deleted after all else": Row(both(disable, ends_in_days(-3), remove), (Hindrance.DELETED,)),
    "account off": Row(close_account, (Hindrance.ACCOUNT_OFF,)),
    "account off and expired": Row(
        both(close_account, ends_in_days(-3)), (Hindrance.ACCOUNT_OFF, Hindrance.EXPIRED)
    ),
    "no key": Row(lose_key, (Hindrance.NO_KEY,)),
    "retired key": Row(retire_key, (Hindrance.NO_KEY,)),
    "retired key and a new one": Row(rotate),
    "no pepper": Row(lose_pepper, (Hindrance.UNCHECKABLE,)),
    "no copy": Row(lose_copy, has_copy=False),
    "no copy, disabled": Row(both(lose_copy, disable), (Hindrance.DISABLED,), has_copy=False),
    "no sealing key": Row(lose_sealing_key, has_copy=False),
    "key too old": Row(outlive, (Hindrance.AGED,)),
    "key too old and a new one": Row(both(outlive, second_key)),
    "key too old, expired": Row(
        both(outlive, ends_in_days(-3)), (Hindrance.EXPIRED, Hindrance.AGED)
    ),
    "idle": Row(idle, (Hindrance.IDLE,)),
    "idle, key too old": Row(both(outlive, idle), (Hindrance.AGED, Hindrance.IDLE)),
    "no IP rules": Row(require_rules, (Hindrance.NO_RULES,)),
    "shown once by a policy": Row(show_once, has_copy=False),
    "idle, disabled": Row(both(idle, disable), (Hindrance.DISABLED,)),
    "two keys": Row(second_key),
    "renewed": Row(renew),
    "renewed, all modules": Row(renew, modules=(Module.ALL,)),
    "renewed and expiring": Row(both(renew, ends_in_days(3))),
    "renewed and expired": Row(both(renew, ends_in_days(-3)), (Hindrance.EXPIRED,)),
    "renewed and disabled": Row(both(renew, disable), (Hindrance.DISABLED,)),
    "renewed and deleted": Row(both(renew, remove), (Hindrance.DELETED,)),
    "renewed, in a rehearsal": Row(rehearse),
    "renewed, in a rehearsal, disabled": Row(both(rehearse, disable), (Hindrance.DISABLED,)),
    "renewed, in a rehearsal, expired": Row(both(rehearse, ends_in_days(-3)), (Hindrance.EXPIRED,)),
    "renewed, and the old key retired": Row(retire),
    "renewed and cancelled": Row(cancel),
    "rotated": Row(lambda token: token.rotate(by=None)),
    "two keys, the older without its pepper": Row(both(lose_pepper, second_key)),
}


def page(route: str) -> Opening:
    return lambda client, token: client.get(address(route, token, draft=None), follow=True)


def press(route: str, **data: Any) -> Opening:
    return lambda client, token: client.post(address(route, token, draft=None), data, follow=True)


PAGES: dict[str, Opening] = {
    "tokens:detail": page("tokens:detail"),
    "tokens:permissions": page("tokens:permissions"),
    "tokens:activity": page("tokens:activity"),
    "tokens:save_permissions_layout": press("tokens:save_permissions_layout"),
    "tokens:summary": page("tokens:summary"),
    "tokens:edit": page("tokens:edit"),
    "tokens:extend": page("tokens:extend"),
    "tokens:destroy_copy": press("tokens:destroy_copy"),
    "tokens:reveal": press("tokens:reveal"),
    "tokens:copy": press("tokens:copy"),
    "tokens:new_key": page("tokens:new_key"),
    "tokens:extend_key": page("tokens:extend_key"),
    "tokens:retire_key": page("tokens:retire_key"),
    "tokens:rehearse_key": page("tokens:rehearse_key"),
    "tokens:end_rehearsal": press("tokens:end_rehearsal"),
    "tokens:cancel_renewal": press("tokens:cancel_renewal"),
    "tokens:enable": press("tokens:enable"),
    "tokens:disable": press("tokens:disable"),
    "tokens:delete": page("tokens:delete"),
    "tokens:add_ip_rule": page("tokens:add_ip_rule"),
    "tokens:restore": press("tokens:restore"),
    "list": lambda client, token: client.get(
        "/integrations/tokens/?status=any&columns=label,modules,status"
    ),
    "admin list": lambda client, token: client.get("/admin/tokens/token/"),
    "admin": lambda client, token: client.get(f"/admin/tokens/token/{token.pk}/change/"),
}

WORKS = (
    "ready to use",
    "May reach",
    "key works",
    "Calls with the key work",
    "is active.",
    "go on working",
    "oth keys work",
    "Two Keys Are Live",
    "is let in again",
    "The old key stops in",
    "#status-active",
    "#status-enabled",
)
REFUSED = (
    "get the answer 401",
    "key gets the answer 401.",
    "get the answer 403, because",
    "key gets the answer 403.",
    "Once ",
    "could reach",
    "Before it was deleted",
    "#status-deleted",
    "#status-expired",
)
# Found only on pages with the key field.
FIELD = 'id="key"'
FIRST_CALL = "read -rs API_KEY"


@pytest.fixture
def client_of(
    michael: Person, adrian: Person, stranger: Person, client: Client
) -> dict[str, Client]:
    staff = Client()
    staff.force_login(
        User.objects.create_superuser("admin@portal.example", name="Admin"),
        backend="accounts.backends.EmailBackend",
    )
    return {
        "administrator": michael.client,
        "member": adrian.client,
        "other account": stranger.client,
        "staff": staff,
    }


def made(state: str, account: Account) -> tuple[Token, str]:
    """Make a token in the state; return it with the keys that it has or had."""
    row = STATES[state]
    token = TokenFactory(
        account=account, name="ERP Sync", modules=row.modules, extension_id=row.extension
    )
    before = header(token)
    TokenUsage.objects.filter(token=token).update(last_used_at=timezone.now())
    row.prepare(token)
    newest = token.keys.order_by("-version").exclude(sealed=None).first()
    known = before if newest is None or newest.version == 1 else newest.open()
    return Token.objects.with_standing().get(pk=token.pk), known


def test_every_hindrance_and_every_state_has_a_row(db: None) -> None:
    assert {hindrance for row in STATES.values() for hindrance in row.hindrances} == set(Hindrance)
    assert {made(state, AccountFactory())[0].state for state in STATES} == set(State)


def test_every_page_of_a_token_has_a_row() -> None:
    named = {name for name, _ in routes(get_resolver()) if name.startswith("tokens:")}
    of_a_token = {
        name for name in named if "SU-" in address(name, Token(pk="SU-111-222-333"), TokenDraft())
    }
    assert of_a_token == {name for name in PAGES if name.startswith("tokens:")}


@pytest.mark.parametrize("state", STATES)
def test_the_gate_agrees_and_says_why(state: str, account: Account, call: Call) -> None:
    row = STATES[state]
    token, key = made(state, account)
    response = call("accounts", key)
    standing = Standing(token)
    assert standing.hindrances == row.hindrances
    assert standing.can_call == (not row.hindrances) == (response.status_code == 200)
    told = response.json()["errors"] if row.hindrances else []
    reasons = [reason for reason in told if reason != "API request is unauthorized."]
    if {*row.hindrances} <= {Hindrance.NO_KEY, Hindrance.UNCHECKABLE}:
        # Whether the key is right is unknown, so nothing may be revealed.
        assert reasons in (
            [],
            ["The key is not valid."],
            [f"This key of the token {token.pk} is retired."],
        )
    else:
        assert reasons == [standing.hindrance_text]
        assert str(response.status_code) == standing.answer
        # Policies are looked at only if nothing else is in the way.
        others = {*row.hindrances} - {*POLICIES}
        for hindrance in Hindrance:
            said = hindrance in (others or row.hindrances)
            assert (str(hindrance.label) in reasons[0]) == said


@pytest.mark.parametrize("state", STATES)
def test_the_list_the_api_and_the_python_of_a_token_agree_on_its_state(
    state: str, account: Account, call: Call
) -> None:
    token, _ = made(state, account)
    Account.objects.update(is_active=True)
    Policy.objects.all().delete()
    asking = TokenFactory(account=account, modules=(Module.INTEGRATIONS,))
    assert call(f"auth/tokens/{token.pk}", asking).json()["status"] == token.state.value
    assert [
        each for each in State if Token.objects.in_states([each]).filter(pk=token.pk).exists()
    ] == [token.state]


@pytest.mark.parametrize("state", STATES)
def test_no_page_says_what_is_not_so(
    state: str, account: Account, client_of: dict[str, Client], call: Call
) -> None:
    token, key = made(state, account)
    for role, client in client_of.items():
        just_made(confirmed(client), token)
        for name, open_page in PAGES.items():
            with undone(client):
                check(state, name, role, open_page(client, token), key, call)


def check(state: str, name: str, role: str, response: Response, key: str, call: Call) -> None:
    """Compare a response with the gate, asked afterwards: an action may have changed the token."""
    row, text, where = STATES[state], response.text, f"{name} for {role}"
    assert response.status_code < 500, where
    token = Token.objects.with_standing().get(name="ERP Sync")
    standing = Standing(token, role == "administrator")
    works = standing.can_call
    # Cancelling a renewal ends the key in hand, and the token calls with its old one.
    is_in_hand = key[-4:] in {each.last_four for each in token.usable_keys}
    assert (call("accounts", key).status_code == 200) == (works and is_in_hand), where

    # Nobody sees tokens of another account, or of one that is deactivated.
    sees = (
        role == "staff"
        if name.startswith("admin")
        else role in {"administrator", "member"} and Hindrance.ACCOUNT_OFF not in row.hindrances
    )
    if not sees or response.status_code == 403:
        assert "ERP Sync" not in text, where
        return

    check_words(text, where, works=works)

    # An action may have restored it.
    offered = role == "administrator" and not token.is_deleted
    shows_key = (
        offered
        and row.has_copy
        # One of the actions destroys it.
        and any(key.sealed is not None for key in token.keys.all())
        and not {*row.hindrances} & {Hindrance.NO_KEY, Hindrance.UNCHECKABLE}
    )
    # Only the answers to View and Copy contain the secret.
    assert (key.rpartition(":")[2] in text) == (
        name in {"tokens:reveal", "tokens:copy"} and shows_key
    ), where

    check_page(standing, name, response, where)
    if response.templates[0].name == "tokens/detail.html":
        check_buttons(
            token,
            text,
            where,
            offered=offered,
            restores=role == "administrator" and token.restorable_until is not None,
            # While one of two keys is shown, the other one can still be.
            shows_key=shows_key
            and FIELD in text
            and (name not in {"tokens:reveal", "tokens:copy"} or token.old_key is not None),
        )


def check_words(text: str, where: str, *, works: bool) -> None:
    # The lamps of the cockpit are about the old key, not about the token.
    unlit = re.sub(r'<div class="light-lamps".*?</div>', "", text, flags=re.DOTALL)
    for words in REFUSED if works else WORKS:
        assert words not in unlit, f"{where}: {words}"


def check_page(standing: Standing, name: str, response: Response, where: str) -> None:
    """Check that the page says what the standing says."""
    text, template = response.text, response.templates[0].name
    if template == "tokens/summary.html":
        assert standing.can_call, where
    if template in {"tokens/detail.html", "tokens/summary.html"}:
        assert (FIRST_CALL in text) == (
            standing.offers_first_call and response.context.get("tab") in {None, "general"}
        ), where
    if template == "tokens/detail.html":
        assert escape(standing.headline) in text, where
        assert not standing.headline or escape(standing.advice) in text, where
    if name in {"list", "admin list", "admin"}:
        assert standing.label in text, where
        assert escape(standing.note) in text, where
    if name == "admin":
        assert standing.calls in text, where


def check_buttons(
    token: Token, text: str, where: str, *, offered: bool, restores: bool, shows_key: bool
) -> None:
    """Check that exactly the possible actions are offered."""
    here = f"/integrations/tokens/{token.pk}"
    assert (f'href="{here}/edit/"' in text) == offered, where
    assert (f'href="{here}/delete/?' in text) == offered, where
    assert (f'action="{here}/disable/' in text) == (
        offered and token.status == "active" and not token.is_idle
    ), where
    assert (f'action="{here}/enable/' in text) == (
        offered and (token.status == "inactive" or token.is_idle)
    ), where
    assert (f'action="{here}/restore/' in text) == restores, where
    assert (f'action="{here}/reveal/' in text) == shows_key, where
    two_keys = len(token.usable_keys) == 2 and token.old_key is None
    assert ("The token has 2 keys" in text) == (shows_key and two_keys), where
    assert (f'href="{here}/key/new/"' in text) == offered, where

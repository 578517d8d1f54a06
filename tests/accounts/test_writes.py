"""Limits on changes per minute, per person, token and account, and the pruning of leftovers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, Counter, Invitation, Session
from activity.models import Event
from modules.models import Case
from modules.urls import RESOURCES
from tests.conftest import Call, Person, Response, confirmed, person
from tests.factories import ContractFactory, TokenFactory, header
from tests.portal.routes import FORMS
from tokens.catalog import Module
from tokens.models import Bucket, Token, TokenDraft

JSON: dict[str, Any] = {"content_type": "application/json"}


@pytest.fixture
def robot(account: Account) -> Token:
    return TokenFactory(account=account, modules=(Module.ALL,))


def write(
    call: Call, token: Token | str, path: str = "auth/tokens", method: str = "post", **kwargs: Any
) -> Response:
    return call(path, token, method=method, data=b"{}", **JSON, **kwargs)


# --- The API --------------------------------------------------------------------------------------


def test_a_token_that_writes_too_much_is_told_when_to_come_again(
    call: Call, robot: Token, settings: Settings
) -> None:
    settings.WRITES_PER_TOKEN = 3
    for _ in range(3):
        assert write(call, robot).status_code == 400
    response = write(call, robot)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 60
    body = response.json()
    assert body["error_code"] == "SYS_429"
    assert body["errors"][0].startswith(
        "The token tried to make too many changes in a minute. Try again in "
    )
    assert response["Cache-Control"] == "no-store"


def test_reads_are_neither_counted_nor_limited(
    call: Call, robot: Token, settings: Settings
) -> None:
    settings.WRITES_PER_TOKEN = 1
    for _ in range(5):
        assert call("accounts", robot).status_code == 200
    assert not Counter.objects.exists()
    assert write(call, robot).status_code == 400
    assert write(call, robot).status_code == 429
    assert call("accounts", robot).status_code == 200


def test_every_write_of_every_collection_is_limited(
    call: Call, robot: Token, settings: Settings
) -> None:
    settings.WRITES_PER_TOKEN = 1
    write(call, robot)
    tried = 0
    for resource in RESOURCES:
        path = resource.path.replace("<parent>", robot.pk)
        addresses = [(path, resource.methods())]
        if resource.detail:
            addresses.append((f"{path}/{robot.pk}", resource.record_methods()))
        for address, methods in addresses:
            for method in {*methods} - {"GET", "HEAD"}:
                response = write(call, robot, address, method.lower())
                assert response.status_code == 429, (method, address)
                tried += 1
        for action in resource.actions:
            assert write(call, robot, f"{path}/{robot.pk}/{action}").status_code == 429
            tried += 1
    assert tried > 10


def test_tokens_of_one_account_share_its_limit_and_others_do_not(
    call: Call, account: Account, robot: Token, settings: Settings
) -> None:
    settings.WRITES_PER_ACCOUNT = 2
    colleague, stranger = (
        TokenFactory(account=account, modules=(Module.ALL,)),
        TokenFactory(modules=(Module.ALL,)),
    )
    assert [write(call, token).status_code for token in (robot, colleague, robot, stranger)] == [
        400,
        400,
        429,
        400,
    ]
    assert "The tokens of the account tried" in write(call, colleague).json()["errors"][0]


def test_a_refused_write_changes_nothing_and_the_next_minute_is_free(
    call: Call, robot: Token, settings: Settings
) -> None:
    settings.WRITES_PER_TOKEN = 1
    contract = ContractFactory(provider=robot.account)
    case = {
        "subject": "s",
        "description": "d",
        "type": "technical",
        "receiver": {"account": {"id": contract.vendor_id}},
    }
    statuses = [
        call("helpdesk/cases", robot, method="post", data=case, **JSON).status_code
        for _ in range(3)
    ]
    assert statuses == [201, 429, 429]
    assert Case.objects.count() == 1
    Counter.objects.update(until=timezone.now())
    assert call("helpdesk/cases", robot, method="post", data=case, **JSON).status_code == 201


def test_whoever_the_gate_refuses_uses_up_nothing(
    call: Call, robot: Token, settings: Settings
) -> None:
    settings.WRITES_PER_TOKEN = 1
    wrong = header(robot)[:-1] + ("0" if header(robot)[-1] != "0" else "1")
    assert call("auth/tokens", wrong, method="post", data=b"{}", **JSON).status_code == 401
    assert not Counter.objects.filter(key__startswith="writes:").exists()


@pytest.mark.django_db(transaction=True)
def test_writes_at_once_do_not_outrun_the_limit(robot: Token, settings: Settings) -> None:
    settings.WRITES_PER_TOKEN = 5
    key = header(robot)

    def one(_: int) -> int:
        try:
            return (
                Client()
                .post("/public/v1/auth/tokens", b"{}", headers={"authorization": key}, **JSON)
                .status_code
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as threads:
        statuses = list(threads.map(one, range(20)))
    assert statuses.count(400) == 5
    assert set(statuses) <= {400, 429, 503}


# --- Pages ----------------------------------------------------------------------------------------


def test_a_person_who_presses_too_much_gets_a_page_with_a_sentence(
    michael: Person, settings: Settings
) -> None:
    settings.WRITES_PER_PERSON = 2
    statuses = [
        michael.client.post(
            "/integrations/tokens/new/", {"name": f"T {n}", "expires_on": ""}
        ).status_code
        for n in range(4)
    ]
    assert statuses == [302, 302, 429, 429]
    assert TokenDraft.objects.count() == 2
    response = michael.client.post(
        "/integrations/tokens/new/", {"name": "kept name", "expires_on": ""}
    )
    assert (
        "You tried to make too many changes in a minute. The last change was not made."
        in response.text
    )
    assert 0 < int(response["Retry-After"]) <= 60
    # The input comes back.
    assert "kept name" in michael.client.get("/integrations/tokens/new/").text


ALWAYS_POSSIBLE = {
    "accounts:end_others",
    "accounts:end_session",
    "accounts:sign_out",
    "accounts:password_change",
    "tokens:disable",
    "tokens:delete",
    "tokens:retire_key",
    # It lets programs in again. Beginning a rehearsal is limited, so the two cannot alternate.
    "tokens:end_rehearsal",
    "webhooks:disable",
    "webhooks:pause",
    "webhooks:cancel_replay",
    "webhooks:delete",
}


@pytest.mark.parametrize("route", sorted(FORMS))
def test_every_form_of_the_portal_is_limited_but_those_that_stop_something(
    michael: Person, token: Token, settings: Settings, route: str
) -> None:
    from tests.portal.routes import address

    draft = TokenDraft.objects.create(account=michael.account, owner=michael.user, name="Draft")
    settings.WRITES_PER_PERSON = 1
    michael.client.post("/integrations/tokens/layout/")
    public = FORMS[route][0] != "sign-in"
    response = michael.client.post(address(route, token, draft))
    assert (response.status_code == 429) is not (public or route in ALWAYS_POSSIBLE)


def test_the_admin_is_limited_too(settings: Settings, michael: Person) -> None:
    settings.WRITES_PER_PERSON = 1
    michael.user.is_staff = michael.user.is_superuser = True
    michael.user.save()
    assert confirmed(michael.client).post("/admin/accounts/account/add/", {}).status_code == 200
    assert michael.client.post("/admin/accounts/account/add/", {}).status_code == 429


def use_up(call: Call, account: Account) -> list[Token]:
    """Send refused writes with two tokens until their account has no attempts left."""
    tokens = [TokenFactory(account=account, modules=(Module.ALL,)) for _ in range(2)]
    for token in tokens:
        assert [write(call, token, "helpdesk/cases").status_code for _ in range(3)] == [400] * 3
    assert (
        write(
            call, TokenFactory(account=account, modules=(Module.ALL,)), "helpdesk/cases"
        ).status_code
        == 429
    )
    return tokens


def test_tokens_cannot_keep_people_from_stopping_them(
    michael: Person, call: Call, settings: Settings
) -> None:
    settings.WRITES_PER_TOKEN, settings.WRITES_PER_ACCOUNT = 3, 6
    first, second = use_up(call, michael.account)
    # Kept, since nobody can view the key of a deleted token.
    key = header(second)
    assert michael.client.post(f"/integrations/tokens/{first.pk}/disable/").status_code == 302
    assert michael.client.post(f"/integrations/tokens/{second.pk}/delete/").status_code == 302
    statuses = [Token.objects.get(pk=token.pk).status for token in (first, second)]
    assert statuses == [Token.Status.INACTIVE, Token.Status.DELETED]
    assert [write(call, each).status_code for each in (first, key)] == [401, 401]
    # Nor from the other limits.
    assert michael.client.post("/account/password/", {}).status_code == 200
    assert (
        michael.client.post(
            "/integrations/tokens/new/", {"name": "T", "expires_on": ""}
        ).status_code
        == 302
    )
    assert michael.client.post("/sign-out/").status_code == 302


def test_whoever_used_up_their_own_changes_still_stops_tokens(
    michael: Person, token: Token, settings: Settings
) -> None:
    settings.WRITES_PER_PERSON = 1
    statuses = [michael.client.post("/integrations/tokens/layout/").status_code for _ in range(2)]
    assert statuses == [302, 429]
    assert michael.client.post(f"/integrations/tokens/{token.pk}/disable/").status_code == 302
    assert michael.client.post(f"/integrations/tokens/{token.pk}/enable/").status_code == 429
    assert michael.client.post(f"/integrations/tokens/{token.pk}/delete/").status_code == 302
    assert Token.objects.get(pk=token.pk).status == Token.Status.DELETED


def test_the_limit_of_a_person_holds_up_neither_colleagues_nor_tokens(
    michael: Person, robot: Token, call: Call, settings: Settings
) -> None:
    settings.WRITES_PER_PERSON = settings.WRITES_PER_ACCOUNT = 1
    colleague = person(account=michael.account)
    statuses = [
        each.client.post("/integrations/tokens/layout/").status_code
        for each in (michael, michael, colleague)
    ]
    assert statuses == [302, 429, 302]
    assert write(call, robot).status_code == 400


def test_only_the_newest_drafts_of_a_person_are_kept(michael: Person, settings: Settings) -> None:
    settings.DRAFTS_PER_PERSON = 3
    other = TokenDraft.objects.create(
        account=michael.account, owner=person(account=michael.account).user, name="Other"
    )
    for n in range(5):
        michael.client.post("/integrations/tokens/new/", {"name": f"T {n}", "expires_on": ""})
    names = set(TokenDraft.objects.filter(owner=michael.user).values_list("name", flat=True))
    assert names == {"T 2", "T 3", "T 4"}
    assert TokenDraft.objects.filter(pk=other.pk).exists()


# --- Pruning --------------------------------------------------------------------------------------


def prune() -> list[str]:
    out = StringIO()
    call_command("prune", stdout=out)
    return out.getvalue().splitlines()


def test_prune_deletes_what_is_over_says_how_much_and_may_run_again(
    michael: Person, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokens.management.commands.prune.BATCH", 2)
    now = timezone.now()
    for n in range(5):
        Session.objects.create(
            session_key=f"old{n}", session_data="", expire_date=now - timedelta(seconds=1)
        )
        Counter.objects.create(key=f"old{n}", used=1, until=now - timedelta(seconds=1))
        TokenDraft.objects.create(
            account=michael.account,
            owner=michael.user,
            name="Old",
            created_at=now - timedelta(days=1, seconds=1),
        )
        Bucket.objects.create(key=f"old{n}", full_at=(now.timestamp() - 1) * 1_000_000)
    row, _token = Invitation.issue(michael.account, "a@b.example", "member", by=michael.user)
    Invitation.objects.filter(pk=row.pk).update(expires_at=now - timedelta(seconds=1))
    Bucket.objects.create(key="running", full_at=(now.timestamp() + 60) * 1_000_000)
    Counter.objects.create(key="running", used=1, until=now + timedelta(minutes=1))
    TokenDraft.objects.create(
        account=michael.account,
        owner=michael.user,
        name="Young",
        created_at=now - timedelta(hours=23),
    )
    events = Event.objects.count()
    names = (
        *("Ended sessions", "Old drafts of tokens", "Old drafts of webhooks"),
        "Invitations that are over",
        "Reminders of past ends",
        *("Counters of limits", "Full buckets of rate limits"),
    )
    assert prune() == [f"{name}: {n}" for name, n in zip(names, (5, 5, 0, 1, 0, 5, 5), strict=True)]
    assert prune() == [f"{name}: 0" for name in names]
    assert [bucket.key for bucket in Bucket.objects.all()] == ["running"]
    assert [counter.key for counter in Counter.objects.all()] == ["running"]
    assert [draft.name for draft in TokenDraft.objects.all()] == ["Young"]
    assert Event.objects.count() == events > 0
    assert michael.client.get("/integrations/tokens/").status_code == 200

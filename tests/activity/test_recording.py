"""What an event says, and that it is saved or rolled back together with the change it describes."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import User
from activity.actions import Action
from activity.models import Chain, Event, Subject, seal
from activity.recording import record
from portal.fields import Actor
from portal.http import current_request
from tests.conftest import Person, confirmed, stale
from tests.factories import PASSWORD, TokenFactory, secret
from tokens.models import Token

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of(rf: RequestFactory) -> Iterator[Callable[..., None]]:
    """Act as if within a request with these headers."""
    tokens = []

    def begin(**headers: str) -> None:
        request = rf.get("/", headers=headers, REMOTE_ADDR="192.0.2.44")
        tokens.append(current_request.set(request))

    yield begin
    for token in reversed(tokens):
        current_request.reset(token)


def test_an_entry_keeps_names_of_then(michael: Person, token: Token) -> None:
    event = record(michael.user, Action.TOKEN_DISABLED, token)
    token.name = "Renamed"
    token.save()
    User.objects.filter(pk=michael.user.pk).update(name="Mickey")
    event.refresh_from_db()
    assert event.account == token.account_id
    assert event.actor == Actor(michael.user.pk, "Michael Goldmill")
    assert event.subject == Subject("token", token.pk, "ERP Agreements Sync")
    assert event.label == "Token disabled"


def test_an_entry_of_no_account_belongs_to_the_portal(db: None) -> None:
    assert record(None, Action.RECORD_CHANGED).account == ""


def test_an_entry_goes_with_the_transaction_that_fails(michael: Person, token: Token) -> None:
    def fail() -> None:
        with transaction.atomic():
            record(michael.user, Action.TOKEN_DISABLED, token)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not Event.objects.filter(action=Action.TOKEN_DISABLED).exists()
    assert (
        record(michael.user, Action.TOKEN_ENABLED, token).number
        == Chain.objects.get(pk=token.account_id).number
    )


def test_a_command_has_no_address(token: Token) -> None:
    event = record(None, Action.TOKEN_DISABLED, token)
    assert (event.actor, event.address, event.agent, event.request_id) == (None, "", "", "")


def test_an_entry_says_where_a_request_came_from(
    token: Token, request_of: Callable[..., None]
) -> None:
    request_of(user_agent="erp-sync/3.1")
    event = record(None, Action.TOKEN_DISABLED, token)
    assert (event.address, event.agent) == ("192.0.2.44", "erp-sync/3.1")


def test_a_key_never_gets_into_an_entry(token: Token, request_of: Callable[..., None]) -> None:
    key = f"ApiKey {token.pk}:{secret(token)}"
    request_of(user_agent=f"curl\x1b[31m {key}")
    event = record(
        None, Action.TOKEN_CHANGED, token, {"description": ["", key], "list": [[key], []]}
    )
    event.refresh_from_db()
    assert secret(token) not in str(vars(event))
    assert "\x1b" not in event.agent


def test_an_entry_keeps_how_and_when_it_was_confirmed(michael: Person, token: Token) -> None:
    confirmed(michael.client)
    before = timezone.now() - timedelta(seconds=2)
    michael.client.post(f"/integrations/tokens/{token.pk}/reveal/")
    event = Event.objects.get(action=Action.KEY_VIEWED)
    assert before < event.confirmed_at <= event.at
    assert event.confirmed_by == "password"
    stale(michael.client)
    michael.client.post(f"/integrations/tokens/{token.pk}/disable/")
    assert Event.objects.get(action=Action.TOKEN_DISABLED).confirmed_at is None


def test_an_entry_keeps_that_a_passkey_confirmed_it(michael: Person, token: Token) -> None:
    confirmed(michael.client)
    session = michael.client.session
    session["confirmed_by"] = "passkey"
    session.save()
    michael.client.post(f"/integrations/tokens/{token.pk}/disable/")
    event = Event.objects.get(action=Action.TOKEN_DISABLED)
    assert event.confirmed_by == "passkey"
    text = michael.client.get(f"/integrations/activity/?open={event.number}").text
    assert "<dd>Passkey, " in text


def test_a_password_after_a_passkey_is_what_confirms(michael: Person, token: Token) -> None:
    session = confirmed(michael.client, 3600).session
    session["confirmed_by"] = "passkey"
    session.save()
    michael.client.post(f"/integrations/tokens/{token.pk}/reveal/", {"sudo_password": PASSWORD})
    assert Event.objects.get(action=Action.KEY_VIEWED).confirmed_by == "password"


def test_an_entry_from_before_that_still_fits_the_chain(michael: Person, token: Token) -> None:
    event = record(michael.user, Action.TOKEN_DISABLED, token)
    previous = event.before()
    assert previous
    columns = vars(event)
    before = {name: columns[name] for name in columns if not name.startswith("confirmed_")}
    assert seal(before, previous) == event.hash


def test_headers_cannot_forge_an_entry(michael: Person, token: Token) -> None:
    michael.client.post(
        f"/integrations/tokens/{token.pk}/disable/",
        headers={
            "user-agent": "curl\r\nX-Request-ID: forged\x85\x1b[31m",
            "x-request-id": "7f3a-91c2-0000",
            "x-forwarded-for": "198.51.100.9",
        },
    )
    event = Event.objects.get(action=Action.TOKEN_DISABLED)
    assert event.agent == r"curl\r\nX-Request-ID: forged\x85\x1b[31m"
    assert event.address == "127.0.0.1"
    assert event.request_id != "7f3a-91c2-0000"


def test_a_long_agent_is_cut(token: Token, request_of: Callable[..., None]) -> None:
    request_of(user_agent="x" * 5000)
    assert len(record(None, Action.TOKEN_CHANGED, token).agent) == 200


def test_after_a_request_nothing_of_it_is_left(michael: Person, token: Token) -> None:
    michael.client.get("/integrations/tokens/")
    assert current_request.get() is None


def test_accounts_have_trails_of_their_own(michael: Person, stranger: Person) -> None:
    first = record(None, Action.TOKEN_CHANGED, TokenFactory(account=michael.account))
    second = record(None, Action.TOKEN_CHANGED, TokenFactory(account=stranger.account))
    assert (first.account, second.account) == (michael.account.pk, stranger.account.pk)
    assert first.number == Chain.objects.get(pk=michael.account.pk).number
    assert second.number == Chain.objects.get(pk=stranger.account.pk).number

"""A new key of a token: the verbs, what the gate says to the old key, and the cockpit."""

import threading
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from activity.actions import Action
from activity.models import Chain
from tests.conftest import Call, Person, Response
from tests.factories import AccountFactory, TokenFactory, deleted, header
from tokens.catalog import Module
from tokens.keys import Key
from tokens.models import (
    LONGEST_OVERLAP,
    BadEnd,
    Grant,
    InUse,
    KeyUse,
    NoOldKey,
    Replaced,
    State,
    Token,
    TokenKey,
    TwoKeys,
)

DAY = timedelta(days=1)


def old_key(token: Token) -> TokenKey:
    key = token.old_key
    assert key
    return key


def fresh(token: Token) -> Token:
    """Return the token as the pages fetch it."""
    return Token.objects.with_standing().get(pk=token.pk)


def renewed(token: Token, span: timedelta = 2 * DAY) -> tuple[str, str]:
    """Renew the token; return the headers of the old and of the new key."""
    old = header(token)
    return old, token.renew(by=None, until=timezone.now() + span).header


def let_time_pass(token: Token, span: timedelta) -> None:
    """Move the moments of the token's keys and of their uses into the past."""
    for key in token.keys.all():
        for name in ("created_at", "replaced_at", "retires_at", "rehearsed_until"):
            if moment := getattr(key, name):
                setattr(key, name, moment - span)
        key.save()
    for use in KeyUse.objects.filter(key__token=token):
        use.first_at, use.last_at = use.first_at - span, use.last_at - span
        use.save()


def page(client: Client, token: Token, path: str = "", **data: Any) -> Response:
    return client.get(f"/integrations/tokens/{token.pk}/{path}", data)


def press(client: Client, token: Token, path: str, **data: Any) -> Response:
    return client.post(f"/integrations/tokens/{token.pk}/key/{path}/", data, follow=True)


def refused(response: Response, words: str) -> None:
    body = response.json()
    assert (response.status_code, body["error_code"]) == (401, "AUTH_006")
    assert words in body["errors"][1]
    assert response["WWW-Authenticate"] == "ApiKey"


# --- Rotate and renew -----------------------------------------------------------------------------


def test_rotate_stops_the_old_key_at_the_very_next_call(call: Call, token: Token) -> None:
    old = header(token)
    new = token.rotate(by=None).header
    refused(call("agreements", old), "is retired")
    assert call("agreements", new).status_code == 200
    assert header(fresh(token)) == new


def test_renew_lets_both_keys_in_until_the_deadline(call: Call, token: Token) -> None:
    old, new = renewed(token)
    assert call("agreements", old).status_code == call("agreements", new).status_code == 200
    let_time_pass(token, 2 * DAY)
    refused(call("agreements", old), "is retired")
    assert call("agreements", new).status_code == 200


def test_a_new_key_leaves_everything_else_of_the_token_as_it_was(token: Token) -> None:
    before = dict(Token.objects.values().get())
    token.renew(by=None, until=timezone.now() + DAY)
    token.rotate(by=None)
    after = dict(Token.objects.values().get())
    assert {name for name in before if before[name] != after[name]} == {
        "updated_at",
        "updated_by_id",
        "updated_by_name",
    }
    assert token.permissions.count() == 1


def test_rotate_stops_both_keys_of_a_renewed_token(call: Call, token: Token) -> None:
    old, new = renewed(token)
    newest = token.rotate(by=None).header
    refused(call("agreements", old), "is retired")
    refused(call("agreements", new), "is retired")
    assert call("agreements", newest).status_code == 200


def test_a_new_key_brings_no_retired_one_back_and_leaves_its_moments_alone(
    call: Call, token: Token
) -> None:
    first = header(token)
    token.rotate(by=None)
    before = token.keys.filter(version=1).values("replaced_at", "retires_at").get()
    token.renew(by=None, until=timezone.now() + DAY)
    second = token.keys.filter(version=2).values("replaced_at").get()
    token.rotate(by=None)
    assert token.keys.filter(version=1).values("replaced_at", "retires_at").get() == before
    assert token.keys.filter(version=2).values("replaced_at").get() == second
    refused(call("agreements", first), "is retired")


def test_a_renewed_token_is_renewed_again_only_after_its_old_key_has_ended(token: Token) -> None:
    renewed(token)
    with pytest.raises(TwoKeys):
        token.renew(by=None, until=timezone.now() + DAY)
    token.retire(by=None)
    token.renew(by=None, until=timezone.now() + DAY)
    assert len(token.live_keys) == 2


@pytest.mark.parametrize(
    ("span", "words"),
    [(-DAY, "Choose a moment in the future"), (LONGEST_OVERLAP + DAY, "at most 30 days")],
)
def test_the_old_key_lives_on_for_thirty_days_at_most(
    token: Token, span: timedelta, words: str
) -> None:
    with pytest.raises(BadEnd, match=words):
        token.renew(by=None, until=timezone.now() + span)
    assert token.keys.count() == 1


def test_the_old_key_never_outlives_the_expiration_that_it_had(call: Call, token: Token) -> None:
    ends = timezone.now() + timedelta(hours=5)
    Token.objects.update(expires_at=ends)
    token.refresh_from_db()
    old = header(token)
    token.renew(by=None, until=timezone.now() + 20 * DAY, expires_at=timezone.now() + 90 * DAY)
    assert old_key(token).retires_at == ends
    let_time_pass(token, timedelta(hours=6))
    refused(call("agreements", old), "is retired")


def test_the_retired_keys_that_a_token_keeps_are_few_and_have_no_copy(
    call: Call, token: Token
) -> None:
    headers = [header(token), *(token.rotate(by=None).header for _ in range(9))]
    assert token.keys.count() == 6
    assert not token.keys.filter(retires_at__isnull=False).exclude(sealed=None).exists()
    assert call("agreements", headers[-1]).status_code == 200
    refused(call("agreements", headers[-2]), "is retired")
    # One that is forgotten is refused like any wrong key.
    assert call("agreements", headers[0]).json()["error_code"] == "AUTH_001"


def test_a_token_whose_key_is_not_kept_gets_a_new_one(call: Call, token: Token) -> None:
    token.keys.update(sealed=None)
    new = token.rotate(by=None).header
    assert call("agreements", new).status_code == 200


def test_a_token_gets_new_keys_without_end(call: Call, token: Token) -> None:
    # A copy is sealed for its version.
    token.keys.update(version=2**15 - 1, sealed=None)
    new = token.rotate(by=None).header
    assert call("agreements", new).status_code == 200
    assert header(fresh(token)) == new


@pytest.mark.parametrize("verb", ["rotate", "renew"])
def test_a_token_whose_keys_have_all_ended_gets_a_new_one(
    call: Call, token: Token, verb: str
) -> None:
    token.keys.update(retires_at=timezone.now() - DAY)
    until = {"until": timezone.now() + DAY} if verb == "renew" else {}
    new: Key = getattr(token, verb)(by=None, **until)
    assert call("agreements", new.header).status_code == 200
    assert token.events[0].changes["key"] == [None, f"ends in {new.last_four}"]


def test_every_key_notes_its_last_four_digits(token: Token) -> None:
    old, new = renewed(token)
    assert [key.last_four for key in token.live_keys] == [new[-4:], old[-4:]]


def test_the_trail_tells_keys_apart_by_their_last_four_digits(
    michael: Person, token: Token
) -> None:
    old, new = renewed(token)
    event = token.events.filter(action=Action.KEY_RENEWED).get()
    assert event.changes["key"] == [f"ends in {old[-4:]}", f"ends in {new[-4:]}"]
    text = page(michael.client, token, "activity/", open=event.number).text
    assert f"ends in {new[-4:]}" in text
    assert new[-12:] not in text


# --- Simultaneous presses -------------------------------------------------------------------------


def test_the_second_of_two_who_saw_the_same_key_changes_nothing(token: Token) -> None:
    seen = token.key_version
    token.rotate(by=None, version=seen)
    with pytest.raises(Replaced):
        token.rotate(by=None, version=seen)
    with pytest.raises(Replaced):
        token.renew(by=None, version=seen, until=timezone.now() + DAY)
    assert token.keys.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["rotate", "renew"])
def test_simultaneous_presses_make_one_new_key(verb: str) -> None:
    token = TokenFactory(account=AccountFactory())
    seen, ready, results = token.key_version, threading.Barrier(4), []

    def press_button() -> None:
        mine = Token.objects.get(pk=token.pk)
        ready.wait(60)
        try:
            if verb == "rotate":
                mine.rotate(by=None, version=seen)
            else:
                mine.renew(by=None, version=seen, until=timezone.now() + DAY)
            results.append("made")
        except (Replaced, TwoKeys):
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=press_button) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["made", "refused", "refused", "refused"]
    assert token.keys.count() == 2
    assert token.events.exclude(action=Action.TOKEN_CREATED).count() == 1


# --- What follows ---------------------------------------------------------------------------------


def test_retire_stops_the_old_key_at_the_very_next_call(call: Call, token: Token) -> None:
    old, new = renewed(token)
    token.retire(by=None)
    refused(call("agreements", old), "is retired")
    assert call("agreements", new).status_code == 200
    with pytest.raises(NoOldKey):
        token.retire(by=None)


def test_extend_moves_the_end_and_at_most_to_thirty_days_after_the_renewal(token: Token) -> None:
    renewed(token)
    later = timezone.now() + 9 * DAY
    token.extend(by=None, until=later)
    assert old_key(token).retires_at == later
    for until in (later - DAY, old_key(token).replaced_at + LONGEST_OVERLAP + DAY):
        with pytest.raises(BadEnd):
            token.extend(by=None, until=until)
    assert old_key(token).retires_at == later


def test_a_renewal_can_be_cancelled_while_the_new_key_is_unused(call: Call, token: Token) -> None:
    old, new = renewed(token)
    token.cancel_renewal(by=None)
    assert call("agreements", old).status_code == 200
    refused(call("agreements", new), "is retired")
    assert token.keys.get(version=2).sealed is None
    assert fresh(token).state == State.ACTIVE
    # The next new key has a number of its own.
    token.rotate(by=None)
    assert token.keys.count() == 3


def test_a_key_outlives_any_number_of_cancelled_renewals(call: Call, token: Token) -> None:
    old = header(token)
    for _ in range(9):
        token.renew(by=None, until=timezone.now() + DAY)
        token.cancel_renewal(by=None)
    assert call("agreements", old).status_code == 200


def test_a_cancelled_renewal_ends_the_rehearsal_too(call: Call, token: Token) -> None:
    old, _new = renewed(token)
    token.rehearse(by=None)
    token.cancel_renewal(by=None)
    response = call("agreements", old)
    assert response.status_code == 200
    assert not {"Deprecation", "Sunset", "Link"} & set(response.headers)


def test_a_renewal_cannot_be_cancelled_once_the_new_key_was_used(call: Call, token: Token) -> None:
    old, new = renewed(token)
    call("agreements", new)
    with pytest.raises(InUse):
        token.cancel_renewal(by=None)
    assert call("agreements", old).status_code == call("agreements", new).status_code == 200


def test_a_rehearsal_refuses_the_old_key_for_five_minutes_only(call: Call, token: Token) -> None:
    old, new = renewed(token)
    token.rehearse(by=None)
    response = call("agreements", old)
    refused(response, "as a rehearsal of its end")
    assert 0 < int(response["Retry-After"]) <= 300
    assert call("agreements", new).status_code == 200
    let_time_pass(token, timedelta(minutes=5))
    assert call("agreements", old).status_code == 200


def test_a_rehearsal_can_be_ended_early(call: Call, token: Token) -> None:
    old, _new = renewed(token)
    token.rehearse(by=None)
    token.rehearse(by=None)
    token.end_rehearsal(by=None)
    token.end_rehearsal(by=None)
    assert call("agreements", old).status_code == 200
    actions = (Action.REHEARSAL_STARTED, Action.REHEARSAL_ENDED)
    assert [token.events.filter(action=action).count() for action in actions] == [1, 1]


@pytest.mark.parametrize(
    "verb", [Token.retire, Token.cancel_renewal, Token.rehearse, Token.end_rehearsal]
)
def test_without_an_old_key_nothing_can_be_done_to_it(
    token: Token, verb: Callable[..., object]
) -> None:
    with pytest.raises(NoOldKey):
        verb(token, by=None)
    assert token.events.count() == 1


def once(verb: Callable[..., object], **also: Any) -> Callable[[Token], object]:
    """Return a verb without an actor, as something to do to a token."""
    return lambda token: verb(token, by=None, **also)


def rehearsed(token: Token) -> None:
    renewed(token)
    token.rehearse(by=None)


# What is done to a token before, and then cannot be recorded.
VERBS: dict[str, tuple[Callable[[Token], object], Callable[[Token], object]]] = {
    "enable": (once(Token.disable), once(Token.enable)),
    "restore": (once(Token.remove), once(Token.restore)),
    "disable": (renewed, once(Token.disable)),
    "remove": (renewed, once(Token.remove)),
    "purge": (lambda token: deleted(token, days=8), Token.purge),
    "rotate": (renewed, once(Token.rotate)),
    "renew": (once(Token.rotate), renewed),
    "extend": (renewed, lambda token: token.extend(by=None, until=timezone.now() + 9 * DAY)),
    "retire": (renewed, once(Token.retire)),
    "cancel_renewal": (renewed, once(Token.cancel_renewal)),
    "rehearse": (renewed, once(Token.rehearse)),
    "end_rehearsal": (rehearsed, once(Token.end_rehearsal)),
    "edit": (
        renewed,
        once(Token.edit, version=None, modules=(Module.USAGE,), name="New", show_once=True),
    ),
    "follow": (renewed, lambda token: token.follow((Module.USAGE,), by=None)),
}


@pytest.mark.parametrize(("prepare", "verb"), VERBS.values(), ids=VERBS)
def test_what_cannot_be_recorded_is_not_done(
    token: Token,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Token], object],
    verb: Callable[[Token], object],
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    def rows() -> list[object]:
        return [
            row
            for model in (Token, TokenKey, Grant)
            for row in model.objects.order_by("pk").values()
        ]

    prepare(token)
    before = rows()
    monkeypatch.setattr(Chain, "append", fail)
    with pytest.raises(RuntimeError):
        verb(token)
    assert rows() == before


# --- Headers --------------------------------------------------------------------------------------


def test_answers_to_the_old_key_say_since_when_it_is_old_and_when_it_ends(
    call: Call, token: Token
) -> None:
    old, new = renewed(token)
    stored = old_key(token)
    for path, status in (("agreements", 200), ("accounts", 200)):
        response = call(path, old)
        assert response.status_code == status
        assert response["Deprecation"] == f"@{int(stored.replaced_at.timestamp())}"
        assert parsedate_to_datetime(response["Sunset"]) == stored.retires_at.replace(microsecond=0)
        assert 'integrations/api/#old-keys>; rel="deprecation"' in response["Link"]
        assert 'rel="sunset"' in response["Link"]
    for response in (call("agreements", new), call("agreements", TokenFactory())):
        assert not {"Deprecation", "Sunset", "Link"} & set(response.headers)


def test_a_key_that_was_replaced_at_once_is_told_when(call: Call, token: Token) -> None:
    old = header(token)
    token.rotate(by=None)
    stored, response = token.keys.get(version=1), call("agreements", old)
    assert stored.replaced_at
    assert stored.retires_at
    assert response["Deprecation"] == f"@{int(stored.replaced_at.timestamp())}"
    assert parsedate_to_datetime(response["Sunset"]) == stored.retires_at.replace(microsecond=0)


def test_the_page_that_the_header_links_to_explains_it(
    michael: Person, call: Call, token: Token
) -> None:
    old, _new = renewed(token)
    address = call("agreements", old)["Link"].split(">")[0].removeprefix("<http://testserver")
    text = michael.client.get(address.partition("#")[0]).text
    assert 'id="old-keys"' in text
    assert "AUTH_006" in text


# --- The state ------------------------------------------------------------------------------------


def test_a_token_with_two_keys_is_revitalised_everywhere(
    call: Call, michael: Person, token: Token
) -> None:
    asking = TokenFactory(account=token.account, modules=(Module.INTEGRATIONS,))
    old, _new = renewed(token)
    ends = old_key(token).retires_at.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    shown = call(f"auth/tokens/{token.pk}", asking).json()
    assert (shown["status"], shown["expiration_date"]) == ("revitalised", ends)
    assert "renewed_expiration_date" not in shown
    listed = call("auth/tokens?status=revitalised", asking).json()
    assert [each["id"] for each in listed] == [token.pk]
    assert token.pk not in str(call("auth/tokens?status=active", asking).json())
    assert "two keys" in michael.client.get("/integrations/tokens/?status=revitalised").text
    assert token.name not in michael.client.get("/integrations/tokens/?status=active").text
    assert "two keys until" in page(michael.client, token).text
    let_time_pass(token, 2 * DAY)
    assert call(f"auth/tokens/{token.pk}", asking).json()["status"] == "active"
    assert "two keys" not in michael.client.get("/integrations/tokens/").text
    assert call("agreements", old).status_code == 401


def test_an_expired_or_disabled_token_is_not_revitalised(token: Token) -> None:
    renewed(token)
    Token.objects.update(expires_at=timezone.now() - DAY)
    assert fresh(token).state == State.EXPIRED
    Token.objects.update(expires_at=timezone.now() + DAY)
    assert fresh(token).state == State.REVITALISED
    token.disable(by=None)
    assert fresh(token).state == State.INACTIVE

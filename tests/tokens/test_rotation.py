"""A new key of a token: the verbs, what the gate says to the old key, and the cockpit."""

import threading
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from activity.actions import Action
from tests.conftest import Call, Person, Response, stale
from tests.factories import AccountFactory, TokenFactory, header
from tokens import uses
from tokens.models import (
    LONGEST_OVERLAP,
    BadEnd,
    InUse,
    KeyUse,
    NoOldKey,
    Replaced,
    State,
    Token,
    TokenKey,
    TwoKeys,
)
from tokens.standing import Standing

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


def test_a_renewed_token_is_renewed_again_only_after_its_old_key_has_ended(token: Token) -> None:
    renewed(token)
    with pytest.raises(TwoKeys):
        token.renew(by=None, until=timezone.now() + DAY)
    token.retire(by=None)
    token.renew(by=None, until=timezone.now() + DAY)
    assert len(token.live_keys) == 2


@pytest.mark.parametrize("span", [-DAY, LONGEST_OVERLAP + DAY])
def test_the_old_key_lives_on_for_thirty_days_at_most(token: Token, span: timedelta) -> None:
    with pytest.raises(BadEnd):
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
    assert fresh(token).state == State.ACTIVE
    # The next new key has a number of its own.
    token.rotate(by=None)
    assert token.keys.count() == 3


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


def test_the_page_that_the_header_links_to_explains_it(
    michael: Person, call: Call, token: Token
) -> None:
    old, _new = renewed(token)
    address = call("agreements", old)["Link"].split(">")[0].removeprefix("<http://testserver")
    text = michael.client.get(address.partition("#")[0]).text
    assert 'id="old-keys"' in text
    assert "AUTH_006" in text


# --- Who uses which key ---------------------------------------------------------------------------


def programs(token: Token) -> dict[tuple[int, str], tuple[int, int, int]]:
    return {
        (use.key.version, use.agent): (use.calls, use.rehearsed, use.refused)
        for use in KeyUse.objects.filter(key__token=token).select_related("key")
    }


def write_all() -> None:
    """Write the calls that a process has counted, as if a minute had passed."""
    for key_id, each in [*uses.calls.items()]:
        for tally in each.programs.values():
            tally.written = None
        with transaction.atomic():
            uses.write(uses.take(key_id))


def test_calls_are_counted_for_the_key_and_the_program(call: Call, token: Token) -> None:
    old, new = renewed(token)
    for key, agent, count in ((old, "nightly/1.4", 3), (old, "erp/3", 1), (new, "erp/3", 2)):
        for _ in range(count):
            call("agreements", key, HTTP_USER_AGENT=agent)
    # The first call of each shows at once, the others within the minute.
    assert programs(token) == {
        (1, "nightly/1.4"): (1, 0, 0),
        (1, "erp/3"): (1, 0, 0),
        (2, "erp/3"): (1, 0, 0),
    }
    write_all()
    assert programs(token) == {
        (1, "nightly/1.4"): (3, 0, 0),
        (1, "erp/3"): (1, 0, 0),
        (2, "erp/3"): (2, 0, 0),
    }
    use = KeyUse.objects.get(agent="nightly/1.4")
    assert (use.address, use.modules) == ("127.0.0.1", ["MD-9001"])


def test_refused_calls_of_an_old_key_are_counted_apart(call: Call, token: Token) -> None:
    old, _new = renewed(token)
    token.rehearse(by=None)
    call("agreements", old, HTTP_USER_AGENT="nightly/1.4")
    token.retire(by=None)
    call("agreements", old, HTTP_USER_AGENT="nightly/1.4")
    write_all()
    assert programs(token) == {(1, "nightly/1.4"): (0, 1, 1)}


def test_a_program_costs_one_write_a_minute(
    call: Call, token: Token, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = header(token)
    call("contracts", key)
    call("agreements", key)
    with django_assert_num_queries(2):
        call("agreements", key)


def test_the_programs_of_a_key_are_bounded_in_the_table_and_in_memory(
    call: Call, token: Token
) -> None:
    key = header(token)
    for number in range(3 * uses.MOST):
        call("agreements", key, HTTP_USER_AGENT=f"changing/{number}")
    write_all()
    assert KeyUse.objects.count() <= uses.MOST + 1
    assert sum(use.calls for use in KeyUse.objects.all()) == 3 * uses.MOST
    assert all(len(each.programs) <= uses.MOST + 1 for each in uses.calls.values())


def test_a_key_that_is_no_longer_called_is_written_with_the_next_call_of_another(
    call: Call, account: Account
) -> None:
    idle, busy = TokenFactory.create_batch(2, account=account)
    call("agreements", idle)
    call("agreements", idle)
    assert KeyUse.objects.get().calls == 1
    uses.calls[idle.keys.get().pk].last -= uses.EVERY
    call("agreements", busy)
    assert KeyUse.objects.get(key__token=idle).calls == 2
    assert KeyUse.objects.get(key__token=busy).calls == 1


def test_a_key_in_the_name_of_a_program_is_not_stored(call: Call, token: Token) -> None:
    key = header(token)
    call("agreements", key, HTTP_USER_AGENT=f"curl {key}")
    assert key[-40:] not in KeyUse.objects.get().agent


@pytest.mark.django_db(transaction=True)
def test_counting_waits_for_nobody_and_loses_nothing(client: Client) -> None:
    """While SQLite's only writer writes, a call is answered, and counted with the next one."""
    token = TokenFactory(account=AccountFactory())
    key, writing, done = header(token), threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_account SET name = name WHERE id = 'PA-000-000'")
            writing.set()
            done.wait(60)
        connection.close()

    def call() -> int:
        return client.get("/public/v1/agreements", headers={"authorization": key}).status_code

    writer = threading.Thread(target=write)
    writer.start()
    writing.wait(60)
    try:
        assert call() == 200
        assert not done.is_set()
    finally:
        done.set()
        writer.join()
    assert call() == 200
    write_all()
    assert KeyUse.objects.get().calls == 2


# --- The state ------------------------------------------------------------------------------------


def test_a_token_with_two_keys_is_revitalised_everywhere(
    call: Call, michael: Person, token: Token
) -> None:
    from tokens.catalog import Module

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


# --- Pages ----------------------------------------------------------------------------------------


def test_a_new_key_is_made_on_its_page_and_shown_once(
    call: Call, michael: Person, token: Token
) -> None:
    old = header(token)
    assert "What happens to the present key" in page(michael.client, token, "key/new/").text
    sent = {"what": "renew", "hours": "24", "version": 1, "once": "a" * 12}
    response = press(michael.client, token, "new", **sent)
    new = header(fresh(token))
    assert new[-40:] in response.text
    assert "Two Keys Are Live" in response.text
    assert new != old
    assert call("agreements", old).status_code == call("agreements", new).status_code == 200
    assert token.events.filter(action=Action.KEY_VIEWED).count() == 1
    # Reloading the answer makes no other key, and does not show this one again.
    again = press(michael.client, token, "new", **sent)
    assert new[-40:] not in again.text
    assert token.keys.count() == 2


def test_the_page_rotates_a_key_that_is_not_kept_and_shows_the_new_one(
    call: Call, michael: Person, token: Token
) -> None:
    token.keys.update(sealed=None)
    response = press(michael.client, token, "new", what="rotate", version=1, once="b" * 12)
    text = response.text
    key = text[text.index("key-secret") :][12:52]
    assert call("agreements", f"ApiKey {token.pk}:{key}").status_code == 200


def test_a_new_key_asks_for_the_password_first(michael: Person, token: Token) -> None:
    client = stale(michael.client)
    assert 'type="password"' in page(client, token, "key/new/").text
    response = press(client, token, "new", what="rotate", version=1)
    assert 'type="password"' in response.text
    assert token.keys.count() == 1
    from tests.factories import PASSWORD

    press(client, token, "new", what="rotate", version=1, sudo_password=PASSWORD)
    assert token.keys.count() == 2


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"hours": "other"}, "choose when the present key stops"),
        ({"hours": "other", "until": "soon"}, "enter a moment as"),
        ({"hours": "other", "until": "2020-01-01T00:00"}, "choose a moment from 1 hour to 30 days"),
        ({"hours": "other", "until": "2099-01-01T00:00"}, "choose a moment from 1 hour to 30 days"),
        ({"hours": "7"}, "choose a time from the list"),
        ({"what": "shred"}, "not one of the available choices"),
        ({"version": "x"}, "enter a whole number"),
    ],
)
def test_bad_answers_make_no_key_and_say_why(
    michael: Person, token: Token, sent: dict[str, Any], words: str
) -> None:
    data = {"what": "renew", "version": 1, **sent}
    assert words in press(michael.client, token, "new", **data).text
    assert token.keys.count() == 1


def test_a_press_on_an_old_page_makes_no_second_key(michael: Person, token: Token) -> None:
    token.rotate(by=None)
    response = press(michael.client, token, "new", what="rotate", version=1)
    assert "Another new key of this token was made in the meantime." in response.text
    assert token.keys.count() == 2


def test_the_buttons_of_the_cockpit_do_what_they_say(
    call: Call, michael: Person, token: Token
) -> None:
    old, new = renewed(token)
    response = press(michael.client, token, "rehearse")
    assert "The rehearsal has begun." in response.text
    assert "A rehearsal is on." in response.text
    refused(call("agreements", old), "rehearsal")
    assert "The rehearsal is over." in press(michael.client, token, "rehearse/end").text
    assert call("agreements", old).status_code == 200
    later = timezone.now() + 5 * DAY
    response = press(michael.client, token, "extend", until=f"{later:%Y-%m-%dT%H:%M}")
    assert "The old key stops on" in response.text
    assert old_key(token).retires_at.date() == later.date()
    assert "Retire the Old Key?" in page(michael.client, token, "key/retire/").text
    assert "It gets the answer 401 from now on." in press(michael.client, token, "retire").text
    refused(call("agreements", old), "is retired")
    assert call("agreements", new).status_code == 200


def test_cancelling_asks_for_the_password_and_retiring_does_not(
    michael: Person, token: Token
) -> None:
    renewed(token)
    client = stale(michael.client)
    assert 'type="password"' in press(client, token, "cancel").text
    assert len(fresh(token).live_keys) == 2
    press(client, token, "retire")
    assert len(fresh(token).live_keys) == 1


def test_the_page_cancels_a_renewal(call: Call, michael: Person, token: Token) -> None:
    old, new = renewed(token)
    assert "Cancel Renewal" in page(michael.client, token).text
    assert "The renewal is cancelled." in press(michael.client, token, "cancel").text
    assert call("agreements", old).status_code == 200
    refused(call("agreements", new), "is retired")


def test_either_of_two_keys_can_be_viewed(michael: Person, token: Token) -> None:
    old, new = renewed(token)
    for version, shown, hidden in ((1, old, new), (2, new, old)):
        text = michael.client.post(
            f"/integrations/tokens/{token.pk}/reveal/", {"version": version}
        ).text
        assert shown[-40:] in text
        assert hidden[-40:] not in text


def test_a_key_that_was_replaced_meanwhile_is_not_shown(michael: Person, token: Token) -> None:
    old = header(token)
    new = token.rotate(by=None).header
    response = michael.client.post(
        f"/integrations/tokens/{token.pk}/reveal/", {"version": 1}, follow=True
    )
    assert "The key was replaced in the meantime." in response.text
    assert old[-40:] not in response.text
    assert new[-40:] not in response.text


def test_a_masked_key_ends_in_its_last_four_digits(michael: Person, token: Token) -> None:
    key = header(token)
    text = page(michael.client, token).text
    assert f"hidden, ends in </span>{key[-4:]}" in text
    assert key[-12:] not in text


def cockpit(token: Token) -> Any:
    return Standing(fresh(token), may_manage=True).cockpit


@pytest.mark.parametrize(
    ("hours", "light", "words"),
    [
        (0, "red", "Wait: the old key was used just now."),
        (0.5, "red", "Wait: the old key was used 30 minutes ago."),
        (5, "amber", "Not yet: the old key was used 5 hours ago."),
        (26, "green", "Safe to retire: the old key has been quiet for 26 hours."),
    ],
)
def test_the_light_says_when_the_old_key_was_used(
    call: Call, michael: Person, token: Token, hours: float, light: str, words: str
) -> None:
    old, _new = renewed(token)
    call("agreements", old, HTTP_USER_AGENT="nightly/1.4")
    let_time_pass(token, timedelta(hours=hours))
    shown = cockpit(token)
    assert (shown.light, shown.headline) == (light, words)
    text = page(michael.client, token).text
    assert words in text
    assert ("Who Still Uses the Old Key" in text) == (light != "green")
    assert ("nightly/1.4" in text) == (light != "green")
    assert ("Retire Now…" in text) == (light != "green")


def test_an_old_key_that_nobody_used_may_be_retired(michael: Person, token: Token) -> None:
    renewed(token)
    assert "Safe to retire: nobody has used the old key." in page(michael.client, token).text


def test_the_cockpit_counts_calls_since_the_renewal(call: Call, token: Token) -> None:
    old = header(token)
    for _ in range(3):
        call("agreements", old)
    write_all()
    renewed(token)
    call("agreements", old)
    write_all()
    new, before = cockpit(token).panels
    assert (new.calls, before.calls) == ("0", "1")


def test_members_see_the_cockpit_without_its_buttons(adrian: Person, token: Token) -> None:
    renewed(token)
    text = page(adrian.client, token).text
    assert "Two Keys Are Live" in text
    assert "/key/" not in text
    assert "/reveal/" not in text


def test_the_page_tells_for_a_week_that_the_old_key_ended_and_whether_it_was_tried(
    call: Call, michael: Person, token: Token
) -> None:
    old, _new = renewed(token)
    token.retire(by=None)
    assert "The old key stopped on" in page(michael.client, token).text
    call("agreements", old, HTTP_USER_AGENT="nightly/1.4")
    text = page(michael.client, token).text
    assert "It was tried 1 time since, last by nightly/1.4 from 127.0.0.1." in text
    let_time_pass(token, 8 * DAY)
    assert "The old key stopped on" not in page(michael.client, token).text


@pytest.mark.parametrize("path", ["new", "extend", "retire", "rehearse"])
def test_a_deleted_token_has_no_dialogs(michael: Person, token: Token, path: str) -> None:
    token.remove(by=None)
    assert page(michael.client, token, f"key/{path}/").status_code == 302
    assert press(michael.client, token, path, what="rotate", version=1).status_code == 200
    assert token.keys.count() == 1

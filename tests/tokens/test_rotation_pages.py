"""The pages on which people renew, rotate and retire keys."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from activity.actions import Action
from tests.conftest import Call, Clock, Person, stale
from tests.factories import header
from tests.tokens.test_key_uses import write_all
from tests.tokens.test_rotation import (
    DAY,
    fresh,
    let_time_pass,
    old_key,
    page,
    press,
    refused,
    renewed,
)
from tokens.models import (
    Token,
)
from tokens.standing import Standing


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


@pytest.mark.parametrize(
    ("span", "keys"),
    [
        (timedelta(minutes=59), 1),
        (timedelta(hours=1), 2),
        (timedelta(days=30), 2),
        (timedelta(days=30, minutes=1), 1),
    ],
)
def test_another_end_of_the_present_key_is_from_one_hour_to_thirty_days_ahead(
    michael: Person, token: Token, clock: Clock, span: timedelta, keys: int
) -> None:
    # People choose whole minutes.
    clock.now = clock.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    until = f"{clock.now + span:%Y-%m-%dT%H:%M}"
    press(michael.client, token, "new", what="renew", version=1, hours="other", until=until)
    assert token.keys.count() == keys


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

"""The page Policies: what it shows before it saves, whom it asks, and what it refuses."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from activity.models import Event
from portal import text
from tests.conftest import Call, Person, Response, stale
from tests.factories import PASSWORD, TokenFactory
from tests.tokens.test_policies import add_rule, age, impose, use
from tokens.models import NextPolicy, Policy, Token

PAGE = "/integrations/policies/"


def day(ahead: int) -> str:
    return (timezone.localdate() + timedelta(days=ahead)).isoformat()


def send(person: Person, **fields: Any) -> Response:
    """Send the form as a person does who has seen what stops, and return the answer."""
    seen = person.client.get(PAGE, {"preview": "on", **fields})
    shown = seen.text.split('name="shown" value="')[1].split('"')[0].replace("&amp;", "&")
    return person.client.post(PAGE, {**fields, "shown": shown})


ENDS = {"ends": "on", "most_days": "365", "proposed_days": "90"}
IDLES = {"idles": "on", "idle_days": "90", "warn_days": "14"}
# What is sent -> what is stored from its day on.
POLICIES = [
    (ENDS, {"most_days": 365, "proposed_days": 90}),
    (IDLES, {"idle_days": 90, "warn_days": 14}),
    ({"show_once": "on"}, {"show_once": True}),
    ({"rules_required": "on"}, {"rules_required": True}),
    ({"capped": "on", "most_tokens": "9"}, {"most_tokens": 9}),
    ({"limited": "on", "rate": "600", "burst": "90"}, {"rate": 600, "burst": 90}),
    ({"limited": "on", "rate": "600"}, {"rate": 600, "burst": 100}),
    ({"two_step": "on"}, {"two_step": True}),
    ({"hide_secrets": "on"}, {"hide_secrets": True}),
]


@pytest.mark.parametrize(("sent", "stored"), POLICIES)
def test_each_policy_is_saved_for_its_day_and_shown_again(
    michael: Person, account: Account, sent: dict[str, str], stored: dict[str, Any]
) -> None:
    response = send(michael, **sent, starts_on=day(3))
    assert (response.status_code, response["Location"]) == (302, PAGE)
    following = NextPolicy.objects.get(policy=account.pk)
    assert {name: getattr(following, name) for name in stored} == stored
    assert following.starts_at.date().isoformat() == day(3)
    page = michael.client.get(PAGE).text
    for value in sent.values():
        assert value == "on" or f'value="{value}"' in page
    for name, value in sent.items():
        if value == "on":
            assert f'name="{name}" id="id_{name}" checked' in page.replace("aria-", "")


def test_without_scripts_the_first_press_shows_what_stops_and_the_second_saves(
    michael: Person, account: Account, token: Token
) -> None:
    age(token, 400)
    fields = {**ENDS, "starts_on": day(3)}
    response = michael.client.post(PAGE, fields)
    assert response.status_code == 200
    assert "Nothing is saved yet." in response.text
    assert not Policy.objects.exists()
    shown = response.text.split('name="shown" value="')[1].split('"')[0].replace("&amp;", "&")
    assert michael.client.post(PAGE, {**fields, "shown": shown}).status_code == 302
    assert NextPolicy.objects.get(policy=account.pk).most_days == 365


def test_what_was_changed_after_it_was_shown_is_shown_again(
    michael: Person, account: Account
) -> None:
    seen = michael.client.post(PAGE, {**ENDS, "starts_on": day(3)})
    shown = seen.text.split('name="shown" value="')[1].split('"')[0].replace("&amp;", "&")
    for changed in ({"most_days": "300"}, {"starts_on": day(2)}, IDLES):
        fields = {**ENDS, "starts_on": day(3), **changed, "shown": shown}
        assert "Nothing is saved yet." in michael.client.post(PAGE, fields).text
    assert not Policy.objects.exists()


def test_a_get_saves_nothing(michael: Person) -> None:
    michael.client.get(PAGE, {"preview": "on", **ENDS, "starts_on": day(3)})
    assert not Policy.objects.exists()


def test_stricter_and_looser_policies_ask_for_the_password(
    michael: Person, account: Account
) -> None:
    stale(michael.client)
    response = send(michael, **ENDS, starts_on=day(3))
    assert response.status_code == 200
    assert "To change the policies of" in response.text
    assert not Policy.objects.exists()
    # Looser ones let keys in again that were refused.
    impose(account, most_days=90, idle_days=30)
    looser = {"ends": "on", "most_days": "100"}
    assert "To change the policies of" in michael.client.post(PAGE, looser).text
    assert Policy.objects.get().most_days == 90
    response = michael.client.post(PAGE, {**looser, "sudo_password": PASSWORD})
    assert response.status_code == 302
    assert (Policy.objects.get().most_days, Policy.objects.get().idle_days) == (100, None)
    assert not NextPolicy.objects.exists()


def test_with_the_password_stricter_policies_are_saved(michael: Person, account: Account) -> None:
    stale(michael.client)
    fields = {**ENDS, "starts_on": day(3), "sudo_password": PASSWORD}
    response = send(michael, **fields)
    assert response.status_code == 302
    assert NextPolicy.objects.get(policy=account.pk).most_days == 365


def test_to_bring_the_day_forward_is_stricter(michael: Person, account: Account) -> None:
    send(michael, **ENDS, starts_on=day(9))
    stale(michael.client)
    assert "To change the policies of" in send(michael, **ENDS, starts_on=day(3)).text
    # Nothing is asked if nothing changes.
    assert send(michael, **ENDS, starts_on=day(9)).status_code == 302
    later = {**ENDS, "starts_on": day(12), "sudo_password": PASSWORD}
    assert send(michael, **later).status_code == 302
    assert NextPolicy.objects.get().starts_at.date().isoformat() == day(12)


WRONG = [
    ({**ENDS, "most_days": ""}, "Enter a number of days from 1 to 3,650."),
    ({**ENDS, "most_days": "0"}, "Enter a number of days from 1 to 3,650."),
    ({**ENDS, "most_days": "3651"}, "Enter a number of days from 1 to 3,650."),
    ({**ENDS, "most_days": "1.5"}, "Enter a number of days from 1 to 3,650."),
    ({**ENDS, "most_days": "9" * 40}, "Enter a number of days from 1 to 3,650."),
    ({**ENDS, "proposed_days": "7"}, "Select a valid choice."),
    ({**ENDS, "most_days": "60"}, "The wizard cannot propose more than the maximum."),
    ({**IDLES, "idle_days": "x"}, "Enter a number of days from 1 to 3,650."),
    ({**IDLES, "warn_days": ""}, "Enter a number of days from 0 to 3,650."),
    ({**IDLES, "warn_days": "90"}, "Warn fewer days ahead than a token may be idle."),
    ({"capped": "on", "most_tokens": "-1"}, "Enter a number of tokens from 1 to 10,000."),
    ({"limited": "on", "rate": "0"}, "Enter a number of calls from 1 to 100,000."),
    ({"limited": "on", "rate": "9", "burst": "0"}, "Enter a number of calls from 1 to 100,000."),
    ({**ENDS, "starts_on": "2020-01-01"}, "Choose a day from tomorrow on."),
    ({**ENDS, "starts_on": "9999-01-01"}, "Choose a day from tomorrow on."),
    ({**ENDS, "starts_on": "soon"}, "Enter a day as dd/mm/yyyy."),
]


@pytest.mark.parametrize(("fields", "sentence"), WRONG)
def test_wrong_input_is_refused_with_a_sentence(
    michael: Person, fields: dict[str, str], sentence: str
) -> None:
    fields = {"starts_on": day(3), **fields}
    assert sentence in michael.client.post(PAGE, fields).text
    assert sentence in michael.client.get(PAGE, {"preview": "on", **fields}).text
    assert not Policy.objects.exists()


def test_today_is_too_early(michael: Person) -> None:
    page = michael.client.post(PAGE, {**ENDS, "starts_on": day(0)}).text
    assert "Choose a day from tomorrow on." in page


def test_numbers_of_a_box_that_is_not_ticked_do_not_matter(michael: Person) -> None:
    fields = {"most_days": "x", "idle_days": "-1", "rate": "", "most_tokens": "0"}
    assert michael.client.post(PAGE, {**fields, "starts_on": day(3)}).status_code == 302
    assert not Policy.objects.exists()
    assert not Event.objects.filter(action="people.policy-changed").exists()


# --- If you save this -----------------------------------------------------------------------------


def test_the_page_says_which_tokens_stop_when_and_why(michael: Person, account: Account) -> None:
    old, idle, later, safe, ended = (
        TokenFactory(account=account, name=name)
        for name in ("Order Feed", "Legal Review", "Staging", "Fresh", "Ended")
    )
    for token, days in ((old, 370), (idle, 200), (later, 350), (safe, 1), (ended, 370)):
        age(token, days)
    use(old, 1)
    use(idle, 100)
    use(later, 2)
    Token.objects.filter(pk=ended.pk).update(expires_at=timezone.now())
    page = michael.client.get(
        PAGE, {"preview": "on", **ENDS, **IDLES, "starts_on": day(6)}
    ).text.split('id="stops-body"')[1]
    page = re.sub(r"</?time[^>]*>", "", " ".join(page.split("</aside>")[0].split()))
    start = text.day(timezone.localdate() + timedelta(days=6))
    stop = text.day(timezone.now() + timedelta(days=15))
    assert f'Stop on {start}</dt> <dd class="figure">2</dd>' in page
    assert 'In the 30 days after</dt> <dd class="figure">1</dd>' in page
    assert "2 of the 3 are in use." in page
    assert f"Give new keys to Order Feed and Staging before {start}." in page
    for token in (old, idle, later):
        assert f'/integrations/tokens/{token.pk}/">{token.name}</a>' in page
    for token in (safe, ended):
        assert token.name not in page
    used = text.day(timezone.now() - timedelta(days=100))
    assert f"no call since {used}" in page
    assert "370 days old" in page
    assert f"<span>{stop}</span>" in page
    assert "2 of 5 tokens are not affected before" in page


def test_what_the_page_foresees_is_what_the_gate_does(
    michael: Person, account: Account, call: Call
) -> None:
    tokens = []
    for made in (1, 40, 80, 100):
        for used in (None, 3, 35, 70):
            token = TokenFactory(account=account)
            age(token, made)
            if used and used < made:
                use(token, used)
            tokens.append(token)
    fields = {"ends": "on", "most_days": "90", "idles": "on", "idle_days": "30", "warn_days": "1"}
    fields |= {"proposed_days": "", "starts_on": day(1)}
    page = michael.client.get(PAGE, {"preview": "on", **fields}).text
    first = int(page.split('<dd class="figure">')[1].split("<")[0])
    send(michael, **fields)
    assert [call("agreements", token).status_code for token in tokens] == [200] * len(tokens)
    # The calls above were uses; the day comes.
    for token, made in zip(tokens, [m for m in (1, 40, 80, 100) for _ in range(4)], strict=True):
        age(token, made)
    for token, used in zip(tokens, [None, 3, 35, 70] * 4, strict=True):
        token.usage.last_used_at = None
        token.usage.save()
        if (
            used
            and timezone.now() - timedelta(days=used) > Token.objects.get(pk=token.pk).created_at
        ):
            use(token, used)
    NextPolicy.objects.update(starts_at=timezone.now() - timedelta(seconds=2))
    refused = [token for token in tokens if call("agreements", token).status_code == 403]
    assert len(refused) == first


def test_tokens_without_ip_rules_stop_where_these_are_required(
    michael: Person, account: Account
) -> None:
    bare, ruled = TokenFactory(account=account, name="Bare"), TokenFactory(account=account)
    add_rule(account, "Office", "192.0.2.0/24", ruled)
    fields = {"preview": "on", "rules_required": "on", "starts_on": day(6)}
    page = michael.client.get(PAGE, fields).text
    assert "no IP rules" in page
    assert f'/integrations/tokens/{bare.pk}/">' in page
    assert f'/integrations/tokens/{ruled.pk}/">' not in page
    add_rule(account, "Head office", "198.51.100.0/24")
    assert "No token stops before" in michael.client.get(PAGE, fields).text


def test_no_token_stops(michael: Person, token: Token) -> None:
    page = michael.client.get(PAGE, {"preview": "on", **ENDS, **IDLES, "starts_on": day(6)}).text
    assert "No token stops before" in page


def test_tokens_of_others_are_not_named(michael: Person, stranger: Person) -> None:
    token = TokenFactory(account=stranger.account, name="Not Yours")
    age(token, 4000)
    page = michael.client.get(PAGE, {"preview": "on", **ENDS, "starts_on": day(6)}).text
    assert "Not Yours" not in page


# --- Who --------------------------------------------------------------------------------------


def test_members_see_the_policies_and_cannot_change_them(adrian: Person, account: Account) -> None:
    impose(account, most_days=90, rate=600, burst=100)
    page = adrian.client.get(PAGE).text
    assert "At most 90 days" in page
    assert "At most 600 calls a minute, 100 of them at once" in page
    assert (
        "<form" not in page.split("<main")[1].split("</main>")[0].replace('action="/account/', "")
        or "Save Policies" not in page
    )
    assert adrian.client.post(PAGE, ENDS).status_code == 403
    assert Policy.objects.get().most_days == 90


def test_policies_of_another_account_are_not_touched(
    michael: Person, stranger: Person, account: Account
) -> None:
    send(michael, **ENDS, starts_on=day(3))
    assert not Policy.objects.filter(account=stranger.account).exists()
    assert " checked" not in stranger.client.get(PAGE).text.split("<main")[1]

"""Policies of an account: what each refuses, over HTTP, and from when on."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from activity.models import Event
from portal.addresses import read_span
from tests.conftest import Call, Person, Response
from tests.factories import AccountFactory, TokenFactory, header
from tokens import keys, settling
from tokens.catalog import Module
from tokens.models import (
    IPRule,
    NextPolicy,
    Policy,
    Token,
    TokenDraft,
    TokenKey,
    TokenUsage,
    TooManyTokens,
)
from tokens.models.policy import PolicyFields

DAY = timedelta(days=1)
NONE = Policy().values


def impose(account: Account, **policies: Any) -> Policy:
    """Give the account policies that are in force now."""
    Policy.objects.filter(account=account).delete()
    return Policy.objects.create(account=account, **policies)


def plan(account: Account, starts_at: datetime, **policies: Any) -> NextPolicy:
    """Give the account policies that begin at a moment; it has none until then."""
    return NextPolicy.objects.create(policy=impose(account), starts_at=starts_at, **policies)


def age(token: Token, days: float) -> None:
    """Make the token and its key as old as that, and its last use, if it has one."""
    ago = timezone.now() - timedelta(days=days)
    Token.objects.filter(pk=token.pk).update(created_at=ago)
    token.keys.update(created_at=ago)


def use(token: Token, days: float) -> None:
    TokenUsage.objects.filter(token=token).update(
        last_used_at=timezone.now() - timedelta(days=days)
    )


def add_rule(account: Account, name: str, span: str, token: Token | None = None) -> IPRule:
    """Add an IP rule of the account or of one of its tokens; return it."""
    return IPRule.add(account, token, [(name, read_span(span))], by=None)[0]


def refused(response: Response, words: str) -> bool:
    body = response.json()
    assert (response.status_code, body["error_code"]) == (403, "AUTH_008")
    assert "WWW-Authenticate" not in response
    assert words in body["errors"][0]
    return True


# --- End after a time -----------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "status"), [(29.999, 200), (30.001, 403)])
def test_a_key_stops_when_it_is_older_than_the_policy_allows(
    call: Call, token: Token, account: Account, days: float, status: int
) -> None:
    impose(account, most_days=30)
    age(token, days)
    response = call("agreements", token)
    assert response.status_code == status
    if status == 403:
        words = f"The token {token.pk} has a key that is older than a policy of the account allows."
        assert refused(response, words)


def test_a_later_end_date_of_its_own_does_not_save_an_old_key(
    call: Call, token: Token, account: Account
) -> None:
    Token.objects.update(expires_at=timezone.now() + 300 * DAY)
    impose(account, most_days=30)
    age(token, 31)
    assert refused(call("agreements", token), "older than a policy")


def test_a_new_key_of_an_old_token_works_and_its_old_one_does_not(
    call: Call, token: Token, account: Account
) -> None:
    impose(account, most_days=30)
    age(token, 31)
    first, second = header(token), keys.mint(token.pk)
    TokenKey.put(token, second, version=2)
    assert refused(call("agreements", first), "older than a policy")
    assert call("agreements", second.header).status_code == 200


# --- Disable when idle ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "used", "status"),
    [(50, 9, 200), (50, 10.01, 403), (50, None, 403), (9, None, 200), (10.01, None, 403)],
)
def test_a_token_without_a_call_for_so_long_is_refused(
    call: Call, token: Token, account: Account, made: float, used: float | None, status: int
) -> None:
    impose(account, idle_days=10)
    age(token, made)
    if used:
        use(token, used)
    response = call("agreements", token)
    assert response.status_code == status
    if status == 403:
        assert refused(response, "was not used for longer than a policy of the account allows.")


def test_a_new_key_is_a_sign_of_life_for_the_old_one_too(
    call: Call, token: Token, account: Account
) -> None:
    impose(account, idle_days=10)
    age(token, 50)
    first = header(token)
    TokenKey.put(token, keys.mint(token.pk), version=2)
    assert call("agreements", first).status_code == 200


def test_a_refused_call_is_no_sign_of_life(call: Call, token: Token, account: Account) -> None:
    impose(account, idle_days=10)
    age(token, 50)
    use(token, 20)
    for _ in range(2):
        assert refused(call("agreements", token), "was not used for longer")


def test_an_idle_token_works_again_once_it_is_enabled(
    call: Call, token: Token, account: Account, michael: Person
) -> None:
    impose(account, idle_days=10)
    age(token, 50)
    assert refused(call("agreements", token), "was not used for longer")
    michael.client.post(f"/integrations/tokens/{token.pk}/enable/")
    assert call("agreements", token).status_code == 200
    actions = [*Event.objects.about("token", token.pk).values_list("action", flat=True)]
    assert {"tokens.idled", "tokens.enabled"} <= {*actions}


def test_a_new_key_is_a_sign_of_life(call: Call, token: Token, account: Account) -> None:
    impose(account, idle_days=10)
    age(token, 50)
    second = keys.mint(token.pk)
    TokenKey.put(token, second, version=2)
    assert call("agreements", second.header).status_code == 200


# --- IP rules -------------------------------------------------------------------------------------


def test_a_token_without_ip_rules_is_refused_where_these_are_required(
    client: Client, token: Token, account: Account
) -> None:
    impose(account, rules_required=True)

    def call_from(address: str) -> Response:
        return client.get(
            "/public/v1/agreements",
            headers={"authorization": header(token)},
            REMOTE_ADDR=address,
        )

    words = f"The token {token.pk} has no IP rules, which a policy of the account requires."
    assert refused(call_from("192.0.2.7"), words)
    add_rule(AccountFactory(), "Elsewhere", "0.0.0.0/1")
    add_rule(account, "Other", "0.0.0.0/1", TokenFactory(account=account))
    assert refused(call_from("192.0.2.7"), words)
    rule = add_rule(account, "Own", "192.0.2.0/24", token)
    assert call_from("192.0.2.7").status_code == 200
    assert call_from("198.51.100.7").status_code == 403
    rule.remove(by=None)
    assert refused(call_from("192.0.2.7"), words)
    add_rule(account, "Head office", "192.0.2.0/24")
    assert call_from("192.0.2.7").status_code == 200


# --- Show keys once -------------------------------------------------------------------------------


@pytest.mark.parametrize("button", ["reveal", "copy"])
def test_where_keys_are_shown_once_nobody_sees_an_old_one_again(
    michael: Person, token: Token, account: Account, call: Call, button: str
) -> None:
    key = header(token)
    page = f"/integrations/tokens/{token.pk}/"
    assert key.split(":")[1] in michael.client.post(f"{page}reveal/").text
    impose(account, show_once=True)
    response = michael.client.post(f"{page}{button}/", follow=True)
    assert key.split(":")[1] not in response.text
    words = "A policy of the account keeps no copy of the key: it cannot be viewed."
    assert words in michael.client.get(page).text
    assert call("agreements", key).status_code == 200


def test_copies_of_keys_are_destroyed_from_the_day_on_and_the_keys_go_on(
    token: Token, account: Account, call: Call
) -> None:
    key, other = header(token), TokenFactory()
    plan(account, timezone.now() + timedelta(hours=1), show_once=True)
    settling.settle()
    assert token.keys.get().sealed
    NextPolicy.objects.update(starts_at=timezone.now() - timedelta(seconds=2))
    settling.settle()
    assert token.keys.get().sealed is None
    assert other.keys.get().sealed
    assert call("agreements", key).status_code == 200
    event = Event.objects.get(action="keys.copies-destroyed")
    told = (event.subject_kind, event.subject_id, event.subject_name, event.account, event.changes)
    assert told == ("policy", account.pk, account.name, account.pk, {"copies": [1, 0]})
    settling.settle()
    assert Event.objects.filter(action="keys.copies-destroyed").count() == 1


# --- At most so many tokens -----------------------------------------------------------------------


def test_no_more_tokens_are_made_than_the_policy_allows(account: Account, token: Token) -> None:
    impose(account, most_tokens=2)
    other = TokenFactory(account=account)
    with pytest.raises(TooManyTokens, match="has 2 tokens, and a policy allows no more than 2"):
        TokenFactory(account=account)
    other.disable(by=None)
    with pytest.raises(TooManyTokens):
        TokenFactory(account=account)
    other.remove(by=None)
    TokenFactory(account=account)
    TokenFactory(account=AccountFactory())


def test_the_shell_makes_no_token_over_the_limit_of_the_policy(
    account: Account, token: Token
) -> None:
    impose(account, most_tokens=1)
    with pytest.raises(CommandError, match="a policy allows no more than 1"):
        call_command("create_token", account=account.pk, name="One more", module=["agreements"])


def test_the_api_makes_no_token_over_the_limit_of_the_policy(call: Call, account: Account) -> None:
    robot = TokenFactory(account=account, modules=(Module.ALL,))
    impose(account, most_tokens=1)
    body = {"name": "One more", "extension": {"id": "EXT-000"}}
    response = call("auth/tokens", robot, method="post", data=body, content_type="application/json")
    assert response.status_code == 400
    assert "a policy allows no more than 1" in response.json()["errors"][0]


# --- End dates ------------------------------------------------------------------------------------


def test_no_end_date_is_later_than_the_policy_allows(account: Account, token: Token) -> None:
    impose(account, most_days=30)
    token = Token.objects.get(pk=token.pk)
    for end in (timezone.now() + 31 * DAY, timezone.now() + 300 * DAY):
        with pytest.raises(ValidationError, match="A policy of the account stops a key after 30"):
            token.edit(by=None, version=None, modules=None, expires_at=end)
        with pytest.raises(ValidationError, match="A policy of the account stops a key after 30"):
            TokenFactory(account=account, expires_at=end)
    token.edit(by=None, version=None, modules=None, expires_at=timezone.now() + 29 * DAY)
    TokenFactory(account=account, expires_at=timezone.now() + 29 * DAY)


TOO_LATE = "A policy of the account stops a key after 30 days. Choose a day until "


@pytest.mark.parametrize(
    "day",
    [{"expires": "60"}, {"expires": "on", "expires_on": "2099-01-01"}],
    ids=["preset", "date"],
)
@pytest.mark.parametrize("page", ["new/", "{}/edit/", "{}/extend/"])
def test_each_form_says_until_when_a_key_can_live(
    michael: Person, token: Token, account: Account, page: str, day: dict[str, Any]
) -> None:
    Token.objects.update(expires_at=timezone.now() + 9 * DAY)
    impose(account, most_days=30)
    before = Token.objects.get()
    fields = {"name": "Other", "version": before.version, "modules": ["MD-0000"], **day}
    response = michael.client.post(f"/integrations/tokens/{page.format(token.pk)}", fields)
    assert (response.status_code, TOO_LATE in response.text) == (200, True)
    now = Token.objects.get()
    assert (now.name, now.expires_at) == (before.name, before.expires_at)
    assert not TokenDraft.objects.exists()


@pytest.mark.parametrize("page", ["new/", "{}/edit/", "{}/extend/"])
def test_each_form_accepts_the_whole_last_day(
    michael: Person, token: Token, account: Account, page: str
) -> None:
    Token.objects.update(expires_at=timezone.now() + 9 * DAY)
    impose(account, most_days=30)
    fields = {"name": "Other", "version": token.version, "modules": ["MD-0000"], "expires": "30"}
    response = michael.client.post(f"/integrations/tokens/{page.format(token.pk)}", fields)
    assert response.status_code == 302


def test_a_policy_made_while_the_wizard_ran_is_mentioned(michael: Person, account: Account) -> None:
    fields = {"name": "Other", "expires": "60"}
    run = michael.client.post("/integrations/tokens/new/", fields)["Location"]
    run = run.removesuffix("extension/")
    michael.client.post(f"{run}extension/", {"extension": "EXT-000"})
    impose(account, most_days=30)
    data = {"modules": [Module.AGREEMENTS]}
    response = michael.client.post(f"{run}permissions/", data, follow=True)
    assert TOO_LATE in response.text
    assert not Token.objects.exists()


def test_the_api_says_which_expiration_is_too_late(call: Call, account: Account) -> None:
    ends = timezone.now() + 60 * DAY
    robot = TokenFactory(account=account, modules=(Module.ALL,), expires_at=ends)
    impose(account, most_days=30)

    def create(**values: Any) -> Response:
        data = {"name": "Other", "extension": {"id": "EXT-000"}, **values}
        kwargs = {"method": "post", "content_type": "application/json"}
        return call("auth/tokens", robot, data=data, **kwargs)

    late = create(expiration_date=(timezone.now() + 45 * DAY).isoformat())
    assert late.status_code == 400
    assert "expiration_date: A policy of the account stops" in late.json()["errors"][0]
    # The end of the caller is inherited as far as the policy allows.
    assert create().status_code == 201
    expires_at = Token.objects.get(name="Other").expires_at
    assert expires_at
    assert expires_at <= timezone.now() + 30 * DAY


# --- When they begin ------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "status"), [(-2, 403), (60, 200)])
def test_policies_bind_from_their_day_on(
    call: Call, token: Token, account: Account, seconds: int, status: int
) -> None:
    age(token, 100)
    starts = timezone.now() + timedelta(seconds=seconds)
    for policies in ({"most_days": 30}, {"idle_days": 30}, {"rules_required": True}):
        plan(account, starts, **policies)
        TokenUsage.objects.update(last_used_at=None)
        assert call("agreements", token).status_code == status


def test_the_present_policy_holds_until_a_stricter_one_begins(
    call: Call, token: Token, account: Account
) -> None:
    present = impose(account, most_days=90)
    NextPolicy.objects.create(policy=present, starts_at=timezone.now() + DAY, most_days=30)
    age(token, 60)
    assert call("agreements", token).status_code == 200
    age(token, 91)
    assert refused(call("agreements", token), "older")
    age(token, 60)
    NextPolicy.objects.update(starts_at=timezone.now() - timedelta(seconds=2))
    assert refused(call("agreements", token), "older")


@pytest.mark.parametrize(("seconds", "status"), [(-2, 403), (60, 200)])
def test_a_shorter_idle_time_takes_the_place_of_the_present_one_on_its_day(
    call: Call, token: Token, account: Account, seconds: int, status: int
) -> None:
    present, starts = impose(account, idle_days=90), timezone.now() + timedelta(seconds=seconds)
    NextPolicy.objects.create(policy=present, starts_at=starts, idle_days=30)
    age(token, 60)
    assert call("agreements", token).status_code == status


def test_policies_bind_their_own_account_only(call: Call, token: Token) -> None:
    impose(AccountFactory(), most_days=1, idle_days=1, rate=1, burst=1)
    age(token, 100)
    for _ in range(3):
        assert call("agreements", token).status_code == 200


def test_only_the_holder_of_the_key_learns_of_the_policy(
    call: Call, token: Token, account: Account
) -> None:
    wrong = keys.mint(token.pk).header
    before = call("agreements", wrong).content
    impose(account, most_days=1, idle_days=1, rate=1, burst=1)
    age(token, 100)
    assert call("agreements", wrong).content == before


def test_a_disabled_token_is_refused_for_that_alone(
    call: Call, token: Token, account: Account
) -> None:
    impose(account, idle_days=1)
    age(token, 100)
    token.disable(by=None)
    response = call("agreements", token)
    assert (response.status_code, response.json()["error_code"]) == (401, "AUTH_001")


def test_gate_and_pages_agree_on_old_and_idle_tokens(
    call: Call, token: Token, account: Account, michael: Person
) -> None:
    from tokens.standing import Standing

    for policies in (NONE, {"most_days": 30}, {"idle_days": 30}, {"most_days": 40, "idle_days": 9}):
        impose(account, **policies)
        for made in (5, 20, 35, 50):
            for used in (None, 1, 20, 40):
                age(token, made)
                TokenUsage.objects.update(last_used_at=None)
                if used and used < made:
                    use(token, used)
                found = Token.objects.with_standing().get(pk=token.pk)
                response = call("agreements", token)
                assert (response.status_code == 200) == Standing(found).can_call
                if response.status_code != 200:
                    assert response.json()["errors"] == [Standing(found).hindrance_text]


# --- Changing them --------------------------------------------------------------------------------


def change(account: Account, by: User | None = None, starts: float = 7, **values: Any) -> Any:
    starts_at = timezone.now() + timedelta(days=starts)
    return Policy.change(account, {**NONE, **values}, starts_at=starts_at, by=by)


def test_stricter_policies_begin_on_their_day_and_looser_ones_at_once(account: Account) -> None:
    impose(account, most_days=90, idle_days=30, show_once=True)
    change(account, most_days=60, idle_days=60, show_once=True, two_step=True)
    present, following = Policy.objects.get(account=account), NextPolicy.objects.get()
    assert (present.most_days, present.idle_days) == (90, 60)
    assert (present.show_once, present.two_step) == (True, False)
    assert (following.most_days, following.idle_days) == (60, 60)
    assert (following.show_once, following.two_step) == (True, True)


def test_two_step_sign_in_is_required_from_its_day_on_and_no_longer_once_it_is_not(
    account: Account,
) -> None:
    def required() -> bool:
        return Account.objects.get(pk=account.pk).requires_two_step

    change(account, two_step=True)
    settling.settle()
    assert not required()
    NextPolicy.objects.update(starts_at=timezone.now() - timedelta(seconds=2))
    settling.settle()
    assert required()
    change(account)
    assert not required()


def test_a_plan_can_be_taken_back_at_once(account: Account) -> None:
    change(account, most_days=60)
    change(account)
    assert not Policy.objects.exists()
    assert not NextPolicy.objects.exists()


def test_policies_of_the_present_do_not_end_because_new_ones_are_planned(account: Account) -> None:
    impose(account, most_days=90, rate=600, burst=100)
    change(account, starts=3000, most_days=80, rate=60, burst=10)
    present = Policy.of(account)
    assert (present.most_days, present.rate, present.burst) == (90, 600, 100)


def test_a_change_is_recorded_with_before_and_after(account: Account, michael: Person) -> None:
    impose(account, most_days=90)
    change(account, by=michael.user, most_days=60)
    event = Event.objects.get(action="people.policy-changed")
    assert event.actor_id == michael.user.pk
    assert event.account == account.pk
    assert event.changes["most_days"] == [90, 60]
    assert event.changes["starts_at"][0] is None


def test_saving_the_same_again_changes_and_records_nothing(account: Account) -> None:
    starts_at = timezone.now() + 7 * DAY
    values = {**NONE, "most_days": 60}
    assert Policy.change(account, values, starts_at=starts_at, by=None)
    assert not Policy.change(account, values, starts_at=starts_at, by=None)
    assert Event.objects.filter(action="people.policy-changed").count() == 1


def test_every_policy_is_known_as_a_number_a_flag_or_a_detail() -> None:
    names = {field.name for field in PolicyFields._meta.fields}
    assert {*NONE} == names

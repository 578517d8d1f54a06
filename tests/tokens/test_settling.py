"""What the portal does by itself about tokens that nobody uses: it warns once, then disables."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.mails import in_utc
from accounts.models import Account, QueuedMail
from activity.models import Event
from portal import text
from tests.conftest import Person
from tests.factories import AccountFactory, TokenFactory
from tests.tokens.test_policies import age, impose, plan, use
from tokens import settling
from tokens.models import IdleNotice, NextPolicy, Policy, Token

IDLE = {"idle_days": 30, "warn_days": 7}


def status(token: Token) -> str:
    return Token.objects.get(pk=token.pk).status


@pytest.mark.parametrize(
    ("made", "used", "expected"),
    [(31, None, "inactive"), (60, 31, "inactive"), (60, 29, "active"), (29, None, "active")],
)
def test_an_idle_token_is_disabled_and_can_be_enabled_again(
    account: Account, token: Token, made: int, used: int | None, expected: str
) -> None:
    impose(account, **IDLE)
    age(token, made)
    if used:
        use(token, used)
    settling.settle()
    assert status(token) == expected
    found = Token.objects.get(pk=token.pk)
    if expected == "inactive":
        event = Event.objects.about("token", token.pk).get(action="tokens.idled")
        assert event.actor is None
        assert event.changes["status"] == ["Active", "Inactive"]
        found.enable(by=None)
    assert settling.settle()[1] == 0
    assert status(token) == "active"


@pytest.mark.parametrize("verb", ["disable", "remove"])
def test_whoever_saw_an_idle_token_before_it_was_stopped_disables_it_no_more(
    token: Token, account: Account, verb: str
) -> None:
    impose(account, **IDLE)
    age(token, 50)
    seen = Token.objects.get()
    getattr(token, verb)(by=None)
    assert seen.is_idle
    assert seen.enable(by=None) == (verb == "disable")
    assert not token.events.filter(action="tokens.idled").exists()


def test_administrators_are_warned_once_and_again_after_the_next_use(
    account: Account, token: Token, michael: Person
) -> None:
    impose(account, **IDLE)
    age(token, 60)
    use(token, 22)
    assert settling.settle() == (0, 0)
    use(token, 24)
    assert settling.settle() == (1, 0)
    assert settling.settle() == (0, 0)
    subject = f"{token.name} is unused and will be disabled"
    assert QueuedMail.objects.get(content__subject=subject).user == michael.user
    assert status(token) == "active"
    use(token, 25)
    assert settling.settle() == (1, 0)
    assert IdleNotice.objects.count() == 1


@pytest.mark.parametrize("planned", [False, True])
def test_the_warning_says_of_which_token_when_why_and_what_to_do(
    account: Account, token: Token, michael: Person, planned: bool
) -> None:
    if planned:
        plan(account, timezone.now() + timedelta(days=3), idle_days=30, warn_days=7)
    else:
        impose(account, **IDLE)
        NextPolicy.objects.create(
            policy=account.policy, starts_at=timezone.now() + timedelta(days=90), idle_days=90
        )
    age(token, 24)
    settling.settle()
    mail = QueuedMail.objects.get(content__state="Unused").content
    ends = Token.objects.get().idles_at
    assert ends
    day, name = text.day(ends), text.isolate(token.name)
    assert mail["title"] == f"{name} is disabled on {day}"
    assert mail["preview"] == f"On {day} its key stops, unless it is used before."
    assert mail["text"] == (
        "A policy of the account disables tokens that make no call in 30 days. It can be enabled "
        "again at any time."
    )
    facts = [(each["name"], each["value"], each["more"]) for each in mail["facts"]]
    assert facts == [
        ("Token", name, token.pk),
        ("Account", text.isolate(account.name), account.pk),
        ("Last used", "Never", ""),
    ]
    assert [(each["lead"], each["text"]) for each in mail["steps"]] == [
        ("Still needed?", "One call with the key is enough."),
        ("Not needed?", "There is nothing to do."),
    ]
    age(token, 60)
    use(token, 25)
    QueuedMail.objects.all().delete()
    settling.settle()
    (*_others, last) = QueuedMail.objects.get(content__state="Unused").content["facts"]
    used = Token.objects.get().last_used_at
    assert used
    assert last["value"] == in_utc(used)


def test_the_page_of_the_token_says_when_it_will_be_disabled(
    account: Account, token: Token, michael: Person
) -> None:
    impose(account, **IDLE)
    age(token, 60)
    use(token, 10)
    page = f"/integrations/tokens/{token.pk}/"
    assert "unless it is used" not in michael.client.get(page).text
    use(token, 24)
    assert "unless it is used" in michael.client.get(page).text


def test_tokens_of_other_accounts_and_stopped_ones_are_left_alone(
    account: Account, token: Token
) -> None:
    other = TokenFactory(account=AccountFactory())
    impose(account, **IDLE)
    token.disable(by=None)
    for each in (token, other):
        age(each, 60)
    assert settling.settle() == (0, 0)


def test_before_its_day_a_policy_warns_and_from_then_on_it_disables(
    account: Account, token: Token
) -> None:
    plan(account, timezone.now() + timedelta(days=8), **IDLE)
    age(token, 60)
    assert settling.settle() == (0, 0)
    NextPolicy.objects.update(starts_at=timezone.now() + timedelta(days=6))
    assert settling.settle() == (1, 0)
    assert settling.settle() == (0, 0)
    NextPolicy.objects.update(starts_at=timezone.now() - timedelta(seconds=2))
    assert settling.settle() == (0, 1)
    assert Policy.objects.get().idle_days == 30
    assert not NextPolicy.objects.exists()


def test_the_command_does_the_same_and_says_how_many(
    account: Account, token: Token, capsys: pytest.CaptureFixture[str]
) -> None:
    impose(account, **IDLE)
    age(token, 60)
    call_command("settle_policies")
    assert capsys.readouterr().out == "Tokens warned of: 0\nTokens disabled: 1\n"
    assert status(token) == "inactive"

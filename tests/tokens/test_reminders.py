"""Administrators are reminded 30, 14, 7 and 1 days before a token expires, and never twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from io import StringIO
from threading import Barrier
from typing import Any

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts import mails
from accounts.mails import Kind
from accounts.models import Account, Membership, QueuedMail
from activity.actions import Action
from portal import background
from tests.conftest import Clock, Person, person
from tests.factories import TokenFactory, secret
from tokens import keys, reminders
from tokens.models import Reminder, Token, TokenKey, TokenUsage

LIST = "/integrations/tokens/"


def ending(
    account: Account,
    days: float,
    name: str = "Price List Export",
    made_days_ago: int = 400,
    **fields: Any,
) -> Token:
    """Make a token that ends at noon (UTC) in some days."""
    today = datetime.now(UTC).date()
    token = TokenFactory(account=account, name=name, **fields)
    Token.objects.filter(pk=token.pk).update(
        expires_at=datetime.combine(today + timedelta(days=days), time(12), UTC),
        created_at=timezone.now() - timedelta(days=made_days_ago),
    )
    token.refresh_from_db()
    return token


def comes(token: Token, days: float) -> None:
    """Move the end of a token as if days had passed, and its reminders with it."""
    assert token.expires_at
    end = token.expires_at - timedelta(days=days)
    Token.objects.filter(pk=token.pk).update(expires_at=end)
    Reminder.objects.filter(token=token).update(expires_at=end)
    token.refresh_from_db()


def remind() -> int:
    out = StringIO()
    call_command("remind", stdout=out)
    return int(out.getvalue().splitlines()[0].rpartition(" ")[2])


# Returns the mails sent since the last call.
Sent = Callable[[], list[EmailMessage]]


@pytest.fixture
def sent(mailoutbox: list[EmailMessage]) -> Sent:
    """Return a function that sends what is due, and returns the new mails."""

    def do() -> list[EmailMessage]:
        before = len(mailoutbox)
        # Mails about what the test itself has done.
        QueuedMail.objects.all().delete()
        remind()
        mails.send_due()
        return mailoutbox[before:]

    return do


def test_each_threshold_is_one_mail(michael: Person, account: Account, sent: Sent) -> None:
    token = ending(account, 40)
    subjects = []
    for passed in (0, 10, 0, 9, 7, 1, 6, 5, 1):
        comes(token, passed)
        subjects += [mail.subject for mail in sent()]
    assert subjects == [
        "Price List Export expires in 30 days",
        "Price List Export expires in 14 days",
        "Price List Export expires in 7 days",
        "Price List Export expires tomorrow",
    ]
    assert list(Reminder.objects.order_by("-days").values_list("days", flat=True)) == [30, 14, 7, 1]


def test_missed_thresholds_are_one_mail(michael: Person, account: Account, sent: Sent) -> None:
    ending(account, 5)
    assert [mail.subject for mail in sent()] == ["Price List Export expires in 5 days"]
    assert sent() == []


def test_a_token_that_is_extended_is_reminded_of_again(
    michael: Person, account: Account, sent: Sent
) -> None:
    token = ending(account, 7)
    assert len(sent()) == 1
    assert token.expires_at
    end = token.expires_at + timedelta(days=23)
    token.edit(by=None, version=None, modules=None, expires_at=end)
    assert [mail.subject for mail in sent()] == ["Price List Export expires in 30 days"]


def test_a_new_token_is_not_reminded_of_what_its_maker_chose(
    michael: Person, account: Account, sent: Sent
) -> None:
    ending(account, 10, made_days_ago=0)
    assert sent() == []
    ending(account, 7, name="Other", made_days_ago=3)
    assert [mail.subject for mail in sent()] == ["Other expires in 7 days"]


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token.disable(by=None),
        lambda token: token.remove(by=None),
        lambda token: Token.objects.update(expires_at=timezone.now()),
        lambda token: Token.objects.update(expires_at=None),
        lambda token: type(token.account).objects.update(is_active=False),
        lambda token: TokenKey.put(token, keys.mint(token.pk), version=2),
    ],
    ids=["disabled", "deleted", "expired", "never", "account off", "two live keys"],
)
def test_nobody_is_reminded_where_nothing_is_to_do(
    michael: Person, account: Account, sent: Sent, change: Callable[[Token], object]
) -> None:
    change(ending(account, 7))
    assert sent() == []
    assert not Reminder.objects.filter(days__gt=0).exists()


def test_once_the_old_key_is_retired_reminders_come_again(
    michael: Person, account: Account, sent: Sent
) -> None:
    token = ending(account, 7)
    token.keys.update(retires_at=timezone.now() - timedelta(minutes=1))
    TokenKey.put(token, keys.mint(token.pk), version=2)
    assert len(sent()) == 1


def test_all_administrators_get_it_and_nobody_else(
    michael: Person, adrian: Person, stranger: Person, account: Account, sent: Sent
) -> None:
    tony = person(account=account, user__name="Tony Gazzo")
    off = person(account=account, user__name="Gone", user__is_active=False)
    ending(account, 7)
    to = {address for mail in sent() for address in mail.to}
    assert to == {michael.user.email, tony.user.email}
    assert off.user.email not in to


def test_who_does_not_want_them_gets_none(michael: Person, account: Account, sent: Sent) -> None:
    Membership.objects.update(mails={Kind.EXPIRES: []})
    ending(account, 7)
    assert sent() == []


def test_tokens_of_one_day_are_one_mail(michael: Person, account: Account, sent: Sent) -> None:
    for name in ("A", "B", "C"):
        ending(account, 7, name=name)
    ending(account, 14, name="Later")
    subjects = sorted(mail.subject for mail in sent())
    assert subjects == ["3 tokens expire in 7 days", "Later expires in 14 days"]


def test_the_mail_says_what_ends_and_where_to_go_without_key_or_link(
    michael: Person, account: Account, sent: Sent
) -> None:
    token = ending(account, 7)
    TokenUsage.objects.update(last_used_at=timezone.now() - timedelta(days=94))
    (mail,) = sent()
    assert isinstance(mail, EmailMultiAlternatives)
    html = str(mail.alternatives[0][0])
    for body in (str(mail.body), html):
        words = " ".join(body.split())
        assert token.pk in words
        assert "It was not called in 94 days." in words
        assert "open Tokens, Price List Export, Extend" in words
        assert "The next reminder comes 1 day before." in words
        assert secret(token) not in body
        assert "http" not in body.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_reminders_are_in_the_trail(account: Account, michael: Person, sent: Sent) -> None:
    token = ending(account, 7)
    sent()
    event = token.events[0]
    assert (event.action, event.actor) == (Action.TOKEN_REMINDED, None)


def test_the_server_reminds_by_itself(michael: Person, account: Account) -> None:
    ending(account, 7)
    for each in background.rounds:
        each.job()
    assert Reminder.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_simultaneous_runs_send_one_mail(
    michael: Person, account: Account, mailoutbox: list[EmailMessage]
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("One writer at a time.")
    ending(account, 7)
    QueuedMail.objects.all().delete()
    begin = Barrier(4)

    def run(_number: int) -> int:
        begin.wait()
        try:
            return reminders.remind()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == 1
    mails.send_due()
    assert len(mailoutbox) == 1


# --- The banner -----------------------------------------------------------------------------------


def test_the_list_shows_a_banner_until_it_is_dismissed(michael: Person, account: Account) -> None:
    token = ending(account, 7)
    assert "expires in 7 days." not in michael.client.get(LIST).text
    remind()
    page = michael.client.get(LIST)
    assert "Price List Export expires in 7 days." in page.text
    assert f"{LIST}{token.pk}/extend/" in page.text
    newest = page.context["reminded"]["newest"]
    michael.client.post(f"{LIST}reminders/dismiss/", {"newest": newest})
    assert michael.client.get(LIST).context["reminded"] is None
    comes(token, 6)
    remind()
    assert "Price List Export expires tomorrow." in michael.client.get(LIST).text


def test_dismissing_is_of_one_person_and_one_account(michael: Person, account: Account) -> None:
    tony = person(account=account)
    ending(account, 7)
    remind()
    michael.client.post(f"{LIST}reminders/dismiss/", {"newest": Reminder.objects.get().pk})
    assert michael.client.get(LIST).context["reminded"] is None
    assert tony.client.get(LIST).context["reminded"] is not None


def test_the_banner_is_gone_once_the_token_is_extended(michael: Person, account: Account) -> None:
    token = ending(account, 7)
    remind()
    token.edit(by=None, version=None, modules=None, expires_at=None)
    assert michael.client.get(LIST).context["reminded"] is None


def test_the_banner_is_gone_at_the_moment_in_which_the_token_ends(
    account: Account, clock: Clock
) -> None:
    token = ending(account, 7)
    remind()
    assert token.expires_at
    clock.now = token.expires_at - timedelta(microseconds=1)
    assert Reminder.current(account.pk).exists()
    clock.now = token.expires_at
    assert not Reminder.current(account.pk).exists()


def test_members_and_other_accounts_see_no_banner(
    adrian: Person, stranger: Person, account: Account
) -> None:
    ending(account, 7)
    TokenFactory(account=stranger.account)
    remind()
    for each in (adrian, stranger):
        assert each.client.get(LIST).context["reminded"] is None


@pytest.mark.parametrize("newest", ["", "abc", "-1", "9" * 30])
def test_a_malformed_dismissal_hides_nothing(
    michael: Person, account: Account, newest: str
) -> None:
    ending(account, 7)
    remind()
    michael.client.post(f"{LIST}reminders/dismiss/", {"newest": newest})
    assert michael.client.get(LIST).context["reminded"] is not None

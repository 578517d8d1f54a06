"""Mails: their words and looks, who gets which and when, and the queue."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts import mails
from accounts.mails import Fact, Kind, Mail, Step, When
from accounts.models import Account, Membership, QueuedMail
from tests.conftest import Person, person
from tests.factories import TokenFactory, header, secret
from tokens.models import Token

REMINDER = Mail(
    subject="Price List Export expires in 7 days",
    preview="On 02/12/2026 its key stops. It made 28 calls in the last 7 days.",
    state="Expires in 7 days",
    title="Price List Export stops on 02/12/2026",
    text="At 00:00 UTC its key ends. From then on every call with it gets the answer 401.",
    facts=[
        Fact("Token", "Price List Export", "SU-513-983-653"),
        Fact("May reach", "Agreements, Pricing and <Products>"),
    ],
    steps=[Step("Still needed?", "In the portal open Tokens, Price List Export, Edit.")],
    notes=["The next reminder comes 1 day before."],
)


def send(account: Account, kind: Kind = Kind.EXPIRES, mail: Mail = REMINDER) -> None:
    mails.send(kind, mails.administrators(account, kind), mail)


def choose(membership: Membership, kind: str, *whens: str) -> None:
    membership.mails = {kind: list(whens)}
    membership.save()


def html_of(message: EmailMessage) -> str:
    assert isinstance(message, EmailMultiAlternatives)
    content, _type = message.alternatives[0]
    return str(content)


def test_no_mail_program_makes_a_link_of_a_name(michael: Person) -> None:
    """A token that may make others could send people anywhere by their names."""
    names = ("https://evil.example/login", "www.evil.example", "Log in at evil.example/now")
    for name in names:
        TokenFactory(account=michael.account, name=name)
    mails.send_due()
    assert len(outbox.outbox) == len(names)
    for message in outbox.outbox:
        for words in (message.subject, message.body, html_of(message)):
            assert not re.search(r"//evil|evil\.example", str(words))
            assert "evil" in str(words)


def test_a_key_that_somebody_pasted_into_a_name_is_masked(michael: Person, token: Token) -> None:
    Account.objects.update(name=f"Mick {header(token)}")
    TokenFactory(account=Account.objects.get())
    mails.send_due()
    assert outbox.outbox
    for message in outbox.outbox:
        for words in (message.subject, message.body, html_of(message)):
            assert secret(token) not in str(words)


@pytest.mark.parametrize(
    "words", ["michael.goldmill@mightymicks.example", "curl/8.5.0", "26/11/2026 04:58 UTC", "v1.2"]
)
def test_other_words_of_mails_stay_as_they_are(words: str) -> None:
    assert mails.without_links(words) == words


# --- Words and looks ------------------------------------------------------------------------------


def test_text_and_html_say_the_same(michael: Person) -> None:
    send(michael.account)
    assert mails.send_due() == 1
    message = outbox.outbox[0]
    told = " ".join(message.body.split())
    shown = html_of(message)
    for words in (
        REMINDER.state,
        REMINDER.title,
        REMINDER.text,
        "SU-513-983-653",
        "Still needed?",
        "The next reminder comes 1 day before.",
        "This mail has no links on purpose.",
    ):
        assert words in told
        assert words in shown
    assert REMINDER.preview in shown
    assert "Agreements, Pricing and &lt;Products&gt;" in shown


def test_the_text_fits_72_columns_and_no_mail_has_a_link_a_picture_or_a_script(
    michael: Person,
) -> None:
    send(michael.account)
    mails.send_due()
    message = outbox.outbox[0]
    assert max(map(len, message.body.splitlines())) <= 72
    assert not re.search(r"<a |<img|<script|https?://|url\(", html_of(message))
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"


def test_a_mail_says_who_gets_it_and_why(michael: Person) -> None:
    person(account=michael.account, user__name="Tony Gazzo")
    send(michael.account)
    mails.send_due()
    told = " ".join(outbox.outbox[0].body.split())
    assert (
        "Michael Goldmill and Tony Gazzo: you get this mail because you administer Mighty Mick's"
        in told
    )


# --- Who and when ---------------------------------------------------------------------------------


def test_only_administrators_of_the_account_who_can_sign_in_get_it(
    michael: Person, adrian: Person, stranger: Person
) -> None:
    gone = person(account=michael.account)
    gone.user.is_active = False
    gone.user.save()
    send(michael.account)
    mails.send_due()
    assert [message.to for message in outbox.outbox] == [[michael.user.email]]


def test_whoever_chose_neither_gets_nothing(michael: Person) -> None:
    choose(michael.membership, Kind.EXPIRES)
    send(michael.account)
    assert not QueuedMail.objects.exists()
    send(michael.account, Kind.KEY_SEEN)
    assert QueuedMail.objects.exists()


def test_a_choice_is_made_for_one_account(michael: Person) -> None:
    other = person(user=michael.user)
    choose(michael.membership, Kind.EXPIRES)
    send(other.account)
    assert QueuedMail.objects.get().address == michael.user.email


@pytest.mark.parametrize("kept", [None, [], "x", {"expires": "x"}, {"expires": [1, None, "never"]}])
def test_a_malformed_choice_breaks_nothing(michael: Person, kept: Any) -> None:
    type(michael.membership).objects.filter(pk=michael.membership.pk).update(mails=kept or {})
    send(michael.account)
    assert mails.send_due() in {0, 1}


def test_both_are_possible(michael: Person) -> None:
    choose(michael.membership, Kind.EXPIRES, When.AT_ONCE, When.DAILY)
    send(michael.account)
    assert sorted(QueuedMail.objects.values_list("is_daily", flat=True)) == [False, True]


@pytest.mark.parametrize(
    ("zone", "now", "then"),
    [
        ("UTC", datetime(2026, 11, 25, 6, 59, tzinfo=UTC), datetime(2026, 11, 25, 7, tzinfo=UTC)),
        ("UTC", datetime(2026, 11, 25, 7, 0, tzinfo=UTC), datetime(2026, 11, 26, 7, tzinfo=UTC)),
        (
            "America/New_York",
            datetime(2026, 11, 25, 7, tzinfo=UTC),
            datetime(2026, 11, 25, 12, tzinfo=UTC),
        ),
        ("no zone", datetime(2026, 11, 25, 8, tzinfo=UTC), datetime(2026, 11, 26, 7, tzinfo=UTC)),
    ],
)
def test_daily_mails_leave_at_seven_where_the_person_is(
    michael: Person, zone: str, now: datetime, then: datetime
) -> None:
    michael.user.time_zone = zone
    assert mails.next_morning(michael.user, now) == then


def test_the_daily_mails_of_a_person_become_one(michael: Person) -> None:
    choose(michael.membership, Kind.EXPIRES, When.DAILY)
    send(michael.account)
    send(michael.account, mail=Mail("A second thing", "Its preview", "Title", "Text"))
    assert mails.send_due() == 0
    QueuedMail.objects.update(due_at=timezone.now())
    assert mails.send_due() == 1
    message = outbox.outbox[0]
    assert message.subject == "2 things happened"
    for words in (REMINDER.subject, "A second thing", "Its preview"):
        assert words in message.body
    assert not QueuedMail.objects.exists()


def test_what_guards_a_person_is_always_sent_at_once(michael: Person) -> None:
    for kind in Kind:
        choose(michael.membership, kind)
    mails.tell(michael.user, REMINDER)
    assert mails.send_due() == 1
    assert "always sent" in outbox.outbox[0].body


# --- The queue ------------------------------------------------------------------------------------


def test_a_mail_that_fails_stays_and_is_tried_again_later(
    michael: Person, settings: Settings
) -> None:
    send(michael.account)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert mails.send_due() == 0
    row = QueuedMail.objects.get()
    assert row.tries == 1
    assert row.due_at > timezone.now()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert mails.send_due() == 0
    QueuedMail.objects.update(due_at=timezone.now())
    assert mails.send_due() == 1
    assert not QueuedMail.objects.exists()


def test_a_mail_that_fails_too_often_is_given_up(michael: Person, settings: Settings) -> None:
    send(michael.account)
    QueuedMail.objects.update(tries=mails.TRIES - 1)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert mails.send_due() == 0
    assert not QueuedMail.objects.exists()


def test_a_mail_that_another_process_has_claimed_is_left_to_it(michael: Person) -> None:
    send(michael.account)
    row = QueuedMail.objects.get()
    assert mails.claim(row)
    assert not mails.claim(row)
    assert mails.send_due() == 0
    QueuedMail.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert mails.send_due() == 1


def test_cron_can_send_them(michael: Person, capsys: pytest.CaptureFixture[str]) -> None:
    send(michael.account)
    call_command("send_mails")
    assert "Mails sent: 1." in capsys.readouterr().out
    assert len(outbox.outbox) == 1

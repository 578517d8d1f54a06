"""The page Notifications: what administrators choose there, and its test mail."""

from django.core import mail as outbox
from pytest_django import Settings

from accounts.mails import Kind, When
from accounts.models import Membership, QueuedMail
from accounts.pages.profile import TEST_MAILS
from tests.conftest import Person
from tests.factories import TokenFactory

PAGE = "/account/notifications/"
TEST = f"{PAGE}test/"


def chosen(person: Person) -> dict[str, list[str]]:
    mails: dict[str, list[str]] = Membership.objects.get(pk=person.membership.pk).mails
    return mails


def test_what_is_ticked_is_sent_so_and_what_is_not_is_not_sent(michael: Person) -> None:
    assert f'name="{Kind.IDLE}" value="{When.AT_ONCE}" checked' in michael.client.get(PAGE).text
    sent = {Kind.TOKEN_CHANGED: [When.DAILY], Kind.EXPIRES: [When.DAILY, When.AT_ONCE, "never"]}
    response = michael.client.post(PAGE, sent, follow=True)
    assert "Your choice is saved." in response.text
    assert chosen(michael) == {
        Kind.KEY_SEEN: [],
        Kind.TOKEN_CHANGED: [When.DAILY],
        Kind.EXPIRES: [When.AT_ONCE, When.DAILY],
        Kind.IDLE: [],
        Kind.WEBHOOK_FAILS: [],
    }
    assert f'name="{Kind.IDLE}" value="{When.AT_ONCE}" checked' not in response.text
    TokenFactory(account=michael.account)
    assert QueuedMail.objects.get().is_daily


def test_a_member_chooses_nothing(adrian: Person) -> None:
    page = adrian.client.post(PAGE, {Kind.EXPIRES: [When.DAILY]})
    assert "Administrators of an account also get mails" in page.text
    assert chosen(adrian) == {}


def test_a_test_mail_reaches_the_person_and_nobody_else(michael: Person) -> None:
    page = michael.client.post(TEST, follow=True)
    assert f"A test mail is on its way to {michael.user.email}." in page.text
    (message,) = outbox.outbox
    assert (message.to, message.subject) == ([michael.user.email], "Mails of the portal reach you")


def test_a_test_mail_that_fails_says_whom_to_tell(michael: Person, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    page = michael.client.post(TEST, follow=True)
    assert "No mail could be sent." in page.text
    assert "Tell the operator of the portal" in page.text


def test_test_mails_are_limited(michael: Person, adrian: Person) -> None:
    for _ in range(TEST_MAILS):
        michael.client.post(TEST)
    assert "You sent many test mails." in michael.client.post(TEST).text
    assert len(outbox.outbox) == TEST_MAILS
    adrian.client.post(TEST)
    assert len(outbox.outbox) == TEST_MAILS + 1

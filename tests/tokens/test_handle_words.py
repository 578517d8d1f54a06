"""Whoever has a handle reads of handles, and whoever has a key reads of keys: pages and mails."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account
from accounts.models.mails import QueuedMail
from tests.conftest import Person
from tests.factories import TokenFactory, deleted, handle_of
from tests.portal.test_stored_moments import TOKEN_PAGES
from tokens import handles, reminders, settling
from tokens.models import Policy, Token, TokenKey

LIST = "/integrations/tokens/"
# Where a page that is about a handle speaks of the key: what the handle is exchanged for, what
# lives on when the handle is replaced, the card whose name is that of CloudBlue, and other keys.
EXPLAINED = (
    "API Key/Handle",
    "exchanges it for the key",
    "nobody needs to copy the key",
    "exchanged for the key",
    "turned the handle into the key",
    "key that it gave",
    "key of the handle",
    "key of the old handle",
    "key of the new handle",
    "key of the present handle",
    "keys of the present handle and of the old one",
    "sealing key",
    "A policy of the account stops a key after",
)
# What Activity calls its filters, and the state that the filter of the list offers.
FILTERS = ("Keys seen", "Active, two keys")
NOW = timezone.now


def words_of(page: str) -> str:
    """Return what a page says of its own: its content with the labels, without its code."""
    main = page.partition("<main")[2].partition("</main")[0] or page
    main = re.sub(r"<(script|style)\b.*?</\1>", " ", main, flags=re.DOTALL)
    labels = re.findall(r'(?:aria-label|title|placeholder|data-[a-z]+)="([^"]* [^"]*)"', main)
    text = re.sub(r"<[^>]*>", " ", main)
    return html.unescape(" ".join(" ".join([text, *labels]).split()))


def spoken(page: str, word: str, explained: tuple[str, ...]) -> list[str]:
    """Return where a page speaks of a key, or a handle, other than in explained phrases."""
    text = words_of(page)
    for phrase in explained:
        text = re.sub(re.escape(phrase), "…", text, flags=re.IGNORECASE)
    return re.findall(rf".{{0,60}}\b{word}s?\b.{{0,40}}", text, flags=re.IGNORECASE)


def renewed(token: Token) -> None:
    token.renew(by=None, until=NOW() + timedelta(days=2))


def used(token: Token) -> None:
    renewed(token)
    old = TokenKey.objects.get(token=token, version=1)
    old.uses.create(address="192.0.2.7", agent="Zapier", calls=3, first_at=NOW(), last_at=NOW())
    token.rehearse(by=None)


def retired(token: Token) -> None:
    renewed(token)
    token.retire(by=None)


def ending(token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(expires_at=NOW() + timedelta(days=3))


def expired(token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(expires_at=NOW() - timedelta(days=3))


def unkept(token: Token) -> None:
    token.edit(by=None, version=None, modules=None, show_once=True)


def policed(token: Token) -> None:
    Policy.objects.create(account=token.account, show_once=True, most_days=30, idle_days=30)
    TokenKey.objects.filter(token=token).update(created_at=NOW() - timedelta(days=40))


def unsealed(token: Token) -> None:
    TokenKey.objects.filter(token=token).update(sealed=b"\xff broken")


def unchecked(token: Token) -> None:
    TokenKey.objects.filter(token=token).update(pepper=99)


def purged(token: Token) -> None:
    deleted(token, 8)
    token.refresh_from_db()
    token.purge()


STATES: dict[str, Callable[[Token], object]] = {
    "new": lambda token: None,
    "renewed": renewed,
    "used": used,
    "retired": retired,
    "ending": ending,
    "expired": expired,
    "disabled": lambda token: token.disable(by=None),
    "deleted": deleted,
    "purged": purged,
    "without a copy": unkept,
    "under policies": policed,
    "without its sealing key": unsealed,
    "without its pepper": unchecked,
}
POSTS = (
    "reveal/",
    "key/new/",
    "key/extend/",
    "key/rehearse/",
    "key/rehearse/end/",
    "key/cancel/",
    "key/retire/",
    "key/destroy/",
    "disable/",
    "enable/",
    "delete/",
    "restore/",
)


def walk(person: Person, token: Token) -> list[tuple[str, str]]:
    """Return all that the portal says about a token: its pages, the answers of its buttons."""
    page = f"{LIST}{token.pk}/"
    said = [(path, person.client.get(page + path, follow=True).text) for path in TOKEN_PAGES]
    columns = "label,extension,last_used,expires,status,restorable"
    for status in ("", "&status=deleted", "&status=revitalised"):
        said.append((f"list{status}", person.client.get(f"{LIST}?columns={columns}{status}").text))
    for path in POSTS:
        data = {"what": "rotate", "version": token.key_version if path == "key/new/" else ""}
        said.append((f"POST {path}", person.client.post(page + path, data, follow=True).text))
    said.append(("activity in the end", person.client.get(page + "activity/").text))
    return said


@pytest.mark.parametrize("state", STATES)
def test_pages_of_a_token_with_a_handle_speak_of_its_handle(
    michael: Person, adrian: Person, zap: Token, partner: Token, state: str
) -> None:
    handles.exchange(handle_of(zap), by=partner)
    zap.reveal(by=michael.user, copied=False)
    zap.reveal(by=adrian.user, copied=True)
    STATES[state](zap)
    for where, page in walk(michael, Token.objects.get(pk=zap.pk)):
        assert not spoken(page, "key", (*EXPLAINED, *FILTERS)), where


@pytest.mark.parametrize("state", ["used", "under policies", "deleted"])
def test_pages_of_a_token_with_a_key_never_say_handle(
    michael: Person, adrian: Person, token: Token, state: str
) -> None:
    token.reveal(by=michael.user, copied=False)
    token.reveal(by=adrian.user, copied=True)
    STATES[state](token)
    for where, page in walk(michael, Token.objects.get(pk=token.pk)):
        assert not spoken(page, "handle", ("API Key/Handle",)), where


def mails(token: Token, person: Person) -> list[str]:
    """Do everything to a token that is told by mail; return the mails."""
    token.reveal(by=person.user, copied=False)
    token.reveal(by=person.user, copied=True)
    token.renew(by=None, until=NOW() + timedelta(days=2))
    token.extend(by=None, until=NOW() + timedelta(days=4))
    token.rotate(by=None)
    Token.objects.filter(pk=token.pk).update(
        expires_at=NOW() + timedelta(days=6), created_at=NOW() - timedelta(days=90)
    )
    reminders.remind()
    fresh = Token.objects.with_standing().get(pk=token.pk)
    said = [str(settling.mail_about(fresh)), str(reminders.about_several(fresh.account, [fresh]))]
    return [*said, *(str(mail.content) for mail in QueuedMail.objects.all())]


def test_mails_about_a_token_with_a_handle_speak_of_its_handle(michael: Person, zap: Token) -> None:
    told = mails(zap, michael)
    assert len(told) >= 7
    own = ("never asks for a key", *EXPLAINED)
    for mail in told:
        assert not spoken(mail, "key", own)
    assert any("A new handle of" in mail for mail in told)


def test_mails_about_a_token_with_a_key_never_say_handle(michael: Person, token: Token) -> None:
    for mail in mails(token, michael):
        assert not spoken(mail, "handle", ())


def test_the_calendar_says_that_the_key_of_the_old_handle_stops(
    michael: Person, account: Account, zap: Token
) -> None:
    zap.renew(by=None, until=NOW() + timedelta(days=2))
    TokenFactory(account=account, name="ERP").renew(by=None, until=NOW() + timedelta(days=2))
    page = michael.client.post("/integrations/calendar/renew/").text
    address = re.search(r"/integrations/calendar/[0-9a-f]{40}\.ics", page)
    assert address
    feed = michael.client.get(address[0]).text
    assert "SUMMARY:Key of the old handle of Orders to Chat stops" in feed
    assert "SUMMARY:Old key of ERP stops" in feed

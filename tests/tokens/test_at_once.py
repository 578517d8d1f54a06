"""Two things that are done to a token at the same time: one comes first, the other goes by it."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Account
from portal.addresses import read_span
from tests.factories import AccountFactory, TokenFactory, deleted
from tests.tokens.test_rotation import fresh
from tokens.catalog import Module
from tokens.models import AlreadyIssued, IPRule, NameTaken, Token, TokenError

DAY = timedelta(days=1)
Verb = Callable[[Token], Any]


def renew(token: Token) -> Any:
    return token.renew(by=None, until=timezone.now() + 2 * DAY)


def rotate(token: Token) -> Any:
    return token.rotate(by=None)


def extend(token: Token) -> Any:
    return token.extend(by=None, until=timezone.now() + 9 * DAY)


def retire(token: Token) -> Any:
    return token.retire(by=None)


def cancel(token: Token) -> Any:
    return token.cancel_renewal(by=None)


def rehearse(token: Token) -> Any:
    return token.rehearse(by=None)


def expire_sooner(token: Token) -> Any:
    ends = timezone.now() + DAY
    return token.edit(by=None, version=None, modules=None, expires_at=ends)


def grant(token: Token) -> Any:
    return token.add_grant(Module.USAGE, by=None)


def revoke(token: Token) -> Any:
    return token.remove_grants(Module.AGREEMENTS, by=None)


def show_once(token: Token) -> Any:
    return token.edit(by=None, version=None, modules=None, show_once=True)


def remove(token: Token) -> Any:
    return token.remove(by=None)


def restore(token: Token) -> Any:
    return token.restore(by=None)


def purge(token: Token) -> Any:
    return token.purge()


def plain(account: Account) -> Token:
    return TokenFactory(account=account)


def renewed(account: Account) -> Token:
    token = TokenFactory(account=account)
    renew(token)
    return token


def gone(account: Account, days: float = 0) -> Token:
    return deleted(TokenFactory(account=account), days)


def long_gone(account: Account) -> Token:
    return gone(account, 8)


PAIRS: list[tuple[Callable[[Account], Token], Verb, Verb]] = [
    (plain, renew, renew),
    (plain, rotate, renew),
    (plain, rotate, show_once),
    (plain, rotate, remove),
    (plain, grant, grant),
    (plain, grant, revoke),
    (plain, revoke, revoke),
    (renewed, rotate, extend),
    (renewed, retire, cancel),
    (renewed, retire, rehearse),
    (renewed, expire_sooner, extend),
    (renewed, remove, extend),
    (gone, restore, restore),
    (gone, restore, purge),
    (long_gone, restore, purge),
]


def at_once(token: Token, *verbs: Verb) -> list[bool]:
    """Do things at the same time; tell which of them changed something. Others refuse in words."""
    barrier, done = threading.Barrier(len(verbs)), [False] * len(verbs)
    crashes: list[BaseException] = []

    def do(number: int, verb: Verb) -> None:
        mine = Token.objects.get(pk=token.pk)
        barrier.wait(60)
        try:
            done[number] = verb(mine) is not False
        except (TokenError, ValidationError) as problem:
            if not str(problem):
                crashes.append(problem)
        except Exception as problem:
            crashes.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=each) for each in enumerate(verbs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not crashes, (verbs, crashes)
    return done


@pytest.mark.django_db(transaction=True)
def test_whatever_is_done_at_once_leaves_a_token_that_makes_sense() -> None:
    account = AccountFactory()
    for make, one, other in PAIRS:
        token = make(account)
        done = at_once(token, one, other)
        now, where = fresh(token), f"{make.__name__}: {one.__name__}, {other.__name__}: {done}"
        assert any(done), where
        assert 1 <= len(now.live_keys) <= 2, where
        old = now.old_key
        assert not (old and now.expires_at) or (old.retires_at or now.expires_at) <= now.expires_at
        assert not now.show_once or all(key.sealed is None for key in now.keys.all()), where
        if one is other:
            assert sorted(done) == [False, True], where
        if make is gone:
            assert (now.is_deleted, now.purged_at) == (False, None), where
        if make is long_gone:
            assert now.purged_at, where
        if other is cancel:
            assert sum(done) == 1, where


@pytest.mark.django_db(transaction=True)
def test_a_rule_that_two_people_change_and_delete_at_once_is_no_crash() -> None:
    account = AccountFactory()
    token, span = TokenFactory(account=account), read_span("203.0.113.0/26")

    IPRule.add(account, None, [("Head office", span)], by=None)
    mine, yours = IPRule.objects.get(), IPRule.objects.get()

    def change(_token: Token) -> Any:
        return mine.change("New", span, by=None)

    def delete(_token: Token) -> Any:
        return yours.remove(by=None)

    at_once(token, change, delete)
    assert not IPRule.objects.exists()


# --- What others stored after the check for it ----------------------------------------------------

# SQLite has one writer at a time, so nobody can.
with_other_writers = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="others cannot store anything meanwhile"
)


@contextmanager
def once_asked_for(column: str, others: Callable[[], Any]) -> Iterator[None]:
    """Let others store something right after a check has looked for a value of a column."""

    def store() -> None:
        others()
        connection.close()

    asked: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        answer = execute(sql, *rest)
        if sql.startswith("SELECT") and f'"{column}" = ' in sql and not asked:
            asked.append(sql)
            thread = threading.Thread(target=store)
            thread.start()
            thread.join()
        return answer

    with connection.execute_wrapper(watch):
        yield
    assert asked


@with_other_writers
@pytest.mark.django_db(transaction=True)
def test_a_name_that_others_took_after_the_check_is_refused_in_words(account: Account) -> None:
    token, other = (TokenFactory(account=account, name=name) for name in ("Hourly", "Daily"))

    def rename() -> None:
        Token.objects.filter(pk=other.pk).update(name="Nightly", name_key="nightly")

    told = "“NIGHTLY” already exists"
    with once_asked_for("name_key", rename), pytest.raises(NameTaken, match=told):
        token.edit(by=None, version=None, modules=None, name="NIGHTLY")
    Token.objects.filter(pk=other.pk).update(name="Daily", name_key="daily")
    with once_asked_for("name_key", rename), pytest.raises(NameTaken, match=told):
        TokenFactory(account=account, name="NIGHTLY")
    assert Token.objects.count() == 2


@with_other_writers
@pytest.mark.django_db(transaction=True)
def test_a_run_of_the_wizard_that_made_its_token_after_the_check_makes_no_other(
    account: Account,
) -> None:
    run, made = uuid.uuid4(), TokenFactory(account=account)

    def make() -> None:
        Token.objects.filter(pk=made.pk).update(draft_id=run)

    with once_asked_for("draft_id", make), pytest.raises(AlreadyIssued) as issued:
        TokenFactory(account=account, draft_id=run)
    assert issued.value.token == made
    assert Token.objects.count() == 1


@pytest.mark.django_db
def test_what_the_database_refuses_for_another_reason_is_said_as_it_is() -> None:
    token = TokenFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        token.edit(by=None, version=None, modules=None, status="unheard-of")
    assert Token.objects.get().status == Token.Status.ACTIVE

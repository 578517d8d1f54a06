"""Mails about keys and tokens to the administrators of the account."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.mails import Kind
from accounts.models import QueuedMail
from tests.conftest import Person
from tests.factories import TokenFactory, secret
from tokens.catalog import Module
from tokens.models import Token


@pytest.fixture
def token(token: Token) -> Token:
    QueuedMail.objects.all().delete()
    return token


def subjects() -> list[str]:
    return list(QueuedMail.objects.order_by("pk").values_list("content__subject", flat=True))


def test_a_key_that_was_viewed_or_copied_is_told_also_to_who_did_it(
    token: Token, michael: Person, adrian: Person
) -> None:
    michael.client.post(f"/integrations/tokens/{token.pk}/reveal/")
    token.reveal(by=michael.user, copied=True)
    assert subjects() == [
        "A key of ERP Agreements Sync was viewed",
        "A key of ERP Agreements Sync was copied",
    ]
    mail = QueuedMail.objects.earliest("pk")
    assert mail.address == michael.user.email
    told = str(mail.content)
    assert "Michael Goldmill" in told
    assert token.pk in told
    assert secret(token) not in told


def test_a_token_that_was_made_is_told(michael: Person) -> None:
    TokenFactory(account=michael.account, name="Robot", by=michael.user)
    assert subjects() == ["The token Robot was created"]


def test_a_new_key_and_a_longer_life_of_the_old_one_are_told(token: Token, michael: Person) -> None:
    now = timezone.now()
    renewed = token.renew(by=michael.user, until=now + timedelta(days=1))
    token.extend(by=michael.user, until=now + timedelta(days=2))
    token.retire(by=michael.user)
    rotated = token.rotate(by=michael.user)
    assert subjects() == [
        "A new key of ERP Agreements Sync was made",
        "The old key of ERP Agreements Sync lives longer",
        "The key of ERP Agreements Sync was replaced",
    ]
    told = str(list(QueuedMail.objects.values_list("content", flat=True)))
    assert renewed.secret not in told
    assert rotated.secret not in told


def test_a_wider_token_is_told_and_a_narrower_one_is_not(token: Token, michael: Person) -> None:
    def edit(**change: Any) -> None:
        token.edit(by=michael.user, version=None, **{"modules": None, **change})

    edit(name="New name")
    edit(modules=[Module.AGREEMENTS, Module.USAGE])
    assert subjects() == ["The token New name may do more"]
    edit(modules=[Module.USAGE])
    assert len(subjects()) == 1
    edit(modules=[Module.ALL])
    assert len(subjects()) == 2
    edit(modules=[Module.USAGE])
    assert len(subjects()) == 2


def test_a_later_end_is_told_and_an_earlier_one_is_not(token: Token, michael: Person) -> None:
    def end(days: float | None) -> None:
        when = None if days is None else timezone.now() + timedelta(days=days)
        token.edit(by=michael.user, version=None, modules=None, expires_at=when)

    end(30)
    assert subjects() == []
    end(10)
    assert subjects() == []
    end(60)
    assert len(subjects()) == 1
    end(None)
    assert len(subjects()) == 2


def test_disabling_tells_nobody_and_enabling_does(token: Token, michael: Person) -> None:
    token.disable(by=michael.user)
    assert subjects() == []
    token.enable(by=michael.user)
    assert subjects() == ["The token ERP Agreements Sync was enabled"]


def test_whoever_does_not_want_them_gets_none(token: Token, michael: Person) -> None:
    michael.membership.mails = {Kind.TOKEN_CHANGED: []}
    michael.membership.save()
    token.disable(by=michael.user)
    token.enable(by=michael.user)
    assert subjects() == []


def test_other_accounts_learn_nothing(token: Token, stranger: Person) -> None:
    token.reveal(by=stranger.user, copied=False)
    assert stranger.user.email not in QueuedMail.objects.values_list("address", flat=True)

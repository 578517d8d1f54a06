"""The tab Activity of a token says who saw its key, how often, and who has left since."""

import re

from activity.actions import Action
from activity.recording import record
from tests.conftest import Person
from tokens.models import Token


def see(token: Token, by: Person, *, viewed: int = 0, copied: int = 0) -> None:
    for action, count in ((Action.KEY_VIEWED, viewed), (Action.KEY_COPIED, copied)):
        for _ in range(count):
            record(by.user, action, token)


def tab(michael: Person, token: Token) -> str:
    text = michael.client.get(f"/integrations/tokens/{token.pk}/activity/").text
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_it_counts_views_and_copies_of_each_person(
    michael: Person, adrian: Person, token: Token
) -> None:
    see(token, michael, viewed=1)
    see(token, adrian, viewed=2, copied=1)
    text = tab(michael, token)
    assert "Michael Goldmill Viewed once" in text
    assert "Adrian Pennino Viewed 2 times copied once" in text
    see(token, michael, copied=3)
    assert "Michael Goldmill Viewed once copied 3 times" in tab(michael, token)


def test_who_only_copied_it_is_not_said_to_have_viewed_it(
    michael: Person, adrian: Person, token: Token
) -> None:
    see(token, adrian, copied=1)
    assert "Adrian Pennino Copied once" in tab(michael, token)
    see(token, adrian, copied=1)
    text = tab(michael, token)
    assert "Adrian Pennino Copied 2 times" in text
    assert "Viewed" not in text


def test_a_member_who_left_and_saw_it_is_named_with_the_day(
    michael: Person, adrian: Person, token: Token
) -> None:
    see(token, adrian, viewed=1)
    assert "left the account on" not in tab(michael, token)
    adrian.membership.delete()
    text = tab(michael, token)
    assert re.search(r"Adrian Pennino\W* left the account on \d\d/\d\d/\d{4} and saw", text)
    assert "Adrian Pennino Former member" in text


def test_somebody_who_never_belonged_and_saw_it_is_named(
    michael: Person, stranger: Person, token: Token
) -> None:
    see(token, stranger, viewed=1)
    assert "does not belong to the account and saw this key." in tab(michael, token)

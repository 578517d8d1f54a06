"""The admin shows tokens as actors."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, User
from portal.fields import Actor
from tests.conftest import Person
from tests.factories import TokenFactory
from tokens.models import Token


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(
        User.objects.create_superuser("admin@portal.example", name="Admin"),
        backend="accounts.backends.EmailBackend",
    )
    return client


@pytest.mark.parametrize(
    ("page", "times"),
    [
        ("tokens/token/?q=made", 1),
        ("tokens/token/{made}/change/", 6),
        ("activity/event/?q=made", 2),
        ("activity/event/?q={robot}", 3),
    ],
)
def test_the_admin_shows_the_token_as_the_actor(
    staff: Client, robot: Token, made: Token, page: str, times: int
) -> None:
    """The token's page names it as creator, updater, disabler and granter, and in the events."""
    made.disable(by=robot)
    text = staff.get(f"/admin/{page.format(made=made.pk, robot=robot.pk)}").text
    assert (
        text.count(f'<a href="/admin/tokens/token/{robot.pk}/change/">{Actor.of(robot)}</a>')
        == times
    )


@pytest.mark.parametrize(("page", "queries"), [("tokens/token", 8), ("activity/event", 5)])
def test_the_lists_of_the_admin_cost_as_many_queries_however_many_act(
    staff: Client,
    account: Account,
    robot: Token,
    page: str,
    queries: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(3):
        TokenFactory(account=account, by=TokenFactory(account=account, by=robot))
    staff.get("/admin/")
    with django_assert_num_queries(queries):
        staff.get(f"/admin/{page}/")


def test_the_admin_shows_a_person_as_the_actor(
    staff: Client, michael: Person, token: Token
) -> None:
    person = (
        f'<a href="/admin/accounts/user/{michael.user.pk}/change/">Michael Goldmill '
        f"({michael.user.pk})</a>"
    )
    assert staff.get(f"/admin/tokens/token/{token.pk}/change/").text.count(person) == 4

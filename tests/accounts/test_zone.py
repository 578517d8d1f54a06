"""At a person's first sign-in the portal adopts the time zone of the browser."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.conftest import Response
from tests.factories import PASSWORD, MembershipFactory


@pytest.fixture
def somebody(db: None) -> User:
    return MembershipFactory(user__email="new@company.example").user


def sign_in(client: Client, zone: str) -> Response:
    form = {"username": "new@company.example", "password": PASSWORD, "zone": zone}
    return client.post("/sign-in/", form, follow=True)


def test_the_first_sign_in_takes_the_zone_of_the_browser(client: Client, somebody: User) -> None:
    page = sign_in(client, "Europe/Madrid")
    somebody.refresh_from_db()
    assert somebody.time_zone == "Europe/Madrid"
    assert b"Times are in Europe/Madrid" in page.content


def test_a_later_sign_in_changes_nothing(client: Client, somebody: User) -> None:
    somebody.last_login = timezone.now()
    somebody.save()
    sign_in(client, "Europe/Madrid")
    somebody.refresh_from_db()
    assert somebody.time_zone == "UTC"


def test_a_zone_that_was_chosen_stays(client: Client, somebody: User) -> None:
    somebody.time_zone = "Asia/Tokyo"
    somebody.save()
    sign_in(client, "Europe/Madrid")
    somebody.refresh_from_db()
    assert somebody.time_zone == "Asia/Tokyo"


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "x" * 10_000])
def test_a_zone_that_is_none_is_left_alone(client: Client, somebody: User, zone: str) -> None:
    assert sign_in(client, zone).status_code == 200
    somebody.refresh_from_db()
    assert somebody.time_zone == "UTC"

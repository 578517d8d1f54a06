"""At a person's first sign-in the portal adopts the time zone of the browser."""

import pytest
from django.utils import timezone

from tests.factories import PASSWORD, MembershipFactory


@pytest.fixture
def somebody(db):
    return MembershipFactory(user__email="new@company.example").user


def sign_in(client, zone):
    form = {"username": "new@company.example", "password": PASSWORD, "zone": zone}
    return client.post("/sign-in/", form, follow=True)


def test_the_first_sign_in_takes_the_zone_of_the_browser(client, somebody):
    page = sign_in(client, "Europe/Madrid")
    somebody.refresh_from_db()
    assert somebody.time_zone == "Europe/Madrid"
    assert b"Times are in Europe/Madrid" in page.content


def test_a_later_sign_in_changes_nothing(client, somebody):
    somebody.last_login = timezone.now()
    somebody.save()
    sign_in(client, "Europe/Madrid")
    somebody.refresh_from_db()
    assert somebody.time_zone == "UTC"


def test_a_zone_that_was_chosen_stays(client, somebody):
    somebody.time_zone = "Asia/Tokyo"
    somebody.save()
    sign_in(client, "Europe/Madrid")
    somebody.refresh_from_db()
    assert somebody.time_zone == "Asia/Tokyo"


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "x" * 10_000])
def test_a_zone_that_is_none_is_left_alone(client, somebody, zone):
    assert sign_in(client, zone).status_code == 200
    somebody.refresh_from_db()
    assert somebody.time_zone == "UTC"

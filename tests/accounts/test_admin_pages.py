"""The admin looks like the portal, and its administrators are taken to it."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.factories import PASSWORD, TokenFactory, UserFactory


@pytest.fixture
def staff(db: None) -> Client:
    user = UserFactory(email="admin@portal.example", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user, backend="accounts.backends.EmailBackend")
    return client


@pytest.mark.parametrize("path", ["/", "/integrations/", "/integrations/tokens/"])
def test_an_administrator_without_an_account_lands_in_the_administration(
    staff: Client, path: str
) -> None:
    response = staff.get(path, follow=True)
    assert response.redirect_chain[-1][0] == "/admin/"
    assert response.status_code == 200


def test_signing_in_leads_the_administrator_there(client: Client, staff: Client) -> None:
    form = {"username": "admin@portal.example", "password": PASSWORD}
    response = client.post("/sign-in/", form, follow=True)
    assert response.redirect_chain[-1][0] == "/admin/"


def test_it_wears_the_colours_and_the_name_of_the_portal(staff: Client, settings: Settings) -> None:
    page = staff.get("/admin/").content.decode()
    assert "css/admin.css" in page
    assert settings.BRAND in page


def test_it_writes_dates_as_the_portal_does(staff: Client) -> None:
    token = TokenFactory()
    page = staff.get("/admin/tokens/token/").content.decode()
    assert token.created_at.strftime("%d/%m/%Y %H:%M") in page

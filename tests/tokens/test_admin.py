"""Administrators of the portal see metadata and can force-disable, but never see a key."""

import pytest
from django.test import Client

from accounts.models import Account, User
from activity.actions import Action
from tests.conftest import Call, Person, confirmed
from tests.factories import TokenFactory, UserFactory, secret
from tokens.models import Token


def test_the_admin_is_for_administrators_of_the_portal(michael: Person, client: Client) -> None:
    assert michael.client.get("/admin/", follow=True).status_code == 403
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/sign-in/?next=/admin/"


@pytest.mark.parametrize(
    "page",
    ["accounts/account", "accounts/user", "accounts/membership", "tokens/token", "activity/event"],
)
def test_every_list_opens(staff: Client, token: Token, page: str) -> None:
    assert staff.get(f"/admin/{page}/").status_code == 200
    assert staff.get(f"/admin/{page}/?q=x").status_code == 200


@pytest.mark.parametrize(
    "page",
    [
        "modules/agreement",
        "modules/contract",
        "modules/customer",
        "modules/product",
        "modules/marketplace",
    ],
)
def test_the_lists_of_records_open(staff: Client, page: str) -> None:
    assert staff.get(f"/admin/{page}/").status_code == 200


def test_a_token_is_shown_without_its_key_and_cannot_be_written(
    staff: Client, token: Token
) -> None:
    page = f"/admin/tokens/token/{token.pk}/change/"
    response = staff.get(page)
    assert token.name in response.text
    assert secret(token) not in response.text
    assert staff.post(page, {"name": "Renamed"}).status_code == 403
    assert staff.get("/admin/tokens/token/add/").status_code == 403
    assert staff.post(f"/admin/tokens/token/{token.pk}/delete/", {"post": "yes"}).status_code == 403


def test_tokens_can_be_disabled_by_force(staff: Client, token: Token, call: Call) -> None:
    other = TokenFactory()
    staff.post(
        "/admin/tokens/token/",
        {"action": "force_disable", "_selected_action": [token.pk, other.pk]},
    )
    assert call("accounts", token).status_code == 401
    assert call("accounts", other).status_code == 401
    actor = token.events.get(action=Action.TOKEN_DISABLED).actor
    assert actor
    assert actor.name == "Admin"
    again = staff.post(
        "/admin/tokens/token/",
        {"action": "force_disable", "_selected_action": [token.pk]},
        follow=True,
    )
    assert "Nothing was changed: none of them was active." in again.text


def test_disabling_by_force_is_a_right_of_its_own(token: Token, call: Call) -> None:
    from django.contrib.auth.models import Permission

    looker = UserFactory(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_token"))
    client = Client()
    client.force_login(looker, backend="accounts.backends.EmailBackend")
    assert client.get("/admin/tokens/token/").status_code == 200
    confirmed(client).post(
        "/admin/tokens/token/", {"action": "force_disable", "_selected_action": [token.pk]}
    )
    assert call("accounts", token).status_code == 200


def test_an_account_is_made_with_an_id_of_its_side(staff: Client) -> None:
    fields = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0, "is_active": "on"}
    staff.post("/admin/accounts/account/add/", {"name": "New Vendor", "side": "vendor", **fields})
    staff.post(
        "/admin/accounts/account/add/", {"name": "New Distributor", "side": "distributor", **fields}
    )
    assert Account.objects.get(name="New Vendor").pk.startswith("VA-")
    assert Account.objects.get(name="New Distributor").pk.startswith("PA-")


def test_a_person_is_made_and_changed(staff: Client) -> None:
    empty = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    fields = {
        "email": "New@Person.example",
        "name": "New",
        "usable_password": "true",
        "password1": "correct horse battery",
    }
    response = staff.post(
        "/admin/accounts/user/add/", {**fields, "password2": "correct horse battery", **empty}
    )
    assert response.status_code == 302, response.context["adminform"].form.errors
    user = User.objects.get(email="new@person.example")
    assert user.check_password("correct horse battery")
    page = f"/admin/accounts/user/{user.pk}/change/"
    assert (
        staff.post(
            page,
            {
                "email": user.email,
                "name": "Changed",
                "time_zone": "UTC",
                "is_active": "on",
                **empty,
            },
        ).status_code
        == 302
    )
    assert (
        staff.post(
            page, {"email": user.email, "name": "x", "time_zone": "Mars/Olympus", **empty}
        ).status_code
        == 200
    )
    user.refresh_from_db()
    assert user.name == "Changed"


def test_the_same_address_twice_is_refused_in_words(staff: Client) -> None:
    UserFactory(email="taken@person.example")
    fields = {
        "email": "TAKEN@person.example",
        "name": "New",
        "usable_password": "true",
        "password1": "correct horse battery",
    }
    empty = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    response = staff.post(
        "/admin/accounts/user/add/", {**fields, "password2": "correct horse battery", **empty}
    )
    assert "exists already" in response.text


@pytest.mark.parametrize(
    "query", ["status=%00", "status__exact=zzz", "e=1", "p=99999", "o=99", "id__exact=%FF"]
)
def test_a_bent_address_of_the_admin_is_no_500(staff: Client, token: Token, query: str) -> None:
    assert staff.get(f"/admin/tokens/token/?{query}").status_code in {200, 302, 400}

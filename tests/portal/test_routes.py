"""Every URL of the portal, for every role and status.

A new route fails here until it has a row in the tables of tests/portal/routes.py.
"""

import uuid

import pytest
from django.test import Client
from django.urls import get_resolver

from accounts.models import Account
from tests.conftest import Person, person, undone
from tests.factories import TokenFactory, header
from tests.portal.routes import ACTIONS, API, FORMS, GATED, NOTHING, PAGES, address, routes
from tokens.catalog import Module
from tokens.models import Token, TokenDraft


def test_every_route_has_a_row() -> None:
    named = {name for name, _ in routes(get_resolver())}
    assert named == set(PAGES) | set(GATED) | {NOTHING}
    assert set(PAGES) == set(FORMS)


def test_every_view_is_private_or_public_on_purpose_or_gated() -> None:
    public = {
        name for name, view in routes(get_resolver()) if not getattr(view, "login_required", True)
    }
    allowed = {name for name, answers in PAGES.items() if answers[0] != "sign-in"}
    assert public == allowed | set(GATED) | {NOTHING}
    for name, view in routes(get_resolver()):
        if name in GATED:
            assert view.module == GATED[name], name


@pytest.mark.parametrize(
    ("method", "table"), [("get", PAGES), ("post", FORMS)], ids=["get", "post"]
)
@pytest.mark.parametrize("route", sorted(PAGES))
def test_a_route_answers_each_role_as_the_table_says(
    route: str,
    method: str,
    table: dict[str, tuple[int | str, ...]],
    michael: Person,
    adrian: Person,
    stranger: Person,
    token: Token,
) -> None:
    draft = TokenDraft.objects.create(account=michael.account, owner=michael.user, name="Draft")
    path = address(route, token, draft)
    roles = {
        "nobody": Client(),
        "looker": adrian.client,
        "administrator": michael.client,
        "stranger": stranger.client,
    }
    for (role, client), expected in zip(roles.items(), table[route], strict=True):
        with undone(client):
            response = getattr(client, method)(path)
        if expected == "sign-in":
            assert response.status_code == 302, role
            assert response["Location"].startswith("/sign-in/"), role
        else:
            assert response.status_code == expected, role


@pytest.mark.parametrize(
    "route",
    [
        "tokens/SU-1",
        "tokens/SU-123-456-78a/",
        "tokens/su-123-456-789/",
        "tokens/SU-999-999-999/",
        "tokens/new/1/general/",
        "ip-rules/IPR-1/edit/",
        "ip-rules/IPR-999-999-999/edit/",
        "ip-rules/SU-999-999-999/delete/",
        "extensions/EXT-1/",
        "extensions/EXT-999-999/",
        "extensions/EXT-651-88a/",
        "webhooks/WH-1/",
        "webhooks/SU-999-999-999/",
        "webhooks/WH-999-999-999/",
        "webhooks/WH-999-999-999/deliveries/",
    ],
)
def test_an_address_with_a_bad_id_is_a_404_page(michael: Person, route: str) -> None:
    response = michael.client.get(f"/integrations/{route}", follow=True)
    assert response.status_code == 404
    assert b"There is no such page" in response.content


def test_a_draft_that_does_not_exist_is_404(michael: Person) -> None:
    assert (
        michael.client.get(f"/integrations/tokens/new/{uuid.uuid4()}/general/").status_code == 404
    )


@pytest.mark.parametrize("name", ["summary", "nope"])
def test_a_step_that_is_none_is_404(michael: Person, name: str) -> None:
    draft = TokenDraft.objects.create(account=michael.account, owner=michael.user, name="Draft")
    assert michael.client.get(f"/integrations/tokens/new/{draft.pk}/{name}/").status_code == 404


@pytest.mark.parametrize("path", ["nope", "agreements/%00", "v9"])
def test_errors_of_the_api_are_not_kept_either(client: Client, path: str) -> None:
    response = client.get(f"/public/v1/{path}")
    assert (response["Vary"], response["Cache-Control"]) == ("Authorization", "no-store")


def test_a_signed_in_person_without_an_account_is_told_so(db: None) -> None:
    somebody = person()
    somebody.membership.delete()
    response = somebody.client.get("/integrations/tokens/")
    assert response.status_code == 403
    assert b"You do not belong to an account yet" in response.content


@pytest.mark.parametrize("route", sorted(GATED))
@pytest.mark.parametrize(
    "caller", ["nobody", "all", "its module", "other module", "disabled", "deleted", "account off"]
)
def test_the_api_answers_each_kind_of_token(
    client: Client, account: Account, route: str, caller: str
) -> None:
    needed = GATED[route]
    other = Module.USAGE if needed != Module.USAGE else Module.PRICING
    modules = {"its module": (needed or other,), "other module": (other,)}.get(
        caller, (Module.ALL,)
    )
    token = TokenFactory(account=account, modules=modules)
    key = "" if caller == "nobody" else header(token)
    if caller == "disabled":
        token.disable(by=None)
    if caller == "deleted":
        token.remove(by=None)
    if caller == "account off":
        account.is_active = False
        account.save()
    path = route.removeprefix("api:").replace("<parent>", token.pk).replace("<id>", "NO-000-000")
    response = client.get(f"/public/v1/{path}", headers={"authorization": key} if key else {})
    if caller in {"all", "its module"} or (caller == "other module" and needed is None):
        # An action does not accept GET; some of the other URLs have nothing to show.
        assert response.status_code in (
            {405} if route.removeprefix("api:") in ACTIONS else {200, 404}
        )
        assert (response.status_code == 200) or path not in API
    else:
        assert response.status_code == (403 if caller == "other module" else 401)
    assert response["Content-Type"] == "application/json"
    assert "Authorization" in response["Vary"].split(", ")
    assert response["Cache-Control"] == "no-store"

"""Extensions: what a new portal has, what is refused, and what changes do to tokens."""

import re
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as project
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from pytest_django import Settings

from accounts.models import Account
from tests.conftest import Call, Person
from tests.factories import CUSTOM, FLOWGEAR, REPORTS, ZAPIER, TokenFactory, header
from tokens.catalog import Module
from tokens.models import Extension, NotOffered, Token, TokenDraft, TooManyTokens

NEW = "/integrations/tokens/new/"
ADMIN = "/admin/tokens/extension/"
FACTS = {
    "name": "postman",
    "label": "Postman",
    "description": "Postman Integration",
    "subtitle": "Try the API by hand.",
    "status": "published",
    "icon": "plug",
    "side": "any",
}
NO_VERSIONS = {"versions-TOTAL_FORMS": "0", "versions-INITIAL_FORMS": "0"}


def draft(person: Person, **fields: Any) -> TokenDraft:
    fields = {
        "name": "Nightly",
        "extension_id": CUSTOM,
        "modules": [Module.AGREEMENTS.value],
        **fields,
    }
    return TokenDraft.objects.create(account=person.account, owner=person.user, **fields)


def labels(client: Client, run: TokenDraft) -> list[str]:
    return [card["label"] for card in client.get(f"{NEW}{run.pk}/extension/").context["form"].cards]


# --- What there is --------------------------------------------------------------------------------


COLUMNS = (
    "id",
    "name",
    "label",
    "description",
    "subtitle",
    "icon",
    "side",
    "cap",
    "fixed_modules",
)
OF_THE_ARTICLE = [
    (
        FLOWGEAR,
        "flowgear",
        "Flowgear",
        "Flowgear Integration",
        "Connect with the Flowgear iPaaS platform.",
        "branch",
        "any",
        None,
        [
            Module.AGREEMENTS,
            Module.CUSTOMERS,
            Module.PRODUCTS,
            Module.SUBSCRIPTIONS,
            Module.USAGE,
        ],
    ),
    (
        REPORTS,
        "reports",
        "Reports",
        "Custom Reports",
        "Create custom reports from your data.",
        "bars",
        "any",
        None,
        [Module.PRODUCTS, Module.REPORTS, Module.SUBSCRIPTIONS, Module.USAGE],
    ),
    (
        ZAPIER,
        "zapier",
        "Zapier",
        "Zapier Integration",
        "Automate workflows with the Zapier platform.",
        "bolt",
        "any",
        None,
        [Module.CUSTOMERS, Module.HELPDESK, Module.SUBSCRIPTIONS],
    ),
    (
        CUSTOM,
        "custom",
        "Custom",
        "Custom Integration",
        "Connect your own program or script.",
        "code",
        "any",
        None,
        None,
    ),
]


def test_a_new_portal_has_the_four_of_the_article(db: None) -> None:
    assert [*Extension.objects.in_order().values_list(*COLUMNS)] == OF_THE_ARTICLE


def test_every_icon_to_choose_is_drawn() -> None:
    drawn = re.findall(
        r'<symbol id="([^"]+)"', (project.BASE_DIR / "static" / "icons.svg").read_text()
    )
    assert {*Extension.Icon.values} <= {*drawn}


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [{"side": "reseller"}, {"cap": 0}, {"name": "zapier"}, {"status": "private"}],
)
def test_the_database_refuses(db: None, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Extension.objects.create(**{**FACTS, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [["MD-6666"], ["MD-9001", "MD-6666"], [None], [["MD-9001"]], "MD-9001 MD-9002", 7, {"a": 1}],
)
def test_what_is_no_module_is_not_stored(db: None, wrong: object) -> None:
    with pytest.raises(ValidationError, match="is not a module"):
        Extension.objects.create(**FACTS, fixed_modules=wrong)


def test_modules_are_kept_in_the_order_of_the_catalog(db: None) -> None:
    made = Extension.objects.create(
        **FACTS, fixed_modules=[Module.USAGE, Module.AGREEMENTS, Module.USAGE]
    )
    assert Extension.objects.get(pk=made.pk).fixed_modules == [Module.AGREEMENTS, Module.USAGE]


@pytest.mark.parametrize("nothing", [None, []])
def test_without_modules_it_asks(db: None, nothing: list[Any] | None) -> None:
    made = Extension.objects.create(**FACTS, fixed_modules=nothing)
    assert Extension.objects.get(pk=made.pk).asks_permissions


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ('["MD-6666", "MD-9001"]', [Module.AGREEMENTS]),
        ('["MD-6666"]', []),
        ("7", []),
        ('{"a": 1}', []),
    ],
)
def test_a_stored_module_that_left_the_catalog_breaks_nothing(
    michael: Person, stored: str, read: list[Module]
) -> None:
    TokenFactory(account=michael.account, extension_id=ZAPIER, name="Chat")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tokens_extension SET fixed_modules = %s WHERE id = %s", [stored, ZAPIER]
        )
    zapier = Extension.objects.get(pk=ZAPIER)
    # The extension does not start asking for modules: nobody can have meant that.
    assert (zapier.fixed_modules, zapier.asks_permissions) == (read, False)
    run = draft(michael, extension_id=ZAPIER)
    for page in (
        f"{NEW}{run.pk}/extension/",
        f"{NEW}{run.pk}/permissions/",
        "/integrations/tokens/",
        f"/integrations/tokens/{Token.objects.get().pk}/",
    ):
        assert michael.client.get(page).status_code == 200


# --- In the admin ---------------------------------------------------------------------------------


def test_one_is_added_in_the_admin_and_offered_at_once(
    staff: Client, michael: Person, call: Call
) -> None:
    run = draft(michael)
    assert (
        staff.post(
            f"{ADMIN}add/",
            {**FACTS, **NO_VERSIONS, "fixed_modules": ["MD-9012", "MD-9001"], "cap": "2"},
        ).status_code
        == 302
    )
    made = Extension.objects.get(name="postman")
    assert re.fullmatch(r"EXT-\d{3}-\d{3}", made.pk)
    assert (made.fixed_modules, made.cap) == ([Module.AGREEMENTS, Module.USAGE], 2)
    assert labels(michael.client, run) == ["Flowgear", "Postman", "Reports", "Zapier", "Custom"]
    assert ADMIN in staff.get("/admin/").text
    assert "Postman" in staff.get(f"{ADMIN}?q=post").text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"side": "reseller"},
            "Select a valid choice. reseller is not one of the available choices.",
        ),
        ({"side": ""}, "This field is required."),
        ({"cap": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"cap": "-1"}, "Ensure this value is greater than or equal to"),
        ({"cap": "9" * 30}, "Ensure this value is less than or equal to"),
        ({"cap": "many"}, "Enter a whole number."),
        (
            {"fixed_modules": ["MD-6666"]},
            "Select a valid choice. MD-6666 is not one of the available choices.",
        ),
        ({"name": "zapier"}, "Extension with this Name already exists."),
        ({"name": "Two Words"}, "Use lower-case letters, digits and hyphens only."),
        ({"name": ""}, "This field is required."),
        ({"label": "x" * 51}, "Ensure this value has at most 50 characters"),
        ({"label": "a\u202eb"}, "hidden characters"),
        ({"icon": "skull"}, "Select a valid choice. skull is not one of the available choices."),
    ],
)
def test_a_mistake_in_the_admin_gets_a_sentence(
    staff: Client, wrong: dict[str, Any], said: str
) -> None:
    for page in ("add/", f"{REPORTS}/change/"):
        response = staff.post(f"{ADMIN}{page}", {**FACTS, **wrong})
        assert response.status_code == 200
        assert said in response.text
    assert Extension.objects.count() == 4


@pytest.mark.parametrize(
    ("page", "form"),
    [
        (f"{CUSTOM}/delete/", {}),
        ("", {"action": "delete_selected", "_selected_action": [CUSTOM, ZAPIER]}),
    ],
    ids=["one", "several"],
)
def test_one_that_tokens_use_cannot_be_deleted(
    staff: Client, token: Token, page: str, form: dict[str, Any]
) -> None:
    response = staff.post(f"{ADMIN}{page}", {"post": "yes", **form})
    assert response.status_code == 200
    assert "Custom: 1 token" in response.text
    assert "Zapier: " not in response.text
    assert Extension.objects.count() == 4


def test_a_draft_whose_extension_is_deleted_asks_again(staff: Client, michael: Person) -> None:
    run = draft(michael, extension_id=ZAPIER)
    assert staff.post(f"{ADMIN}{ZAPIER}/delete/", {"post": "yes"}).status_code == 302
    step = f"{NEW}{run.pk}/extension/"
    assert michael.client.get(f"{NEW}{run.pk}/permissions/")["Location"] == step
    assert labels(michael.client, run) == ["Flowgear", "Reports", "Custom"]
    with pytest.raises(ValidationError, match="Choose an extension"):
        TokenDraft.objects.get().finish()


def test_a_person_without_the_right_does_not_change_them(michael: Person) -> None:
    assert michael.client.get(ADMIN, follow=True).status_code == 403
    assert michael.client.post(f"{ADMIN}add/", FACTS).status_code in {302, 403}
    assert Extension.objects.count() == 4


# --- Sides and caps -------------------------------------------------------------------------------


def test_an_account_is_offered_what_is_for_its_side(michael: Person, stranger: Person) -> None:
    Extension.objects.filter(pk=ZAPIER).update(side="vendor")
    Extension.objects.filter(pk=REPORTS).update(side="distributor")
    # Michael's account is a distributor, the stranger's a vendor.
    assert labels(michael.client, draft(michael)) == ["Flowgear", "Reports", "Custom"]
    assert labels(stranger.client, draft(stranger)) == ["Flowgear", "Zapier", "Custom"]


def test_what_is_not_offered_cannot_be_chosen(michael: Person) -> None:
    Extension.objects.filter(pk=ZAPIER).update(side="vendor")
    run = draft(michael, extension_id=None)
    assert (
        "Choose an extension."
        in michael.client.post(f"{NEW}{run.pk}/extension/", {"extension": ZAPIER}).text
    )
    assert TokenDraft.objects.get().extension is None


def test_a_draft_whose_extension_is_no_longer_offered_asks_again(michael: Person) -> None:
    run = draft(michael, extension_id=ZAPIER)
    Extension.objects.filter(pk=ZAPIER).update(side="vendor")
    response = michael.client.post(f"{NEW}{run.pk}/permissions/", {}, follow=True)
    assert response.redirect_chain[-1][0] == f"{NEW}{run.pk}/extension/"
    assert not any(card["checked"] for card in response.context["form"].cards)
    with pytest.raises(NotOffered, match="Zapier is not offered to this account"):
        run.finish()
    assert not Token.objects.exists()


def test_tokens_outlive_the_offer(michael: Person, call: Call) -> None:
    token = TokenFactory(account=michael.account, extension_id=ZAPIER, name="Chat")
    Extension.objects.filter(pk=ZAPIER).update(side="vendor")
    assert call("agreements", token).status_code == 200
    for page in ("", "permissions/", "edit/", "delete/"):
        assert (
            "Zapier" in michael.client.get(f"/integrations/tokens/{token.pk}/{page}").text
            or page == "permissions/"
        )
    assert "Chat" in michael.client.get(f"/integrations/tokens/?extension={ZAPIER}").text


def test_a_cap_of_its_own_goes_before_that_of_the_settings(
    michael: Person, settings: Settings
) -> None:
    Extension.objects.filter(pk=ZAPIER).update(cap=1)
    TokenFactory(account=michael.account, extension_id=ZAPIER)
    with pytest.raises(TooManyTokens, match="The account has 1 tokens for Zapier"):
        TokenFactory(account=michael.account, extension_id=ZAPIER)
    settings.TOKENS_PER_EXTENSION = 1
    Extension.objects.filter(pk=ZAPIER).update(cap=2)
    TokenFactory(account=michael.account, extension_id=ZAPIER)


# --- What a change does to tokens -----------------------------------------------------------------


def test_other_modules_are_for_tokens_to_come(michael: Person) -> None:
    token = TokenFactory(account=michael.account, extension_id=ZAPIER, modules=(Module.HELPDESK,))
    Extension.objects.filter(pk=ZAPIER).update(fixed_modules=[Module.USAGE.value])
    page = michael.client.get(f"/integrations/tokens/{token.pk}/edit/")
    assert page.context["permissions_form"].chosen == {Module.HELPDESK}
    general = {
        "name": "Renamed",
        "external_id": "",
        "description": "",
        "expires_on": "",
        "version": token.version,
    }
    assert michael.client.post(f"/integrations/tokens/{token.pk}/edit/", general).status_code == 302
    assert Token.objects.get().grants == {Module.HELPDESK}
    run = draft(michael, extension_id=ZAPIER)
    assert run.finish().grants == {Module.USAGE}


def test_the_gate_says_what_holds_at_the_very_next_call(account: Account, call: Call) -> None:
    key = header(TokenFactory(account=account, extension_id=ZAPIER))
    assert "The modules of a token for Zapier are fixed." in call("contracts", key).text
    Extension.objects.filter(pk=ZAPIER).update(label="Zapper")
    assert "The modules of a token for Zapper are fixed." in call("contracts", key).text
    Extension.objects.filter(pk=ZAPIER).update(fixed_modules=None)
    assert "An administrator of the account can grant it" in call("contracts", key).text


def test_the_api_tells_whom_one_is_for_and_how_many_tokens_it_takes(
    call: Call, account: Account
) -> None:
    key = header(TokenFactory(account=account, modules=(Module.INTEGRATIONS,)))
    Extension.objects.filter(pk=ZAPIER).update(side="distributor", cap=7)
    Extension.objects.filter(pk=REPORTS).update(side="vendor")
    rows = {
        row["id"]: (row["portal"], row["constraints"]["account"]["tokens"])
        for row in call("extensions", key).json()
    }
    assert rows == {
        CUSTOM: ("any", 100),
        FLOWGEAR: ("any", 100),
        REPORTS: ("vendor", 100),
        ZAPIER: ("provider", 7),
    }
    assert [row["id"] for row in call("extensions?portal=provider", key).json()] == [ZAPIER]
    assert [row["id"] for row in call("extensions?constraints.account.tokens=7", key).json()] == [
        ZAPIER
    ]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (REPORTS, "Reports is not offered to this account."),
        ("EXT-9", "There is no such extension."),
    ],
)
def test_the_api_makes_no_token_for_what_is_not_offered(
    call: Call, account: Account, chosen: str, said: str
) -> None:
    key = header(TokenFactory(account=account, modules=(Module.ALL,)))
    Extension.objects.filter(pk=REPORTS).update(side="vendor")
    body = {"name": "New", "extension": {"id": chosen}}
    response = call("auth/tokens", key, method="post", data=body, content_type="application/json")
    assert (response.status_code, response.json()["errors"]) == (400, [f"extension.id: {said}"])
    assert Token.objects.count() == 1


def test_the_command_says_that_custom_is_gone(account: Account) -> None:
    Extension.objects.filter(pk=CUSTOM).delete()
    with pytest.raises(CommandError, match="EXT-000"):
        call_command(
            "create_token",
            account=account.pk,
            name="Nightly",
            module=["agreements"],
            stdout=StringIO(),
        )

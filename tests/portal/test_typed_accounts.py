"""A page of one account never acts for another."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from tests.conftest import Person, person
from tests.factories import MembershipFactory
from tests.portal.test_typed import BUTTONS, LIST, NEW, PAGES
from tests.portal.typed import (
    SIGN_IN,
    Tab,
    stored,
)
from tokens.models import Token


@pytest.fixture
def switched(signed_in: Client, michael: Person, stranger: Person) -> Callable[[Account], None]:
    """Give Michael a second account; return a function that switches to it in another tab."""
    MembershipFactory(user=michael.user, account=stranger.account)

    def switch(account: Account) -> None:
        Tab(signed_in, "/account/").send({"account": account.pk}, "/account/switch/")

    switch(michael.account)
    return switch


@pytest.mark.parametrize("form", [form for form in PAGES if form != "accounts:profile"])
def test_a_form_of_another_account_does_nothing_and_offers_the_way_back(
    signed_in: Client,
    michael: Person,
    stranger: Person,
    places: dict[str, Any],
    switched: Callable[[Account], None],
    form: str,
) -> None:
    path, typed, shown = PAGES[form]
    path = path.format(**places)
    tab = Tab(signed_in, path)
    switched(stranger.account)
    before = stored()
    assert tab.send(typed)["Location"] == path
    page = Tab(signed_in, path)
    assert f"You now act for {stranger.account.name}." in page.answer.text
    assert (
        "The page you used was for Mighty Mick&#x27;s LLC. Nothing was changed." in page.answer.text
    )
    assert "Switch Back to Mighty Mick&#x27;s LLC" in page.answer.text
    assert stored() == before
    switched(michael.account)
    assert shown in signed_in.get(path).text


@pytest.mark.parametrize("button", [button for button in BUTTONS if button.startswith("tokens:")])
def test_a_button_of_another_account_does_nothing_and_offers_the_way_back(
    signed_in: Client,
    stranger: Person,
    places: dict[str, Any],
    switched: Callable[[Account], None],
    button: str,
) -> None:
    path, page, sent = BUTTONS[button]
    path, page = path.format(**places), page.format(**places)
    tab = Tab(signed_in, page)
    switched(stranger.account)
    before = stored()
    answer = tab.send(sent, path)
    assert answer["Location"] == page
    assert f"You now act for {stranger.account.name}." in signed_in.get(page).text
    assert stored() == before


def test_what_is_of_the_person_works_whichever_account_they_act_for(
    signed_in: Client, michael: Person, stranger: Person, switched: Callable[[Account], None]
) -> None:
    tab = Tab(signed_in, "/account/")
    switched(stranger.account)
    assert tab.send({"name": "Mickey", "time_zone": "UTC"})["Location"] == "/account/"
    michael.user.refresh_from_db()
    assert michael.user.name == "Mickey"
    assert tab.send({}, "/sign-out/")["Location"] == SIGN_IN


def test_a_form_of_an_account_that_the_person_has_left_offers_no_way_back(
    signed_in: Client,
    michael: Person,
    stranger: Person,
    places: dict[str, Any],
    switched: Callable[[Account], None],
) -> None:
    tab = Tab(signed_in, NEW)
    switched(stranger.account)
    michael.membership.delete()
    before = stored()
    tab.send({"name": "Lost"})
    text = signed_in.get(NEW).text
    assert f"You now act for {stranger.account.name}." in text
    assert "The page you used was for another account. Nothing was changed." in text
    assert "Switch Back" not in text
    assert stored() == before


def test_who_has_left_their_only_account_is_told_that_they_act_for_none(
    signed_in: Client, michael: Person
) -> None:
    tab = Tab(signed_in, NEW)
    michael.membership.delete()
    before = stored()
    tab.send({"name": "Lost"})
    assert "You now act for no account." in signed_in.get("/account/").text
    assert stored() == before


def test_htmx_never_puts_a_list_of_one_account_into_a_page_of_another(
    signed_in: Client, stranger: Person, switched: Callable[[Account], None]
) -> None:
    tab = Tab(signed_in, LIST)
    switched(stranger.account)
    headers = {"hx-request": "true", "x-page-of": tab.hidden["page_of"]}
    answer = signed_in.get(f"{LIST}?page=2", headers=headers)
    assert answer["HX-Redirect"] == f"{LIST}?page=2"
    assert not answer.content
    assert f"You now act for {stranger.account.name}." in signed_in.get(f"{LIST}?page=2").text


def test_a_token_of_ones_other_account_is_404_with_the_way_there(
    signed_in: Client,
    michael: Person,
    stranger: Person,
    places: dict[str, Any],
    switched: Callable[[Account], None],
) -> None:
    switched(stranger.account)
    for path in (
        f"{LIST}{{token}}/",
        f"{LIST}{{token}}/permissions/",
        f"{LIST}{{token}}/edit/",
        f"{NEW}{{draft}}/general/",
    ):
        answer = signed_in.get(path.format(**places))
        assert answer.status_code == 404
        assert "Switch to Mighty Mick&#x27;s LLC" in answer.text
    switched(michael.account)
    assert signed_in.get(f"{LIST}{places['token']}/").status_code == 200


def test_a_stranger_cannot_tell_a_token_of_others_from_none(
    token: Token, places: dict[str, Any]
) -> None:
    other = person()
    texts = set()
    for path in (f"{LIST}{token.pk}/", f"{LIST}SU-000-000-000/"):
        answer = other.client.get(path)
        assert answer.status_code == 404
        texts.add(
            re.sub(r'value="[^"]*"|hx-headers=\'[^\']*\'', "", answer.text)
            .replace(token.pk, "")
            .replace("SU-000-000-000", "")
        )
    assert len(texts) == 1
    assert "Switch to" not in texts.pop()

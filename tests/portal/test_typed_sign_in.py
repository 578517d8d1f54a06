"""The sign-in page in several tabs, and after its session is gone."""

import pytest

from tests.conftest import Person
from tests.factories import PASSWORD
from tests.portal.test_typed import LIST
from tests.portal.typed import SIGN_IN, Hidden, Tab, browser


def test_two_tabs_at_the_sign_in_page_both_lead_into_the_portal(michael: Person) -> None:
    client = browser()
    one, two = Tab(client, SIGN_IN), Tab(client, f"{SIGN_IN}?next={LIST}%3Fpage%3D2")
    fields = {"username": michael.user.email, "password": PASSWORD}
    assert one.send(fields)["Location"] == LIST
    answer = two.send({**fields, "next": f"{LIST}?page=2"})
    assert answer["Location"] == f"{LIST}?page=2"
    assert "You are signed in as" not in client.get(answer["Location"]).text


def test_a_second_tab_with_another_name_says_who_is_in(michael: Person, adrian: Person) -> None:
    client = browser()
    one, two = Tab(client, SIGN_IN), Tab(client, SIGN_IN)
    one.send({"username": michael.user.email, "password": PASSWORD})
    answer = two.send({"username": adrian.user.email, "password": PASSWORD})
    assert answer["Location"] == LIST
    page = client.get(LIST).text
    assert f"You are signed in as {michael.user.email}." in page
    assert "Distributor - Michael Goldmill" in page


@pytest.mark.parametrize(("path", "name"), [(SIGN_IN, "username"), ("/account/reset/", "email")])
def test_a_stale_page_for_nobody_comes_back_with_the_address_and_a_new_token(
    db: None, path: str, name: str
) -> None:
    client = browser()
    tab = Tab(client, path)
    client.cookies.clear()
    answer = tab.send({name: "someone@company.example", "password": "hunter2 and more"})
    assert answer.status_code == 200
    assert 'value="someone@company.example"' in answer.text
    assert "hunter2 and more" not in answer.text
    assert "This page was too old." in answer.text
    assert Hidden(answer.text).fields["csrfmiddlewaretoken"]
    assert "session" not in client.cookies


def test_a_stale_button_of_a_page_for_nobody_leads_back_to_it(db: None) -> None:
    client = browser()
    tab = Tab(client, SIGN_IN)
    client.cookies.clear()
    assert tab.send({"theme": "dark"}, "/account/theme/").status_code == 302

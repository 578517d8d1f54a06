"""The page of an extension, and the way from it into the wizard."""

import re

import pytest

from accounts.models import Account
from tests.conftest import Person
from tests.extensions.test_catalog import CATALOG, text_of
from tests.factories import CUSTOM, REPORTS, ZAPIER, TokenFactory
from tokens.models import Extension, ExtensionVersion, TokenDraft

NEW = "/integrations/tokens/new/"
PAGE = f"{CATALOG}{ZAPIER}/"


def test_the_page_says_what_it_does_reaches_and_how_to_connect_it(michael: Person) -> None:
    seen = text_of(michael, PAGE)
    for part in (
        "Zapier starts a workflow when something happens here",
        "Customers, Helpdesk and Subscriptions",
        "http://testserver/public/v1",
        "1.0",
        "The first version.",
        "zapier.com",
        "No token of this account is for it.",
        "0 of at most 100 in this account",
        "Vendors and distributors",
    ):
        assert part in seen


def test_one_that_asks_says_that_the_person_chooses(michael: Person) -> None:
    assert "You choose the modules" in text_of(michael, f"{CATALOG}{CUSTOM}/")


@pytest.mark.parametrize(("uses", "word"), [(True, "A handle"), (False, "A key")])
def test_the_page_says_whether_a_handle_or_a_key_is_pasted(
    michael: Person, uses: bool, word: str
) -> None:
    Extension.objects.filter(pk=ZAPIER).update(uses_handle=uses)
    seen = text_of(michael, PAGE)
    assert f"Connects with {word}" in seen
    assert ("Copy the handle" in seen) is uses


def test_the_page_lists_the_tokens_of_this_account_alone(michael: Person, stranger: Person) -> None:
    for number in range(12):
        TokenFactory(account=michael.account, extension_id=ZAPIER, name=f"Chat {number:02}")
    TokenFactory(account=michael.account, extension_id=REPORTS, name="A report")
    TokenFactory(account=stranger.account, extension_id=ZAPIER, name="Foreign")
    seen = text_of(michael, PAGE)
    assert "Chat 11" in seen
    for absent in ("Chat 01", "A report", "Foreign"):
        assert absent not in seen
    assert "Show All: 12 tokens" in seen
    assert "12 of at most 100 in this account" in seen


def test_nothing_that_its_maker_wrote_becomes_markup(michael: Person) -> None:
    hostile = "<script>alert(1)</script> [x](javascript:alert(2)) **bold**"
    zapier = Extension.objects.get(pk=ZAPIER)
    zapier.overview = zapier.subtitle = zapier.description = hostile
    zapier.label = "<i>Zap</i>"
    zapier.save()
    ExtensionVersion.objects.create(extension=zapier, number="<b>2</b>", notes=hostile)
    for page in (CATALOG, PAGE, f"{CATALOG}installed/"):
        text = michael.client.get(page).text
        for part in ("<script>alert", 'href="javascript', "<i>Zap", "<b>2"):
            assert part not in text
    assert "<strong>bold</strong>" in michael.client.get(PAGE).text


def test_a_website_that_is_no_address_of_the_web_is_refused(db: None) -> None:
    zapier = Extension.objects.get(pk=ZAPIER)
    for wrong in ("javascript:alert(1)", "ftp://a.example", "zapier", "https://"):
        zapier.website = wrong
        with pytest.raises(Exception, match="Enter a valid URL"):
            zapier.full_clean()


# --- Into the wizard ------------------------------------------------------------------------------


def test_create_token_leads_into_the_wizard_with_it_chosen(michael: Person) -> None:
    link = re.search(r'href="([^"]+tokens/new/[^"]*)"', michael.client.get(PAGE).text)
    assert link
    assert michael.client.get(link[1]).status_code == 200
    # Looking stores nothing.
    assert not TokenDraft.objects.exists()
    step = michael.client.post(link[1], {"name": "Orders to chat"})["Location"]
    cards = michael.client.get(step).context["form"].cards
    assert [card["id"] for card in cards if card["checked"]] == [ZAPIER]


@pytest.mark.parametrize("wanted", ["EXT-999-999", "%00", "'", "EXT-310-442"])
def test_an_extension_that_is_not_offered_is_not_chosen(michael: Person, wanted: str) -> None:
    Extension.objects.filter(pk="EXT-310-442").update(status="draft")
    made = michael.client.post(f"{NEW}?extension={wanted}", {"name": "Orders to chat"})
    assert made.status_code in {302, 400}
    assert not TokenDraft.objects.exclude(extension=None).exists()


def test_who_may_not_create_tokens_is_not_offered_to(adrian: Person) -> None:
    page = adrian.client.get(PAGE).text
    assert "tokens/new/" not in page
    assert "An administrator of the account can create one." in page


def test_at_the_limit_the_page_says_why_there_is_no_button(
    michael: Person, account: Account
) -> None:
    Extension.objects.filter(pk=ZAPIER).update(cap=1)
    TokenFactory(account=account, extension_id=ZAPIER)
    seen = text_of(michael, PAGE)
    assert "1 of at most 1 in this account" in seen
    assert "and may not have more. Delete one that is no longer needed." in seen
    assert "tokens/new/" not in michael.client.get(PAGE).text

"""The catalog, and what is installed."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from tests.conftest import Call, Person, person
from tests.factories import CUSTOM, FLOWGEAR, REPORTS, ZAPIER, TokenFactory, deleted, header
from tokens.catalog import Module
from tokens.models import Extension, Token, TokenUsage

CATALOG = "/integrations/extensions/"


def text_of(somebody: Person, url: str = CATALOG) -> str:
    response = somebody.client.get(url)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.text).split())


def found(somebody: Person, query: str = "") -> dict[str, list[str]]:
    """Return the labels of the cards by category."""
    shelves = somebody.client.get(f"{CATALOG}?{query}").context["shelves"]
    return {
        shelf.category.value: [card.extension.label for card in shelf.cards] for shelf in shelves
    }


ALL = {"automation": ["Flowgear", "Zapier"], "reporting": ["Reports"], "own": ["Custom"]}


# --- Cards ----------------------------------------------------------------------------------------


def test_cards_stand_by_category_and_say_what_they_reach(michael: Person) -> None:
    assert found(michael) == ALL
    seen = text_of(michael)
    for part in ("Platforms that connect systems", "3 modules, fixed", "You choose the modules"):
        assert part in seen
    assert seen.count("No token yet") == 4


def test_a_card_counts_the_live_tokens_of_the_account(
    michael: Person, adrian: Person, stranger: Person
) -> None:
    TokenFactory(account=michael.account, extension_id=ZAPIER)
    TokenFactory(account=michael.account, extension_id=ZAPIER).disable(by=None)
    deleted(TokenFactory(account=michael.account, extension_id=ZAPIER))
    TokenFactory(account=stranger.account, extension_id=REPORTS)
    for somebody in (michael, adrian):
        seen = text_of(somebody)
        assert "In use: 2 tokens" in seen
        assert seen.count("No token yet") == 3


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=zap", {"automation": ["Zapier"]}),
        ("q=ZAPIER", {"automation": ["Zapier"]}),
        ("q=ext-651", {"automation": ["Zapier"]}),
        ("q=ipaas", {"automation": ["Flowgear"]}),
        ("q=nothing", {}),
        ("category=reporting", {"reporting": ["Reports"]}),
        ("category=reporting&q=zap", {}),
        ("side=vendor", ALL),
        ("side=nonsense", {}),
        ("category=nonsense", {}),
        ("category=support", {}),
        ("q=%00", {}),
        (f"q={'x' * 200}", {}),
    ],
)
def test_the_catalog_is_searched_and_filtered(
    michael: Person, query: str, expected: dict[str, list[str]]
) -> None:
    if "%00" in query:
        assert michael.client.get(f"{CATALOG}?{query}").status_code in {200, 400}
        return
    assert found(michael, query) == expected


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("q=ledgr", "No extension matches “ledgr”."),
        ("category=support", "No extension matches."),
        ("side=x%3Cb%3E", "“x&lt;b&gt;” is not a side."),
        ("category=x", "“x” is not a category."),
    ],
)
def test_a_search_without_a_match_says_for_what(michael: Person, query: str, said: str) -> None:
    assert said in text_of(michael, f"{CATALOG}?{query}")


def test_one_for_the_other_side_is_shown_but_not_offered(michael: Person, stranger: Person) -> None:
    Extension.objects.filter(pk=ZAPIER).update(side="vendor")
    assert "For Vendors only" in text_of(michael)
    assert "For Vendors only" not in text_of(stranger)
    assert found(michael, "side=distributor")["automation"] == ["Flowgear"]
    assert found(michael, "side=vendor")["automation"] == ["Flowgear", "Zapier"]
    page = michael.client.get(f"{CATALOG}{ZAPIER}/").text
    assert "Zapier is not offered to this account." in page
    assert "tokens/new/" not in page


def test_one_may_stand_in_several_categories_and_one_without_stands_in_other(
    michael: Person,
) -> None:
    Extension.objects.filter(pk=ZAPIER).update(categories=["support", "automation"])
    Extension.objects.filter(pk=CUSTOM).update(categories=[])
    assert found(michael) == {
        "automation": ["Flowgear", "Zapier"],
        "reporting": ["Reports"],
        "support": ["Zapier"],
        "other": ["Custom"],
    }


@pytest.mark.parametrize("stored", ['["gone", "support"]', '["gone"]', "7", "null", '{"a": 1}'])
def test_a_stored_category_that_is_none_breaks_nothing(michael: Person, stored: str) -> None:
    TokenFactory(account=michael.account, extension_id=ZAPIER, modules=(Module.INTEGRATIONS,))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tokens_extension SET categories = %s WHERE id = %s", [stored, ZAPIER]
        )
    shelf = "support" if "support" in stored else "other"
    assert found(michael)[shelf] == ["Zapier"]
    for page in (f"{CATALOG}{ZAPIER}/", f"{CATALOG}installed/"):
        assert "Zapier" in text_of(michael, page)


def test_what_is_no_category_is_not_stored(db: None) -> None:
    zapier = Extension.objects.get(pk=ZAPIER)
    zapier.categories = ["gone"]
    with pytest.raises(Exception, match="is not a category"):
        zapier.save()


# --- Drafts ---------------------------------------------------------------------------------------


def test_a_draft_is_seen_by_nobody_but_those_who_use_it(
    michael: Person, stranger: Person, call: Call
) -> None:
    token = TokenFactory(account=michael.account, extension_id=ZAPIER, modules=(Module.ALL,))
    Extension.objects.filter(pk=ZAPIER).update(status="draft")
    assert call("agreements", token).status_code == 200
    for somebody in (michael, stranger):
        assert "Zapier" not in text_of(somebody)
    page = text_of(michael, f"{CATALOG}{ZAPIER}/")
    assert "It is no longer in the catalog. Its tokens go on working." in page
    assert "no longer in the catalog" in text_of(michael, f"{CATALOG}installed/")
    assert stranger.client.get(f"{CATALOG}{ZAPIER}/").status_code == 404
    for path in ("", "permissions/", "edit/", "delete/"):
        assert michael.client.get(f"/integrations/tokens/{token.pk}/{path}").status_code == 200
    assert "Zapier" in michael.client.get("/integrations/tokens/?filter=open").text
    assert "Zapier" not in stranger.client.get("/integrations/tokens/?filter=open").text


def test_a_draft_is_offered_neither_in_the_wizard_nor_by_the_api(
    michael: Person, stranger: Person, call: Call
) -> None:
    Extension.objects.filter(pk=ZAPIER).update(status="draft")
    key = header(TokenFactory(account=michael.account, modules=(Module.ALL,)))
    assert ZAPIER not in {row["id"] for row in call("extensions", key).json()}
    assert call(f"extensions/{ZAPIER}", key).status_code == 404
    body = {"name": "New", "extension": {"id": ZAPIER}}
    answer = call("auth/tokens", key, method="post", data=body, content_type="application/json")
    assert answer.status_code == 400
    TokenFactory(account=michael.account, extension_id=FLOWGEAR)
    Extension.objects.filter(pk=FLOWGEAR).update(status="draft")
    row = call(f"extensions/{FLOWGEAR}", key).json()
    assert (row["status"], row["categories"]) == (
        "draft",
        [{"id": "automation", "name": "Automation"}],
    )


# --- Installed ------------------------------------------------------------------------------------


def test_installed_says_what_is_in_use_by_whom_and_when_it_called_last(
    michael: Person, adrian: Person, stranger: Person
) -> None:
    old = TokenFactory(account=michael.account, extension_id=ZAPIER, by=michael.user)
    new = TokenFactory(account=michael.account, extension_id=ZAPIER, by=adrian.user)
    TokenFactory(account=michael.account, extension_id=REPORTS)
    deleted(TokenFactory(account=michael.account, extension_id=FLOWGEAR))
    now = timezone.now()
    for token, ago in ((old, 90), (new, 5)):
        TokenUsage.objects.filter(token=token).update(last_used_at=now - timedelta(minutes=ago))
    rows = michael.client.get(f"{CATALOG}installed/").context["table"].data.data
    assert [(row.card.extension.pk, row.card.tokens, row.makers) for row in rows] == [
        (ZAPIER, 2, ["Adrian Pennino", "Michael Goldmill"]),
        (REPORTS, 1, []),
    ]
    seen = text_of(michael, f"{CATALOG}installed/")
    for part in ("5 minutes ago", "Adrian Pennino and Michael Goldmill", "2 tokens", "Never"):
        assert part in seen
    assert "Nothing is installed yet" in text_of(stranger, f"{CATALOG}installed/")


def test_a_large_account_costs_no_more_queries_than_a_small_one(account: Account) -> None:
    reader = person(account=account)
    TokenFactory(account=account, extension_id=ZAPIER)
    pages = (CATALOG, f"{CATALOG}installed/", f"{CATALOG}{ZAPIER}/")
    # The first visit of a session writes.
    queries(reader, CATALOG)
    few = [queries(reader, page) for page in pages]
    Token.objects.bulk_create(
        Token(
            account=account,
            id=f"SU-900-{n // 1000:03}-{n % 1000:03}",
            name=f"T{n}",
            extension_id=ZAPIER,
            created_by_id=f"UR-{n % 7}",
            created_by_name=f"Person {n % 7}",
        )
        for n in range(5000)
    )
    TokenUsage.objects.bulk_create(
        TokenUsage(token=token) for token in Token.objects.exclude(usage__isnull=False)
    )
    assert [queries(reader, page) for page in pages] == few
    assert max(few) < 25
    assert "In use: 5,001 tokens" in text_of(reader)
    assert "Person 0, Person 1, Person 2 and 4 more" in text_of(reader, f"{CATALOG}installed/")


def queries(somebody: Person, page: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as made:
        assert somebody.client.get(page).status_code == 200
    return len(made)

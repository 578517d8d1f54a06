"""The pages of IP rules: the list, adding, editing and deleting, and the card of a token."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, User
from portal.addresses import read_span
from tests.conftest import Person, Response, stale
from tests.factories import PASSWORD, AccountFactory, TokenFactory
from tokens.models import IPRule, KeyUse, RefusedAddress, Token

LIST = "/integrations/ip-rules/"
ADD = f"{LIST}add/"
OFFICE = {"name": "Head office", "kind": "range", "first": "203.0.113.0", "last": "203.0.113.63"}


def rule(
    account: Account,
    text: str = "203.0.113.0/26",
    name: str = "Head office",
    token: Token | None = None,
    by: User | None = None,
) -> IPRule:
    [made] = IPRule.add(account, token, [(name, read_span(text))], by=by)
    return made


def used(token: Token, address: str, *, days: int = 0, calls: int = 1, agent: str = "") -> KeyUse:
    """Note that the token was used from the address so many days ago."""
    at = timezone.now() - timedelta(days=days, minutes=3)
    key = token.keys.get()
    return KeyUse.objects.create(
        key=key, address=address, agent=agent, calls=calls, first_at=at, last_at=at
    )


def spans(account: Account) -> dict[str, str]:
    rules = IPRule.objects.for_account(account.pk).order_by("name_key")
    return {rule.name: str(rule.span) for rule in rules}


def names(response: Response) -> list[str]:
    return [row.record.name for row in response.context["table"].page.object_list]


# --- The list -------------------------------------------------------------------------------------


def test_without_rules_the_page_says_that_tokens_work_from_anywhere(
    michael: Person, adrian: Person
) -> None:
    page = michael.client.get(LIST).text
    assert "Tokens work from any address" in page
    assert f'href="{ADD}"' in page
    assert f'href="{ADD}"' not in adrian.client.get(LIST).text


def test_the_list_says_what_holds_and_shows_the_rules_of_the_account_only(
    michael: Person, account: Account, token: Token
) -> None:
    rule(account, by=michael.user)
    rule(account, "2001:db8:51::/64", "Office IPv6")
    rule(account, "198.51.100.7", "Of a token", token)
    rule(AccountFactory(), "192.0.2.1", "Elsewhere")
    response = michael.client.get(LIST)
    assert names(response) == ["Head office", "Office IPv6"]
    page = response.text
    assert "Tokens of Mighty Mick&#x27;s LLC work only from these addresses." in page
    assert "Signing in to the portal is not affected." in page
    for words in ("203.0.113.0/26", "64 addresses", "a whole network", "Michael Goldmill"):
        assert words in page


def test_a_member_sees_the_rules_without_buttons(adrian: Person, account: Account) -> None:
    made = rule(account)
    page = adrian.client.get(LIST).text
    assert "Head office" in page
    assert made.pk not in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Export host", "Head office", "Office IPv6"]),
        ("sort=-name", ["Office IPv6", "Head office", "Export host"]),
        ("sort=addresses", ["Export host", "Head office", "Office IPv6"]),
        ("sort=-added", ["Export host", "Office IPv6", "Head office"]),
        ("q=OFFICE", ["Head office", "Office IPv6"]),
        ("q=203.0.113.24", ["Head office"]),
        ("q=203.0.113", ["Head office"]),
        ("q=203.", ["Head office"]),
        ("q=203.0.113.0/25", ["Head office"]),
        ("q=2001:db8:51::9", ["Office IPv6"]),
        ("q=10.0.0.1", []),
        ("version=4", ["Export host", "Head office"]),
        ("version=6", ["Office IPv6"]),
        ("version=5", []),
        ("added_from=2099-01-01", []),
        ("added_to=nonsense", []),
        ("page=9&per_page=10", ["Export host", "Head office", "Office IPv6"]),
    ],
)
def test_the_list_is_searched_filtered_and_sorted(
    michael: Person, account: Account, query: str, expected: list[str]
) -> None:
    rule(account)
    rule(account, "2001:db8:51::/64", "Office IPv6")
    rule(account, "198.51.100.0/28", "Export host")
    assert names(michael.client.get(f"{LIST}?{query}")) == expected


def test_the_layout_is_remembered(michael: Person, account: Account) -> None:
    rule(account)
    michael.client.post(f"{LIST}layout/", {"columns_sent": "1", "columns": ["addresses"]})
    assert "Last matched" not in michael.client.get(LIST).text.partition("<tbody>")[0][-600:]


def test_a_rule_says_when_it_matched_last_and_from_where(
    michael: Person, account: Account, token: Token
) -> None:
    rule(account)
    rule(account, "198.51.100.0/28", "Export host")
    used(token, "203.0.113.24")
    used(token, "203.0.113.25", days=9)
    used(token, "192.0.2.1")
    page = michael.client.get(LIST).text
    assert '3 minutes ago</time></span><span class="sub">203.0.113.24</span>' in page
    assert "Not in 30 days" in page


def test_a_list_costs_the_same_for_many_rules(
    michael: Person,
    account: Account,
    token: Token,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    wanted = [(f"Host {n}", read_span(f"10.{n}.0.8/30")) for n in range(120)]
    IPRule.add(account, None, wanted, by=michael.user)
    for number in range(20):
        used(token, f"10.{number}.0.8")
    with django_assert_max_num_queries(15):
        michael.client.get(f"{LIST}?per_page=100&address=10.7.0.8")


# --- Would it pass? -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("203.0.113.61", "<strong>203.0.113.61 passes,</strong> by the rule Head office."),
        ("::ffff:203.0.113.61", "<strong>203.0.113.61 passes,</strong> by the rule Head office."),
        ("192.0.2.210", "<strong>192.0.2.210 does not pass.</strong>"),
        ("nonsense", "<strong>“nonsense” is not an address.</strong>"),
        ("<b>", "<strong>“&lt;b&gt;” is not an address.</strong>"),
    ],
)
def test_an_address_can_be_tried(
    michael: Person, account: Account, asked: str, answer: str
) -> None:
    rule(account)
    assert answer in michael.client.get(LIST, {"address": asked}).text


def test_the_answer_names_tokens_whose_own_rules_refuse(
    michael: Person, account: Account, token: Token
) -> None:
    rule(account)
    rule(account, "203.0.113.1", "Its own", token)
    passes = TokenFactory(account=account, name="NetSuite Bridge")
    rule(account, "203.0.113.2", "Its own too", passes)
    page = michael.client.get(LIST, {"address": "203.0.113.2"}).text
    assert "1 token has rules of its own that it does not pass:" in page
    answer = page.partition("that it does not pass:")[2].partition("</div>")[0]
    assert "ERP Agreements Sync" in answer
    assert "NetSuite Bridge" not in answer


def test_the_answer_names_who_used_a_refused_address(
    michael: Person, account: Account, token: Token
) -> None:
    rule(account)
    used(token, "192.0.2.210")
    page = michael.client.get(LIST, {"address": "192.0.2.210"}).text
    assert "In 30 days it was used by" in page
    assert "ERP Agreements Sync" in page.partition("In 30 days it was used by")[2]
    assert f"{ADD}?address=192.0.2.210" in page


# --- Adding ---------------------------------------------------------------------------------------


def test_the_first_rule_is_added_without_the_password(michael: Person, account: Account) -> None:
    response = stale(michael.client).post(ADD, OFFICE, follow=True)
    assert spans(account) == {"Head office": "203.0.113.0/26"}
    assert "Head office is added." in response.text
    creator = IPRule.objects.get().created_by
    assert creator
    assert creator.name == "Michael Goldmill"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"kind": "single", "first": "203.0.113.24", "last": "ignored"}, "203.0.113.24"),
        ({"kind": "single", "first": "203.0.113.0/26"}, "203.0.113.0/26"),
        ({"kind": "range", "first": "203.0.113.0/26", "last": ""}, "203.0.113.0/26"),
        ({"kind": "range", "first": "203.0.113.0", "last": "203.0.113.0/26"}, "203.0.113.0/26"),
        (
            {"kind": "range", "first": "2001:db8::1", "last": "2001:db8::2"},
            "2001:db8::1 – 2001:db8::2",
        ),
        ({"kind": "range", "first": "203.0.113.1 - 203.0.113.9"}, "203.0.113.1 – 9"),
    ],
)
def test_addresses_are_understood_in_either_field(
    michael: Person, account: Account, sent: dict[str, Any], stored: str
) -> None:
    michael.client.post(ADD, {"name": "Head office", **sent})
    assert spans(account) == {"Head office": stored}


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ({"first": "x"}, "Enter an address such as 203.0.113.24 or 2001:db8::1."),
        ({"first": ""}, "Enter an address such as 203.0.113.24 or 2001:db8::1."),
        ({"last": ""}, "Enter an address such as 203.0.113.24 or 2001:db8::1."),
        ({"last": "203.0.112.9"}, "The last address comes before the first."),
        ({"last": "2001:db8::1"}, "Both addresses must be IPv4, or both IPv6."),
        (
            {"first": "0.0.0.0/0", "last": ""},
            "This is the whole Internet. Delete the rules instead.",
        ),
        (
            {"first": "203.0.113.0/26"},
            "Leave this empty, since the first field has a whole range.",
        ),
        ({"last": "203.0.112.0/26"}, "This range begins at another address."),
        ({"first": "198.51.100.7", "kind": "single"}, "Night export covers it already."),
        ({"name": ""}, "Enter a name for the rule."),
        ({"name": "NIGHT export"}, "already exists"),
        ({"name": "x" * 65}, "Shorten the name by 1 character."),
        ({"name": "a\u200bb"}, "Remove the hidden characters"),
        ({"kind": "other"}, "is not one of the available choices"),
    ],
)
def test_a_mistake_is_told_in_words_and_nothing_is_saved(
    michael: Person, account: Account, sent: dict[str, str], problem: str
) -> None:
    rule(account, "198.51.100.0/24", "Night export")
    response = michael.client.post(ADD, {**OFFICE, **sent})
    assert response.status_code == 200
    assert problem in response.text
    assert list(spans(account)) == ["Night export"]


def test_the_page_says_whom_the_first_rule_stops_before_it_is_saved(
    michael: Person, account: Account, token: Token
) -> None:
    other = TokenFactory(account=account, name="Price List Export")
    used(token, "203.0.113.24")
    used(token, "198.51.100.7", days=1, calls=488)
    used(token, "2001:db8:51::7", days=6)
    used(other, "192.0.2.210", days=9, calls=18)
    used(other, "192.0.2.99", days=31)
    used(TokenFactory(), "192.0.2.98")
    page = michael.client.post(ADD, OFFICE).text
    assert not IPRule.objects.exists()
    assert "The first rule stops everybody else." in page
    assert "2 tokens were called from other addresses in the last 30 days." in page
    assert "ERP Agreements Sync, 488 calls since" in page
    boxes = {
        address: f'name="also" value="{address}" checked' in page
        for address in ("198.51.100.7", "2001:db8:51::7", "192.0.2.210")
    }
    assert boxes == {"198.51.100.7": True, "2001:db8:51::7": True, "192.0.2.210": False}
    assert "Add 3 Rules" in page
    for unconcerned in ("203.0.113.24", "192.0.2.99", "192.0.2.98"):
        assert f'value="{unconcerned}"' not in page
    listed = [*boxes]
    michael.client.post(ADD, {**OFFICE, "listed": listed, "also": listed[:2]})
    assert spans(account) == {
        "198.51.100.7": "198.51.100.7",
        "2001:db8:51::7": "2001:db8:51::7",
        "Head office": "203.0.113.0/26",
    }


def test_what_came_up_since_it_was_listed_is_listed_before_it_is_saved(
    michael: Person, account: Account, token: Token
) -> None:
    used(token, "198.51.100.7")
    sent = {**OFFICE, "listed": ["198.51.100.7"]}
    used(token, "192.0.2.210")
    assert "192.0.2.210" in michael.client.post(ADD, sent).text
    assert not IPRule.objects.exists()


def test_only_listed_addresses_can_be_ticked(
    michael: Person, account: Account, token: Token
) -> None:
    michael.client.post(ADD, {**OFFICE, "also": ["192.0.2.210", "nonsense"]})
    assert spans(account) == {"Head office": "203.0.113.0/26"}


def test_letting_more_addresses_in_asks_for_the_password(michael: Person, account: Account) -> None:
    rule(account)
    client = stale(michael.client)
    sent = {"name": "Export host", "kind": "single", "first": "198.51.100.7"}
    page = client.post(ADD, sent).text
    assert "To let in calls from more addresses" in page
    assert len(spans(account)) == 1
    client.post(ADD, {**sent, "sudo_password": PASSWORD})
    assert len(spans(account)) == 2


def test_the_persons_own_address_can_be_filled_in(michael: Person, account: Account) -> None:
    client = michael.client
    page = client.post(ADD, {"name": "Here", "current": "1"}, REMOTE_ADDR="8.8.4.4").text
    assert 'value="8.8.4.4"' in page
    assert 'value="Here"' in page
    assert "You are at 8.8.4.4." in page
    assert not IPRule.objects.exists()


def test_a_private_address_is_not_offered(michael: Person) -> None:
    page = michael.client.get(ADD, REMOTE_ADDR="10.0.0.2").text
    assert "Add Current IP" not in page
    assert "10.0.0.2" not in page


def test_an_address_from_another_page_is_filled_in(michael: Person) -> None:
    assert 'value="192.0.2.210"' in michael.client.get(f"{ADD}?address=192.0.2.210").text


# --- Editing and deleting -------------------------------------------------------------------------


def test_a_rule_is_edited_and_narrowing_needs_no_password(
    michael: Person, account: Account
) -> None:
    made = rule(account)
    client = stale(michael.client)
    url = f"{LIST}{made.pk}/edit/"
    assert 'value="203.0.113.63"' in client.get(url).text
    client.post(url, {**OFFICE, "name": "Office", "last": "203.0.113.31"})
    assert spans(account) == {"Office": "203.0.113.0/27"}
    page = client.post(url, {**OFFICE, "name": "Office"}).text
    assert "To let in calls from more addresses" in page
    assert spans(account) == {"Office": "203.0.113.0/27"}


def test_narrowing_says_whom_it_stops_and_can_let_them_go_on(
    michael: Person, account: Account, token: Token
) -> None:
    made = rule(account)
    used(token, "203.0.113.61")
    url, sent = f"{LIST}{made.pk}/edit/", {**OFFICE, "last": "203.0.113.31"}
    page = michael.client.post(url, sent).text
    assert "This stops 1 token" in page
    assert spans(account) == {"Head office": "203.0.113.0/26"}
    michael.client.post(url, {**sent, "listed": "203.0.113.61", "also": "203.0.113.61"})
    assert spans(account) == {"203.0.113.61": "203.0.113.61", "Head office": "203.0.113.0/27"}


def test_saving_unchanged_changes_nothing(michael: Person, account: Account) -> None:
    made = rule(account)
    response = michael.client.post(f"{LIST}{made.pk}/edit/", OFFICE, follow=True)
    assert "Nothing was changed." in response.text


def test_deleting_says_whom_it_stops_and_the_last_one_asks_for_the_password(
    michael: Person, account: Account, token: Token
) -> None:
    office, host = rule(account), rule(account, "198.51.100.7", "Export host")
    used(token, "203.0.113.24", calls=7)
    client = stale(michael.client)
    page = client.get(f"{LIST}{office.pk}/delete/").text
    assert "This stops 1 token" in page
    assert "ERP Agreements Sync, 7 calls since" in page
    client.post(f"{LIST}{office.pk}/delete/")
    assert list(spans(account)) == ["Export host"]
    page = client.get(f"{LIST}{host.pk}/delete/").text
    assert "Without rules tokens work from any address." in page
    assert "Confirm That It Is You" in client.post(f"{LIST}{host.pk}/delete/").text
    assert list(spans(account)) == ["Export host"]
    client.post(f"{LIST}{host.pk}/delete/", {"sudo_password": PASSWORD})
    assert spans(account) == {}


@pytest.mark.parametrize("verb", ["edit", "delete"])
def test_rules_of_others_are_404_and_members_may_not(
    michael: Person, adrian: Person, stranger: Person, account: Account, verb: str
) -> None:
    made = rule(account)
    url = f"{LIST}{made.pk}/{verb}/"
    assert stranger.client.get(url).status_code == 404
    assert stranger.client.post(url, OFFICE).status_code == 404
    assert adrian.client.post(url, OFFICE).status_code == 403
    assert michael.client.put(url).status_code == 405
    assert spans(account) == {"Head office": "203.0.113.0/26"}


# --- Refused calls --------------------------------------------------------------------------------


def test_refused_addresses_are_listed_while_rules_refuse_them(
    michael: Person, account: Account, token: Token
) -> None:
    office = rule(account)
    now = timezone.now()
    for address in ("192.0.2.210", "203.0.113.24"):
        RefusedAddress.objects.create(
            token=token, address=address, agent="python-requests/2.32", first_at=now, last_at=now
        )
    page = michael.client.get(LIST).text
    assert "Refused by These Rules" in page
    assert "192.0.2.210" in page
    assert "python-requests/2.32" in page
    assert "203.0.113.24" not in page.partition("Refused by These Rules")[2]
    office.remove(by=None)
    assert "Refused by These Rules" not in michael.client.get(LIST).text

"""The IP rules of a token of its own."""

from django.test import Client

from accounts.models import Account
from tests.conftest import Person, person
from tests.factories import TokenFactory
from tests.tokens.test_ip_rules_pages import ADD, LIST, OFFICE, rule, spans, used
from tests.tokens.test_policies import impose
from tokens.models import IPRule, Token


def detail(client: Client, token: Token) -> str:
    return client.get(f"/integrations/tokens/{token.pk}/").text


def test_a_token_has_rules_of_its_own(michael: Person, account: Account, token: Token) -> None:
    add = f"/integrations/tokens/{token.pk}/ip-rules/add/"
    page = detail(michael.client, token)
    assert f'href="{add}"' in page
    assert "IP Rules of This Token" not in page
    assert "May call only from" not in page
    assert "The rule is for ERP Agreements Sync alone." in michael.client.get(add).text
    response = michael.client.post(add, OFFICE)
    assert response["Location"] == f"/integrations/tokens/{token.pk}/"
    page = detail(michael.client, token)
    assert "IP Rules of This Token" in page
    assert "<strong>May call only from</strong> 203.0.113.0/26." in page
    assert "No call was refused by IP rules in the last 30 days." in page
    assert spans(account) == {}


def test_the_page_of_a_token_says_that_the_account_s_rules_hold_too(
    michael: Person, account: Account, token: Token
) -> None:
    rule(account)
    assert "<strong>May call only from</strong> 203.0.113.0/26." in detail(michael.client, token)
    rule(account, "203.0.113.24", "ERP servers", token)
    page = detail(michael.client, token)
    assert "The 1 rule of the account holds as well: an address must pass both." in page
    assert "<strong>May call only from</strong> 203.0.113.24." in page


def test_a_rule_of_a_token_stops_only_its_own_calls(
    michael: Person, account: Account, token: Token
) -> None:
    used(TokenFactory(account=account), "192.0.2.210")
    add = f"/integrations/tokens/{token.pk}/ip-rules/add/"
    michael.client.post(add, OFFICE)
    assert token.ip_rules.count() == 1


def test_a_deleted_token_gets_no_rules(michael: Person, token: Token) -> None:
    token.remove(by=None)
    add = f"/integrations/tokens/{token.pk}/ip-rules/add/"
    assert michael.client.post(add, OFFICE).status_code == 302
    assert not IPRule.objects.exists()


def test_the_account_of_a_rule_is_the_one_the_person_acts_for(
    michael: Person, stranger: Person
) -> None:
    stranger.client.post(ADD, OFFICE)
    assert spans(michael.account) == {}
    assert spans(stranger.account) == {"Head office": "203.0.113.0/26"}


def test_another_person_s_rules_are_not_reached_by_a_token_of_theirs(token: Token) -> None:
    other = person()
    assert (
        other.client.post(f"/integrations/tokens/{token.pk}/ip-rules/add/", OFFICE).status_code
        == 404
    )


def test_pages_do_not_say_that_tokens_work_without_the_rules_that_a_policy_requires(
    michael: Person, account: Account, token: Token
) -> None:
    impose(account, rules_required=True)
    for own in (None, token):
        made = rule(account, token=own)
        path = f"{LIST}{made.pk}/delete/"
        for text in (
            michael.client.get(path).text,
            michael.client.get(f"/integrations/tokens/{token.pk}/").text,
            michael.client.post(path, follow=True).text,
        ):
            assert "from any address" not in text
    assert "No token works without IP rules" in michael.client.get(LIST).text


def test_the_rules_of_a_deleted_token_stay_as_they_are(
    michael: Person, account: Account, token: Token
) -> None:
    made = rule(account, token=token)
    token.remove(by=None)
    for action, data in (("edit", {**OFFICE, "last": "203.0.113.99"}), ("delete", {})):
        path = f"{LIST}{made.pk}/{action}/"
        assert "A deleted token cannot be changed." in michael.client.get(path, follow=True).text
        text = michael.client.post(path, data, follow=True).text
        assert "A deleted token cannot be changed." in text
        assert path not in text
    assert str(IPRule.objects.get().span) == "203.0.113.0/26"

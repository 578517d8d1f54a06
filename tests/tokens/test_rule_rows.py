"""IP rules as rows: which of them a verb touches, what it answers and records, to the moment."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Exists

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from portal.addresses import Span, read_span
from portal.fields import Actor
from tests.conftest import Clock, Person
from tests.factories import AccountFactory, TokenFactory
from tests.tokens.test_ip_rules import rule
from tokens.models import IPRule, RefusedAddress, Token
from tokens.models.guards import MOST

TICK = timedelta(microseconds=1)
ONE, TWO, THREE = "203.0.113.0/28", "203.0.113.16/28", "203.0.113.32/28"


def rows(**of: Any) -> list[dict[str, Any]]:
    return list(map(dict, IPRule.objects.filter(**of).order_by("pk").values()))


def told() -> list[tuple[str, Any]]:
    events = Event.objects.filter(action__startswith="rules.").order_by("number")
    return [(event.action, event.changes) for event in events]


def wanted(**names: str) -> dict[Span, str]:
    """Return names of rules by their addresses."""
    texts = {"one": ONE, "two": TWO, "three": THREE}
    return {read_span(texts[which]): name for which, name in names.items()}


# --- One rule -------------------------------------------------------------------------------------


def test_a_rule_is_changed_and_no_other_and_says_whether(
    account: Account, token: Token, michael: Person
) -> None:
    first, second = rule(account, ONE, "One"), rule(account, TWO, "Two")
    before = rows(pk=first.pk)
    assert second.change("Two", read_span(TWO), by=michael.user) is False
    assert second.change("Second", read_span(TWO), by=michael.user) is True
    assert second.change("Second", read_span(THREE), by=michael.user) is True
    assert second.change("SECOND", read_span(THREE), by=michael.user) is True
    assert rows(pk=first.pk) == before
    (row,) = rows(pk=second.pk)
    assert (row["name"], row["scope"], row["created_by_id"]) == ("SECOND", account.pk, "")
    assert str(IPRule.objects.get(pk=second.pk).span) == str(second.span) == THREE
    with pytest.raises(ValidationError, match="already exists"):
        second.change("one", read_span(THREE), by=None)
    with pytest.raises(ValidationError, match="covers it already"):
        second.change("Second", read_span("203.0.113.3"), by=None)
    assert [changes for _action, changes in told()[2:]] == [
        {"rule": ["Two", "Second"], "addresses": [TWO, TWO]},
        {"addresses": [TWO, THREE]},
        {"rule": ["Second", "SECOND"], "addresses": [THREE, THREE]},
    ]


def test_each_of_several_rules_is_told_by_what_it_was(account: Account) -> None:
    names = {"One": ONE, "Two": TWO, "Three": THREE}
    for name, text in names.items():
        rule(account, text, name)
    for made in IPRule.objects.order_by("-pk"):
        made.change(f"{made.name}!", made.span, by=None)
    renamed = {changes["rule"][0]: changes for action, changes in told()[-3:]}
    assert renamed == {
        name: {"rule": [name, f"{name}!"], "addresses": [text, text]}
        for name, text in names.items()
    }


def test_what_happens_to_a_rule_of_a_token_names_the_rule_in_the_trail_of_the_token(
    account: Account, token: Token
) -> None:
    made = rule(account, ONE, "Mine", token)
    made.change("Mine", read_span(TWO), by=None)
    made.change("Ours", read_span(TWO), by=None)
    made.remove(by=None)
    changes = [
        event.changes
        for event in token.events.filter(action__startswith="rules.").order_by("number")
    ]
    assert changes == [
        {"rule": [None, "Mine"], "addresses": [None, ONE]},
        {"rule": ["Mine", "Mine"], "addresses": [ONE, TWO]},
        {"rule": ["Mine", "Ours"], "addresses": [TWO, TWO]},
        {"rule": ["Ours", None], "addresses": [TWO, None]},
    ]


def test_a_rule_of_the_account_that_keeps_its_name_is_told_by_its_addresses(
    account: Account,
) -> None:
    rule(account, ONE, "One").change("One", read_span(TWO), by=None)
    assert told()[-1] == ("rules.changed", {"addresses": [ONE, TWO]})


def test_a_rule_is_removed_once_and_no_other(account: Account) -> None:
    first, second = rule(account, ONE, "One"), rule(account, TWO, "Two")
    assert first.remove(by=None) is True
    assert first.remove(by=None) is False
    assert [*IPRule.objects.all()] == [second]
    assert told()[2:] == [("rules.deleted", {"rule": ["One", None], "addresses": [ONE, None]})]


def test_the_rules_of_a_token_and_those_of_its_account_are_told_apart(
    account: Account, token: Token, michael: Person, stranger: Person
) -> None:
    other = TokenFactory(account=account)
    ours, mine = rule(account, ONE, "Ours"), rule(account, ONE, "Mine", token)
    theirs = rule(stranger.account, ONE, "Theirs")
    assert [*IPRule.rules_of(account, None)] == [ours]
    assert [*IPRule.rules_of(account, token)] == [mine]
    assert [*IPRule.objects.for_account(account.pk)] == [ours]
    assert {*IPRule.objects.visible_to(michael.membership)} == {ours, mine}
    assert [*IPRule.objects.visible_to(stranger.membership)] == [theirs]
    ruled = Token.objects.filter(Exists(IPRule.objects.holding_for()))
    assert {*ruled} == {token, other}
    ours.remove(by=None)
    assert [*ruled.all()] == [token]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("203.0.113.15", []),
        ("203.0.113.16", ["Two"]),
        ("203.0.113.31", ["Two"]),
        ("203.0.113.32", []),
    ],
)
def test_a_rule_covers_its_addresses_from_the_first_to_the_last(
    account: Account, address: str, found: list[str]
) -> None:
    rule(account, TWO, "Two")
    assert [each.name for each in IPRule.objects.covering(address)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("203.0.113.15", ["One"]),
        ("203.0.113.16", ["Two"]),
        ("203.0.113.31", ["Two"]),
        ("203.0.113.15 - 203.0.113.16", ["One", "Two"]),
        ("203.0.113.47", []),
        ("tw", ["Two"]),
        ("TWO", ["Two"]),
        ("three", []),
    ],
)
def test_a_rule_is_found_by_its_name_or_any_of_its_addresses(
    account: Account, text: str, found: list[str]
) -> None:
    rule(account, ONE, "One")
    rule(account, TWO, "Two")
    assert [each.name for each in IPRule.objects.search(text).order_by("name")] == found
    if text[0].isdigit():
        span = read_span(text)
        overlapping = IPRule.objects.overlapping(span).order_by("name")
        assert [each.name for each in overlapping] == found


def test_a_rule_cannot_have_some_addresses_of_another_of_its_scope(
    account: Account, token: Token
) -> None:
    rule(account, TWO, "Two")
    for text, problem in (
        ("203.0.113.15 - 203.0.113.16", "overlaps it. Edit that rule"),
        ("203.0.113.31 - 203.0.113.32", "overlaps it. Edit that rule"),
        ("203.0.113.0/24", "overlaps it. Edit that rule"),
        ("203.0.113.20", "covers it already"),
        (TWO, "covers it already"),
    ):
        with pytest.raises(ValidationError, match=problem) as refused:
            rule(account, text, "New")
        assert {*refused.value.message_dict} == {"first"}
    rule(account, ONE, "One")
    rule(account, TWO, "Mine", token)
    rule(AccountFactory(), TWO, "Theirs")


@pytest.mark.parametrize("name", ["", " ", "x" * 65])
def test_a_rule_has_a_name_of_at_most_64_characters(account: Account, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        rule(account, ONE, name)
    assert {*refused.value.message_dict} == {"name"}
    assert rule(account, ONE, "x" * 64)


def test_a_rule_says_who_added_it_and_changing_it_does_not(
    account: Account, michael: Person
) -> None:
    [made] = IPRule.add(account, None, [("One", read_span(ONE))], by=michael.user)
    made.change("Two", read_span(ONE), by=None)
    assert IPRule.objects.get().created_by == Actor.of(michael.user)


# --- All rules at once ----------------------------------------------------------------------------


def test_all_rules_are_replaced_at_once_and_each_change_is_told(
    account: Account, token: Token, michael: Person
) -> None:
    mine = rule(account, ONE, "Mine", token)
    theirs = rule(AccountFactory(), ONE, "Theirs")
    IPRule.replace(account, wanted(one="One", two="Two"), by=michael.user)
    kept = IPRule.objects.get(name="One")
    assert (kept.scope, kept.created_by) == (account.pk, Actor.of(michael.user))
    before = len(told())
    IPRule.replace(account, wanted(one="First", three="Three"), by=michael.user)
    assert told()[before:] == [
        ("rules.deleted", {"rule": ["Two", None], "addresses": [TWO, None]}),
        ("rules.changed", {"rule": ["One", "First"], "addresses": [ONE, ONE]}),
        ("rules.added", {"rule": [None, "Three"], "addresses": [None, THREE]}),
    ]
    assert {event.actor_id for event in Event.objects.order_by("-number")[:3]} == {michael.user.pk}
    assert {(each.name, str(each.span)) for each in IPRule.rules_of(account, None)} == {
        ("First", ONE),
        ("Three", THREE),
    }
    assert IPRule.objects.get(name="First").pk == kept.pk
    assert {mine, theirs} <= {*IPRule.objects.all()}
    assert {*IPRule.objects.values_list("name_key", flat=True)} == {
        *("first", "three", "mine", "theirs")
    }


def test_two_rules_can_swap_their_names(account: Account) -> None:
    theirs = rule(AccountFactory(), ONE, "Theirs")
    IPRule.replace(account, wanted(one="One", two="Two", three="Three"), by=None)
    IPRule.replace(account, wanted(one="Two", two="One", three="Three"), by=None)
    keys = {str(each.span): each.name_key for each in IPRule.rules_of(account, None)}
    assert keys == {ONE: "two", TWO: "one", THREE: "three"}
    assert rows(pk=theirs.pk)[0]["name_key"] == "theirs"


def test_the_same_rules_again_change_nothing(account: Account) -> None:
    IPRule.replace(account, wanted(one="One"), by=None)
    before = (rows(), told())
    IPRule.replace(account, wanted(one="One"), by=None)
    assert (rows(), told()) == before


@pytest.mark.parametrize(
    ("texts", "problem", "field"),
    [
        ({ONE: "Same", TWO: "same"}, "already exists", "name"),
        ({ONE: "Mine"}, "already exists", "name"),
        ({ONE: ""}, "cannot be blank", "name"),
        ({"0.0.0.0/0": "All"}, "whole Internet", "first"),
        ({ONE: "A", "203.0.113.15 - 203.0.113.16": "B"}, "overlaps it", "first"),
        ({"203.0.113.0/24": "A", TWO: "B"}, "covers it already", "first"),
    ],
)
def test_rules_that_may_not_be_together_are_refused_as_a_whole(
    account: Account, token: Token, texts: dict[str, str], problem: str, field: str
) -> None:
    rule(account, ONE, "Mine", token)
    rule(AccountFactory(), ONE, "Same")
    before = rows()
    with pytest.raises(ValidationError, match=problem) as refused:
        IPRule.replace(account, {read_span(text): name for text, name in texts.items()}, by=None)
    assert {*refused.value.message_dict} == {field}
    assert rows() == before


def test_rules_that_touch_do_not_overlap(account: Account) -> None:
    IPRule.replace(account, wanted(two="Two", one="One"), by=None)
    assert len(IPRule.rules_of(account, None).spans()) == 2


def test_an_account_may_have_so_many_rules_with_those_of_its_tokens(
    account: Account, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST == 1_000
    monkeypatch.setattr("tokens.models.guards.MOST", 3)
    rule(account, ONE, "Mine", token)
    rule(AccountFactory(), ONE, "Theirs")
    IPRule.replace(account, wanted(one="One", two="Two"), by=None)
    with pytest.raises(ValidationError, match="at most 3 IP rules"):
        IPRule.replace(account, wanted(one="One", two="Two", three="Three"), by=None)
    with pytest.raises(ValidationError, match="at most 3 IP rules"):
        rule(account, THREE, "Three")
    # To change one takes no more room.
    assert IPRule.objects.get(name="Two").change("Second", read_span(TWO), by=None)


# --- Refused addresses ----------------------------------------------------------------------------


def note(token: Token, address: str = "192.0.2.1", agent: str = "erp/1") -> None:
    RefusedAddress.note(token, address, agent)


def test_a_refused_address_is_noted_again_after_a_minute_with_its_latest_program(
    token: Token, clock: Clock
) -> None:
    began = clock.now
    note(token)
    note(token, "192.0.2.2")
    for ahead, agent, noted in (
        (timedelta(minutes=1) - TICK, "erp/2", (began, "erp/1")),
        (timedelta(minutes=1), "erp/3", (began + timedelta(minutes=1), "erp/3")),
        # The clock was put back: what lies ahead is noted again.
        (timedelta(0), "erp/4", (began, "erp/4")),
        (timedelta(0), "erp/5", (began, "erp/4")),
    ):
        clock.now = began + ahead
        note(token, agent=agent)
        row = RefusedAddress.objects.get(address="192.0.2.1")
        assert (row.last_at, row.agent) == noted
        assert row.first_at == began
    other = RefusedAddress.objects.get(address="192.0.2.2")
    assert (other.last_at, other.agent, str(other)) == (began, "erp/1", f"{token.pk} 192.0.2.2")


def test_refused_addresses_are_kept_for_thirty_days_and_the_latest_twenty_of_each_token(
    token: Token, clock: Clock
) -> None:
    other = TokenFactory(account=token.account)
    note(other)
    note(token, "192.0.2.200")
    clock.move(days=30, microseconds=-1)
    note(token, "192.0.2.201")
    assert RefusedAddress.objects.filter(token=token).count() == 2
    clock.move(microseconds=1)
    note(token, "192.0.2.202")
    kept = RefusedAddress.objects.filter(token=token).order_by("address")
    assert [row.address for row in kept] == ["192.0.2.201", "192.0.2.202"]
    for number in range(20):
        note(token, f"192.0.2.{number}")
    kept = RefusedAddress.objects.filter(token=token)
    assert {row.address for row in kept} == {f"192.0.2.{number}" for number in range(20)}
    assert RefusedAddress.objects.filter(token=other).count() == 1


def test_ten_new_addresses_within_an_hour_are_told_and_more_later(
    token: Token, clock: Clock
) -> None:
    def told() -> int:
        return token.events.filter(action=Action.ADDRESS_REFUSED).count()

    for number in range(11):
        note(token, f"192.0.2.{number}")
    assert told() == 10
    clock.move(hours=1, microseconds=-1)
    note(token, "192.0.2.50")
    assert told() == 10
    clock.move(microseconds=1)
    note(token, "192.0.2.51")
    assert told() == 11

"""IP rules: what may be saved, and whom the gate lets in from where."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Account
from activity.models import Event
from portal.addresses import MAPPED, Span, at, packed, place, read_span
from tests.conftest import Person, Response
from tests.factories import AccountFactory, TokenFactory, header
from tests.tokens.test_gate import gate_alone
from tokens.models import IPRule, RefusedAddress, Token

OFFICE = "203.0.113.0/26"


def rule(
    account: Account, text: str = OFFICE, name: str = "Head office", token: Token | None = None
) -> IPRule:
    [made] = IPRule.add(account, token, [(name, read_span(text))], by=None)
    return made


def call_from(
    client: Client, token: Token, address: str, path: str = "agreements", **headers: Any
) -> Response:
    headers = {"authorization": header(token), **headers}
    return client.get(f"/public/v1/{path}", headers=headers, REMOTE_ADDR=address)


# --- The gate -------------------------------------------------------------------------------------


def test_without_rules_a_token_works_from_any_address(client: Client, token: Token) -> None:
    for address in ("203.0.113.24", "2001:db8::7", ""):
        assert call_from(client, token, address).status_code == 200


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("203.0.113.0", 200),
        ("203.0.113.24", 200),
        ("203.0.113.63", 200),
        ("203.0.113.64", 403),
        ("203.0.112.255", 403),
        ("::ffff:203.0.113.24", 200),
        ("::ffff:203.0.113.64", 403),
        ("2001:db8::7", 403),
        ("::cb00:7118", 403),
    ],
)
def test_a_token_works_only_from_the_addresses_of_the_rules(
    client: Client, token: Token, account: Account, address: str, status: int
) -> None:
    rule(account)
    assert call_from(client, token, address).status_code == status


def test_a_refusal_is_403_and_names_the_address_seen(
    client: Client, token: Token, account: Account
) -> None:
    rule(account)
    response = call_from(client, token, "192.0.2.210")
    assert response.status_code == 403
    assert response["Content-Type"] == "application/json"
    assert response.json() == {
        "error_code": "AUTH_007",
        "errors": [
            f"The token {token.pk} may not be used from the address 192.0.2.210. The IP rules of "
            "the account do not have it."
        ],
    }


def test_an_unknown_address_is_refused_once_there_is_a_rule(
    client: Client, token: Token, account: Account
) -> None:
    rule(account)
    response = call_from(client, token, "")
    assert response.status_code == 403
    assert "from an address that is not known" in response.json()["errors"][0]


def test_only_the_holder_of_the_key_learns_that_the_address_is_refused(
    client: Client, token: Token, account: Account
) -> None:
    rule(account)
    wrong = f"ApiKey {token.pk}:{'0' * 40}"
    response = client.get(
        "/public/v1/agreements", headers={"authorization": wrong}, REMOTE_ADDR="192.0.2.210"
    )
    assert response.status_code == 401
    assert "address" not in response.text


def test_the_address_is_checked_before_the_module(
    client: Client, token: Token, account: Account
) -> None:
    rule(account)
    response = call_from(client, token, "192.0.2.210", "contracts")
    assert response.json()["error_code"] == "AUTH_007"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "status"),
    [
        (0, "203.0.113.24", 403),
        (1, "203.0.113.24", 200),
        # What a client writes itself stands left of what the proxy adds.
        (1, "203.0.113.24, 192.0.2.210", 403),
        (1, "192.0.2.210, 203.0.113.24", 200),
        (1, "unknown", 403),
        (1, "nonsense", 403),
        (1, "[::ffff:203.0.113.24]:443", 200),
    ],
)
def test_only_a_trusted_proxy_says_where_a_call_comes_from(
    client: Client,
    token: Token,
    account: Account,
    settings: Settings,
    proxies: int,
    forwarded: str,
    status: int,
) -> None:
    settings.TRUSTED_PROXIES = proxies
    rule(account)
    response = call_from(client, token, "10.0.0.2", x_forwarded_for=forwarded)
    assert response.status_code == status


def test_rules_of_a_token_hold_besides_those_of_the_account(
    client: Client, token: Token, account: Account
) -> None:
    other = TokenFactory(account=account)
    rule(account, "203.0.113.24 - 203.0.113.30", "ERP servers", token)
    assert call_from(client, token, "203.0.113.24").status_code == 200
    refused = call_from(client, token, "203.0.113.31")
    assert refused.status_code == 403
    assert "The IP rules of the token do not have it." in refused.json()["errors"][0]
    assert call_from(client, other, "192.0.2.210").status_code == 200
    rule(account, "203.0.113.28 - 203.0.113.60")
    answers = {
        address: [call_from(client, each, address).status_code for each in (token, other)]
        for address in ("203.0.113.24", "203.0.113.28", "203.0.113.40", "203.0.113.61")
    }
    assert answers == {
        "203.0.113.24": [403, 403],
        "203.0.113.28": [200, 200],
        "203.0.113.40": [403, 200],
        "203.0.113.61": [403, 403],
    }


def test_rules_of_other_accounts_and_tokens_say_nothing(client: Client, token: Token) -> None:
    other = AccountFactory()
    rule(other, "198.51.100.0/24")
    rule(other, "198.51.100.0/24", "Its token's", TokenFactory(account=other))
    rule(token.account, "198.51.100.7", "Another token's", TokenFactory(account=token.account))
    assert call_from(client, token, "203.0.113.24").status_code == 200
    rule(token.account)
    assert call_from(client, token, "198.51.100.7").status_code == 403


def test_a_change_holds_from_the_next_call_on(
    client: Client, token: Token, account: Account
) -> None:
    made = rule(account)
    assert call_from(client, token, "192.0.2.210").status_code == 403
    made.change("Head office", read_span("192.0.2.210"), by=None)
    assert call_from(client, token, "192.0.2.210").status_code == 200
    assert call_from(client, token, "203.0.113.24").status_code == 403
    made.remove(by=None)
    assert call_from(client, token, "203.0.113.24").status_code == 200


def test_the_gate_finds_the_rule_among_many(client: Client, token: Token, account: Account) -> None:
    wanted = [(f"Host {n}", read_span(f"10.{n}.0.8/30")) for n in range(200)]
    IPRule.add(account, None, wanted, by=None)
    for address, status in (("10.77.0.8", 200), ("10.77.0.12", 403), ("10.199.0.11", 200)):
        assert call_from(client, token, address).status_code == status


def test_the_gate_still_costs_one_query(
    client: Client,
    token: Token,
    account: Account,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    rule(account)
    rule(account, "203.0.113.24", "Its own", token)
    call_from(client, token, "203.0.113.24")
    key = {"authorization": header(token)}
    request = RequestFactory().get("/", headers=key, REMOTE_ADDR="203.0.113.24")
    with django_assert_num_queries(1):
        assert gate_alone(request).status_code == 200


addresses = st.one_of(
    st.integers(0, 2**32 - 1).map(lambda number: number + int(MAPPED[0])),
    st.integers(0, 2**128 - 1),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(addresses, st.integers(0, 40)), min_size=1, max_size=5), st.data())
def test_gate_and_model_agree_on_every_address(
    client: Client, token: Token, account: Account, ends: list[tuple[int, int]], data: Any
) -> None:
    IPRule.objects.all().delete()
    for number, (first, length) in enumerate(ends):
        last = min(first + 2**length, 2**128 - 1)
        span = Span(at(first), at(last))
        if span.first.version != span.last.version:
            continue
        try:
            IPRule.add(account, None, [(f"Rule {number}", span)], by=None)
        except ValidationError:
            continue
    spans = IPRule.objects.for_account(account.pk).spans()
    edges = [n for first, length in ends for n in (first - 1, first, first + 2**length)]
    number = data.draw(st.one_of(addresses, st.sampled_from(edges)))
    address = str(at(min(max(number, 0), 2**128 - 1)))
    passes = not spans or any(span.covers(address) for span in spans)
    assert call_from(client, token, address).status_code == (200 if passes else 403)


# --- Refused calls --------------------------------------------------------------------------------


def test_a_refused_address_is_noted_with_its_program(
    client: Client, token: Token, account: Account
) -> None:
    rule(account)
    call_from(client, token, "192.0.2.210", user_agent="python-requests/2.32")
    call_from(client, token, "203.0.113.24", user_agent="erp-sync/2.1")
    row = RefusedAddress.objects.get()
    assert (row.token, row.address, row.agent) == (token, "192.0.2.210", "python-requests/2.32")


def test_the_first_refusal_of_an_address_stands_in_the_trail(
    client: Client, token: Token, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokens.models.guards.RECORDED", 2)
    rule(account)
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3", "203.0.113.24"):
        call_from(client, token, address)
    entries = token.events.filter(action="tokens.address-refused").order_by("number")
    told = [(entry.actor_id, entry.address) for entry in entries]
    assert told == [(token.pk, "192.0.2.1"), (token.pk, "192.0.2.2")]


def test_only_the_latest_refused_addresses_of_a_token_are_kept(
    client: Client, token: Token, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokens.models.guards.REFUSED", 3)
    rule(account)
    for number in range(5):
        call_from(client, token, f"192.0.2.{number}")
    kept = RefusedAddress.objects.order_by("-last_at").values_list("address", flat=True)
    assert [*kept] == ["192.0.2.4", "192.0.2.3", "192.0.2.2"]


# --- What may be saved ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words", "size"),
    [
        ("203.0.113.24", "203.0.113.24", "1 address"),
        (" 203.0.113.0/26 ", "203.0.113.0/26", "64 addresses"),
        ("203.0.113.9/26", "203.0.113.0/26", "64 addresses"),
        ("203.0.113.24/32", "203.0.113.24", "1 address"),
        ("203.0.113.24 - 203.0.113.25", "203.0.113.24/31", "2 addresses"),
        ("203.0.113.25–203.0.113.26", "203.0.113.25 – 26", "2 addresses"),
        ("203.0.113.25 - 203.0.114.1", "203.0.113.25 – 203.0.114.1", "233 addresses"),
        ("::ffff:203.0.113.0/122", "203.0.113.0/26", "64 addresses"),
        ("2001:DB8:51::/64", "2001:db8:51::/64", "a whole network"),
        ("2001:db8::1-2001:db8::ffff:ffff", "2001:db8::1 – 2001:db8::ffff:ffff", "many addresses"),
        ("2001:db8:51::7", "2001:db8:51::7", "1 address"),
    ],
)
def test_addresses_are_understood_as_people_write_them(
    account: Account, text: str, words: str, size: str
) -> None:
    made = rule(account, text)
    made.refresh_from_db()
    assert (str(made.span), made.span.size_words) == (words, size)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Enter an address such as 203.0.113.24 or 2001:db8::1."),
        ("203.0.113", "Enter an address such as"),
        ("203.0.113.256", "Enter an address such as"),
        ("203.0.113.024", "Enter an address such as"),
        ("203.0.113.0/33", "Enter an address such as"),
        ("fe80::1%eth0", "Enter an address such as"),
        ("fe80::1%eth0/64", "Enter an address such as"),
        ("203.0.113.9 - 203.0.113.8", "The last address comes before the first."),
        ("203.0.113.9 - 2001:db8::1", "Both addresses must be IPv4, or both IPv6."),
    ],
)
def test_what_is_not_an_address_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        read_span(text)


@pytest.mark.parametrize(
    "text", ["0.0.0.0/0", "::/0", "2000::/3", "::/8", "0.0.0.0 - 255.255.255.255", "::ffff:0:0/96"]
)
def test_the_whole_internet_is_no_rule(account: Account, text: str) -> None:
    with pytest.raises(ValidationError, match="This is the whole Internet"):
        rule(account, text)


def test_rules_of_a_scope_do_not_overlap(account: Account, token: Token) -> None:
    rule(account)
    with pytest.raises(ValidationError, match="Head office covers it already"):
        rule(account, "203.0.113.24", "Server")
    with pytest.raises(ValidationError, match=r"Head office \(203.0.113.0/26\) overlaps it."):
        rule(account, "203.0.113.0/24", "Campus")
    rule(account, "203.0.113.24", "Server", token)
    with pytest.raises(ValidationError, match="Server covers it already"):
        rule(account, "203.0.113.24", "Again", token)


def test_names_are_unique_in_an_account_ignoring_case(account: Account, token: Token) -> None:
    rule(account)
    for text, holder in (("198.51.100.7", None), ("198.51.100.8", token)):
        with pytest.raises(ValidationError, match="“HEAD Office” already exists"):
            rule(account, text, "HEAD  Office", holder)
    rule(AccountFactory(), "198.51.100.7", "Head office")


def test_all_rules_are_added_or_none(account: Account) -> None:
    wanted = [("One", read_span("192.0.2.1")), ("Two", read_span("192.0.2.1"))]
    with pytest.raises(ValidationError):
        IPRule.add(account, None, wanted, by=None)
    assert not IPRule.objects.exists()


def test_an_account_has_at_most_so_many_rules(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokens.models.guards.MOST", 1)
    rule(account)
    with pytest.raises(ValidationError, match="at most 1 IP rules, those of its tokens included"):
        rule(account, "192.0.2.1", "One more")


def test_the_trail_says_who_did_what_to_a_rule(
    michael: Person, account: Account, token: Token
) -> None:
    [made] = IPRule.add(account, None, [("Head office", read_span(OFFICE))], by=michael.user)
    made.change("Office", read_span("203.0.113.0/25"), by=michael.user)
    made.change("Office", read_span("203.0.113.0/25"), by=michael.user)
    made.remove(by=michael.user)
    assert not made.remove(by=michael.user)
    entries = Event.objects.filter(action__startswith="rules.").order_by("number")
    assert [
        (entry.action, entry.actor_name, entry.subject_kind, entry.changes) for entry in entries
    ] == [
        (
            "rules.added",
            "Michael Goldmill",
            "iprule",
            {"rule": [None, "Head office"], "addresses": [None, OFFICE]},
        ),
        (
            "rules.changed",
            "Michael Goldmill",
            "iprule",
            {"rule": ["Head office", "Office"], "addresses": [OFFICE, "203.0.113.0/25"]},
        ),
        (
            "rules.deleted",
            "Michael Goldmill",
            "iprule",
            {"rule": ["Office", None], "addresses": ["203.0.113.0/25", None]},
        ),
    ]
    rule(account, "203.0.113.24", "ERP servers", token)
    assert token.events.latest("pk").action == "rules.added"


def test_stored_addresses_have_the_order_of_addresses(account: Account) -> None:
    texts = ["255.0.0.1", "9.0.0.1", "2001:db8::1", "10.0.0.1", "::1"]
    IPRule.add(account, None, [(text, read_span(text)) for text in texts], by=None)
    found = [*IPRule.objects.order_by("first").values_list("first", flat=True)]
    assert found == ["::1", "9.0.0.1", "10.0.0.1", "255.0.0.1", "2001:db8::1"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT first FROM tokens_iprule")
        assert {len(row[0]) for row in cursor.fetchall()} == {32}


@given(st.integers(0, 2**128 - 1))
def test_an_address_survives_being_stored(number: int) -> None:
    assert place(at(number)) == number
    assert int(packed(str(at(number))), 16) == number


def test_a_rule_that_was_deleted_meanwhile_is_not_changed(account: Account) -> None:
    [rule] = IPRule.add(account, None, [("Head office", read_span(OFFICE))], by=None)
    IPRule.objects.get().remove(by=None)
    with pytest.raises(ValidationError, match="deleted in the meantime"):
        rule.change("Branch office", read_span(OFFICE), by=None)

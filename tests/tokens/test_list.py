"""The list of tokens, whose URL says what it shows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from tests.conftest import Person, Response
from tests.factories import CUSTOM, FLOWGEAR, REPORTS, ZAPIER, TokenFactory, UserFactory
from tokens.catalog import Module
from tokens.models import Token, TokenUsage
from tokens.pages.tables import TokenTable

LIST = "/integrations/tokens/"


def names(client: Client, query: str = "") -> list[str]:
    """Return the names on the page, in order."""
    response = client.get(f"{LIST}{query}")
    assert response.status_code == 200
    return [row.record.name for row in response.context["table"].page.object_list]


@pytest.fixture
def three(account: Account, michael: Person) -> list[Token]:
    """Make three tokens, on three days in the order of their names."""
    made = []
    for day, (name, extension) in enumerate(
        (("Alpha", CUSTOM), ("Beta", ZAPIER), ("Gamma", REPORTS)), start=1
    ):
        token = TokenFactory(
            account=account,
            name=name,
            extension_id=extension,
            by=michael.user,
            external_id=f"ext-{name.lower()}",
        )
        Token.objects.filter(pk=token.pk).update(created_at=datetime(2024, 5, day, 12, tzinfo=UTC))
        made.append(token)
    return made


def test_it_shows_the_tokens_of_the_own_account_newest_first(
    michael: Person, three: list[Token]
) -> None:
    TokenFactory(name="Somebody else's")
    assert names(michael.client) == ["Gamma", "Beta", "Alpha"]


def test_a_row_says_what_the_article_shows(michael: Person, three: list[Token]) -> None:
    text = michael.client.get(LIST).text
    for part in (
        "Alpha",
        three[0].pk,
        "Custom",
        "EXT-000",
        "01/05/2024 12:00",
        "Michael Goldmill",
        "Active",
    ):
        assert part in text


def test_times_are_in_the_zone_of_the_person(michael: Person, three: list[Token]) -> None:
    michael.user.time_zone = "America/New_York"
    michael.user.save()
    assert "01/05/2024 08:00" in michael.client.get(LIST).text


def test_an_account_without_tokens_is_told_what_to_do(michael: Person, adrian: Person) -> None:
    assert "No tokens yet" in michael.client.get(LIST).text
    assert "/integrations/tokens/new/" in michael.client.get(LIST).text
    assert "An administrator of the account can create one." in adrian.client.get(LIST).text


def test_a_looker_sees_the_list_but_nothing_to_press(adrian: Person, three: list[Token]) -> None:
    text = adrian.client.get(LIST).text
    assert "Alpha" in text
    for absent in ("/integrations/tokens/new/", "/disable/", "/delete/", "/edit/"):
        assert absent not in text


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("label", "ABC"),
        ("-label", "CBA"),
        ("created", "ABC"),
        ("-created", "CBA"),
        ("external_id", "CAB"),
        ("updated", "BCA"),
        ("last_used", "CAB"),
        ("-last_used", "ACB"),
        ("expires", "BAC"),
        ("-expires", "ABC"),
        ("status", "ABC"),
        ("modules", "BAC"),
        ("-modules", "CAB"),
        ("extension", "BCA"),
    ],
)
def test_it_sorts_by_any_column_with_empty_values_last(
    michael: Person, account: Account, sort: str, expected: str
) -> None:
    now = timezone.now()
    rows = (
        # name, extension, external id, updated, used, expires, modules
        ("A", CUSTOM, "m", 3, 1, 90, (Module.AGREEMENTS, Module.USAGE)),
        ("B", FLOWGEAR, "z", 1, None, 60, (Module.USAGE,)),
        ("C", REPORTS, "a", 2, 5, None, (Module.ALL,)),
    )
    for number, (name, extension, external_id, updated, used, expires, modules) in enumerate(rows):
        token = TokenFactory(
            account=account,
            name=name,
            extension_id=extension,
            external_id=external_id,
            modules=modules,
            created_at=now + timedelta(minutes=number),
            updated_at=now + timedelta(hours=updated),
            expires_at=now + timedelta(days=expires) if expires else None,
        )
        TokenUsage.objects.filter(token=token).update(
            last_used_at=now - timedelta(days=used) if used else None
        )
    if sort == "status":
        Token.objects.get(name="C").disable(by=None)
        expected = "BAC"
    if sort == "extension":
        expected = "AB" + "C" if CUSTOM < FLOWGEAR < REPORTS else expected
    if sort == "last_used":
        expected = "CAB"
    assert "".join(names(michael.client, f"?sort={sort}")) == expected


def test_every_order_ends_with_the_key_so_that_pages_do_not_move(
    michael: Person, account: Account
) -> None:
    for name, column in TokenTable.base_columns.items():
        if column.orderable is False:
            continue
        table = TokenTable(Token.objects.all(), may_manage=True)
        table.order_by = f"-{name}"
        last = str(table.data.data.query.order_by[-1])
        assert "pk" in last, name


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=ALPH", ["Alpha"]),
        ("?q=ext-beta", ["Beta"]),
        ("?q=nothing", []),
        (f"?extension={ZAPIER}", ["Beta"]),
        (f"?extension={ZAPIER}&extension={CUSTOM}", ["Beta", "Alpha"]),
        ("?external_id=GAMMA", ["Gamma"]),
        ("?external_id=STRASSE", []),
        ("?created_from=2024-05-02", ["Gamma", "Beta"]),
        ("?created_to=2024-05-02", ["Beta", "Alpha"]),
        ("?created_from=02/05/2024&created_to=02/05/2024", ["Beta"]),
        (f"?module={Module.AGREEMENTS}&extension={CUSTOM}", ["Alpha"]),
        (f"?module={Module.DEVOPS}", []),
        ("?last_used=never", ["Gamma", "Beta", "Alpha"]),
        ("?last_used=day", []),
        ("?last_used=idle", ["Gamma", "Beta", "Alpha"]),
    ],
)
def test_it_filters(michael: Person, three: list[Token], query: str, expected: list[str]) -> None:
    assert names(michael.client, query) == expected


def test_the_external_id_is_found_without_regard_to_case_beyond_ascii(
    michael: Person, account: Account
) -> None:
    TokenFactory(account=account, name="Road", external_id="ÄRP-Straße")
    assert names(michael.client, "?external_id=ärp-strasse") == ["Road"]


def test_it_finds_a_token_by_its_id(michael: Person, three: list[Token]) -> None:
    assert names(michael.client, f"?q={three[1].pk.lower()}") == ["Beta"]


def test_it_filters_by_creator(michael: Person, three: list[Token], account: Account) -> None:
    other = UserFactory(name="Tony Gazzo")
    TokenFactory(account=account, name="Delta", by=other)
    assert names(michael.client, f"?created_by={other.pk}") == ["Delta"]


def test_creators_of_other_accounts_cannot_be_asked_for(michael: Person, stranger: Person) -> None:
    TokenFactory(account=stranger.account, by=stranger.user)
    response = michael.client.get(f"{LIST}?filter=open&created_by={stranger.user.pk}")
    assert "Nobody in this account has that ID." in response.text
    assert stranger.user.name not in response.text


@pytest.mark.parametrize(
    ("state", "change"),
    [
        ("active", {}),
        ("expiring", {"expires_at": timedelta(days=3)}),
        ("expired", {"expires_at": timedelta(days=-3)}),
        ("inactive", {"status": "inactive"}),
        ("deleted", {"status": "deleted"}),
    ],
)
def test_it_filters_by_state_as_the_rows_show_it(
    michael: Person, account: Account, state: str, change: dict[str, Any]
) -> None:
    token = TokenFactory(account=account)
    fields = {
        name: timezone.now() + value if isinstance(value, timedelta) else value
        for name, value in change.items()
    }
    Token.objects.filter(pk=token.pk).update(**fields)
    token.refresh_from_db()
    assert token.state == state
    for asked in ("active", "expiring", "expired", "inactive", "deleted"):
        assert names(michael.client, f"?status={asked}") == ([token.name] if asked == state else [])
    assert names(michael.client, "?status=any") == [token.name]


def test_deleted_tokens_are_hidden_until_asked_for(michael: Person, three: list[Token]) -> None:
    three[0].remove(by=michael.user)
    assert names(michael.client) == ["Gamma", "Beta"]
    assert names(michael.client, "?status=deleted") == ["Alpha"]
    chips = michael.client.get(LIST).context["chips"]
    assert [(chip.name, chip.value) for chip in chips] == [("Status", "not deleted")]
    assert names(michael.client, chips[0].url) == ["Gamma", "Beta", "Alpha"]


def test_each_applied_filter_is_a_chip_that_removes_just_itself(
    michael: Person, three: list[Token]
) -> None:
    query = f"?q=a&extension={CUSTOM}&module={Module.AGREEMENTS}&status=active&per_page=20"
    response = michael.client.get(f"{LIST}{query}")
    assert [(chip.name, chip.value) for chip in response.context["chips"]] == [
        ("Search", "a"),
        ("Extension", "Custom"),
        ("Status", "Active"),
        ("Granted", "Agreements"),
    ]
    for chip, name in zip(
        response.context["chips"], ("q", "extension", "status", "module"), strict=True
    ):
        assert f"{name}=" not in chip.url
        assert "per_page=20" in chip.url


def test_no_match_repeats_what_was_asked_and_offers_a_way_out(
    michael: Person, three: list[Token]
) -> None:
    text = michael.client.get(f"{LIST}?q=invoice").text
    assert "No token matches" in text
    assert "None of your 3 tokens has “invoice” in its label or ID." in text
    assert "status=any" in text


@pytest.fixture
def many(account: Account) -> list[Token]:
    return [TokenFactory(account=account, name=f"Token {n:02}") for n in range(25)]


def test_it_shows_ten_rows_and_the_way_to_the_next(michael: Person, many: list[Token]) -> None:
    response = michael.client.get(f"{LIST}?sort=label")
    assert len(response.context["page"].object_list) == 10
    assert "1–10 of 25" in response.text
    assert names(michael.client, "?sort=label&page=3") == [f"Token {n}" for n in range(20, 25)]


def test_a_page_beyond_the_end_is_the_last(michael: Person, many: list[Token]) -> None:
    assert names(michael.client, "?sort=label&page=999999") == names(
        michael.client, "?sort=label&page=3"
    )


def test_pages_hold_every_token_once(michael: Person, many: list[Token]) -> None:
    seen = [
        name for page in (1, 2, 3) for name in names(michael.client, f"?sort=status&page={page}")
    ]
    assert len(seen) == len(set(seen)) == 25


@pytest.mark.parametrize("per_page", [10, 20, 50])
def test_the_list_costs_five_queries_whatever_the_page_size(
    michael: Person,
    many: list[Token],
    per_page: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    michael.client.get(LIST)
    with django_assert_num_queries(5):
        michael.client.get(f"{LIST}?per_page={per_page}")


def test_the_column_of_modules_costs_one_more(
    michael: Person, many: list[Token], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    michael.client.get(LIST)
    with django_assert_num_queries(6):
        michael.client.get(f"{LIST}?columns=label,modules&per_page=50")


def test_counting_stops_at_the_cap(
    michael: Person, many: list[Token], monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.tables import CappedPaginator

    monkeypatch.setattr(CappedPaginator, "cap", 8)
    response = michael.client.get(f"{LIST}?sort=label&page=2")
    assert "11–20 of 8+" in response.text
    assert response.context["page"].has_next()
    assert names(michael.client, "?sort=label&page=3") == [f"Token {n}" for n in range(20, 25)]
    assert names(michael.client, "?sort=label&page=99") == names(
        michael.client, "?sort=label&page=1"
    )


# --- Remembered choices ---------------------------------------------------------------------------


def shown(response: Response) -> list[str]:
    return [column.name for column in response.context["table"].columns if column.visible]


def test_chosen_columns_are_remembered_for_the_person_and_put_in_the_address(
    michael: Person, adrian: Person, three: list[Token]
) -> None:
    response = michael.client.post(
        f"{LIST}layout/",
        {"columns_sent": "1", "columns": ["external_id", "status"], "next": f"{LIST}?q=a"},
    )
    assert response["Location"] == f"{LIST}?q=a&columns=label%2Cexternal_id%2Cstatus"
    assert shown(michael.client.get(LIST)) == ["label", "external_id", "status", "actions"]
    assert shown(adrian.client.get(LIST)) == [
        "label",
        "extension",
        "created",
        "last_used",
        "status",
    ]


def test_the_size_and_the_order_are_remembered_and_the_address_wins(
    michael: Person, many: list[Token]
) -> None:
    michael.client.post(f"{LIST}layout/", {"per_page": "20"})
    michael.client.post(f"{LIST}layout/", {"sort": "label"})
    assert names(michael.client) == [f"Token {n:02}" for n in range(20)]
    assert names(michael.client, "?per_page=10&sort=-label")[0] == "Token 24"
    assert len(names(michael.client, "?per_page=10")) == 10
    assert len(names(michael.client)) == 20


def test_an_address_that_is_opened_changes_no_choice(michael: Person, many: list[Token]) -> None:
    michael.client.get(f"{LIST}?per_page=50&sort=label&columns=label,status")
    michael.user.refresh_from_db()
    assert michael.user.preferences == {}


def test_reset_forgets_the_choices(michael: Person, three: list[Token]) -> None:
    michael.client.post(f"{LIST}layout/", {"columns_sent": "1", "columns": ["status"]})
    response = michael.client.post(
        f"{LIST}layout/", {"columns_sent": "1", "reset": "1", "next": f"{LIST}?columns=label&q=a"}
    )
    assert response["Location"] == f"{LIST}?q=a"
    assert "extension" in shown(michael.client.get(LIST))


def test_nonsense_is_not_remembered(michael: Person) -> None:
    michael.client.post(
        f"{LIST}layout/",
        {"per_page": "13", "sort": "password", "columns_sent": "1", "columns": ["secret"]},
    )
    michael.user.refresh_from_db()
    assert michael.user.preferences == {"tokens": {"columns": ["label"]}}


def test_all_columns_can_be_shown(michael: Person, three: list[Token]) -> None:
    columns = [name for name in TokenTable.base_columns if name != "actions"]
    text = michael.client.get(f"{LIST}?columns={','.join(columns)}").text
    for part in ("ext-alpha", f"1 of {len(Module.single())} modules", "Never", "Agreements"):
        assert part in text


def test_days_in_the_wrong_order_are_a_mistake_beside_the_field(
    michael: Person, three: list[Token]
) -> None:
    page = michael.client.get(f"{LIST}?created_from=2026-03-02&created_to=2026-03-01")
    assert page.context["empty"] == "invalid"
    errors = page.context["filter_form"].errors
    assert errors == {"created_to": ["Choose a day that is not before “Created from”."]}
    assert "Choose a day that is not before" in page.content.decode()


def test_the_same_day_twice_is_a_day(michael: Person, three: list[Token]) -> None:
    page = michael.client.get(f"{LIST}?created_from=2026-03-01&created_to=2026-03-01")
    assert page.context["empty"] == "no_match"


def test_a_day_that_is_none_stays_in_its_field(michael: Person, three: list[Token]) -> None:
    page = michael.client.get(f"{LIST}?created_from=tomorrow").content.decode()
    assert 'type="text" name="created_from" value="tomorrow"' in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "not deleted"),
        ("status=any", "any, deleted too"),
        ("status=any&status=active", "any, deleted too"),
        ("status=active", "Active"),
        ("status=inactive&status=active", "Active or Inactive"),
        ("status=active&status=deleted&status=expired", "Active, Expired or Deleted"),
    ],
)
def test_the_chip_of_the_status_says_what_the_list_shows(
    michael: Person, three: list[Token], query: str, words: str
) -> None:
    page = michael.client.get(f"{LIST}?{query}")
    (chip,) = [chip for chip in page.context["chips"] if chip.name == "Status"]
    assert chip.value == words


def test_no_match_names_the_status_and_counts_what_was_searched(
    michael: Person, three: list[Token]
) -> None:
    three[0].remove(by=None)
    live = michael.client.get(f"{LIST}?q=invoice&status=expired").context["no_match_text"]
    assert live == "None of your 2 tokens has “invoice” in its label or ID and the status Expired."
    everything = michael.client.get(f"{LIST}?q=invoice&status=any").context["no_match_text"]
    assert everything == "None of your 3 tokens has “invoice” in its label or ID."

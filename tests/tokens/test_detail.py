"""The details page, its tabs, and viewing a key."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Account
from activity.actions import Action
from portal.fields import Actor
from tests.conftest import Call, Person, Response, confirmed, just_made, stale
from tests.factories import (
    FLOWGEAR,
    PASSWORD,
    REPORTS,
    ZAPIER,
    TokenFactory,
    header,
    modules_of,
    secret,
)
from tests.matching import matched
from tokens.catalog import Module
from tokens.models import Token


def url(token: Token, page: str = "") -> str:
    return f"/integrations/tokens/{token.pk}/{page}"


def reveal(client: Client, token: Token, **data: str) -> Response:
    return client.post(url(token, "reveal/"), {"page": "detail", **data})


def copy(client: Client, token: Token, **data: Any) -> Response:
    """Request the key as the page's script does."""
    return client.post(
        url(token, "copy/"), {"page": "detail", **data}, headers={"hx-request": "true"}
    )


def shown(response: Response) -> str:
    """Return the text of a page without its tags, as people read and select it."""
    return re.sub(r"<[^>]*>", "", response.text)


@pytest.fixture
def old(token: Token) -> Token:
    """Let the token be from another session, so that its creator is asked like anybody else."""
    return token


def test_the_general_tab_says_what_the_article_shows(michael: Person, account: Account) -> None:
    token = TokenFactory(
        account=account,
        name="Tutorial Token",
        description="For the tutorial.",
        external_id="erp-7",
        by=michael.user,
    )
    text = michael.client.get(url(token)).text
    for part in (
        "Token details",
        "Tutorial Token",
        token.pk,
        "custom",
        "EXT-000",
        "For the tutorial.",
        "API Key/Handle",
        "Custom Integration",
    ):
        assert part in text
    for part in ("erp-7", "Michael Goldmill", "Active", f"ApiKey {token.pk}:", "View", "Copy"):
        assert part in text


def test_the_permissions_tab_shows_every_module_with_all_first(
    michael: Person, token: Token
) -> None:
    response = michael.client.get(url(token, "permissions/"))
    rows = [
        (str(row.record.label), row.record.enabled)
        for row in response.context["table"].page.object_list
    ]
    assert rows[0] == ("All", False)
    assert len(rows) == len(Module)
    assert [label for label, enabled in rows if enabled] == ["Agreements"]


def test_all_enables_every_row(michael: Person, account: Account) -> None:
    token = TokenFactory(account=account, modules=(Module.ALL,))
    rows = michael.client.get(url(token, "permissions/")).context["table"].page.object_list
    assert all(row.record.enabled for row in rows)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=AGREE", ["Agreements"]),
        ("?status=enabled", ["Agreements"]),
        ("?q=zzz", []),
        ("?status=enabled&q=usage", []),
    ],
)
def test_the_permissions_tab_can_be_filtered(
    michael: Person, token: Token, query: str, expected: list[str]
) -> None:
    rows = michael.client.get(url(token, f"permissions/{query}")).context["table"].page.object_list
    assert [str(row.record.label) for row in rows] == expected


def test_the_columns_of_the_permissions_tab_are_remembered(michael: Person, token: Token) -> None:
    michael.client.post(
        url(token, "permissions/layout/"), {"columns_sent": "1", "columns": ["status"]}
    )
    table = michael.client.get(url(token, "permissions/")).context["table"]
    assert [column.name for column in table.columns if column.visible] == ["module", "status"]


@pytest.mark.parametrize("page", ["", "permissions/"])
def test_the_token_of_another_account_does_not_exist(michael: Person, page: str) -> None:
    assert michael.client.get(url(TokenFactory(), page)).status_code == 404


def test_a_disabled_token_says_who_disabled_it(michael: Person, token: Token) -> None:
    token.disable(by=michael.user)
    text = michael.client.get(url(token)).text
    assert "This token is disabled." in text
    assert "Michael Goldmill disabled it on" in text


def test_an_expired_and_a_deleted_token_say_so(michael: Person, token: Token) -> None:
    Token.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert "This token expired on" in michael.client.get(url(token)).text
    token.remove(by=None)
    text = michael.client.get(url(token)).text
    assert "This token is deleted." in text
    for absent in ("/edit/", "/enable/", "/disable/", "/reveal/"):
        assert absent not in text


@pytest.mark.parametrize("page", ["", "permissions/"])
def test_the_pages_cost_few_queries(
    michael: Person, token: Token, page: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    michael.client.get(url(token))
    with django_assert_max_num_queries(6):
        michael.client.get(url(token, page))


# --- Viewing a key --------------------------------------------------------------------------------


def test_the_key_is_shown_to_an_administrator_who_just_gave_the_password(
    michael: Person, old: Token
) -> None:
    response = reveal(michael.client, old)
    assert header(old) in shown(response)
    assert "no-store" in response["Cache-Control"]


def test_the_password_is_asked_for_first(michael: Person, old: Token) -> None:
    response = reveal(stale(michael.client), old)
    assert "Confirm That It Is You" in response.text
    assert secret(old) not in response.text
    assert not old.events.filter(action=Action.KEY_VIEWED).exists()


def test_the_right_password_shows_the_key_and_holds_for_five_minutes(
    michael: Person, old: Token
) -> None:
    assert header(old) in shown(reveal(stale(michael.client), old, sudo_password=PASSWORD))
    assert header(old) in shown(reveal(michael.client, old))
    assert secret(old) not in reveal(confirmed(michael.client, 301), old).text


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("wrong", "The password is not right."),
        ("", "Enter your password."),
        ("a\x00b", "Null characters"),
    ],
)
def test_a_wrong_password_shows_no_key(
    michael: Person, old: Token, password: str, words: str
) -> None:
    response = reveal(stale(michael.client), old, sudo_password=password)
    assert words in response.text
    assert secret(old) not in response.text


@pytest.mark.parametrize(
    ("ask", "action"), [(reveal, Action.KEY_VIEWED), (copy, Action.KEY_COPIED)]
)
def test_each_view_is_recorded_who_when_from_where(
    michael: Person, old: Token, ask: Callable[[Client, Token], Response], action: Action
) -> None:
    ask(michael.client, old)
    event = old.events.get(action=action)
    assert (event.actor, event.address) == (Actor.of(michael.user), "127.0.0.1")
    assert timezone.now() - event.at < timedelta(seconds=10)


def test_the_session_that_created_is_not_asked_on_summary_for_ten_minutes(
    michael: Person, token: Token
) -> None:
    stale(michael.client)
    assert header(token) in shown(reveal(just_made(michael.client, token), token, page="summary"))
    assert secret(token) not in reveal(michael.client, token, page="detail").text
    token.created_at = timezone.now() - timedelta(seconds=601)
    assert secret(token) not in reveal(just_made(michael.client, token), token, page="summary").text


def test_a_looker_never_sees_a_key(adrian: Person, old: Token) -> None:
    response = reveal(adrian.client, old)
    assert response.status_code == 403
    assert secret(old) not in response.text
    assert (
        "Only administrators of the account can view the key." in adrian.client.get(url(old)).text
    )


def test_reloading_the_answer_to_view_leads_to_the_details_and_counts_as_no_view(
    michael: Person, old: Token
) -> None:
    once = matched(r'name="once" value="(\w+)"', confirmed(michael.client).get(url(old)).text)[1]
    assert header(old) in shown(reveal(michael.client, old, once=once))
    again = reveal(michael.client, old, once=once)
    assert (again.status_code, again["Location"]) == (302, url(old))
    assert old.events.filter(action=Action.KEY_VIEWED).count() == 1
    # Sending the form of the page that follows shows the key again.
    once = matched(r'name="once" value="(\w+)"', michael.client.get(url(old)).text)[1]
    assert header(old) in shown(reveal(michael.client, old, once=once))


def test_opening_the_address_of_view_again_leads_to_the_details_without_the_key(
    michael: Person, old: Token
) -> None:
    reveal(confirmed(michael.client), old)
    response = michael.client.get(url(old, "reveal/"), follow=True)
    assert response.redirect_chain == [(url(old), 302)]
    assert secret(old) not in response.text
    assert old.events.filter(action=Action.KEY_VIEWED).count() == 1


def test_the_key_of_another_account_does_not_exist(michael: Person, stranger: Person) -> None:
    assert reveal(michael.client, TokenFactory(account=stranger.account)).status_code == 404


def test_the_key_of_a_deleted_token_cannot_be_viewed(michael: Person, old: Token) -> None:
    old.remove(by=None)
    response = michael.client.post(url(old, "reveal/"), follow=True)
    assert "The key of a deleted token cannot be viewed." in response.text


def test_a_key_that_cannot_be_opened_is_explained_and_calls_go_on_working(
    michael: Person, old: Token, call: Call, settings: Settings
) -> None:
    key = header(old)
    settings.TOKEN_SEALING_KEYS = {9: b"9" * 32}
    response = michael.client.post(url(old, "reveal/"), {"page": "detail"}, follow=True)
    assert "The key cannot be opened." in response.text
    assert "Calls with the key work." in response.text
    assert call("agreements", key).status_code == 200


def test_a_key_that_cannot_be_opened_is_not_recorded_as_a_view(
    michael: Person, old: Token, settings: Settings
) -> None:
    settings.TOKEN_SEALING_KEYS = {9: b"9" * 32}
    reveal(confirmed(michael.client), old)
    event = old.events.exclude(action=Action.TOKEN_CREATED).get()
    assert (event.action, event.actor, event.address) == (
        Action.KEY_UNREADABLE,
        Actor.of(michael.user),
        "127.0.0.1",
    )


# --- Copying a key without showing it -------------------------------------------------------------


def test_copy_answers_the_key_alone_and_nobody_keeps_it(michael: Person, old: Token) -> None:
    response = copy(michael.client, old)
    assert (response.text, response["Content-Type"]) == (header(old), "text/plain; charset=utf-8")
    assert "no-store" in response["Cache-Control"]
    assert response["X-Content-Type-Options"] == "nosniff"


def test_copy_asks_for_the_password_in_a_page_without_the_key(michael: Person, old: Token) -> None:
    response = copy(stale(michael.client), old)
    assert "Confirm That It Is You" in response.text
    assert f'action="{url(old, "copy/")}"' in response.text
    assert secret(old) not in response.text
    assert not old.events.exclude(action=Action.TOKEN_CREATED).exists()
    assert copy(michael.client, old, sudo_password="wrong").text.count("The password is not right.")
    assert copy(michael.client, old, sudo_password=PASSWORD).text == header(old)


def test_copy_without_a_script_is_view(michael: Person, old: Token) -> None:
    response = michael.client.post(url(old, "copy/"), {"page": "detail"})
    assert response["Content-Type"].startswith("text/html")
    assert header(old) in shown(response)
    assert old.events.filter(action=Action.KEY_VIEWED).count() == 1


def test_without_scripts_both_buttons_of_the_page_send_its_form(
    michael: Person, old: Token
) -> None:
    form = matched(r'(?s)<form class="key-form".*?</form>', michael.client.get(url(old)).text)[0]
    assert f'action="{url(old, "reveal/")}"' in form
    assert "formaction" not in form


def test_copy_from_another_site_is_refused(michael: Person, old: Token) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = michael.client.cookies
    response = copy(strict, old)
    assert response.status_code == 403
    assert secret(old) not in response.text


@pytest.mark.parametrize("ask", [reveal, copy])
def test_the_ladder_of_view_and_copy(
    michael: Person,
    adrian: Person,
    stranger: Person,
    client: Client,
    old: Token,
    ask: Callable[[Client, Token], Response],
) -> None:
    name = ask.__name__
    assert secret(old) in ask(michael.client, old).text
    assert ask(adrian.client, old).status_code == 403
    assert ask(stranger.client, old).status_code == 404
    answer = ask(client, old)
    assert "/sign-in/" in (answer.get("Location") or answer["HX-Redirect"])
    assert michael.client.get(url(old, f"{name}/"))["Location"] == url(old)
    assert michael.client.put(url(old, f"{name}/")).status_code == 405
    assert michael.client.post(f"/integrations/tokens/SU-999-999-999/{name}/").status_code == 404
    assert old.events.filter(action__startswith="keys.").count() == 1


# --- Summary --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
def test_summary_becomes_the_details_once_its_moment_has_passed(
    michael: Person, token: Token, method: str
) -> None:
    token.created_at = timezone.now() - timedelta(seconds=601)
    assert getattr(just_made(michael.client, token), method)(url(token, "summary/"))[
        "Location"
    ] == url(token)


def test_summary_is_for_the_session_that_created_the_token(
    michael: Person, adrian: Person, token: Token
) -> None:
    for client in (michael.client, adrian.client):
        assert client.get(url(token, "summary/"))["Location"] == url(token)
    assert just_made(michael.client, token).get(url(token, "summary/")).status_code == 200


def test_a_token_created_ahead_of_the_clock_has_no_summary(michael: Person, token: Token) -> None:
    token.created_at = timezone.now() + timedelta(days=1)
    assert just_made(michael.client, token).get(url(token, "summary/"))["Location"] == url(token)


@pytest.mark.parametrize(
    "change", [{"status": "inactive"}, {"status": "deleted"}, {"expires_at": timezone.now()}]
)
def test_summary_does_not_outlive_a_change_that_stops_the_token(
    michael: Person, token: Token, change: dict[str, Any]
) -> None:
    Token.objects.update(**change)
    assert just_made(michael.client, token).get(url(token, "summary/"))["Location"] == url(token)


# --- Pages that show no key -----------------------------------------------------------------------


def test_a_disabled_token_still_shows_its_key(michael: Person, old: Token) -> None:
    old.disable(by=None)
    assert header(old) in shown(reveal(michael.client, old))


def test_the_summary_masks_the_key_and_says_what_was_made(michael: Person, token: Token) -> None:
    text = just_made(michael.client, token).get(url(token, "summary/")).text
    assert secret(token) not in text
    for part in (
        token.name,
        token.pk,
        "Agreements",
        "Go to Details",
        "Close",
        "curl",
        "May not reach",
    ):
        assert part in text


def test_the_three_fixed_extensions_have_pages_too(michael: Person, account: Account) -> None:
    for extension in (FLOWGEAR, REPORTS, ZAPIER):
        token = TokenFactory(account=account, extension_id=extension, modules=modules_of(extension))
        for page in ("", "permissions/", "summary/", "edit/"):
            assert just_made(michael.client, token).get(url(token, page)).status_code == 200


def test_a_module_is_found_by_its_description_too(michael: Person, token: Token) -> None:
    page = michael.client.get(f"/integrations/tokens/{token.pk}/permissions/?q=SUPPORT+cases")
    rows = page.context["page"].object_list
    assert [str(row.record.label) for row in rows] == ["Helpdesk"]

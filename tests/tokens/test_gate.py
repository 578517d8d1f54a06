"""The gate: who gets through, who is refused, and with what answer."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Account
from tests.conftest import Call, Response
from tests.factories import ZAPIER, AgreementFactory, TokenFactory, header, modules_of
from tokens.catalog import Module
from tokens.models import Grant, Token, TokenUsage
from tokens.permissions import requires_module


@requires_module(Module.AGREEMENTS)
def gate_alone(request: HttpRequest) -> HttpResponse:
    """Answer without a query, so that those of a call are the gate's."""
    return HttpResponse()


@pytest.fixture
def warm(call: Call, token: Token) -> Token:
    """Use the token, so that another call within the minute does not write that."""
    call("accounts", token)
    return token


def test_a_token_reaches_a_module_it_was_granted(call: Call, token: Token) -> None:
    response = call("agreements", token)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert response["Vary"] == "Authorization"


def test_all_reaches_every_module(call: Call, account: Account) -> None:
    token = TokenFactory(account=account, modules=(Module.ALL,))
    for path in ("agreements", "contracts", "products", "tier/accounts"):
        assert call(path, token).status_code == 200


def test_a_module_without_a_grant_is_403_and_named_with_the_page_to_grant_it(
    call: Call, token: Token
) -> None:
    response = call("contracts", token)
    assert response.status_code == 403
    body = response.json()
    assert body["error_code"] == "AUTH_003"
    page = f"http://testserver/integrations/tokens/{token.pk}/permissions/"
    refused = f"The token {token.pk} may not reach the module Contracts."
    assert body["errors"] == [f"{refused} An administrator of the account can grant it on {page}"]


def test_the_own_account_needs_no_module(call: Call, token: Token, account: Account) -> None:
    assert call("accounts", token).json()[0]["id"] == account.pk


def refused(response: Response, reason: str | None = None) -> bool:
    body = response.json()
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "ApiKey"
    assert response["Content-Type"] == "application/json"
    assert body["error_code"] == "AUTH_001"
    assert all(isinstance(error, str) for error in body["errors"])
    assert set(body) == {"error_code", "errors"}
    assert body["errors"][0] == "API request is unauthorized."
    if reason:
        assert reason in body["errors"][1]
    return True


def test_a_call_without_a_key_is_401(call: Call, db: None) -> None:
    assert refused(call("agreements"), "missing")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ApiKey",
        "ApiKey ",
        "Bearer abc",
        "ApiKey SU-160-984-311",
        "ApiKey SU-160-984-311:short",
        "\u00a0",
        "é" * 63,
    ],
)
def test_a_malformed_header_is_401_without_a_query(
    call: Call, db: None, value: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert refused(call("agreements", value), "must be: ApiKey SU-" if value else "is missing")


def test_an_unknown_token_and_a_wrong_secret_get_the_same_answer(call: Call, token: Token) -> None:
    from tokens import keys

    wrong = call("agreements", keys.mint(token.pk).header)
    unknown = call(
        "agreements",
        keys.mint("SU-000-000-001" if token.pk != "SU-000-000-001" else "SU-000-000-002").header,
    )
    assert refused(wrong)
    assert wrong.content == unknown.content
    # Each answer has its own request number.
    assert {**wrong.headers, "X-Request-ID": ""} == {**unknown.headers, "X-Request-ID": ""}


def test_a_secret_that_is_cut_or_mistyped_is_called_so(call: Call, token: Token) -> None:
    key = header(token)
    assert refused(call("agreements", key[:-1] + ("0" if key[-1] != "0" else "1")), "mistyped")


def test_the_secret_of_another_token_is_401(call: Call, token: Token, account: Account) -> None:
    other = header(TokenFactory(account=account)).split(":")[1]
    assert refused(call("agreements", f"ApiKey {token.pk}:{other}"))


def test_a_disabled_token_is_401_at_the_very_next_call_and_works_again_when_enabled(
    call: Call, token: Token
) -> None:
    key = header(token)
    assert call("agreements", key).status_code == 200
    token.disable(by=None)
    assert refused(call("agreements", key), f"{token.pk} is disabled.")
    token.enable(by=None)
    assert call("agreements", key).status_code == 200


def test_a_deleted_token_is_401(call: Call, token: Token) -> None:
    key = header(token)
    token.remove(by=None)
    assert refused(call("agreements", key), f"The token {token.pk} is deleted.")


def test_only_the_holder_of_the_key_learns_why_it_is_refused(call: Call, token: Token) -> None:
    from tokens import keys

    wrong = keys.mint(token.pk).header
    before = call("agreements", wrong).content
    token.disable(by=None)
    assert call("agreements", wrong).content == before


def test_every_reason_is_told_at_once(call: Call, token: Token, account: Account) -> None:
    Token.objects.update(status="inactive", expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(call("agreements", token), "is disabled and is expired.")


def test_a_module_that_cannot_be_granted_is_not_said_to_be(call: Call, account: Account) -> None:

    token = TokenFactory(account=account, extension_id=ZAPIER, modules=modules_of(ZAPIER))
    [error] = call("agreements", token).json()["errors"]
    refused = f"The token {token.pk} may not reach the module Agreements."
    assert error == f"{refused} The modules of a token for Zapier are fixed."


def test_a_token_is_401_from_the_second_it_expires(call: Call, token: Token) -> None:
    Token.objects.update(expires_at=timezone.now() + timedelta(seconds=30))
    assert call("agreements", token).status_code == 200
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = call("agreements", token)
    assert (response.status_code, response.json()["error_code"]) == (401, "AUTH_005")
    assert f"The token {token.pk} is expired." in response.text


def test_a_token_of_a_disabled_account_is_401(call: Call, token: Token, account: Account) -> None:
    account.is_active = False
    account.save()
    assert refused(call("agreements", token), "belongs to an account that is switched off")


def test_taking_a_grant_away_is_403_at_the_very_next_call(call: Call, token: Token) -> None:
    key = header(token)
    assert call("agreements", key).status_code == 200
    token.grant({Module.CUSTOMERS}, by=None)
    assert call("agreements", key).status_code == 403
    assert call("tier/accounts", key).status_code == 200


def test_a_grant_the_catalog_does_not_know_opens_nothing(call: Call, token: Token) -> None:
    token.permissions.all().delete()
    Grant.objects.create(token=token, module="MD-8888")
    assert call("agreements", token).status_code == 403


def test_a_grant_of_another_token_opens_nothing(call: Call, account: Account, token: Token) -> None:
    TokenFactory(account=account, modules=(Module.ALL,))
    assert call("contracts", token).status_code == 403


def test_the_wrong_method_is_405_in_json_for_those_who_may_call(call: Call, token: Token) -> None:
    response = call("agreements", token, method="post", data={})
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert response.json()["error_code"] == "SYS_405"
    assert refused(call("agreements", method="post"))


def test_a_key_in_the_query_string_lets_nobody_in(call: Call, token: Token) -> None:
    assert refused(call(f"agreements?Authorization={header(token)}"))


def test_a_key_sent_in_clear_is_refused_where_https_is_required(
    call: Call, token: Token, settings: Settings
) -> None:
    settings.HTTPS = True
    response = call("agreements", token)
    assert response.status_code == 403
    assert "https" in response.json()["errors"][0]
    assert response.json()["error_code"] == "AUTH_004"
    assert call("agreements", token, secure=True).status_code == 200


def test_the_gate_costs_one_query(
    warm: Token, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    request = RequestFactory().get("/", headers={"authorization": header(warm)})
    with django_assert_num_queries(1):
        assert gate_alone(request).status_code == 200


def test_only_a_missing_module_is_told_with_another_query_for_the_extension(
    call: Call, warm: Token, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = header(warm)
    with django_assert_num_queries(2):
        assert call("contracts", key).status_code == 403
    Account.objects.update(is_active=False)
    with django_assert_num_queries(1):
        assert call("contracts", key).status_code == 401


def test_a_list_costs_three_queries_and_a_detail_two(
    call: Call, warm: Token, account: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    AgreementFactory.create_batch(5, provider=account)
    key = header(warm)
    with django_assert_num_queries(3):
        assert len(call("agreements?limit=4", key).json()) == 4
    # A page that is not full gives away the total.
    with django_assert_num_queries(2):
        assert len(call("agreements", key).json()) == 5
    with django_assert_num_queries(2):
        call("agreements/AGD-1", key)


def test_the_gate_opens_no_session(call: Call, token: Token) -> None:
    with CaptureQueriesContext(connection) as queries:
        call("agreements", token)
    assert not any("session" in query["sql"] for query in queries)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.binary(max_size=120).map(lambda junk: junk.decode("latin-1")), st.text(max_size=80)
    )
)
def test_no_bytes_in_the_header_break_the_gate_or_pass_it(
    client: Client, db: None, junk: str
) -> None:
    response = client.get("/public/v1/agreements", HTTP_AUTHORIZATION=junk)
    assert response.status_code == 401


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_key_with_any_change_does_not_pass(
    client: Client, token: Token, data: st.DataObject
) -> None:
    key = header(token)
    index = data.draw(st.integers(7, len(key) - 1))
    letter = data.draw(st.characters(max_codepoint=255))
    changed = key[:index] + letter + key[index + 1 :]
    response = client.get("/public/v1/agreements", HTTP_AUTHORIZATION=changed)
    assert (response.status_code == 200) == (changed == key)


# --- Last used ------------------------------------------------------------------------------------


def used(token: Token) -> datetime:
    moment: datetime = TokenUsage.objects.get(token=token).last_used_at
    return moment


def test_the_first_use_is_stamped(call: Call, token: Token) -> None:
    assert TokenUsage.objects.get(token=token).last_used_at is None
    call("agreements", token)
    assert timezone.now() - used(token) < timedelta(seconds=10)


def test_a_use_within_the_minute_is_not_stamped_again(call: Call, token: Token) -> None:
    before = timezone.now() - timedelta(seconds=50)
    TokenUsage.objects.filter(token=token).update(last_used_at=before)
    call("agreements", token)
    assert used(token) == before


def test_a_use_after_the_minute_is_stamped(call: Call, token: Token) -> None:
    before = timezone.now() - timedelta(seconds=61)
    TokenUsage.objects.filter(token=token).update(last_used_at=before)
    call("agreements", token)
    assert used(token) > before


def test_two_late_stamps_write_once(token: Token) -> None:
    from tokens.gate import stamp

    before = timezone.now() - timedelta(seconds=61)
    TokenUsage.objects.filter(token=token).update(last_used_at=before)
    stamp(token.pk)
    first = used(token)
    stamp(token.pk)
    assert used(token) == first > before


@pytest.mark.django_db(transaction=True)
def test_a_stamp_does_not_wait_for_another_writer(call: Call, token: Token) -> None:
    """While SQLite's only writer writes, a call is answered and leaves the stamp to the next one.

    PostgreSQL has no such lock.
    """
    from threading import Event, Thread

    from django.db import transaction

    key, writing, done = header(token), Event(), Event()

    def write() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_account SET name = name WHERE id = 'PA-000-000'")
            writing.set()
            done.wait(60)
        connection.close()

    writer = Thread(target=write)
    writer.start()
    writing.wait(60)
    try:
        assert call("agreements", key).status_code == 200
        assert not done.is_set()
        assert (used(token) is None) == (connection.vendor == "sqlite")
    finally:
        done.set()
        writer.join()
    call("agreements", key)
    assert used(token)


@pytest.mark.parametrize("path", ["agreements", "contracts"])
def test_a_refused_call_is_no_use(call: Call, token: Token, path: str) -> None:
    token.grant((), by=None)
    call(path, token)
    token.disable(by=None)
    call("accounts", token)
    assert TokenUsage.objects.get(token=token).last_used_at is None


@pytest.mark.parametrize("problem", [DatabaseError, InterfaceError])
def test_a_stamp_that_fails_does_not_fail_the_call(
    call: Call,
    token: Token,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    problem: type[Exception],
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise problem("the disk is full")

    # The only place where a database failure has to be provoked.
    monkeypatch.setattr("django.db.models.query.QuerySet.update", broken)
    assert call("agreements", token).status_code == 200
    assert f"The use of {token.pk} could not be noted: the disk is full" in caplog.text

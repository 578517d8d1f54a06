"""Invalid input gets a clear answer with the right status: never a 5xx, never access."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib import admin
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Call, Person
from tokens.models import Token

LIST = "/integrations/tokens/"


@pytest.mark.parametrize(
    "query",
    [
        "per_page=-1",
        "per_page=0",
        "per_page=1000000",
        "per_page=ten",
        "page=999999",
        "page=-1",
        "page=0",
        "page=1e9",
        "page=99999999999999999999",
        "page=%00",
        "sort=nope",
        "sort=--name",
        "sort=",
        "sort=pk",
        "sort=account__name",
        "columns=nope",
        "columns=",
        "columns=%00,label",
        "unknown=1",
        "q=%FF%FE",
        "filter=open&filter=close",
    ],
)
def test_a_list_address_that_makes_no_sense_shows_the_list(
    michael: Person, token: Token, query: str
) -> None:
    response = michael.client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    if not query.startswith("q="):
        assert token.name in response.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("extension=bogus", "“bogus” is not an extension."),
        ("status=bogus", "“bogus” is not a status."),
        ("module=MD-0666", "“MD-0666” is not a module."),
        ("created_by=UR-000-000-000", "Nobody in this account has that ID."),
        ("created_from=yesterday", "Enter a day as dd/mm/yyyy."),
        ("created_to=9999-99-99", "Enter a day as dd/mm/yyyy."),
        ("last_used=soon", "“soon” is not a choice."),
        ("q=%00", "Null characters are not allowed."),
        ("external_id=a%00b", "Null characters are not allowed."),
    ],
)
def test_a_filter_that_is_not_valid_shows_nothing_and_says_why(
    michael: Person, token: Token, query: str, words: str
) -> None:
    response = michael.client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    assert words in response.text
    assert token.name not in response.text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_of_the_calendar_are_days(
    michael: Person, token: Token, day: str
) -> None:
    for name in ("created_from", "created_to"):
        assert michael.client.get(f"{LIST}?{name}={day}").status_code == 200


@pytest.mark.parametrize("path", [LIST, "/sign-in/", "/nope"])
@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PATCH", "BREW"])
def test_an_unknown_method_is_405(michael: Person, path: str, method: str) -> None:
    response = michael.client.generic(method, path)
    assert response.status_code == 405
    assert "GET" in response["Allow"]
    assert response["Content-Type"].startswith("text/html")
    assert response.content


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PATCH", "BREW"])
def test_an_unknown_method_of_the_api_is_405_for_who_has_a_key(
    michael: Person, token: Token, method: str
) -> None:
    from tests.factories import header

    assert michael.client.generic(method, "/public/v1/agreements").status_code == 401
    response = michael.client.generic(
        method, "/public/v1/agreements", headers={"authorization": header(token)}
    )
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", [LIST, "/sign-in/", "/integrations/", "/public/v1/accounts"])
def test_head_answers_like_get_without_a_body(
    michael: Person, call: Call, token: Token, path: str
) -> None:
    from tests.factories import header

    response = michael.client.head(path, headers={"authorization": header(token)})
    assert response.status_code in {200, 302}
    assert response.content == b""


def test_a_body_that_is_too_large_is_413(michael: Person) -> None:
    response = michael.client.post("/integrations/tokens/new/", {"name": "x" * 20_000_000})
    assert response.status_code == 413
    assert "too large" in response.text.lower()


def test_too_many_fields_are_413(michael: Person) -> None:
    response = michael.client.post(
        "/integrations/tokens/new/", {f"field{n}": "x" for n in range(5000)}
    )
    assert response.status_code == 413


def test_a_large_body_to_the_api_is_refused_in_json(call: Call, token: Token) -> None:
    response = call(
        "agreements", token, method="post", data=b"x" * 20_000_000, content_type="application/json"
    )
    assert response.status_code == 405
    assert response.json()["error_code"] == "SYS_405"


def test_an_address_of_the_api_that_is_none_is_404_in_json(client: Client) -> None:
    response = client.get("/public/v2/agreements")
    assert response.status_code == 404
    assert response.json() == {"error_code": "NFND_000", "errors": ["There is no such address."]}


def test_a_form_without_the_mark_of_its_page_is_refused_in_words(michael: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = michael.client.cookies
    response = client.post("/integrations/tokens/new/", {"name": "Forged"})
    assert response.status_code == 403
    assert "The form has expired" in response.text


def test_a_host_that_is_not_ours_is_400(client: Client) -> None:
    assert client.get("/sign-in/", headers={"host": "evil.example"}).status_code == 400
    response = client.get("/public/v1/accounts", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "\\\\evil.example",
        "/\nevil",
    ],
)
def test_a_form_never_returns_to_another_site(michael: Person, token: Token, target: str) -> None:
    response = michael.client.post(f"{LIST}{token.pk}/disable/", {"next": target})
    assert response.status_code == 302
    assert response["Location"].startswith("/")
    assert "evil.example" not in response["Location"].split("?")[0].removeprefix("/%0A")


@pytest.mark.parametrize(
    "target",
    ["abc", "?", "#x", "", "http://testserver//evil.example/", "http://[bad", "tokens:list"],
)
@pytest.mark.parametrize("form", ["disable", "theme", "view", "switch"])
def test_a_place_to_return_to_that_is_no_path_is_ignored(
    michael: Person, token: Token, form: str, target: str
) -> None:
    address, data = {
        "disable": (f"{LIST}{token.pk}/disable/", {}),
        "theme": ("/account/theme/", {"theme": "dark"}),
        "view": (f"{LIST}layout/", {"per_page": "20"}),
        "switch": ("/account/switch/", {"account": michael.account.pk}),
    }[form]
    response = michael.client.post(address, {**data, "next": target})
    assert response.status_code == 302
    assert response["Location"].split("?")[0] in {LIST, "/"}


@pytest.mark.parametrize(
    "address",
    [
        "http://[bad",
        "https://evil.example/x",
        "http://testserver//evil.example",
        "nonsense",
        "\x00",
    ],
)
def test_an_address_from_the_browser_that_is_not_ours_leads_home(
    client: Client, token: Token, address: str
) -> None:
    response = client.post(
        f"{LIST}{token.pk}/disable/", headers={"hx-request": "true", "hx-current-url": address}
    )
    assert response["HX-Redirect"] == "/sign-in/?next=/"
    assert (
        client.post(f"{LIST}{token.pk}/disable/", headers={"referer": address})["Location"]
        == "/sign-in/?next=/"
    )


@pytest.mark.parametrize(
    "charset", ["hex", "utf-7", "unicode_escape", "rot13", "nope", "utf-8; charset=hex"]
)
@pytest.mark.parametrize("path", ["/public/v1/accounts", "/sign-in/"])
def test_a_charset_in_the_content_type_changes_nothing(db: None, path: str, charset: str) -> None:
    """Goes through the WSGI application: Django would fail before any of its handlers run.

    That is while it builds the request.
    """
    from io import BytesIO

    from portal.wsgi import application

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "q=%2B2AA-",
        "CONTENT_TYPE": f"text/plain; charset={charset}",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
    }
    seen: list[str] = []

    def start(status: str, *_rest: object) -> Callable[[bytes], object]:
        seen.append(status)
        return bytes

    response = application(environ, start)
    assert isinstance(response, HttpResponse)
    b"".join(response)
    response.close()
    assert seen == ["401 Unauthorized" if path.startswith("/public") else "200 OK"]


@pytest.mark.parametrize("name", ["q", "external_id"])
@pytest.mark.parametrize("text", ["a" * 50_001, "_" * 25_000, "ﷺ" * 1_700])
def test_a_search_without_end_is_refused_in_words(
    michael: Person, token: Token, name: str, text: str
) -> None:
    response = michael.client.get(LIST, {name: text})
    assert response.status_code == 200
    assert "at most 128 characters" in response.text


def test_the_longest_search_is_answered(michael: Person, token: Token) -> None:
    assert michael.client.get(LIST, {"q": "ﷺ" * 128}).status_code == 200


@pytest.fixture
def staff(db: None) -> Client:
    from accounts.models import User

    client = Client(raise_request_exception=False)
    client.force_login(
        User.objects.create_superuser("admin@portal.example", name="Admin"),
        backend="accounts.backends.EmailBackend",
    )
    return client


@pytest.mark.parametrize(
    "page", ["tokens/token", "accounts/user", "accounts/account", "modules/agreement"]
)
def test_the_admin_refuses_what_the_database_cannot_take(staff: Client, page: str) -> None:
    for query in ("q=%00", f"q={'a' * 50_001}", "q=" + "a+" * 1_500, "q=" + "a+" * 21):
        assert staff.get(f"/admin/{page}/?{query}").status_code == 400
    assert staff.get(f"/admin/{page}/?q=" + "a+" * 20).status_code == 200
    assert staff.get(f"/admin/{page}/%00/change/").status_code == 400
    assert (
        staff.post(
            f"/admin/{page}/", {"action": "delete_selected", "_selected_action": "\0"}
        ).status_code
        == 400
    )


BENT = (
    "99999999999",
    "9" * 40,
    "[",
    "-9999999999999-01-01",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "13",
    "1,2,3",
)


def lookups(model: type[Model]) -> Iterator[str]:
    """Yield a column of each type in the model, alone and with each of Django's look-ups."""
    columns = {type(field): field for field in model._meta.concrete_fields}.values()
    for field in columns:
        yield field.name
        for lookup in field.get_lookups():
            yield f"{field.name}__{lookup}"
        yield f"{field.name}__year__gt"


@pytest.mark.parametrize(
    "model", list(admin.site._registry), ids=lambda model: model._meta.label_lower
)
def test_no_look_up_in_an_address_of_the_admin_is_a_500(staff: Client, model: type[Model]) -> None:
    page = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    for number, name in enumerate(lookups(model)):
        for value in (BENT[number % len(BENT)], "99999999999"):
            assert staff.get(page, {name: value}).status_code in {200, 302, 400}, (name, value)


def test_the_filters_of_the_admin_s_own_pages_work(staff: Client) -> None:
    assert staff.get("/admin/tokens/token/", {"status__exact": "active"}).status_code == 200
    assert staff.get("/admin/accounts/user/", {"is_active__exact": "1"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/public/v1/agreements/%00", "/integrations/%00/", "/account/reset/%00/x/"]
)
def test_a_nul_in_a_path_is_400(client: Client, db: None, path: str) -> None:
    assert client.get(path).status_code == 400


def test_a_nul_in_a_cookie_is_400(client: Client, db: None) -> None:
    client.cookies["session"] = "\0" * 8
    assert client.get(LIST).status_code == 400


@pytest.mark.parametrize("uid", ["AAAA", "x", "____", "VVItMDAwLTAwMC0wMDA"])
def test_a_link_for_a_new_password_that_is_none_says_so(client: Client, db: None, uid: str) -> None:
    response = client.get(f"/account/reset/{uid}/x-y/")
    assert response.status_code == 200
    assert response.context["validlink"] is False


def test_a_form_sent_to_a_page_that_takes_none_says_so(michael: Person, token: Token) -> None:
    response = michael.client.post(f"{LIST}{token.pk}/")
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert "This address opens no page" in response.text


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "q",
                "status",
                "extension",
                "page",
                "per_page",
                "sort",
                "columns",
                "created_from",
                "module",
            ]
        ),
        st.text(max_size=40),
    )
)
def test_no_query_breaks_the_list(michael: Person, query: dict[str, str]) -> None:
    assert michael.client.get(LIST, query).status_code == 200


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=300), st.text(max_size=200), st.text(max_size=400), st.text(max_size=20))
def test_no_text_breaks_the_first_step(
    michael: Person, name: str, external_id: str, description: str, expires_on: str
) -> None:
    fields = {
        "name": name,
        "external_id": external_id,
        "description": description,
        "expires_on": expires_on,
    }
    assert michael.client.post("/integrations/tokens/new/", fields).status_code in {200, 302}


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=80))
def test_no_path_or_query_breaks_the_api(client: Client, junk: bytes) -> None:
    from urllib.parse import quote

    assert client.get(f"/public/v1/{quote(junk)}").status_code in (
        {400} if b"\0" in junk else {401, 404}
    )
    assert (
        client.generic(
            "GET", "/public/v1/accounts", QUERY_STRING=junk.decode("latin-1")
        ).status_code
        == 401
    )

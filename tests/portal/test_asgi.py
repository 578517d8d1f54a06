"""The environment that Django sees, and the threads in which requests run.

The environment is built from the request alone, and each kind of request has its own threads.
"""

import asyncio
from typing import Any

import pytest
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from pytest_django import Settings

from portal import asgi, views
from portal.asgi import LAST_RESORT, THREADS, Application, environ_of, kind, run_django_safely
from portal.pools import HungUp, Pool
from tests.portal.test_store import ENDLESS

SCOPE = {
    "method": "GET",
    "path": "/\u00e9",
    "query_string": b"a=%C3%A9",
    "http_version": "1.1",
    "scheme": "http",
    "server": ("127.0.0.1", "8000"),
    "client": ("192.0.2.7", "40000"),
}


def environ(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return environ_of({**SCOPE, "headers": headers})


def test_names_with_an_underscore_are_dropped() -> None:
    """In WSGI they have the same name as the header that a proxy wrote."""
    both = environ(
        (b"x-forwarded-for", b"203.0.113.9"),
        (b"x_forwarded_for", b"10.0.0.1"),
        (b"x-forwarded_for", b"10.0.0.1"),
    )
    assert both["HTTP_X_FORWARDED_FOR"] == "203.0.113.9"
    alone = environ(
        (b"x_forwarded_proto", b"https"), (b"content_length", b"7"), (b"remote_addr", b"10.0.0.1")
    )
    assert {name for name in alone if name.startswith("HTTP_")} == set()


def test_nothing_comes_from_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_AUTHORIZATION", "ApiKey of the process")
    monkeypatch.setenv("SECRET_KEY", "of the process")
    found = environ()
    assert "of the process" not in str(found)
    assert {name for name in found if not name.startswith("wsgi.")} == {
        "REQUEST_METHOD",
        "SCRIPT_NAME",
        "PATH_INFO",
        "QUERY_STRING",
        "SERVER_NAME",
        "SERVER_PORT",
        "SERVER_PROTOCOL",
        "REMOTE_ADDR",
    }


def test_headers_of_one_name_are_one_list() -> None:
    found = environ(
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"x-forwarded-for", b"10.0.0.1"),
        (b"x-forwarded-for", b"203.0.113.9"),
    )
    assert found["HTTP_COOKIE"] == "a=1; b=2"
    assert found["HTTP_X_FORWARDED_FOR"] == "10.0.0.1,203.0.113.9"


def test_texts_are_bytes_in_latin_1_as_wsgi_wants_them() -> None:
    found = environ((b"cookie", b"a=\xff"))
    assert (found["PATH_INFO"], found["HTTP_COOKIE"]) == ("/\u00c3\u00a9", "a=\u00ff")


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/public/v1/agreements", "", "API, reads"),
        ("GET", "/public/v1/agreements", "limit=100", "API, reads"),
        ("GET", "/public/v1/agreements", "eq(type,program)&limit=101&offset=0", "API, long lists"),
        ("GET", "/public/v1/agreements", "limit=1000", "API, long lists"),
        ("GET", "/public/v1/agreements", "limit(100)", "API, reads"),
        ("GET", "/public/v1/agreements", "limit=0000100&offset=1000", "API, reads"),
        ("GET", "/public/v1/agreements", "limit%3D10%26offset=1000", "API, reads"),
        ("GET", "/public/v1/agreements", "ordering(-limits)&name=unlimited", "API, reads"),
        ("GET", "/public/v1/agreements", "limi%74=1000", "API, long lists"),
        ("GET", "/public/v1/agreements", "limit%3d1000", "API, long lists"),
        ("GET", "/public/v1/agreements", "%6Cimit%281000%29", "API, long lists"),
        ("GET", "/public/v1/agreements", "limit=0000000001000", "API, long lists"),
        ("GET", "/public/v1/agreements", "name=limit=1&limit=1000", "API, long lists"),
        ("GET", "/public/v1/agreements", "zz=limit=1&limit=1000", "API, long lists"),
        ("GET", "/public/v1/agreements", "limit=1&and(limit=1000)", "API, long lists"),
        ("GET", "/public/v1/agreements", 'limit="1000"', "API, long lists"),
        ("GET", "/public/v1/agreements", "limit=+1000", "API, long lists"),
        ("GET", "/public/v1/agreements", "limit=eq=1000", "API, long lists"),
        ("GET", "/public/v1/agreements", "limit =1000", "API, long lists"),
        ("GET", "/public/v1/agreements", "limit=nonsense", "API, long lists"),
        ("GET", "/public/v1/agreements", "limit=", "API, long lists"),
        ("OPTIONS", "/public/v1/agreements", "", "API, reads"),
        ("POST", "/public/v1/auth/tokens", "limit=1000", "API, writes"),
        ("BREW", "/public/v1/auth/tokens", "", "API, writes"),
        ("HEAD", "/sign-in/", "", "pages, reads"),
        ("GET", "/integrations/tokens/", "limit=1000", "pages, reads"),
        ("POST", "/sign-in/", "", "pages, writes"),
    ],
)
def test_each_kind_of_request_has_threads_of_its_own(
    method: str, path: str, query: str, expected: str
) -> None:
    assert kind({"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}) == expected
    assert expected in THREADS


def test_there_is_an_answer_whatever_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(asgi, "django_application", fail)
    answer = run_django_safely(environ())
    assert answer.status == 500
    assert dict(answer.headers)[b"X-Frame-Options"] == b"DENY"

    def fail_again(*_arguments: Any) -> None:
        raise ValueError

    monkeypatch.setattr(views, "bare_error", fail_again)
    assert run_django_safely(environ()) == LAST_RESORT


SESSION = (b"cookie", b"session=" + b"x" * 32)


def half_sent(address: str) -> dict[str, Any]:
    """Send a request whose body never ends, from an address that a proxy reports."""
    headers = (
        (b"host", b"a"),
        (b"content-length", b"200000"),
        SESSION,
        (b"x-forwarded-for", address.encode()),
    )
    return {**SCOPE, "method": "POST", "headers": headers}


def test_who_sends_bodies_that_never_end_leaves_room_for_others(settings: Settings) -> None:
    """However many send them, and whatever session they claim to have."""
    settings.TRUSTED_PROXIES = 1

    async def check() -> None:
        served = Application()

        async def send_half() -> dict[str, Any]:
            """Send almost all of the body, then nothing."""
            if asyncio.current_task() in begun:
                return await asyncio.Future()
            begun.add(asyncio.current_task())
            return {"type": "http.request", "body": b"a" * 199_000, "more_body": True}

        begun: set[asyncio.Task[Any] | None] = set()
        floods = {}
        for network in range(1, 31):
            address = f"198.51.100.{network}"
            floods[address] = [
                asyncio.create_task(served.answer(half_sent(address), send_half)) for _ in range(50)
            ]
            await asyncio.sleep(0.05)
            # The largest body that somebody else may send.
            assert (asgi.BODIES - served.bodies.held) / asgi.SHARE > asgi.BODY
            done = [task.result() for task in floods[address] if task.done()]
            assert done
            assert {(answer.status, dict(answer.headers)[b"Retry-After"]) for answer in done} == {
                (503, b"2")
            }
        for task in (task for tasks in floods.values() for task in tasks):
            task.cancel()
        await asyncio.gather(
            *(task for tasks in floods.values() for task in tasks), return_exceptions=True
        )
        assert (served.bodies.held, len(served.bodies.held_by)) == (0, 0)

    asyncio.run(check())


@login_not_required
def count_without_end(_request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(ENDLESS)
        return HttpResponse(str(cursor.fetchall()))


class Urls:
    urlpatterns = (
        path("public/v1/endless", count_without_end),
        path("public/v1/", views.bad_request),
    )


@pytest.mark.django_db(transaction=True)
def test_who_hangs_up_frees_the_thread_that_worked_for_the_call(settings: Settings) -> None:
    settings.ROOT_URLCONF, settings.STATEMENT_SECONDS = Urls, 600

    async def hang_up() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def stay() -> dict[str, Any]:
        return await asyncio.Future()

    async def check() -> None:
        served = Application()
        served.pools = {"API, reads": Pool("API, reads", 1, run_django_safely)}
        call = {**SCOPE, "headers": ((b"host", b"testserver"),)}
        with pytest.raises(HungUp):
            await served.answer({**call, "path": "/public/v1/endless"}, hang_up)
        async with asyncio.timeout(60):
            answer = await served.answer({**call, "path": "/public/v1/"}, stay)
        assert answer.status == 400
        served.pools["API, reads"].end()
        for thread in served.pools["API, reads"].threads:
            await asyncio.to_thread(thread.join, 10)

    asyncio.run(check())


# --- Callers --------------------------------------------------------------------------------------

KEY = "ApiKey SU-000-000-001:" + "a" * 40


@pytest.mark.parametrize(
    ("path", "name", "value", "credential"),
    [
        ("/public/v1/agreements", "HTTP_AUTHORIZATION", KEY, KEY),
        # Knowing only the id makes a different caller.
        (
            "/public/v1/agreements",
            "HTTP_AUTHORIZATION",
            KEY.replace("a", "b"),
            KEY.replace("a", "b"),
        ),
        ("/public/v1/agreements", "HTTP_AUTHORIZATION", "ApiKey SU-1", ""),
        ("/public/v1/agreements", "HTTP_COOKIE", "session=" + "x" * 32, ""),
        ("/sign-in/", "HTTP_COOKIE", "a=b; session=" + "x" * 32, "x" * 32),
        ("/sign-in/", "HTTP_COOKIE", "session=x", ""),
        ("/sign-in/", "HTTP_AUTHORIZATION", KEY, ""),
    ],
)
def test_a_client_is_a_network_and_a_whole_key_or_session(
    path: str, name: str, value: str, credential: str
) -> None:
    found = asgi.client({"PATH_INFO": path, "REMOTE_ADDR": "2001:db8:1:2:3::4", name: value})
    assert found == ("2001:db8:1:2::", credential)

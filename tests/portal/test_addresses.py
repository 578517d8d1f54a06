"""A request's address and scheme are what our own proxies say, never what a client claims."""

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory
from pytest_django import Settings

from portal.http import client_address, client_scheme

PEER = "192.0.2.80"


def request(rf: RequestFactory, **headers: str) -> WSGIRequest:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return rf.get("/", headers=names, REMOTE_ADDR=PEER)


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        # Without a proxy all of it was written by the client.
        (0, "203.0.113.9", PEER),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1, 198.51.100.4, 203.0.113.9", "203.0.113.9"),
        (2, "10.0.0.1, 198.51.100.4, 203.0.113.9", "198.51.100.4"),
        (3, "10.0.0.1, 198.51.100.4, 203.0.113.9", "10.0.0.1"),
        # Fewer entries than proxies: the request took another path.
        (2, "203.0.113.9", PEER),
        (9, "10.0.0.1, 198.51.100.4, 203.0.113.9", PEER),
        (1, "", PEER),
        (1, " , ,", PEER),
        # Ports, brackets, spaces, empty entries.
        (1, "198.51.100.7:40000", "198.51.100.7"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, "[2001:db8::7]", "2001:db8::7"),
        (1, "[2001:DB8:0::7]:40000", "2001:db8::7"),
        (1, "fe80::7%eth0", "fe80::7"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
        (1, "  198.51.100.7\t", "198.51.100.7"),
        (1, "198.51.100.7,", "198.51.100.7"),
        (1, "evil,, 198.51.100.7 , ", "198.51.100.7"),
        (2, "198.51.100.7:1,[2001:db8::7]:2,", "198.51.100.7"),
        # Our own proxy does not say.
        (1, "unknown", None),
        (1, "203.0.113.9, unknown", None),
        (1, "_hidden", None),
        (1, "nonsense", None),
        (1, "1.2.3.4.5", None),
        (1, "1.2.3.4:5:6", None),
        (1, "[", None),
        (1, "'; --", None),
    ],
)
def test_an_address_is_read_from_the_right(
    rf: RequestFactory, settings: Settings, proxies: int, header: str, expected: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert client_address(request(rf, x_forwarded_for=header)) == expected


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        (0, "for=203.0.113.9;proto=https", (PEER, "http")),
        (1, "for=203.0.113.9;proto=https", ("203.0.113.9", "https")),
        (1, 'For="[2001:db8:cafe::17]:4711"', ("2001:db8:cafe::17", "http")),
        (1, 'for="198.51.100.7:4711"; by=203.0.113.43 ; Proto=HTTPS', ("198.51.100.7", "https")),
        (1, "for=10.0.0.1;proto=https, for=198.51.100.7;proto=http", ("198.51.100.7", "http")),
        (
            2,
            "for=10.0.0.1, for=198.51.100.7;proto=https, for=203.0.113.9;proto=http,",
            ("198.51.100.7", "https"),
        ),
        (2, "for=198.51.100.7;proto=https", (PEER, "https")),
        # What a client sends to swallow the element that our proxy appends.
        (1, 'for="10.0.0.1, for=198.51.100.7;by="203.0.113.43"', ("198.51.100.7", "http")),
        (1, "for=unknown", (None, "http")),
        (1, 'for="_gazonk"', (None, "http")),
        (1, "by=203.0.113.43", (None, "http")),
        (1, "nonsense", (None, "http")),
        (1, "", (PEER, "http")),
    ],
)
def test_forwarded_is_read_like_the_headers_before_it(
    rf: RequestFactory,
    settings: Settings,
    proxies: int,
    header: str,
    expected: tuple[str | None, str],
) -> None:
    settings.TRUSTED_PROXIES = proxies
    asked = request(rf, forwarded=header)
    assert (client_address(asked), client_scheme(asked)) == expected


def test_forwarded_of_a_client_does_not_count_beside_what_our_proxy_wrote(
    rf: RequestFactory, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = 1
    asked = request(rf, forwarded="for=10.0.0.1;proto=https", x_forwarded_for="203.0.113.9")
    assert (client_address(asked), client_scheme(asked)) == ("203.0.113.9", "http")


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        (0, "https", "http"),
        (1, "https", "https"),
        (1, "HTTPS", "https"),
        (1, "https, http", "http"),
        (1, "http, https", "https"),
        (1, "https,", "https"),
        (1, "wss", "http"),
        (1, "", "http"),
        # The outermost proxy says how the client connected; the inner one passed on one entry.
        (2, "https, http", "https"),
        (2, "https, http, http", "http"),
        (2, "https", "https"),
    ],
)
def test_the_scheme_is_read_from_the_right(
    client: Client, settings: Settings, proxies: int, header: str, expected: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    response = client.get("/sign-in/", headers={"x-forwarded-proto": header})
    assert response.wsgi_request.scheme == expected


def test_people_whose_proxy_does_not_tell_their_address_are_not_locked_together(
    client: Client, db: None, settings: Settings
) -> None:
    from tests.accounts.test_sign_in import sign_in
    from tests.conftest import person

    settings.TRUSTED_PROXIES, settings.SIGN_IN_TRIES_PER_ADDRESS = 1, 8
    for number in range(9):
        sign_in(
            client, f"nobody{number}@mightymicks.example", "wrong", HTTP_X_FORWARDED_FOR="unknown"
        )
    assert sign_in(client, person().user.email, HTTP_X_FORWARDED_FOR="unknown").status_code == 302

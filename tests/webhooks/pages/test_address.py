"""The address of an endpoint is looked at while it is typed, and never tells of what is inside."""

import socket
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from tests.conftest import Person
from tests.webhooks.engine.certificates import Authority
from tests.webhooks.engine.receiver import Receiver, speaking
from webhooks import checking, now
from webhooks.models import WebhookDraft

URL = "/integrations/webhooks/address/"


def said(somebody: Person, address: str) -> str:
    response = somebody.client.post(URL, {"external_url": address})
    assert response.status_code == 200
    return " ".join(response.text.split())


def tls(context: Any, connection: socket.socket) -> None:
    with context.wrap_socket(connection, server_side=True) as secure:
        secure.recv(100)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


def test_an_endpoint_that_can_be_reached_is_called_nothing(
    michael: Person, receiver: Receiver
) -> None:
    assert "can be reached. Calls are not encrypted" in said(michael, receiver.url)
    assert receiver.ids == []
    assert not WebhookDraft.objects.exists()


@pytest.mark.parametrize(
    ("days", "level"), [(9, "look-warning"), (14, "look-warning"), (90, "look-ok")]
)
def test_it_says_for_how_long_the_certificate_is_valid(
    michael: Person, authority: Authority, days: int, level: str
) -> None:
    context = authority.context(ends_in=timedelta(days=days, hours=1))
    with speaking(partial(tls, context)) as url:
        answer = said(michael, url.replace("http:", "https:"))
    assert f"Its certificate ends in {days} days." in answer
    assert level in answer


@pytest.mark.parametrize(
    ("host", "begins", "ends", "sentence"),
    [
        ("127.0.0.1", -9, -1, "The certificate of the endpoint has expired. It ended on "),
        ("127.0.0.1", 1, 9, "The certificate of the endpoint is not valid yet. It is valid only "),
        ("other.example", -9, 9, "The certificate of the endpoint is for another name."),
    ],
)
def test_a_bad_certificate_is_explained(
    michael: Person, authority: Authority, host: str, begins: int, ends: int, sentence: str
) -> None:
    context = authority.context(host, timedelta(days=ends), timedelta(days=begins))
    with speaking(partial(tls, context)) as url:
        assert sentence in said(michael, url.replace("http:", "https:"))


PRIVATE = (
    "https://10.20.30.40/",
    "http://127.0.0.1:5432/",
    "http://127.1/",
    "http://2130706433/",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost:6379/",
    "https://no.such.name.invalid/",
)


def test_whatever_is_not_public_gets_the_same_sentence(michael: Person, settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    for address in PRIVATE:
        answer = said(michael, address)
        assert "has no public address. Check the spelling; private ones are refused." in answer
        assert "look-error" in answer


def test_nothing_connects_to_what_may_not_be_called(
    michael: Person, settings: Settings, receiver: Receiver
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    for address in (receiver.url, receiver.url.replace("127.0.0.1", "localhost")):
        assert "has no public address" in said(michael, address)
    # Whether something listens there makes no difference.
    assert "has no public address" in said(michael, "http://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", ""),
        ("erp", "Enter a complete address"),
        ("ftp://erp.example/", "Enter a complete address"),
        ("https://a:b@erp.example/", "Remove the user name and password"),
        ("https://" + "x" * 300 + ".example/", "has no public address"),
        ("https://\u00e9" + "\u0301" * 70 + ".example/", ""),
        ("https://erp.example:0/", "Enter a complete address"),
        ("https://\x00/", "Remove blanks"),
        ("file:///etc/passwd", "Enter a complete address"),
        ("https://<b>x</b>.example/", ""),
        ("https://erp.example/a\u202eb", "hidden characters"),
        ("https://erp.example/a\u200bb", "hidden characters"),
    ],
)
def test_nonsense_gets_a_sentence(michael: Person, address: str, sentence: str) -> None:
    answer = said(michael, address)
    assert sentence in answer
    assert "<b>" not in answer


def test_looks_are_limited_in_a_minute_and_at_once(
    michael: Person, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with now.turn(michael.account.pk), now.turn(michael.account.pk):
        assert "Wait a moment." in said(michael, receiver.url)
    monkeypatch.setattr(checking, "LOOKS", 2)
    assert "can be reached" in said(michael, receiver.url)
    assert "Wait a moment." in said(michael, receiver.url)


def test_an_endpoint_that_says_nothing_is_given_up_in_time(
    michael: Person, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "SECONDS", 0.3)

    def silent(connection: socket.socket) -> None:
        while connection.recv(1000):
            pass

    with speaking(silent) as url:
        assert "could not be reached" in said(michael, url.replace("http:", "https:"))


def test_members_look_at_nothing(adrian: Person, receiver: Receiver) -> None:
    assert adrian.client.post(URL, {"external_url": receiver.url}).status_code == 403

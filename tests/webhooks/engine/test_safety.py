"""Which addresses may be called."""

import socket
import threading
import time
from ipaddress import ip_network
from typing import Any

import pytest
from pytest_django import Settings

from tests.webhooks.engine.receiver import Receiver
from webhooks import safety, send
from webhooks.outcomes import Outcome
from webhooks.send import Result
from webhooks.signing import Call

NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "198.17.255.255",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2001:200::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_a_host_of_the_internet_may_not_be_called(
    settings: Settings, address: str
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert not safety.may_call(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_called(settings: Settings, address: str) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert safety.may_call(address)


def test_an_operator_can_allow_a_network_and_nothing_beside_it(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")]
    assert safety.may_call("10.1.2.3")
    assert safety.may_call("::ffff:10.1.2.3")
    assert safety.may_call("64:ff9b::a01:203")
    assert safety.may_call("fd00:1::5")
    assert not safety.may_call("10.2.0.1")
    assert not safety.may_call("fd00:2::5")
    assert not safety.may_call("127.0.0.1")


@pytest.mark.parametrize("address", ["", "x", "1.2.3", "/run/socket", "1.1.1.1/32"])
def test_what_is_no_address_may_not_be_called(address: str) -> None:
    assert not safety.may_call(address)


# --- Connections ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "localhost.",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",  # noqa: S104
        "①②⑦.0.0.1",
    ],
)
def test_no_spelling_of_loopback_is_connected_to(
    settings: Settings, receiver: Receiver, host: str
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    url = receiver.url.replace("127.0.0.1", host)
    result = send.make(Call("POST", url, {}, b"{}"), 5)
    assert result.outcome == Outcome.NO_ADDRESS
    assert result.code is None
    assert receiver.calls == []


def test_only_the_log_tells_a_private_address_from_a_name_that_does_not_exist(
    settings: Settings, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    caplog.set_level("INFO", "webhooks.send")
    url = receiver.url.replace("127.0.0.1", "localhost")
    for address in (url, "http://no.such.name.invalid/"):
        result = send.make(Call("POST", f"{address}?key=secret", {}, b"{}"), 5)
        assert result == Result(Outcome.NO_ADDRESS, duration=result.duration)
    [record] = caplog.records
    assert record.getMessage().endswith(f", where {url} leads.")
    assert receiver.calls == []


def test_neither_proxies_of_the_environment_nor_netrc_are_used(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver, tmp_path: Any
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / ".netrc").write_text("default login me password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    result = send.make(Call("POST", receiver.url, {}, b"{}"), 5)
    assert result.outcome == Outcome.OK
    assert "authorization" not in receiver.calls[0].headers


# --- Looking up -----------------------------------------------------------------------------------


def answering(*addresses: str) -> Any:
    def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in addresses]

    return getaddrinfo


def test_one_private_address_is_enough_to_refuse_a_name(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    monkeypatch.setattr(socket, "getaddrinfo", answering("8.8.8.8", "10.0.0.1"))
    found = safety.look_up("https://mixed.example/hook")
    assert not found.is_callable
    assert found.refused == ("10.0.0.1",)
    monkeypatch.setattr(socket, "getaddrinfo", answering("8.8.8.8", "1.1.1.1"))
    assert safety.look_up("https://public.example/hook").is_callable


def test_a_name_without_an_address_is_not_callable() -> None:
    assert safety.look_up("https://no.such.name.invalid/hook") == safety.Found(())
    assert not safety.Found(()).is_callable


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: released.wait(2) and [])
    began = time.monotonic()
    assert not safety.look_up("https://slow.example/", seconds=0.1).is_callable
    assert time.monotonic() - began < 1
    released.set()

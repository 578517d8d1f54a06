"""Names whose address turns between the look-up, the connection and the next try.

libcurl is told the addresses of a name in advance, instead of by a DNS server.
"""

import socket
from collections.abc import Iterator
from ipaddress import ip_network

import pycurl
import pytest
from pytest_django import Settings

from tests.webhooks.engine.conftest import MakeWebhook, happen, seen
from tests.webhooks.engine.receiver import Receiver, Reply, receiving
from tests.webhooks.engine.test_delivering import due_now
from tests.webhooks.engine.test_safety import answering
from webhooks import safety
from webhooks.models import Attempt, Webhook, WebhookHealth
from webhooks.outcomes import Outcome
from webhooks.send import Transfer
from webhooks.worker import Worker

HERE, OTHER = "127.0.0.1", "127.0.0.2"


@pytest.fixture(autouse=True)
def only_here(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network(f"{HERE}/32")]


@pytest.fixture
def inside() -> Iterator[Receiver]:
    """Return a service that webhooks may not reach."""
    with receiving(OTHER) as made:
        yield made


def port_of(receiver: Receiver) -> str:
    return receiver.url.rpartition(":")[2].partition("/")[0]


@pytest.fixture
def webhook(make_webhook: MakeWebhook, inside: Receiver) -> Webhook:
    """Return a webhook whose endpoint has a name."""
    return make_webhook(f"http://turns.example:{port_of(inside)}/hook")


def deliver(webhook: Webhook, *addresses: str) -> None:
    """Deliver what is due while the name of the endpoint has these addresses."""
    worker, transfer = Worker(), Transfer()
    host = webhook.external_url.split("/")[2]
    transfer.curl.setopt(pycurl.RESOLVE, [f"{host}:{','.join(addresses)}"])
    worker.idle.append(transfer)
    worker.run_until_idle()


def outcomes() -> list[tuple[str, str]]:
    return list(Attempt.objects.order_by("number").values_list("outcome", "address"))


def test_a_name_that_turns_between_look_up_and_connection_reaches_nothing(
    webhook: Webhook, inside: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answering("8.8.8.8"))
    assert safety.look_up(webhook.external_url).is_callable
    (delivery,) = happen(webhook)
    deliver(webhook, OTHER)
    assert inside.calls == []
    assert outcomes() == [(Outcome.NO_ADDRESS, "")]
    # It is tried again: the DNS may be mended.
    assert seen(delivery).failures == 1


@pytest.mark.parametrize("addresses", [(OTHER, HERE), (HERE, OTHER)])
def test_an_allowed_address_opens_no_way_to_another_one_of_the_name(
    webhook: Webhook, inside: Receiver, addresses: tuple[str, str]
) -> None:
    happen(webhook)
    # Nothing listens at the allowed one, so libcurl would go on to the other.
    deliver(webhook, *addresses)
    assert inside.calls == []
    assert outcomes() == [(Outcome.NO_ADDRESS, "")]


def test_each_try_goes_to_the_address_of_its_time(
    make_webhook: MakeWebhook, receiver: Receiver
) -> None:
    webhook = make_webhook(f"http://turns.example:{port_of(receiver)}/hook")
    receiver.reply = Reply(500)
    (delivery,) = happen(webhook)
    deliver(webhook, HERE)
    for address in (OTHER, HERE):
        due_now(delivery)
        receiver.reply = Reply(204)
        deliver(webhook, address)
    assert receiver.ids == [delivery.pk] * 2
    assert receiver.calls[0].headers["host"] == f"turns.example:{port_of(receiver)}"
    assert outcomes() == [
        (Outcome.SERVER_ERROR, HERE),
        (Outcome.NO_ADDRESS, ""),
        (Outcome.OK, HERE),
    ]
    assert WebhookHealth.objects.get().fails_in_row == 0

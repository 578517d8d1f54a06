"""Looking for something takes no longer however many deliveries others have, in whatever state.

SQLite keeps no statistics, and may take an index that has it walk through all of them. Its steps
are counted. PostgreSQL keeps statistics.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from tests.conftest import Person, Response
from tests.webhooks.conftest import Hooks, make
from tests.webhooks.engine.conftest import steps
from webhooks import claims, notices, retention, whynot
from webhooks.figures import Figures
from webhooks.models import Delivery, Webhook, WebhookEvent
from webhooks.outcomes import Outcome
from webhooks.standing import Standing

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="counts the steps of SQLite"),
]

FEW, MANY = 10, 300
State, HOUR = Delivery.State, timedelta(hours=1)
# What deliveries can be like, each with its columns.
KINDS: dict[str, Callable[[], dict[str, Any]]] = {
    "planned": lambda: {"due_at": timezone.now() + HOUR},
    "failing": lambda: {
        "due_at": timezone.now() + HOUR,
        "failures": 1,
        "tries": 1,
        "failing_since": timezone.now(),
        "last_outcome": Outcome.SERVER_ERROR,
    },
    "being sent": lambda: {"due_at": timezone.now() + HOUR, "claimed_by": "other"},
    "delivered": lambda: {
        "state": State.DELIVERED,
        "tries": 1,
        "done_at": timezone.now(),
        "last_outcome": Outcome.OK,
    },
    "given up": lambda: {
        "state": State.FAILED,
        "failing_since": timezone.now(),
        "tries": 1,
        "failures": 1,
        "done_at": timezone.now(),
        "last_outcome": Outcome.SERVER_ERROR,
    },
}


def add(webhook: Webhook, count: int, **columns: Any) -> None:
    """Add deliveries of an object each."""
    events = WebhookEvent.objects.bulk_create(
        WebhookEvent(
            account_id=webhook.account_id,
            object_class=webhook.object_class,
            action="edited",
            object_id=f"SU-{number}",
        )
        for number in range(count)
    )
    Delivery.objects.bulk_create(
        Delivery(webhook=webhook, event=each, object_id=each.object_id, **columns)
        for each in events
    )


def claim() -> list[str]:
    found = claims.claim("me", claims.Room(160, Counter()))
    keys = [each.delivery.pk for each in found]
    Delivery.objects.filter(pk__in=keys).update(claimed_by="", tries=0)
    return keys


@pytest.fixture
def busy(account: Account) -> Webhook:
    return make(account, label="Busy")


@pytest.fixture(params=[False, True], ids=["in any order", "in order"])
def mine(account: Account, request: pytest.FixtureRequest) -> Webhook:
    """Return a webhook with one delivery of each kind, and two that are due."""
    webhook = make(account, label="Mine", keep_order=request.param)
    for columns in KINDS.values():
        add(webhook, 1, **columns())
    add(webhook, 2)
    return webhook


WORK: dict[str, Callable[[Webhook], object]] = {
    "claim": lambda webhook: claim(),
    "recover": lambda webhook: claims.recover(),
    "give back": lambda webhook: claims.release_strays("me", ["WHD-1"]),
    "overtake": lambda webhook: claims.overtakes([each.pk for each in webhook.deliveries.all()]),
    "forget": lambda webhook: retention.forget(),
    "warn": lambda webhook: notices.warn(),
    "why not": lambda webhook: whynot.why_not(webhook, "SU-0"),
}


# These look through what is being sent, of which endpoints have few at a time.
ALL_SENT = {"recover", "give back"}
CASES = [
    (work, kind)
    for work in WORK
    for kind in KINDS
    if not (kind == "being sent" and work in ALL_SENT)
]


@pytest.mark.parametrize(("work", "kind"), CASES)
def test_no_work_takes_longer_for_what_others_have(
    mine: Webhook, busy: Webhook, work: str, kind: str
) -> None:
    add(busy, FEW, **KINDS[kind]())
    few = steps(lambda: WORK[work](mine))
    add(busy, MANY, **KINDS[kind]())
    assert steps(lambda: WORK[work](mine)) < 1.5 * few


ABOUT: dict[str, Callable[[Webhook], object]] = {
    "claim": lambda webhook: claim(),
    "standing": Standing.of,
    "missed": lambda webhook: Delivery.objects.missed_by(webhook).exists(),
    "failing": lambda webhook: Figures(webhook, timezone.now()).oldest,
    "overtake": lambda webhook: claims.overtakes(
        [each.pk for each in webhook.deliveries.all()[:9]]
    ),
    "why not": lambda webhook: whynot.why_not(webhook, "SU-0"),
}


@pytest.mark.parametrize("work", ABOUT)
def test_nothing_takes_longer_for_what_has_arrived(mine: Webhook, work: str) -> None:
    add(mine, FEW, **KINDS["delivered"]())
    few = steps(lambda: ABOUT[work](mine))
    add(mine, MANY, **KINDS["delivered"]())
    assert steps(lambda: ABOUT[work](mine)) < 1.5 * few


def test_claiming_takes_no_longer_for_what_waits_as_well(mine: Webhook) -> None:
    add(mine, FEW)
    few = steps(claim)
    add(mine, MANY)
    assert len(claim()) == 7
    assert steps(claim) < 1.5 * few


PAGES = (
    *("", "deliveries/", "deliveries/?result=failing", "deliveries/?result=delivered"),
    *("deliveries/?result=planned", "deliveries/?q=SU-0", "deliveries/{delivery}/"),
    *("deliveries/redeliver/", "deliveries/recover/", "activity/", "edit/", "?object=SU-0"),
)


@pytest.mark.parametrize("mine", [False], indirect=True, ids=[""])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("page", PAGES)
def test_no_page_takes_longer_for_what_others_have(
    mine: Webhook, busy: Webhook, michael: Person, page: str, kind: str
) -> None:
    delivery = mine.deliveries.order_by("created_at").first()
    assert delivery
    url = f"/integrations/webhooks/{mine.pk}/{page.format(delivery=delivery.pk)}"
    add(busy, FEW, **KINDS[kind]())
    few = steps_to_read(lambda: michael.client.get(url))
    add(busy, MANY, **KINDS[kind]())
    assert steps_to_read(lambda: michael.client.get(url)) < 1.5 * few


# It counts those that fail.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "failing"])
def test_the_list_takes_no_longer_for_what_its_webhooks_have(
    busy: Webhook, michael: Person, hooks: Hooks, kind: str
) -> None:
    add(busy, FEW, **KINDS[kind]())
    asks = (
        lambda: michael.client.get("/integrations/webhooks/"),
        lambda: michael.client.get("/integrations/"),
        lambda: michael.client.get("/integrations/self-test/"),
        lambda: hooks("get"),
    )
    few = [steps_to_read(ask) for ask in asks]
    add(busy, MANY, **KINDS[kind]())
    for ask, before in zip(asks, few, strict=True):
        assert steps_to_read(ask) < 1.5 * before


def steps_to_read(ask: Callable[[], Response]) -> int:
    """Return the steps of what an answer reads, again: a request counts its own steps.

    With its parameters, since SQLite may take another index for values in the text.
    """
    read: list[tuple[str, Any]] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        if sql.startswith("SELECT"):
            read.append((sql, params))
        return execute(sql, params, *rest)

    with connection.execute_wrapper(watch):
        assert ask().status_code in {200, 302}
    assert read

    def again() -> None:
        with connection.cursor() as cursor:
            for sql, params in read:
                cursor.execute(sql, params)
                cursor.fetchall()

    return steps(again)

"""Whatever happens to deliveries in whatever order, their rows agree with a simple model."""

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.factories import AccountFactory
from tests.webhooks.engine.conftest import happen
from webhooks import claims, results, schedule
from webhooks.catalog import ObjectClass
from webhooks.models import MOST_SLOTS, Attempt, Delivery, Webhook, WebhookHealth
from webhooks.outcomes import Outcome
from webhooks.send import Result

CODES = {
    Outcome.OK: 200,
    Outcome.CLIENT_ERROR: 400,
    Outcome.SERVER_ERROR: 500,
    Outcome.ABORTED: 422,
    Outcome.RESET: None,
}
WORKERS = st.sampled_from(["one", "two"])


@dataclass
class Expected:
    """What a row ought to say, but for times."""

    state: str = "pending"
    holder: str = ""
    tries: int = 0
    failures: int = 0


class Deliveries(RuleBasedStateMachine):
    """A webhook, two workers, and a person who stops deliveries and sends them again."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction: AbstractContextManager[object] = transaction.atomic()
        self.transaction.__enter__()
        self.webhook = Webhook.create(
            account=AccountFactory(),
            label="ERP",
            object_class=ObjectClass.TOKEN,
            external_url="http://127.0.0.1:9/hook",
            by=None,
        )
        self.rows: dict[str, Expected] = {}
        # Every claim that was ever made. Any of them may come back with a result.
        self.claims: list[tuple[str, claims.Claimed]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @rule(times=st.integers(1, 4))
    def something_happens(self, times: int) -> None:
        for each in happen(self.webhook, times):
            self.rows[each.pk] = Expected()

    @rule(worker=WORKERS)
    def a_worker_claims(self, worker: str) -> None:
        past = timezone.now() - timedelta(seconds=1)
        Delivery.objects.unfinished().filter(claimed_by="").update(due_at=past)
        WebhookHealth.objects.update(hold_until=None)
        free = WebhookHealth.objects.get().slots - self.held
        found = claims.claim(worker, claims.Room(160, Counter()))
        waiting = [
            each for each in self.rows.values() if (each.state, each.holder) == ("pending", "")
        ]
        assert len(found) == max(0, min(free, len(waiting)))
        for each in found:
            row = self.rows[each.delivery.pk]
            row.holder, row.tries = worker, row.tries + 1
            assert (row.state, each.delivery.tries) == ("pending", row.tries)
            self.claims.append((worker, each))

    @rule(which=st.integers(0, 99), outcome=st.sampled_from(sorted(CODES)))
    def a_result_comes(self, which: int, outcome: Outcome) -> None:
        """Early or late, for the first time or once more."""
        if not self.claims:
            return
        worker, claimed = self.claims[which % len(self.claims)]
        row = self.rows[claimed.delivery.pk]
        counts = (row.state, row.holder, row.tries) == ("pending", worker, claimed.delivery.tries)
        done = results.Try(claimed, None, Result(outcome, CODES[outcome]), timezone.now())
        assert len(results.settle(worker, [done])) == counts
        if counts:
            row.holder = ""
            if outcome.is_delivered:
                row.state = "delivered"
            else:
                row.failures += 1
                over = outcome == Outcome.ABORTED or row.failures == schedule.TRIES
                row.state = "failed" if over else "pending"

    @rule()
    def leases_end(self) -> None:
        past = timezone.now() - timedelta(seconds=1)
        Delivery.objects.exclude(claimed_by="").update(due_at=past)
        assert claims.recover() == self.held
        for row in self.rows.values():
            row.holder = ""

    @rule(which=st.integers(0, 99))
    def a_person_sends_it_again(self, which: int) -> None:
        if not self.rows:
            return
        key, row = list(self.rows.items())[which % len(self.rows)]
        Delivery.objects.filter(pk=key).redeliver()
        if row.state != "pending":
            row.state, row.failures = "pending", 0

    @rule(which=st.integers(0, 99))
    def a_person_stops_it(self, which: int) -> None:
        if not self.rows:
            return
        key, row = list(self.rows.items())[which % len(self.rows)]
        waits = (row.state, row.holder) == ("pending", "")
        assert Delivery.objects.get(pk=key).give_up() == waits
        if waits:
            row.state = "failed"

    @property
    def held(self) -> int:
        return sum(1 for row in self.rows.values() if row.holder)

    @invariant()
    def rows_are_as_expected(self) -> None:
        fields = ("state", "claimed_by", "tries", "failures")
        stored = {
            key: Expected(*rest) for key, *rest in Delivery.objects.values_list("pk", *fields)
        }
        assert stored == self.rows

    @invariant()
    def every_try_has_a_number_and_one_row(self) -> None:
        for key, row in self.rows.items():
            numbers = Attempt.objects.filter(delivery=key).values_list("number", flat=True)
            ended = row.tries - bool(row.holder)
            assert sorted(numbers) == list(range(1, ended + 1))

    @invariant()
    def no_more_is_sent_at_once_than_there_are_slots(self) -> None:
        health = WebhookHealth.objects.get()
        assert 1 <= health.slots <= MOST_SLOTS
        assert self.held <= MOST_SLOTS


@pytest.mark.django_db
def test_deliveries_agree_with_a_model() -> None:
    slow = settings(
        max_examples=25,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Deliveries, settings=slow)

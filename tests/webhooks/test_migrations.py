"""Webhooks, drafts and deliveries of earlier versions survive the migrations since."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Account
from tests.conftest import Person


def migrate(name: str | None) -> Any:
    """Go to a migration of the app, or the newest; return the models of that time."""
    executor = MigrationExecutor(connection)
    newest = [key for key in executor.loader.graph.leaf_nodes() if key[0] == "webhooks"]
    target = [("webhooks", name)] if name else newest
    executor.migrate(target)
    return executor.loader.project_state(target).apps


@pytest.fixture
def before(transactional_db: None) -> Iterator[Any]:
    """Return the models as they were before conditions, and migrate to the newest in the end."""
    yield migrate("0005_drafts")
    migrate(None)


def test_webhooks_and_runs_of_the_wizard_get_empty_conditions_and_old_results_one_name(
    michael: Person, account: Account, before: Any
) -> None:
    said = {"account_id": account.pk, "label": "ERP", "external_url": "https://erp.example/"}
    models = {name: before.get_model("webhooks", name) for name in ("Webhook", "WebhookDraft")}
    draft = models["WebhookDraft"].objects.create(owner_id=michael.user.pk, **said)
    hook = models["Webhook"].objects.create(id="WH-100-000-001", label_key="erp", **said)
    event = before.get_model("webhooks", "WebhookEvent").objects.create(
        account_id=account.pk, object_class="token", action="edited", object_id="SU-1"
    )
    before.get_model("webhooks", "WebhookHealth").objects.create(
        webhook=hook, last_failure_outcome="blocked_address"
    )
    delivery = before.get_model("webhooks", "Delivery").objects.create(
        id="WHD-1000-0000-0001", webhook=hook, event=event, last_outcome="dns"
    )
    for number, outcome in enumerate(("dns", "blocked_address", "refused"), 1):
        before.get_model("webhooks", "Attempt").objects.create(
            delivery=delivery, number=number, outcome=outcome, note="10.0.0.1", address="10.0.0.1"
        )

    now = migrate(None)
    draft = now.get_model("webhooks", "WebhookDraft").objects.get(pk=uuid.UUID(str(draft.pk)))
    webhook = now.get_model("webhooks", "Webhook").objects.get(pk=hook.pk)
    for row in (draft, webhook):
        assert (row.label, row.condition, row.keep_order, row.rate_per_minute) == (
            "ERP",
            "",
            False,
            None,
        )
    assert (webhook.active, webhook.paused_at) == (True, None)
    assert (webhook.deliveries.get().replay, webhook.deliveries.get().object_id) == (None, "SU-1")
    tries = webhook.deliveries.get().attempts.order_by("number")
    assert list(tries.values_list("outcome", "address", "note")) == [
        ("no_address", "", ""),
        ("no_address", "", ""),
        ("refused", "10.0.0.1", "10.0.0.1"),
    ]
    assert webhook.deliveries.get().last_outcome == "no_address"
    assert webhook.health.last_failure_outcome == "no_address"

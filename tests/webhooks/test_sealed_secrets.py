"""Secrets of webhooks and the ring of sealing keys."""

import io
import os

import pytest
from django.core.management import call_command
from pytest_django import Settings

from tests.webhooks.conftest import SECRET
from tokens import vault
from tokens.models import RingSecret
from webhooks.models import Webhook, WebhookSecret


@pytest.fixture
def newer(webhook: Webhook, settings: Settings) -> int:
    """Put a newer sealing key into the ring than that of the webhook; return its number."""
    number: int = max(settings.TOKEN_SEALING_KEYS) + 1
    settings.TOKEN_SEALING_KEYS = {**settings.TOKEN_SEALING_KEYS, number: os.urandom(32)}
    return number


def said(command: str) -> str:
    out = io.StringIO()
    call_command(command, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_an_old_sealing_key_is_needed_while_a_webhook_has_a_secret_sealed_with_it(
    newer: int,
) -> None:
    assert "2 keys  needed: run manage.py reseal" in said("rings")


def test_reseal_moves_secrets_of_webhooks_to_the_newest_sealing_key(
    newer: int, webhook: Webhook, settings: Settings
) -> None:
    said("reseal")
    assert {bytes(row.sealed)[0] for row in WebhookSecret.objects.all()} == {newer}
    settings.TOKEN_SEALING_KEYS = {newer: settings.TOKEN_SEALING_KEYS[newer]}
    assert WebhookSecret.newest(webhook, "jwt").open() == SECRET


def test_a_lost_sealing_key_is_found_though_only_webhooks_need_it(
    newer: int, settings: Settings
) -> None:
    settings.TOKEN_SEALING_KEYS = {newer: settings.TOKEN_SEALING_KEYS[newer]}
    [lost] = [row for row in RingSecret.all_needed() if not row.is_configured()]
    assert lost.count_needed() == 2


def test_a_copy_moved_to_another_webhook_cannot_be_opened(webhook: Webhook) -> None:
    secret = WebhookSecret.newest(webhook, "jwt")
    secret.version = 7
    with pytest.raises(vault.SealBroken):
        secret.open()

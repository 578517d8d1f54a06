"""Everything that happens to a token, as the endpoint of a webhook is told of it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from portal import background
from tests.conftest import Call, Person
from tests.factories import TokenFactory
from tests.tokens.test_policies import age, impose
from tests.webhooks.engine.conftest import MakeWebhook, deliver
from tests.webhooks.engine.receiver import Receiver
from tokens import refusals, reminders
from tokens.models import RefusedAddress, Reminder, Token
from webhooks.models import Webhook, WebhookEvent
from webhooks.outbox import TOKEN_EVENTS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ends(token: Token, after: timedelta) -> None:
    old = timezone.now() - 400 * DAY
    end = timezone.now() + after
    Token.objects.filter(pk=token.pk).update(expires_at=end, created_at=old)


def remind() -> None:
    call_command("remind", stdout=StringIO())


def ends_soon(token: Token, person: Person) -> None:
    ends(token, 7 * DAY)
    remind()


def has_ended(token: Token, person: Person) -> None:
    ends(token, -HOUR)
    remind()


def restored(token: Token, person: Person) -> None:
    token.remove(by=person.user)
    WebhookEvent.objects.all().delete()
    token.restore(by=person.user)


def enabled(token: Token, person: Person) -> None:
    Token.objects.filter(pk=token.pk).update(status=Token.Status.INACTIVE)
    token.enable(by=person.user)


def retired(token: Token, person: Person) -> None:
    token.renew(by=person.user, until=timezone.now() + HOUR)
    WebhookEvent.objects.all().delete()
    token.retire(by=person.user)


def edited(token: Token, person: Person) -> None:
    token.edit(by=person.user, version=None, modules=None, name="Another Name")


def idled(token: Token, person: Person) -> None:
    impose(token.account, idle_days=30)
    age(token, 31)
    Token.objects.get(pk=token.pk).disable_idle()


# What happens, what the trail calls it, what the endpoint is told, and whether a person did it.
HAPPENINGS: list[tuple[Callable[[Token, Person], object], Action, str, bool]] = [
    (edited, Action.TOKEN_CHANGED, "edited", True),
    (
        lambda token, person: token.disable(by=person.user),
        Action.TOKEN_DISABLED,
        "disabled",
        True,
    ),
    (idled, Action.TOKEN_IDLED, "disabled", False),
    (enabled, Action.TOKEN_ENABLED, "enabled", True),
    (lambda token, person: token.remove(by=person.user), Action.TOKEN_DELETED, "deleted", True),
    (restored, Action.TOKEN_RESTORED, "restored", True),
    (lambda token, person: token.rotate(by=person.user), Action.KEY_ROTATED, "rotated", True),
    (
        lambda token, person: token.renew(by=person.user, until=timezone.now() + HOUR),
        Action.KEY_RENEWED,
        "rotated",
        True,
    ),
    (retired, Action.OLD_KEY_RETIRED, "retired", True),
    (
        lambda token, person: token.reveal(by=person.user, copied=False),
        Action.KEY_VIEWED,
        "revealed",
        True,
    ),
    (
        lambda token, person: token.reveal(by=person.user, copied=True),
        Action.KEY_COPIED,
        "revealed",
        True,
    ),
    (ends_soon, Action.TOKEN_REMINDED, "expiring", False),
    (has_ended, Action.TOKEN_EXPIRED, "expired", False),
    (
        lambda token, person: RefusedAddress.note(token, "192.0.2.7", "curl"),
        Action.ADDRESS_REFUSED,
        "refused",
        True,
    ),
    (
        lambda token, person: refusals.note(token.pk),
        Action.CALLS_REFUSED,
        "refused_often",
        False,
    ),
]


def test_no_event_of_tokens_is_missing_below() -> None:
    assert {Action.TOKEN_CREATED, *(row[1] for row in HAPPENINGS)} == set(TOKEN_EVENTS)


def told(receiver: Receiver, call: int = 0) -> dict[str, str | None]:
    """Return what the endpoint was told about the object of an event."""
    body = json.loads(receiver.calls[call].body)
    event = body["event"]
    return {"class": body["object_class"], "type": event["type"], "id": event["object"]["id"]}


@pytest.mark.parametrize(
    ("happens", "recorded", "action", "by_person"),
    HAPPENINGS,
    ids=[row[1].value for row in HAPPENINGS],
)
def test_a_webhook_is_told_of_each_thing_that_happens_to_a_token(
    account: Account,
    michael: Person,
    webhook: Webhook,
    receiver: Receiver,
    happens: Callable[[Token, Person], object],
    recorded: Action,
    action: str,
    by_person: bool,
) -> None:
    token = TokenFactory(account=account)
    WebhookEvent.objects.all().delete()
    happens(token, michael)
    event = WebhookEvent.objects.get()
    assert (event.action, event.object_id, event.actor is not None) == (action, token.pk, by_person)
    assert Event.objects.filter(subject_kind="token").latest("pk").action == recorded
    deliver()
    assert told(receiver) == {"class": "token", "type": f"token.{action}", "id": token.pk}
    # With keys and secrets left out.
    assert b"ApiKey" not in receiver.calls[0].body


def test_a_webhook_is_told_of_a_new_token(
    account: Account, webhook: Webhook, receiver: Receiver
) -> None:
    token = TokenFactory(account=account)
    deliver()
    assert told(receiver) == {"class": "token", "type": "token.created", "id": token.pk}


# --- Ends -----------------------------------------------------------------------------------------


def test_each_end_is_recorded_once(account: Account, webhook: Webhook) -> None:
    token = TokenFactory(account=account)
    ends(token, HOUR)
    assert reminders.record_ends() == 0
    ends(token, -HOUR)
    assert [reminders.record_ends() for _ in range(2)] == [1, 0]
    # Also after the daily tidying, and again once it got another end.
    call_command("prune", stdout=StringIO())
    assert reminders.record_ends() == 0
    ends(token, -HOUR)
    assert reminders.record_ends() == 1
    entry = Event.objects.filter(action=Action.TOKEN_EXPIRED, subject_id=token.pk)
    assert entry.count() == WebhookEvent.objects.filter(action="expired").count() == 2


def test_neither_old_ends_nor_those_of_deleted_tokens_are_recorded(
    account: Account, webhook: Webhook
) -> None:
    ends(TokenFactory(account=account), -8 * DAY)
    gone = TokenFactory(account=account)
    gone.remove(by=None)
    ends(gone, -HOUR)
    assert reminders.record_ends() == 0


def test_the_server_records_ends_by_itself(account: Account, webhook: Webhook) -> None:
    ends(TokenFactory(account=account), -HOUR)
    for each in background.rounds:
        each.job()
    assert WebhookEvent.objects.latest("pk").action == "expired"


@pytest.mark.django_db(transaction=True)
def test_several_processes_record_an_end_and_a_burst_once(
    account: Account, webhook: Webhook
) -> None:
    token = TokenFactory(account=account)
    ends(token, -HOUR)
    WebhookEvent.objects.all().delete()
    at_once = Barrier(4)

    def job() -> int:
        at_once.wait()
        try:
            return reminders.record_ends() + refusals.note(token.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(each.result() for each in [pool.submit(job) for _ in range(4)]) == 2
    assert Reminder.objects.filter(days=0).count() == 1
    actions = WebhookEvent.objects.values_list("action", flat=True)
    assert sorted(actions) == ["expired", "refused_often"]


# --- Refused calls --------------------------------------------------------------------------------


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Return the jobs that wait for the end of a response."""
    jobs: list[Callable[[], object]] = []
    monkeypatch.setattr(background, "later", jobs.append)
    refusals.counts.clear()
    return jobs


def test_a_burst_of_refused_calls_is_one_event_an_hour(
    call: Call, account: Account, webhook: Webhook, later: list[Callable[[], object]]
) -> None:
    token = TokenFactory(account=account)
    token.disable(by=None)
    WebhookEvent.objects.all().delete()
    for number in range(1, 3 * refusals.BURST + 1):
        assert call("accounts", token).status_code == 401
        assert len(later) == (number >= refusals.BURST)
    # As if two processes had counted so many.
    assert [job() for job in later * 2] == [True, False]
    assert WebhookEvent.objects.get().action == "refused_often"
    (entry,) = Event.objects.filter(action=Action.CALLS_REFUSED)
    assert (entry.actor_id, entry.changes) == ("", {"calls": [None, refusals.BURST]})


def test_calls_that_are_answered_are_not_counted(
    call: Call, account: Account, make_webhook: MakeWebhook, later: list[Callable[[], object]]
) -> None:
    token = TokenFactory(account=account)
    assert call("accounts", token).status_code == 200
    assert not refusals.counts


def test_refused_calls_of_an_unknown_token_are_no_event(
    call: Call, account: Account, later: list[Callable[[], object]]
) -> None:
    for _ in range(refusals.BURST):
        assert call("accounts", "ApiKey SU-000-000-001:" + "0" * 40).status_code == 401
    assert [job() for job in later] == [False]


def test_the_memory_for_counting_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "TOKENS", 3)
    refusals.counts.clear()
    for number in range(5):
        refusals.count(f"SU-{number}")
    assert [*refusals.counts] == ["SU-2", "SU-3", "SU-4"]

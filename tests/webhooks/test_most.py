"""An account has as many webhooks as it may and not one more, however they are created."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Account
from activity.models import Event
from tests.conftest import Person
from tests.factories import header
from tests.webhooks.conftest import Hooks, make
from tests.webhooks.engine.test_meanwhile import together
from tests.webhooks.pages.test_wizard import GENERAL, LIST, NEW, create, ready
from tests.webhooks.test_api import OURS
from tokens.models import Token
from webhooks.models import TooManyWebhooks, Webhook, WebhookDraft

FULL = "An account can have 2 webhooks. Delete one to create another."


@pytest.fixture(autouse=True)
def two(settings: Settings) -> None:
    """Let an account have two webhooks."""
    settings.WEBHOOKS_PER_ACCOUNT = 2


def fill(account: Account, count: int = 2) -> list[Webhook]:
    return [make(account, label=f"Watch {number}") for number in range(count)]


def test_the_last_one_is_created_and_no_other(account: Account) -> None:
    fill(account)
    before = Event.objects.count()
    with pytest.raises(TooManyWebhooks, match=FULL):
        make(account)
    assert Webhook.objects.count() == 2
    assert Event.objects.count() == before


def test_a_deleted_one_makes_room(account: Account) -> None:
    first, _second = fill(account)
    first.remove(by=None)
    make(account)
    assert Webhook.objects.count() == 2


def test_those_of_other_accounts_do_not_count(account: Account, stranger: Person) -> None:
    fill(stranger.account)
    assert len(fill(account)) == 2


@pytest.mark.parametrize(
    ("most", "sentence"),
    [
        (3, ""),
        (2, FULL),
        (1, "An account can have 1 webhook. Delete 2 to create another."),
    ],
)
def test_an_account_that_has_more_keeps_them_and_is_told_how_many_to_delete(
    account: Account, settings: Settings, most: int, sentence: str
) -> None:
    fill(account)
    settings.WEBHOOKS_PER_ACCOUNT = most
    assert Webhook.objects.why_no_more(account.pk) == sentence
    for webhook in Webhook.objects.all():
        assert webhook.edit(by=None, description="Kept")
        assert webhook.disable(by=None)
        assert webhook.enable(by=None)


# --- Each entrance --------------------------------------------------------------------------------


def test_the_api_refuses_one_more_with_a_code(hooks: Hooks, account: Account) -> None:
    assert hooks("post", body=OURS).status_code == 201
    fill(account, 1)
    response = hooks("post", body=OURS)
    assert response.status_code == 400
    assert response.json() == {"error_code": "WHK_005", "errors": [FULL]}
    [first, _second] = hooks("get").json()
    assert hooks("put", f"/{first['id']}", {"label": "Still edited"}).status_code == 200
    hooks("delete", f"/{first['id']}")
    assert hooks("post", body=OURS).status_code == 201


def test_the_list_says_why_there_is_no_button(
    michael: Person, adrian: Person, account: Account
) -> None:
    fill(account, 1)
    seen = michael.client.get(LIST).text
    assert f'href="{NEW}"' in seen
    assert "No more webhooks" not in seen
    fill(account, 1)
    seen = michael.client.get(LIST).text
    assert f'href="{NEW}"' not in seen
    assert seen.count(FULL) == 1
    # Who creates none is not bothered.
    assert FULL not in adrian.client.get(LIST).text


def test_the_first_step_says_so_and_keeps_what_was_typed(michael: Person) -> None:
    first, _second = fill(michael.account)
    assert FULL in michael.client.get(NEW).text
    # As a browser sends it, whose page is opened again.
    sent = michael.client.post(NEW, GENERAL, headers={"sec-fetch-mode": "navigate"}, follow=True)
    assert sent.redirect_chain == [(NEW, 302)]
    assert sent.text.count(FULL) == 1
    assert f'value="{GENERAL["label"]}"' in sent.text
    assert not WebhookDraft.objects.exists()
    first.remove(by=None)
    assert michael.client.post(NEW, GENERAL).status_code == 302
    assert WebhookDraft.objects.get().label == GENERAL["label"]


def test_a_run_that_was_begun_before_keeps_everything_until_there_is_room(michael: Person) -> None:
    run = ready(michael.client)
    first, _second = fill(michael.account)
    assert FULL in michael.client.get(f"{run}events/").text
    refused = create(michael.client, run, data='{"queue": "orders"}')
    assert refused.status_code == 200
    assert refused.text.count(FULL) == 1
    assert Webhook.objects.count() == 2
    assert WebhookDraft.objects.get().data == {"queue": "orders"}
    first.remove(by=None)
    assert "/summary/" in create(michael.client, run)["Location"]


def test_a_run_that_somebody_overtakes_in_its_last_moment_stays_too(
    michael: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ready(michael.client)
    finish = WebhookDraft.finish

    def overtaken(draft: WebhookDraft) -> Webhook | None:
        fill(michael.account)
        return finish(draft)

    monkeypatch.setattr(WebhookDraft, "finish", overtaken)
    refused = create(michael.client, run)
    assert refused["Location"] == f"{run}events/"
    seen = michael.client.get(refused["Location"]).text
    assert "The webhook was not created." in seen
    assert seen.count(FULL) == 1
    assert WebhookDraft.objects.count() == 1


# --- At the same moment ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_programs_and_people_at_once_create_no_more_than_there_is_room_for(
    michael: Person, boss: Token
) -> None:
    fill(michael.account, 1)
    runs = [ready(michael.client) for _ in range(3)]
    refused: list[str] = []

    def program() -> None:
        response: Any = Client().post(
            "/public/v1/notifications/webhooks",
            OURS,
            content_type="application/json",
            headers={"authorization": header(boss)},
        )
        if response.status_code != 201:
            refused.extend(response.json()["errors"])

    def person(run: str) -> Callable[[], None]:
        def press() -> None:
            client = Client()
            client.cookies = michael.client.cookies
            response = create(client, run)
            if "/summary/" not in response.get("Location", ""):
                refused.append(client.get(f"{run}events/").text)

        return press

    together(*[program] * 3, *map(person, runs))
    assert Webhook.objects.count() == 2
    assert len(refused) == 5
    assert all(FULL in each for each in refused)

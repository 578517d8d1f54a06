"""Editing a webhook."""

import re
from typing import Any

import pytest
from django.db import connection

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from tests.accounts.test_sudo import answer
from tests.conftest import Person, stale
from tests.webhooks.factories import URL, make_webhook
from webhooks import outbox
from webhooks.models import Webhook

FORM: dict[str, Any] = {
    "label": "Orders to ERP",
    "active": "on",
    "object_class": "fulfillment_request",
    "external_url": URL,
    "http_method": "POST",
}


def edit_url(webhook: Webhook) -> str:
    return f"/integrations/webhooks/{webhook.pk}/edit/"


def send(somebody: Person, webhook: Webhook, **changes: Any) -> Any:
    return somebody.client.post(edit_url(webhook), {**FORM, "version": "1", **changes})


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("label", "", "Enter a label for the webhook."),
        ("label", "x" * 103, "Shorten the label by 3 characters."),
        ("external_url", "", "Enter the address that the portal is to call."),
        ("external_url", "erp.example", "Enter a complete address"),
        ("external_url", "ftp://erp.example/", "Enter a complete address"),
        ("external_url", "https://a:b@erp.example/", "Remove the user name and password"),
        ("external_url", "https://erp.example/" + "x" * 4096, "at most 4096 characters"),
        ("object_class", "nonsense", "Choose what the webhook is about."),
        ("object_class", "", "Choose what the webhook is about."),
        ("product_id", "PRD-1", "Choose a product from the list."),
        ("headers_value", ["connect"], "Enter the name of the header with the value connect."),
        ("headers_name", ["X-A", "x-a"], "x-a is given twice."),
        ("headers_name", ["Host"], "The portal sets the header Host itself."),
        ("headers_name", ["bad name"], "is not the name of a header"),
        ("headers_name", ["X-A\r\nX-B"], "is not the name of a header"),
        ("headers_value", ["1\r\nHost: x"], "Enter the name of the header with the value"),
        *(
            ("rate_per_minute", value, "Enter a number of calls from 1 to 6,000.")
            for value in ("0", "-1", "6001", "1.5", "many", "9" * 400)
        ),
        ("data", "[1]", "Enter JSON such as"),
        ("data", "{", "Enter JSON such as"),
        ("data", "[" * 20_000, "Enter JSON such as"),
        ("data", '{"a": "%s"}' % ("x" * 9000), "at most 8 KB"),
        ("data", '{"a": NaN}', "a number or a character that JSON cannot hold"),
        ("data", '{"a": [-1e999]}', "a number or a character that JSON cannot hold"),
        ("data", r'{"a": "\ud800"}', "a number or a character that JSON cannot hold"),
        ("data", r'{"a": "\\\u0000"}', "no null characters"),
        ("data", r'{"\u0000": 1}', "no null characters"),
        *(
            ("data", f'{{"a": {"[" * deep}1{"]" * deep}}}', "nested at most 32 levels deep")
            for deep in (32, 600)
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    michael: Person, webhook: Webhook, field: str, value: str, sentence: str
) -> None:
    response = send(michael, webhook, **{field: value})
    assert response.status_code == 200
    name = field.removesuffix("_name").removesuffix("_value")
    assert sentence in " ".join(response.context["form"].errors[name])
    webhook.refresh_from_db()
    assert webhook.version == 1


def test_editing_saves_what_changed_and_records_it(michael: Person, webhook: Webhook) -> None:
    secret = webhook.reveal("jwt", by=None)
    response = send(michael, webhook, label="Renamed", data='{"a": 1}')
    assert response["Location"] == f"/integrations/webhooks/{webhook.pk}/"
    webhook.refresh_from_db()
    assert (webhook.label, webhook.data, webhook.version) == ("Renamed", {"a": 1}, 2)
    entry = Event.objects.filter(action=Action.WEBHOOK_CHANGED).get()
    assert entry.changes["label"] == ["Orders to ERP", "Renamed"]
    assert webhook.reveal("jwt", by=None) == secret


def test_limit_and_order_are_set_and_taken_back(michael: Person, webhook: Webhook) -> None:
    send(michael, webhook, rate_per_minute="60", keep_order="on")
    webhook.refresh_from_db()
    assert (webhook.rate_per_minute, webhook.keep_order, webhook.version) == (60, True, 2)
    send(michael, webhook, version="2", rate_per_minute="")
    webhook.refresh_from_db()
    assert (webhook.rate_per_minute, webhook.keep_order) == (None, False)


def test_saving_without_a_change_says_so(michael: Person, webhook: Webhook) -> None:
    response = michael.client.post(edit_url(webhook), {**FORM, "version": "1"}, follow=True)
    assert b"Nothing was changed." in response.content
    webhook.refresh_from_db()
    assert webhook.version == 1


def test_the_second_of_two_who_edit_sees_what_the_first_saved(
    michael: Person, webhook: Webhook
) -> None:
    webhook.edit(by=None, label="Theirs")
    response = send(michael, webhook, label="Mine")
    page = response.content.decode()
    assert "The change was not saved." in page
    assert "Theirs" in page
    assert 'value="Mine"' in page
    webhook.refresh_from_db()
    assert webhook.label == "Theirs"
    send(michael, webhook, version="2", label="Mine")
    webhook.refresh_from_db()
    assert webhook.label == "Mine"


def test_a_product_that_is_gone_stays_chosen(michael: Person, account: Account) -> None:
    webhook = make_webhook(account, product_id="PRD-gone", product_name="Old Product")
    assert "Old Product (PRD-gone)" in michael.client.get(edit_url(webhook)).content.decode()
    send(michael, webhook, product_id="PRD-gone", label="New name")
    webhook.refresh_from_db()
    assert (webhook.label, webhook.product_name) == ("New name", "Old Product")


def test_less_is_sent_without_the_password(michael: Person, account: Account) -> None:
    webhook = make_webhook(account)
    stale(michael.client)
    send(michael, webhook, condition="eq(status,approved)", active="")
    webhook.refresh_from_db()
    assert (webhook.condition, webhook.active) == ("eq(status,approved)", False)


def test_what_is_typed_outlasts_the_question(michael: Person, webhook: Webhook) -> None:
    stale(michael.client)
    typed = {"label": "Refunds", "headers_name": ["X-A", "X-B"], "headers_value": ["1", "2"]}
    question = send(michael, webhook, condition="", object_class="usage_file", **typed)
    assert "To have more sent to Orders to ERP, enter" in re.sub(r"<[^>]*>", "", question.text)
    answer(michael.client, edit_url(webhook), question)
    webhook.refresh_from_db()
    assert (webhook.label, webhook.object_class) == ("Refunds", "usage_file")
    assert webhook.headers == {"X-A": "1", "X-B": "2"}


@pytest.mark.parametrize(
    "path",
    [
        *("edit/", "secrets/jwt/", "secrets/jwt/new/", "disable/", "enable/", "pause/", "resume/"),
        *("test/", "deliveries/{delivery}/redeliver/"),
    ],
)
def test_a_webhook_that_is_deleted_meanwhile_is_404(
    michael: Person, webhook: Webhook, path: str
) -> None:
    path = path.format(delivery=outbox.send_test(webhook, None).pk)
    asked: list[str] = []

    def delete(execute: Any, sql: str, *more: Any) -> Any:
        """Delete the webhook once the view has found it."""
        if 'FROM "webhooks_webhook' in sql:
            asked.append(sql)
            if len(asked) == 2:
                Webhook.objects.filter(pk=webhook.pk).delete()
        return execute(sql, *more)

    fields = {**FORM, "version": "1", "label": "Late", "own_secret": "", "once": "a" * 12}
    with connection.execute_wrapper(delete):
        response = michael.client.post(f"/integrations/webhooks/{webhook.pk}/{path}", fields)
    assert response.status_code == 404


@pytest.mark.parametrize("path", ["{id}/edit/", "{id}/disable/", "{id}/delete/"])
def test_members_change_nothing(adrian: Person, webhook: Webhook, path: str) -> None:
    url = f"/integrations/webhooks/{path.format(id=webhook.pk)}"
    assert adrian.client.post(url, {**FORM, "version": "1"}).status_code == 403
    assert Webhook.objects.get().version == 1

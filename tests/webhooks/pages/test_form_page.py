"""Creating and editing a webhook on the pages."""

import re
import uuid
from typing import Any

import pytest

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from modules.models import Product
from tests.conftest import Person
from tests.factories import ProductFactory
from tests.webhooks.factories import URL, make_webhook
from webhooks.models import Webhook, WebhookSecret

NEW = "/integrations/webhooks/new/"
FORM: dict[str, Any] = {
    "label": "Orders to ERP",
    "active": "on",
    "object_class": "fulfillment_request",
    "external_url": URL,
    "http_method": "POST",
    "source": "portal",
}


def send(somebody: Person, url: str = NEW, **changes: Any) -> Any:
    return somebody.client.post(url, {"run": str(uuid.uuid4()), **FORM, **changes})


def test_creating_keeps_every_field(michael: Person) -> None:
    response = send(
        michael,
        description="Puts orders\r\ninto the queue.",
        http_method="GET",
        headers="X-Source: connect\r\n\r\nX-Key:a:b ",
        data='{"queue": "orders"}',
    )
    webhook = Webhook.objects.get()
    assert response["Location"] == f"/integrations/webhooks/{webhook.pk}/"
    assert webhook.account == michael.account
    assert webhook.created_by is not None
    assert webhook.created_by.id == michael.user.pk
    assert (webhook.label, webhook.http_method) == ("Orders to ERP", "GET")
    assert webhook.headers == {"X-Source": "connect", "X-Key": "a:b"}
    assert webhook.data == {"queue": "orders"}
    assert webhook.active
    assert {each.kind for each in WebhookSecret.objects.all()} == {"jwt", "sw"}
    assert Event.objects.filter(action=Action.WEBHOOK_CREATED).count() == 1


def test_pressing_create_twice_creates_one(michael: Person) -> None:
    run = str(uuid.uuid4())
    first, second = (send(michael, run=run) for _ in range(2))
    assert Webhook.objects.count() == 1
    assert first["Location"] == second["Location"]
    send(michael)
    assert Webhook.objects.count() == 2


def test_two_at_the_same_time_create_one(michael: Person) -> None:
    run = uuid.uuid4()
    values: dict[str, Any] = {
        "account": michael.account,
        "by": michael.user,
        "external_url": URL,
    }
    first = Webhook.create_once(run, label="First", **values)
    assert Webhook.create_once(run, label="Second", **values) == first
    assert Webhook.objects.count() == 1


def test_the_form_brings_a_run_of_its_own(michael: Person) -> None:
    pages = [michael.client.get(NEW).content.decode() for _ in range(2)]
    runs = {re.findall(r'name="run" value="([0-9a-f-]{36})"', page)[0] for page in pages}
    assert len(runs) == 2
    assert not Webhook.objects.exists()


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
        ("headers", "X-Source", "Line 1 has no colon."),
        ("headers", "X-A: 1\nx-a: 2", "x-a stands there twice."),
        ("headers", "Host: erp.example", "The portal sets the header Host itself."),
        ("headers", "bad name: 1", "is not the name of a header"),
        ("data", "[1]", "Enter JSON such as"),
        ("data", "{", "Enter JSON such as"),
        ("data", "[" * 20_000, "Enter JSON such as"),
        ("data", '{"a": "%s"}' % ("x" * 9000), "at most 8 KB"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    michael: Person, field: str, value: str, sentence: str
) -> None:
    response = send(michael, **{field: value})
    assert response.status_code == 200
    assert sentence in " ".join(response.context["form"].errors[field])
    assert not Webhook.objects.exists()


def test_an_own_secret_is_used_as_typed(michael: Person) -> None:
    send(michael, source="own", own_secret="JWT-of-my-own")
    assert Webhook.objects.get().reveal("jwt", by=None) == "JWT-of-my-own"


@pytest.mark.parametrize("typed", ["", "with a blank", "x" * 101])
def test_a_secret_that_cannot_be_used_is_refused(michael: Person, typed: str) -> None:
    response = send(michael, source="own", own_secret=typed)
    assert response.context["signing"].errors["own_secret"]
    assert not Webhook.objects.exists()


def test_a_secret_typed_for_the_choice_that_was_not_taken_is_ignored(michael: Person) -> None:
    send(michael, source="portal", own_secret="leftover")
    assert re.fullmatch(r"JWT-[0-9a-f]{40}", Webhook.objects.get().reveal("jwt", by=None))


def test_after_errors_a_browser_finds_all_but_the_secret(michael: Person) -> None:
    """The form is kept in the session, which never has secrets."""
    data = {**FORM, "label": "", "headers": "X-Kept: yes", "source": "own", "own_secret": "hush"}
    response = michael.client.post(NEW, data, headers={"Sec-Fetch-Mode": "navigate"})
    assert response["Location"] == NEW
    page = michael.client.get(NEW).content.decode()
    assert "X-Kept: yes" in page
    assert URL in page
    assert "hush" not in page
    assert "hush" not in str(dict(michael.client.session))
    assert "Enter the secret." in page


@pytest.fixture
def product(michael: Person) -> Product:
    michael.account.side = "vendor"
    michael.account.save()
    return ProductFactory(vendor=michael.account, name="Cloud Backup")


def test_a_product_is_chosen_from_those_the_account_sees(
    michael: Person, product: Product, stranger: Person
) -> None:
    other = ProductFactory(vendor=stranger.account, name="Not Yours")
    page = michael.client.get(NEW).content.decode()
    assert f"Cloud Backup ({product.pk})" in page
    assert other.pk not in page
    send(michael, product_id=product.pk)
    webhook = Webhook.objects.get()
    assert (webhook.product_id, webhook.product_name) == (product.pk, "Cloud Backup")


def test_what_has_no_product_cannot_be_limited_to_one(michael: Person, product: Product) -> None:
    response = send(michael, object_class="token", product_id=product.pk)
    assert response.context["form"].errors["product_id"] == [
        "Choose “All products”: a token belongs to no product."
    ]


# --- Editing --------------------------------------------------------------------------------------


def edit_url(webhook: Webhook) -> str:
    return f"/integrations/webhooks/{webhook.pk}/edit/"


def test_editing_saves_what_changed_and_records_it(michael: Person, webhook: Webhook) -> None:
    secret = webhook.reveal("jwt", by=None)
    response = send(michael, edit_url(webhook), version="1", label="Renamed", data='{"a": 1}')
    assert response["Location"] == f"/integrations/webhooks/{webhook.pk}/"
    webhook.refresh_from_db()
    assert (webhook.label, webhook.data, webhook.version) == ("Renamed", {"a": 1}, 2)
    entry = Event.objects.filter(action=Action.WEBHOOK_CHANGED).get()
    assert entry.changes["label"] == ["Orders to ERP", "Renamed"]
    assert webhook.reveal("jwt", by=None) == secret


def test_saving_without_a_change_says_so(michael: Person, webhook: Webhook) -> None:
    response = michael.client.post(edit_url(webhook), {**FORM, "version": "1"}, follow=True)
    assert b"Nothing was changed." in response.content
    webhook.refresh_from_db()
    assert webhook.version == 1


def test_the_second_of_two_who_edit_sees_what_the_first_saved(
    michael: Person, webhook: Webhook
) -> None:
    webhook.edit(by=None, label="Theirs")
    response = send(michael, edit_url(webhook), version="1", label="Mine")
    page = response.content.decode()
    assert "The change was not saved." in page
    assert "Theirs" in page
    assert 'value="Mine"' in page
    webhook.refresh_from_db()
    assert webhook.label == "Theirs"
    send(michael, edit_url(webhook), version="2", label="Mine")
    webhook.refresh_from_db()
    assert webhook.label == "Mine"


def test_a_product_that_is_gone_stays_chosen(michael: Person, account: Account) -> None:
    webhook = make_webhook(account, product_id="PRD-gone", product_name="Old Product")
    assert "Old Product (PRD-gone)" in michael.client.get(edit_url(webhook)).content.decode()
    send(michael, edit_url(webhook), version="1", product_id="PRD-gone", label="New name")
    webhook.refresh_from_db()
    assert (webhook.label, webhook.product_name) == ("New name", "Old Product")


@pytest.mark.parametrize("path", ["new/", "{id}/edit/", "{id}/disable/", "{id}/delete/"])
def test_members_change_nothing(adrian: Person, webhook: Webhook, path: str) -> None:
    url = f"/integrations/webhooks/{path.format(id=webhook.pk)}"
    assert adrian.client.post(url, {**FORM, "version": "1"}).status_code == 403
    assert Webhook.objects.get().version == 1
